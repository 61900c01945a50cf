//! The simulated Qalyptus products, met from outside as a connector meets them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "qalyptus/client.rs"]
mod client;
#[path = "qalyptus/faults.rs"]
mod faults;
#[path = "qalyptus/guesses.rs"]
mod guesses;
#[path = "qalyptus/keys.rs"]
mod keys;
#[path = "qalyptus/lists.rs"]
mod lists;
#[path = "qalyptus/products.rs"]
mod products;
