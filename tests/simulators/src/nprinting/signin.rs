//! Who is calling: a token in the header, or a session in a cookie with its anti-forgery token.

use axum::http::{HeaderMap, Method, header};
use serde_json::Value;
use uuid::Uuid;

use crate::kit::cookies::cookie;
use crate::nprinting::config::Matching;
use crate::nprinting::problem::Problem;
use crate::nprinting::rights::Caller;
use crate::nprinting::sessions::{Issued, SESSION, Session};
use crate::nprinting::world::World;

/// A caller who was let in.
pub(crate) struct Admission {
    /// Who.
    pub(crate) caller: Caller,
    /// A session opened by this request.
    pub(crate) issued: Option<Issued>,
}

/// Lets a request in, or not. A token is checked whenever there is one, whatever session comes with it.
pub(crate) fn admit(world: &World, method: &Method, headers: &HeaderMap) -> Result<Admission, Problem> {
    let session = session(world, headers);
    match bearer(headers) {
        Some(token) => {
            let user = user_of(world, token).ok_or_else(Problem::unauthorized)?;
            let same = session.filter(|session| session.user == Some(user));
            if let (Some(session), true) = (&same, world.config.xsrf_with_bearer) {
                check_forgery(world, method, headers, session)?;
            }
            let issued = same.is_none().then(|| world.sessions().open(Some(user)));
            Ok(Admission { caller: caller(world, user), issued })
        }
        None => {
            let session = session.ok_or_else(Problem::unauthorized)?;
            let user = session.user.ok_or_else(Problem::unauthorized)?;
            if !world.is_active(&world.directory(), user) {
                return Err(Problem::unauthorized());
            }
            check_forgery(world, method, headers, &session)?;
            Ok(Admission { caller: caller(world, user), issued: None })
        }
    }
}

/// The session that the cookie names, if it lives.
pub(crate) fn session(world: &World, headers: &HeaderMap) -> Option<Session> {
    world.sessions().using(cookie(headers, SESSION)?, world.config.session_life)
}

fn caller(world: &World, user: Uuid) -> Caller {
    Caller { user, grants: world.grants(&world.directory(), user) }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The enabled user whom a valid token names by the configured claims.
fn user_of(world: &World, token: &str) -> Option<Uuid> {
    let (verifier, matching) = {
        let settings = world.settings();
        (settings.verifier.clone().filter(|_| settings.jwt_enabled)?, settings.matching.clone())
    };
    let claims = verifier.claims(token, world.config.clock_skew.as_secs() as i64)?;
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let directory = world.directory();
    match &matching {
        Matching::Email { claim } => world.user_with(&directory, "email", text(claim)?),
        Matching::DomainName { user, domain } => {
            let account = format!(r"{}\{}", text(domain)?, text(user)?);
            world.user_with(&directory, "domainAccount", &account)
        }
    }
}

/// A write by cookie must carry the decoded token, and no browser may come from elsewhere.
pub(crate) fn check_forgery(
    world: &World,
    method: &Method,
    headers: &HeaderMap,
    session: &Session,
) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let token = headers.get("x-xsrf-token").and_then(|token| token.to_str().ok());
    if token != Some(session.xsrf.as_str()) {
        return Err(Problem::new(403, "Invalid anti-forgery token"));
    }
    match headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) {
        Some(origin) if !trusts(world, origin) => Err(Problem::new(403, "Untrusted origin")),
        _ => Ok(()),
    }
}

/// Is an origin the server's own or a trusted one?
pub(crate) fn trusts(world: &World, origin: &str) -> bool {
    let mut trusted = world.config.trusted_origins.iter().chain([&world.base_url]);
    trusted.any(|own| own.eq_ignore_ascii_case(origin))
}
