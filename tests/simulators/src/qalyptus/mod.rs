//! Qalyptus Server and Qalyptus Cloud, simulated: two products of one API, as far as their vendor's help, their vendor's
//! own client and a public client of a live tenant tell what it is.
//!
//! Much of it nobody outside has seen. What is known is as it is known; for everything that is guessed the simulator
//! takes the first candidate and can be switched to the others while it runs:
//!
//! - *Paths.* The base path, a folder in front of it, and for each operation which of its candidate paths answers, any
//!   other path, or none ([`Serving`]).
//! - *Envelopes.* Four members, `data` alone, NPrinting's `items`, or nothing around the rows ([`Envelope`]); errors in six
//!   forms ([`ErrorBody`], [`ErrorDetails`]).
//! - *Paging.* None, as seen; offsets, pages or links ([`Paging`]).
//! - *The key.* Its header and the text before it ([`KeyHeader`]). A key that is expired, revoked, deleted, switched off
//!   with the feature, or whose owner may no longer have one, gets one and the same 401.
//! - *Rows.* Nulls, members nobody knows, names in other scripts, ids that come twice ([`Shape`]).
//! - *The link to Qlik Sense* of the cloud product, in each state ([`Integration`]).
//!
//! What is not there: the write endpoints that a migration would need (none is public), desktop publishing, the real NTLM
//! exchange.

mod call;
mod config;
mod control;
mod data;
mod endpoints;
mod envelope;
mod gate;
mod integration;
mod keys;
mod paging;
mod problem;
mod routes;
mod sessions;
mod world;

pub use config::{
    Config, Envelope, ErrorBody, ErrorDetails, KeyHeader, KeyRules, Population, Product, Shape, Tls,
};
pub use control::Simulator;
pub use endpoints::Serving;
pub use integration::Integration;
pub use keys::{IssuedKey, NewKey};
pub use paging::Paging;
pub use world::Switches;

pub use crate::kit::rounds::Changes;
