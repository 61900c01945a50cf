//! One request as a handler sees it: the tenant, the caller, the path and the query.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::kit::json::Json;
use crate::qlik_cloud::caller::{Caller, Sight};
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::query::Query;
use crate::qlik_cloud::world::World;

/// A request that passed the gate.
pub(crate) struct Call {
    /// The tenant.
    pub(crate) world: Arc<World>,
    /// Who calls; nobody on public routes.
    caller: Option<Arc<Caller>>,
    /// Path.
    pub(crate) path: String,
    /// Query.
    pub(crate) query: Query,
}

impl FromRequestParts<Arc<World>> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Infallible> {
        Ok(Self {
            world: Arc::clone(world),
            caller: parts.extensions.get::<Arc<Caller>>().cloned(),
            path: parts.uri.path().to_owned(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
        })
    }
}

impl Call {
    /// Who calls.
    pub(crate) fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_deref().ok_or_else(Problem::unauthorized)
    }

    /// A test of which rows of a kind the caller sees.
    pub(crate) fn visible(
        &self,
        catalog: &Arc<Catalog>,
        kind: Kind,
    ) -> Result<impl Fn(u64) -> bool + Send + Sync + use<>, Problem> {
        let caller = self.caller.clone().ok_or_else(Problem::unauthorized)?;
        let (catalog, sight) = (Arc::clone(catalog), caller.sight(kind));
        Ok(move |index| match sight {
            Sight::All => true,
            sight => caller.sees(sight, &catalog, kind, index),
        })
    }

    /// One row as an answer; 404 where there is none or the caller does not see it.
    pub(crate) fn one(
        &self,
        kind: Kind,
        find: impl Fn(&Catalog) -> Option<u64>,
        write: impl Fn(&Catalog, u64, &mut Json),
    ) -> Answer {
        let catalog = self.world.catalog();
        let visible = self.visible(&catalog, kind)?;
        let index = find(&catalog).filter(|index| visible(*index)).ok_or_else(Problem::not_found)?;
        let mut out = Json::with_capacity(4096);
        write(&catalog, index, &mut out);
        Ok(bytes(out))
    }
}

/// A written body.
pub(crate) fn bytes(out: Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], out.into_bytes()).into_response()
}

/// A tree of values as a body.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    (status, axum::Json(value)).into_response()
}

/// 204.
pub(crate) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A body that must be a JSON object.
pub(crate) fn object(body: &Bytes) -> Result<Value, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Problem::invalid(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(Problem::invalid("the body must be an object")) }
}

/// A required text member.
pub(crate) fn required<'a>(body: &'a Value, member: &str) -> Result<&'a str, Problem> {
    let text = body[member].as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| Problem::invalid(format!("{member} is required")))
}

/// One operation of a JSON Patch.
pub(crate) struct Operation {
    /// `add`, `remove`, `replace`, …
    pub(crate) op: String,
    /// Path.
    pub(crate) path: String,
    /// Value.
    pub(crate) value: Value,
}

/// A body that must be a JSON Patch on allowed paths.
pub(crate) fn patch(body: &Bytes, ops: &[&str], paths: &[&str]) -> Result<Vec<Operation>, Problem> {
    let list: Vec<Value> = serde_json::from_slice(body).map_err(|error| Problem::invalid(error.to_string()))?;
    let operations = list.into_iter().map(|mut item| Operation {
        op: item["op"].as_str().unwrap_or_default().to_owned(),
        path: item["path"].as_str().unwrap_or_default().to_owned(),
        value: item["value"].take(),
    });
    let operations: Vec<Operation> = operations.collect();
    let refused = operations
        .iter()
        .find(|one| !ops.contains(&one.op.as_str()) || !paths.contains(&one.path.as_str()));
    match refused {
        Some(one) => Err(Problem::invalid(format!("cannot {} «{}»", one.op, one.path))),
        None => Ok(operations),
    }
}
