//! GUIDs, each of which can be turned back into (kind, index).

use uuid::Uuid;

use crate::kit::guid;
use crate::nprinting::data::{Catalog, Kind};

/// An execution's index is its task's, followed by so many bits of number.
pub(crate) const EXECUTION_BITS: u32 = 20;

impl Catalog {
    /// The GUID of a row: a version 4 UUID.
    pub(crate) fn id(&self, kind: Kind, index: u64) -> Uuid {
        guid::guid(self.seed, kind as u64, index)
    }

    /// The index behind a GUID of that kind, if there is such a row.
    pub(crate) fn find(&self, kind: Kind, id: Uuid) -> Option<u64> {
        guid::index(self.seed, kind as u64, id).filter(|index| self.exists(kind, *index))
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
