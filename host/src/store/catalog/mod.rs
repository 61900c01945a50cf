//! The catalog: staged in generations, compared, swapped, read, collected. Each is a file; the words they share are here.

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
