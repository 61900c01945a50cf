//! Sessions of the proxy and tickets for them. A user may have a few at a time; they end when nobody uses them, when
//! somebody ends them, and when the proxy starts anew.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

/// How long a ticket is good.
const TICKET_LIFE: Duration = Duration::from_secs(60);

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Its id, which is the cookie's value.
    pub(crate) id: String,
    /// The virtual proxy in which it lives.
    pub(crate) proxy: Uuid,
    /// Whose it is.
    pub(crate) directory: String,
    /// Whose it is.
    pub(crate) user: String,
    /// What was said of the user.
    pub(crate) attributes: Value,
    life: Duration,
    used: Instant,
}

/// What a session is opened for.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// The virtual proxy.
    pub(crate) proxy: Uuid,
    /// The user's directory.
    pub(crate) directory: String,
    /// The user's id.
    pub(crate) user: String,
    /// What is said of the user.
    pub(crate) attributes: Value,
    /// How long it lives unused.
    pub(crate) life: Duration,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Vec<Session>,
    tickets: HashMap<String, (Opening, Instant)>,
    issued: u64,
}

impl Sessions {
    /// Opens one under an id of its own or the given one; `None` when the user has as many as allowed already.
    pub(crate) fn open(&mut self, opening: Opening, id: Option<String>, most: usize) -> Option<Session> {
        self.tidy();
        let own = |session: &&Session| is_of(session, &opening.directory, &opening.user);
        if self.open.iter().filter(own).count() >= most {
            return None;
        }
        let session = Session {
            id: id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            proxy: opening.proxy,
            directory: opening.directory,
            user: opening.user,
            attributes: opening.attributes,
            life: opening.life,
            used: Instant::now(),
        };
        self.issued += 1;
        self.open.push(session.clone());
        Some(session)
    }

    /// Uses a session of a virtual proxy.
    pub(crate) fn touch(&mut self, proxy: Uuid, id: &str) -> Option<Session> {
        self.tidy();
        let session = self.open.iter_mut().find(|session| session.proxy == proxy && session.id == id)?;
        session.used = Instant::now();
        Some(session.clone())
    }

    /// Those of a virtual proxy.
    pub(crate) fn of_proxy(&mut self, proxy: Uuid) -> Vec<Session> {
        self.tidy();
        self.open.iter().filter(|session| session.proxy == proxy).cloned().collect()
    }

    /// Those of a user in a virtual proxy.
    pub(crate) fn of_user(&mut self, proxy: Uuid, directory: &str, user: &str) -> Vec<Session> {
        let own = |session: &Session| is_of(session, directory, user);
        self.of_proxy(proxy).into_iter().filter(own).collect()
    }

    /// One of a virtual proxy, by its id in any case: paths come in lower case.
    pub(crate) fn find(&mut self, proxy: Uuid, id: &str) -> Option<Session> {
        self.of_proxy(proxy).into_iter().find(|session| session.id.eq_ignore_ascii_case(id))
    }

    /// Ends one; gives it and whether it was the user's last.
    pub(crate) fn close(&mut self, proxy: Uuid, id: &str) -> Option<(Session, bool)> {
        let own = |session: &Session| session.proxy == proxy && session.id.eq_ignore_ascii_case(id);
        let at = self.open.iter().position(own)?;
        let session = self.open.remove(at);
        let last = !self.open.iter().any(|other| is_of(other, &session.directory, &session.user));
        Some((session, last))
    }

    /// Ends all of them, and tickets with them.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
        self.tickets.clear();
    }

    /// How many are open.
    pub(crate) fn count(&mut self) -> usize {
        self.tidy();
        self.open.len()
    }

    /// How many were ever opened.
    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }

    /// Issues a ticket.
    pub(crate) fn issue(&mut self, opening: Opening) -> String {
        let ticket = Uuid::new_v4().simple().to_string()[..16].to_owned();
        self.tickets.insert(ticket.clone(), (opening, Instant::now()));
        ticket
    }

    /// Takes a ticket, which is good once and for a minute.
    pub(crate) fn redeem(&mut self, ticket: &str) -> Option<Opening> {
        let (opening, issued) = self.tickets.remove(ticket)?;
        (issued.elapsed() < TICKET_LIFE).then_some(opening)
    }

    fn tidy(&mut self) {
        self.open.retain(|session| session.used.elapsed() < session.life);
    }
}

fn is_of(session: &Session, directory: &str, user: &str) -> bool {
    session.directory.eq_ignore_ascii_case(directory) && session.user.eq_ignore_ascii_case(user)
}
