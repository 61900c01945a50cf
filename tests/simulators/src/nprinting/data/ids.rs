//! GUIDs, each of which can be turned back into (kind, index).

use uuid::Uuid;

use crate::kit::noise::{hash, mix, unmix};
use crate::nprinting::data::{Catalog, Kind};

/// An execution's index is its task's, followed by so many bits of number.
pub(crate) const EXECUTION_BITS: u32 = 20;
const INDEX_BITS: u32 = 52;

impl Catalog {
    /// The GUID of a row: a version 4 UUID.
    pub(crate) fn id(&self, kind: Kind, index: u64) -> Uuid {
        let code = mix(mix(self.seed) ^ ((kind as u64) << INDEX_BITS | index));
        let filler = hash(self.seed, 9, code) >> 8;
        let high = (code >> 16) << 16 | 0x4000 | (code >> 4 & 0xFFF);
        let low = 0b10 << 62 | (code & 15) << 58 | filler;
        Uuid::from_u64_pair(high, low)
    }

    /// The index behind a GUID of that kind, if there is such a row.
    pub(crate) fn find(&self, kind: Kind, id: Uuid) -> Option<u64> {
        let (high, low) = id.as_u64_pair();
        let code = (high >> 16) << 16 | (high & 0xFFF) << 4 | (low >> 58 & 15);
        let plain = unmix(code) ^ mix(self.seed);
        let index = plain & ((1 << INDEX_BITS) - 1);
        (plain >> INDEX_BITS == kind as u64 && self.exists(kind, index) && self.id(kind, index) == id)
            .then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nprinting::config::{Changes, Population, Shape};

    #[test]
    fn a_guid_leads_back_to_its_row() {
        let catalog = Catalog::new(3, Shape::default(), &Population::of(50), Changes::default());
        for index in 0..catalog.extent(Kind::User) {
            let id = catalog.id(Kind::User, index);
            assert_eq!((id.get_version_num(), catalog.find(Kind::User, id)), (4, Some(index)));
            assert_eq!(catalog.find(Kind::Group, id), None);
        }
        let execution = 7 << EXECUTION_BITS | 3;
        assert_eq!(catalog.find(Kind::Execution, catalog.id(Kind::Execution, execution)), Some(execution));
    }
}
