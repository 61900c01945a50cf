//! The handle that a test holds: starting, stopping, and everything that an administrator of the site — or fate — could
//! do to it.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faults::{BodyKind, Fault, FaultKind};
use crate::journal::{Counters, Received};
use crate::kit::server::{Front, Server};
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::certificates::{Authority, ClientCertificate, Validity};
use crate::qlik_onprem::config::{Changes, Config};
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::gate::Side;
use crate::qlik_onprem::proxies;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::routes;
use crate::qlik_onprem::store::{Action, Event};
use crate::qlik_onprem::world::World;
use crate::qlik_onprem::writes;
use crate::way::{Certificate, Line};

/// A running site. It ends when dropped.
pub struct Simulator {
    world: Arc<World>,
    authority: Authority,
    root_pem: String,
    client: ClientCertificate,
    default_virtual_proxy: Value,
    _servers: Vec<Server>,
}

impl Simulator {
    /// Starts a site on loopback ports, on threads of its own.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_blocking(config)
    }

    /// The same for code without a runtime.
    pub fn start_blocking(mut config: Config) -> anyhow::Result<Self> {
        let authority = Authority::new(&config.server_name, config.tls12_only)?;
        let bind = |port| Front::bind(port, Some(authority.identity(true)?));
        let repository = bind(config.repository_port)?;
        let further: Vec<Arc<Front>> =
            config.further_ports.iter().map(|port| bind(*port)).collect::<Result<_, _>>()?;
        let proxy = Front::bind(config.proxy_port, Some(authority.identity(false)?))?;
        config.faults = config.faults.into_iter().map(lower_case).collect();
        let world = Arc::new(World::new(config, Arc::clone(&repository), Arc::clone(&proxy)));
        let routes = |side| routes::router(side, Arc::clone(&world));
        let mut servers = vec![proxy.open(routes(Side::Proxy))?];
        for front in further.iter().chain([&repository]) {
            servers.push(front.open(routes(Side::Repository))?);
        }
        let simulator = Self {
            root_pem: authority.root_pem()?,
            client: authority.issue(Validity::default())?,
            authority,
            default_virtual_proxy: Value::Null,
            world,
            _servers: servers,
        };
        let default_virtual_proxy = simulator.default_virtual_proxy();
        Ok(Self { default_virtual_proxy, ..simulator })
    }

    /// Where the repository answers, without a slash at the end.
    #[must_use]
    pub fn repository_url(&self) -> &str {
        &self.world.repository_url
    }

    /// Where the proxy answers, without a slash at the end.
    #[must_use]
    pub fn proxy_url(&self) -> &str {
        &self.world.proxy_url
    }

    /// The authority's certificate, as exported.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// A client certificate that is valid now.
    #[must_use]
    pub fn client_certificate(&self) -> &ClientCertificate {
        &self.client
    }

    /// Issues another client certificate.
    pub fn issue_client_certificate(&self, validity: Validity) -> anyhow::Result<ClientCertificate> {
        self.authority.issue(validity)
    }

    /// Directory and id of a generated user: 0 is a RootAdmin, 1 to 5 are ContentAdmin, DeploymentAdmin, AuditAdmin,
    /// SecurityAdmin and HubAdmin, 6 has no role, 7 is blocked, 8 inactive, 9 gone from the directory, 10 a second
    /// RootAdmin, 12 `INTERNAL\sa_repository`, 13 `INTERNAL\sa_api`; from 18 on there are people.
    #[must_use]
    pub fn user(&self, index: u64) -> (String, String) {
        let (directory, id) = self.world.catalog().user_key(index);
        (directory.to_owned(), id)
    }

    /// GUID of a generated user.
    #[must_use]
    pub fn user_id(&self, index: u64) -> String {
        self.world.catalog().id(Kind::User, index).to_string()
    }

    /// GUID of a generated app.
    #[must_use]
    pub fn app_id(&self, index: u64) -> String {
        self.world.catalog().id(Kind::App, index).to_string()
    }

    /// GUID of a generated reload task; row n reloads app n. Task 0 last succeeded, 1 failed.
    #[must_use]
    pub fn reload_task_id(&self, index: u64) -> String {
        self.world.catalog().id(Kind::ReloadTask, index).to_string()
    }

    /// Makes a user with roles and gives the GUID.
    pub fn create_user(&self, directory: &str, id: &str, roles: &[&str]) -> anyhow::Result<String> {
        let world = &self.world;
        let mut row = writes::blank(world, Kind::User);
        let stamp = Cell::Time(world.stamp(0));
        let members = json!({"userDirectory": directory, "userId": id, "name": id, "roles": roles});
        row.take(Row::from_json(members.as_object().cloned().unwrap_or_default()));
        let guid = Uuid::new_v4();
        row.set("id", guid);
        row.set("createdDate", stamp.clone());
        row.set("modifiedDate", stamp);
        world.editing().make(Kind::User, guid, row);
        Ok(guid.to_string())
    }

    /// Sets members of a user, such as `roles`, `blacklisted`, `inactive`.
    pub fn set_user(&self, id: &str, members: &Value) -> anyhow::Result<()> {
        let id = Uuid::try_parse(id).context("this is no GUID")?;
        let mut store = self.world.editing();
        let mut row = self.world.row_by_id(&store, Kind::User, id).context("there is no such user")?;
        row.take(Row::from_json(members.as_object().cloned().unwrap_or_default()));
        let stamp = self.world.stamp(row.time("modifiedDate").unwrap_or_default());
        row.set("modifiedDate", Cell::Time(stamp));
        store.put(Kind::User, id, row);
        Ok(())
    }

    /// The virtual proxy with a prefix, as it is now.
    #[must_use]
    pub fn virtual_proxy(&self, prefix: &str) -> Option<Value> {
        let store = self.world.store();
        let mut rows = store.made_rows(Kind::VirtualProxy);
        rows.find(|row| row.text("prefix").eq_ignore_ascii_case(prefix)).map(Row::json)
    }

    /// Changes members of a virtual proxy behind the connector's back, as an administrator would: it becomes newer.
    pub fn set_virtual_proxy(&self, prefix: &str, members: &Value) -> anyhow::Result<()> {
        let mut store = self.world.editing();
        let mut rows = store.made_rows(Kind::VirtualProxy);
        let found = rows.find(|row| row.text("prefix").eq_ignore_ascii_case(prefix)).cloned();
        drop(rows);
        let mut row = found.context("there is no such virtual proxy")?;
        let id = row.id("id").unwrap_or_default();
        row.take(Row::from_json(members.as_object().cloned().unwrap_or_default()));
        let stamp = self.world.stamp(row.time("modifiedDate").unwrap_or_default());
        row.set("modifiedDate", Cell::Time(stamp));
        store.put(Kind::VirtualProxy, id, row);
        Ok(())
    }

    /// Prefixes of the virtual proxies that the proxy serves, in their order; that of the default one is empty.
    #[must_use]
    pub fn linked_prefixes(&self) -> Vec<String> {
        let store = self.world.store();
        proxies::linked(&store).into_iter().map(|row| row.text("prefix").to_owned()).collect()
    }

    /// Is the default virtual proxy as it was at the start, linked, and was no write of it even tried?
    #[must_use]
    pub fn default_virtual_proxy_is_untouched(&self) -> bool {
        let now = self.default_virtual_proxy();
        let written = self.events().iter().any(|event| now["id"] == event.id);
        now == self.default_virtual_proxy && !written && self.linked_prefixes().contains(&String::new())
    }

    fn default_virtual_proxy(&self) -> Value {
        self.virtual_proxy("").unwrap_or_default()
    }

    /// What was done to the site, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.world.store().events().to_vec()
    }

    /// Forgets what was done.
    pub fn clear_events(&self) {
        self.world.store().forget_events();
    }

    /// How often the proxy started anew since events were last forgotten.
    #[must_use]
    pub fn proxy_restarts(&self) -> usize {
        self.events().iter().filter(|event| event.action == Action::Restarted).count()
    }

    /// Lets the proxy start anew now.
    pub fn restart_proxy(&self) {
        let mut store = self.world.store();
        proxies::restart(&self.world, &mut store, &Caller::administrator(), false);
    }

    /// Ends every session of the proxy.
    pub fn end_sessions(&self) {
        self.world.sessions().close_all();
    }

    /// How many sessions of the proxy are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.world.sessions().count()
    }

    /// How many sessions of the proxy were ever opened: one for each call of a client that keeps no cookies.
    #[must_use]
    pub fn issued_sessions(&self) -> u64 {
        self.world.sessions().issued()
    }

    /// Moves the content to another revision.
    pub fn change(&self, changes: Changes) {
        self.world.change(changes);
    }

    /// Switches a fault on; its path means paths in any case, on either port.
    pub fn add_fault(&self, fault: Fault) {
        self.world.faults.add(lower_case(fault));
    }

    /// The next requests to paths that start so get this status.
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

    /// Lets something else become of calls to the repository's port.
    pub fn set_line(&self, line: Line) -> anyhow::Result<()> {
        self.world.repository.set_line(line)
    }

    /// Shows another certificate to new connections to the repository.
    pub fn show_certificate(&self, certificate: Certificate) -> anyhow::Result<()> {
        self.world.repository.show(certificate)
    }

    /// Lets something else become of calls to the proxy's port.
    pub fn set_proxy_line(&self, line: Line) -> anyhow::Result<()> {
        self.world.proxy.set_line(line)
    }

    /// Shows another certificate to new connections to the proxy.
    pub fn show_proxy_certificate(&self, certificate: Certificate) -> anyhow::Result<()> {
        self.world.proxy.show(certificate)
    }

    /// Every token and cookie that clients have shown.
    #[must_use]
    pub fn shown_credentials(&self) -> Vec<String> {
        self.world.credentials()
    }

    /// The requests received on all ports, oldest first.
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

/// Paths are compared in lower case.
pub(crate) fn lower_case(mut fault: Fault) -> Fault {
    fault.path = fault.path.to_ascii_lowercase();
    fault
}
