//! What a connector and its host agree on.
//!
//! | module | for | what |
//! |---|---|---|
//! | [`contract`] | both | the messages, versioned and additive |
//! | [`abi`] | both | the door: one root module, one trait object |
//! | [`sdk`] | vendors | [`Connector`], [`Context`], settings, checks |
//! | `loader` | the host | reads a file's manifest, opens it, checks it (feature `loader`) |
//! | `testkit` | vendors | runs a connector against scripted answers (feature `testkit`) |
//!
//! A vendor implements [`Connector`] and writes one line, [`export!`]. The `README.md` beside this crate shows a whole one.

pub mod abi;
pub mod contract;
#[cfg(feature = "loader")]
pub mod loader;
pub mod sdk;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use contract::{Blame, Failure, Stage, catalog::Object, description::Description};
pub use futures_util as futures;
pub use schemars;
pub use sdk::{Checks, Connector, Context, Origin, Request, Response, Secret};
