//! What can go wrong with keys and sealed values. Each message names the thing and the remedy; none holds a value.

use super::keys::KeySource;
use std::{io, path::PathBuf};

/// Why a key cannot be used or a sealed value cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is needed and not there.
    #[error("there is no key in {source}: put the key that sealed this database back, or name where it is")]
    KeyMissing {
        /// Where it should be.
        r#source: KeySource,
    },
    /// Others may read the key file.
    #[error(
        "the key file {path} may be read by other users (mode {mode:04o}): run `chmod 600 {path}`, \
         and make a new key if another user may have read it",
        path = .path.display()
    )]
    KeyMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key is there and cannot be read.
    #[error("the key in {source} cannot be read ({error}): let the user that runs Jackfield read it")]
    KeyUnreadable {
        /// Where it is.
        r#source: KeySource,
        /// Why not.
        error: io::Error,
    },
    /// What is there is not a key.
    #[error(
        "what is in {source} is not a key: a key is 32 random bytes in base64, \
         such as `openssl rand -base64 32` prints"
    )]
    KeyMalformed {
        /// Where it is.
        r#source: KeySource,
    },
    /// A new key would overwrite a file.
    #[error(
        "the key file {path} is already there, and keys are never overwritten: use it, or name another file",
        path = .path.display()
    )]
    KeyExists {
        /// The file.
        path: PathBuf,
    },
    /// A new key cannot be written.
    #[error(
        "the key file {path} cannot be written ({error}): make its directory, which must be writable for this user",
        path = .path.display()
    )]
    KeyUnwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is a key, but not the one that sealed this.
    #[error("the key {given} is the wrong one: key {expected} sealed this; start Jackfield with that key")]
    WrongKey {
        /// The id of the key that is there.
        given: String,
        /// The id of the key that is needed.
        expected: String,
    },
    /// A sealed value does not open.
    #[error(
        "{what} cannot be opened: it was moved, altered or cut off, or sealed by a newer Jackfield; \
         enter it again, or restore the database from a backup"
    )]
    Sealed {
        /// The value's place, in words.
        what: String,
    },
}
