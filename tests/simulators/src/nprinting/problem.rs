//! Errors. The real bodies are undocumented; these have the form of sign-in answers, or none, or that of a web
//! server's page, as configured.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::nprinting::config::ErrorBody;

/// An error to be sent.
#[derive(Debug)]
pub(crate) struct Problem {
    status: u16,
    message: String,
    challenge: Option<HeaderValue>,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    /// An error with a message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), challenge: None }
    }

    /// 400.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    /// 401 with a challenge.
    pub(crate) fn challenge(challenge: &str) -> Self {
        Self { challenge: HeaderValue::from_str(challenge).ok(), ..Self::unauthorized() }
    }

    /// 403.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not found")
    }

    /// 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "Method not allowed")
    }

    /// The error with the body that is configured.
    pub(crate) fn answer(self, body: ErrorBody) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match body {
            ErrorBody::Result => {
                let body = json!({"result": null, "code": self.status, "message": self.message});
                (status, axum::Json(body)).into_response()
            }
            ErrorBody::Empty => status.into_response(),
            ErrorBody::Html => {
                let page = format!(
                    "<!DOCTYPE html>\r\n<html><head><title>{status}</title></head><body><h2>{status}</h2></body></html>"
                );
                (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
            }
        };
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
