//! What surrounds a run: progress, log, state, time and randomness.

use super::{Call, Done};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Says how far the work has come. Objects put are counted by the host; this adds what only the plugin knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done: the id of an object kind, or a few words.
    pub step: String,
    /// How much is done.
    #[serde(default)]
    pub done: u64,
    /// Of how much, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl Call for Progress {
    const NAME: &'static str = "run.progress";
    type Answer = Done;
}

/// Writes a line to the run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How serious it is.
    pub level: Level,
    /// The line.
    pub message: String,
}

impl Call for LogLine {
    const NAME: &'static str = "run.log";
    type Answer = Done;
}

/// How serious a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// For whoever writes the plugin.
    Debug,
    /// For whoever reads the log.
    Info,
    /// Something is missing or odd; the run goes on.
    Warning,
    /// Something failed.
    Error,
    /// A level that this side does not know yet.
    #[serde(other)]
    Other,
}

/// Reads a value of the connection's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateGet {
    /// Its key.
    pub key: String,
}

impl Call for StateGet {
    const NAME: &'static str = "state.get";
    type Answer = Option<Value>;
}

/// Sets a value of the connection's state. It is kept if and only if the run succeeds. `null` removes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateSet {
    /// Its key.
    pub key: String,
    /// The value, at most 64 KiB encoded.
    pub value: Value,
}

impl Call for StateSet {
    const NAME: &'static str = "state.set";
    type Answer = Done;
}

/// Asks for the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeNow {}

impl Call for TimeNow {
    const NAME: &'static str = "time.now";
    /// Milliseconds since 1970.
    type Answer = i64;
}

/// Waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sleep {
    /// Milliseconds.
    pub milliseconds: u64,
}

impl Call for Sleep {
    const NAME: &'static str = "time.sleep";
    type Answer = Done;
}

/// Asks for random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    /// How many, at most 1024.
    pub length: u16,
}

impl Call for Random {
    const NAME: &'static str = "random";
    type Answer = RandomBytes;
}

/// Random bytes, from the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomBytes {
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}
