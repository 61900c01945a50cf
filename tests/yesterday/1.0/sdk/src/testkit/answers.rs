//! The script: which request gets which answer, and what was asked.

use crate::contract::{
    Failure,
    http::{HttpRequest, Place, Target},
    secrets::SecretRef,
};
use serde_json::Value;
use std::ops::Deref;

/// A scripted answer.
#[derive(Clone, Debug)]
pub struct Answer(pub(super) Result<Scripted, Failure>);

#[derive(Clone, Debug)]
pub(super) struct Scripted {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// JSON.
    pub fn json(status: u16, body: Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// Any text, such as the web page of a proxy.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Answer(Ok(Scripted { status, headers: Vec::new(), body: body.into() }))
            .header("content-type", content_type)
    }

    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Answer(Ok(Scripted { status, headers: Vec::new(), body: Vec::new() }))
    }

    /// No answer: what the host says when the network fails.
    pub fn failure(failure: Failure) -> Self {
        Answer(Err(failure))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(scripted) = &mut self.0 {
            scripted.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        self
    }
}

/// A request that was made; all of the contract's [`HttpRequest`], and questions to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked(pub(super) HttpRequest);

impl Deref for Asked {
    type Target = HttpRequest;

    fn deref(&self) -> &HttpRequest {
        &self.0
    }
}

impl Asked {
    /// Method, path and query: `GET /api/v1/items?limit=100`. Query values are not encoded.
    pub fn line(&self) -> String {
        format!("{} {}", self.0.method, self.place())
    }

    /// Whether a secret setting was to go into the bearer header.
    pub fn has_bearer(&self, field: &str) -> bool {
        self.has_slot(field, &Place::Bearer)
    }

    /// Whether a secret setting was to go into a place.
    pub fn has_slot(&self, field: &str, place: &Place) -> bool {
        let secret = SecretRef::Setting(field.to_owned());
        self.0.slots.iter().any(|slot| slot.secret == secret && slot.place == *place)
    }

    /// Whether a captured value or a session was to go into a place.
    pub fn has_captured(&self, name: &str, place: &Place) -> bool {
        let secret = SecretRef::Captured(name.to_owned());
        self.0.slots.iter().any(|slot| slot.secret == secret && slot.place == *place)
    }

    /// Path and query, or the whole URL.
    pub(super) fn place(&self) -> String {
        let mut place = match &self.0.target {
            Target::Path { path, .. } => path.clone(),
            Target::Url { url } => url.clone(),
        };
        for (name, value) in &self.0.query {
            place.push(if place.contains('?') { '&' } else { '?' });
            place.push_str(&format!("{name}={value}"));
        }
        place
    }
}

/// All scripted answers.
#[derive(Default)]
pub(super) struct Script {
    rules: Vec<Rule>,
}

struct Rule {
    method: String,
    path: String,
    answers: Vec<Answer>,
    given: usize,
}

impl Script {
    pub(super) fn add(&mut self, method: &str, path: &str, answer: Answer) {
        match self.rules.iter_mut().find(|rule| rule.method == method && rule.path == path) {
            Some(rule) => rule.answers.push(answer),
            None => {
                let (method, path) = (method.to_owned(), path.to_owned());
                self.rules.push(Rule { method, path, answers: vec![answer], given: 0 });
            }
        }
    }

    /// The next answer to a request; rules with a query come before those without.
    pub(super) fn answer(&mut self, asked: &Asked) -> Result<Scripted, Failure> {
        let place = asked.place();
        let path = place.split('?').next().unwrap_or_default();
        let find = |rules: &[Rule], wanted: &str| {
            rules.iter().position(|rule| rule.method == asked.0.method && rule.path == wanted)
        };
        let found = find(&self.rules, &place).or_else(|| find(&self.rules, path));
        let Some(rule) = found.and_then(|at| self.rules.get_mut(at)) else {
            return Err(Failure::plugin(format!("nobody scripted an answer to {}", asked.line())));
        };
        let answer = &rule.answers[rule.given.min(rule.answers.len() - 1)];
        rule.given += 1;
        answer.0.clone()
    }

    pub(super) fn unasked(&self) -> Vec<String> {
        let left = self.rules.iter().filter(|rule| rule.given < rule.answers.len());
        left.map(|rule| format!("{} {}", rule.method, rule.path)).collect()
    }
}
