//! The desk at which secrets are lent during a run: it joins the handles (which secret may go where), the sessions that are
//! kept across runs, and what the HTTP room needs of both.

use crate::{
    app::App,
    connections::secrets::Opened,
    http::{
        capture::KeptFacts,
        slots::{Destination, SlotSource},
    },
    model::{
        Millis, connection::Connection, id::ConnectionId, run::Run, secret::SecretValue, settings::Form,
    },
    secrets::{self, Binding, DataKey, Handles, Scrubber},
    store::{KeptSession, Store},
};
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::{
    Done, Failure,
    description::Description,
    http::{Capture, Slot},
    secrets::{SecretFacts, SessionOpen, SessionState, SignJwt},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use url::Url;

/// How long one caller may take to sign in before another may try.
const TURN: Duration = Duration::from_secs(120);

/// How often a caller looks whether somebody else has signed in meanwhile, in another process.
const LOOK: Duration = Duration::from_millis(100);

/// The purpose to which sessions are sealed.
const PURPOSE: &str = "session";

/// The desk of one run.
pub struct Desk {
    handles: Handles,
    scrubber: Scrubber,
    store: Store,
    key: DataKey,
    install: String,
    connection: ConnectionId,
    holder: String,
    present: BTreeSet<String>,
    /// The origins that the settings name, by field.
    origins: BTreeMap<String, String>,
    /// Every origin that belongs to the connection now.
    belonging: BTreeSet<String>,
    /// Version of each credential, to which its sessions are bound.
    versions: BTreeMap<String, i64>,
    sessions: Mutex<Sessions>,
    /// Rung when a session was got, or getting it was given up.
    bell: Notify,
}

/// The sessions of this run.
#[derive(Default)]
struct Sessions {
    /// What is remembered of those that are open.
    facts: HashMap<String, Value>,
    /// Those that a caller of this run is getting, in a turn of this number.
    being_got: HashMap<String, u64>,
    /// How many turns there were.
    turns: u64,
    /// The values that were answered with 401. They stay revealable: a request that is on its way to show one gets its own
    /// 401 and comes back for the next.
    refused: HashMap<String, SecretValue>,
}

impl Desk {
    /// A desk for a run, with the connection's secrets as they are now.
    ///
    /// # Errors
    /// The data key cannot be had.
    pub async fn new(
        app: &App,
        run: &Run,
        connection: &Connection,
        description: &Description,
        opened: Opened,
        scrubber: Scrubber,
    ) -> Result<Desk, Failure> {
        let origins = Form::of(&description.settings).origins(&connection.settings);
        let present = opened.values.iter().map(|(field, _)| field.clone()).collect();
        Ok(Desk {
            handles: Handles::new(description, opened.values, scrubber.clone()),
            scrubber,
            store: app.store.clone(),
            key: app.data_key(&connection.id).await?,
            install: app.store.install_id().to_owned(),
            connection: connection.id.clone(),
            holder: run.id.to_string(),
            present,
            belonging: belonging(&origins, &connection.accepted_hosts),
            origins: origins.iter().map(|(field, url, _)| (field.clone(), text_of(url))).collect(),
            versions: opened.versions,
            sessions: Mutex::default(),
            bell: Notify::new(),
        })
    }

    /// The secret fields that have a value.
    pub fn present(&self) -> BTreeSet<String> {
        self.present.clone()
    }

    /// Everything that was captured in this run, by name.
    pub fn captures(&self) -> BTreeMap<String, SecretValue> {
        self.handles.all_captured()
    }

    /// What may be known of a secret field.
    ///
    /// # Errors
    /// There is no such secret field.
    pub fn facts(&self, field: &str) -> Result<SecretFacts, Failure> {
        self.handles.facts(field)
    }

    /// Signs a JWT, for one of the connection's own origins.
    ///
    /// # Errors
    /// The origin is none of them, the key may not sign, or does not fit.
    pub async fn sign_jwt(&self, request: SignJwt) -> Result<Done, Failure> {
        let origin = self.origins.get(&request.origin).ok_or_else(|| {
            Failure::plugin(format!(
                "the plugin signs for \"{}\", which is no origin of the settings",
                request.origin
            ))
        })?;
        self.handles.sign(&request, origin, jiff::Timestamp::now().as_second())?;
        Ok(Done {})
    }

    /// Answers whether there is a session of a name, or gives the caller its turn to get one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open_session(&self, open: SessionOpen) -> Result<SessionState, Failure> {
        loop {
            // Made before looking, so that a bell between looking and waiting is heard.
            let bell = self.bell.notified();
            if let Some(facts) = self.open(&open).await? {
                // What is captured and not kept has ended no turn yet.
                if self.has_turn(&open) {
                    self.end_turn(&open.name).await?;
                }
                return Ok(SessionState { ready: true, facts, turn: 0 });
            }
            // Whoever comes back from the turn that it still has would wait for itself.
            if self.has_turn(&open) {
                let uncaptured = format!("signing in did not capture the session \"{}\"", open.name);
                self.end_turn(&open.name).await?;
                return Err(Failure::plugin(uncaptured));
            }
            if let Some(turn) = self.take_turn(&open.name).await? {
                // Whoever had the turn before may have got it between the look and the turn.
                return match self.open(&open).await {
                    Ok(None) => Ok(SessionState { ready: false, facts: Value::Null, turn }),
                    found => {
                        self.end_turn(&open.name).await?;
                        Ok(SessionState { ready: true, facts: found?.unwrap_or_default(), turn: 0 })
                    }
                };
            }
            // Another caller of this run rings; one of another process cannot.
            let _ = tokio::time::timeout(LOOK, bell).await;
        }
    }

    /// The facts of a session that is open in this run, or that an earlier run has kept.
    async fn open(&self, open: &SessionOpen) -> Result<Option<Value>, Failure> {
        let captured = self.handles.captured(&open.name);
        if captured.is_some_and(|(value, _)| !self.is_refused(&open.name, &value)) {
            let facts = self.lock().facts.get(&open.name).cloned().unwrap_or_default();
            return Ok(Some(self.scrubber.scrub_foreign(&facts)));
        }
        let Some(kept) = self.store.session(&self.connection, &open.name).await? else { return Ok(None) };
        let version = self.version(&kept.credential);
        // One that was being got while the address was changed would lead nowhere and keep a new one from being got.
        let belongs = self.belonging.contains(&kept.origin);
        if kept.credential != open.credential || kept.version != version || !belongs {
            self.store.drop_session(&self.connection, &open.name).await?;
            return Ok(None);
        }
        let name = bound_name(&open.name, &kept.origin);
        let Ok(value) = self.key.open(&self.binding(&kept.credential, &name, version), &kept.blob) else {
            // Moved or altered: it is worth nothing, and signing in again mends it.
            tracing::warn!(connection = %self.connection, session = open.name, "a kept session could not be opened");
            self.store.drop_session(&self.connection, &open.name).await?;
            return Ok(None);
        };
        let Ok(value) = std::str::from_utf8(&value) else { return Ok(None) };
        let value = SecretValue::new(value);
        // Read in the moment before it is dropped.
        if self.is_refused(&open.name, &value) {
            return Ok(None);
        }
        self.handles.capture(&open.name, value, &kept.origin);
        // Not everything that is a secret now was known to be one when they were kept.
        let facts = self.scrubber.scrub_foreign(&kept.facts);
        self.lock().facts.insert(open.name.clone(), facts.clone());
        Ok(Some(facts))
    }

    /// Whether it is the caller's turn still.
    fn has_turn(&self, open: &SessionOpen) -> bool {
        self.lock().being_got.get(&open.name) == Some(&open.turn)
    }

    /// Takes the turn of getting a session, if no other caller has it, in this process or in another.
    async fn take_turn(&self, name: &str) -> Result<Option<u64>, Failure> {
        let turn = {
            let mut sessions = self.lock();
            if sessions.being_got.contains_key(name) {
                return Ok(None);
            }
            sessions.turns += 1;
            let turn = sessions.turns;
            sessions.being_got.insert(name.to_owned(), turn);
            turn
        };
        let claimed = self.store.claim_session(&self.connection, name, &self.holder, TURN).await;
        if !matches!(claimed, Ok(true)) {
            self.lock().being_got.remove(name);
        }
        Ok(claimed?.then_some(turn))
    }

    /// Ends this run's turn of getting a session, or throws the session away if nobody is getting it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn close_session(&self, name: String) -> Result<Done, Failure> {
        if !self.end_turn(&name).await? {
            self.handles.forget(&name);
            self.lock().facts.remove(&name);
            self.store.drop_session(&self.connection, &name).await?;
        }
        Ok(Done {})
    }

    /// Ends a turn. Yields whether there was one.
    async fn end_turn(&self, name: &str) -> Result<bool, Failure> {
        let had_turn = self.lock().being_got.remove(name).is_some();
        if had_turn {
            self.store.release_session(&self.connection, name, &self.holder).await?;
            self.bell.notify_waiters();
        }
        Ok(had_turn)
    }

    /// Gives up every turn that the plugin left open.
    pub async fn give_up_claims(&self) {
        let names: Vec<String> = self.lock().being_got.keys().cloned().collect();
        for name in names {
            if let Err(error) = self.end_turn(&name).await {
                tracing::warn!(%error, "a session's claim could not be released; it ends by itself");
            }
        }
    }

    /// Keeps a captured value as a session.
    async fn keep(
        &self,
        name: &str,
        credential: &str,
        value: &SecretValue,
        origin: &str,
        kept: KeptFacts,
    ) -> Result<(), Failure> {
        let facts = self.scrubber.scrub_foreign(&kept.facts);
        let version = self.version(credential);
        let bound = bound_name(name, origin);
        let blob = self.key.seal(&self.binding(credential, &bound, version), value.reveal().as_bytes());
        let lifetime = Millis::try_from(kept.lifetime.as_millis()).unwrap_or(Millis::MAX / 4);
        let session = KeptSession {
            name: name.to_owned(),
            credential: credential.to_owned(),
            version,
            origin: origin.to_owned(),
            blob,
            facts: facts.clone(),
            expires_at: self.store.now().await? + lifetime,
        };
        self.store.put_session(&self.connection, &session, &self.holder).await?;
        let mut sessions = self.lock();
        sessions.facts.insert(name.to_owned(), facts);
        sessions.being_got.remove(name);
        drop(sessions);
        self.bell.notify_waiters();
        Ok(())
    }

    /// Whether a value of a session was answered with 401 in this run.
    fn is_refused(&self, name: &str, value: &SecretValue) -> bool {
        self.lock().refused.get(name) == Some(value)
    }

    fn version(&self, credential: &str) -> i64 {
        self.versions.get(credential).copied().unwrap_or(0)
    }

    fn binding<'a>(&'a self, credential: &'a str, field: &'a str, version: i64) -> Binding<'a> {
        let (install, connection) = (self.install.as_str(), self.connection.as_str());
        Binding { install, connection, subject: "", credential, field, version, purpose: PURPOSE }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The origins that settings name, those on further ports too, and those that the operator has accepted.
fn belonging(origins: &[(String, Url, Vec<u16>)], accepted: &[String]) -> BTreeSet<String> {
    let with_port = |url: &Url, port: u16| {
        let mut url = url.clone();
        url.set_port(Some(port)).ok().map(|()| text_of(&url))
    };
    let of = |(_, url, ports): &(String, Url, Vec<u16>)| {
        let further: Vec<_> = ports.iter().filter_map(|port| with_port(url, *port)).collect();
        further.into_iter().chain([text_of(url)])
    };
    let accepted = accepted.iter().filter_map(|host| Some(text_of(&Url::parse(host).ok()?)));
    origins.iter().flat_map(of).chain(accepted).collect()
}

/// Scheme, host and port.
fn text_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A session is sealed to its name and to the origin that gave it.
fn bound_name(name: &str, origin: &str) -> String {
    format!("{name}@{origin}")
}

impl SlotSource for Desk {
    fn reveal(&self, slot: &Slot, destination: &Destination<'_>) -> Result<SecretValue, Failure> {
        let origin = text_of(destination.origin);
        let Destination { method, origin_name, path, .. } = *destination;
        self.handles.reveal(slot, &secrets::Destination { method, origin_name, origin: &origin, path })
    }

    fn learn(&self, value: &SecretValue) {
        self.scrubber.learn(value);
    }

    fn capture(
        &self,
        capture: &Capture,
        value: SecretValue,
        origin: &Url,
        kept: Option<KeptFacts>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let origin = text_of(origin);
        self.handles.capture(&capture.name, value.clone(), &origin);
        let keep = capture.keep.as_ref().map(|keep| keep.credential.clone()).zip(kept);
        let name = capture.name.clone();
        Box::pin(async move {
            match keep {
                Some((credential, kept)) => self.keep(&name, &credential, &value, &origin, kept).await,
                None => Ok(()),
            }
        })
    }

    fn refused(&self, name: &str, value: &SecretValue) -> BoxFuture<'_, ()> {
        // A late 401 to an old value says nothing of the one that another caller has got meanwhile.
        if self.handles.captured(name).is_some_and(|(current, _)| current != *value) {
            return Box::pin(std::future::ready(()));
        }
        {
            let mut sessions = self.lock();
            sessions.facts.remove(name);
            sessions.refused.insert(name.to_owned(), value.clone());
        }
        let name = name.to_owned();
        Box::pin(async move {
            if let Err(error) = self.store.drop_session(&self.connection, &name).await {
                tracing::warn!(%error, session = name, "a refused session could not be dropped");
            }
        })
    }

    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.scrubber.scrub(bytes)
    }

    fn scrub_body(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.scrubber.scrub_body(bytes)
    }

    fn scrub_json(&self, value: &Value) -> Value {
        self.scrubber.scrub_foreign(value)
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
