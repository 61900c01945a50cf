//! The proxy's own API: sessions and tickets, of the virtual proxy that the path names. It writes its members with
//! capitals, unlike the repository.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path};
use axum::http::{HeaderValue, StatusCode, request::Parts};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::qlik_onprem::call::{Call, json, member, ok};
use crate::qlik_onprem::cell::Row;
use crate::qlik_onprem::gate::About;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::sessions::Opening;
use crate::qlik_onprem::signin::{open, opening, told};
use crate::qlik_onprem::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qps/alive", get(async || ok(json!(true))))
        .route("/qps/health", get(async || ok(json!("Service is healthy"))))
        .route("/qps/session", get(sessions).post(create))
        .route("/qps/session/{id}", get(session).delete(close))
        .route("/qps/ticket", post(ticket))
        .route("/qps/user/{directory}/{id}", get(of_user).delete(close_user))
        .route("/qps/user", get(own))
        .route("/qps/csrftoken", get(token))
        .route("/qps/about/openapi", get(async || ok(json!(["main"]))))
}

/// The virtual proxy that a call is about.
struct Of(Row);

impl FromRequestParts<Arc<World>> for Of {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<World>) -> Result<Self, Problem> {
        parts.extensions.get::<About>().map(|About(row)| Self(row.clone())).ok_or_else(Problem::not_found)
    }
}

impl Of {
    fn id(&self) -> Uuid {
        self.0.id("id").unwrap_or_default()
    }
}

async fn sessions(call: Call, of: Of) -> Response {
    let sessions = call.world.sessions().of_proxy(of.id());
    ok(sessions.iter().map(told).collect())
}

async fn session(call: Call, of: Of, Path(id): Path<String>) -> Response {
    let found = call.world.sessions().find(of.id(), &id);
    answer(found.map(|session| ok(told(&session))).ok_or_else(Problem::not_found))
}

/// Whom a body names.
fn named(of: &Of, body: &Value) -> Result<Opening, Problem> {
    let text = |key: &str| {
        let text = member(body, key).as_str().unwrap_or_default().trim().to_owned();
        let fine = !text.is_empty() && !text.contains('\\');
        if fine { Ok(text) } else { Err(Problem::invalid(format!("Invalid value for {key}"))) }
    };
    let attributes = match member(body, "Attributes") {
        Value::Null => json!([]),
        attributes => attributes.clone(),
    };
    Ok(opening(&of.0, text("UserDirectory")?, text("UserId")?, attributes))
}

async fn create(call: Call, of: Of, body: Bytes) -> Response {
    let create = || -> Answer {
        let body = json(&body)?;
        let id = member(&body, "SessionId").as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let session = open(&call.world, named(&of, &body)?, id)?;
        Ok((StatusCode::CREATED, axum::Json(told(&session))).into_response())
    };
    answer(create())
}

async fn close(call: Call, of: Of, Path(id): Path<String>) -> Response {
    let closed = call.world.sessions().close(of.id(), &id);
    let told =
        closed.map(|(session, last)| ok(json!({"Session": told(&session), "LastSessionForUser": last})));
    answer(told.ok_or_else(Problem::not_found))
}

async fn ticket(call: Call, of: Of, body: Bytes) -> Response {
    let ticket = || -> Answer {
        let body = json(&body)?;
        let opening = named(&of, &body)?;
        let mut told = Map::new();
        told.insert("UserDirectory".to_owned(), opening.directory.clone().into());
        told.insert("UserId".to_owned(), opening.user.clone().into());
        told.insert("Attributes".to_owned(), opening.attributes.clone());
        told.insert("Ticket".to_owned(), call.world.sessions().issue(opening).into());
        told.insert("TargetUri".to_owned(), Value::Null);
        Ok((StatusCode::CREATED, axum::Json(Value::Object(told))).into_response())
    };
    answer(ticket())
}

async fn of_user(call: Call, of: Of, Path((directory, id)): Path<(String, String)>) -> Response {
    let sessions = call.world.sessions().of_user(of.id(), &directory, &id);
    ok(sessions.iter().map(told).collect())
}

async fn close_user(call: Call, of: Of, Path((directory, id)): Path<(String, String)>) -> Response {
    let mut sessions = call.world.sessions();
    let closed = sessions.of_user(of.id(), &directory, &id);
    for session in &closed {
        sessions.close(of.id(), &session.id);
    }
    ok(closed.iter().map(told).collect())
}

/// Who one is, through the proxy.
async fn own(call: Call) -> Response {
    let (directory, id) = call.caller.account.split_once('\\').unwrap_or_default();
    ok(json!({"userDirectory": directory, "userId": id, "userName": id}))
}

/// The token that newer releases ask for before a web socket.
async fn token(_: Call) -> Response {
    let token = HeaderValue::from_str(&Uuid::new_v4().simple().to_string());
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(token) = token {
        response.headers_mut().insert("qlik-csrf-token", token);
    }
    response
}
