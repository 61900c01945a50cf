//! What a hook is given: the settings, and the host to ask.

use super::http::Http;
use crate::{
    abi::{HostDoor_TO, HostObject},
    contract::{
        Blame, Call, Failure, VERSION, Version,
        catalog::{CatalogEnd, CatalogPut, How, Object},
        hooks::{Invocation, Purpose, Rotation},
        run::{Level, LogLine, Progress, Random, Sleep, StateGet, StateSet, TimeNow},
        secrets::{SecretFacts, SecretInspect, SignJwt},
        wire::{decode, encode},
    },
    sdk::Secret,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::Arc;

/// The host, as a plugin sees it: something to call.
#[derive(Clone)]
pub struct Host {
    door: Arc<HostObject>,
}

impl Host {
    pub(crate) fn new(door: HostObject) -> Self {
        Host { door: Arc::new(door) }
    }

    /// Calls a capability.
    ///
    /// # Errors
    /// What the host answers, or that it does not know the capability, or that its answer cannot be read.
    pub async fn call<C: Call>(&self, request: &C) -> Result<C::Answer, Failure> {
        let door: &HostDoor_TO<'_, _> = &self.door;
        let answer = door.call(C::NAME.into(), encode(request).into()).await;
        decode::<Result<C::Answer, Failure>>(&answer, C::NAME, Blame::Jackfield)?
    }
}

/// What a hook is given.
pub struct Context<S> {
    settings: S,
    host: Host,
    purpose: Purpose,
    may_write: bool,
    subject: Option<String>,
    installation: Option<String>,
    rotation: Option<Rotation>,
    contract: Version,
}

impl<S: DeserializeOwned> Context<S> {
    pub(crate) fn new(invocation: Invocation, host: Host) -> Result<Self, Failure> {
        let settings = serde_json::from_value(invocation.settings).map_err(|error| {
            Failure::plugin(format!(
                "the settings fit the schema, yet the connector could not read them: {error}"
            ))
        })?;
        Ok(Context {
            settings,
            host,
            purpose: invocation.purpose,
            may_write: invocation.may_write,
            subject: invocation.subject,
            installation: invocation.installation,
            rotation: invocation.rotation,
            contract: invocation.contract.min(VERSION),
        })
    }
}

impl<S> Context<S> {
    /// The connection's settings.
    pub fn settings(&self) -> &S {
        &self.settings
    }

    /// Why a test is run.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether things may be created or changed on the remote side.
    pub fn may_write(&self) -> bool {
        self.may_write
    }

    /// The person to act for (an email address), where the connector acts for many.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The mark of the Jackfield installation, to be written at what is made on the remote side; nothing from a host that
    /// offers less than 1.1.
    pub fn installation(&self) -> Option<&str> {
        self.installation.as_deref()
    }

    /// What the rotation is about, in the hooks of rotation.
    ///
    /// # Errors
    /// It is another hook.
    pub fn rotation(&self) -> Result<&Rotation, Failure> {
        self.rotation
            .as_ref()
            .ok_or_else(|| Failure::jackfield("the hook was not told which credential it is about"))
    }

    /// The contract version that both sides know.
    pub fn contract(&self) -> Version {
        self.contract
    }

    /// The host itself, for capabilities that have no method here.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// HTTP.
    pub fn http(&self) -> Http<'_> {
        Http::new(&self.host)
    }

    /// The catalog.
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog { host: &self.host }
    }

    /// Says how far the work has come.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn progress(&self, step: &str, done: u64, total: Option<u64>) -> Result<(), Failure> {
        self.host.call(&Progress { step: step.to_owned(), done, total }).await.map(drop)
    }

    /// Writes a line to the run's log.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn log(&self, level: Level, message: impl Into<String>) -> Result<(), Failure> {
        self.host.call(&LogLine { level, message: message.into() }).await.map(drop)
    }

    /// Reads a value of the connection's state, as the last successful run left it.
    ///
    /// # Errors
    /// The run has ended, or the value is not of this type.
    pub async fn state<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        let value = self.host.call(&StateGet { key: key.to_owned() }).await?;
        value
            .map(serde_json::from_value)
            .transpose()
            .map_err(|error| Failure::plugin(format!("the state \"{key}\" has another form: {error}")))
    }

    /// Sets a value of the connection's state, kept if this run succeeds.
    ///
    /// # Errors
    /// The run has ended, or the value is too large.
    pub async fn set_state(&self, key: &str, value: &impl Serialize) -> Result<(), Failure> {
        let value = serde_json::to_value(value)
            .map_err(|error| Failure::plugin(format!("the state \"{key}\" cannot be written: {error}")))?;
        self.host.call(&StateSet { key: key.to_owned(), value }).await.map(drop)
    }

    /// The time, in milliseconds since 1970.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn now(&self) -> Result<i64, Failure> {
        self.host.call(&TimeNow {}).await
    }

    /// Waits.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn sleep(&self, milliseconds: u64) -> Result<(), Failure> {
        self.host.call(&Sleep { milliseconds }).await.map(drop)
    }

    /// Random bytes, at most 1024.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn random(&self, length: u16) -> Result<Vec<u8>, Failure> {
        Ok(self.host.call(&Random { length }).await?.bytes)
    }

    /// Signs a JWT with a secret key. The result is a captured value: show it with
    /// [`Request::captured`](super::Request::captured).
    ///
    /// # Errors
    /// The key is none, does not fit the algorithm, or may not be used for signing.
    pub async fn sign_jwt(&self, request: &SignJwt) -> Result<(), Failure> {
        self.host.call(request).await.map(drop)
    }

    /// What may be known of a secret: an expiry date, a certificate's names. Never its value.
    ///
    /// # Errors
    /// The run has ended, or the secret is not one of the settings.
    pub async fn inspect(&self, secret: &Secret) -> Result<SecretFacts, Failure> {
        self.host.call(&SecretInspect { field: secret.field().to_owned() }).await
    }
}

/// The catalog of this refresh.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    host: &'a Host,
}

impl Catalog<'_> {
    /// Puts a page of objects that came from an exchange. Returns when the store has accepted them.
    ///
    /// # Errors
    /// The run has ended, or an object cannot be stored.
    pub async fn put(&self, kind: &str, objects: Vec<Object>, exchange: u64) -> Result<(), Failure> {
        self.host
            .call(&CatalogPut { kind: kind.to_owned(), objects, exchange: Some(exchange) })
            .await
            .map(drop)
    }

    /// Ends a kind: everything was put, what was not is gone.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn complete(&self, kind: &str) -> Result<(), Failure> {
        self.end(kind, How::Complete).await
    }

    /// Ends a kind: only changes were put, and these ids are gone.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn delta(&self, kind: &str, deleted: Vec<String>) -> Result<(), Failure> {
        self.end(kind, How::Delta { deleted }).await
    }

    /// Ends a kind that could not be read: the last good objects stay, and the reason is shown.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn kept(&self, kind: &str, reason: impl Into<String>) -> Result<(), Failure> {
        self.end(kind, How::Kept { reason: reason.into() }).await
    }

    async fn end(&self, kind: &str, how: How) -> Result<(), Failure> {
        self.host.call(&CatalogEnd { kind: kind.to_owned(), how }).await.map(drop)
    }
}

impl Object {
    /// An object with its id and name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Object { id: id.into(), name: name.into(), ..Object::default() }
    }

    /// Says what contains it.
    #[must_use]
    pub fn parent(mut self, id: Option<impl Into<String>>) -> Self {
        self.parent = id.map(Into::into);
        self
    }

    /// Says when it was last changed, RFC 3339.
    #[must_use]
    pub fn modified(mut self, at: Option<impl Into<String>>) -> Self {
        self.modified = at.map(Into::into);
        self
    }

    /// Adds a relation to another object, if there is one.
    #[must_use]
    pub fn link(mut self, relation: &str, kind: &str, id: Option<impl Into<String>>) -> Self {
        if let Some(id) = id {
            let (relation, kind) = (relation.to_owned(), kind.to_owned());
            self.links.push(crate::contract::catalog::Link { relation, kind, id: id.into() });
        }
        self
    }

    /// Sets everything else: anything that serializes to a JSON object.
    ///
    /// # Errors
    /// It does not.
    pub fn attributes(mut self, attributes: &impl Serialize) -> Result<Self, Failure> {
        self.attributes = serde_json::to_string(attributes)
            .map_err(|error| Failure::plugin(format!("the attributes of \"{}\": {error}", self.id)))?;
        Ok(self)
    }

    /// The attributes as a value, for tests.
    pub fn attributes_value(&self) -> Value {
        serde_json::from_str(&self.attributes).unwrap_or(Value::Null)
    }
}
