//! A run: one execution of a hook on one connection.

use super::{Millis, id::ConnectionId, id::RunId};
use jackfield_plugin::contract::{Failure, hooks};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One execution of a hook on one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The connection. It may have been deleted since.
    pub connection: ConnectionId,
    /// The connection's name when the run was asked for.
    pub connection_name: String,
    /// The connector's id.
    pub connector: String,
    /// The hook.
    pub hook: Hook,
    /// How far it is.
    pub state: RunState,
    /// How often it has been taken up. The fence: only the holder of the newest attempt may change the run.
    pub attempt: i64,
    /// Who drives it, for a person: host name and process id.
    pub owner: Option<String>,
    /// Somebody asked for its end.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub queued_at: Millis,
    /// When it was first taken up.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// What it found, as JSON, by hook.
    pub result: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Name of its log file in the data folder's `logs`.
    pub log: Option<String>,
    /// Version and digest of the plugin that ran.
    pub plugin: Option<String>,
}

/// The hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// Tests the connection.
    Test,
    /// Refreshes its catalog.
    Refresh,
    /// Gives a credential a new version.
    Rotate,
}

impl Hook {
    /// Its name in the contract, in the store and on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Hook::Test => hooks::TEST,
            Hook::Refresh => hooks::REFRESH,
            // Several hooks of the contract, one after the other.
            Hook::Rotate => "rotate",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        [Hook::Test, Hook::Refresh, Hook::Rotate].into_iter().find(|hook| hook.as_str() == text)
    }

    /// Whether an interrupted run is queued again, and how often it may be taken up in all.
    pub fn attempts(self) -> i64 {
        match self {
            // A person waits for a test: it is quicker to ask again than to find out later.
            Hook::Test => 1,
            Hook::Refresh => 2,
            // What is under way on the remote side is brought to its end, however often that is interrupted.
            Hook::Rotate => i64::MAX,
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Asked for.
    Queued,
    /// Being driven.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl RunState {
    /// All of them, in the order of a run's life.
    pub const ALL: [RunState; 5] =
        [RunState::Queued, RunState::Running, RunState::Succeeded, RunState::Failed, RunState::Cancelled];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing will change it any more.
    pub fn is_final(self) -> bool {
        matches!(self, RunState::Succeeded | RunState::Failed | RunState::Cancelled)
    }
}

/// Something that happened during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1 within the run.
    pub sequence: i64,
    /// When.
    pub at: Millis,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// What, for a person.
    pub message: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Well, with what it found.
    Succeeded(Value),
    /// Badly. A test that found a failed check has this ending too, and its report as the result.
    Failed(Failure, Option<Value>),
    /// Because somebody asked for it.
    Cancelled,
}

impl Ending {
    /// The state that it leads to.
    pub fn state(&self) -> RunState {
        match self {
            Ending::Succeeded(_) => RunState::Succeeded,
            Ending::Failed(..) => RunState::Failed,
            Ending::Cancelled => RunState::Cancelled,
        }
    }
}
