//! What can go wrong with keys and sealed values. Each message names the thing and the remedy; none holds a value.

use super::KeySource;
use std::{io, path::PathBuf};

/// Why a key cannot be used or a sealed value cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is needed and not there.
    #[error(
        "there is no key in {source}: put the key that sealed this database back, or name where it is \
         (key.file, key.variable or key.systemd_credential)"
    )]
    KeyMissing {
        /// Where it should be.
        r#source: KeySource,
    },
    /// Others may read the key file.
    #[error(
        "the key file {path} may be read by other users (mode {mode:04o}): run `chmod 600 {path}`, \
         and replace the key (`jackfield secret rekey`) if another user may have read it",
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
         such as `openssl rand -base64 32` prints, or two of them while one replaces the other"
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
    #[error(
        "{source} holds key {given}, which is the wrong one: key {expected} sealed this; {remedy}",
        remedy = match kept {
            Some(kept) => format!(
                "that key is kept in {}: put it behind the other one, on a line of its own, and run `jackfield secret rekey`",
                kept.display()
            ),
            None => "put that key there, or name where it is (key.file, key.variable or key.systemd_credential)".to_owned(),
        }
    )]
    WrongKey {
        /// Where the key is.
        r#source: KeySource,
        /// The id of the key that is there, or of the two.
        given: String,
        /// The id of the key that is needed.
        expected: String,
        /// Where there is a copy of that.
        kept: Option<PathBuf>,
    },
    /// One key is taking the other's place, and only one of them is there.
    #[error("{0}")]
    HalfReplaced(Box<HalfReplaced>),
    /// A sealed value does not open.
    #[error(
        "{what} cannot be opened: it was moved, altered or cut off, or sealed by a newer Jackfield; \
         enter it again, or restore the database from a backup"
    )]
    Sealed {
        /// The value's place, in words.
        what: String,
    },
    /// A connection's data key does not open, and with it none of its secrets.
    #[error(
        "the data key of connection {connection} cannot be opened: it was moved, altered or cut off, or sealed by a newer \
         Jackfield; restore the database from a backup, or delete the connection and add it again"
    )]
    DataKey {
        /// The connection's id.
        connection: String,
    },
}

/// One key is taking the other's place, and only one of them is there.
#[derive(Debug, thiserror::Error)]
#[error(
    "{source} holds {given} alone, and {missing} is needed, too: `jackfield secret rekey` was replacing the key {old} by {new} \
     and has not finished; put both there, the new one first, parted by a space or a line's end, and run it again{hint}",
    hint = kept.as_ref().map(|kept| format!(" ({missing} is in {})", kept.display())).unwrap_or_default()
)]
pub struct HalfReplaced {
    /// Where the keys are.
    pub r#source: KeySource,
    /// The id of the key that is there.
    pub given: String,
    /// The id of the key that is not.
    pub missing: String,
    /// Where there is a copy of that.
    pub kept: Option<PathBuf>,
    /// The id of the key that is replaced.
    pub old: String,
    /// The id of the key that replaces it.
    pub new: String,
}
