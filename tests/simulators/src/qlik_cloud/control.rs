//! The handle that a test holds: starting, stopping, and everything that an administrator of the tenant — or fate —
//! could do to it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::faults::{BodyKind, Fault, FaultKind};
use crate::journal::{Counters, Received};
use crate::kit::server::{Front, Server};
use crate::kit::{clock, tls};
use crate::qlik_cloud::access::{Access, Override};
use crate::qlik_cloud::clients::{self, ClientCredentials, Consent, NewClient};
use crate::qlik_cloud::config::{Changes, Config};
use crate::qlik_cloud::data::Kind;
use crate::qlik_cloud::keys;
use crate::qlik_cloud::roles::Role;
use crate::qlik_cloud::routes;
use crate::qlik_cloud::world::World;
use crate::way::{Certificate, Line};

/// An API key: its id and the token that its holder sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyToken {
    /// Id of the key (the token's `jti`).
    pub id: String,
    /// The signed token.
    pub token: String,
}

/// A running tenant. It ends when dropped.
pub struct Simulator {
    pub(super) world: Arc<World>,
    _server: Server,
}

impl Simulator {
    /// Starts a tenant on a loopback port, on threads of its own.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_blocking(config)
    }

    /// The same for code without a runtime.
    pub fn start_blocking(config: Config) -> anyhow::Result<Self> {
        let identity = if config.tls { Some(tls::identity(&config.alias_hosts)?) } else { None };
        let front = Front::bind(config.port, identity)?;
        let world = Arc::new(World::new(config, Arc::clone(&front))?);
        let server = front.open(routes::router(Arc::clone(&world)))?;
        Ok(Self { world, _server: server })
    }

    /// Scheme, host and port, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// The authority's certificate; empty without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.world.front.identity().map_or("", |identity| &identity.ca_pem)
    }

    /// Id of the tenant.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.world.tenant_id
    }

    /// Id of a generated user. User 0 is TenantAdmin, 1 AnalyticsAdmin, 2 DataAdmin, 3 AuditAdmin; the rest are people.
    #[must_use]
    pub fn user_id(&self, index: u64) -> String {
        self.world.catalog().object_id(Kind::User, index).as_str().to_owned()
    }

    /// Id of a generated app.
    #[must_use]
    pub fn app_id(&self, index: u64) -> String {
        self.world.catalog().uuid(Kind::App, index).as_str().to_owned()
    }

    /// Makes an OAuth client with one secret.
    #[must_use]
    pub fn create_oauth_client(&self, new: &NewClient) -> ClientCredentials {
        let mut client = clients::from_test(new);
        let secret = client.add_secret(&self.user_id(0));
        let client_id = client.view["clientId"].as_str().unwrap_or_default().to_owned();
        self.world.directory().clients.insert(client_id.clone(), client);
        ClientCredentials { client_id, client_secret: secret.value, hint: secret.hint }
    }

    /// Makes another secret of a client, beside those that it has.
    pub fn add_client_secret(&self, client_id: &str) -> anyhow::Result<ClientCredentials> {
        let maker = self.user_id(0);
        let mut directory = self.world.directory();
        let client = directory.clients.get_mut(client_id).context("there is no such client")?;
        let secret = client.add_secret(&maker);
        let client_id = client_id.to_owned();
        Ok(ClientCredentials { client_id, client_secret: secret.value, hint: secret.hint })
    }

    /// Takes a secret away from a client.
    pub fn delete_client_secret(&self, client_id: &str, hint: &str) {
        if let Some(client) = self.world.directory().clients.get_mut(client_id) {
            client.secrets.retain(|secret| secret.hint != hint);
        }
    }

    /// Hints of a client's secrets.
    #[must_use]
    pub fn client_secret_hints(&self, client_id: &str) -> Vec<String> {
        let directory = self.world.directory();
        let secrets = directory.clients.get(client_id).map(|client| client.secrets.iter());
        secrets.into_iter().flatten().map(|secret| secret.hint.clone()).collect()
    }

    /// Sets the consent of a client.
    pub fn set_consent(&self, client_id: &str, consent: Consent) {
        if let Some(client) = self.world.directory().clients.get_mut(client_id) {
            client.trusted = consent == Consent::Trusted;
        }
    }

    /// The bot of a client; made if no token was asked for yet.
    #[must_use]
    pub fn bot_user_of(&self, client_id: &str) -> String {
        self.world.directory().bot_of(client_id)
    }

    /// Makes an API key of a user; the tenant's limits are not asked.
    pub fn create_api_key(&self, user: &str, life: Duration) -> anyhow::Result<ApiKeyToken> {
        let expires = clock::now_seconds() + life.as_secs() as i64;
        let key = keys::make(user, "user", "made by a test", expires, user);
        let token = keys::token(&self.world, &key).context("signing an API key")?;
        let id = key.id.clone();
        self.world.directory().keys.insert(id.clone(), key);
        Ok(ApiKeyToken { id, token })
    }

    /// Ids of a user's API keys that are active.
    #[must_use]
    pub fn active_api_keys(&self, user: &str) -> Vec<String> {
        let directory = self.world.directory();
        let active = directory.keys.values().filter(|key| key.sub == user && key.status() == "active");
        active.map(|key| key.id.clone()).collect()
    }

    /// Revokes an API key as an admin would.
    pub fn revoke_api_key(&self, id: &str) {
        if let Some(key) = self.world.directory().keys.get_mut(id) {
            key.revoked = true;
        }
    }

    /// Lets an API key expire now.
    pub fn expire_api_key(&self, id: &str) {
        if let Some(key) = self.world.directory().keys.get_mut(id) {
            key.expires = clock::now_seconds();
        }
    }

    /// The access tokens issued so far, oldest first.
    #[must_use]
    pub fn issued_tokens(&self) -> Vec<String> {
        self.world.issued.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Revokes every access token issued so far; API keys stay.
    pub fn revoke_tokens(&self) {
        let tokens = self.issued_tokens();
        let claims = tokens.iter().filter_map(|token| self.world.signer.verify(token));
        let ids: Vec<String> = claims.map(|claims| claims.jti).collect();
        self.world.directory().revoked_tokens.extend(ids);
    }

    /// Makes a custom role and gives its id.
    #[must_use]
    pub fn create_custom_role(&self, name: &str, scopes: &[&str]) -> String {
        let role = Role::custom(name, scopes.iter().map(|&scope| scope.to_owned()).collect());
        let id = role.id.clone();
        self.world.directory().roles.push(role);
        id
    }

    /// Sets the roles of a user, by name.
    pub fn set_roles(&self, user: &str, names: &[&str]) -> anyhow::Result<()> {
        let mut directory = self.world.directory();
        let mut ids = Vec::new();
        for name in names {
            let Some(role) = directory.role_named(name) else { bail!("there is no role {name}") };
            ids.push(role.id.clone());
        }
        directory.grants.insert(user.to_owned(), ids);
        Ok(())
    }

    /// Sets the status of a user: `active`, `disabled`, …
    pub fn set_user_status(&self, user: &str, status: &str) {
        self.world.directory().statuses.insert(user.to_owned(), status.to_owned());
    }

    /// Sets what every user may do apart from their roles.
    pub fn set_user_default_scopes(&self, scopes: &[&str]) {
        self.world.directory().user_default = scopes.iter().map(|&scope| scope.to_owned()).collect();
    }

    /// Makes an exception from the table of who may do what; the last one that fits applies.
    pub fn set_access(&self, method: Option<&str>, path: &str, access: Access) {
        let rule = Override { method: method.map(str::to_owned), path: path.to_owned(), access };
        let mut overrides = self.world.overrides.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        overrides.push(rule);
    }

    /// Moves the content to another revision.
    pub fn change(&self, changes: Changes) {
        self.world.change(changes);
    }

    /// Switches a fault on.
    pub fn add_fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// The next requests to paths that start so get this status in the canonical envelope.
    pub fn fail_next(&self, path: &str, status: u16, times: u32) {
        let kind = FaultKind::Status { status, body: BodyKind::Envelope };
        self.add_fault(Fault::new(path, kind).times(times));
    }

    /// Switches every fault off.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// How many requests the faults that are switched on have hit.
    #[must_use]
    pub fn strikes(&self) -> u64 {
        self.world.faults.strikes()
    }

    /// Lets something else become of calls to the port.
    pub fn set_line(&self, line: Line) -> anyhow::Result<()> {
        self.world.front.set_line(line)
    }

    /// Shows another certificate to new connections.
    pub fn show_certificate(&self, certificate: Certificate) -> anyhow::Result<()> {
        self.world.front.show(certificate)
    }

    /// Opens every tier of the rate limiter again.
    pub fn reset_limits(&self) {
        self.world.limiter.reset();
    }

    /// The requests received, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.world.journal.entries()
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.world.journal.counters()
    }

    /// Forgets requests and counters.
    pub fn clear_requests(&self) {
        self.world.journal.clear();
    }
}
