//! The catalog: what a refresh found.
//!
//! A refresh *puts* objects page by page and then *ends* each kind. Nothing is visible to anyone until the whole refresh has
//! succeeded. How a kind ends decides what becomes of the objects that were there before.

use super::{Call, Done};
use serde::{Deserialize, Serialize};

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its id on the remote side, unique within its kind and connection.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of what contains it, such as an app's space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When it was last changed, RFC 3339, as the remote side says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Its relations to other objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Everything else, as the text of one JSON object. Empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub attributes: String,
}

/// A relation of one object to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the other is to this one, such as `owner`.
    pub relation: String,
    /// The other's kind.
    pub kind: String,
    /// The other's id.
    pub id: String,
}

/// Puts a page of objects. Answered when the store has accepted them, which is the back-pressure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPut {
    /// Their kind, one that the description names.
    pub kind: String,
    /// The objects.
    pub objects: Vec<Object>,
    /// The exchange whose answer they came from, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<u64>,
}

impl Call for CatalogPut {
    const NAME: &'static str = "catalog.put";
    type Answer = Done;
}

/// Ends a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEnd {
    /// The kind.
    pub kind: String,
    /// How it ends.
    pub how: How,
}

impl Call for CatalogEnd {
    const NAME: &'static str = "catalog.end";
    type Answer = Done;
}

/// How a kind of object ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// All of them were put: what was not is gone.
    Complete,
    /// Only changes were put; these ids are gone.
    Delta {
        /// Ids of the objects that are gone.
        deleted: Vec<String>,
    },
    /// They could not be read; the last good ones stay and show their age. What was put is thrown away.
    Kept {
        /// Why.
        reason: String,
    },
}
