//! What a test does to the tenant's people, identity providers and sessions.

use serde_json::Value;

use crate::kit::clock;
use crate::qlik_cloud::control::Simulator;
use crate::qlik_cloud::data::{Kind, ids};
use crate::qlik_cloud::directory::Person;
use crate::qlik_cloud::sign_in::{JwtAuthorization, KnownEmail, OwnProvider};

/// A user to be made by a test.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Full name.
    pub name: String,
    /// What an identity provider calls them.
    pub subject: String,
    /// Email.
    pub email: String,
    /// Status: `active`, `invited`, `disabled`.
    pub status: String,
}

impl Default for NewUser {
    fn default() -> Self {
        Self {
            name: "Ada Lovelace".to_owned(),
            subject: "auth0|ada".to_owned(),
            email: "ada@example.com".to_owned(),
            status: "active".to_owned(),
        }
    }
}

impl Simulator {
    /// Makes a user and gives the id. Nothing keeps two users from having one email; a subject is anybody's only once.
    pub fn create_user(&self, new: &NewUser) -> anyhow::Result<String> {
        anyhow::ensure!(
            self.world.user_with_subject(&new.subject).is_none(),
            "the subject {} is somebody's",
            new.subject
        );
        let person = Person {
            id: ids::new_object_id(),
            name: new.name.clone(),
            subject: new.subject.clone(),
            email: Some(new.email.clone()),
            client_id: None,
            status: "active",
            created: clock::now_ms(),
        };
        let id = person.id.clone();
        let mut directory = self.world.directory();
        directory.people.push(person);
        directory.statuses.insert(id.clone(), new.status.clone());
        Ok(id)
    }

    /// Email of a generated user.
    #[must_use]
    pub fn user_email(&self, index: u64) -> String {
        self.world.catalog().user_email(index)
    }

    /// What an identity provider calls a generated user.
    #[must_use]
    pub fn user_subject(&self, index: u64) -> String {
        self.world.catalog().user_subject(index)
    }

    /// Ids of the users with an email, in any case.
    #[must_use]
    pub fn users_with_email(&self, email: &str) -> Vec<String> {
        self.world.users_with_email(email)
    }

    /// How many users there are.
    #[must_use]
    pub fn user_count(&self) -> usize {
        let catalog = self.world.catalog();
        let directory = self.world.directory();
        let there = |index: &u64| {
            catalog.exists(Kind::User, *index)
                && !directory.deleted.contains(catalog.object_id(Kind::User, *index).as_str())
        };
        (0..catalog.extent(Kind::User)).filter(there).count() + directory.people.len()
    }

    /// Activates JWT authorization, or takes it away; sessions stay.
    pub fn set_jwt_authorization(&self, jwt: JwtAuthorization) {
        self.world.sign_in().jwt = jwt;
    }

    /// Gives the tenant an interactive identity provider of its own, or takes it away.
    pub fn set_own_provider(&self, provider: Option<OwnProvider>) {
        self.world.sign_in().own_provider = provider;
    }

    /// Sets what a token does whose subject is unknown and whose email is somebody's.
    pub fn set_known_email(&self, known: KnownEmail) {
        self.world.sign_in().known_email = known;
    }

    /// The identity providers for tokens, as the tenant shows them.
    #[must_use]
    pub fn token_providers(&self) -> Vec<Value> {
        self.world.directory().providers.iter().map(|provider| provider.view.clone()).collect()
    }

    /// Removes every identity provider for tokens, as an administrator would.
    pub fn remove_token_providers(&self) {
        self.world.directory().providers.clear();
    }

    /// What the cookies of the open sessions say.
    #[must_use]
    pub fn session_secrets(&self) -> Vec<String> {
        self.world.sessions().secrets()
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.world.sessions().count()
    }

    /// How many sessions were ever opened: one for each call of a client that keeps no cookies.
    #[must_use]
    pub fn issued_sessions(&self) -> u64 {
        self.world.sessions().issued()
    }

    /// Lets every session expire now.
    pub fn expire_sessions(&self) {
        self.world.sessions().close_all();
    }

    /// Makes every token against forgery worthless, as an edge does now and then.
    pub fn renew_csrf_tokens(&self) {
        self.world.sessions().renew_csrf();
    }
}
