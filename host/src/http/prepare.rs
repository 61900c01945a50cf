//! Preparing: a plugin's request is read with suspicion, once, before anything is done for it.

use super::{
    limits::Limits,
    policy::{Admitted, Policy},
};
use jackfield_plugin::contract::{
    Failure,
    http::{Body, HttpRequest},
};
use reqwest::{
    Method,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use std::time::Duration;
use url::form_urlencoded;

/// A request that may be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The request, for its body, slots and captures.
    pub(super) request: HttpRequest,
    /// The method.
    pub(super) method: Method,
    /// The first destination, with the query.
    pub(super) destination: Admitted,
    /// The plugin's headers.
    pub(super) headers: HeaderMap,
    /// Time for the whole exchange.
    pub(super) timeout: Duration,
    /// It may be sent again when nobody knows whether it arrived.
    pub(super) repeatable: bool,
}

/// Reads a request.
pub(super) fn prepare(request: HttpRequest, policy: &Policy, limits: &Limits) -> Result<Prepared, Failure> {
    let method = method(&request.method)?;
    let mut destination = policy.resolve(&request.target)?;
    if !request.query.is_empty() {
        destination.url.query_pairs_mut().extend_pairs(&request.query);
    }
    let headers = headers(&request)?;
    let asked = request.timeout_ms.map(|millis| Duration::from_millis(millis.into()));
    let timeout = asked.unwrap_or(limits.request_timeout).min(limits.max_timeout);
    let safe = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
    let repeatable = request.repeatable.unwrap_or(safe);
    Ok(Prepared { request, method, destination, headers, timeout, repeatable })
}

fn method(text: &str) -> Result<Method, Failure> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(method) if method != Method::CONNECT && method != Method::TRACE => Ok(method),
        _ => Err(Failure::plugin(format!("the plugin asked for the method {text:?}, which is not sent"))),
    }
}

fn headers(request: &HttpRequest) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(Failure::plugin(format!(
                "the plugin set a header {name:?}, which is no header name"
            )));
        };
        if is_host_header(&name) {
            return Err(Failure::plugin(format!(
                "the plugin set the header {name}, which is the host's to set"
            )));
        }
        let value = HeaderValue::from_str(value).map_err(|_| {
            Failure::plugin(format!("the plugin set the header {name} to a value that cannot be sent"))
        })?;
        headers.append(name, value);
    }
    let content_type = match &request.body {
        Body::Json(_) => Some(HeaderValue::from_static("application/json")),
        Body::Form(_) => Some(HeaderValue::from_static("application/x-www-form-urlencoded")),
        Body::Bytes { content_type, .. } => Some(HeaderValue::from_str(content_type).map_err(|_| {
            Failure::plugin(format!("the plugin stated a content type that cannot be sent: {content_type:?}"))
        })?),
        _ => None,
    };
    if let Some(content_type) = content_type {
        headers.entry(header::CONTENT_TYPE).or_insert(content_type);
    }
    Ok(headers)
}

/// Headers that belong to the host: those with secrets, those that say where a message begins and ends, and those that hold
/// between two neighbours only.
pub(super) fn is_host_header(name: &HeaderName) -> bool {
    const OURS: [HeaderName; 12] = [
        header::AUTHORIZATION,
        header::COOKIE,
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::EXPECT,
        // The host decompresses, so it says what it can.
        header::ACCEPT_ENCODING,
        HeaderName::from_static("keep-alive"),
    ];
    OURS.contains(name) || name.as_str().starts_with("proxy-")
}

/// The body as it is sent.
pub(super) fn encode(body: Body) -> Result<Vec<u8>, Failure> {
    match body {
        Body::Empty => Ok(Vec::new()),
        Body::Json(value) => serde_json::to_vec(&value)
            .map_err(|error| Failure::plugin(format!("the plugin's JSON body cannot be written: {error}"))),
        Body::Form(fields) => {
            Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes())
        }
        Body::Bytes { bytes, .. } => Ok(bytes),
        _ => Err(Failure::plugin("the plugin sent a kind of body that this host does not know")),
    }
}
