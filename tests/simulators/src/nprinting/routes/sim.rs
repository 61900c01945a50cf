//! The control plane of the binary, under `/__sim/`: no part of the simulated system and needing nobody signed in. It is
//! bound to loopback as everything else here.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::kit::server;
use crate::nprinting::config::Changes;
use crate::nprinting::control::lower_case;
use crate::nprinting::jwt::Verifier;
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::routes::answer;
use crate::nprinting::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/__sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__sim/requests", get(requests).delete(clear_requests))
        .route("/__sim/counters", get(counters))
        .route("/__sim/changes", post(change))
        .route("/__sim/line", put(line))
        .route("/__sim/certificate", put(certificate))
        .route("/__sim/jwt-certificate", post(register))
        .route("/__sim/sessions", get(sessions).delete(expire_sessions))
}

type Server = State<Arc<World>>;

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn faults(State(world): Server) -> Response {
    axum::Json(json!({"data": world.faults.list(), "strikes": world.faults.strikes()})).into_response()
}

async fn add_fault(State(world): Server, body: Bytes) -> Response {
    let add = || -> Answer {
        let fault: Fault =
            serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
        world.faults.add(lower_case(fault));
        Ok(nothing())
    };
    answer(&world, add())
}

async fn clear_faults(State(world): Server) -> Response {
    world.faults.clear();
    nothing()
}

async fn requests(State(world): Server) -> Response {
    axum::Json(json!({"data": world.journal.entries()})).into_response()
}

async fn clear_requests(State(world): Server) -> Response {
    world.journal.clear();
    nothing()
}

async fn counters(State(world): Server) -> Response {
    axum::Json(world.journal.counters()).into_response()
}

/// The body is the certificate, PEM.
async fn register(State(world): Server, body: String) -> Response {
    match Verifier::from_pem(&body) {
        Ok(verifier) => {
            world.settings().verifier = Some(Arc::new(verifier));
            nothing()
        }
        Err(error) => answer(&world, Err(Problem::invalid(error.to_string()))),
    }
}

async fn sessions(State(world): Server) -> Response {
    let sessions = world.sessions();
    axum::Json(json!({"open": sessions.count(None), "issued": sessions.issued()})).into_response()
}

async fn expire_sessions(State(world): Server) -> Response {
    world.sessions().close_all();
    nothing()
}

/// `{"percent": 1.0, "revision": 1}`.
async fn change(State(world): Server, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (percent, revision) = (body["percent"].as_f64(), body["revision"].as_u64());
    let (Some(percent), Some(revision)) =
        (percent.filter(|percent| (0.0..=100.0).contains(percent)), revision)
    else {
        return answer(&world, Err(Problem::invalid("percent (0 to 100) and revision are required")));
    };
    world.change(Changes { percent, revision: revision as u32 });
    nothing()
}

/// `{"kind": "refusing", "seconds": 5}`.
async fn line(State(world): Server, body: Bytes) -> Response {
    ordered(&world, server::order_line(&world.front, &body).await)
}

/// `{"kind": "expired", "seconds": 5}`.
async fn certificate(State(world): Server, body: Bytes) -> Response {
    ordered(&world, server::order_certificate(&world.front, &body).await)
}

fn ordered(world: &World, outcome: Result<(), String>) -> Response {
    answer(world, outcome.map(|()| nothing()).map_err(Problem::invalid))
}
