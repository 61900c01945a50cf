//! The contract: every message that crosses between the host and a plugin.
//!
//! Messages are plain structs, encoded as MessagePack maps with field names ([`wire`]). They are the same bytes whether
//! the plugin runs in this process or in a worker at the end of a pipe, so there is one contract and one test suite.
//!
//! # How it evolves
//!
//! The contract has a [`VERSION`], major.minor. Within a major version it only grows: a new message, or a new field with a
//! default. Unknown fields are ignored by both sides and unknown enum values land in an `Other` variant, so an old plugin
//! meets a new host and a new plugin meets an old host without either noticing. A plugin says which version it *needs*, and
//! is refused only when that is newer than what the host offers; the versions of host and SDK never matter.
//!
//! # Who calls whom
//!
//! The host invokes a hook ([`hooks`]); while it runs, the plugin calls capabilities ([`Call`]): HTTP ([`http`]), sessions
//! and secrets ([`secrets`]), the catalog ([`catalog`]), and progress, log, state, time and randomness ([`run`]). Whatever
//! goes wrong is a [`Failure`] that says whose fault it is.

pub mod catalog;
pub mod description;
pub mod failure;
pub mod hooks;
pub mod http;
pub mod manifest;
pub mod run;
pub mod secrets;
pub mod wire;

pub use failure::{Blame, Failure, Stage};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, str::FromStr};

/// The contract version that this crate speaks.
pub const VERSION: Version = Version { major: 1, minor: 0 };

/// [`VERSION`] as text, for the manifest that is built at compile time.
pub const VERSION_TEXT: &str = "1.0";

/// A version of the contract. Never the version of a host, an SDK or a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// Changes only when an old plugin could no longer be understood.
    pub major: u16,
    /// Grows with every addition.
    pub minor: u16,
}

impl Version {
    /// Whether a host that offers `self` can run a plugin that needs `needed`.
    pub fn satisfies(self, needed: Version) -> bool {
        self.major == needed.major && self.minor >= needed.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.parse::<u16>().ok();
        text.split_once('.')
            .and_then(|(major, minor)| Some(Version { major: parse(major)?, minor: parse(minor)? }))
            .ok_or_else(|| format!("\"{text}\" is not a contract version such as \"1.0\""))
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// One kind of call that a plugin may make of its host: the request type names the capability and its answer.
pub trait Call: Serialize + DeserializeOwned + Send {
    /// The capability's name on the wire.
    const NAME: &'static str;
    /// What the host answers.
    type Answer: Serialize + DeserializeOwned + Send;
}

/// The answer of calls that have nothing to say but that they were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_version_is_the_version() {
        assert_eq!(VERSION_TEXT.parse(), Ok(VERSION));
    }

    #[test]
    fn a_host_serves_what_is_not_newer() {
        let host = Version { major: 1, minor: 3 };
        for (needed, served) in [("1.0", true), ("1.3", true), ("1.4", false), ("2.0", false), ("0.9", false)]
        {
            assert_eq!(host.satisfies(needed.parse().unwrap()), served, "{needed}");
        }
    }
}
