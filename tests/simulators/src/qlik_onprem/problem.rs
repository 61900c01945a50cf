//! Errors: a status and a short plain text, as the real system answers.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    /// An error with a message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 403.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "The requested resource could not be found")
    }

    /// 409 for a row that changed since it was read.
    pub(crate) fn stale() -> Self {
        Self::new(409, "The item has been modified by another user.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], self.message).into_response()
    }
}
