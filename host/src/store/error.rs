//! What can go wrong in the store, in words for a person.

use super::sqlite::{Trouble, trouble};
use crate::model::{migration::Use, run::Run};
use std::path::PathBuf;

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another one, of connections that are ready, has this name.
    #[error("there is already a {noun} named \"{name}\"; choose another name")]
    NameTaken {
        /// What has it.
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// A connection is to be deleted that migrations use.
    #[error("the connection is used by {} migrations", uses.len())]
    Used {
        /// Every migration that does.
        uses: Vec<Use>,
    },
    /// A run is queued or running, and only one may be.
    #[error(
        "a {} of \"{}\" is already {} (run {}); wait for it or cancel it",
        run.hook.as_str(), run.connection_name, run.state.as_str(), run.id
    )]
    RunActive {
        /// The run that is.
        run: Box<Run>,
    },
    /// What should be changed is not there any more.
    #[error("{what} does not exist any more")]
    Gone {
        /// What it is, with its name or id.
        what: String,
    },
    /// Somebody else changed it since it was read.
    #[error(
        "{what} was changed by somebody else meanwhile, so this change was not saved; look at it and try again"
    )]
    Changed {
        /// What it is, with its name.
        what: String,
    },
    /// The connection has got another address since the run began.
    #[error(
        "the connection was moved to another system while this was under way, so what it found is not kept"
    )]
    Moved,
    /// The run was taken over, ended or cancelled meanwhile: whoever holds this attempt may not go on.
    #[error("run {run} is no longer held by its attempt {attempt}: it was taken over or has ended")]
    Lost {
        /// The run.
        run: String,
        /// The attempt that was lost.
        attempt: i64,
    },
    /// A newer Jackfield wrote this database.
    #[error(
        "the database {} was written by a newer Jackfield (its schema is {found}, this program knows up to {known}); \
         start the newer program, or restore a backup from before the update",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema that it has.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The disk, or a limit on the file, is full.
    #[error("the disk that holds the database is full; nothing was changed")]
    Full,
    /// Writing failed for a reason that SQLite does not tell: a quota, a limit on the size of files, a disk that fails. A full
    /// disk is told so as well when the first of the files beside the database cannot be made.
    #[error(
        "the database and the files beside it cannot be written: the disk (or a quota, or a limit on the size of files) is \
         full, or the disk fails or is read-only; nothing was changed"
    )]
    Unwritten,
    /// The file, or its folder, cannot be written.
    #[error(
        "the database is read-only: it, its folder or the disk must be writable for the user that Jackfield runs as (SQLite \
         keeps two more files beside it)"
    )]
    ReadOnly,
    /// Another process kept the database locked for too long.
    #[error(
        "the database is locked by another process; try again, and look for a hanging program if that does not help"
    )]
    Busy,
    /// The file cannot be opened.
    #[error("cannot open the database {}: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// What is stored cannot be what was stored.
    #[error("the database is damaged: {what}; restore a backup")]
    Corrupt {
        /// What cannot be.
        what: String,
    },
    /// Anything else. The cause is part of the text, so it is not told again as a source.
    #[error("the database could not {doing}: {cause}")]
    Database {
        /// What was being done, such as "save a run".
        doing: &'static str,
        /// What the database said.
        cause: sqlx::Error,
    },
}

impl Error {
    /// From what the database said while it was `doing` something.
    pub(super) fn while_(doing: &'static str, cause: sqlx::Error) -> Self {
        match trouble(&cause) {
            Trouble::Full => Error::Full,
            Trouble::ReadOnly => Error::ReadOnly,
            Trouble::Unwritten => Error::Unwritten,
            Trouble::Busy => Error::Busy,
            Trouble::Corrupt => Error::Corrupt { what: format!("it could not {doing} ({cause})") },
            Trouble::Other => match cause {
                sqlx::Error::PoolTimedOut => Error::Busy,
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                    Error::Corrupt { what: format!("it could not {doing} ({cause})") }
                }
                cause => Error::Database { doing, cause },
            },
        }
    }
}

/// Says what was being done when the database failed.
pub(super) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|cause| Error::while_(what, cause))
    }
}

/// Whether a unique index refused a row.
pub(super) fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|e| e.is_unique_violation())
}

/// Whether a foreign key refused a row, or its deletion.
pub(super) fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|e| e.is_foreign_key_violation())
}
