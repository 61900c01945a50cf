//! The vendor's side: the connector that the README shows, driven by the testkit, and the testkit's own promises.

#[path = "../../examples/paged.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own elsewhere")]
mod paged;

mod promises;
mod readme;
mod shelf;
mod snippet;
