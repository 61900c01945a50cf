//! Errors as the services send them: one envelope with the variants that a parser must survive.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::kit::clock;

/// Which service's habits the envelope follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// `code` and `title`, no `status`.
    #[default]
    Plain,
    /// `status` as a number (users, API keys).
    NumberStatus,
    /// `status` as a text (token endpoint, login, web integrations).
    TextStatus,
    /// Numeric `code`, `context` and `timestamp` (scheduling).
    NumberCode,
    /// The same members flat at the top as well (spaces).
    Flat,
}

/// An error to be sent.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    title: String,
    detail: Option<String>,
    parameter: Option<String>,
    style: Style,
    retry_after: Option<u64>,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    /// An error with a code of its service.
    pub(crate) fn new(status: u16, code: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.into(),
            title: title.into(),
            detail: None,
            parameter: None,
            style: Style::Plain,
            retry_after: None,
        }
    }

    fn generic(status: u16, title: &str) -> Self {
        Self::new(status, format!("HTTP-{status}"), title)
    }

    /// 400 about the request as a whole.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::generic(400, "Bad request").detail(detail)
    }

    /// 400 about one query parameter.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::generic(400, "Invalid parameter").detail(detail);
        problem.parameter = Some(name.to_owned());
        problem
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        Self::generic(401, "Authorization Required")
    }

    /// 403.
    pub(crate) fn forbidden() -> Self {
        Self::generic(403, "Forbidden")
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::generic(404, "Not found")
    }

    /// 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::generic(405, "Method not allowed")
    }

    /// 429.
    pub(crate) fn too_many(wait: u64, header: bool) -> Self {
        let mut problem = Self::new(429, "HTTP-429", "API rate limit reached.")
            .detail(format!("You need to wait {wait} seconds until limit is lifted."));
        problem.retry_after = header.then_some(wait);
        problem
    }

    /// With a detail.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// In the style of a service.
    pub(crate) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    fn error(&self) -> Value {
        let mut error = json!({"code": self.code, "title": self.title});
        if let Some(detail) = &self.detail {
            error["detail"] = json!(detail);
        }
        if let Some(parameter) = &self.parameter {
            error["source"] = json!({"parameter": parameter});
        }
        match self.style {
            Style::NumberStatus => error["status"] = json!(self.status.as_u16()),
            Style::TextStatus => error["status"] = json!(self.status.as_u16().to_string()),
            Style::NumberCode => {
                error["code"] = json!(self.status.as_u16());
                error["context"] = json!("scheduling");
                error["timestamp"] = json!(clock::text_ms(clock::now_ms()));
            }
            Style::Plain | Style::Flat => {}
        }
        error
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = self.error();
        let mut body = json!({"errors": [error]});
        // The limiter stands in front of the services; its answer carries no trace.
        if self.status != StatusCode::TOO_MANY_REQUESTS {
            body["traceId"] = json!(trace_id());
        }
        if let (Style::Flat, Some(members)) = (self.style, error.as_object()) {
            members.iter().for_each(|(key, value)| body[key] = value.clone());
        }
        let mut response = (self.status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// 32 hexadecimal digits.
pub(crate) fn trace_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
