//! The handle that a test holds: starting, stopping, and everything that an administrator of the system — or fate — could
//! do to it.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType};

use crate::faults::{BodyKind, Fault, FaultKind};
use crate::journal::{Counters, Received};
use crate::kit::clock;
use crate::kit::rounds::Changes;
use crate::kit::server::{Front, Server};
use crate::kit::tls::{self, Identity};
use crate::qalyptus::config::{Config, Product, Tls};
use crate::qalyptus::data::Kind;
use crate::qalyptus::gate;
use crate::qalyptus::keys::{IssuedKey, NewKey};
use crate::qalyptus::world::{Switches, World};
use crate::way::{Certificate, Line};

/// A running system. It ends when dropped.
pub struct Simulator {
    world: Arc<World>,
    base_url: String,
    _server: Server,
}

impl Simulator {
    /// Starts a system on a loopback port, on threads of its own.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_blocking(config)
    }

    /// The same for code without a runtime.
    pub fn start_blocking(config: Config) -> anyhow::Result<Self> {
        let front = Front::bind(config.port, identity(config.tls)?)?;
        let world = Arc::new(World::new(config, Arc::clone(&front))?);
        let base_url = [world.origin.as_str(), &world.config.mount].concat();
        let server = front.open(gate::router(Arc::clone(&world)))?;
        Ok(Self { world, base_url, _server: server })
    }

    /// Scheme, host, port and the folder in front of everything; what a person would enter.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.world.origin
    }

    /// Which product it is.
    #[must_use]
    pub fn product(&self) -> Product {
        self.world.config.product
    }

    /// The authority's certificate, or the system's own where that is its own issuer; empty without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.world.front.identity().map_or("", |identity| &identity.ca_pem)
    }

    /// Makes an API key, as its owner would on the profile page.
    pub fn create_api_key(&self, new: &NewKey) -> anyhow::Result<IssuedKey> {
        self.world.make_key(new)
    }

    /// Revokes a key.
    pub fn revoke_api_key(&self, id: &str) {
        if let Some(key) = self.world.keys().get_mut(id) {
            key.revoked = true;
        }
    }

    /// Lets a key expire now.
    pub fn expire_api_key(&self, id: &str) {
        if let Some(key) = self.world.keys().get_mut(id) {
            key.expires = clock::now_ms();
        }
    }

    /// Deletes a key.
    pub fn delete_api_key(&self, id: &str) {
        self.world.keys().delete(id);
    }

    /// Takes a user the right to have keys, or gives it back: out of the allowed groups, or a role without the permission.
    pub fn bar_from_keys(&self, user: u64, barred: bool) {
        let mut settings = self.world.settings();
        if barred {
            settings.barred.insert(user)
        } else {
            settings.barred.remove(&user)
        };
    }

    /// Activates a user or not.
    pub fn set_user_active(&self, user: u64, active: bool) {
        self.world.set_active(user, active);
    }

    /// Lets every token of `POST /login` expire now.
    pub fn expire_sessions(&self) {
        self.world.sessions().expire_all();
    }

    /// Throws switches; none of them when one is wrong.
    pub fn switch(&self, switches: Switches) -> anyhow::Result<()> {
        self.world.switch(switches)
    }

    /// Id of a generated user: 0 administers, 1 develops, 2 uses.
    #[must_use]
    pub fn user_id(&self, index: u64) -> String {
        self.world.user_id(index)
    }

    /// Email of a generated user.
    #[must_use]
    pub fn user_email(&self, index: u64) -> String {
        self.world.catalog().email(index)
    }

    /// Id of a generated organization; 0 is called Qalyptus.
    #[must_use]
    pub fn organization_id(&self, index: u64) -> String {
        self.id(Kind::Organization, index)
    }

    /// Id of a generated project; row n of whatever is in projects belongs to project n modulo their number.
    #[must_use]
    pub fn project_id(&self, index: u64) -> String {
        self.id(Kind::Project, index)
    }

    /// Id of a generated report.
    #[must_use]
    pub fn report_id(&self, index: u64) -> String {
        self.id(Kind::Report, index)
    }

    /// Id of a generated task.
    #[must_use]
    pub fn task_id(&self, index: u64) -> String {
        self.id(Kind::Task, index)
    }

    fn id(&self, kind: Kind, index: u64) -> String {
        self.world.catalog().id(kind, index).to_string()
    }

    /// Moves the content to another revision.
    pub fn change(&self, changes: Changes) {
        self.world.change(changes);
    }

    /// Switches a fault on.
    pub fn add_fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// The next requests to paths that start so get this status in the system's own form.
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

fn identity(tls: Tls) -> anyhow::Result<Option<Identity>> {
    Ok(match tls {
        Tls::Off => None,
        Tls::Authority => Some(tls::identity(&[])?),
        Tls::SelfSigned => {
            let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
            params.distinguished_name.push(DnType::CommonName, "localhost");
            Some(tls::self_made(params)?)
        }
    })
}
