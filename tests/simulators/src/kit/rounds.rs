//! Rounds of changes: which rows of a kind are there after so many of them, and which round touched a row last.

/// What changes from one revision of a system to the next.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Changes {
    /// Of a hundred rows, this many are touched at each revision: nine in ten modified, one in ten removed; as many as
    /// are removed are added.
    pub percent: f64,
    /// 0 is the system as it was seeded.
    pub revision: u32,
}

impl Changes {
    /// How many indices a kind has that was seeded with so many rows, removed rows included.
    pub(crate) fn extent(&self, seeded: u64) -> u64 {
        seeded + self.added_each(seeded) * u64::from(self.revision)
    }

    /// How many each revision adds.
    fn added_each(&self, seeded: u64) -> u64 {
        (seeded as f64 * self.percent / 1000.0).ceil() as u64
    }

    /// The revision that added a row (0 = seeded).
    pub(crate) fn born(&self, seeded: u64, index: u64) -> u32 {
        if index < seeded { 0 } else { ((index - seeded) / self.added_each(seeded).max(1)) as u32 + 1 }
    }

    /// The revision that last touched a row; `None` when one removed it. `draw` is the row's noise of a revision; rows
    /// that are spared are never removed.
    pub(crate) fn touched(
        &self,
        seeded: u64,
        index: u64,
        spared: bool,
        draw: impl Fn(u32) -> u64,
    ) -> Option<u32> {
        let mut touched = self.born(seeded, index);
        if self.percent <= 0.0 {
            return Some(touched);
        }
        let threshold = (self.percent * 1000.0) as u64;
        for revision in touched + 1..=self.revision {
            let draw = draw(revision) % 100_000;
            if draw < threshold {
                if draw < threshold / 10 && !spared {
                    return None;
                }
                touched = revision;
            }
        }
        Some(touched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::noise::hash;

    #[test]
    fn a_revision_changes_about_as_much_as_it_says() {
        let changes = Changes { percent: 1.0, revision: 1 };
        let touched =
            |index| changes.touched(100_000, index, false, |revision| hash(7, u64::from(revision), index));
        let removed = (0..100_000).filter(|index| touched(*index).is_none()).count();
        let modified = (0..100_000).filter(|index| touched(*index) == Some(1)).count();
        assert!((80..120).contains(&removed), "{removed} removed");
        assert!((800..1000).contains(&modified), "{modified} modified");
        assert_eq!(changes.extent(100_000), 100_100);
        assert_eq!(changes.born(100_000, 100_050), 1);
    }
}
