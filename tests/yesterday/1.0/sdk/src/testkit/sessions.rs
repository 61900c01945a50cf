//! Captured values and sessions: that they are there, never what they are.

use super::answers::Scripted;
use crate::contract::{
    Failure,
    http::{Capture, CaptureFrom, Keep},
    secrets::{SessionOpen, SessionState},
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    task::{Poll, Waker},
};

/// What the small host holds.
#[derive(Default)]
pub(super) struct Sessions {
    /// Captured in this run.
    captured: BTreeSet<String>,
    /// Kept across runs: end (in milliseconds) and facts.
    kept: BTreeMap<String, (i64, Value)>,
    /// Somebody is getting it, in a turn of this number.
    taken: BTreeMap<String, u64>,
    /// How many turns there were.
    turns: u64,
    waiting: Vec<Waker>,
}

impl Sessions {
    pub(super) fn begin(&mut self) {
        self.captured.clear();
        self.taken.clear();
        self.waiting.clear();
    }

    pub(super) fn has(&self, name: &str, now: i64) -> bool {
        self.captured.contains(name) || self.kept.get(name).is_some_and(|(end, _)| *end > now)
    }

    /// Ready, or this caller's turn to get it, or to be waited for.
    pub(super) fn open(
        &mut self,
        open: &SessionOpen,
        now: i64,
        waker: &Waker,
    ) -> Poll<Result<SessionState, Failure>> {
        let name = open.name.as_str();
        if self.has(name, now) {
            let facts = self.kept.get(name).map(|(_, facts)| facts.clone()).unwrap_or_default();
            return Poll::Ready(Ok(SessionState { ready: true, facts, turn: 0 }));
        }
        match self.taken.get(name) {
            Some(turn) if *turn == open.turn => {
                self.release(name);
                Poll::Ready(Err(Failure::plugin(format!(
                    "signing in did not capture the session \"{name}\""
                ))))
            }
            Some(_) => {
                self.waiting.push(waker.clone());
                Poll::Pending
            }
            None => {
                self.turns += 1;
                self.taken.insert(name.to_owned(), self.turns);
                Poll::Ready(Ok(SessionState { ready: false, facts: Value::Null, turn: self.turns }))
            }
        }
    }

    /// Gives a turn back, or throws a session away if nobody is getting it.
    pub(super) fn close(&mut self, name: &str) {
        if !self.release(name) {
            self.forget(name);
        }
    }

    /// Throws a session away.
    pub(super) fn forget(&mut self, name: &str) {
        self.captured.remove(name);
        self.kept.remove(name);
    }

    /// Ends a turn. Yields whether there was one.
    fn release(&mut self, name: &str) -> bool {
        let had_turn = self.taken.remove(name).is_some();
        self.waiting.drain(..).for_each(Waker::wake);
        had_turn
    }

    /// Notes a value that the host made itself.
    pub(super) fn keep(&mut self, name: &str) {
        self.captured.insert(name.to_owned());
    }

    /// Takes a value out of an answer; what the connector sees of the answer is changed. Yields whether it was there.
    pub(super) fn capture(&mut self, capture: &Capture, answer: &mut Scripted, now: i64) -> bool {
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let found = match &capture.from {
            CaptureFrom::Json { pointer } => match body.pointer_mut(pointer) {
                Some(Value::String(value)) if !value.is_empty() => {
                    *value = "***".to_owned();
                    answer.body = body.to_string().into_bytes();
                    true
                }
                _ => false,
            },
            CaptureFrom::Header { name } => {
                let before = answer.headers.len();
                answer.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
                answer.headers.len() < before
            }
            CaptureFrom::Cookie { name, .. } => answer.headers.iter().any(|(header, value)| {
                header == "set-cookie"
                    && value.split_once('=').is_some_and(|(cookie, _)| cookie.trim() == name)
            }),
            CaptureFrom::Other => false,
        };
        if found {
            self.captured.insert(capture.name.clone());
            if let Some(keep) = &capture.keep {
                self.kept.insert(capture.name.clone(), (end(keep, &body, now), facts(keep, &body)));
            }
            self.release(&capture.name);
        }
        found
    }
}

/// When a captured value ends. The kit reads lives in seconds; dates it takes for the default.
fn end(keep: &Keep, body: &Value, now: i64) -> i64 {
    let said = keep.expiry.iter().find_map(|pointer| body.pointer(pointer)?.as_u64());
    let seconds = i64::try_from(said.unwrap_or(keep.default_seconds)).unwrap_or(i64::MAX);
    now.saturating_add(seconds.saturating_mul(1000))
}

fn facts(keep: &Keep, body: &Value) -> Value {
    let fact = |pointer: &String| Some((pointer.clone(), body.pointer(pointer)?.clone()));
    keep.facts.iter().filter_map(fact).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_session_that_is_closed_is_thrown_away() {
        let mut sessions = Sessions::default();
        let open = SessionOpen { name: "session".to_owned(), credential: "key".to_owned(), turn: 0 };
        let ready = |sessions: &mut Sessions| match sessions.open(&open, 0, Waker::noop()) {
            Poll::Ready(state) => state.unwrap().ready,
            Poll::Pending => panic!("it waits"),
        };
        assert!(!ready(&mut sessions));
        sessions.kept.insert("session".to_owned(), (1, Value::Null));
        sessions.close("session");
        assert!(ready(&mut sessions), "only the turn ended");
        sessions.close("session");
        assert!(!ready(&mut sessions));
    }
}
