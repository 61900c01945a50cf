//! The simulated server as a whole: what every request can reach.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kit::clock;
use crate::kit::faults::Faults;
use crate::kit::journal::Journal;
use crate::kit::json::Json;
use crate::kit::server::Front;
use crate::nprinting::config::{Changes, Config, ErrorBody, Matching, Ntlm, Shape};
use crate::nprinting::data::{Catalog, Kind, spelled, time};
use crate::nprinting::directory::{Directory, Links, Made};
use crate::nprinting::jwt::Verifier;
use crate::nprinting::rights::Grant;
use crate::nprinting::sessions::Sessions;

/// What an administrator can change in the console while the server runs.
pub(crate) struct Settings {
    /// Are tokens accepted?
    pub(crate) jwt_enabled: bool,
    /// By which claims a token names its user.
    pub(crate) matching: Matching,
    /// The registered certificate.
    pub(crate) verifier: Option<Arc<Verifier>>,
    /// Windows authentication.
    pub(crate) ntlm: Ntlm,
    /// Email and password.
    pub(crate) password_login: bool,
    /// Body of an error.
    pub(crate) error_body: ErrorBody,
    /// 403 instead of an empty list.
    pub(crate) forbid_instead_of_empty: bool,
}

/// A row, wherever it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Computed.
    Generated(u64),
    /// Made at run time.
    Made(usize),
}

/// The server.
pub(crate) struct World {
    /// What it was told.
    pub(crate) config: Config,
    /// Where it listens.
    pub(crate) front: Arc<Front>,
    /// Scheme, host and port as clients see them.
    pub(crate) base_url: String,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What happened.
    pub(crate) journal: Arc<Journal>,
    settings: Mutex<Settings>,
    sessions: Mutex<Sessions>,
    catalog: RwLock<Arc<Catalog>>,
    directory: Mutex<Directory>,
    sequences: Mutex<HashMap<String, Arc<Vec<Place>>>>,
    /// Every token and cookie that was shown.
    credentials: Mutex<BTreeSet<String>>,
}

impl World {
    /// A server that will answer at a port.
    pub(crate) fn new(config: Config, front: Arc<Front>) -> Self {
        let base_url = front.base_url();
        let settings = Settings {
            jwt_enabled: config.jwt_enabled,
            matching: config.matching.clone(),
            verifier: None,
            ntlm: config.ntlm.clone(),
            password_login: config.password_login,
            error_body: config.error_body,
            forbid_instead_of_empty: config.forbid_instead_of_empty,
        };
        let catalog = Catalog::new(config.seed, config.shape, &config.population, config.changes);
        Self {
            faults: Faults::new(config.faults.clone()),
            journal: Arc::new(Journal::default()),
            settings: Mutex::new(settings),
            sessions: Mutex::default(),
            catalog: RwLock::new(Arc::new(catalog)),
            directory: Mutex::default(),
            sequences: Mutex::default(),
            credentials: Mutex::default(),
            base_url,
            front,
            config,
        }
    }

    /// Remembers what a client shows of itself.
    pub(crate) fn note_credentials(&self, headers: &HeaderMap) {
        let texts = |name| headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        let tokens = texts("authorization").filter_map(|text| text.split_once(' '));
        let cookies =
            texts("cookie").flat_map(|text| text.split("; ")).filter_map(|pair| pair.split_once('='));
        let shown = tokens.chain(cookies).map(|(_, value)| value).chain(texts("x-xsrf-token"));
        let mut credentials = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        credentials.extend(shown.map(str::to_owned));
    }

    /// Every token and cookie that was shown.
    pub(crate) fn credentials(&self) -> Vec<String> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The content as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves the content to another revision.
    pub(crate) fn change(&self, changes: Changes) {
        let next = self.catalog().at(changes);
        self.replace(next);
    }

    /// Writes rows in another shape from now on.
    pub(crate) fn set_shape(&self, shape: Shape) {
        let next = self.catalog().shaped(shape);
        self.replace(next);
    }

    fn replace(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        self.forget();
    }

    /// The settings, locked: never hold a lock across an await.
    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        locked(&self.settings)
    }

    /// The sessions, locked.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    /// The directory, locked.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        locked(&self.directory)
    }

    /// The directory, to be changed: lists are put together anew afterwards.
    pub(crate) fn editing(&self) -> MutexGuard<'_, Directory> {
        let directory = self.directory();
        self.forget();
        directory
    }

    /// Lists that were put together before, by everything that they depend on.
    pub(crate) fn sequences(&self) -> MutexGuard<'_, HashMap<String, Arc<Vec<Place>>>> {
        locked(&self.sequences)
    }

    fn forget(&self) {
        self.sequences().clear();
    }

    /// Finds a row by its GUID; removed ones and those that lists hide are not found.
    pub(crate) fn find(&self, directory: &Directory, kind: Kind, id: Uuid) -> Option<Place> {
        let catalog = self.catalog();
        let generated = catalog
            .find(kind, id)
            .filter(|index| catalog.listed(kind, *index) && !directory.removed(kind, id))
            .map(Place::Generated);
        generated.or_else(|| directory.made_by_id(kind, id).map(|(at, _)| Place::Made(at)))
    }

    /// Writes a row as the release does.
    pub(crate) fn write(&self, directory: &Directory, kind: Kind, place: Place, out: &mut Json) {
        let catalog = self.catalog();
        if let Place::Generated(index) = place
            && (!directory.any_changed(kind) || directory.changed(kind, catalog.id(kind, index)).is_none())
        {
            return catalog.write(catalog.shape, kind, index, out);
        }
        let shape = catalog.shape;
        let mut shown = Map::new();
        for (key, value) in self.row(directory, kind, place) {
            let is_time = matches!(key.as_str(), "created" | "lastUpdate" | "completed");
            let value = match value.as_i64() {
                Some(ms) if is_time => Value::String(time(shape.dates, ms as u64 / 1000, ms)),
                _ => value,
            };
            shown.insert(spelled(shape, &key).to_owned(), value);
        }
        out.value(&Value::Object(shown));
    }

    /// A row in canonical spelling.
    pub(crate) fn row(&self, directory: &Directory, kind: Kind, place: Place) -> Map<String, Value> {
        match place {
            Place::Made(at) => {
                directory.made(kind).get(at).map(|made| self.settled(made)).unwrap_or_default()
            }
            Place::Generated(index) => {
                let catalog = self.catalog();
                let mut out = Json::with_capacity(1024);
                let canonical = Shape { dates: catalog.shape.dates, ..Shape::default() };
                catalog.write(canonical, kind, index, &mut out);
                let mut row: Map<String, Value> =
                    serde_json::from_slice(&out.into_bytes()).unwrap_or_default();
                if let Some(changed) = directory.changed(kind, catalog.id(kind, index)) {
                    row.extend(changed.clone());
                }
                row
            }
        }
    }

    /// A row made at run time; executions and requests get on by themselves.
    fn settled(&self, made: &Made) -> Map<String, Value> {
        let mut row = made.row.clone();
        let (queued, running) = self.config.pace;
        let age = u128::try_from(clock::now_ms() - made.at).unwrap_or_default();
        let (words, last) = match row.get("status").and_then(Value::as_str) {
            Some("Enqueued") => (["Enqueued", "Running", "Completed"], true),
            Some("queued") => (["queued", "running", "completed"], false),
            _ => return row,
        };
        let at = usize::from(age >= queued.as_millis()) + usize::from(age >= (queued + running).as_millis());
        row.insert("status".to_owned(), words[at].into());
        if last && at > 0 {
            row.insert("progress".to_owned(), if at == 1 { 0.5 } else { 1.0 }.into());
        }
        if last && at == 2 {
            row.insert("completed".to_owned(), (made.at + (queued + running).as_millis() as i64).into());
            row.insert("result".to_owned(), "The task has been executed".into());
        }
        row
    }

    /// The time that a row made now carries: later than that of any generated one.
    pub(crate) fn stamp(&self) -> i64 {
        clock::now_ms().max(self.catalog().latest())
    }

    /// A user's roles, groups or filters.
    pub(crate) fn links(&self, directory: &Directory, links: Links, user: Uuid) -> Vec<Uuid> {
        if let Some(set) = directory.links(links, user) {
            return set.clone();
        }
        let catalog = self.catalog();
        let Some(index) = catalog.find(Kind::User, user) else { return Vec::new() };
        match links {
            Links::Roles => catalog.roles_of(index),
            Links::Groups => catalog.groups_of(index),
            Links::Filters => catalog.filters_of(index),
        }
    }

    /// What a user's enabled roles grant.
    pub(crate) fn grants(&self, directory: &Directory, user: Uuid) -> Vec<Grant> {
        let catalog = self.catalog();
        let roles = self.links(directory, Links::Roles, user).into_iter();
        let enabled = roles.filter_map(|role| {
            let place = self.find(directory, Kind::Role, role)?;
            let row = self.row(directory, Kind::Role, place);
            (row.get("enabled") == Some(&Value::Bool(true))).then_some(role)
        });
        enabled
            .filter_map(|role| {
                let generated = || catalog.find(Kind::Role, role).map(Grant::generated);
                directory.grant(role).cloned().or_else(generated)
            })
            .collect()
    }

    /// The enabled user whose text member (`email`, `domainAccount`) is this, in any case.
    pub(crate) fn user_with(&self, directory: &Directory, member: &str, value: &str) -> Option<Uuid> {
        if value.is_empty() {
            return None;
        }
        let catalog = self.catalog();
        let generated = match member {
            "email" => catalog.by_email(value),
            _ => catalog.by_account(value),
        };
        let generated = generated.map(|index| catalog.id(Kind::User, index));
        let changed = directory.all_changed(Kind::User).map(|(id, _)| id);
        let made = directory.made(Kind::User).iter().map(|made| made.id);
        generated.into_iter().chain(changed).chain(made).find(|id| {
            let place = self.find(directory, Kind::User, *id);
            let row = place.map(|place| self.row(directory, Kind::User, place)).unwrap_or_default();
            let fits =
                row.get(member).and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(value));
            fits && row.get("enabled") == Some(&Value::Bool(true))
        })
    }

    /// Did a user make this On-Demand request? Generated ones belong to the users in turn.
    pub(crate) fn requested_by(&self, directory: &Directory, place: Place, user: Uuid) -> bool {
        match place {
            Place::Made(at) => {
                directory.made(Kind::Request).get(at).is_some_and(|made| made.by == Some(user))
            }
            Place::Generated(index) => {
                let catalog = self.catalog();
                catalog.find(Kind::User, user) == Some(index % catalog.seeded(Kind::User))
            }
        }
    }

    /// Is there such a user, and enabled?
    pub(crate) fn is_active(&self, directory: &Directory, user: Uuid) -> bool {
        let place = self.find(directory, Kind::User, user);
        let row = place.map(|place| self.row(directory, Kind::User, place));
        row.is_some_and(|row| row.get("enabled") == Some(&Value::Bool(true)))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
