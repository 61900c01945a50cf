//! Nouns and pure rules: what everything else in this house talks about. No I/O, no SQL, no HTTP, no clock.

pub mod catalog;
pub mod certificate;
pub mod connection;
pub mod credential;
pub mod id;
pub mod migration;
pub mod name;
pub mod pem;
pub mod rotation;
pub mod run;
pub mod secret;
pub mod settings;
pub mod text;
pub mod trust;

/// A moment, in milliseconds since 1970, UTC.
pub type Millis = i64;
