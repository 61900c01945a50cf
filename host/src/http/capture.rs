//! Captures: what of an answer becomes a handle instead of being shown.
//!
//! Captured values are first found and taken out of the places that their captures name. The same value may stand in other
//! places too, and so may other secrets; so the client makes all captured values of an answer known to the scrubber, and
//! scrubs whatever is remembered ([`KeptFacts::facts`]) or shown of it.

use super::jar::cookies;
use crate::model::secret::SecretValue;
use jackfield_plugin::contract::http::{Capture, CaptureFrom, Keep};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use std::time::Duration;

/// What is known of a captured value that outlives the run.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFacts {
    /// How long it can be used from now on; the margin is already taken off.
    pub lifetime: Duration,
    /// Public members of the answer, JSON pointer → value. As `take` finds them; whoever captures gets them scrubbed.
    pub facts: Value,
}

const INSTEAD: &str = "(captured)";

/// A capture that found something.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The capture.
    pub(super) capture: &'a Capture,
    /// What it found.
    pub(super) value: SecretValue,
    /// What is kept with it.
    pub(super) kept: Option<KeptFacts>,
}

/// Finds what is to be captured and takes it out of headers and body. `set` has the headers of all hops, for the cookies.
pub(super) fn take<'a>(
    captures: &'a [Capture],
    set: &HeaderMap,
    headers: &mut HeaderMap,
    body: &mut Vec<u8>,
    now: Timestamp,
) -> Vec<Found<'a>> {
    if captures.is_empty() {
        return Vec::new();
    }
    let mut json = serde_json::from_slice::<Value>(body).ok();
    let read: Vec<_> = captures
        .iter()
        .filter_map(|capture| Some((capture, read(&capture.from, set, headers, json.as_ref())?)))
        .collect();
    // What stands where a secret was expected is not shown either, if it is of a kind that cannot be one.
    let mut masked = false;
    for capture in captures {
        match &capture.from {
            CaptureFrom::Json { pointer } => {
                let place = json.as_mut().and_then(|json| json.pointer_mut(pointer));
                if let Some(place) = place.filter(|place| !place.is_null()) {
                    *place = Value::String(INSTEAD.to_owned());
                    masked = true;
                }
            }
            CaptureFrom::Header { name } => {
                for value in
                    headers.iter_mut().filter(|(header, _)| header.as_str().eq_ignore_ascii_case(name))
                {
                    *value.1 = HeaderValue::from_static(INSTEAD);
                }
            }
            _ => {}
        }
    }
    if let Some(json) = json.as_ref().filter(|_| masked) {
        *body = serde_json::to_vec(json).unwrap_or_default();
    }
    read.into_iter()
        .map(|(capture, value)| {
            let kept = capture.keep.as_ref().map(|keep| kept(keep, json.as_ref(), now));
            Found { capture, value, kept }
        })
        .collect()
}

fn read(
    from: &CaptureFrom,
    set: &HeaderMap,
    headers: &HeaderMap,
    json: Option<&Value>,
) -> Option<SecretValue> {
    let text = match from {
        CaptureFrom::Json { pointer } => match json?.pointer(pointer)? {
            Value::String(text) => text.clone(),
            // A session that is a number is sent as its digits.
            Value::Number(number) => number.to_string(),
            _ => return None,
        },
        CaptureFrom::Header { name } => headers.get(name)?.to_str().ok()?.to_owned(),
        CaptureFrom::Cookie { name, percent_decode } => {
            // The last one counts, as in a jar.
            let cookie = cookies(set).filter(|cookie| cookie.name() == name).last()?;
            match percent_decode {
                true => percent_decode_str(cookie.value()).decode_utf8().ok()?.into_owned(),
                false => cookie.value().to_owned(),
            }
        }
        _ => return None,
    };
    (!text.is_empty()).then(|| SecretValue::new(text))
}

fn kept(keep: &Keep, json: Option<&Value>, now: Timestamp) -> KeptFacts {
    let member = |pointer: &String| json.and_then(|json| json.pointer(pointer));
    let stated = keep.expiry.iter().filter_map(member).find_map(|value| life(value, now));
    let life = stated.unwrap_or(Duration::from_secs(keep.default_seconds));
    let facts: Map<_, _> =
        keep.facts.iter().filter_map(|pointer| Some((pointer.clone(), member(pointer)?.clone()))).collect();
    KeptFacts { lifetime: life.saturating_sub(margin(life)), facts: Value::Object(facts) }
}

/// Seconds, as a number or a text, or the end as RFC 3339.
fn life(value: &Value, now: Timestamp) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => text.trim().parse::<Timestamp>().ok()?.duration_since(now).as_secs_f64(),
        },
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// How much earlier a value counts as ended: 30 s, or a tenth of a short life.
fn margin(life: Duration) -> Duration {
    Duration::from_secs(30).min(life / 10)
}
