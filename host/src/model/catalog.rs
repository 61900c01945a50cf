//! The catalog: what refreshes found.

use super::Millis;
use serde::{Deserialize, Serialize};

/// How one kind of a connection's objects stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSummary {
    /// The kind.
    pub kind: String,
    /// How many objects there are.
    pub count: i64,
    /// When they were last read completely, or changed by a delta.
    pub refreshed_at: Millis,
    /// Why the newest refresh could not read them, if it could not.
    pub kept_reason: Option<String>,
}

/// What one refresh did to one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindChange {
    /// The kind.
    pub kind: String,
    /// Objects there are now.
    pub count: u64,
    /// Objects that were not there before.
    pub added: u64,
    /// Objects that are different now.
    pub changed: u64,
    /// Objects that are no longer there.
    pub removed: u64,
    /// Why the objects of before were kept, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_reason: Option<String>,
}

/// One object as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Its id on the remote side.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What contains it.
    pub parent: Option<String>,
    /// When it was last changed, as the remote side says.
    pub modified: Option<String>,
    /// JSON text of its relations.
    pub links: String,
    /// JSON text of everything else.
    pub attributes: String,
}
