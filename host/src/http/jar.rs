//! Cookie jars: each has a name, lives as long as the client, and is never shown. Which cookie goes where is decided by the
//! cookies' own rules, behind the policy.

use cookie_store::{CookieStore, RawCookie};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use url::Url;
use zeroize::Zeroizing;

/// Shorter values than this are no secrets, and replacing them would damage answers.
const SHORTEST_SECRET: usize = 8;

/// The jars of one client.
#[derive(Debug, Default)]
pub(super) struct Jars(Mutex<HashMap<String, CookieStore>>);

impl Jars {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, CookieStore>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `Cookie` header for a URL, if the jar has something for it.
    pub(super) fn header(&self, jar: &str, url: &Url) -> Option<HeaderValue> {
        let jars = self.lock();
        let pairs = jars.get(jar)?.get_request_values(url).map(|(name, value)| format!("{name}={value}"));
        let text = Zeroizing::new(pairs.collect::<Vec<_>>().join("; "));
        if text.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Puts the cookies of an answer into a jar. Cookies that break the rules are left out, as browsers do.
    pub(super) fn keep(&self, jar: &str, url: &Url, headers: &HeaderMap) {
        let mut jars = self.lock();
        let store = jars.entry(jar.to_owned()).or_default();
        store.store_response_cookies(cookies(headers), url);
    }

    /// Replaces the values of all cookies.
    pub(super) fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        let jars = self.lock();
        let values = jars.values().flat_map(CookieStore::iter_any).map(|cookie| cookie.value());
        values.filter(|value| value.len() >= SHORTEST_SECRET).fold(bytes, replaced)
    }
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
