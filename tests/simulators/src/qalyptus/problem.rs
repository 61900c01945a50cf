//! Errors, in the form that is configured.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::qalyptus::config::{ErrorBody, ErrorDetails};

/// An error to be sent.
#[derive(Debug)]
pub(crate) struct Problem {
    status: u16,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    /// An error with a message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new() }
    }

    /// 400.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 401: the same for every reason.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    /// 403.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not found")
    }

    /// 417: a token of `POST /login` that is over.
    pub(crate) fn token_expired() -> Self {
        Self::new(417, "Token expired")
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error in the form that is configured.
    pub(crate) fn answer(self, body: ErrorBody, details: ErrorDetails) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = match body {
            ErrorBody::Empty => None,
            ErrorBody::Html => Some(("text/html; charset=utf-8", page(&status.to_string()))),
            ErrorBody::Problem => {
                Some(("application/problem+json; charset=utf-8", self.details(status).to_string()))
            }
            ErrorBody::Envelope => {
                let body = json!({"data": null, "isSuccess": false, "error": self.message,
                    "errorDetails": self.more(details)});
                Some(("application/json; charset=utf-8", body.to_string()))
            }
            ErrorBody::Message => {
                Some(("application/json; charset=utf-8", json!({"message": self.message}).to_string()))
            }
            ErrorBody::Status => {
                let body = json!({"data": null, "status": {"message": self.message}});
                Some(("application/json; charset=utf-8", body.to_string()))
            }
        };
        let mut response = match text {
            None => status.into_response(),
            Some((kind, text)) => (status, [(header::CONTENT_TYPE, kind)], text).into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }

    fn details(&self, status: StatusCode) -> Value {
        json!({
            "type": "https://tools.ietf.org/html/rfc9110#section-15", "title": status.canonical_reason(),
            "status": self.status, "detail": self.message,
            "traceId": format!("00-{}-00", uuid::Uuid::new_v4().simple()),
        })
    }

    fn more(&self, details: ErrorDetails) -> Value {
        let object = json!({"code": self.status, "description": self.message});
        match details {
            ErrorDetails::Null => Value::Null,
            ErrorDetails::Text => json!(format!("{}: see the log of the server", self.message)),
            ErrorDetails::Object => object,
            ErrorDetails::List => json!([object]),
        }
    }
}

/// A page of the web server or the web console.
pub(crate) fn page(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\r\n<html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"
    )
}
