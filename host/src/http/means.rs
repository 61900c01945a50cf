//! What every attempt of a run works with.

use super::{jar::Jars, limits::Limits, policy::Policy, pool::Pool, slots::SlotSource};
use std::sync::Arc;

/// What every attempt of a run works with.
pub(super) struct Means {
    /// How long and how much.
    pub(super) limits: Limits,
    /// Where to.
    pub(super) policy: Policy,
    /// Connections.
    pub(super) pool: Pool,
    /// Cookies.
    pub(super) jars: Jars,
    /// Secrets.
    pub(super) slots: Arc<dyn SlotSource>,
}
