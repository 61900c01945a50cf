//! Cookie jars: each has a name and an origin, lives as long as the client, and is never shown. A jar serves no other origin
//! than its own, whatever the cookies' own rules (which know neither ports nor schemes) would allow; within it, they decide.
//!
//! The first values of a jar are made known to the scrubber. Some servers set a new value with every answer, and the scrubber
//! forgets nothing; so of the later ones, only those that the jar holds at the moment are replaced, here.

use crate::model::secret::SecretValue;
use cookie_store::{CookieStore, RawCookie};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use url::{Origin, Url};
use zeroize::Zeroizing;

/// Shorter values than this are no secrets, and replacing them would damage answers.
const SHORTEST_SECRET: usize = 8;

/// How many values of a jar the scrubber gets to know.
const MOST_LEARNED: usize = 64;

/// The jars of one client.
#[derive(Debug, Default)]
pub(super) struct Jars(Mutex<HashMap<Key, Jar>>);

/// The name that the plugin gave a jar, and its origin.
type Key = (String, Origin);

/// A jar.
#[derive(Debug, Default)]
struct Jar {
    cookies: CookieStore,
    learned: usize,
}

impl Jars {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Jar>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `Cookie` header for a URL, if the jar of its origin has something for it.
    pub(super) fn header(&self, jar: &str, url: &Url) -> Option<HeaderValue> {
        let jars = self.lock();
        let cookies = &jars.get(&key(jar, url))?.cookies;
        let pairs = cookies.get_request_values(url).map(|(name, value)| format!("{name}={value}"));
        let text = Zeroizing::new(pairs.collect::<Vec<_>>().join("; "));
        if text.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Puts the cookies of an answer into the jar of its origin. Cookies that break the rules are left out, as browsers do.
    pub(super) fn keep(&self, jar: &str, url: &Url, headers: &HeaderMap, learn: impl Fn(&SecretValue)) {
        let mut jars = self.lock();
        let jar = jars.entry(key(jar, url)).or_default();
        for cookie in cookies(headers) {
            let value = cookie.value();
            let new = jar.cookies.iter_any().all(|held| held.value() != value);
            if new && value.len() >= SHORTEST_SECRET && jar.learned < MOST_LEARNED {
                jar.learned += 1;
                learn(&SecretValue::new(value));
            }
        }
        jar.cookies.store_response_cookies(cookies(headers), url);
    }

    /// Replaces the values of all cookies.
    pub(super) fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        let jars = self.lock();
        let values = jars.values().flat_map(|jar| jar.cookies.iter_any()).map(|cookie| cookie.value());
        values.filter(|value| value.len() >= SHORTEST_SECRET).fold(bytes, replaced)
    }
}

fn key(jar: &str, url: &Url) -> Key {
    (jar.to_owned(), url.origin())
}

/// The cookies that an answer sets.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = RawCookie<'static>> {
    headers.get_all(SET_COOKIE).iter().filter_map(|value| {
        let text = value.to_str().ok()?;
        RawCookie::parse(text.to_owned()).ok()
    })
}

fn replaced(bytes: Vec<u8>, value: &str) -> Vec<u8> {
    let finder = memchr::memmem::Finder::new(value.as_bytes());
    if finder.find(&bytes).is_none() {
        return bytes;
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice("(cookie)".as_bytes());
        rest = &rest[at + value.len()..];
    }
    clean.extend_from_slice(rest);
    clean
}
