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
    /// Whatever `sign_in` fails with.
    pub async fn session<F>(
        &self,
        name: &str,
        credential: &str,
        sign_in: impl FnOnce() -> F,
    ) -> Result<Session, Failure>
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let open = SessionOpen { name: name.to_owned(), credential: credential.to_owned() };
        let state = self.host.call(&open).await?;
        if state.ready {
            return Ok(Session { name: name.to_owned(), facts: state.facts });
        }
        if let Err(failure) = sign_in().await {
            self.host.call(&SessionClose { name: name.to_owned() }).await?;
            return Err(failure);
        }
        let state = self.host.call(&open).await?;
        if !state.ready {
            self.host.call(&SessionClose { name: name.to_owned() }).await?;
            return Err(Failure::plugin(format!("signing in did not capture the session \"{name}\"")));
        }
        Ok(Session { name: name.to_owned(), facts: state.facts })
    }
}
