//! Carrying a fault out: some replace the answer, others spoil the one that was made.

use std::convert::Infallible;
use std::io::Write as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
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
            let half = bytes.slice(..bytes.len() / 2);
            let pieces = [Ok(half), Err(std::io::Error::other("the fault cuts the connection"))];
            Response::from_parts(parts, Body::from_stream(stream::iter(pieces)))
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
        BodyKind::NumericCode => json!({"errors": [{"code": status.as_u16(), "title": reason}], "traceId": trace_id}),
        BodyKind::NoTraceId => json!({"errors": [{"code": code, "title": reason}]}),
        BodyKind::Empty => return status.into_response(),
        BodyKind::Bare => return (status, reason).into_response(),
        BodyKind::Html => {
            let page = format!("<html>\r\n<head><title>{0} {reason}</title></head>\r\n<body>\r\n<center><h1>{0} {reason}</h1></center>\r\n</body>\r\n</html>\r\n", status.as_u16());
            return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
        }
    };
    (status, axum::Json(envelope)).into_response()
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
