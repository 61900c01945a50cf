//! The catalog: staged in generations, compared, swapped, read, collected. Each is a file; the words they share are here.
//!
//! Measured on two shared cores, release build, objects of about 250 bytes with random ids, pages of 100, nothing to follow
//! (as if too much were different; one object in a hundred is):
//!
//! | objects | stage | longest page | compare | swap | collect | peak memory |
//! |---|---|---|---|---|---|---|
//! | 100,000 | 0.7 s | 9 ms | 0.13 s | 4 ms | 0.14 s | 18 MB |
//! | 1,000,000 | 8.8 s | 39 ms | 1.9 s | 7 ms | 1.8 s | 21 MB |
//!
//! An index by id would make finding one object faster (it takes 0.15 s among a million) and staging ten times slower.
//!
//! **A list that is nearly the last one is nearly free.** Staging *follows* the generation in use (`follow.rs`): it reads along
//! and writes only the objects that it does not find there, unchanged and in their order. At the end of a complete list the
//! swap *patches* that generation (`patch.rs`): it deletes the rows that were not found again and inserts the new ones between
//! their neighbours, for which positions leave room. None of it is sorted: one scan looks for the ids that were written, because
//! an id may have come twice. From the first page to the collected garbage, a list of 100,000 with one change in a hundred took
//! half the processor time that it takes without following, one that did not change a quarter (it writes nothing), and one in
//! another order a tenth more (a debug build).
//!
//! Whatever does not fit that — too much is different, a list in another order, ids that came twice, no room left between two
//! rows, a delta, which puts what it names behind everything else — is *made whole*: what was matched is copied beside what was
//! staged, and the generation is compared and swapped as that of a first refresh is. Nobody but the holder of the lease
//! changes what is in use, so what was read while following is still true at the swap; the swap looks all the same.

mod delta;
mod diff;
mod follow;
mod garbage;
mod generation;
mod patch;
mod read;
mod stage;
mod swap;

#[cfg(test)]
mod follow_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub use diff::Diff;
pub use generation::Generation;
pub use swap::KindSwap;
