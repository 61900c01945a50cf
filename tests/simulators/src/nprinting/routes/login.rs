//! Signing in without a token: the pages that hand out cookies, email and password, Windows, and signing out.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use uuid::Uuid;

use crate::kit::cookies::cookie;
use crate::nprinting::call::{done, object, required};
use crate::nprinting::config::{Ntlm, Tls};
use crate::nprinting::ntlm::{self, Message};
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::routes::answer;
use crate::nprinting::sessions::SESSION;
use crate::nprinting::signin::{check_forgery, session};
use crate::nprinting::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(page))
        .route("/login", get(page).post(password))
        .route("/api/v1/login/ntlm", get(windows))
        .route("/api/v1/logout", get(logout))
}

type Server = State<Arc<World>>;

/// The login page: what matters of it are the cookies.
async fn page(State(world): Server) -> Response {
    let page = "<!DOCTYPE html>\r\n<html><head><title>Qlik NPrinting</title></head><body></body></html>";
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    world.sessions().open(None).announce(response.headers_mut(), world.config.tls != Tls::Off);
    response
}

/// `{"username": "user@domain", "password": "…"}` with the cookies of the page and the anti-forgery header.
async fn password(State(world): Server, headers: HeaderMap, body: Bytes) -> Response {
    let sign_in = || -> Answer {
        let before =
            session(&world, &headers).ok_or_else(|| Problem::new(403, "Invalid anti-forgery token"))?;
        check_forgery(&world, &Method::POST, &headers, &before)?;
        if !world.settings().password_login {
            return Err(Problem::unauthorized());
        }
        let body = object(&body, &["username", "password"])?;
        let (email, password) = (required(&body, "username")?, required(&body, "password")?);
        let user = {
            let directory = world.directory();
            let user = world.user_with(&directory, "email", &email).ok_or_else(Problem::unauthorized)?;
            let expected = directory.password(user).unwrap_or(&world.config.password);
            if password != expected {
                return Err(Problem::unauthorized());
            }
            user
        };
        Ok(signed_in(&world, &headers, user))
    };
    answer(&world, sign_in())
}

async fn windows(State(world): Server, headers: HeaderMap) -> Response {
    let sign_in = || -> Answer {
        let mode = world.settings().ntlm.clone();
        let (member, value) = match mode {
            Ntlm::Off => return Err(Problem::unauthorized()),
            Ntlm::Trusted(email) => ("email", email),
            Ntlm::Exchange => {
                let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
                let windows = agent.is_some_and(|agent| agent.contains("Windows"));
                if world.config.ntlm_needs_windows_agent && !windows {
                    return Err(Problem::unauthorized());
                }
                match ntlm::message(&headers) {
                    None => return Err(Problem::challenge("NTLM")),
                    Some(Message::Negotiate) => return Err(Problem::challenge(&ntlm::challenge())),
                    Some(Message::Authenticate { account }) => ("domainAccount", account),
                }
            }
        };
        let user = world.user_with(&world.directory(), member, &value).ok_or_else(Problem::unauthorized)?;
        Ok(signed_in(&world, &headers, user))
    };
    answer(&world, sign_in())
}

/// Opens a session in the place of the one before.
fn signed_in(world: &World, headers: &HeaderMap, user: Uuid) -> Response {
    let mut response = axum::Json(json!({"result": user, "code": 0, "message": null})).into_response();
    let issued = {
        let mut sessions = world.sessions();
        cookie(headers, SESSION).into_iter().for_each(|before| sessions.close(before));
        sessions.open(Some(user))
    };
    issued.announce(response.headers_mut(), world.config.tls != Tls::Off);
    response
}

async fn logout(State(world): Server, headers: HeaderMap) -> Response {
    cookie(&headers, SESSION).into_iter().for_each(|session| world.sessions().close(session));
    done()
}
