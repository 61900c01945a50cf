//! The control plane of the binary, under `/__sim/`: no part of the simulated system and needing nobody signed in. It is
//! bound to loopback as everything else here.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post, put};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::kit::server;
use crate::qlik_onprem::call::{done, ok};
use crate::qlik_onprem::config::Changes;
use crate::qlik_onprem::control::lower_case;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/__sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__sim/requests", get(requests).delete(clear_requests))
        .route("/__sim/counters", get(counters))
        .route("/__sim/changes", post(change))
        .route("/__sim/line", put(line))
        .route("/__sim/certificate", put(certificate))
        .route("/__sim/proxy-line", put(proxy_line))
        .route("/__sim/proxy-certificate", put(proxy_certificate))
        .route("/__sim/events", get(events).delete(clear_events))
        .route("/__sim/sessions", get(sessions).delete(end_sessions))
}

type Site = State<Arc<World>>;

async fn faults(State(world): Site) -> Response {
    ok(json!({"data": world.faults.list(), "strikes": world.faults.strikes()}))
}

async fn add_fault(State(world): Site, body: Bytes) -> Response {
    let add = || -> Answer {
        let fault: Fault =
            serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
        world.faults.add(lower_case(fault));
        Ok(done())
    };
    answer(add())
}

async fn clear_faults(State(world): Site) -> Response {
    world.faults.clear();
    done()
}

async fn requests(State(world): Site) -> Response {
    ok(json!({"data": world.journal.entries()}))
}

async fn clear_requests(State(world): Site) -> Response {
    world.journal.clear();
    done()
}

async fn counters(State(world): Site) -> Response {
    ok(json!(world.journal.counters()))
}

async fn events(State(world): Site) -> Response {
    ok(json!({"data": world.store().events()}))
}

async fn clear_events(State(world): Site) -> Response {
    world.store().forget_events();
    done()
}

async fn sessions(State(world): Site) -> Response {
    let mut sessions = world.sessions();
    ok(json!({"open": sessions.count(), "issued": sessions.issued()}))
}

async fn end_sessions(State(world): Site) -> Response {
    world.sessions().close_all();
    done()
}

/// `{"percent": 1.0, "revision": 1}`.
async fn change(State(world): Site, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let percent = body["percent"].as_f64().filter(|percent| (0.0..=100.0).contains(percent));
    let changes = percent.zip(body["revision"].as_u64());
    let Some((percent, revision)) = changes else {
        return answer(Err(Problem::invalid("percent (0 to 100) and revision are required")));
    };
    world.change(Changes { percent, revision: revision as u32 });
    done()
}

/// `{"kind": "refusing", "seconds": 5}`, of the repository's port.
async fn line(State(world): Site, body: Bytes) -> Response {
    ordered(server::order_line(&world.repository, &body).await)
}

/// `{"kind": "expired", "seconds": 5}`, of the repository's port.
async fn certificate(State(world): Site, body: Bytes) -> Response {
    ordered(server::order_certificate(&world.repository, &body).await)
}

/// The same of the proxy's port.
async fn proxy_line(State(world): Site, body: Bytes) -> Response {
    ordered(server::order_line(&world.proxy, &body).await)
}

/// The same of the proxy's port.
async fn proxy_certificate(State(world): Site, body: Bytes) -> Response {
    ordered(server::order_certificate(&world.proxy, &body).await)
}

fn ordered(outcome: Result<(), String>) -> Response {
    answer(outcome.map(|()| done()).map_err(Problem::invalid))
}
