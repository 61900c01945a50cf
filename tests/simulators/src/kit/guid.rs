//! GUIDs of version 4, each of which can be turned back into (kind, index).

use uuid::Uuid;

use crate::kit::noise::{hash, mix, unmix};

const INDEX_BITS: u32 = 52;

/// The GUID of a row.
pub(crate) fn guid(seed: u64, kind: u64, index: u64) -> Uuid {
    let code = mix(mix(seed) ^ (kind << INDEX_BITS | index));
    let filler = hash(seed, 9, code) >> 8;
    let high = (code >> 16) << 16 | 0x4000 | (code >> 4 & 0xFFF);
    let low = 0b10 << 62 | (code & 15) << 58 | filler;
    Uuid::from_u64_pair(high, low)
}

/// The index behind a GUID of that kind, whether or not there is such a row.
pub(crate) fn index(seed: u64, kind: u64, id: Uuid) -> Option<u64> {
    let (high, low) = id.as_u64_pair();
    let code = (high >> 16) << 16 | (high & 0xFFF) << 4 | (low >> 58 & 15);
    let plain = unmix(code) ^ mix(seed);
    let index = plain & ((1 << INDEX_BITS) - 1);
    (plain >> INDEX_BITS == kind && guid(seed, kind, index) == id).then_some(index)
}
