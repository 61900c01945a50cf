//! Keys: the key-encryption key, and the data key of each connection.

use super::{
    Error,
    envelope::{self, Key, KeyId},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// The key under which the data keys are sealed. One for a host, wherever its database lives.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    key: Key,
    id: KeyId,
}

impl KeyEncryptionKey {
    /// A new random one.
    pub fn generate() -> Self {
        Self::new(random())
    }

    /// Reads what [`text`](KeyEncryptionKey::text) wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        exactly(&Zeroizing::new(STANDARD.decode(text).ok()?)).map(Self::new)
    }

    /// The key itself, in base64.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(&self.key[..]))
    }

    fn new(key: Key) -> Self {
        let id = id_of(&key);
        KeyEncryptionKey { key, id }
    }

    /// Its public id, 16 hexadecimal digits.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// What a database keeps to recognise its key by: `v1:id:proof`. Not secret.
    pub fn check_value(&self, install: &str) -> String {
        format!("v1:{}:{}", self.id(), STANDARD.encode(self.proof(install)))
    }

    /// Whether this is the key that made the check value.
    pub fn verify(&self, install: &str, check: &str) -> Result<(), Error> {
        let (id, proof) = parts(check)?;
        let proof = STANDARD.decode(proof).ok().filter(|_| id == self.id()).ok_or_else(altered)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&proof, self.proof(install).as_ref())
            .map_err(|_| altered())
    }

    fn proof(&self, install: &str) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key[..]);
        hmac::sign(&key, &[b"jackfield key check\0", install.as_bytes()].concat())
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey({}, …)", self.id())
    }
}

/// The key under which one connection's values are sealed.
#[derive(Clone)]
pub struct DataKey {
    pub(super) key: Key,
    pub(super) id: KeyId,
}

impl DataKey {
    /// A new random one.
    pub fn generate() -> Self {
        Self::new(random())
    }

    fn new(key: Key) -> Self {
        let id = id_of(&key);
        DataKey { key, id }
    }

    /// Seals it for one connection of one install.
    pub fn wrap(&self, under: &KeyEncryptionKey, install: &str, connection: &str) -> Vec<u8> {
        envelope::seal(&under.key, under.id, &wrapped_parts(install, connection), &self.key[..])
    }

    /// Opens what [`wrap`](DataKey::wrap) sealed. Which key did tells [`sealed_under`].
    pub fn unwrap(
        under: &KeyEncryptionKey,
        install: &str,
        connection: &str,
        wrapped: &[u8],
    ) -> Result<Self, Error> {
        envelope::open(&under.key, under.id, &wrapped_parts(install, connection), wrapped)
            .and_then(|bytes| exactly(&bytes))
            .map(Self::new)
            .ok_or_else(|| Error::DataKey { connection: connection.to_owned() })
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, …)", hex(&self.id))
    }
}

/// The id of the key that a data key is sealed under, if it is one of ours.
pub fn sealed_under(wrapped: &[u8]) -> Option<String> {
    envelope::key_id(wrapped).map(|id| hex(&id))
}

/// The id of the key that made a check value.
pub fn checked_by(check: &str) -> Result<&str, Error> {
    parts(check).map(|(id, _)| id)
}

/// The id and the proof in a check value.
fn parts(check: &str) -> Result<(&str, &str), Error> {
    check.strip_prefix("v1:").and_then(|rest| rest.split_once(':')).ok_or_else(altered)
}

fn altered() -> Error {
    Error::Sealed { what: "the key check of this database".to_owned() }
}

fn wrapped_parts<'a>(install: &'a str, connection: &'a str) -> [&'a [u8]; 3] {
    [b"jackfield data key", install.as_bytes(), connection.as_bytes()]
}

fn random() -> Key {
    let mut key = Zeroizing::new([0; 32]);
    // Fails only without a source of randomness, and then no key may be made.
    aws_lc_rs::rand::fill(&mut key[..]).expect("the system gives randomness");
    key
}

/// The first bytes of the key's SHA-256: names the key, tells nothing of it.
fn id_of(key: &Key) -> KeyId {
    let mut id = KeyId::default();
    id.copy_from_slice(&Sha256::digest(&key[..])[..8]);
    id
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn exactly(bytes: &[u8]) -> Option<Key> {
    let mut key = Zeroizing::new([0; 32]);
    (bytes.len() == key.len()).then(|| key.copy_from_slice(bytes))?;
    Some(key)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
