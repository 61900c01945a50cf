//! What a simulator can be told before it starts. Defaults are what was seen of the product, or the first candidate where
//! nothing was seen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
use crate::kit::rounds::Changes;
use crate::qalyptus::endpoints::Serving;
use crate::qalyptus::integration::Integration;
use crate::qalyptus::paging::Paging;

/// Which product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Qalyptus Server, on-premise.
    Server,
    /// Qalyptus Cloud: one tenant.
    Cloud,
}

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which product.
    pub product: Product,
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// How the listener is secured.
    pub tls: Tls,
    /// A folder in front of everything, as behind a reverse proxy: empty or `/qalyptus`.
    pub mount: String,
    /// In front of every path of the API.
    pub base_path: String,
    /// The same seed gives the same system, row by row.
    pub seed: u64,
    /// How many of everything.
    pub population: Population,
    /// What changed since the first revision.
    pub changes: Changes,
    /// How rows are written.
    pub shape: Shape,
    /// Which path serves an operation, by its name (`roles.list`); the first candidate where nothing is said.
    pub serving: BTreeMap<String, Serving>,
    /// What stands around rows.
    pub envelope: Envelope,
    /// What a body of an error looks like.
    pub error_body: ErrorBody,
    /// What `errorDetails` holds.
    pub error_details: ErrorDetails,
    /// How lists are paged.
    pub paging: Paging,
    /// Where a key is sent.
    pub key_header: KeyHeader,
    /// What an administrator set about keys.
    pub keys: KeyRules,
    /// The list of connections is refused (400) without a project.
    pub connections_need_project: bool,
    /// Addresses outside of the API answer with the page of the web console instead of 404.
    pub console_everywhere: bool,
    /// The link to Qlik Sense (cloud product).
    pub integration: Integration,
    /// Password of every user (server product).
    pub password: String,
    /// How long a token of `POST /login` lives (server product).
    pub session_life: Duration,
    /// How long an on-demand request stays queued, and how long it then runs (server product).
    pub pace: (Duration, Duration),
    /// Faults that are switched on from the start.
    pub faults: Vec<Fault>,
}

impl Config {
    /// Qalyptus Server: plain HTTP as in its vendor's example, `data` alone around rows.
    #[must_use]
    pub fn server() -> Self {
        Self {
            tls: Tls::Off,
            envelope: Envelope::Data,
            keys: KeyRules { max_days: 180, ..KeyRules::default() },
            ..Self::of(Product::Server)
        }
    }

    /// Qalyptus Cloud: HTTPS, four members around rows, connected to a Qlik Sense tenant.
    #[must_use]
    pub fn cloud() -> Self {
        Self::of(Product::Cloud)
    }

    fn of(product: Product) -> Self {
        Self {
            product,
            port: 0,
            tls: Tls::Authority,
            mount: String::new(),
            base_path: "/api/v1".to_owned(),
            seed: 1,
            population: Population::default(),
            changes: Changes::default(),
            shape: Shape::default(),
            serving: BTreeMap::new(),
            envelope: Envelope::Full,
            error_body: ErrorBody::default(),
            error_details: ErrorDetails::default(),
            paging: Paging::None,
            key_header: KeyHeader::default(),
            keys: KeyRules::default(),
            connections_need_project: false,
            console_everywhere: false,
            integration: Integration::Connected,
            password: "Qalyptus-1".to_owned(),
            session_life: Duration::from_secs(30 * 60),
            pace: (Duration::from_millis(500), Duration::from_millis(1500)),
            faults: Vec::new(),
        }
    }
}

/// How the listener is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP.
    Off,
    /// A certificate of an authority made at start.
    Authority,
    /// A certificate that is its own issuer.
    SelfSigned,
}

/// What stands around rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// `data`, `isSuccess`, `error`, `errorDetails`: seen on a live cloud tenant.
    Full,
    /// `data` alone: what the vendor's client reads from a server.
    Data,
    /// `data.items`, as NPrinting has it.
    Items,
    /// Nothing.
    Bare,
}

/// What a body of an error looks like; nobody outside has seen one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorBody {
    /// The four members.
    #[default]
    Envelope,
    /// Problem details (RFC 9457), as ASP.NET writes them.
    Problem,
    /// `{"message": "…"}`.
    Message,
    /// `{"data": null, "status": {"message": "…"}}`, as sign-in answers.
    Status,
    /// Nothing.
    Empty,
    /// A page of the web server.
    Html,
}

/// What `errorDetails` holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorDetails {
    /// `null`.
    #[default]
    Null,
    /// A sentence.
    Text,
    /// An object.
    Object,
    /// A list of objects.
    List,
}

/// Where a key is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyHeader {
    /// Name of the header.
    pub name: String,
    /// What stands before the key, with its blank: `Bearer `.
    pub before: String,
}

impl Default for KeyHeader {
    fn default() -> Self {
        Self { name: "Authorization".to_owned(), before: "Bearer ".to_owned() }
    }
}

/// What an administrator set about keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRules {
    /// Are there keys at all? Both products start without; the simulator starts with them, because nothing works
    /// otherwise.
    pub enabled: bool,
    /// Longest life in days.
    pub max_days: u32,
    /// Keys that one user may have.
    pub per_user: u32,
}

impl Default for KeyRules {
    fn default() -> Self {
        Self { enabled: true, max_days: 365, per_user: 1000 }
    }
}

/// How rows are written: what a reader must survive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Shape {
    /// One row in three has nothing but its id; every other member is `null`.
    pub nulls: bool,
    /// Rows carry members that nobody knows.
    pub unknown_members: bool,
    /// One row in three is named in another script, from right to left or with signs beyond the basic plane.
    pub odd_names: bool,
    /// The first row of each list comes again at its end.
    pub duplicates: bool,
    /// `organizationRoles` holds texts instead of objects.
    pub roles_as_texts: bool,
}

/// How many of everything; rows are computed when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the number of what its name says")]
pub struct Population {
    pub organizations: u64,
    pub projects: u64,
    pub connections: u64,
    pub filters: u64,
    pub reports: u64,
    pub tasks: u64,
    pub users: u64,
    pub groups: u64,
    pub roles: u64,
    pub apps: u64,
    pub requests: u64,
}

impl Default for Population {
    /// Near the one tenant whose sizes were published.
    fn default() -> Self {
        Self::of(79)
    }
}

impl Population {
    /// A system whose other sizes follow from the number of its tasks. It has two organizations, of which a key of the
    /// cloud product reaches one; rows are shared out evenly.
    #[must_use]
    pub fn of(tasks: u64) -> Self {
        let projects = (tasks / 7).max(4);
        Self {
            organizations: 2,
            projects,
            connections: projects * 2,
            filters: tasks * 13 / 10,
            reports: (tasks * 9 / 8).max(projects),
            tasks,
            users: (tasks * 3).clamp(20, 20_000),
            groups: (tasks / 13).clamp(6, 500),
            roles: 9,
            apps: projects * 2,
            requests: tasks / 4,
        }
    }
}
