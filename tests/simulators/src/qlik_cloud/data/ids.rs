//! Ids in the shapes of the real system, each of which can be turned back into (kind, index).

use crate::kit::noise::{hash, mix, unmix};
use crate::qlik_cloud::data::{Catalog, Kind};

const HEX: &[u8; 16] = b"0123456789abcdef";
const INDEX_BITS: u32 = 48;
/// An item has another id than the resource it stands for.
const ITEM: u64 = 64;

/// An id of at most 36 characters, on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Id {
    text: [u8; 36],
    length: usize,
}

impl Id {
    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

/// What a row is called by an id: the object's own (24 hex, as from a document store) or a UUID.
impl Catalog {
    /// 24 hexadecimal digits, the first eight of which are the time of creation, as in the real system.
    pub(crate) fn object_id(&self, kind: Kind, index: u64) -> Id {
        self.object(kind, kind as u64, index)
    }

    /// The id of the item that stands for the row in the catalogue.
    pub(crate) fn item_id(&self, kind: Kind, index: u64) -> Id {
        self.object(kind, kind as u64 + ITEM, index)
    }

    fn object(&self, kind: Kind, tag: u64, index: u64) -> Id {
        let mut text = [0; 36];
        hex(&mut text[0..8], (self.created(kind, index) / 1000) as u64);
        hex(&mut text[8..24], self.code(tag, index));
        Id { text, length: 24 }
    }

    /// A UUID of version 4.
    pub(crate) fn uuid(&self, kind: Kind, index: u64) -> Id {
        let code = self.code(kind as u64, index);
        let filler = hash(self.seed, 9, code);
        let mut text = [b'-'; 36];
        hex(&mut text[0..8], code >> 32);
        hex(&mut text[9..13], code >> 16);
        text[14] = b'4';
        hex(&mut text[15..18], code >> 4);
        text[19] = b"89ab"[(filler >> 62) as usize];
        hex(&mut text[20..23], (code & 15) | (filler & 0xFF) << 4);
        hex(&mut text[24..36], filler >> 8);
        Id { text, length: 36 }
    }

    /// The index behind a 24-digit id of that kind, if there is such a row.
    pub(crate) fn find_object(&self, kind: Kind, id: &str) -> Option<u64> {
        let index = self.decode(kind as u64, u64::from_str_radix(id.get(8..24)?, 16).ok()?)?;
        (id.len() == 24 && self.exists(kind, index) && self.object_id(kind, index).as_str() == id).then_some(index)
    }

    /// The index behind the id of an item that stands for a row of that kind.
    pub(crate) fn find_item(&self, kind: Kind, id: &str) -> Option<u64> {
        let index = self.decode(kind as u64 + ITEM, u64::from_str_radix(id.get(8..24)?, 16).ok()?)?;
        (id.len() == 24 && self.exists(kind, index) && self.item_id(kind, index).as_str() == id).then_some(index)
    }

    /// The index behind a UUID of that kind, if there is such a row.
    pub(crate) fn find_uuid(&self, kind: Kind, id: &str) -> Option<u64> {
        let digits = [id.get(0..8)?, id.get(9..13)?, id.get(15..18)?, id.get(22..23)?].concat();
        let index = self.decode(kind as u64, u64::from_str_radix(&digits, 16).ok()?)?;
        (self.exists(kind, index) && self.uuid(kind, index).as_str() == id).then_some(index)
    }

    fn code(&self, tag: u64, index: u64) -> u64 {
        mix(mix(self.seed) ^ (tag << INDEX_BITS | index))
    }

    fn decode(&self, tag: u64, code: u64) -> Option<u64> {
        let plain = unmix(code) ^ mix(self.seed);
        (plain >> INDEX_BITS == tag).then_some(plain & ((1 << INDEX_BITS) - 1))
    }
}

/// The tenant's id: 32 characters of the URL-safe alphabet.
pub(crate) fn tenant(seed: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..32).map(|at| char::from(ALPHABET[(hash(seed, 8, at) % 64) as usize])).collect()
}

/// Random hexadecimal digits (for secrets and ids made at run time).
pub(crate) fn random_hex(digits: usize) -> String {
    let mut text = String::new();
    while text.len() < digits {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string());
    }
    text.truncate(digits);
    text
}

/// An object id made at run time.
pub(crate) fn new_object_id() -> String {
    format!("{:08x}{}", crate::kit::clock::now_seconds(), random_hex(16))
}

fn hex(field: &mut [u8], mut value: u64) {
    for digit in field.iter_mut().rev() {
        *digit = HEX[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qlik_cloud::config::{Changes, Population};

    #[test]
    fn ids_lead_back_to_their_rows() {
        let catalog =
            Catalog::new(3, "http://127.0.0.1:1".to_owned(), &Population::of(1_000_000), Changes::default());
        for index in [0, 1, 77, 999_999] {
            assert_eq!(catalog.find_uuid(Kind::App, catalog.uuid(Kind::App, index).as_str()), Some(index));
            assert_eq!(catalog.find_object(Kind::App, catalog.object_id(Kind::App, index).as_str()), Some(index));
            assert_eq!(catalog.find_uuid(Kind::Task, catalog.uuid(Kind::App, index).as_str()), None);
        }
        assert_eq!(catalog.find_uuid(Kind::App, "not an id"), None);
        assert_eq!(catalog.find_object(Kind::App, "ünïcödé-ünïcödé-ünïcödé"), None);
    }
}
