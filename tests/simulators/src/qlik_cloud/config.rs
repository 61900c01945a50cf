//! What a simulator can be told before it starts. Defaults are what the real system publishes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
pub use crate::kit::rounds::Changes;
use crate::qlik_cloud::access::Override;
use crate::qlik_cloud::sign_in::SignIn;

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Speak HTTPS with a certificate of the simulator's own authority.
    pub tls: bool,
    /// The same seed gives the same tenant, row by row.
    pub seed: u64,
    /// How many of everything.
    pub population: Population,
    /// What changed since the first revision.
    pub changes: Changes,
    /// The rate limiter.
    pub limits: Limits,
    /// Further host names that the tenant answers to; they are listed in `tenants/me` and in the certificate.
    pub alias_hosts: Vec<String>,
    /// Host names that lead here and belong to no tenant: LOGIN-2.
    pub foreign_hosts: Vec<String>,
    /// Next links name this origin instead of the base URL (an alias, say).
    pub link_origin: Option<String>,
    /// Name of the tenant.
    pub tenant_name: String,
    /// How a list says that it ends; lists not named here keep their own form.
    pub endings: BTreeMap<String, Ending>,
    /// Life of an OAuth access token.
    pub token_life: Duration,
    /// Code of the 401 at the token endpoint (the real ones are unpublished).
    pub bad_client_code: String,
    /// `users/me` and `tenants/me` answer 307 to the object instead of the object.
    pub me_redirects: bool,
    /// Active API keys that one user may have.
    pub max_keys_per_user: u32,
    /// Longest life of an API key (ISO 8601 duration).
    pub max_api_key_expiry: String,
    /// What every user may do apart from their roles.
    pub user_default_scopes: Vec<String>,
    /// Exceptions from the table of who may do what.
    pub access: Vec<Override>,
    /// Faults that are switched on from the start.
    pub faults: Vec<Fault>,
    /// How long a reload stays queued, and how long it then runs.
    pub reload_pace: (Duration, Duration),
    /// The ways in for people.
    pub sign_in: SignIn,
    /// Webhook URLs must be https on a domain name, as in the real system.
    pub strict_webhooks: bool,
}

impl Default for Config {
    fn default() -> Self {
        let scopes = [
            "user_default",
            "api-keys",
            "notes",
            "apps",
            "spaces",
            "users:read",
            "automations",
            "dataset",
            "data-connections",
            "lineage",
            "webhooks",
            "apps.report:all",
        ];
        Self {
            port: 0,
            tls: false,
            seed: 1,
            population: Population::default(),
            changes: Changes::default(),
            limits: Limits::default(),
            alias_hosts: Vec::new(),
            foreign_hosts: Vec::new(),
            link_origin: None,
            tenant_name: "Simulated tenant".to_owned(),
            endings: BTreeMap::new(),
            token_life: Duration::from_secs(6 * 3600),
            bad_client_code: "OAUTH-14".to_owned(),
            me_redirects: false,
            max_keys_per_user: 5,
            max_api_key_expiry: "PT24H".to_owned(),
            user_default_scopes: scopes.map(str::to_owned).to_vec(),
            access: Vec::new(),
            faults: Vec::new(),
            reload_pace: (Duration::from_millis(500), Duration::from_millis(1500)),
            sign_in: SignIn::default(),
            strict_webhooks: false,
        }
    }
}

/// How many of everything; rows are computed when they are read, so any size costs the same memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the number of what its name says")]
pub struct Population {
    pub apps: u64,
    pub users: u64,
    pub groups: u64,
    pub spaces: u64,
    pub data_sets: u64,
    pub data_files: u64,
    pub data_connections: u64,
    pub automations: u64,
    pub notes: u64,
    pub tasks: u64,
    pub reloads: u64,
    pub sharing_tasks: u64,
    pub report_templates: u64,
    pub audits: u64,
}

impl Default for Population {
    fn default() -> Self {
        Self::of(100)
    }
}

impl Population {
    /// A tenant whose other sizes follow from the number of its apps.
    #[must_use]
    pub fn of(apps: u64) -> Self {
        Self {
            apps,
            users: (apps / 2).max(10),
            groups: (apps / 20).clamp(5, 1000),
            spaces: (apps / 10).clamp(5, 10_000),
            data_sets: apps / 2,
            data_files: apps / 2,
            data_connections: (apps / 5).max(5),
            automations: apps / 10,
            notes: apps / 20,
            tasks: apps / 2,
            reloads: apps * 2,
            sharing_tasks: apps / 10,
            report_templates: apps / 10,
            audits: apps * 3,
        }
    }
}

/// The rate limiter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Whether it limits.
    pub enabled: bool,
    /// Multiplies every budget; 0.01 makes tier 1 ten requests a minute.
    pub scale: f64,
    /// Over which time the budget of so many minutes is counted.
    pub window: Duration,
    /// Whether a 429 carries `Retry-After`.
    pub retry_after: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { enabled: true, scale: 1.0, window: Duration::from_secs(300), retry_after: true }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}

/// How a list says that it ends. A consumer must understand all four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// `links` has no `next`.
    Missing,
    /// `"next": null`.
    Null,
    /// `"next": {"href": null}`.
    HrefNull,
    /// `"next": {"href": ""}`.
    Empty,
}
