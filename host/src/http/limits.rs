//! Limits: how long, how much, how often. The host's configuration sets them; nothing of a plugin does.

use super::places::Places;
use std::{fmt, time::Duration};
use url::Url;

/// What every exchange of a run has to keep within.
#[derive(Clone)]
pub struct Limits {
    /// Time to resolve the name, to connect and to agree on TLS.
    pub connect_timeout: Duration,
    /// Time for a whole exchange, from the first byte sent to the last one read, unless the request asks for another.
    pub request_timeout: Duration,
    /// The longest time for a whole exchange that a request may ask for.
    pub max_timeout: Duration,
    /// How long the middle of an answer may be silent.
    pub idle_timeout: Duration,
    /// The longest answer, in bytes after decompression.
    pub max_body: u64,
    /// How often a request is tried in all.
    pub max_attempts: u32,
    /// The longest wait between two attempts; a remote system that asks for more gets no further attempt,
    /// and after a 429 no other request either.
    pub max_retry_wait: Duration,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// The proxy, if the operator configured one. It resolves the names then. Proxy variables are ignored.
    pub proxy: Option<Url>,
    /// The places that this connection's requests share with those of other processes, if they do.
    pub places: Option<Places>,
    /// The `User-Agent`, unless the request has its own.
    pub user_agent: String,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            max_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(30),
            max_body: 64 << 20,
            max_attempts: 5,
            max_retry_wait: Duration::from_secs(300),
            max_redirects: 5,
            proxy: None,
            places: None,
            user_agent: concat!("jackfield/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the proxy: its URL may hold a password.
        f.debug_struct("Limits")
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_body", &self.max_body)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}
