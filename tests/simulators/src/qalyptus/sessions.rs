//! Tokens of the server product's sign-in with a name and a password.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

/// A pair of tokens.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// Sent as a bearer.
    pub(crate) token: String,
    /// Good for one new pair.
    pub(crate) refresh: String,
}

#[derive(Debug)]
struct Session {
    user: u64,
    begun: Instant,
    over: bool,
}

/// Every token.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    tokens: HashMap<String, Session>,
    refresh: HashMap<String, u64>,
}

/// What a bearer is.
pub(crate) enum Bearer {
    /// A token of this user.
    User(u64),
    /// A token that is over.
    Expired,
    /// No token.
    Unknown,
}

impl Sessions {
    /// Signs a user in.
    pub(crate) fn open(&mut self, user: u64) -> Pair {
        let pair = Pair { token: text(), refresh: text() };
        let session = Session { user, begun: Instant::now(), over: false };
        self.tokens.insert(pair.token.clone(), session);
        self.refresh.insert(pair.refresh.clone(), user);
        pair
    }

    /// A new pair for a token of renewal, which serves once.
    pub(crate) fn renew(&mut self, refresh: &str) -> Option<Pair> {
        let user = self.refresh.remove(refresh)?;
        Some(self.open(user))
    }

    /// What a bearer is.
    pub(crate) fn bearer(&self, token: &str, life: Duration) -> Bearer {
        match self.tokens.get(token) {
            None => Bearer::Unknown,
            Some(session) if session.over || session.begun.elapsed() >= life => Bearer::Expired,
            Some(session) => Bearer::User(session.user),
        }
    }

    /// Lets every token expire now; those of renewal stay.
    pub(crate) fn expire_all(&mut self) {
        self.tokens.values_mut().for_each(|session| session.over = true);
    }
}

fn text() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
