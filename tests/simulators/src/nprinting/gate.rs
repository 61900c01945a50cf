//! The gate in front of every route: journal, faults, spelling of the path, sign-in — in this order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use crate::faults::{BodyKind, FaultKind};
use crate::journal::Received;
use crate::kit::clock;
use crate::kit::sabotage::{self, Target};
use crate::nprinting::config::{ErrorBody, Tls};
use crate::nprinting::problem::Problem;
use crate::nprinting::query::Query;
use crate::nprinting::signin;
use crate::nprinting::world::World;

/// Routes that need nobody signed in.
const PUBLIC: [&str; 4] = ["/", "/login", "/api/v1/login/ntlm", "/api/v1/logout"];
/// The control plane.
pub(crate) const CONTROL: &str = "/__sim/";

/// Wraps the routes: paths reach them in lower case.
pub(crate) fn guarded(world: Arc<World>, routes: Router) -> Router {
    Router::new().fallback(move |request: Request| gate(Arc::clone(&world), routes.clone(), request))
}

async fn gate(world: Arc<World>, routes: Router, request: Request) -> Response {
    if request.uri().path().starts_with(CONTROL) {
        return run(routes, request).await;
    }
    let mut visit = world.journal.arrive(received(&request));
    world.note_credentials(request.headers());
    let (response, user) = pass(&world, routes, request).await;
    visit.answered(response.status().as_u16(), user);
    response
}

fn received(request: &Request) -> Received {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Received {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        status: 0,
        user: None,
        user_agent: user_agent.unwrap_or_default().to_owned(),
        at: clock::now_ms(),
    }
}

async fn pass(world: &World, routes: Router, mut request: Request) -> (Response, Option<String>) {
    let path = request.uri().path().to_ascii_lowercase();
    let raw = request.uri().query().unwrap_or_default().to_owned();
    let mut query = Query::parse(&raw);
    let (delay, fault) = world.faults.strike(request.method().as_str(), &path, &raw);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let path_and_query = if raw.is_empty() { path.clone() } else { format!("{path}?{raw}") };
    respell(&mut request, &path_and_query);
    let target = Target { base_url: &world.base_url, path_and_query: &path_and_query, trace_id: "" };
    match &fault {
        Some(FaultKind::Echo { status }) => return (sabotage::echo(*status, request).await, None),
        // The list goes on with the first page for ever.
        Some(FaultKind::RepeatPage) => query.set("offset", "0"),
        Some(FaultKind::Status {
            status,
            body: BodyKind::Envelope | BodyKind::NumericCode | BodyKind::NoTraceId,
        }) => {
            let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
            return (Problem::new(*status, name.unwrap_or("Error")).answer(ErrorBody::Result), None);
        }
        Some(fault) => {
            if let Some(response) = sabotage::instead(fault, &target).await {
                return (response, None);
            }
        }
        None => {}
    }
    request.extensions_mut().insert(query);
    let (response, user) = admit(world, routes, &path, request).await;
    match fault {
        Some(fault) if fault != FaultKind::RepeatPage => {
            (sabotage::spoil(&fault, &target, response).await, user)
        }
        _ => (response, user),
    }
}

async fn admit(
    world: &World,
    routes: Router,
    path: &str,
    mut request: Request,
) -> (Response, Option<String>) {
    if request.method() == Method::OPTIONS {
        return (preflight(world, &request), None);
    }
    if PUBLIC.contains(&path) {
        return (run(routes, request).await, None);
    }
    let body = world.settings().error_body;
    let admission = match signin::admit(world, request.method(), request.headers()) {
        Ok(admission) => admission,
        Err(problem) => return (problem.answer(body), None),
    };
    let user = admission.caller.user.to_string();
    request.extensions_mut().insert(Arc::new(admission.caller));
    let mut response = run(routes, request).await;
    if let Some(issued) = admission.issued {
        issued.announce(response.headers_mut(), world.config.tls != Tls::Off);
    }
    (response, Some(user))
}

async fn run(routes: Router, request: Request) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn respell(request: &mut Request<Body>, path_and_query: &str) {
    let mut parts = request.uri().clone().into_parts();
    if let Ok(respelt) = path_and_query.parse::<PathAndQuery>() {
        parts.path_and_query = Some(respelt);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

/// `OPTIONS`, answered everywhere to everybody.
fn preflight(world: &World, request: &Request) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && origin.to_str().is_ok_and(|origin| signin::trusts(world, origin))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    response
}
