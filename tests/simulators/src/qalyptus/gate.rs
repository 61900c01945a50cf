//! The gate in front of every operation: journal, faults, path, key, permission — in this order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use crate::faults::{BodyKind, FaultKind};
use crate::journal::Received;
use crate::kit::clock;
use crate::kit::sabotage::{self, Target};
use crate::qalyptus::call::{Call, Caller};
use crate::qalyptus::endpoints::{Endpoint, Found, Need};
use crate::qalyptus::paging::Query;
use crate::qalyptus::problem::{Problem, page};
use crate::qalyptus::routes;
use crate::qalyptus::world::World;

/// The control plane.
const CONTROL: &str = "/__sim/";
/// No body of the API is larger.
const LARGEST_BODY: usize = 1 << 20;

/// Everything that answers.
pub(crate) fn router(world: Arc<World>) -> Router {
    let control = routes::sim::routes(Arc::clone(&world));
    Router::new().fallback(move |request: Request| gate(Arc::clone(&world), control.clone(), request))
}

async fn gate(world: Arc<World>, control: Router, request: Request) -> Response {
    if request.uri().path().starts_with(CONTROL) {
        return match control.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let mut visit = world.journal.arrive(received(&request));
    let (response, user) = pass(&world, request).await;
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

async fn pass(world: &Arc<World>, request: Request) -> (Response, Option<String>) {
    let raw = request.uri().query().unwrap_or_default().to_owned();
    let mut query = Query::parse(&raw);
    let (delay, fault) = world.faults.strike(request.method().as_str(), request.uri().path(), &raw);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let Some(fault) = fault else { return admit(world, query, request).await };
    let whole = request.uri().path_and_query().map_or("/", |both| both.as_str()).to_owned();
    let target = Target { base_url: &world.origin, path_and_query: &whole, trace_id: "" };
    match &fault {
        FaultKind::RepeatPage => {
            // The list goes on with the first page for ever.
            query.restart();
            return admit(world, query, request).await;
        }
        FaultKind::Echo { status } => return (sabotage::echo(*status, request).await, None),
        fault => {
            if let Some(problem) = own_form(fault) {
                return (refuse(world, problem), None);
            }
        }
    }
    if let Some(response) = sabotage::instead(&fault, &target).await {
        return (response, None);
    }
    let (response, user) = admit(world, query, request).await;
    (sabotage::spoil(&fault, &target, response).await, user)
}

/// Faults that have the system's own form. A status of success is a failure inside one.
fn own_form(fault: &FaultKind) -> Option<Problem> {
    match fault {
        FaultKind::Status {
            status,
            body: BodyKind::Envelope | BodyKind::NumericCode | BodyKind::NoTraceId,
        } => {
            let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
            let message = if *status < 300 { "The operation failed" } else { name.unwrap_or("Error") };
            Some(Problem::new(*status, message))
        }
        FaultKind::TooManyRequests { retry_after } => {
            let problem = Problem::new(429, "Too many requests");
            Some(match retry_after {
                None => problem,
                Some(seconds) => problem.header(header::RETRY_AFTER, HeaderValue::from(*seconds)),
            })
        }
        _ => None,
    }
}

fn refuse(world: &World, problem: Problem) -> Response {
    let (body, details) = {
        let settings = world.settings();
        (settings.error_body, settings.error_details)
    };
    problem.answer(body, details)
}

async fn admit(world: &Arc<World>, query: Query, request: Request) -> (Response, Option<String>) {
    let path = request.uri().path().to_owned();
    let inside = path.strip_prefix(world.config.mount.as_str());
    let api = inside.and_then(|path| path.strip_prefix(world.config.base_path.as_str()));
    let Some(api) = api.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return (console(world, request.method(), inside), None);
    };
    let routes = Arc::clone(&world.settings().routes);
    let (endpoint, ids) = match routes.find(request.method().as_str(), api) {
        Found::Endpoint(endpoint, ids) => (endpoint, ids),
        Found::WrongMethod => return (refuse(world, Problem::new(405, "Method not allowed")), None),
        Found::Nothing => return (refuse(world, Problem::not_found()), None),
    };
    let (parts, body) = request.into_parts();
    let caller = match entitled(world, endpoint, &parts.headers) {
        Ok(caller) => caller,
        Err((problem, user)) => return (refuse(world, problem), user),
    };
    let user = caller.map(|caller| world.user_id(caller.user));
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return (refuse(world, Problem::new(413, "Payload too large")), user);
    };
    let call = Call { world: Arc::clone(world), caller, path, query, ids, body };
    let answer = routes::answer(endpoint.op, &call).unwrap_or_else(|problem| refuse(world, problem));
    (answer, user)
}

type Refusal = (Problem, Option<String>);

fn entitled(
    world: &World,
    endpoint: &Endpoint,
    headers: &axum::http::HeaderMap,
) -> Result<Option<Caller>, Refusal> {
    if endpoint.need == Need::Nobody {
        return Ok(None);
    }
    let caller = Caller::identify(world, headers).map_err(|problem| (problem, None))?;
    if caller.may(endpoint.need) {
        return Ok(Some(caller));
    }
    Err((Problem::forbidden(), Some(world.user_id(caller.user))))
}

/// The web console: a page, whatever is asked of it.
fn console(world: &World, method: &Method, inside: Option<&str>) -> Response {
    let known = matches!(inside, Some("" | "/" | "/login"));
    let found = *method == Method::GET && (known || world.settings().console_everywhere);
    let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let title = if found { "Qalyptus" } else { "404 Not Found" };
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page(title)).into_response()
}
