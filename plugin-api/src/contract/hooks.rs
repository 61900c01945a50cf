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
/// Name of the hook that makes a new version of a credential on the remote side; answers [`Staged`]. Since 1.1.
pub const STAGE: &str = "stage";
/// Name of the hook that removes an old version from the remote side; answers nothing. Since 1.1.
pub const RETIRE: &str = "retire";
/// Name of the hook that removes what an interrupted [`STAGE`] may have left on the remote side; answers [`Swept`]. Since 1.1.
pub const SWEEP: &str = "sweep";
/// Name of the hook that asks the remote side about the version in use; answers [`Expiry`]. Since 1.1.
pub const EXPIRY: &str = "expiry";

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
    /// Which credential a rotation is about; given to the hooks of rotation and to nothing else. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
}

/// What the hooks of rotation are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The credential's id, from the description.
    pub credential: String,
    /// The attempt's id: 16 hexadecimal digits, the same for as long as the attempt lasts, across crashes, and another for every
    /// other attempt. It is written at what is made on the remote side, where there is a place for it, so that [`SWEEP`] finds it.
    pub attempt: String,
    /// The version that the connection uses now: the settings' secrets are its.
    pub current: KnownVersion,
    /// The version that the hook is about, where that is not the current one: the one to [`RETIRE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<KnownVersion>,
}

/// What is known of a version of a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownVersion {
    /// Counts from 1.
    pub version: i64,
    /// Its id on the remote side, as [`STAGE`] or [`EXPIRY`] have said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// When it ends, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// What [`STAGE`] has made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Which captured value becomes the new value of which secret field of the credential. Fields that are not named keep theirs.
    pub values: Vec<StagedValue>,
    /// Its id on the remote side, for [`RETIRE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// When it ends, in milliseconds since 1970, if the remote side has said; where the value says so itself, the host reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// One value of a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedValue {
    /// The secret field's id in the settings.
    pub field: String,
    /// The name under which it was captured in a step.
    pub captured: String,
}

/// What [`SWEEP`] has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// How many things it removed.
    pub removed: u32,
}

/// What the remote side says of the version in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// When it ends, in milliseconds since 1970; nothing if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Its id on the remote side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Why the connector cannot renew it by itself (a right that is missing), if it cannot; a person then brings the new value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_by_itself: Option<Failure>,
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
