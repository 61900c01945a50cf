//! The loader over real files: every way in which one can be wrong, and what a right one does.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod files;
mod open;
mod read;
