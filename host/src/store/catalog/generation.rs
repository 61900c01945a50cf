//! A generation while it is staged: where its objects are, and what it will do to the one in use.

use super::super::{Error, Lease};
use super::Diff;
use super::follow::{Follower, Limits};

/// What one attempt of one run stages for one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    pub(super) number: i64,
    /// How many objects were staged.
    pub(super) next: i64,
    pub(super) lease: Lease,
    pub(super) limits: Limits,
    pub(super) course: Course,
    /// Whether something was begun that has not ended well.
    pub(super) broken: bool,
}

/// Where the objects of a generation are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// All of them are its own rows.
    Whole,
    /// Some are rows of the generation in use.
    Following(Box<Follower>),
    /// So they are, no more will come, and what has to be done to the generation in use is known.
    Patch(Box<Patch>),
}

impl Generation {
    /// How many objects have been staged.
    pub fn staged(&self) -> i64 {
        self.next
    }

    /// Says that something begins which must not be left half-done; [`well_done`](Generation::well_done) ends it.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Corrupt { what: "objects were staged only in part".to_owned() });
        }
        self.broken = true;
        Ok(())
    }

    pub(super) fn well_done(&mut self) {
        self.broken = false;
    }
}

/// What a list does to the generation that it followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) follower: Follower,
    pub(super) staged: i64,
    pub(super) limits: Limits,
    pub(super) runs: Vec<Run>,
    pub(super) diff: Diff,
}

/// Staged neighbours, by the positions of the first and last, and where they go: to a position, and then every so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Run(pub(super) i64, pub(super) i64, pub(super) i64, pub(super) i64);
