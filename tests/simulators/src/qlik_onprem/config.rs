//! What a simulator can be told before it starts. Defaults are what the real system documents; where it documents
//! nothing there is a switch.

use std::time::Duration;

use crate::faults::Fault;

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port of the repository on 127.0.0.1; 0 takes a free one. A real site has 4242. The session API of the proxy and
    /// the engine's health, which have ports of their own on a real site, answer here as well.
    pub repository_port: u16,
    /// Port of the proxy for users; 0 takes a free one. A real site has 443.
    pub proxy_port: u16,
    /// Further ports that answer as the repository's does: 4243 and 4747 for clients with fixed ports.
    pub further_ports: Vec<u16>,
    /// The one name in the server's certificate: the host name as it was at installation.
    pub server_name: String,
    /// No TLS 1.3, as on servers before Windows 2022: a client without a certificate then learns it in the handshake.
    pub tls12_only: bool,
    /// The same seed gives the same site, row by row.
    pub seed: u64,
    /// How many of everything.
    pub population: Population,
    /// What changed since the first revision.
    pub changes: Changes,
    /// What a request without `X-Qlik-User` is.
    pub missing_user: MissingUser,
    /// 403 for a user that the site does not know; otherwise such a user has no rights and sees nothing.
    pub refuse_unknown_users: bool,
    /// Lists are silently cut there. One source reports 100, the specification nothing.
    pub list_cap: Option<u64>,
    /// Sessions that one user may have at a time through the proxy.
    pub sessions_per_user: usize,
    /// Status for a token that a virtual proxy does not accept (not documented).
    pub jwt_refusal: u16,
    /// How long the proxy is away when a change makes it start anew: 5 to 60 seconds on a real site.
    pub restart: Duration,
    /// How long a task runs that a client starts.
    pub pace: Duration,
    /// Faults that are switched on from the start.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            repository_port: 0,
            proxy_port: 0,
            further_ports: Vec::new(),
            server_name: "localhost".to_owned(),
            tls12_only: false,
            seed: 1,
            population: Population::default(),
            changes: Changes::default(),
            missing_user: MissingUser::default(),
            refuse_unknown_users: true,
            list_cap: None,
            sessions_per_user: 5,
            jwt_refusal: 401,
            restart: Duration::from_millis(200),
            pace: Duration::from_secs(1),
            faults: Vec::new(),
        }
    }
}

/// What a request without `X-Qlik-User` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingUser {
    /// 403, as many releases answer.
    #[default]
    Refused,
    /// An administrator, as the help pages say of certificates.
    Administrator,
}

/// How many of everything; rows are computed when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the number of what its name says")]
pub struct Population {
    pub apps: u64,
    pub streams: u64,
    pub reload_tasks: u64,
    pub external_program_tasks: u64,
    pub user_sync_tasks: u64,
    pub users: u64,
    pub custom_properties: u64,
    pub tags: u64,
    pub extensions: u64,
    pub data_connections: u64,
    pub system_rules: u64,
}

impl Default for Population {
    fn default() -> Self {
        Self::of(60)
    }
}

impl Population {
    /// A site whose other sizes follow from the number of its apps.
    #[must_use]
    pub fn of(apps: u64) -> Self {
        Self {
            apps,
            streams: (apps / 20).clamp(4, 500),
            reload_tasks: (apps / 2).max(12),
            external_program_tasks: (apps / 100).clamp(4, 200),
            user_sync_tasks: 3,
            users: (apps * 2).max(40),
            custom_properties: (apps / 100).clamp(6, 60),
            tags: (apps / 10).clamp(8, 2000),
            extensions: (apps / 50).clamp(8, 200),
            data_connections: (apps / 4).clamp(8, 5000),
            system_rules: (apps / 10).clamp(40, 400),
        }
    }
}

/// What changes from one revision of the site to the next.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Changes {
    /// Of a hundred rows, this many are touched at each revision: nine in ten modified, one in ten removed; as many as
    /// are removed are added.
    pub percent: f64,
    /// 0 is the site as it was seeded.
    pub revision: u32,
}
