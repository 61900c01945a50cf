//! Sessions as a browser has them: four cookies, and a token against forgery that writes must carry in a header.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::kit::cookies::cookie;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::problem::{Problem, Style};
use crate::qlik_cloud::world::World;

/// Header that carries the token against forgery.
pub(crate) const CSRF: &str = "qlik-csrf-token";
/// The tenant does not remember more of either.
const MOST: usize = 20_000;

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Who signed in.
    pub(crate) user: String,
    /// What writes must carry.
    pub(crate) csrf: String,
    signature: String,
    used: Instant,
}

/// Every session, and the ids of the tokens that opened one.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: HashMap<String, Session>,
    spent: HashSet<String>,
    issued: u64,
}

impl Sessions {
    /// Notes that a token was used; false when it was before.
    pub(crate) fn spend(&mut self, provider: &str, jti: &str) -> bool {
        if self.spent.len() >= MOST {
            self.spent.clear();
        }
        self.spent.insert(format!("{provider} {jti}"))
    }

    /// Opens a session and gives its cookies.
    pub(crate) fn open(&mut self, user: &str, secure: bool) -> Vec<HeaderValue> {
        if self.open.len() >= MOST {
            let oldest = self.open.iter().min_by_key(|(_, one)| one.used).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.open.remove(&id));
        }
        self.issued += 1;
        let (id, signature, csrf) = (ids::random_hex(32), ids::random_hex(27), ids::random_hex(64));
        let session = Session {
            user: user.to_owned(),
            csrf: csrf.clone(),
            signature: signature.clone(),
            used: Instant::now(),
        };
        self.open.insert(id.clone(), session);
        let secure = if secure { "; secure; samesite=none" } else { "" };
        // The value of the fourth pair is not what the header must carry: that is asked for.
        [
            ("eas.sid", id),
            ("eas.sid.sig", signature),
            ("_csrfToken", ids::random_hex(36)),
            ("_csrfToken.sig", ids::random_hex(27)),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            HeaderValue::from_str(&format!("{name}={value}; path=/; httponly{secure}")).ok()
        })
        .collect()
    }

    /// The session that the cookies stand for, if it lives; using it prolongs it.
    pub(crate) fn using(&mut self, headers: &HeaderMap, life: Duration) -> Option<Session> {
        let id = cookie(headers, "eas.sid")?;
        let session = self.open.get_mut(id)?;
        if session.used.elapsed() >= life {
            self.open.remove(id);
            return None;
        }
        if cookie(headers, "eas.sid.sig") != Some(session.signature.as_str()) {
            return None;
        }
        session.used = Instant::now();
        Some(session.clone())
    }

    /// Ends the session of the cookies.
    pub(crate) fn close(&mut self, headers: &HeaderMap) {
        cookie(headers, "eas.sid").and_then(|id| self.open.remove(id));
    }

    /// Ends all.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Makes every token against forgery worthless; clients must ask for a new one.
    pub(crate) fn renew_csrf(&mut self) {
        self.open.values_mut().for_each(|session| session.csrf = ids::random_hex(64));
    }

    /// What the cookies of the open ones say.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets = self.open.iter().flat_map(|(id, one)| [id.clone(), one.signature.clone()]);
        secrets.collect()
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// How many were ever opened.
    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }
}

/// The session of a request. A write needs the token against forgery.
pub(crate) fn admit(world: &World, method: &Method, headers: &HeaderMap) -> Result<Session, Problem> {
    let life = world.sign_in().session_life;
    let session = world.sessions().using(headers, life).ok_or_else(Problem::unauthorized)?;
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(session);
    }
    let sent = headers.get(CSRF).and_then(|value| value.to_str().ok());
    if sent == Some(session.csrf.as_str()) {
        return Ok(session);
    }
    Err(Problem::new(403, "CSRF-TOKEN-2", "Invalid CSRF token").style(Style::Flat))
}

/// Adds cookies to an answer.
pub(crate) fn announce(headers: &mut HeaderMap, cookies: Vec<HeaderValue>) {
    headers.extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
}
