//! An answer, before the plugin sees it.

use crate::model::secret::SecretValue;
use reqwest::header::HeaderMap;
use url::Url;

/// An answer as it came, decompressed.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// The `set-cookie` headers of all hops that the plugin's credentials went along with.
    pub(super) cookies: HeaderMap,
    /// Its body.
    pub(super) body: Vec<u8>,
    /// Where it came from: scheme, host and port.
    pub(super) origin: Url,
    /// The captured values that it was an answer to, by name.
    pub(super) shown: Vec<(String, SecretValue)>,
}
