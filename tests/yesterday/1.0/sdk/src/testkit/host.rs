//! The small host: answers every capability of the contract.

use super::{
    answers::{Asked, Script},
    lock, policy,
    sessions::Sessions,
};
use crate::contract::{
    Blame, Call, Done, Failure,
    catalog::{CatalogEnd, CatalogPut, How, Object},
    description::Description,
    http::{HttpRequest, HttpResponse},
    run::{LogLine, Progress, Random, RandomBytes, Sleep, StateGet, StateSet, TimeNow},
    secrets::{SecretFacts, SecretInspect, SecretRef, SessionClose, SessionOpen, SignJwt},
    wire::{decode, encode},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
};

/// The greatest value of the state, encoded.
const MAX_STATE: usize = 64 * 1024;

pub(super) struct SmallHost {
    description: Description,
    pub(super) script: Script,
    pub(super) requests: Vec<Asked>,
    pub(super) signed: Vec<SignJwt>,
    pub(super) objects: BTreeMap<String, Vec<Object>>,
    pub(super) ends: BTreeMap<String, How>,
    pub(super) log: Vec<LogLine>,
    pub(super) progress: Vec<Progress>,
    pub(super) state: BTreeMap<String, Value>,
    /// The state as it was before the run.
    before: BTreeMap<String, Value>,
    pub(super) facts: BTreeMap<String, SecretFacts>,
    pub(super) now: i64,
    sessions: Sessions,
    random: u8,
}

impl SmallHost {
    pub(super) fn new(description: Description) -> Self {
        SmallHost {
            description,
            script: Script::default(),
            requests: Vec::new(),
            signed: Vec::new(),
            objects: BTreeMap::new(),
            ends: BTreeMap::new(),
            log: Vec::new(),
            progress: Vec::new(),
            state: BTreeMap::new(),
            before: BTreeMap::new(),
            facts: BTreeMap::new(),
            // 2026-01-01
            now: 1_767_225_600_000,
            sessions: Sessions::default(),
            random: 0,
        }
    }

    pub(super) fn begin(&mut self) {
        self.requests.clear();
        self.signed.clear();
        self.objects.clear();
        self.ends.clear();
        self.log.clear();
        self.progress.clear();
        self.sessions.begin();
        self.before = self.state.clone();
    }

    /// State is kept if and only if the run succeeded.
    pub(super) fn end(&mut self, succeeded: bool) {
        if !succeeded {
            self.state = std::mem::take(&mut self.before);
        }
    }

    fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let asked = Asked(request);
        self.requests.push(asked.clone());
        policy::destination(&self.description, &asked)?;
        for slot in &asked.slots {
            policy::slot(&self.description, &asked, slot)?;
            match &slot.secret {
                SecretRef::Setting(field) if !self.facts.contains_key(field) => {
                    return Err(Failure::you(format!("the secret \"{field}\" has no value")).field(field));
                }
                SecretRef::Captured(name) if !self.sessions.has(name, self.now) => {
                    return Err(Failure::plugin(format!("nothing was captured as \"{name}\"")));
                }
                _ => {}
            }
        }
        let mut answer = self.script.answer(&asked)?;
        if answer.status == 401 {
            for slot in &asked.slots {
                if let SecretRef::Captured(name) = &slot.secret {
                    self.sessions.forget(name);
                }
            }
        }
        let mut captured = Vec::new();
        for capture in &asked.captures {
            if self.sessions.capture(capture, &mut answer, self.now) {
                captured.push(capture.name.clone());
            }
        }
        answer.headers.retain(|(name, _)| name != "set-cookie");
        let exchange = self.requests.len() as u64;
        Ok(HttpResponse {
            exchange,
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            captured,
        })
    }

    fn put(&mut self, put: CatalogPut) -> Result<Done, Failure> {
        policy::objects(&self.description, &put)?;
        if self.ends.contains_key(&put.kind) {
            return Err(Failure::plugin(format!("the kind \"{}\" has ended already", put.kind)));
        }
        self.objects.entry(put.kind).or_default().extend(put.objects);
        Ok(Done {})
    }

    fn finish(&mut self, end: CatalogEnd) -> Result<Done, Failure> {
        policy::kind(&self.description, &end.kind)?;
        if matches!(end.how, How::Kept { .. }) {
            self.objects.remove(&end.kind);
        }
        match self.ends.insert(end.kind.clone(), end.how) {
            None => Ok(Done {}),
            Some(_) => Err(Failure::plugin(format!("the kind \"{}\" has ended already", end.kind))),
        }
    }

    fn set_state(&mut self, set: StateSet) -> Result<Done, Failure> {
        if encode(&set.value).len() > MAX_STATE {
            return Err(Failure::plugin(format!("the state \"{}\" is greater than 64 KiB", set.key)));
        }
        match set.value {
            Value::Null => drop(self.state.remove(&set.key)),
            value => drop(self.state.insert(set.key, value)),
        }
        Ok(Done {})
    }

    /// Signs nothing, but notes the claims and lets the value be shown.
    fn sign(&mut self, sign: SignJwt) -> Result<Done, Failure> {
        policy::signature(&self.description, &sign.key)?;
        if !self.facts.contains_key(&sign.key) {
            return Err(Failure::you(format!("the secret \"{}\" has no value", sign.key)).field(&sign.key));
        }
        self.sessions.keep(&sign.name);
        self.signed.push(sign);
        Ok(Done {})
    }

    fn random(&mut self, length: u16) -> Result<RandomBytes, Failure> {
        if length > 1024 {
            return Err(Failure::plugin("at most 1024 random bytes are given at once"));
        }
        let mut next = || {
            self.random = self.random.wrapping_add(1);
            self.random
        };
        Ok(RandomBytes { bytes: (0..length).map(|_| next()).collect() })
    }
}

/// Answers a call of any capability.
pub(super) async fn answer(host: Arc<Mutex<SmallHost>>, capability: String, message: Vec<u8>) -> Vec<u8> {
    let now = |host: &mut SmallHost, _: TimeNow| Ok(host.now);
    let sleep = |host: &mut SmallHost, sleep: Sleep| {
        host.now = host.now.saturating_add(i64::try_from(sleep.milliseconds).unwrap_or(i64::MAX));
        Ok(Done {})
    };
    let log = |host: &mut SmallHost, line: LogLine| {
        host.log.push(line);
        Ok(Done {})
    };
    let progress = |host: &mut SmallHost, progress: Progress| {
        host.progress.push(progress);
        Ok(Done {})
    };
    let inspect = |host: &mut SmallHost, inspect: SecretInspect| {
        Ok(host.facts.get(&inspect.field).cloned().unwrap_or_default())
    };
    let close = |host: &mut SmallHost, close: SessionClose| {
        host.sessions.close(&close.name);
        Ok(Done {})
    };
    match capability.as_str() {
        SessionOpen::NAME => open(&host, &message).await,
        HttpRequest::NAME => serve(&host, &message, SmallHost::send),
        CatalogPut::NAME => serve(&host, &message, SmallHost::put),
        CatalogEnd::NAME => serve(&host, &message, SmallHost::finish),
        StateSet::NAME => serve(&host, &message, SmallHost::set_state),
        StateGet::NAME => serve(&host, &message, |host, get: StateGet| Ok(host.state.get(&get.key).cloned())),
        Random::NAME => serve(&host, &message, |host, random: Random| host.random(random.length)),
        TimeNow::NAME => serve(&host, &message, now),
        Sleep::NAME => serve(&host, &message, sleep),
        LogLine::NAME => serve(&host, &message, log),
        Progress::NAME => serve(&host, &message, progress),
        SecretInspect::NAME => serve(&host, &message, inspect),
        SessionClose::NAME => serve(&host, &message, close),
        SignJwt::NAME => serve(&host, &message, SmallHost::sign),
        unknown => encode(&Err::<(), _>(Failure::plugin(format!("there is no capability \"{unknown}\"")))),
    }
}

fn serve<C: Call>(
    host: &Mutex<SmallHost>,
    message: &[u8],
    work: impl FnOnce(&mut SmallHost, C) -> Result<C::Answer, Failure>,
) -> Vec<u8> {
    encode(&decode(message, C::NAME, Blame::Plugin).and_then(|call| work(&mut lock(host), call)))
}

/// The one call that may have to wait: while another caller gets the session.
async fn open(host: &Mutex<SmallHost>, message: &[u8]) -> Vec<u8> {
    let open: SessionOpen = match decode(message, SessionOpen::NAME, Blame::Plugin) {
        Ok(open) => open,
        Err(failure) => return encode(&Err::<(), _>(failure)),
    };
    let state = poll_fn(|context| {
        let mut host = lock(host);
        let now = host.now;
        host.sessions.open(&open, now, context.waker())
    });
    encode(&state.await)
}
