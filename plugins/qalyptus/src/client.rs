//! Asks by the endpoint map: one candidate after the other, with the key, and says what a refusal means.

use crate::{
    API_KEY, KEY_HEADER, Product, SERVER, Settings,
    map::{Candidate, Map, Operation, PagingMode, check},
};
use jackfield_plugin::{Blame, Context, Failure, Request, Response, Stage, contract::http::Place};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The state in which the candidates that answered are remembered.
const STATE: &str = "endpoints";

/// Answers that pass by themselves: asked again.
const PASSING: [u16; 4] = [500, 502, 503, 504];

/// Answers after which the next candidate is asked. Never after a refusal: that says that the path is there.
const NOT_THERE: [u16; 2] = [404, 405];

/// Speaks to one server.
pub struct Client<'a, S> {
    /// The run.
    pub(crate) context: &'a Context<S>,
    /// The map.
    pub(crate) map: Map,
    place: Place,
    /// The path that answered, for each operation that has several.
    winners: Mutex<BTreeMap<String, String>>,
}

/// What came of asking all candidates.
pub(crate) enum Found {
    /// One answered with a success.
    Here(Response),
    /// All say that there is nothing; what was asked, with the statuses.
    Nowhere(String),
}

/// Why an answer is no success.
pub(crate) enum Refusal {
    /// The key is not accepted: nothing else will be answered either.
    Key(Failure),
    /// The key is good, and its owner may not see this.
    Permission(Failure),
    /// Something else.
    Other(Failure),
}

impl Refusal {
    /// The failure.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Refusal::Key(failure) | Refusal::Permission(failure) | Refusal::Other(failure) => failure,
        }
    }
}

impl<'a, S: Settings> Client<'a, S> {
    /// A client. Nothing is sent.
    ///
    /// # Errors
    /// The endpoint map cannot be right.
    pub async fn new(context: &'a Context<S>) -> Result<Self, Failure> {
        let map = Map::load(S::PRODUCT, context.settings().endpoint_map())?;
        let place = key_place(&map.auth).map_err(Failure::plugin)?;
        let winners = context.state(STATE).await.ok().flatten().unwrap_or_default();
        Ok(Client { context, map, place, winners: Mutex::new(winners) })
    }

    /// The product.
    pub(crate) fn product(&self) -> &'static Product {
        S::PRODUCT
    }

    /// Asks one path, whatever is answered.
    ///
    /// # Errors
    /// There was no answer.
    pub(crate) async fn get(&self, path: &str, is_list: bool) -> Result<Response, Failure> {
        let request = Request::get(SERVER, format!("{}{path}", self.map.base_path));
        let request = request
            .header("accept", "application/json")
            .retry_on(PASSING)
            .secret(self.context.settings().key(), self.place.clone());
        self.context.http().send(&if is_list { request.list() } else { request }).await
    }

    /// Asks the candidates in their order, the one that answered the last time first.
    ///
    /// # Errors
    /// One of them answered with something else than a success or that it is not there.
    pub(crate) async fn find(
        &self,
        name: &str,
        candidates: &[&Candidate],
        is_list: bool,
        path: impl Fn(&str) -> String,
    ) -> Result<Found, Asked> {
        let before = self.winners().get(name).cloned();
        let mut ordered = candidates.to_vec();
        ordered.sort_by_key(|candidate| Some(&candidate.path) != before.as_ref());
        let mut tried = Vec::new();
        for candidate in ordered {
            let response = self.get(&path(&candidate.path), is_list).await.map_err(Asked::Unanswered)?;
            if response.is_success() {
                if candidates.len() > 1 {
                    self.winners().insert(name.to_owned(), candidate.path.clone());
                }
                return Ok(Found::Here(response));
            }
            if !NOT_THERE.contains(&response.status()) {
                return Err(Asked::Refused(self.refusal(&response)));
            }
            tried.push(format!(
                "GET {}{}: {}",
                self.map.base_path,
                candidate.path,
                self.map.summary(&response)
            ));
        }
        Ok(Found::Nowhere(tried.join(", ")))
    }

    /// Remembers which candidates answered.
    ///
    /// # Errors
    /// The run has ended.
    pub(crate) async fn remember(&self) -> Result<(), Failure> {
        let winners = self.winners().clone();
        self.context.set_state(STATE, &winners).await
    }

    fn winners(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.winners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path for the first page of a list, or for a later one.
    pub(crate) fn page_path(&self, candidate: &str, id: Option<&str>, offset: u64) -> String {
        let mut path = match id {
            Some(id) => candidate.replace("{id}", &encode(id)),
            None => candidate.to_owned(),
        };
        let paging = &self.map.paging;
        if offset > 0 || paging.mode == PagingMode::Offset {
            let sign = if path.contains('?') { '&' } else { '?' };
            path.push_str(&format!(
                "{sign}{}={offset}&{}={}",
                paging.offset_param, paging.limit_param, paging.limit
            ));
        }
        path
    }

    /// What an answer means that is no success.
    pub(crate) fn refusal(&self, response: &Response) -> Refusal {
        let (status, statuses) = (response.status(), &self.map.status);
        let summary = self.map.summary(response);
        let failure = |blame, stage, message: String| Failure::new(blame, message).at(stage).status(status);
        if statuses.auth_refused.contains(&status) {
            return Refusal::Key(
                self.refused(format!("the server refused the API key ({summary})")).status(status),
            );
        }
        if statuses.auth_expired.contains(&status) {
            let message = format!("the server says that the API key has expired ({summary})");
            let remedy = format!(
                "make a new API key in {} and paste it here; if its expiration date has not passed, it may have been deleted, or its owner disabled",
                S::PRODUCT.name
            );
            return Refusal::Key(Failure::credential(message).field(API_KEY).remedy(remedy).status(status));
        }
        if let Some(failure) = response.refused_in_between() {
            return Refusal::Other(failure);
        }
        if statuses.forbidden.contains(&status) {
            let message = format!("the API key is valid, but its owner lacks the permission ({summary})");
            return Refusal::Permission(failure(Blame::Credential, Stage::Permission, message).remedy(
                format!(
                    "give the key's owner in {} a role that may see this, or use a key of another user",
                    S::PRODUCT.name
                ),
            ));
        }
        let remote = |message: String| failure(Blame::Remote, Stage::Answer, message);
        Refusal::Other(if statuses.rate_limited.contains(&status) {
            let wait = match response.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok()) {
                Some(seconds) => format!("it lifts the limit in {seconds} seconds"),
                None => "it does not say for how long".to_owned(),
            };
            remote(format!("the server limits requests; {wait} ({summary})"))
                .remedy("try again later, or lower Max parallel executions of the connection")
        } else if status >= 500 {
            remote(format!("the server failed on its side ({summary})"))
                .remedy("try again later; if it lasts, look into the server's own log")
        } else if (300..400).contains(&status) {
            remote(format!("the server sent the request elsewhere ({summary})"))
                .remedy(format!("check the server URL: it is {}", S::PRODUCT.address))
                .field(SERVER)
        } else {
            remote(format!("the server does not do what was asked ({summary})")).remedy(
                "if this version of the product has another API, correct the endpoint map of the connection",
            )
        })
    }

    /// Nothing tells apart why a key is refused.
    fn refused(&self, message: String) -> Failure {
        let (name, keys) = (S::PRODUCT.name, S::PRODUCT.keys);
        Failure::credential(message).field(API_KEY).remedy(format!(
            "the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in {name} ({keys}); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer"
        ))
    }
}

/// Why there is no success.
pub(crate) enum Asked {
    /// There was an answer.
    Refused(Refusal),
    /// There was none.
    Unanswered(Failure),
}

impl Operation {
    /// The candidates that are asked once, or those that are asked for each row of the parent.
    pub(crate) fn candidates(&self, for_each: bool) -> Vec<&Candidate> {
        self.candidates.iter().filter(|candidate| candidate.path.contains("{id}") == for_each).collect()
    }
}

/// Where in a request the key goes.
///
/// # Errors
/// It cannot go there.
pub(crate) fn key_place(auth: &crate::map::Auth) -> Result<Place, String> {
    let (header, template) = (auth.header.as_str(), auth.template.as_str());
    if !check::token(header) {
        return Err(format!("header: \"{header}\" is no name of a header"));
    }
    if header.eq_ignore_ascii_case("Authorization") && template == "Bearer {key}" {
        return Ok(Place::Bearer);
    }
    if header.eq_ignore_ascii_case(KEY_HEADER) && template == "{key}" {
        return Ok(Place::Header { name: KEY_HEADER.to_owned() });
    }
    Err(format!(
        "the key can go into the header Authorization as \"Bearer {{key}}\", or into {KEY_HEADER} as \"{{key}}\", and not into {header} as \"{template}\""
    ))
}

/// A part of a path or a query that came from an answer.
fn encode(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'-' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => encoded.push(byte.into()),
            // A dot, too: "." and ".." would lead elsewhere.
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn an_id_leads_nowhere_else() {
        assert_eq!(encode("9f0e2a6c-0000_A~"), "9f0e2a6c-0000_A~");
        assert_eq!(encode("../a b?c=é"), "%2E%2E%2Fa%20b%3Fc%3D%C3%A9");
    }
}
