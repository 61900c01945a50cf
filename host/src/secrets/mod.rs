//! Secrets: how values are sealed at rest, lent to a run by handle, and kept out of everything that is written.
//!
//! This room knows no store, no HTTP and no runs. The corridor brings it sealed bytes and takes values only where a
//! request has already been checked.
//!
//! # What is promised
//!
//! - A value at rest is sealed with AES-256-GCM-SIV under the data key of its connection; the data key is sealed under the
//!   one key-encryption key of the host ([`keys`]). Throwing a connection's data key away throws its secrets away.
//! - A ciphertext opens only in its own place ([`seal::Binding`]). Swapped, altered, cut off or half written by whatever
//!   means, it is an [`Error`], never another value and never an empty one.
//! - The wrong key is an error at start ([`KeyRing::current`]), before anything is read or written.
//! - The key-encryption key can be replaced while everything goes on ([`crate::keys::rekey`]). Two are known meanwhile, and the
//!   header of each wrapped data key says which of them opens it.
//! - A plugin names a secret and a place; the value goes there only if the description says so ([`Handles`]).
//! - A value that was learnt ([`Scrubber`]) is replaced in everything that passes the scrubber, as it is and in the
//!   encodings in which remote systems echo it.
//!
//! # What is bound
//!
//! To each ciphertext: the install, the connection, the subject, the credential, the field, the version, the purpose, and
//! the header's own format, algorithm and key id. So a row moved by SQL to another connection, an escrow promoted to a
//! value, or a header edited to a weaker algorithm does not open.
//!
//! # What is not
//!
//! - The *freshness* of a row: who puts back a whole older row of the same version, or a whole older database, has put it
//!   back. Versions only ever grow, so this cannot bring back an older version in a newer one's place.
//! - The *length* of a value, which its ciphertext shows.
//! - The memory of this process: buffers are wiped after use, but the scrubber must hold what it looks for, and who can
//!   read this process's memory has its secrets.

mod envelope;
mod error;
pub mod generate;
pub mod handles;
pub mod identity;
mod inspect;
pub mod key_file;
mod key_source;
pub mod keys;
mod private_key;
pub mod scrub;
mod scrub_body;
mod scrub_escapes;
mod scrub_forms;
mod scrub_sieve;
pub mod seal;
mod sign;

pub use error::{Error, HalfReplaced};
pub use handles::{Destination, Handles};
pub use inspect::inspect;
pub use key_source::{KeyRing, KeySource};
pub use keys::{DataKey, KeyEncryptionKey};
pub use private_key::check_private_key;
pub use scrub::{ScrubWriter, Scrubber};
pub use seal::Binding;
