//! The control plane of the binary, under `/__sim/`: no part of the simulated system and needing no key. It is bound to
//! loopback as everything else here.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::kit::clock;
use crate::kit::rounds::Changes;
use crate::kit::server;
use crate::qalyptus::config::{ErrorBody, ErrorDetails};
use crate::qalyptus::keys::NewKey;
use crate::qalyptus::problem::{Answer, Problem};
use crate::qalyptus::world::{Switches, World};

pub(crate) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/__sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__sim/requests", get(requests).delete(clear_requests))
        .route("/__sim/counters", get(counters))
        .route("/__sim/changes", post(change))
        .route("/__sim/line", put(line))
        .route("/__sim/certificate", put(certificate))
        .route("/__sim/switches", put(switch))
        .route("/__sim/keys", get(keys).post(make_key))
        .route("/__sim/keys/{id}", delete(delete_key))
        .route("/__sim/keys/{id}/{fate}", post(end_key))
        .with_state(world)
}

type System = State<Arc<World>>;

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::invalid(error.to_string()))
}

fn told(answer: Answer) -> Response {
    answer.unwrap_or_else(|problem| problem.answer(ErrorBody::Message, ErrorDetails::Null))
}

async fn faults(State(world): System) -> Response {
    axum::Json(json!({"data": world.faults.list(), "strikes": world.faults.strikes()})).into_response()
}

async fn add_fault(State(world): System, body: Bytes) -> Response {
    told(parsed::<Fault>(&body).map(|fault| {
        world.faults.add(fault);
        nothing()
    }))
}

async fn clear_faults(State(world): System) -> Response {
    world.faults.clear();
    nothing()
}

async fn requests(State(world): System) -> Response {
    axum::Json(json!({"data": world.journal.entries()})).into_response()
}

async fn clear_requests(State(world): System) -> Response {
    world.journal.clear();
    nothing()
}

async fn counters(State(world): System) -> Response {
    axum::Json(world.journal.counters()).into_response()
}

/// `{"percent": 1.0, "revision": 1}`.
async fn change(State(world): System, body: Bytes) -> Response {
    #[derive(Deserialize)]
    struct Wanted {
        percent: f64,
        revision: u32,
    }
    told(parsed::<Wanted>(&body).and_then(|wanted| {
        if !(0.0..=100.0).contains(&wanted.percent) {
            return Err(Problem::invalid("percent is from 0 to 100"));
        }
        world.change(Changes { percent: wanted.percent, revision: wanted.revision });
        Ok(nothing())
    }))
}

/// `{"kind": "refusing", "seconds": 5}`.
async fn line(State(world): System, body: Bytes) -> Response {
    ordered(server::order_line(&world.front, &body).await)
}

/// `{"kind": "expired", "seconds": 5}`.
async fn certificate(State(world): System, body: Bytes) -> Response {
    ordered(server::order_certificate(&world.front, &body).await)
}

fn ordered(outcome: Result<(), String>) -> Response {
    told(outcome.map(|()| nothing()).map_err(Problem::invalid))
}

async fn switch(State(world): System, body: Bytes) -> Response {
    told(parsed::<Switches>(&body).and_then(|switches| {
        world.switch(switches).map_err(|error| Problem::invalid(format!("{error:#}")))?;
        Ok(nothing())
    }))
}

async fn keys(State(world): System) -> Response {
    let keys = world.keys();
    let rows = keys.iter().map(|(id, key)| {
        json!({"id": id, "name": key.name, "owner": key.owner, "organization": key.organization,
            "expires": clock::text_ms(key.expires), "revoked": key.revoked})
    });
    axum::Json(json!({"data": rows.collect::<Value>()})).into_response()
}

/// `{"name", "owner", "organization", "seconds"}`, all optional; the answer holds the key.
async fn make_key(State(world): System, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: Option<String>,
        #[serde(default)]
        owner: u64,
        #[serde(default)]
        organization: u64,
        seconds: Option<u64>,
    }
    told(parsed::<Wanted>(&body).and_then(|wanted| {
        let usual = NewKey::default();
        let new = NewKey {
            name: wanted.name.unwrap_or(usual.name),
            owner: wanted.owner,
            organization: wanted.organization,
            life: wanted.seconds.map_or(usual.life, Duration::from_secs),
        };
        let made = world.make_key(&new).map_err(|error| Problem::invalid(error.to_string()))?;
        Ok((StatusCode::CREATED, axum::Json(json!({"id": made.id, "key": made.key}))).into_response())
    }))
}

async fn delete_key(State(world): System, Path(id): Path<String>) -> Response {
    let gone = world.keys().delete(&id);
    told(if gone { Ok(nothing()) } else { Err(Problem::not_found()) })
}

/// `expire` or `revoke`.
async fn end_key(State(world): System, Path((id, fate)): Path<(String, String)>) -> Response {
    let mut keys = world.keys();
    let mut end = || -> Answer {
        let key = keys.get_mut(&id).ok_or_else(Problem::not_found)?;
        match fate.as_str() {
            "expire" => key.expires = clock::now_ms(),
            "revoke" => key.revoked = true,
            _ => return Err(Problem::not_found()),
        }
        Ok(nothing())
    };
    told(end())
}
