//! A migration: what is to be moved from one connection's system into another's.

use super::{
    Millis,
    id::{ConnectionId, MigrationId},
};
use jackfield_plugin::contract::description::Roles;
use serde::{Deserialize, Serialize};

/// From which connection to which other one content is to be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// Its id.
    pub id: MigrationId,
    /// Its name, unique among migrations without regard to case.
    pub name: String,
    /// Notes.
    pub description: String,
    /// The connection that content is read from.
    pub source: ConnectionId,
    /// The connection that content is written to.
    pub target: ConnectionId,
    /// When it was made.
    pub created_at: Millis,
}

/// One of the two sides of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Content is read from it.
    Source,
    /// Content is written to it.
    Target,
}

impl Side {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::Target => "target",
        }
    }

    /// Whether a connector with these roles can be this side.
    pub fn is_among(self, roles: Roles) -> bool {
        match self {
            Side::Source => roles.source,
            Side::Target => roles.target,
        }
    }
}

/// A migration that uses a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The migration's name.
    pub migration: String,
    /// What the connection is in it.
    pub side: Side,
}

/// The roles of a connector in words, to stand behind "can be".
pub fn roles_in_words(roles: Roles) -> &'static str {
    match (roles.source, roles.target) {
        (true, true) => "the source or the target",
        (true, false) => "the source",
        (false, true) => "the target",
        (false, false) => "neither source nor target",
    }
}
