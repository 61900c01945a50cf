//! Slots: the places of a request that are filled with secrets, after the destination has been checked.

use super::capture::KeptFacts;
use crate::model::secret::SecretValue;
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::{
    Failure,
    http::{Capture, Slot},
};
use url::Url;

/// Where a secret would go, for whoever decides whether it may.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The method.
    pub method: &'a str,
    /// Name of the origin: the settings field, or the fixed host.
    pub origin_name: &'a str,
    /// Scheme, host and port that will be connected to, with path `/`.
    pub origin: &'a Url,
    /// The path as it will be sent, without the query.
    pub path: &'a str,
}

/// Whoever has the secrets. This room asks for them one by one and forgets them with the request.
pub trait SlotSource: Send + Sync {
    /// The value for a slot. Asked after the destination has been checked, anew for every attempt and every redirect.
    ///
    /// # Errors
    /// There is no such value, or the connector's description does not let it go there.
    fn reveal(&self, slot: &Slot, destination: &Destination<'_>) -> Result<SecretValue, Failure>;

    /// Keeps a captured value, and from then on scrubs it.
    fn capture(
        &self,
        capture: &Capture,
        value: SecretValue,
        origin: &Url,
        kept: Option<KeptFacts>,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    /// A request that showed this captured value was answered with 401.
    fn refused(&self, name: &str) -> BoxFuture<'_, ()>;

    /// Replaces every known secret value.
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8>;
}
