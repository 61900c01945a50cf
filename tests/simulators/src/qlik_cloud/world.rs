//! The simulated tenant as a whole: what every request can reach.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::kit::faults::Faults;
use crate::kit::journal::Journal;
use crate::kit::server::Front;
use crate::qlik_cloud::access::Override;
use crate::qlik_cloud::config::{Changes, Config, Ending};
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::directory::{Directory, Person};
use crate::qlik_cloud::limits::Limiter;
use crate::qlik_cloud::roles::Role;
use crate::qlik_cloud::sessions::Sessions;
use crate::qlik_cloud::sign_in::SignIn;
use crate::qlik_cloud::tokens::Signer;

/// The tenant.
pub(crate) struct World {
    /// What it was told.
    pub(crate) config: Config,
    /// Where it listens.
    pub(crate) front: Arc<Front>,
    /// Scheme, host and port as clients see them.
    pub(crate) base_url: String,
    /// Id of the tenant.
    pub(crate) tenant_id: String,
    /// Names that it answers to, without port.
    pub(crate) hosts: Vec<String>,
    /// The signing key.
    pub(crate) signer: Signer,
    /// The rate limiter.
    pub(crate) limiter: Limiter,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What happened.
    pub(crate) journal: Arc<Journal>,
    /// Exceptions from the table of who may do what.
    pub(crate) overrides: Mutex<Vec<Override>>,
    /// Access tokens that were issued, for tests that look for them where they must not be.
    pub(crate) issued: Mutex<Vec<String>>,
    sign_in: Mutex<SignIn>,
    sessions: Mutex<Sessions>,
    catalog: RwLock<Arc<Catalog>>,
    directory: Mutex<Directory>,
}

impl World {
    /// A tenant that will answer at a port.
    pub(crate) fn new(config: Config, front: Arc<Front>) -> anyhow::Result<Self> {
        let base_url = front.base_url();
        let catalog = Catalog::new(config.seed, base_url.clone(), &config.population, config.changes);
        let directory = Directory {
            roles: Role::defaults(config.seed),
            user_default: config.user_default_scopes.clone(),
            max_keys: config.max_keys_per_user,
            max_key_life: config.max_api_key_expiry.clone(),
            max_scim_life: "P365D".to_owned(),
            ..Directory::default()
        };
        let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        if !config.tls {
            hosts.reverse();
        }
        hosts.extend(config.alias_hosts.iter().cloned());
        hosts.retain(|host| !config.foreign_hosts.contains(host));
        Ok(Self {
            tenant_id: catalog.tenant_id.clone(),
            hosts,
            signer: Signer::new()?,
            limiter: Limiter::new(config.limits, config.population.users),
            faults: Faults::new(config.faults.clone()),
            journal: Arc::new(Journal::default()),
            overrides: Mutex::new(config.access.clone()),
            issued: Mutex::default(),
            sign_in: Mutex::new(config.sign_in.clone()),
            sessions: Mutex::default(),
            catalog: RwLock::new(Arc::new(catalog)),
            directory: Mutex::new(directory),
            base_url,
            front,
            config,
        })
    }

    /// The content as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves the content to another revision.
    pub(crate) fn change(&self, changes: Changes) {
        let next = Arc::new(self.catalog().at(changes));
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The directory, locked: never hold it across an await.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ways to sign in, locked.
    pub(crate) fn sign_in(&self) -> MutexGuard<'_, SignIn> {
        self.sign_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions, locked.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user whom an identity provider calls so.
    pub(crate) fn user_with_subject(&self, subject: &str) -> Option<String> {
        self.users(
            |person| person.subject == subject,
            |catalog, index| catalog.user_subject(index) == subject,
        )
        .pop()
    }

    /// The users with an email, in any case.
    pub(crate) fn users_with_email(&self, email: &str) -> Vec<String> {
        self.users(
            |person| person.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email)),
            |catalog, index| catalog.user_email(index).eq_ignore_ascii_case(email),
        )
    }

    fn users(
        &self,
        made: impl Fn(&Person) -> bool,
        generated: impl Fn(&Catalog, u64) -> bool,
    ) -> Vec<String> {
        let (catalog, directory) = (self.catalog(), self.directory());
        let rows = 0..catalog.extent(Kind::User);
        rows.filter(|index| generated(&catalog, *index))
            .map(|index| catalog.object_id(Kind::User, index).as_str().to_owned())
            .chain(directory.people.iter().filter(|person| made(person)).map(|person| person.id.clone()))
            .filter(|user| self.user_status(&directory, user).is_some())
            .collect()
    }

    /// How a list ends.
    pub(crate) fn ending(&self, list: &str, usual: Ending) -> Ending {
        self.config.endings.get(list).copied().unwrap_or(usual)
    }

    /// The origin that links name.
    pub(crate) fn link_origin(&self) -> &str {
        self.config.link_origin.as_deref().unwrap_or(&self.base_url)
    }

    /// The roles of a user, generated or not.
    pub(crate) fn roles_of(&self, directory: &Directory, user: &str) -> Vec<Role> {
        if let Some(granted) = directory.granted(user) {
            return granted;
        }
        let names: &[&str] = match self.catalog().find_object(Kind::User, user) {
            Some(0) => &["TenantAdmin"],
            Some(1) => &["AnalyticsAdmin"],
            Some(2) => &["DataAdmin"],
            Some(3) => &["AuditAdmin"],
            Some(index) if index.is_multiple_of(3) => {
                &["SharedSpaceCreator", "PrivateAnalyticsContentCreator"]
            }
            Some(_) => &["CollaborationPlatformUser"],
            None => &[],
        };
        names.iter().filter_map(|name| directory.role_named(name)).cloned().collect()
    }

    /// Status of a user; `None` when there is no such user.
    pub(crate) fn user_status(&self, directory: &Directory, user: &str) -> Option<String> {
        if directory.deleted.contains(user) {
            return None;
        }
        if let Some(status) = directory.statuses.get(user) {
            return Some(status.clone());
        }
        if let Some(person) = directory.people.iter().find(|person| person.id == user) {
            return Some(person.status.to_owned());
        }
        let catalog = self.catalog();
        catalog.find_object(Kind::User, user).map(|index| catalog.user_status(index).to_owned())
    }
}
