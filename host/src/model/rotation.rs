//! A rotation: one attempt to give a credential a new version, and how far it is.

use super::{
    Millis,
    id::{ConnectionId, RotationId, RunId},
};
use jackfield_plugin::contract::{Failure, description::RotationMode};
use serde::{Deserialize, Serialize};

/// One attempt to give a credential a new version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// Its id, which is written at what is made on the remote side.
    pub id: RotationId,
    /// The connection.
    pub connection: ConnectionId,
    /// The credential's id.
    pub credential: String,
    /// Who makes the new value.
    pub mode: RotationMode,
    /// The version that was in use when it began.
    pub base_version: i64,
    /// The version that it makes.
    pub new_version: i64,
    /// How far it is.
    pub state: RotationState,
    /// The run that worked on it last.
    pub run: Option<RunId>,
    /// What went wrong last.
    pub failure: Option<Failure>,
    /// When there is something to do next, if that is not at once.
    pub next_at: Option<Millis>,
    /// When it began.
    pub created_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationState {
    /// Decided on. Nothing was sent.
    Prepared,
    /// Something may have been sent: from here on it only goes forward.
    Applying,
    /// The new version exists on the remote side and is stored here, unproven.
    Applied,
    /// The new version is stored here, and a person has to register it on the remote side.
    WaitingForPerson,
    /// The new version has passed its test.
    Tested,
    /// The new version is in use; the old one is still to be removed from the remote side.
    CleanupPending,
    /// The new version is in use, and the old one is gone.
    Finished,
    /// Given up, with nothing changed: the old version is in use as before.
    Aborted,
}

impl RotationState {
    /// All of them.
    pub const ALL: [RotationState; 8] = [
        RotationState::Prepared,
        RotationState::Applying,
        RotationState::Applied,
        RotationState::WaitingForPerson,
        RotationState::Tested,
        RotationState::CleanupPending,
        RotationState::Finished,
        RotationState::Aborted,
    ];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            RotationState::Prepared => "prepared",
            RotationState::Applying => "applying",
            RotationState::Applied => "applied",
            RotationState::WaitingForPerson => "waiting_for_person",
            RotationState::Tested => "tested",
            RotationState::CleanupPending => "cleanup_pending",
            RotationState::Finished => "finished",
            RotationState::Aborted => "aborted",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing will change it any more.
    pub fn is_final(self) -> bool {
        matches!(self, RotationState::Finished | RotationState::Aborted)
    }
}

/// One line of a rotation's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Counts from 1 within the rotation.
    pub sequence: i64,
    /// When.
    pub at: Millis,
    /// The state that was entered.
    pub state: RotationState,
    /// The run that decided it, if one did.
    pub run: Option<RunId>,
    /// Why, for a person.
    pub note: String,
}

/// One line of a rotation's escrow: what is known of one step on the remote side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Counts from 1 within the rotation.
    pub sequence: i64,
    /// The step's name.
    pub step: String,
    /// What is known.
    pub kind: EvidenceKind,
    /// The sealed answer; empty if there is none.
    pub sealed: Vec<u8>,
}

/// What is known of a step on the remote side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// It is about to be asked for; whether it happened is not known.
    Asked,
    /// It happened, and this is the answer.
    Answered,
    /// The remote side refused it, so nothing happened.
    Refused,
    /// Nobody wants any more what the lines before may have made: it is to be removed.
    Withdrawn,
    /// Whatever the lines before may have made is gone again.
    Void,
}

impl EvidenceKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Asked => "asked",
            EvidenceKind::Answered => "answered",
            EvidenceKind::Refused => "refused",
            EvidenceKind::Withdrawn => "withdrawn",
            EvidenceKind::Void => "void",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        use EvidenceKind::{Answered, Asked, Refused, Void, Withdrawn};
        [Asked, Answered, Refused, Withdrawn, Void].into_iter().find(|kind| kind.as_str() == text)
    }
}
