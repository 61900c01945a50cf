//! The handle that a test holds: starting, stopping, and everything that an administrator of the server — or fate —
//! could do to it.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::faults::{BodyKind, Fault, FaultKind};
use crate::journal::{Counters, Received};
use crate::kit::server::{Front, Server};
use crate::nprinting::certificate;
use crate::nprinting::config::{Changes, Config, ErrorBody, Matching, Ntlm, Shape};
use crate::nprinting::data::Kind;
use crate::nprinting::directory::{Links, Made};
use crate::nprinting::jwt::Verifier;
use crate::nprinting::rights::{Apps, Grant, NewRole};
use crate::nprinting::routes;
use crate::nprinting::world::World;
use crate::way::{Certificate, Line};

/// A user to be made by a test.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Email.
    pub email: String,
    /// Name.
    pub name: String,
    /// `DOMAIN\name`, or empty.
    pub domain_account: String,
    /// A disabled user cannot sign in.
    pub enabled: bool,
    /// Password for `POST /login`.
    pub password: Option<String>,
    /// GUIDs of roles.
    pub roles: Vec<String>,
}

impl Default for NewUser {
    fn default() -> Self {
        Self {
            email: "connector@example.com".to_owned(),
            name: "Connector".to_owned(),
            domain_account: r"EXAMPLE\connector".to_owned(),
            enabled: true,
            password: None,
            roles: Vec::new(),
        }
    }
}

/// A running server. It ends when dropped.
pub struct Simulator {
    world: Arc<World>,
    leaf_sha256: String,
    _server: Server,
}

impl Simulator {
    /// Starts a server on a loopback port, on threads of its own.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_blocking(config)
    }

    /// The same for code without a runtime.
    pub fn start_blocking(mut config: Config) -> anyhow::Result<Self> {
        let front = Front::bind(config.port, certificate::identity(config.tls)?)?;
        let leaf_sha256 = front.identity().map(|identity| hex(&identity.leaf)).unwrap_or_default();
        config.faults = config.faults.into_iter().map(lower_case).collect();
        let world = Arc::new(World::new(config, Arc::clone(&front)));
        let server = front.open(routes::router(Arc::clone(&world)))?;
        Ok(Self { world, leaf_sha256, _server: server })
    }

    /// Scheme, host and port, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// The authority's certificate, or the server's own where that is its own issuer; empty without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.world.front.identity().map_or("", |identity| &identity.ca_pem)
    }

    /// SHA-256 of the server's certificate in lower-case hexadecimal digits; empty without TLS.
    #[must_use]
    pub fn leaf_sha256(&self) -> &str {
        &self.leaf_sha256
    }

    /// Pastes a certificate into the console; it takes the place of the one before.
    pub fn register_jwt_certificate(&self, pem: &str) -> anyhow::Result<()> {
        self.world.settings().verifier = Some(Arc::new(Verifier::from_pem(pem)?));
        Ok(())
    }

    /// Takes the certificate away.
    pub fn remove_jwt_certificate(&self) {
        self.world.settings().verifier = None;
    }

    /// Turns the JWT toggle.
    pub fn set_jwt_enabled(&self, enabled: bool) {
        self.world.settings().jwt_enabled = enabled;
    }

    /// Sets by which claims a token names its user.
    pub fn set_matching(&self, matching: Matching) {
        self.world.settings().matching = matching;
    }

    /// Sets what Windows authentication does.
    pub fn set_ntlm(&self, ntlm: Ntlm) {
        self.world.settings().ntlm = ntlm;
    }

    /// Turns sign-in by email and password on or off.
    pub fn set_password_login(&self, enabled: bool) {
        self.world.settings().password_login = enabled;
    }

    /// Sets what a body of an error looks like.
    pub fn set_error_body(&self, body: ErrorBody) {
        self.world.settings().error_body = body;
    }

    /// Sets whether lists that need rights of their own answer 403 instead of being empty.
    pub fn set_forbid_instead_of_empty(&self, forbid: bool) {
        self.world.settings().forbid_instead_of_empty = forbid;
    }

    /// Writes rows in another shape from now on.
    pub fn set_shape(&self, shape: Shape) {
        self.world.set_shape(shape);
    }

    /// GUID of a generated user: 0 is the administrator, 1 a limited one (half of the apps and no people), 2 a developer.
    #[must_use]
    pub fn user_id(&self, index: u64) -> String {
        self.id(Kind::User, index)
    }

    /// Email of a generated user.
    #[must_use]
    pub fn user_email(&self, index: u64) -> String {
        self.world.catalog().email(index)
    }

    /// Domain account of a generated user; every seventh has none.
    #[must_use]
    pub fn user_account(&self, index: u64) -> String {
        self.world.catalog().account(index)
    }

    /// GUID of a generated role: 0 is Administrator, 1 Developer, 2 User, the rest read about half of the apps.
    #[must_use]
    pub fn role_id(&self, index: u64) -> String {
        self.id(Kind::Role, index)
    }

    /// GUID of a generated app.
    #[must_use]
    pub fn app_id(&self, index: u64) -> String {
        self.id(Kind::App, index)
    }

    /// GUID of a generated report; row n belongs to app n modulo the number of apps.
    #[must_use]
    pub fn report_id(&self, index: u64) -> String {
        self.id(Kind::Report, index)
    }

    /// Is a generated report enabled and On-Demand? The others are in no list.
    #[must_use]
    pub fn report_is_listed(&self, index: u64) -> bool {
        self.world.catalog().listed(Kind::Report, index)
    }

    /// GUID of a generated task: 0 publishes, 1 imports.
    #[must_use]
    pub fn task_id(&self, index: u64) -> String {
        self.id(Kind::Task, index)
    }

    fn id(&self, kind: Kind, index: u64) -> String {
        self.world.catalog().id(kind, index).to_string()
    }

    /// Makes a user and gives the GUID.
    pub fn create_user(&self, new: &NewUser) -> anyhow::Result<String> {
        let roles = guids(&new.roles)?;
        let id = Uuid::new_v4();
        let stamp = self.world.stamp();
        let row = json!({
            "id": id, "email": new.email, "description": "", "created": stamp, "lastUpdate": stamp,
            "enabled": new.enabled, "userName": new.name, "domainAccount": new.domain_account,
            "timezone": "UTC", "locale": "en", "folder": "", "subFolder": "",
        });
        let mut directory = self.world.editing();
        directory.make(Kind::User, made(id, &row));
        directory.link(Links::Roles, id, roles);
        if let Some(password) = &new.password {
            directory.set_password(id, password.clone());
        }
        Ok(id.to_string())
    }

    /// Makes a role and gives the GUID.
    pub fn create_role(&self, new: &NewRole) -> anyhow::Result<String> {
        let apps =
            if new.all_apps { Apps::All } else { Apps::These(guids(&new.apps)?.into_iter().collect()) };
        let id = Uuid::new_v4();
        let row = json!({
            "id": id, "name": new.name, "description": "", "enabled": new.enabled,
            "hasAllActions": new.all_actions, "hasAllApps": new.all_apps, "isSystemRole": false,
        });
        let mut directory = self.world.editing();
        directory.make(Kind::Role, made(id, &row));
        directory.set_grant(
            id,
            Grant { all_actions: new.all_actions, permissions: new.permissions.clone(), apps },
        );
        Ok(id.to_string())
    }

    /// Sets the roles of a user.
    pub fn set_roles(&self, user: &str, roles: &[&str]) -> anyhow::Result<()> {
        let (user, roles) = (guid(user)?, guids(roles)?);
        self.world.editing().link(Links::Roles, user, roles);
        Ok(())
    }

    /// Enables or disables a user.
    pub fn set_user_enabled(&self, user: &str, enabled: bool) -> anyhow::Result<()> {
        let user = guid(user)?;
        let members = [("enabled".to_owned(), enabled.into())].into_iter().collect();
        self.world.editing().change(Kind::User, user, members);
        Ok(())
    }

    /// Lets every session expire now.
    pub fn expire_sessions(&self) {
        self.world.sessions().close_all();
    }

    /// How many signed-in sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.world.sessions().count(None)
    }

    /// How many signed-in sessions were ever opened: one for each call of a client that keeps no cookies.
    #[must_use]
    pub fn issued_sessions(&self) -> u64 {
        self.world.sessions().issued()
    }

    /// Moves the content to another revision.
    pub fn change(&self, changes: Changes) {
        self.world.change(changes);
    }

    /// Switches a fault on; its path means paths in any case.
    pub fn add_fault(&self, fault: Fault) {
        self.world.faults.add(lower_case(fault));
    }

    /// The next requests to paths that start so get this status in the form of sign-in answers.
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

    /// The requests received, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.world.journal.entries()
    }

    /// Every token and cookie that clients have shown.
    #[must_use]
    pub fn shown_credentials(&self) -> Vec<String> {
        self.world.credentials()
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

/// Paths are compared in lower case.
pub(crate) fn lower_case(mut fault: Fault) -> Fault {
    fault.path = fault.path.to_ascii_lowercase();
    fault
}

fn made(id: Uuid, row: &serde_json::Value) -> Made {
    let row = row.as_object().cloned().unwrap_or_default();
    Made { id, row, parent: None, by: None, at: crate::kit::clock::now_ms() }
}

fn guid(text: &str) -> anyhow::Result<Uuid> {
    Uuid::try_parse(text).with_context(|| format!("«{text}» is no GUID"))
}

fn guids(texts: &[impl AsRef<str>]) -> anyhow::Result<Vec<Uuid>> {
    texts.iter().map(|text| guid(text.as_ref())).collect()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
