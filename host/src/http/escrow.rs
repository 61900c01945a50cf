//! Escrow: the answers of requests that change something and cannot be taken back, kept as they came before anybody looks at
//! them. If whoever asked has to ask again after a crash, the kept answer is given, and nothing is sent.

use super::answer::Answer;
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::Failure;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

/// Whoever keeps the answers. Everything is durable when it returns.
pub trait Escrow: Send + Sync {
    /// The answer of a step, if it was kept.
    fn kept<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<Option<Zeroizing<Vec<u8>>>, Failure>>;

    /// Notes that a step is about to be asked for.
    fn asking<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Keeps the answer of a step that was done.
    fn keep<'a>(&'a self, step: &'a str, answer: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>>;

    /// Notes that a step was not done: it was refused, or never arrived.
    fn not_done<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<(), Failure>>;
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    cookies: Vec<(String, Vec<u8>)>,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
    origin: Url,
}

/// The bytes of an answer.
pub(super) fn written(answer: &Answer) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(jackfield_plugin::contract::wire::encode(&Kept {
        status: answer.status,
        headers: pairs(&answer.headers),
        cookies: pairs(&answer.cookies),
        body: answer.body.clone(),
        origin: answer.origin.clone(),
    }))
}

/// An answer from its bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, Failure> {
    let kept: Kept = jackfield_plugin::contract::wire::decode(
        bytes,
        "a kept answer",
        jackfield_plugin::contract::Blame::Jackfield,
    )?;
    Ok(Answer {
        status: kept.status,
        headers: map(kept.headers),
        cookies: map(kept.cookies),
        body: kept.body,
        origin: kept.origin,
        shown: Vec::new(),
    })
}

fn pairs(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

fn map(pairs: Vec<(String, Vec<u8>)>) -> HeaderMap {
    let read = |(name, value): (String, Vec<u8>)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.into_iter().filter_map(read) {
        headers.append(name, value);
    }
    headers
}

/// Whether the remote side has said that it did nothing. What something in between says that waited for it is no such word.
pub(super) fn is_refusal(status: u16) -> bool {
    matches!(status, 300..=407 | 409..=424 | 426..=451)
}
