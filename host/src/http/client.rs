//! The client: one for each run.

use super::{exchange::Exchange, limits::Limits, policy::Policy, slots::SlotSource};
use crate::model::connection::TlsTrust;
use jackfield_plugin::contract::{
    Failure,
    http::{HttpRequest, HttpResponse},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Whoever wants to know of every exchange, to log and to count it.
pub type Observe = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// Sends the requests of one run.
pub struct Client {}

impl Client {
    /// A client for one run.
    ///
    /// # Errors
    /// The connection's own CA, or the proxy, cannot be used.
    pub fn new(
        limits: &Limits,
        policy: Policy,
        tls: &TlsTrust,
        cap: u32,
        slots: Arc<dyn SlotSource>,
        observe: Observe,
        cancel: CancellationToken,
    ) -> Result<Client, Failure> {
        let _ = (limits, policy, tls, cap, slots, observe, cancel);
        Ok(Client {})
    }

    /// Sends a request; every status is an answer.
    ///
    /// # Errors
    /// There was no answer, or none that may be had.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let _ = request;
        Err(Failure::jackfield("HTTP is not built yet"))
    }
}
