//! The simulated site as a whole: what every request can reach.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::kit::clock;
use crate::kit::faults::Faults;
use crate::kit::journal::Journal;
use crate::kit::server::Front;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::config::{Changes, Config};
use crate::qlik_onprem::data::{Catalog, site};
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::rights::{Caller, Standing};
use crate::qlik_onprem::sessions::Sessions;
use crate::qlik_onprem::store::{Action, Event, Store};

/// A row, wherever it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Computed, unless it was written over.
    Generated(u64),
    /// Kept.
    Kept(Uuid),
}

/// A list that was put together before.
pub(crate) type Sequence = Arc<Vec<(Kind, Place)>>;

/// The site.
pub(crate) struct World {
    /// What it was told.
    pub(crate) config: Config,
    /// Where the repository answers, as clients see it.
    pub(crate) repository_url: String,
    /// Where the proxy answers.
    pub(crate) proxy_url: String,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What happened.
    pub(crate) journal: Arc<Journal>,
    /// Where the repository listens.
    pub(crate) repository: Arc<Front>,
    /// Where the proxy listens; its door is shut while it starts anew.
    pub(crate) proxy: Arc<Front>,
    catalog: RwLock<Arc<Catalog>>,
    store: Mutex<Store>,
    sessions: Mutex<Sessions>,
    sequences: Mutex<HashMap<String, Sequence>>,
    /// Every token and cookie that was shown.
    credentials: Mutex<BTreeSet<String>>,
}

impl World {
    /// A site behind its ports.
    pub(crate) fn new(config: Config, repository: Arc<Front>, proxy: Arc<Front>) -> Self {
        let (repository_port, proxy_port) = (repository.port(), proxy.port());
        let catalog = Catalog::new(config.seed, &config.population, config.changes);
        let mut store = Store::default();
        for (kind, row) in site(&catalog, &config.server_name, proxy_port, repository_port) {
            store.make(kind, row.id("id").unwrap_or_default(), row);
        }
        Self {
            repository_url: format!("https://{}:{repository_port}", config.server_name),
            proxy_url: format!("https://{}:{proxy_port}", config.server_name),
            faults: Faults::new(config.faults.clone()),
            journal: Arc::new(Journal::default()),
            repository,
            proxy,
            credentials: Mutex::default(),
            catalog: RwLock::new(Arc::new(catalog)),
            store: Mutex::new(store),
            sessions: Mutex::default(),
            sequences: Mutex::default(),
            config,
        }
    }

    /// Remembers what a client shows of itself.
    pub(crate) fn note_credentials(&self, headers: &HeaderMap) {
        let texts = |name| headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        let tokens = texts("authorization").filter_map(|text| text.split_once(' '));
        let cookies =
            texts("cookie").flat_map(|text| text.split("; ")).filter_map(|pair| pair.split_once('='));
        let shown = tokens.chain(cookies).map(|(_, value)| value.to_owned());
        locked(&self.credentials).extend(shown);
    }

    /// Every token and cookie that was shown.
    pub(crate) fn credentials(&self) -> Vec<String> {
        locked(&self.credentials).iter().cloned().collect()
    }

    /// The content as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves the content to another revision.
    pub(crate) fn change(&self, changes: Changes) {
        let next = self.catalog().at(changes);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.sequences().clear();
    }

    /// What is kept, locked: never hold a lock across an await.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        locked(&self.store)
    }

    /// What is kept, to be changed: lists are put together anew afterwards.
    pub(crate) fn editing(&self) -> MutexGuard<'_, Store> {
        let store = self.store();
        self.sequences().clear();
        store
    }

    /// The sessions, locked.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    /// Lists that were put together before, by everything that they depend on.
    pub(crate) fn sequences(&self) -> MutexGuard<'_, HashMap<String, Sequence>> {
        locked(&self.sequences)
    }

    /// Finds a row by its GUID.
    pub(crate) fn find(&self, store: &Store, kind: Kind, id: Uuid) -> Option<Place> {
        if store.removed(kind, id) {
            return None;
        }
        match self.catalog().find(kind, id) {
            Some(index) => Some(Place::Generated(index)),
            None => store.made(kind).contains(&id).then_some(Place::Kept(id)),
        }
    }

    /// A row as it is now.
    pub(crate) fn row(&self, store: &Store, kind: Kind, place: Place) -> Row {
        let catalog = self.catalog();
        let mut row = match place {
            Place::Kept(id) => store.row(kind, id).cloned().unwrap_or_default(),
            Place::Generated(index) => match store.row(kind, catalog.id(kind, index)) {
                Some(row) => row.clone(),
                None => return catalog.row(kind, index),
            },
        };
        match kind {
            Kind::ProxyService => self.link(store, &mut row),
            Kind::ReloadTask | Kind::ExternalProgramTask | Kind::UserSyncTask => {
                let operational = row.row_mut("operational");
                if let Some(last) = operational.and_then(|state| state.row_mut("lastExecutionResult")) {
                    self.settle(last);
                }
            }
            Kind::ExecutionResult => self.settle(&mut row),
            _ => {}
        }
        row
    }

    /// A row by its GUID.
    pub(crate) fn row_by_id(&self, store: &Store, kind: Kind, id: Uuid) -> Option<Row> {
        self.find(store, kind, id).map(|place| self.row(store, kind, place))
    }

    /// Shows the virtual proxies of a proxy as they are now.
    fn link(&self, store: &Store, row: &mut Row) {
        let Some(settings) = row.row_mut("settings") else { return };
        let shown = settings.list("virtualProxies").iter().filter_map(|reference| {
            let Cell::Row(reference) = reference else { return None };
            let virtual_proxy = store.row(Kind::VirtualProxy, reference.id("id")?)?;
            Some(Cell::Row(short(Kind::VirtualProxy, virtual_proxy)))
        });
        let shown: Vec<Cell> = shown.collect();
        settings.set("virtualProxies", shown);
    }

    /// An execution that a client started ends by itself.
    fn settle(&self, result: &mut Row) {
        let pace = self.config.pace.as_millis() as i64;
        let started = result.time("startTime").unwrap_or_default();
        if result.number("status") == Some(2) && clock::now_ms() - started >= pace {
            result.set("status", 7);
            result.set("stopTime", Cell::Time(started + pace));
            result.set("duration", Cell::Number(pace));
        }
    }

    /// What matters for rights: who owns a row, and whether everybody may read it.
    pub(crate) fn standing(&self, kind: Kind, row: &Row) -> Standing {
        let catalog = self.catalog();
        let everyone = Some(catalog.id(Kind::Stream, 0));
        let public = match kind {
            Kind::App => row.id("stream") == everyone,
            Kind::Stream => row.id("id") == everyone,
            Kind::CustomProperty => true,
            _ => false,
        };
        let owner = if kind == Kind::User { row.id("id") } else { row.id("owner") };
        Standing { owner, public }
    }

    /// The same for a generated row that was not written over, without the rest of it.
    pub(crate) fn generated_standing(&self, catalog: &Catalog, kind: Kind, index: u64) -> Standing {
        let owner = match kind {
            Kind::User => Some(index),
            Kind::App | Kind::Extension | Kind::DataConnection => Some(catalog.owner_of(kind, index)),
            Kind::Stream if index >= 2 => Some(catalog.owner_of(kind, index)),
            _ => None,
        };
        let public = match kind {
            Kind::App => catalog.stream_of(index) == Some(0),
            Kind::Stream => index == 0,
            Kind::CustomProperty => true,
            _ => false,
        };
        Standing { owner: owner.map(|user| catalog.id(Kind::User, user)), public }
    }

    /// The user of a directory with an id, in any case.
    pub(crate) fn user(&self, store: &Store, directory: &str, id: &str) -> Option<Row> {
        let same = |row: &Row| {
            row.text("userDirectory").eq_ignore_ascii_case(directory)
                && row.text("userId").eq_ignore_ascii_case(id)
        };
        let generated = self.catalog().user_by_key(directory, id).map(Place::Generated);
        let generated = generated.map(|place| self.row(store, Kind::User, place));
        let known = generated
            .filter(|row| same(row) && row.id("id").is_some_and(|id| !store.removed(Kind::User, id)));
        known.or_else(|| store.made_rows(Kind::User).find(|row| same(row)).cloned())
    }

    /// The time that a row made or changed now carries: later than that of any generated one and than its own before.
    pub(crate) fn stamp(&self, before: i64) -> i64 {
        clock::now_ms().max(self.catalog().latest()).max(before + 1)
    }

    /// Writes an event down.
    pub(crate) fn note(
        &self,
        store: &mut Store,
        caller: &Caller,
        action: Action,
        (kind, id): (Kind, Uuid),
        changed: Vec<String>,
    ) {
        store.note(Event {
            action,
            entity: kind.entity().name.to_owned(),
            id: id.to_string(),
            changed,
            user: caller.account.clone(),
            at: clock::now_ms(),
        });
    }
}

/// The short form of a row.
pub(crate) fn short(kind: Kind, row: &Row) -> Row {
    let mut keys = vec!["id"];
    keys.extend(kind.entity().condensed);
    keys.push("privileges");
    row.only(&keys)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
