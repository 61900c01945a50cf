//! The catalog: staged in generations, compared, swapped, read, collected. Each is a file; the words they share are here.
//!
//! Measured on two shared cores, release build, objects of about 250 bytes with random ids, pages of 100 (the second refresh
//! compares with the first and changes one object in a hundred):
//!
//! | objects | stage | longest page | compare | swap | collect | peak memory |
//! |---|---|---|---|---|---|---|
//! | 100,000 | 0.7 s | 9 ms | 0.13 s | 4 ms | 0.14 s | 18 MB |
//! | 1,000,000 | 8.8 s | 39 ms | 1.9 s | 7 ms | 1.8 s | 21 MB |
//!
//! An index by id would make finding one object faster (it takes 0.15 s among a million) and staging ten times slower.

mod delta;
mod diff;
mod garbage;
mod read;
mod stage;
mod swap;

#[cfg(test)]
mod tests;

pub use diff::Diff;
pub use stage::Generation;
pub use swap::KindSwap;
