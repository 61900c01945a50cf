//! The format of everything sealed, for values and for wrapped keys alike:
//!
//! ```text
//! "JFLD" | format 1 | algorithm 1 | key id 8 | nonce 12 | ciphertext | tag 16
//! ```
//!
//! The associated data is the list of what the ciphertext is bound to, each part preceded by its length, so that no two
//! different lists give the same bytes; the header's format, algorithm and key id are parts of it. A second algorithm is
//! one more arm in [`algorithm`], readable beside the first.
//!
//! AES-256-GCM-SIV with a random nonce: should a nonce ever repeat, all that shows is whether two plaintexts were equal.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Algorithm, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// A 256-bit key.
pub(super) type Key = Zeroizing<[u8; 32]>;
/// The beginning of a key's digest.
pub(super) type KeyId = [u8; 8];

const MAGIC: [u8; 4] = *b"JFLD";
const FORMAT: u8 = 1;
const SIV: u8 = 1;
const KEY_ID: std::ops::Range<usize> = 6..14;
const NONCE: std::ops::Range<usize> = 14..26;
const HEADER: usize = 26;
const TAG: usize = 16;

/// What is known of an algorithm by its number.
fn algorithm(number: u8) -> Option<&'static Algorithm> {
    match number {
        SIV => Some(&AES_256_GCM_SIV),
        _ => None,
    }
}

/// Seals `plaintext`, bound to `parts`.
pub(super) fn seal(key: &Key, id: KeyId, parts: &[&[u8]], plaintext: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(HEADER + plaintext.len() + TAG);
    blob.extend_from_slice(&MAGIC);
    blob.extend_from_slice(&[FORMAT, SIV]);
    blob.extend_from_slice(&id);
    blob.resize(HEADER, 0);
    blob.extend_from_slice(plaintext);
    let bound = bound(&blob[MAGIC.len()..NONCE.start], parts);
    // Fails only without memory or randomness, and then nothing safe can be done but to stop.
    let (nonce, tag) = RandomizedNonceKey::new(&AES_256_GCM_SIV, &key[..])
        .and_then(|key| key.seal_in_place_separate_tag(Aad::from(bound), &mut blob[HEADER..]))
        .expect("sealing needs only memory and randomness");
    blob[NONCE].copy_from_slice(nonce.as_ref());
    blob.extend_from_slice(tag.as_ref());
    blob
}

/// Opens what [`seal`] made of the same key and parts; nothing else opens.
pub(super) fn open(key: &Key, id: KeyId, parts: &[&[u8]], blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if blob.len() < HEADER + TAG || blob[..4] != MAGIC || blob[4] != FORMAT || blob[KEY_ID] != id {
        return None;
    }
    let key = RandomizedNonceKey::new(algorithm(blob[5])?, &key[..]).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(&blob[NONCE]).ok()?;
    let bound = bound(&blob[MAGIC.len()..NONCE.start], parts);
    let mut opened = Zeroizing::new(blob[HEADER..].to_vec());
    let length = key.open_in_place(nonce, Aad::from(bound), &mut opened).ok()?.len();
    opened.truncate(length);
    Some(opened)
}

/// The id of the key that sealed a blob, if it is one of ours.
pub(super) fn key_id(blob: &[u8]) -> Option<KeyId> {
    (blob.starts_with(&MAGIC)).then(|| blob.get(KEY_ID)).flatten()?.try_into().ok()
}

/// The canonical associated data.
fn bound(header: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for part in std::iter::once(&header).chain(parts) {
        list.extend_from_slice(&(part.len() as u64).to_be_bytes());
        list.extend_from_slice(part);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_differ_give_bytes_that_differ() {
        assert_ne!(bound(b"h", &[b"ab", b"c"]), bound(b"h", &[b"a", b"bc"]));
        assert_ne!(bound(b"h", &[b"", b"a"]), bound(b"h", &[b"a", b""]));
        assert_ne!(bound(b"h", &[b"a"]), bound(b"h", &[b"a", b""]));
    }
}
