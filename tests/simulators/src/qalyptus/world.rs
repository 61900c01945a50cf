//! The simulated system as a whole: what every request can reach.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::Deserialize;

use crate::kit::faults::Faults;
use crate::kit::journal::Journal;
use crate::kit::rounds::Changes;
use crate::kit::server::Front;
use crate::qalyptus::config::{Config, Envelope, ErrorBody, ErrorDetails, KeyHeader, KeyRules, Shape};
use crate::qalyptus::data::{Catalog, Kind};
use crate::qalyptus::endpoints::{Routes, Serving};
use crate::qalyptus::integration::Integration;
use crate::qalyptus::keys::{IssuedKey, Keys, NewKey};
use crate::qalyptus::paging::Paging;
use crate::qalyptus::routes::ondemand::Request;
use crate::qalyptus::sessions::Sessions;

/// Lists that are remembered.
const REMEMBERED: usize = 64;

/// What can be switched while the system runs.
pub(crate) struct Settings {
    pub(crate) envelope: Envelope,
    pub(crate) error_body: ErrorBody,
    pub(crate) error_details: ErrorDetails,
    pub(crate) paging: Paging,
    pub(crate) key_header: KeyHeader,
    pub(crate) keys: KeyRules,
    pub(crate) connections_need_project: bool,
    pub(crate) console_everywhere: bool,
    pub(crate) integration: Integration,
    pub(crate) routes: Arc<Routes>,
    /// Users whose keys do not work because they may have none any more.
    pub(crate) barred: HashSet<u64>,
    serving: BTreeMap<String, Serving>,
}

/// Changes of what can be switched; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// What stands around rows.
    pub envelope: Option<Envelope>,
    /// What a body of an error looks like.
    pub error_body: Option<ErrorBody>,
    /// What `errorDetails` holds.
    pub error_details: Option<ErrorDetails>,
    /// How lists are paged.
    pub paging: Option<Paging>,
    /// Where a key is sent.
    pub key_header: Option<KeyHeader>,
    /// Are there keys at all?
    pub keys_enabled: Option<bool>,
    /// The list of connections is refused without a project.
    pub connections_need_project: Option<bool>,
    /// Addresses outside of the API answer with the page of the web console.
    pub console_everywhere: Option<bool>,
    /// The link to Qlik Sense.
    pub integration: Option<Integration>,
    /// Which path serves an operation, by its name.
    pub serving: BTreeMap<String, Serving>,
    /// How rows are written.
    pub shape: Option<Shape>,
}

type Sequence = (Kind, Option<u64>, Option<u64>);

/// The system.
pub(crate) struct World {
    /// What it was told.
    pub(crate) config: Config,
    /// Where it listens.
    pub(crate) front: Arc<Front>,
    /// Scheme, host and port as clients see them.
    pub(crate) origin: String,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What happened.
    pub(crate) journal: Arc<Journal>,
    settings: Mutex<Settings>,
    active: Mutex<HashMap<u64, bool>>,
    keys: Mutex<Keys>,
    sessions: Mutex<Sessions>,
    requests: Mutex<Vec<Request>>,
    catalog: RwLock<Arc<Catalog>>,
    sequences: Mutex<HashMap<Sequence, Arc<Vec<u64>>>>,
}

impl World {
    /// A system that will answer at a port.
    pub(crate) fn new(config: Config, front: Arc<Front>) -> anyhow::Result<Self> {
        let settings = Settings {
            envelope: config.envelope,
            error_body: config.error_body,
            error_details: config.error_details,
            paging: config.paging,
            key_header: config.key_header.clone(),
            keys: config.keys,
            connections_need_project: config.connections_need_project,
            console_everywhere: config.console_everywhere,
            integration: config.integration.clone(),
            routes: Arc::new(Routes::new(config.product, &config.serving)?),
            barred: HashSet::new(),
            serving: config.serving.clone(),
        };
        let catalog =
            Catalog::new(config.seed, config.product, config.shape, &config.population, config.changes);
        Ok(Self {
            faults: Faults::new(config.faults.clone()),
            journal: Arc::new(Journal::default()),
            settings: Mutex::new(settings),
            active: Mutex::default(),
            keys: Mutex::default(),
            sessions: Mutex::default(),
            requests: Mutex::default(),
            catalog: RwLock::new(Arc::new(catalog)),
            sequences: Mutex::default(),
            origin: front.base_url(),
            front,
            config,
        })
    }

    /// Throws switches; none of them when one is wrong.
    pub(crate) fn switch(&self, switches: Switches) -> anyhow::Result<()> {
        let mut settings = self.settings();
        let mut serving = settings.serving.clone();
        serving.extend(switches.serving);
        settings.routes = Arc::new(Routes::new(self.config.product, &serving)?);
        settings.serving = serving;
        set(&mut settings.envelope, switches.envelope);
        set(&mut settings.error_body, switches.error_body);
        set(&mut settings.error_details, switches.error_details);
        set(&mut settings.paging, switches.paging);
        set(&mut settings.key_header, switches.key_header);
        set(&mut settings.keys.enabled, switches.keys_enabled);
        set(&mut settings.connections_need_project, switches.connections_need_project);
        set(&mut settings.console_everywhere, switches.console_everywhere);
        set(&mut settings.integration, switches.integration);
        drop(settings);
        if let Some(shape) = switches.shape {
            self.replace(|catalog| catalog.shape = shape);
        }
        Ok(())
    }

    /// Moves the content to another revision.
    pub(crate) fn change(&self, changes: Changes) {
        self.replace(|catalog| catalog.changes = changes);
    }

    fn replace(&self, edit: impl FnOnce(&mut Catalog)) {
        let mut catalog = Catalog::clone(&self.catalog());
        edit(&mut catalog);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        locked(&self.sequences).clear();
    }

    /// The content as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rows of a kind that are there: of one organization, of one project.
    pub(crate) fn rows(&self, kind: Kind, organization: Option<u64>, project: Option<u64>) -> Arc<Vec<u64>> {
        let key = (kind, organization, project);
        let mut sequences = locked(&self.sequences);
        if let Some(rows) = sequences.get(&key) {
            return Arc::clone(rows);
        }
        let catalog = self.catalog();
        let all = 0..catalog.extent(kind);
        let rows = all.filter(|index| {
            project.is_none_or(|project| catalog.project_of(*index) == project)
                && organization.is_none_or(|one| catalog.belongs(kind, *index, one))
                && catalog.exists(kind, *index)
        });
        let rows = Arc::new(rows.collect::<Vec<u64>>());
        if sequences.len() >= REMEMBERED {
            sequences.clear();
        }
        sequences.insert(key, Arc::clone(&rows));
        rows
    }

    /// The settings, locked: never hold a lock across an await.
    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        locked(&self.settings)
    }

    /// The keys, locked.
    pub(crate) fn keys(&self) -> MutexGuard<'_, Keys> {
        locked(&self.keys)
    }

    /// The tokens, locked.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    /// On-demand requests that were made, locked.
    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        locked(&self.requests)
    }

    /// Makes a key for a user who may have one.
    pub(crate) fn make_key(&self, new: &NewKey) -> anyhow::Result<IssuedKey> {
        let (catalog, settings) = (self.catalog(), self.settings());
        let known = catalog.exists(Kind::User, new.owner) && !catalog.is_recipient(new.owner);
        anyhow::ensure!(known, "there is no user {} who can sign in", new.owner);
        anyhow::ensure!(!settings.barred.contains(&new.owner), "the user may have no keys");
        let organizations = catalog.seeded(Kind::Organization);
        anyhow::ensure!(new.organization < organizations, "there is no organization {}", new.organization);
        self.keys().make(self.config.product, &settings.keys, new)
    }

    /// The id of a user.
    pub(crate) fn user_id(&self, user: u64) -> String {
        self.catalog().id(Kind::User, user).to_string()
    }

    /// Is a user active?
    pub(crate) fn is_active(&self, user: u64) -> bool {
        let set = locked(&self.active).get(&user).copied();
        set.unwrap_or_else(|| self.catalog().is_active(user))
    }

    /// Activates a user or not.
    pub(crate) fn set_active(&self, user: u64, active: bool) {
        locked(&self.active).insert(user, active);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
