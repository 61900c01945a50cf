//! The capabilities: what a plugin may call while its hook runs.
//!
//! One table from name to work. Every request is checked here or in the room that does it; a plugin cannot reach past.

use super::{
    brake::Brake,
    catalog::Sink,
    desk::Desk,
    log::RunLog,
    notice::{Notice, Watcher},
};
use crate::{
    http::{client::Client, escrow::Escrow},
    model::id::ConnectionId,
    secrets::Scrubber,
    store::Store,
    worker::Capabilities,
};
use jackfield_plugin::contract::{
    Blame, Call, Done, Failure,
    catalog::{CatalogEnd, CatalogPut, How, Object},
    http::HttpRequest,
    run::{LogLine, Progress, Random, RandomBytes, Sleep, StateGet, StateSet, TimeNow},
    secrets::{SecretInspect, SessionClose, SessionOpen, SignJwt},
    wire::{decode, encode},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The longest value of the state, encoded.
const LONGEST_STATE: usize = 64 * 1024;

/// The most keys of the state that one run may set.
const MOST_STATE: usize = 256;

/// What surrounds a hook while it runs.
pub struct Surroundings {
    /// The store, for the state of before.
    pub store: Store,
    /// The connection.
    pub connection: ConnectionId,
    /// HTTP.
    pub http: Client,
    /// The secrets.
    pub desk: Arc<Desk>,
    /// The catalog; a test has none.
    pub sink: Option<Sink>,
    /// The log.
    pub log: Arc<RunLog>,
    /// What was set, until it is committed with the run's success.
    pub state: Mutex<BTreeMap<String, Value>>,
    /// Who wants to know how it goes.
    pub watcher: Watcher,
    /// What ends the run early; it is told what the plugin waits for.
    pub brake: Brake,
}

/// Makes the function that answers a plugin's calls.
pub fn handler(surroundings: Arc<Surroundings>) -> Capabilities {
    Arc::new(move |capability, message| {
        let surroundings = surroundings.clone();
        Box::pin(async move { surroundings.answer(&capability, message).await })
    })
}

impl Surroundings {
    async fn answer(&self, capability: &str, message: Vec<u8>) -> Vec<u8> {
        match capability {
            HttpRequest::NAME => {
                let _waits = self.brake.waits();
                serve(message, |request| self.http.send(request)).await
            }
            SessionOpen::NAME => serve(message, |request| self.desk.open_session(request)).await,
            SessionClose::NAME => {
                serve(message, |request: SessionClose| self.desk.close_session(request.name)).await
            }
            SecretInspect::NAME => {
                serve(message, |request: SecretInspect| async move { self.desk.facts(&request.field) }).await
            }
            SignJwt::NAME => serve(message, |request| self.desk.sign_jwt(request)).await,
            CatalogPut::NAME => {
                let tainted = self.log.scrubber().finds(&message);
                serve(message, |request| self.put(request, tainted)).await
            }
            CatalogEnd::NAME => serve(message, |request| self.end(request)).await,
            Progress::NAME => serve(message, |request| self.progress(request)).await,
            LogLine::NAME => serve(message, |request| self.line(request)).await,
            StateGet::NAME => serve(message, |request: StateGet| self.stored_state(request.key)).await,
            StateSet::NAME => serve(message, |request| self.set_state(request)).await,
            TimeNow::NAME => serve(message, |_: TimeNow| async { Ok(now()) }).await,
            Sleep::NAME => {
                let _waits = self.brake.waits();
                serve(message, sleep).await
            }
            Random::NAME => serve(message, random).await,
            unknown => encode(&Err::<(), _>(Failure::plugin(format!(
                "this host offers no capability \"{unknown:.64}\" (contract {})",
                jackfield_plugin::contract::VERSION
            )))),
        }
    }

    /// From now on the answers of steps are kept in escrow.
    pub fn keep_answers(&mut self, escrow: Arc<dyn Escrow>) {
        self.http.keep_answers(escrow);
    }

    /// What was set.
    pub fn state(&self) -> Vec<(String, Value)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter().collect()
    }

    /// Takes a page of objects. A secret in it is one that the plugin decoded from what nobody could recognise.
    async fn put(&self, mut request: CatalogPut, tainted: bool) -> Result<Done, Failure> {
        if tainted {
            let scrubber = self.log.scrubber();
            request.objects.iter_mut().for_each(|object| clean(object, &scrubber));
        }
        self.log.rows(request.exchange, request.objects.len());
        self.sink()?.put(request).await
    }

    async fn end(&self, mut request: CatalogEnd) -> Result<Done, Failure> {
        if let How::Kept { reason } = &mut request.how {
            *reason = self.log.scrub(reason);
        }
        self.sink()?.end(request).await
    }

    /// The catalog's intake.
    ///
    /// # Errors
    /// The hook has none.
    pub fn sink(&self) -> Result<&Sink, Failure> {
        self.sink.as_ref().ok_or_else(|| Failure::plugin("only a refresh has a catalog to put objects into"))
    }

    async fn progress(&self, request: Progress) -> Result<Done, Failure> {
        let Progress { step, done, total } = request;
        (self.watcher)(Notice::Step { step: self.log.scrub(&step), done, total });
        Ok(Done {})
    }

    async fn line(&self, request: LogLine) -> Result<Done, Failure> {
        self.log.plugin_line(request.level, &request.message);
        Ok(Done {})
    }

    async fn stored_state(&self, key: String) -> Result<Option<Value>, Failure> {
        let set = self.state.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        match set {
            Some(value) => Ok(Some(value).filter(|value| !value.is_null())),
            None => Ok(self.store.state(&self.connection, &key).await?),
        }
    }

    async fn set_state(&self, request: StateSet) -> Result<Done, Failure> {
        let scrubber = self.log.scrubber();
        let key = scrubber.scrub_text(&request.key).into_owned();
        let value = scrubber.scrub_foreign(&request.value);
        let length = value.to_string().len();
        if key.len() > 256 || length > LONGEST_STATE {
            return Err(Failure::plugin(format!("the state \"{key:.64}\" of {length} bytes is too large")));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.len() >= MOST_STATE && !state.contains_key(&key) {
            return Err(Failure::plugin(format!("the plugin sets more than {MOST_STATE} keys of state")));
        }
        state.insert(key, value);
        Ok(Done {})
    }
}

/// An object without secrets.
fn clean(object: &mut Object, scrubber: &Scrubber) {
    let Object { id, name, parent, modified, links, attributes } = object;
    let links = links.iter_mut().flat_map(|link| [&mut link.relation, &mut link.kind, &mut link.id]);
    for text in [id, name].into_iter().chain(parent).chain(modified).chain(links) {
        *text = scrubber.scrub_text(text).into_owned();
    }
    let clean = scrubber.scrub_body(std::mem::take(attributes).into_bytes());
    *attributes = String::from_utf8_lossy(&clean).into_owned();
}

/// Decodes a request, does the work, and encodes what came of it. The message is let go of before the work: it may be much
/// larger than what was wanted of it, and the work may be long.
async fn serve<C, F>(message: Vec<u8>, work: impl FnOnce(C) -> F) -> Vec<u8>
where
    C: Call,
    F: Future<Output = Result<C::Answer, Failure>>,
{
    let request = decode::<C>(&message, C::NAME, Blame::Plugin);
    drop(message);
    match request {
        Ok(request) => encode(&work(request).await),
        Err(failure) => encode(&Err::<(), _>(failure)),
    }
}

/// The time: the one place of the host's runs where the clock is read for a plugin.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn sleep(request: Sleep) -> Result<Done, Failure> {
    tokio::time::sleep(Duration::from_millis(request.milliseconds)).await;
    Ok(Done {})
}

async fn random(request: Random) -> Result<RandomBytes, Failure> {
    if request.length > 1024 {
        return Err(Failure::plugin(format!("{} random bytes at once are more than 1024", request.length)));
    }
    let mut bytes = vec![0; usize::from(request.length)];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::jackfield("the system has no random bytes"))?;
    Ok(RandomBytes { bytes })
}
