//! Sealing a value under a connection's data key, bound to its place.

use super::{Error, envelope, keys::DataKey};
use zeroize::Zeroizing;

/// The place of a sealed value. All of it is bound: what was sealed for one place opens in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding<'a> {
    /// The install.
    pub install: &'a str,
    /// The connection's id.
    pub connection: &'a str,
    /// Whose value it is; empty is the connection's own.
    pub subject: &'a str,
    /// The credential's id.
    pub credential: &'a str,
    /// The field's id within the credential.
    pub field: &'a str,
    /// The credential's version.
    pub version: i64,
    /// What it is kept for: `value`, `session`, `escrow`, …
    pub purpose: &'a str,
}

impl Binding<'_> {
    /// The place in words, for a message.
    fn describe(&self) -> String {
        let Binding { connection, credential, field, version, purpose, .. } = self;
        format!(
            "the sealed {purpose} of \"{credential}.{field}\" (version {version}) of connection {connection}"
        )
    }

    fn with_parts<T>(&self, use_parts: impl FnOnce(&[&[u8]]) -> T) -> T {
        let Binding { install, connection, subject, credential, field, version, purpose } = self;
        use_parts(&[
            b"jackfield sealed value",
            install.as_bytes(),
            connection.as_bytes(),
            subject.as_bytes(),
            credential.as_bytes(),
            field.as_bytes(),
            &version.to_be_bytes(),
            purpose.as_bytes(),
        ])
    }
}

impl DataKey {
    /// Seals a value for one place.
    pub fn seal(&self, binding: &Binding<'_>, plaintext: &[u8]) -> Vec<u8> {
        binding.with_parts(|parts| envelope::seal(&self.key, self.id, parts, plaintext))
    }

    /// Opens what was sealed for exactly this place with exactly this key.
    pub fn open(&self, binding: &Binding<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        binding
            .with_parts(|parts| envelope::open(&self.key, self.id, parts, sealed))
            .ok_or_else(|| Error::Sealed { what: binding.describe() })
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
