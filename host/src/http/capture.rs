//! Captures: what of an answer becomes a handle instead of being shown.

use serde_json::Value;
use std::time::Duration;

/// What is known of a captured value that outlives the run.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFacts {
    /// How long it can be used from now on; the margin is already taken off.
    pub lifetime: Duration,
    /// Public members of the answer, JSON pointer → value.
    pub facts: Value,
}
