//! Who the caller is. The server hides what a user may not see, without a word: an empty list means something only if it is
//! known that the caller may see everything.

use super::{Client, Page, ROLES, Rows, USERS, segment};
use crate::settings::Matching;
use jackfield_plugin::{Failure, Request, Response};
use std::borrow::Cow;

/// The user of the token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// As a person writes it.
    pub(crate) name: String,
    /// Whether it may see everything. `None` if the server does not show its roles.
    pub(crate) sees_all: Option<bool>,
}

impl Caller {
    /// Who the caller is, in a sentence.
    pub(crate) fn introduction(&self) -> String {
        let may = match self.sees_all {
            Some(true) => "an administrator, who sees everything",
            Some(false) => "not an administrator: what its roles do not allow is missing, without a word",
            None => "its roles are not shown: what they do not allow is missing, without a word",
        };
        format!("signed in as \"{}\", {may}", self.name)
    }
}

impl Client<'_> {
    /// Asks who the caller is; as much as the server shows.
    pub(crate) async fn caller(&self) -> Result<Caller, Failure> {
        Ok(Caller { name: self.context.settings().caller(), sees_all: self.sees_all().await? })
    }

    /// Whether one of the caller's roles has all actions on all apps.
    async fn sees_all(&self) -> Result<Option<bool>, Failure> {
        let settings = self.context.settings();
        if settings.matching != Matching::Email {
            // Users cannot be asked for by their domain account.
            return Ok(None);
        }
        let email = settings.caller();
        let request = Request::get(super::ORIGIN, USERS.path).query("email", &email).query("limit", 50);
        let response = self.known(request).await?;
        let Some(users) = response.as_ref().and_then(|response| Rows::read(response).ok()) else {
            return Ok(None);
        };
        // The server takes % for anything.
        let same = |text: Option<Cow<'_, str>>| text.is_some_and(|text| text.eq_ignore_ascii_case(&email));
        let user = users.items.iter().find(|user| same(user.text("email")));
        let Some(id) = user.and_then(|user| user.text("id")) else { return Ok(None) };
        let path = format!("{}/{}/roles", USERS.path, segment(&id)?);
        let held = self.known(Request::get(super::ORIGIN, path).query("limit", 200)).await?;
        let roles = Request::get(super::ORIGIN, ROLES.path).query("sort", ROLES.sort).query("limit", 200);
        let roles = self.known(roles).await?;
        let (Some(held), Some(roles)) = (held, roles) else { return Ok(None) };
        let (Ok(held), Ok(roles)) = (Page::<Cow<'_, str>>::read(&held), Rows::read(&roles)) else {
            return Ok(None);
        };
        let mut known = false;
        for role in &roles.items {
            let id = role.text("id").unwrap_or_default();
            if !held.items.iter().any(|held| held.eq_ignore_ascii_case(&id)) {
                continue;
            }
            known = true;
            let has = |name: &str| role.raw(name) == Some("true");
            if has("hasAllActions") && has("hasAllApps") && role.raw("enabled") != Some("false") {
                return Ok(Some(true));
            }
        }
        Ok(known.then_some(false))
    }

    /// The answer, if it is a success.
    async fn known(&self, request: Request) -> Result<Option<Response>, Failure> {
        Ok(Some(self.send(request).await?).filter(Response::is_success))
    }
}
