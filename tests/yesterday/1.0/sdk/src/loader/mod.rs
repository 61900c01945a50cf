//! The host's side: reads who a plugin file is, opens it, and calls it.
//!
//! [`read_manifest`] looks at the file without executing anything, which is all that listing and installing need.
//! [`Plugin::open`] runs the file's code, so only a worker does it (and tests). Every way in which a file can be wrong is a
//! [`LoadError`] of its own.

mod error;
mod library;
mod manifest;

pub use error::LoadError;
pub use library::Plugin;
pub use manifest::{MAX_FILE, parse_manifest, read_manifest};
