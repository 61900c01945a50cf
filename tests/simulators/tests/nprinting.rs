//! The simulated NPrinting server, met from outside as a connector meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "nprinting/auth.rs"]
mod auth;
#[path = "nprinting/client.rs"]
mod client;
#[path = "nprinting/faults.rs"]
mod faults;
#[path = "nprinting/lists.rs"]
mod lists;
#[path = "nprinting/rights.rs"]
mod rights;
#[path = "nprinting/sessions.rs"]
mod sessions;
#[path = "nprinting/tls.rs"]
mod tls;
#[path = "nprinting/writes.rs"]
mod writes;
