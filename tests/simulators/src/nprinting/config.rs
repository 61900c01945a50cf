//! What a simulator can be told before it starts. Defaults are what the real system documents; where it documents
//! nothing there is a switch.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
pub use crate::kit::rounds::Changes;

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// How the listener is secured.
    pub tls: Tls,
    /// The same seed gives the same server, row by row.
    pub seed: u64,
    /// How many of everything.
    pub population: Population,
    /// What changed since the first revision.
    pub changes: Changes,
    /// Whether tokens are accepted once a certificate is registered.
    pub jwt_enabled: bool,
    /// By which claims a token names its user.
    pub matching: Matching,
    /// By how much `exp` and `nbf` may be missed. The real tolerance is unknown; none is the strictest.
    pub clock_skew: Duration,
    /// What `GET /login/ntlm` does.
    pub ntlm: Ntlm,
    /// The NTLM challenge is only offered to `User-Agent: Windows`.
    pub ntlm_needs_windows_agent: bool,
    /// Whether email and password are accepted at `POST /login`.
    pub password_login: bool,
    /// Password of every generated user.
    pub password: String,
    /// How long a session lives without being used.
    pub session_life: Duration,
    /// A write with both a token and a session cookie needs `X-XSRF-TOKEN` too (unknown for the newest release).
    pub xsrf_with_bearer: bool,
    /// Origins that a browser's write may come from.
    pub trusted_origins: Vec<String>,
    /// What a body of an error looks like.
    pub error_body: ErrorBody,
    /// Lists that need rights of their own (users, groups, roles, audit) answer 403 to whoever has none, instead of
    /// being empty.
    pub forbid_instead_of_empty: bool,
    /// More than this is never sent in one page, whatever `limit` says. The real server documents no cap.
    pub max_limit: Option<u64>,
    /// How rows are written.
    pub shape: Shape,
    /// How long an execution or a request that a client starts stays queued, and how long it then runs.
    pub pace: (Duration, Duration),
    /// Faults that are switched on from the start.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            tls: Tls::Authority,
            seed: 1,
            population: Population::default(),
            changes: Changes::default(),
            jwt_enabled: true,
            matching: Matching::default(),
            clock_skew: Duration::ZERO,
            ntlm: Ntlm::Exchange,
            ntlm_needs_windows_agent: true,
            password_login: true,
            password: "NPrinting-1".to_owned(),
            session_life: Duration::from_secs(30 * 60),
            xsrf_with_bearer: false,
            trusted_origins: Vec::new(),
            error_body: ErrorBody::default(),
            forbid_instead_of_empty: false,
            max_limit: None,
            shape: Shape::default(),
            pace: (Duration::from_millis(500), Duration::from_millis(1500)),
            faults: Vec::new(),
        }
    }
}

/// How the listener is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP, as behind a reverse proxy.
    Off,
    /// A certificate for `localhost` and `127.0.0.1`, signed by an authority made at start.
    #[default]
    Authority,
    /// The certificate that the server makes itself at installation: an RSA key, its own issuer, `CA:TRUE`. rustls
    /// refuses it as a server's certificate even when it is trusted as an authority.
    SelfMade,
    /// The same of older installations: a common name and nothing else — no alternative names, so no client that
    /// follows today's rules finds the host in it.
    CommonNameOnly,
}

/// By which claims a token names its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// One claim holds the email.
    Email {
        /// Name of the claim.
        claim: String,
    },
    /// Two claims hold the two halves of the domain account.
    DomainName {
        /// Name of the claim with the user's id.
        user: String,
        /// Name of the claim with the domain.
        domain: String,
    },
}

impl Default for Matching {
    fn default() -> Self {
        Self::Email { claim: "email".to_owned() }
    }
}

/// What `GET /login/ntlm` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ntlm {
    /// Windows authentication is switched off: 401 without a challenge.
    Off,
    /// The exchange of three messages. The name in the third is believed; its proof is not checked.
    #[default]
    Exchange,
    /// Whoever asks is this user (by email), as in a browser of a trusted zone.
    Trusted(String),
}

/// What a body of an error looks like; the real one is undocumented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorBody {
    /// `{"result":null,"code":404,"message":"…"}`, as sign-in answers.
    #[default]
    Result,
    /// Nothing.
    Empty,
    /// A page of the web server.
    Html,
}

/// How rows are written: what differs between releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Keys as in 2018: `appid`, `username`, `domainaccount`, `subfolder`.
    pub lower_case_keys: bool,
    /// Members that older servers do not have are missing.
    pub omit_optional: bool,
    /// One row in three of each kind that has a status or type carries a value that no document lists.
    pub unknown_values: bool,
    /// Output formats in capitals.
    pub capital_formats: bool,
    /// How times are written.
    pub dates: Dates,
}

/// How times are written; all of them are RFC 3339.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dates {
    /// `2026-01-23T04:56:07.000+00:00`, as documented.
    #[default]
    Offset,
    /// `2026-01-23T04:56:07.000Z`.
    Zulu,
    /// Z or offset, and a fraction of none to seven digits, changing from row to row.
    Mixed,
}

/// How many of everything; rows are computed when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the number of what its name says")]
pub struct Population {
    pub apps: u64,
    pub connections: u64,
    pub filters: u64,
    pub reports: u64,
    pub tasks: u64,
    pub executions_per_task: u64,
    pub users: u64,
    pub groups: u64,
    pub roles: u64,
    pub requests: u64,
    pub audits: u64,
}

impl Default for Population {
    fn default() -> Self {
        Self::of(12)
    }
}

impl Population {
    /// A server whose other sizes follow from the number of its apps. Never so small that one page shows everything.
    #[must_use]
    pub fn of(apps: u64) -> Self {
        Self {
            apps,
            connections: apps * 2,
            filters: apps * 5,
            reports: apps * 8,
            tasks: apps * 5,
            executions_per_task: 60,
            users: (apps * 10).max(60),
            groups: (apps / 2).clamp(6, 1000),
            roles: (apps / 4).clamp(6, 200),
            requests: apps * 2,
            audits: apps * 20,
        }
    }
}
