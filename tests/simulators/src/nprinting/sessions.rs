//! Sessions: what the two cookies stand for.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

/// Name of the session cookie.
pub(crate) const SESSION: &str = "NPWEBCONSOLE_SESSION";
/// Name of the anti-forgery cookie.
pub(crate) const XSRF: &str = "NPWEBCONSOLE_XSRF-TOKEN";
/// A server does not remember more; the one that was longest unused goes.
const MOST: usize = 20_000;

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Who signed in; nobody yet on the login page.
    pub(crate) user: Option<Uuid>,
    /// The anti-forgery token as the header must carry it.
    pub(crate) xsrf: String,
    used: Instant,
}

/// A session as a client is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    id: String,
    xsrf: String,
}

/// Every session.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: HashMap<String, Session>,
    issued: u64,
}

impl Sessions {
    /// Opens one.
    pub(crate) fn open(&mut self, user: Option<Uuid>) -> Issued {
        if self.open.len() >= MOST {
            let oldest = self.open.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.open.remove(&id));
        }
        self.issued += u64::from(user.is_some());
        let issued = Issued { id: Uuid::new_v4().simple().to_string(), xsrf: anti_forgery() };
        let session = Session { user, xsrf: issued.xsrf.clone(), used: Instant::now() };
        self.open.insert(issued.id.clone(), session);
        issued
    }

    /// The session behind a cookie, if it lives; using it prolongs it.
    pub(crate) fn using(&mut self, id: &str, life: Duration) -> Option<Session> {
        let session = self.open.get_mut(id)?;
        if session.used.elapsed() >= life {
            self.open.remove(id);
            return None;
        }
        session.used = Instant::now();
        Some(session.clone())
    }

    /// Ends one.
    pub(crate) fn close(&mut self, id: &str) {
        self.open.remove(id);
    }

    /// Ends all.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Signed-in sessions that are open.
    pub(crate) fn count(&self, user: Option<Uuid>) -> usize {
        self.open.values().filter(|one| one.user.is_some() && (user.is_none() || one.user == user)).count()
    }

    /// How many were ever opened for somebody.
    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }
}

impl Issued {
    /// Adds the two cookies to an answer. The token is percent-encoded there, and needs it.
    pub(crate) fn announce(&self, headers: &mut HeaderMap, secure: bool) {
        let secure = if secure { "; Secure" } else { "" };
        let token = utf8_percent_encode(&self.xsrf, NON_ALPHANUMERIC);
        for cookie in [
            format!("{SESSION}={}; Path=/{secure}; HttpOnly", self.id),
            format!("{XSRF}={token}; Path=/{secure}"),
        ] {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                headers.append(header::SET_COOKIE, value);
            }
        }
    }
}

/// A token in base64 that always contains `+`, `/` and `=`, so that whoever forgets to decode the cookie always fails.
fn anti_forgery() -> String {
    let mut bytes = vec![0xFB, 0xEF, 0xFF];
    bytes.extend_from_slice(Uuid::new_v4().as_bytes());
    bytes.extend_from_slice(Uuid::new_v4().as_bytes());
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_needs_its_encoding() {
        let token = anti_forgery();
        assert!(['+', '/', '='].iter().all(|sign| token.contains(*sign)), "{token}");
    }
}
