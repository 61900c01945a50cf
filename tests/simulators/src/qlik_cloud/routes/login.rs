//! Signing in and out as a browser does: a session for a token, the way to the identity provider, the token against
//! forgery.

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde_json::json;
use url::Url;

use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::gate::bearer;
use crate::qlik_cloud::jwt_login;
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::query::Query;
use crate::qlik_cloud::sessions::{self, CSRF, Session};
use crate::qlik_cloud::world::World;

/// Names the web integration that a browser comes from; header and query parameter alike.
const INTEGRATION: &str = "qlik-web-integration-id";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/login/jwt-session", post(open))
        .route("/login", get(login))
        .route("/logout", get(logout))
        .route("/api/v1/csrf-token", get(csrf))
}

fn refused() -> Problem {
    Problem::unauthorized().style(Style::TextStatus)
}

async fn open(call: Call, headers: HeaderMap) -> Answer {
    let world = &call.world;
    let token = bearer(&headers).ok_or_else(refused)?;
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    check_integration(world, integration(&headers, &call.query), origin)?;
    let user = jwt_login::sign_in(world, token)?;
    if let Err(wait) = world.limiter.spend("POST", &call.path, &user) {
        return Err(Problem::too_many(wait, world.limiter.says_when()));
    }
    let cookies = world.sessions().open(&user, world.config.tls);
    let mut response = axum::Json(json!({})).into_response();
    sessions::announce(response.headers_mut(), cookies);
    Ok(response)
}

fn integration<'a>(headers: &'a HeaderMap, query: &'a Query) -> Option<&'a str> {
    let header = headers.get(INTEGRATION).and_then(|id| id.to_str().ok());
    header.or_else(|| query.get(INTEGRATION))
}

/// A back end needs no web integration; a browser needs one that lists its origin.
fn check_integration(world: &World, id: Option<&str>, origin: Option<&str>) -> Result<(), Problem> {
    if id.is_none() && origin.is_none() {
        return Ok(());
    }
    let directory = world.directory();
    let found = directory.web_integrations.iter().find(|view| id.is_some_and(|id| view["id"] == id));
    let origins = found.ok_or_else(refused)?["validOrigins"].as_array().cloned().unwrap_or_default();
    match origin {
        Some(origin) if !origins.iter().any(|valid| valid == origin) => Err(refused()),
        _ => Ok(()),
    }
}

/// To the identity provider that people sign in with.
async fn login(call: Call, headers: HeaderMap) -> Answer {
    let world = &call.world;
    let back = call.query.get("returnto").unwrap_or("/");
    check_return(world, back, integration(&headers, &call.query))?;
    let place = {
        let sign_in = world.sign_in();
        sign_in.own_provider.as_ref().map_or(sign_in.qlik_login.clone(), |own| own.authorize_url.clone())
    };
    let state = uuid::Uuid::new_v4().simple().to_string();
    let mut place = Url::parse(&place).map_err(|error| Problem::new(500, "HTTP-500", error.to_string()))?;
    place
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &world.tenant_id)
        .append_pair("redirect_uri", &format!("{}/login/callback", world.base_url))
        .append_pair("scope", "openid profile email")
        .append_pair("state", &state);
    Ok((StatusCode::FOUND, [(header::LOCATION, place.to_string())]).into_response())
}

fn check_return(world: &World, back: &str, integration: Option<&str>) -> Result<(), Problem> {
    let here = Url::parse(&world.base_url).ok();
    let target = here.as_ref().and_then(|here| here.join(back).ok());
    let Some(target) = target.filter(|target| matches!(target.scheme(), "http" | "https")) else {
        return Err(Problem::new(401, "LOGIN-8", "Illegal returnto parameter").style(Style::TextStatus));
    };
    if here.is_some_and(|here| here.origin() == target.origin()) {
        return Ok(());
    }
    let origin = target.origin().ascii_serialization();
    match integration {
        Some(_) if check_integration(world, integration, Some(&origin)).is_ok() => Ok(()),
        Some(_) => Err(Problem::new(
            401,
            "LOGIN-10",
            "The returnto parameter is not a valid origin of the web integration",
        )
        .style(Style::TextStatus)),
        None => Err(Problem::new(401, "LOGIN-8", "Illegal returnto parameter").style(Style::TextStatus)),
    }
}

async fn logout(State(world): State<Arc<World>>, headers: HeaderMap) -> Redirect {
    world.sessions().close(&headers);
    Redirect::to("/")
}

/// The token against forgery, in a header of an answer without a body.
async fn csrf(session: Option<Extension<Session>>) -> Answer {
    let Some(Extension(session)) = session else {
        return Err(Problem::new(
            400,
            "CSRF-TOKEN-4",
            "CSRF is not supported for this type of authentication",
        ));
    };
    let mut response: Response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(&session.csrf) {
        response.headers_mut().insert(CSRF, value);
    }
    Ok(response)
}
