//! The gate in front of every route: journal, host name, faults, sign-in, rate limit, access — in this order.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::faults::FaultKind;
use crate::journal::Received;
use crate::kit::clock;
use crate::kit::sabotage::{self, Target};
use crate::qlik_cloud::access;
use crate::qlik_cloud::caller::Caller;
use crate::qlik_cloud::problem::{Problem, Style, trace_id};
use crate::qlik_cloud::sessions;
use crate::qlik_cloud::world::World;

/// Routes that need no token.
const PUBLIC: [&str; 6] = ["/oauth/", "/.well-known/", "/resources/", "/__sim/", "/login", "/logout"];

/// Lets a request through, or not.
pub(crate) async fn gate(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/__sim/") {
        return next.run(request).await;
    }
    let mut visit = world.journal.arrive(received(&request));
    let (response, user) = pass(&world, &path, request, next).await;
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

async fn pass(world: &World, path: &str, request: Request, next: Next) -> (Response, Option<String>) {
    if !is_own_host(world, &request) {
        let problem = Problem::new(401, "LOGIN-2", "No authentication configured for this hostname");
        return (problem.style(Style::TextStatus).into_response(), None);
    }
    let query = request.uri().query().unwrap_or_default();
    let (delay, fault) = world.faults.strike(request.method().as_str(), path, query);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let Some(fault) = fault else { return admit(world, path, request, next).await };
    if let FaultKind::Echo { status } = fault {
        return (sabotage::echo(status, request).await, None);
    }
    let (whole, trace) = (request.uri().to_string(), trace_id());
    let path_and_query =
        request.uri().path_and_query().map_or(whole.as_str(), |both| both.as_str()).to_owned();
    let target = Target { base_url: &world.base_url, path_and_query: &path_and_query, trace_id: &trace };
    if let Some(response) = sabotage::instead(&fault, &target).await {
        return (response, None);
    }
    let (response, user) = admit(world, path, request, next).await;
    (sabotage::spoil(&fault, &target, response).await, user)
}

async fn admit(world: &World, path: &str, mut request: Request, next: Next) -> (Response, Option<String>) {
    if PUBLIC.iter().any(|public| path.starts_with(public)) {
        return (next.run(request).await, None);
    }
    let caller = match identify(world, &mut request) {
        Ok(caller) => Arc::new(caller),
        Err(problem) => return (problem.into_response(), None),
    };
    let (user, method) = (caller.user.clone(), request.method().to_string());
    if let Err(wait) = world.limiter.spend(&method, path, &user) {
        return (Problem::too_many(wait, world.limiter.says_when()).into_response(), Some(user));
    }
    if let Err(response) = access::check(world, &caller, &method, path).await {
        return (response, Some(user));
    }
    request.extensions_mut().insert(caller);
    (next.run(request).await, Some(user))
}

/// By the token, or by the cookies of a session.
fn identify(world: &World, request: &mut Request) -> Result<Caller, Problem> {
    if let Some(token) = bearer(request.headers()) {
        return Caller::identify(world, token);
    }
    let session = sessions::admit(world, request.method(), request.headers())?;
    let caller = Caller::of_session(world, &session.user)?;
    request.extensions_mut().insert(session);
    Ok(caller)
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// HTTP/1 names the host in a header, HTTP/2 in the URI.
fn is_own_host(world: &World, request: &Request) -> bool {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = header.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let host = authority.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    world.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
}
