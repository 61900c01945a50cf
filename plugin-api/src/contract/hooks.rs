//! The hooks: what the host asks of a connector, and what it answers.
//!
//! Every hook gets an [`Invocation`] and answers `Result<answer, Failure>`.

use super::{Failure, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of the hook that tests a connection.
pub const TEST: &str = "test";
/// Name of the hook that refreshes a connection's catalog.
pub const REFRESH: &str = "refresh";

/// What every hook is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The contract version that the host offers.
    pub contract: Version,
    /// The run's id, for messages.
    pub run: String,
    /// The connection's settings. A secret field holds a handle instead of its value.
    pub settings: Value,
    /// Why a test is run. `interactive` for other hooks.
    #[serde(default)]
    pub purpose: Purpose,
    /// Whether the hook may create or change things on the remote side.
    #[serde(default)]
    pub may_write: bool,
    /// The person on whose behalf, where the connector acts for many (an email address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A mark of the Jackfield installation: 12 hexadecimal digits, the same for all its connections and for as long as its
    /// database lives, and no secret. A connector writes it at what it makes on the remote side, so that two installations leave
    /// each other's alone. Since 1.1; an older host does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
}

/// Why a test is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// A person asked and is waiting; things may be set up.
    #[default]
    Interactive,
    /// The schedule asked.
    Scheduled,
    /// A new credential is to be proven before it is promoted.
    Verify,
    /// A purpose that this side does not know yet.
    #[serde(other)]
    Other,
}

/// What a test found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// One line for each check that the description names, in its order.
    pub checks: Vec<Check>,
}

impl TestReport {
    /// Whether the connection may be relied on: nothing failed, and something passed.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.status != CheckStatus::Failed)
            && self.checks.iter().any(|check| check.status == CheckStatus::Passed)
    }
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The check's name, from the description.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was seen, or why it was skipped.
    #[serde(default)]
    pub detail: String,
    /// What went wrong, with its remedy; given if and only if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckStatus {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It was not tried, because an earlier one failed or because it does not apply.
    Skipped,
    /// A status that this side does not know yet.
    #[serde(other)]
    Other,
}

/// What a refresh has to say beyond the objects it put into the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshReport {
    /// A sentence for the log, if there is something to say.
    #[serde(default)]
    pub summary: String,
}
