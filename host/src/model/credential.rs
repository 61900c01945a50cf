//! Credentials: named groups of fields, with versions.

use super::Millis;
use serde::{Deserialize, Serialize};

/// One version of one credential of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialVersion {
    /// The credential's id, from the connector's description.
    pub credential: String,
    /// Counts from 1.
    pub version: i64,
    /// What it is used for.
    pub state: VersionState,
    /// When it was stored.
    pub created_at: Millis,
    /// When it ends, where that is known.
    pub expires_at: Option<Millis>,
    /// Its id on the remote side, where that is known.
    pub remote_id: Option<String>,
    /// A person's note.
    pub note: String,
}

/// What a version is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Not yet proven.
    Staged,
    /// In use.
    Current,
    /// The one before, kept for a while.
    Previous,
    /// No longer of use; its values are gone.
    Retired,
}

impl VersionState {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            VersionState::Staged => "staged",
            VersionState::Current => "current",
            VersionState::Previous => "previous",
            VersionState::Retired => "retired",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        use VersionState::{Current, Previous, Retired, Staged};
        [Staged, Current, Previous, Retired].into_iter().find(|state| state.as_str() == text)
    }
}
