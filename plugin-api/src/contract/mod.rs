//! The contract: every message that crosses between the host and a plugin.
//!
//! Messages are plain structs, encoded as MessagePack maps with field names ([`wire`]). They are the same bytes whether
//! the plugin runs in this process or in a worker at the end of a pipe, so there is one contract and one test suite.
//!
//! # How it evolves
//!
//! The contract has a [`VERSION`], major.minor. Within a major version it only grows: a new message, or a new field with a
//! default. A plugin says which version it *needs*, and is refused only when that is newer than what the host offers; the
//! versions of host and SDK never matter. What that means for a message depends on the way it goes:
//!
//! - *To the plugin* (invocations, answers of capabilities, their failures): the host may be newer and knows nothing of
//!   the plugin's age, so the plugin is tolerant. It ignores unknown fields, and every enum on this way has an `Other`
//!   variant in which unknown values land.
//! - *To the host* (the description, calls of capabilities, reports): `needs` covers them. A plugin sends nothing that is
//!   newer than what it needs, so the host knows all of it. Unknown fields are ignored here, too, and some enums have an
//!   `Other` as well ([`Level`](run::Level), [`Place`](http::Place), …); but a request with an unknown
//!   [`Body`](http::Body), a [`SecretRef`](secrets::SecretRef) or a [`How`](catalog::How) that the host does not know is
//!   refused as a whole: to guess what it asks for would be worse.
//!
//! [`Target`](http::Target) has no tag on the wire: its variants are told apart by their fields, so a new one must not
//! contain all fields of an old one.
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
pub const VERSION: Version = Version { major: 1, minor: 1 };

/// [`VERSION`] as text, for the manifest that is built at compile time.
pub const VERSION_TEXT: &str = "1.1";

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
