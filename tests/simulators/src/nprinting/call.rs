//! One request as a handler sees it: the server, the caller and the query.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kit::clock;
use crate::kit::json::Json;
use crate::nprinting::config::ErrorBody;
use crate::nprinting::data::Kind;
use crate::nprinting::directory::Made;
use crate::nprinting::lists::may;
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::{Query, guid};
use crate::nprinting::rights::{App, Caller, Permission, to_see};
use crate::nprinting::world::World;

/// A request that was let in.
pub(crate) struct Call {
    /// The server.
    pub(crate) world: Arc<World>,
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// Query.
    pub(crate) query: Query,
}

impl FromRequestParts<Arc<World>> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        let refused = || Problem::unauthorized().answer(ErrorBody::Result);
        Ok(Self {
            world: Arc::clone(world),
            caller: caller.ok_or_else(refused)?,
            query: parts.extensions.get::<Query>().cloned().unwrap_or_default(),
        })
    }
}

impl Call {
    /// One row as an answer: 400 for what is no GUID, 404 where there is no row or the caller does not see it.
    pub(crate) fn one(&self, kind: Kind, id: &str) -> Answer {
        let place = may(self, to_see(kind), kind, guid(id)?)?;
        let mut out = Json::with_capacity(2048);
        out.raw(r#"{"data":"#);
        self.world.write(&self.world.directory(), kind, place, &mut out);
        out.close(b'}');
        Ok(bytes(out))
    }

    /// Makes a row on behalf of the caller, who must be allowed to.
    pub(crate) fn make(
        &self,
        kind: Kind,
        mut row: Map<String, Value>,
        app: Option<Uuid>,
    ) -> Result<Uuid, Problem> {
        let catalog = self.world.catalog();
        if !self.caller.may(Permission::Edit, &catalog, app.map(|app| App::of(&catalog, app))) {
            return Err(Problem::forbidden());
        }
        row.entry("enabled").or_insert(Value::Bool(true));
        Ok(self.add(kind, row, app))
    }

    /// Adds a row.
    pub(crate) fn add(&self, kind: Kind, members: Map<String, Value>, parent: Option<Uuid>) -> Uuid {
        let (id, stamp) = (Uuid::new_v4(), self.world.stamp());
        let mut row = Map::new();
        row.insert("id".to_owned(), id.to_string().into());
        row.extend(members);
        row.insert("created".to_owned(), stamp.into());
        if kind != Kind::Request {
            row.insert("lastUpdate".to_owned(), stamp.into());
        }
        let made = Made { id, row, parent, by: Some(self.caller.user), at: clock::now_ms() };
        self.world.editing().make(kind, made);
        id
    }

    /// Changes members of a row, if the caller may.
    pub(crate) fn change(&self, kind: Kind, id: &str, mut row: Map<String, Value>) -> Result<(), Problem> {
        let id = guid(id)?;
        may(self, Permission::Edit, kind, id)?;
        row.insert("lastUpdate".to_owned(), self.world.stamp().into());
        self.world.editing().change(kind, id, row);
        Ok(())
    }

    /// Removes a row, if the caller may.
    pub(crate) fn remove(&self, kind: Kind, id: &str) -> Answer {
        let id = guid(id)?;
        may(self, Permission::Edit, kind, id)?;
        self.world.editing().remove(kind, id);
        Ok(done())
    }

    /// The answer to a creation: 201, nothing in the body, the GUID at the end of `Location`.
    pub(crate) fn created(&self, path: &str, id: Uuid) -> Response {
        let location = format!("{}/api/v1/{path}/{id}", self.world.base_url);
        (StatusCode::CREATED, [(header::LOCATION, location)]).into_response()
    }
}

/// A written body.
pub(crate) fn bytes(out: Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], out.into_bytes()).into_response()
}

/// Success with nothing in the body.
pub(crate) fn done() -> Response {
    StatusCode::OK.into_response()
}

/// A body that must be an object; keys in any case become those of `members`, others are ignored.
pub(crate) fn object(body: &Bytes, members: &[&str]) -> Result<Map<String, Value>, Problem> {
    let sent: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| Problem::invalid(error.to_string()))?;
    let known = sent.into_iter().filter_map(|(key, value)| {
        let member = members.iter().find(|member| member.eq_ignore_ascii_case(&key))?;
        Some(((*member).to_owned(), value))
    });
    Ok(known.collect())
}

/// A text that must be there.
pub(crate) fn required(row: &Map<String, Value>, member: &str) -> Result<String, Problem> {
    let text = row.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| Problem::invalid(format!("{member} is required")))
}

/// A body that must be an array of GUIDs.
pub(crate) fn guids(body: &Bytes) -> Result<Vec<Uuid>, Problem> {
    let texts: Vec<String> =
        serde_json::from_slice(body).map_err(|error| Problem::invalid(error.to_string()))?;
    texts.iter().map(|text| guid(text)).collect()
}
