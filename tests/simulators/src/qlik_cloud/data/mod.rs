//! The tenant's content. Nothing of it is kept: every property of a row is computed from (seed, kind, index, revision)
//! when it is read.

pub(crate) mod content;
pub(crate) mod ids;
pub(crate) mod names;
pub(crate) mod people;
pub(crate) mod work;

use crate::kit::noise::{self, Shuffle};
use crate::qlik_cloud::config::{Changes, Population};

/// The first row was created then: 2021-01-01.
const FIRST: i64 = 1_609_459_200_000;
/// The last seeded row was created before: 2026-10-01.
const LAST: i64 = 1_790_812_800_000;
/// The first revision after the seed: 2026-11-01; each later one is an hour later.
const REVISED: i64 = 1_793_491_200_000;
const HOUR: i64 = 3_600_000;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    App = 1,
    User,
    Group,
    Space,
    DataSet,
    DataFile,
    DataConnection,
    Automation,
    Note,
    Task,
    Reload,
    SharingTask,
    ReportTemplate,
    Audit,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 14] = [
        Self::App,
        Self::User,
        Self::Group,
        Self::Space,
        Self::DataSet,
        Self::DataFile,
        Self::DataConnection,
        Self::Automation,
        Self::Note,
        Self::Task,
        Self::Reload,
        Self::SharingTask,
        Self::ReportTemplate,
        Self::Audit,
    ];
}

/// The tenant's content at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// Seed of everything.
    pub(crate) seed: u64,
    /// Scheme, host and port as clients see them.
    pub(crate) base_url: String,
    /// Id of the tenant.
    pub(crate) tenant_id: String,
    seeded: [u64; Kind::ALL.len() + 1],
    shuffles: [Shuffle; Kind::ALL.len() + 1],
    /// Which revision, and how much each one changes.
    pub(crate) changes: Changes,
}

impl Catalog {
    /// The content of a tenant.
    pub(crate) fn new(seed: u64, base_url: String, population: &Population, changes: Changes) -> Self {
        let mut seeded = [0; Kind::ALL.len() + 1];
        for kind in Kind::ALL {
            seeded[kind as usize] = size(population, kind);
        }
        Self {
            seed,
            base_url,
            tenant_id: ids::tenant(seed),
            seeded,
            shuffles: seeded.map(Shuffle::new),
            changes,
        }
    }

    /// The same tenant after other changes.
    pub(crate) fn at(&self, changes: Changes) -> Self {
        Self { changes, ..self.clone() }
    }

    /// How many indices the kind has, removed rows included.
    pub(crate) fn extent(&self, kind: Kind) -> u64 {
        self.changes.extent(self.seeded(kind))
    }

    /// How many were there at revision 0.
    pub(crate) fn seeded(&self, kind: Kind) -> u64 {
        self.seeded[kind as usize]
    }

    /// The revision that added the row (0 = seeded).
    fn born(&self, kind: Kind, index: u64) -> u32 {
        self.changes.born(self.seeded(kind), index)
    }

    /// The revision that last touched the row; `None` when one removed it. People are never removed at random: keys and
    /// grants point at them.
    pub(crate) fn touched(&self, kind: Kind, index: u64) -> Option<u32> {
        self.changes.touched(self.seeded(kind), index, kind == Kind::User && index < 10, |revision| {
            self.noise(kind, index, 1000 + u64::from(revision))
        })
    }

    /// Is the row there?
    pub(crate) fn exists(&self, kind: Kind, index: u64) -> bool {
        index < self.extent(kind) && self.touched(kind, index).is_some()
    }

    /// When the row was created. Rises with the index.
    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
        match self.born(kind, index) {
            0 => {
                let step = (LAST - FIRST) / self.seeded(kind).max(1) as i64;
                FIRST + step * index as i64 + (self.noise(kind, index, 1) % step.clamp(1, HOUR) as u64) as i64
            }
            revision => self.revised(revision) + (index % 1_000_000) as i64,
        }
    }

    /// When the row was last changed. Rises with the index among the rows last touched by one revision.
    pub(crate) fn updated(&self, kind: Kind, index: u64) -> i64 {
        match self.touched(kind, index).unwrap_or_default() {
            0 => self.created(kind, index) + HOUR / 2,
            revision => self.revised(revision) + 1000 + (index % 1_000_000) as i64,
        }
    }

    fn revised(&self, revision: u32) -> i64 {
        REVISED + i64::from(revision) * HOUR
    }

    /// Noise of one property of a row.
    pub(crate) fn noise(&self, kind: Kind, index: u64, property: u64) -> u64 {
        noise::hash(self.seed ^ property, kind as u64, index)
    }

    /// Where the row stands when the kind is sorted by name.
    pub(crate) fn rank(&self, kind: Kind, index: u64) -> u64 {
        self.shuffles[kind as usize].rank(index)
    }

    /// Which row stands there.
    pub(crate) fn ranked(&self, kind: Kind, rank: u64) -> u64 {
        self.shuffles[kind as usize].index(rank)
    }

    /// Index of the user who owns the row; among the seeded users.
    pub(crate) fn owner(&self, kind: Kind, index: u64) -> u64 {
        self.noise(kind, index, 2) % self.seeded(Kind::User).max(1)
    }

    /// Index of the space that holds the row; `None` for personal content (one row in ten).
    pub(crate) fn space(&self, kind: Kind, index: u64) -> Option<u64> {
        let draw = self.noise(kind, index, 3);
        let spaces = self.seeded(Kind::Space);
        (!draw.is_multiple_of(10) && spaces > 0).then(|| draw / 10 % spaces)
    }

    /// Index of an app that the row is about.
    pub(crate) fn app_of(&self, kind: Kind, index: u64) -> u64 {
        self.noise(kind, index, 4) % self.seeded(Kind::App).max(1)
    }
}

fn size(population: &Population, kind: Kind) -> u64 {
    match kind {
        Kind::App => population.apps,
        Kind::User => population.users.max(4),
        Kind::Group => population.groups,
        Kind::Space => population.spaces,
        Kind::DataSet => population.data_sets,
        Kind::DataFile => population.data_files,
        Kind::DataConnection => population.data_connections,
        Kind::Automation => population.automations,
        Kind::Note => population.notes,
        Kind::Task => population.tasks,
        Kind::Reload => population.reloads,
        Kind::SharingTask => population.sharing_tasks,
        Kind::ReportTemplate => population.report_templates,
        Kind::Audit => population.audits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(revision: u32) -> Catalog {
        let changes = Changes { percent: 1.0, revision };
        Catalog::new(7, "http://127.0.0.1:1".to_owned(), &Population::of(100_000), changes)
    }

    #[test]
    fn a_revision_changes_about_as_much_as_it_says() {
        let (old, new) = (catalog(0), catalog(1));
        let rows = 0..old.extent(Kind::App);
        let removed = rows.clone().filter(|index| !new.exists(Kind::App, *index)).count();
        let modified = rows.filter(|index| new.touched(Kind::App, *index) == Some(1)).count();
        let added = new.extent(Kind::App) - old.extent(Kind::App);
        assert!((80..120).contains(&removed), "{removed} removed");
        assert!((800..1000).contains(&modified), "{modified} modified");
        assert_eq!(added, 100);
    }

    #[test]
    fn creation_rises_with_the_index() {
        let catalog = catalog(2);
        let times: Vec<i64> =
            (0..catalog.extent(Kind::App)).map(|index| catalog.created(Kind::App, index)).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
