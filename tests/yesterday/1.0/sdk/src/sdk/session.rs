//! Sessions: tokens and the like that are got once, kept sealed by the host across runs, and used until they end.

use super::Http;
use crate::contract::{
    Failure,
    secrets::{SessionClose, SessionOpen},
};
use serde_json::Value;
use std::future::Future;

/// A session that the host holds.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) name: String,
    facts: Value,
}

impl Session {
    /// Something public that was remembered with it, by the JSON pointer that its capture named.
    pub fn fact(&self, pointer: &str) -> Option<&str> {
        self.facts.get(pointer)?.as_str()
    }
}

impl Http<'_> {
    /// The session of a name: the one that is kept, or one that `sign_in` gets. Of many callers at once, one signs in and
    /// the others wait. `sign_in` must send a request whose capture has this name and a `keep`.
    ///
    /// # Errors
    /// Whatever `sign_in` fails with, or it did not capture the session.
    pub async fn session<F>(
        &self,
        name: &str,
        credential: &str,
        sign_in: impl FnOnce() -> F,
    ) -> Result<Session, Failure>
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let mut open = SessionOpen { name: name.to_owned(), credential: credential.to_owned(), turn: 0 };
        let state = self.host.call(&open).await?;
        if state.ready {
            return Ok(Session { name: name.to_owned(), facts: state.facts });
        }
        if let Err(failure) = sign_in().await {
            self.host.call(&SessionClose { name: name.to_owned() }).await?;
            return Err(failure);
        }
        open.turn = state.turn;
        let state = self.host.call(&open).await?;
        if !state.ready {
            // It was got, and lost again to a 401 before it could be used.
            self.host.call(&SessionClose { name: name.to_owned() }).await?;
            return Err(Failure::remote(format!("the session \"{name}\" ended as soon as it was got")));
        }
        Ok(Session { name: name.to_owned(), facts: state.facts })
    }
}
