//! Carrying a fault out: some replace the answer, others spoil the one that was made.

use std::convert::Infallible;
use std::io::Write as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use serde_json::{Value, json};

use crate::kit::faults::{BodyKind, FaultKind};

/// The request as far as a fault needs it.
pub(crate) struct Target<'a> {
    /// The simulator's own base URL.
    pub(crate) base_url: &'a str,
    /// Path and query as requested.
    pub(crate) path_and_query: &'a str,
    /// A trace id for envelopes.
    pub(crate) trace_id: &'a str,
}

/// The answer that takes the place of the real one, for faults of that sort; `None` for the others.
pub(crate) async fn instead(kind: &FaultKind, target: &Target<'_>) -> Option<Response> {
    Some(match kind {
        FaultKind::Status { status, body } => status_response(*status, *body, target.trace_id),
        FaultKind::TooManyRequests { retry_after } => too_many(*retry_after),
        FaultKind::EndlessBody => endless(),
        FaultKind::GzipBomb { megabytes } => bomb(*megabytes).await,
        FaultKind::Redirect { location, status } => redirect(location, status.unwrap_or(302)),
        FaultKind::Hang => std::future::pending().await,
        _ => return None,
    })
}

/// Spoils a real answer.
pub(crate) async fn spoil(kind: &FaultKind, target: &Target<'_>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match kind {
        FaultKind::ResetMidBody => {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len().max(2)));
            Response::from_parts(parts, broken(bytes.slice(..bytes.len() / 2)))
        }
        FaultKind::TruncatedJson => {
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2)))
        }
        FaultKind::WrongContentType { content_type } => {
            if let Ok(value) = HeaderValue::from_str(content_type) {
                parts.headers.insert(header::CONTENT_TYPE, value);
            }
            Response::from_parts(parts, Body::from(bytes))
        }
        FaultKind::Gzip => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
            Response::from_parts(parts, Body::from(packed.unwrap_or_default()))
        }
        FaultKind::RepeatPage => {
            let href = format!("{}{}", target.base_url, target.path_and_query);
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(with_next(&bytes, |_| href.clone())))
        }
        FaultKind::NextLinkOrigin { origin } => {
            parts.headers.remove(header::CONTENT_LENGTH);
            let spoilt = with_next(&bytes, |href| href.replacen(target.base_url, origin, 1));
            Response::from_parts(parts, Body::from(spoilt))
        }
        _ => Response::from_parts(parts, Body::from(bytes)),
    }
}

/// Rewrites `links.next.href`; a list without one is given one, made from the base URL.
fn with_next(bytes: &Bytes, rewrite: impl Fn(&str) -> String) -> Vec<u8> {
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else { return bytes.to_vec() };
    let Some(links) = body.get_mut("links").and_then(Value::as_object_mut) else { return bytes.to_vec() };
    let own = links.get("self").and_then(|link| link["href"].as_str()).unwrap_or_default().to_owned();
    let href = links.get("next").and_then(|next| next["href"].as_str()).map_or(own, str::to_owned);
    links.insert("next".to_owned(), json!({ "href": rewrite(&href) }));
    body.to_string().into_bytes()
}

fn status_response(status: u16, body: BodyKind, trace_id: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (code, reason) = (format!("HTTP-{}", status.as_u16()), status.canonical_reason().unwrap_or("Error"));
    let envelope = match body {
        BodyKind::Envelope => json!({"errors": [{"code": code, "title": reason}], "traceId": trace_id}),
        BodyKind::NumericCode => {
            json!({"errors": [{"code": status.as_u16(), "title": reason}], "traceId": trace_id})
        }
        BodyKind::NoTraceId => json!({"errors": [{"code": code, "title": reason}]}),
        BodyKind::Empty => return status.into_response(),
        BodyKind::Bare => return (status, reason).into_response(),
        BodyKind::Html => {
            let page = format!(
                "<html>\r\n<head><title>{0} {reason}</title></head>\r\n<body>\r\n<center><h1>{0} {reason}</h1></center>\r\n</body>\r\n</html>\r\n",
                status.as_u16()
            );
            return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
        }
    };
    (status, axum::Json(envelope)).into_response()
}

/// An answer that betrays whatever the request held, in the forms in which servers do that.
pub(crate) async fn echo(status: u16, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let mut said = Vec::new();
    for (name, value) in &parts.headers {
        said.extend_from_slice(name.as_str().as_bytes());
        said.extend_from_slice(b": ");
        said.extend_from_slice(value.as_bytes());
        said.push(b'\n');
    }
    said.extend_from_slice(&body);
    let plain = String::from_utf8_lossy(&said).into_owned();
    let encoded =
        percent_encoding::utf8_percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC).to_string();
    // Three alignments: what stands before a secret decides how its base64 looks.
    let packed = ["", "x", "xy"].map(|before| BASE64_STANDARD.encode(format!("{before}{plain}")));
    let envelope = json!({"errors": [{"code": "ECHO-1", "title": format!("cannot read «{plain}»"),
        "detail": format!("{encoded} {}", packed.join(" "))}], "traceId": "0".repeat(32), "access_token_seen": plain});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [("x-echo", encoded)], axum::Json(envelope)).into_response()
}

fn too_many(retry_after: Option<u64>) -> Response {
    let wait = retry_after.unwrap_or(13);
    let body = json!({"errors": [{"code": "HTTP-429", "title": "API rate limit reached.",
        "detail": format!("You need to wait {wait} seconds until limit is lifted.")}]});
    let mut response = (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn redirect(location: &str, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
    (status, [(header::LOCATION, location)]).into_response()
}

/// A body that breaks off: the pause lets head and first half leave before the connection is cut, for what has not left by
/// then never will. Long enough for a machine that is busy.
fn broken(half: Bytes) -> Body {
    let pieces = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                Some((Err(std::io::Error::other("the fault cuts the connection")), None))
            }
        }
    });
    Body::from_stream(pieces)
}

fn endless() -> Response {
    let chunk = Bytes::from(r#"{"id":"endless","name":"and another one"},"#.repeat(1024));
    let body = stream::unfold(false, move |begun| {
        let piece = if begun { chunk.clone() } else { Bytes::from_static(br#"{"data":["#) };
        async move { Some((Ok::<_, Infallible>(piece), true)) }
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
}

async fn bomb(megabytes: u32) -> Response {
    let packed = tokio::task::spawn_blocking(move || pack(megabytes)).await;
    let Ok(Ok(packed)) = packed else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    ([(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")], packed).into_response()
}

fn pack(megabytes: u32) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(br#"{"data":[""#)?;
    let blank = vec![b' '; 1024 * 1024];
    for _ in 0..megabytes {
        encoder.write_all(&blank)?;
    }
    encoder.write_all(br#""]}"#)?;
    encoder.finish()
}
