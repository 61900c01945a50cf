//! Renewing an API key: a user may have several, so the new one is made with the old one, proven, and the old one deleted.
//!
//! A key is known by the attempt's id in its description. How long keys may live, and how many a user may have, is the tenant's to
//! say (`GET /api/v1/api-keys/configs/{tenantId}`); there is no call that renews a key in place.

use super::{
    ORIGIN, Page, Refusal, fields, get,
    key::{self, KEYS_PATH, LIMITS_PATH, SHORTEST_LIFE},
    person::segment,
};
use crate::settings::Settings;
use jackfield_plugin::{
    Blame, Context, Failure, Request, Secret, Stage,
    contract::{
        hooks::{Expiry, Staged, StagedValue, Swept},
        http::{Capture, CaptureFrom},
    },
    sdk::{Row, link},
};
use serde_json::json;

/// The name under which the new key is captured.
const NEW_KEY: &str = "new_key";
/// What the description of a key begins with that Jackfield made; the attempt's id follows.
const DESCRIPTION: &str = "Jackfield, attempt ";
/// A user has a handful of keys; more pages than this are no list of them.
const MOST_PAGES: u32 = 20;

/// An API key and the means to ask the tenant about it.
pub(crate) struct Renewal<'a> {
    context: &'a Context<Settings>,
    key: &'a Secret,
}

impl<'a> Renewal<'a> {
    pub(crate) fn new(context: &'a Context<Settings>, key: &'a Secret) -> Self {
        Renewal { context, key }
    }

    /// What the tenant knows of the key in use.
    pub(crate) async fn expiry(&self) -> Result<Expiry, Failure> {
        let known = key::inspect(self.context, self.key).await?;
        let Some(id) = known.id.filter(|id| segment(id)) else {
            let unknown = Failure::you("the key does not say its id, as keys of Qlik Cloud do, so it could not be deleted afterwards")
                .remedy("make a new key in the tenant and give it by `jackfield credential rotate … --secret`")
                .field(self.key.field());
            return Ok(Expiry { not_by_itself: Some(unknown), ..Expiry::default() });
        };
        let response = self.context.http().send(&get(format!("{KEYS_PATH}/{id}")).bearer(self.key)).await?;
        if !response.is_success() {
            return Err(self.refused(&Refusal::of(&response), "tell of the key in use"));
        }
        let expires_at = known.expires.map(|seconds| seconds * 1000);
        Ok(Expiry { expires_at, remote_id: Some(id), not_by_itself: None })
    }

    /// Makes a new key that lives as long as the old one was made for, or as long as the tenant allows.
    pub(crate) async fn stage(&self) -> Result<Staged, Failure> {
        let rotation = self.context.rotation()?;
        let life = self.life(rotation.current.remote_id.as_deref()).await?;
        let request = Request::post(ORIGIN, KEYS_PATH)
            .header("accept", "application/json")
            .json(json!({
                "description": format!("{DESCRIPTION}{}", rotation.attempt),
                "expiry": key::duration(life),
            }))
            .bearer(self.key)
            .step("make the key")
            .capture(Capture {
                from: CaptureFrom::Json { pointer: "/token".to_owned() },
                name: NEW_KEY.to_owned(),
                keep: None,
            });
        let response = self.context.http().send(&request).await?;
        if !response.is_success() {
            return Err(self.refused(&Refusal::of(&response), "make a new key"));
        }
        if !response.captured(NEW_KEY) {
            return Err(Failure::remote("the tenant says that it made a new key, but does not show it"));
        }
        let record = fields(&response);
        let ends = record.text("expiry").and_then(|text| key::seconds_of_time(&text));
        Ok(Staged {
            values: vec![StagedValue { field: self.key.field().to_owned(), captured: NEW_KEY.to_owned() }],
            remote_id: record.text("id").map(|id| id.into_owned()),
            expires_at: ends.map(|seconds| seconds * 1000),
        })
    }

    /// Deletes the key that was in use before.
    pub(crate) async fn retire(&self) -> Result<(), Failure> {
        let old = self.context.rotation()?.other.as_ref().and_then(|old| old.remote_id.as_deref());
        let in_use = key::inspect(self.context, self.key).await?.id;
        match old.filter(|id| segment(id)) {
            // Somebody has put it back.
            Some(id) if in_use.as_deref() == Some(id) => Ok(()),
            Some(id) => self.delete(id).await.map(drop),
            None => Err(Failure::jackfield("the id of the old key is not known, so it cannot be deleted")),
        }
    }

    /// Deletes the keys of this attempt, but for the one that is in use.
    pub(crate) async fn sweep(&self) -> Result<Swept, Failure> {
        let description = format!("{DESCRIPTION}{}", self.context.rotation()?.attempt);
        let in_use = key::inspect(self.context, self.key).await?;
        let own = self.context.settings().tenant_url.authority();
        let mut found = Vec::new();
        let mut next = Some(get(KEYS_PATH).query("limit", 100));
        for _ in 0..MOST_PAGES {
            let Some(request) = next.take() else { break };
            let response = self.context.http().send(&request.bearer(self.key)).await?;
            if !response.is_success() {
                return Err(self.refused(&Refusal::of(&response), "list the keys"));
            }
            let page: Page<'_> = response.page()?;
            let is =
                |row: &Row<'_>, name: &str, value: &str| row.text(name).is_some_and(|text| text == value);
            let ours = page.data.iter().filter(|row| {
                is(row, "description", &description)
                    && in_use.subject.as_deref().is_none_or(|subject| is(row, "sub", subject))
                    && !in_use.id.as_deref().is_some_and(|id| is(row, "id", id))
            });
            found.extend(ours.filter_map(|row| Some(row.text("id")?.into_owned())));
            next = page.next().map(|next| link::path_of(&next, [own])).transpose()?.map(get);
        }
        if next.is_some() {
            return Err(Failure::remote(
                "the tenant's list of keys does not end, so nobody knows what is left",
            ));
        }
        let mut removed = 0;
        for id in found.iter().filter(|id| segment(id)) {
            removed += u32::from(self.delete(id).await?);
        }
        Ok(Swept { removed })
    }

    /// Deletes a key; answers whether it was there.
    async fn delete(&self, id: &str) -> Result<bool, Failure> {
        let request =
            Request::new("DELETE", ORIGIN, format!("{KEYS_PATH}/{id}")).bearer(self.key).repeatable();
        let response = self.context.http().send(&request).await?;
        match response.status() {
            404 => Ok(false),
            200..=299 => Ok(true),
            _ => Err(self.refused(&Refusal::of(&response), "delete a key")),
        }
    }

    /// How long a new key is to live, in seconds.
    async fn life(&self, id: Option<&str>) -> Result<i64, Failure> {
        let id = id.filter(|id| segment(id)).unwrap_or_default();
        let response = self.context.http().send(&get(format!("{KEYS_PATH}/{id}")).bearer(self.key)).await?;
        if !response.is_success() {
            return Err(self.refused(&Refusal::of(&response), "tell of the key in use"));
        }
        let record: Row<'_> = response.json()?;
        let Some(before) = key::life(&record) else {
            return Err(Failure::remote(
                "the tenant does not say for how long the key in use was made, so a new one could be made for too short",
            ));
        };
        let before = before.max(SHORTEST_LIFE);
        let Some(tenant) = record.text("tenantId").filter(|id| segment(id)) else { return Ok(before) };
        let limits = get(format!("{LIMITS_PATH}/{tenant}")).bearer(self.key);
        let response = self.context.http().send(&limits).await?;
        if !response.is_success() {
            return Err(self.refused(&Refusal::of(&response), "tell how long keys may live"));
        }
        let limits: Row<'_> = response.json()?;
        let most = limits.text("max_api_key_expiry").and_then(|most| key::seconds_of_duration(&most));
        match most {
            Some(most) if most < SHORTEST_LIFE => Err(key::too_short(self.key, most)),
            most => Ok(before.min(most.unwrap_or(before))),
        }
    }

    fn refused(&self, refusal: &Refusal, what: &str) -> Failure {
        if let Some(failure) = refusal.common() {
            return failure;
        }
        let failure = match refusal.status {
            401 | 403 if what != "make a new key" => refusal
                .failure(Blame::Credential, Stage::Permission, format!("the tenant did not {what} ({})", refusal.summary()))
                .remedy("the key in use was revoked or has ended, or its user has lost the permission \"Manage API keys\": make a new key in the tenant and give it with --secret"),
            401 | 403 => refusal
                .failure(Blame::Credential, Stage::Permission, format!("the tenant did not {what} ({})", refusal.summary()))
                .remedy("its user needs the permission \"Manage API keys\", and a free place among the keys that the tenant lets a user have: delete keys that nobody uses (avatar, Profile settings, API keys)"),
            _ => refusal.failure(Blame::Remote, Stage::Answer, format!("the tenant did not {what} ({})", refusal.summary())),
        };
        failure.field(self.key.field())
    }
}
