//! The two gates: that of the repository, whose callers have a certificate, and that of the proxy, where people come.
//! Both: journal, faults, spelling of the path, the key against forged requests, who calls — in this order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use crate::faults::{BodyKind, FaultKind};
use crate::journal::Received;
use crate::kit::clock;
use crate::kit::sabotage::{self, Target};
use crate::qlik_onprem::call::{Proxied, is_json};
use crate::qlik_onprem::caller;
use crate::qlik_onprem::cell::Row;
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::query::Query;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::signin;
use crate::qlik_onprem::world::World;

/// The control plane.
pub(crate) const CONTROL: &str = "/__sim/";

/// Which gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The repository, and what else asks for a certificate.
    Repository,
    /// The proxy.
    Proxy,
}

/// The virtual proxy that a request to the proxy's own API is about.
#[derive(Debug, Clone)]
pub(crate) struct About(pub(crate) Row);

/// Wraps the routes: paths reach them in lower case and without a prefix.
pub(crate) fn guarded(side: Side, world: Arc<World>, routes: Router) -> Router {
    Router::new().fallback(move |request: Request| gate(side, Arc::clone(&world), routes.clone(), request))
}

async fn gate(side: Side, world: Arc<World>, routes: Router, request: Request) -> Response {
    if request.uri().path().starts_with(CONTROL) {
        return run(routes, request).await;
    }
    let mut visit = world.journal.arrive(received(&request));
    world.note_credentials(request.headers());
    let (response, user) = pass(side, &world, routes, request).await;
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

async fn pass(side: Side, world: &World, routes: Router, mut request: Request) -> (Response, Option<String>) {
    let path = tidy(request.uri().path());
    let raw = request.uri().query().unwrap_or_default().to_owned();
    let mut query = Query::parse(&raw);
    let (delay, fault) = world.faults.strike(request.method().as_str(), &path, &raw);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let base_url = if side == Side::Proxy { &world.proxy_url } else { &world.repository_url };
    let target = Target { base_url, path_and_query: &path, trace_id: "" };
    match &fault {
        // The table goes on with the first page for ever.
        Some(FaultKind::RepeatPage) => query.set("skip", "0"),
        Some(FaultKind::Status {
            status,
            body: BodyKind::Envelope | BodyKind::NumericCode | BodyKind::NoTraceId,
        }) => {
            let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
            return (Problem::new(*status, name.unwrap_or("Error")).into_response(), None);
        }
        Some(FaultKind::Echo { status }) => return (sabotage::echo(*status, request).await, None),
        None => {}
        Some(fault) => {
            if let Some(response) = sabotage::instead(fault, &target).await {
                return (response, None);
            }
        }
    }
    request.extensions_mut().insert(query.clone());
    let (response, user) = match side {
        Side::Repository => repository(world, routes, path.clone(), &raw, &query, request).await,
        Side::Proxy => proxy(world, routes, &path, &raw, &query, request).await,
    };
    match fault {
        Some(fault) if fault != FaultKind::RepeatPage => {
            (sabotage::spoil(&fault, &target, response).await, user)
        }
        _ => (response, user),
    }
}

/// A path in lower case; a doubled slash, as one client sends, is one.
fn tidy(path: &str) -> String {
    let mut path = path.to_ascii_lowercase();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    if path.len() > 1 {
        path.truncate(path.trim_end_matches('/').len().max(1));
    }
    // The one kind whose path has a slash inside.
    path.replacen("/qrs/app/object", "/qrs/appobject", 1)
}

fn is_api(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What holds for every call of either API.
fn check(path: &str, raw: &str, query: &Query, request: &Request) -> Result<(), Problem> {
    if !is_api(path, "/qrs") && !is_api(path, "/qps") {
        return Ok(());
    }
    caller::check_key(query, request.headers())?;
    if Query::has_stray(raw) {
        return Err(Problem::invalid("Missing parameter value(s)"));
    }
    let has_body = request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_body && !request.method().is_safe() && !is_json(request.headers()) {
        return Err(Problem::new(415, "Unsupported Media Type"));
    }
    Ok(())
}

async fn repository(
    world: &World,
    routes: Router,
    mut path: String,
    raw: &str,
    query: &Query,
    mut request: Request,
) -> (Response, Option<String>) {
    if let Err(problem) = check(&path, raw, query, &request) {
        return (problem.into_response(), None);
    }
    let caller = if is_api(&path, "/qrs") {
        match caller::by_certificate(world, request.headers()) {
            Ok(caller) => caller,
            Err(problem) => return (problem.into_response(), None),
        }
    } else {
        Caller::administrator()
    };
    if is_api(&path, "/qps") {
        path = about(world, &path, &mut request);
    }
    let account = caller.account.clone();
    request.extensions_mut().insert(Arc::new(caller));
    respell(&mut request, &path, raw);
    (run(routes, request).await, Some(account))
}

/// Takes the prefix of a virtual proxy out of a path of the proxy's own API.
fn about(world: &World, path: &str, request: &mut Request) -> String {
    let rest = path.strip_prefix("/qps").unwrap_or_default();
    let entrance = signin::entrance(world, if rest.is_empty() { "/" } else { rest });
    let Some(entrance) = entrance else { return path.to_owned() };
    request.extensions_mut().insert(About(entrance.proxy));
    format!("/qps{}", entrance.path)
}

async fn proxy(
    world: &World,
    routes: Router,
    path: &str,
    raw: &str,
    query: &Query,
    mut request: Request,
) -> (Response, Option<String>) {
    let Some(entrance) = signin::entrance(world, path) else {
        return (Problem::not_found().into_response(), None);
    };
    let inside = entrance.path.clone();
    if is_api(&inside, "/qrs")
        && let Err(problem) = check(&inside, raw, query, &request)
    {
        return (problem.into_response(), None);
    }
    let admission = match signin::admit(world, &entrance, query, request.headers()) {
        Ok(admission) => admission,
        Err(response) => return (*response, None),
    };
    let account = admission.caller.account.clone();
    request.extensions_mut().insert(Arc::new(admission.caller));
    request.extensions_mut().insert(About(entrance.proxy.clone()));
    request.extensions_mut().insert(Proxied);
    // Of the proxy's own API only what concerns oneself is there.
    let own = matches!(inside.as_str(), "/qps/csrftoken" | "/qps/user" | "/" | "/hub" | "/qmc");
    let open = own || is_api(&inside, "/qrs") || inside == "/engine/healthcheck";
    respell(&mut request, if open { &inside } else { "/nothing" }, raw);
    let mut response = run(routes, request).await;
    dress(response.headers_mut(), &entrance.proxy);
    if let Some(cookie) = admission.cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    (response, Some(account))
}

/// Adds the headers that a virtual proxy adds to every answer.
fn dress(headers: &mut HeaderMap, proxy: &Row) {
    for line in proxy.text("additionalResponseHeaders").lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.trim()), HeaderValue::from_str(value.trim()))
        {
            headers.insert(name, value);
        }
    }
}

async fn run(routes: Router, request: Request) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn respell(request: &mut Request<Body>, path: &str, raw: &str) {
    let path_and_query = if raw.is_empty() { path.to_owned() } else { format!("{path}?{raw}") };
    let mut parts = request.uri().clone().into_parts();
    if let Ok(respelt) = path_and_query.parse::<PathAndQuery>() {
        parts.path_and_query = Some(respelt);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

/// The kind of a path's segment, or 404.
pub(crate) fn kind(segment: &str) -> Result<Kind, Problem> {
    Kind::at(segment).ok_or_else(Problem::not_found)
}
