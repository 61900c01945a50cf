//! Renewing the secret of an OAuth client: a client may have five, so the new one is made, proven by a token, and the old one
//! deleted by its hint.
//!
//! A secret carries nothing by which an attempt could be known. So the hints that there are before are a step of their own: what
//! an interrupted attempt has left is what is there now and was not then. That needs the right to see and to make secrets of the
//! client, which administrators of a tenant have; a client that was narrowed down, as it should be, has it not, and a person makes
//! the new secret then.

use super::{Client, ORIGIN, Refusal, fields, get, person::segment};
use jackfield_plugin::{
    Blame, Failure, Request, Stage,
    contract::{
        hooks::{Expiry, Staged, StagedValue, Swept},
        http::{Capture, CaptureFrom},
    },
    sdk::Row,
};

const CLIENTS_PATH: &str = "/api/v1/oauth-clients";
/// The settings field of the secret.
const FIELD: &str = "client_secret";
/// The name under which the new secret is captured.
const NEW_SECRET: &str = "new_secret";

impl Client<'_> {
    fn client_path(&self) -> Result<String, Failure> {
        match self.context.settings().client_id.as_deref().filter(|id| segment(id)) {
            Some(id) => Ok(format!("{CLIENTS_PATH}/{id}")),
            None => {
                Err(Failure::you("the OAuth client ID cannot be one").at(Stage::Settings).field("client_id"))
            }
        }
    }

    /// The hints of the client's secrets, if the tenant shows them.
    async fn hints(&self, request: Request) -> Result<Option<Vec<String>>, Failure> {
        let response = self.send(request).await?;
        if !response.is_success() {
            return match response.status() {
                401 | 403 | 404 => Ok(None),
                _ => Err(refused(&Refusal::of(&response), "show the OAuth client")),
            };
        }
        let client = fields(&response);
        let rows = client.raw("clientSecrets").map(|_| client.rows("clientSecrets"));
        let hint = |row: &Row<'_>| row.text("hint").map(|hint| hint.into_owned());
        Ok(rows.map(|rows| rows.iter().filter_map(hint).collect()))
    }

    /// What the tenant knows of the secret in use: its hint, if the client has only one.
    pub(crate) async fn secret_expiry(&self) -> Result<Expiry, Failure> {
        let Some(hints) = self.hints(get(self.client_path()?)).await? else {
            return Ok(Expiry { not_by_itself: Some(not_allowed(None)), ..Expiry::default() });
        };
        let only = if let [only] = &hints[..] { Some(only.clone()) } else { None };
        Ok(Expiry { remote_id: only, ..Expiry::default() })
    }

    /// Makes a new secret.
    pub(crate) async fn stage_secret(&self) -> Result<Staged, Failure> {
        let path = self.client_path()?;
        if self.hints(get(&path).step("the secrets before")).await?.is_none() {
            return Err(not_allowed(None));
        }
        let request = Request::post(ORIGIN, format!("{path}/client-secrets"))
            .header("accept", "application/json")
            .step("make the secret")
            .capture(Capture {
                from: CaptureFrom::Json { pointer: "/clientSecret".to_owned() },
                name: NEW_SECRET.to_owned(),
                keep: None,
            });
        let response = self.send(request).await?;
        if !response.is_success() {
            let refusal = Refusal::of(&response);
            return Err(match refusal.status {
                401 | 403 => not_allowed(Some(&refusal)),
                409 => refusal
                    .failure(Blame::You, Stage::Permission, format!("the OAuth client has as many secrets as it may ({})", refusal.summary()))
                    .remedy("delete those that nobody uses (Administration activity center, OAuth, the client): a client may have five")
                    .field(FIELD),
                _ => refused(&refusal, "make a new secret"),
            });
        }
        if !response.captured(NEW_SECRET) {
            return Err(Failure::remote("the tenant says that it made a new secret, but does not show it"));
        }
        Ok(Staged {
            values: vec![StagedValue { field: FIELD.to_owned(), captured: NEW_SECRET.to_owned() }],
            remote_id: fields(&response).text("hint").map(|hint| hint.into_owned()),
            expires_at: None,
        })
    }

    /// Deletes the secret that was in use before.
    pub(crate) async fn retire_secret(&self) -> Result<(), Failure> {
        let old = self.context.rotation()?.other.as_ref().and_then(|old| old.remote_id.as_deref());
        match old {
            Some(hint) => self.delete_secret(hint).await.map(drop),
            None => {
                Err(Failure::jackfield("the hint of the old secret is not known, so it cannot be deleted"))
            }
        }
    }

    /// Deletes the secrets that are there now and were not when this attempt looked first.
    pub(crate) async fn sweep_secrets(&self) -> Result<Swept, Failure> {
        let path = self.client_path()?;
        let before = self.hints(get(&path).step("the secrets before")).await?;
        let now = self.hints(get(&path)).await?;
        let (Some(before), Some(now)) = (before, now) else { return Err(not_allowed(None)) };
        let in_use = &self.context.rotation()?.current.remote_id;
        let mut removed = 0;
        for hint in now.iter().filter(|hint| !before.contains(hint) && in_use.as_ref() != Some(hint)) {
            removed += u32::from(self.delete_secret(hint).await?);
        }
        Ok(Swept { removed })
    }

    /// Deletes a secret; answers whether it was there.
    async fn delete_secret(&self, hint: &str) -> Result<bool, Failure> {
        if !segment(hint) {
            return Err(Failure::remote("the hint of a secret is none that a path can carry"));
        }
        let path = format!("{}/client-secrets/{hint}", self.client_path()?);
        let response = self.send(Request::new("DELETE", ORIGIN, path).repeatable()).await?;
        match response.status() {
            404 => Ok(false),
            200..=299 => Ok(true),
            401 | 403 => Err(not_allowed(Some(&Refusal::of(&response)))),
            _ => Err(refused(&Refusal::of(&response), "delete a secret")),
        }
    }
}

/// The client may not manage its own secrets. To widen its rights for that would be worse than a person's visit.
fn not_allowed(refusal: Option<&Refusal>) -> Failure {
    let seen = refusal.map(|refusal| format!(" ({})", refusal.summary())).unwrap_or_default();
    Failure::you(format!(
        "the OAuth client lacks the right to see and make its own secrets{seen}, as it should, so a person makes the new one"
    ))
    .at(Stage::Permission)
    .remedy("make a new secret in the tenant (Administration activity center, OAuth, the client, \"Generate new secret\"), give it with --secret client_secret=@FILE, and delete the old one there when that has worked")
    .field(FIELD)
}

fn refused(refusal: &Refusal, what: &str) -> Failure {
    refusal.common().unwrap_or_else(|| {
        refusal.failure(
            Blame::Remote,
            Stage::Answer,
            format!("the tenant did not {what} ({})", refusal.summary()),
        )
    })
}
