//! The HTTP room: the only way out of this house.
//!
//! A plugin does no I/O. It says what it would like to ask, with holes where the secrets belong, and this room decides
//! whether that may be asked, fills the holes, asks, and shows of the answer what may be shown. It knows nothing of
//! connections, runs, secrets or the store: what it needs of them comes in through [`slots::SlotSource`], and what it did
//! goes out through a closure that gets an [`exchange::Exchange`] for each attempt. Whoever makes a [`client::Client`]
//! introduces them to each other.
//!
//! # The way of a request
//!
//! ```text
//!  HttpRequest
//!      |
//!  prepare      method, headers, time: what is the plugin's to say, and what is not
//!  policy       which origin; IP literals in any spelling are judged by address
//!      |                                                    <---------------------------+
//!  gate, cap    nobody while a 429 holds; never more in flight than the operator said   |
//!      |                                              <------------+                    |
//!  slots        secrets into their places, asked for one by one    |                    |
//!  pool, tls    the connections; a client certificate has its own  |                    |
//!  resolver     the name once; the judged address is connected to  |                    |
//!      |                                                           |                    |
//!  redirect     the policy again; secrets stay with their origin --+                    |
//!      |                                                                                |
//!  attempt      the body, counted as it is decompressed; the time                       |
//!  retry        whether again, and when ------------------------------------------------+
//!      |
//!  capture      secrets out of the answer, before anything of it is shown
//!      |
//!  HttpResponse
//! ```
//!
//! # What holds
//!
//! - Nothing is resolved, opened or filled in before the policy has said yes, and it says so for every hop anew.
//! - The address that was checked is the address that is connected to. With a configured proxy the proxy resolves, and
//!   failures say that it stands in between; proxy variables are ignored.
//! - A secret goes to the origin that the plugin asked for, and with no redirect to another. Neither do its headers.
//! - What is shown to the plugin, told to the observer or said in a failure has been scrubbed or never held a secret:
//!   no `Set-Cookie`, no URL beyond its origin in a failure.
//! - Every wait ends: by its limit, or at once when the run is cancelled.
//! - What may have done something on the remote side is not repeated, unless the plugin says that it does no harm or the
//!   remote side says that it did nothing.

mod address;
mod answer;
mod attempt;
pub mod capture;
pub mod client;
pub mod escrow;
pub mod exchange;
mod failure;
mod identified;
mod jar;
pub mod limits;
mod means;
pub mod places;
pub mod policy;
mod pool;
mod prepare;
mod redirect;
mod refused;
mod resolver;
mod retry;
pub mod slots;
#[cfg(test)]
mod tests;
mod tls;
