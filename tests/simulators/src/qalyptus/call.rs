//! One request as a handler sees it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::kit::json::Json;
use crate::qalyptus::data::Kind;
use crate::qalyptus::endpoints::Need;
use crate::qalyptus::paging::Query;
use crate::qalyptus::problem::Problem;
use crate::qalyptus::sessions::Bearer;
use crate::qalyptus::world::World;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Index of the user.
    pub(crate) user: u64,
    /// The one organization that the key reaches.
    pub(crate) organization: Option<u64>,
    /// 0 administers, 1 develops, 2 uses.
    rank: u64,
}

impl Caller {
    /// By the key, or by a token of the server product's sign-in.
    pub(crate) fn identify(world: &World, headers: &HeaderMap) -> Result<Self, Problem> {
        let settings = world.settings();
        let header = headers.get(settings.key_header.name.as_str()).and_then(|value| value.to_str().ok());
        if let Some(value) = header.and_then(|value| value.strip_prefix(settings.key_header.before.as_str()))
        {
            let keys = world.keys();
            if let Some(key) = keys.valid(value) {
                let barred = !settings.keys.enabled || settings.barred.contains(&key.owner);
                let caller = Self::of(world, key.owner, key.organization).filter(|_| !barred);
                return caller.ok_or_else(Problem::unauthorized);
            }
        }
        let life = world.config.session_life;
        match bearer(headers).map(|token| world.sessions().bearer(token, life)) {
            Some(Bearer::User(user)) => Self::of(world, user, None).ok_or_else(Problem::unauthorized),
            Some(Bearer::Expired) => Err(Problem::token_expired()),
            Some(Bearer::Unknown) | None => Err(Problem::unauthorized()),
        }
    }

    fn of(world: &World, user: u64, organization: Option<u64>) -> Option<Self> {
        let catalog = world.catalog();
        let may = catalog.exists(Kind::User, user) && world.is_active(user) && !catalog.is_recipient(user);
        may.then(|| Self { user, organization, rank: catalog.rank(user) })
    }

    /// May the caller do what needs this?
    pub(crate) fn may(&self, need: Need) -> bool {
        match need {
            Need::Nobody | Need::Anyone => true,
            Need::Content => self.rank <= 1,
            Need::Administration => self.rank == 0,
        }
    }

    /// May the caller see a row?
    pub(crate) fn sees(&self, world: &World, kind: Kind, index: u64) -> bool {
        self.organization.is_none_or(|organization| world.catalog().belongs(kind, index, organization))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// A request that was let in.
pub(crate) struct Call {
    /// The system.
    pub(crate) world: Arc<World>,
    /// Who calls; nobody where nobody need.
    pub(crate) caller: Option<Caller>,
    /// Path as it was sent.
    pub(crate) path: String,
    /// Query.
    pub(crate) query: Query,
    /// The ids of its path.
    pub(crate) ids: Vec<String>,
    /// Body.
    pub(crate) body: Bytes,
}

impl Call {
    /// Who calls.
    pub(crate) fn caller(&self) -> Result<Caller, Problem> {
        self.caller.ok_or_else(Problem::unauthorized)
    }

    /// The row that an id of the path means: 404 where there is none or the caller does not see it.
    pub(crate) fn row(&self, kind: Kind, at: usize) -> Result<u64, Problem> {
        let id = self.ids.get(at).map(String::as_str).unwrap_or_default();
        let index = self.world.catalog().find(kind, id).ok_or_else(Problem::not_found)?;
        if self.caller()?.sees(&self.world, kind, index) { Ok(index) } else { Err(Problem::not_found()) }
    }

    /// The project that the query asks for; `Some(None)` for one that nobody knows.
    pub(crate) fn project(&self) -> Option<Option<u64>> {
        self.query.get("projectId").map(|id| self.world.catalog().find(Kind::Project, id))
    }

    /// The body, which must be an object.
    pub(crate) fn object(&self) -> Result<Value, Problem> {
        let value: Value =
            serde_json::from_slice(&self.body).map_err(|error| Problem::invalid(error.to_string()))?;
        if value.is_object() { Ok(value) } else { Err(Problem::invalid("the body must be an object")) }
    }
}

/// A written body.
pub(crate) fn bytes(out: Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], out.into_bytes()).into_response()
}
