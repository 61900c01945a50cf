//! One request as a handler sees it: the site, the caller, the query.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::qlik_onprem::cell::Row;
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::query::Query;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::world::World;

/// A request that was let in.
pub(crate) struct Call {
    /// The site.
    pub(crate) world: Arc<World>,
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// Query.
    pub(crate) query: Query,
    /// It came through the proxy.
    pub(crate) proxied: bool,
}

/// Marks a request that came through the proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proxied;

impl FromRequestParts<Arc<World>> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        Ok(Self {
            world: Arc::clone(world),
            caller: caller.ok_or_else(|| Problem::forbidden().into_response())?,
            query: parts.extensions.get::<Query>().cloned().unwrap_or_default(),
            proxied: parts.extensions.get::<Proxied>().is_some(),
        })
    }
}

/// A body that must be JSON.
pub(crate) fn json(body: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("Invalid JSON in the body: {error}")))
}

/// A body that must be an object.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Problem::invalid("The body must be an object")),
    }
}

/// A member by its name in any case.
pub(crate) fn member<'a>(value: &'a Value, key: &str) -> &'a Value {
    let found = value.as_object().and_then(|map| map.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)));
    found.map_or(&Value::Null, |(_, value)| value)
}

/// An answer with a row.
pub(crate) fn one(status: StatusCode, row: &Row) -> Response {
    (status, axum::Json(row.json())).into_response()
}

/// An answer with JSON.
pub(crate) fn ok(value: Value) -> Response {
    axum::Json(value).into_response()
}

/// A single value: those come wrapped.
pub(crate) fn scalar(status: StatusCode, value: impl Into<Value>) -> Response {
    (status, axum::Json(serde_json::json!({"value": value.into()}))).into_response()
}

/// Nothing to say.
pub(crate) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Headers by name, as text.
pub(crate) fn text<'a>(headers: &'a axum::http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Is the body JSON, by what the request says? Nothing said is fine.
pub(crate) fn is_json(headers: &axum::http::HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.is_empty() || kind.to_ascii_lowercase().starts_with("application/json")
}
