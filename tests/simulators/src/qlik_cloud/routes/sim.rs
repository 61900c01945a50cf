//! The control plane of the binary, under `/__sim/`: no part of the simulated system and needing no token. It is bound
//! to loopback as everything else here.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::kit::server;
use crate::qlik_cloud::call::{json as answer, nothing};
use crate::qlik_cloud::config::Changes;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::sign_in::{JwtAuthorization, OwnProvider};
use crate::qlik_cloud::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/__sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__sim/requests", get(requests).delete(clear_requests))
        .route("/__sim/counters", get(counters))
        .route("/__sim/limits/reset", post(reset_limits))
        .route("/__sim/sign-in", get(sign_in).put(set_sign_in))
        .route("/__sim/sessions", get(sessions).delete(expire_sessions))
        .route("/__sim/changes", post(change))
        .route("/__sim/line", put(line))
        .route("/__sim/certificate", put(certificate))
}

type Tenant = State<Arc<World>>;

async fn faults(State(world): Tenant) -> Response {
    answer(200, &json!({"data": world.faults.list(), "strikes": world.faults.strikes()}))
}

async fn add_fault(State(world): Tenant, body: Bytes) -> Answer {
    let fault: Fault = serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
    world.faults.add(fault);
    Ok(nothing())
}

async fn clear_faults(State(world): Tenant) -> Response {
    world.faults.clear();
    nothing()
}

async fn requests(State(world): Tenant) -> Response {
    axum::Json(json!({"data": world.journal.entries()})).into_response()
}

async fn clear_requests(State(world): Tenant) -> Response {
    world.journal.clear();
    nothing()
}

async fn counters(State(world): Tenant) -> Response {
    axum::Json(world.journal.counters()).into_response()
}

async fn reset_limits(State(world): Tenant) -> Response {
    world.limiter.reset();
    nothing()
}

async fn sign_in(State(world): Tenant) -> Response {
    let sign_in = world.sign_in();
    let own = sign_in.own_provider.as_ref().map(|own| &own.provider);
    answer(200, &json!({"jwtAuthorization": sign_in.jwt, "ownProvider": own}))
}

/// `{"jwtAuthorization": "active"}`, `{"ownProvider": "okta"}` (`null` takes it away), or both.
async fn set_sign_in(State(world): Tenant, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
    let mut sign_in = world.sign_in();
    if let Some(jwt) = body.get("jwtAuthorization") {
        sign_in.jwt =
            JwtAuthorization::deserialize(jwt).map_err(|error| Problem::invalid(error.to_string()))?;
    }
    if let Some(own) = body.get("ownProvider") {
        let own = own.as_str().map(str::to_owned);
        sign_in.own_provider = own.map(|provider| OwnProvider { provider, ..OwnProvider::default() });
    }
    Ok(nothing())
}

async fn sessions(State(world): Tenant) -> Response {
    let sessions = world.sessions();
    answer(200, &json!({"open": sessions.count(), "issued": sessions.issued()}))
}

async fn expire_sessions(State(world): Tenant) -> Response {
    world.sessions().close_all();
    nothing()
}

/// `{"percent": 1.0, "revision": 1}`.
async fn change(State(world): Tenant, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
    let (percent, revision) = (body["percent"].as_f64(), body["revision"].as_u64());
    let (Some(percent), Some(revision)) =
        (percent.filter(|percent| (0.0..=100.0).contains(percent)), revision)
    else {
        return Err(Problem::invalid("percent (0 to 100) and revision are required"));
    };
    world.change(Changes { percent, revision: revision as u32 });
    Ok(nothing())
}

/// `{"kind": "refusing", "seconds": 5}`.
async fn line(State(world): Tenant, body: Bytes) -> Answer {
    server::order_line(&world.front, &body).await.map_err(Problem::invalid)?;
    Ok(nothing())
}

/// `{"kind": "expired", "seconds": 5}`.
async fn certificate(State(world): Tenant, body: Bytes) -> Answer {
    server::order_certificate(&world.front, &body).await.map_err(Problem::invalid)?;
    Ok(nothing())
}
