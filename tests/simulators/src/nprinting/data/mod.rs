//! The server's content. Nothing of it is kept: every property of a row is computed from (seed, kind, index, revision)
//! when it is read.

mod content;
mod ids;
mod names;
mod people;
mod row;

pub(crate) use ids::EXECUTION_BITS;
pub(crate) use row::{spelled, time};

use crate::kit::noise::{self, Shuffle};
use crate::nprinting::config::{Changes, Population, Shape};

/// The first row was created then: 2021-01-01.
const FIRST: i64 = 1_609_459_200_000;
/// The last seeded row was created before: 2026-10-01.
const LAST: i64 = 1_790_812_800_000;
/// The first revision after the seed: 2026-11-01; each later one is an hour later.
const REVISED: i64 = 1_793_491_200_000;
const HOUR: i64 = 3_600_000;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    App = 1,
    Connection,
    Filter,
    Report,
    Task,
    Execution,
    User,
    Group,
    Role,
    Request,
    Audit,
}

const KINDS: usize = 12;

impl Kind {
    /// Does a row belong to an app (and end with it)?
    pub(crate) fn in_app(self) -> bool {
        matches!(self, Self::Connection | Self::Filter | Self::Report | Self::Task | Self::Request)
    }

    /// Rows that are never removed at random: keys, grants and tests point at them.
    fn spared(self) -> u64 {
        match self {
            Self::App => 2,
            Self::User => 10,
            Self::Role => 6,
            _ => 0,
        }
    }
}

/// The server's content at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// Seed of everything.
    pub(crate) seed: u64,
    /// How rows are written.
    pub(crate) shape: Shape,
    /// Which revision, and how much each one changes.
    pub(crate) changes: Changes,
    /// Executions of each task at revision 0.
    runs: u64,
    seeded: [u64; KINDS],
    shuffles: [Shuffle; KINDS],
}

impl Catalog {
    /// The content of a server.
    pub(crate) fn new(seed: u64, shape: Shape, population: &Population, changes: Changes) -> Self {
        let mut seeded = [0; KINDS];
        for (kind, count) in [
            (Kind::App, population.apps.max(2)),
            (Kind::Connection, population.connections),
            (Kind::Filter, population.filters),
            (Kind::Report, population.reports),
            (Kind::Task, population.tasks),
            (Kind::User, population.users.max(10)),
            (Kind::Group, population.groups),
            (Kind::Role, population.roles.max(6)),
            (Kind::Request, population.requests),
            (Kind::Audit, population.audits),
        ] {
            seeded[kind as usize] = count;
        }
        let runs = population.executions_per_task;
        Self { seed, shape, changes, runs, seeded, shuffles: seeded.map(Shuffle::new) }
    }

    /// The same server after other changes.
    pub(crate) fn at(&self, changes: Changes) -> Self {
        Self { changes, ..self.clone() }
    }

    /// The same server with rows in another shape.
    pub(crate) fn shaped(&self, shape: Shape) -> Self {
        Self { shape, ..self.clone() }
    }

    /// How many indices the kind has, removed rows included (executions are counted by task instead).
    pub(crate) fn extent(&self, kind: Kind) -> u64 {
        self.changes.extent(self.seeded(kind))
    }

    /// How many were there at revision 0.
    pub(crate) fn seeded(&self, kind: Kind) -> u64 {
        self.seeded[kind as usize]
    }

    /// How often a task was executed: once more at each revision.
    pub(crate) fn runs(&self) -> u64 {
        let changing = if self.changes.percent > 0.0 { u64::from(self.changes.revision) } else { 0 };
        self.runs + changing
    }

    /// The revision that added the row (0 = seeded).
    fn born(&self, kind: Kind, index: u64) -> u32 {
        self.changes.born(self.seeded(kind), index)
    }

    /// The revision that last touched the row; `None` when one removed it.
    fn touched(&self, kind: Kind, index: u64) -> Option<u32> {
        self.changes.touched(self.seeded(kind), index, index < kind.spared(), |revision| {
            self.noise(kind, index, 1000 + u64::from(revision))
        })
    }

    /// Is the row there? One that belongs to an app goes with it.
    pub(crate) fn exists(&self, kind: Kind, index: u64) -> bool {
        if kind == Kind::Execution {
            let (task, run) = self.task_of(index);
            return run < self.runs() && self.exists(Kind::Task, task);
        }
        index < self.extent(kind)
            && self.touched(kind, index).is_some()
            && (!kind.in_app() || self.exists(Kind::App, self.app_of(kind, index)))
    }

    /// Is the row one that lists show? Reports are hidden unless they are enabled and On-Demand: one in four is not.
    pub(crate) fn listed(&self, kind: Kind, index: u64) -> bool {
        kind != Kind::Report || !(index / self.seeded(Kind::App) + 1).is_multiple_of(4)
    }

    /// When the row was created. Rises with the index.
    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
        if kind == Kind::Execution {
            let (task, run) = self.task_of(index);
            let begun = self.created(Kind::Task, task);
            return match run.checked_sub(self.runs) {
                None => begun + (LAST - begun) / (self.runs + 1) as i64 * (run + 1) as i64,
                Some(extra) => self.revised(extra as u32 + 1) + 5000,
            };
        }
        match self.born(kind, index) {
            0 => {
                let step = (LAST - FIRST) / self.seeded(kind).max(1) as i64;
                let spread = self.noise(kind, index, 1) % step.clamp(1, HOUR) as u64;
                FIRST + step * index as i64 + spread as i64
            }
            revision => self.revised(revision) + (index % 1_000_000) as i64,
        }
    }

    /// When the row was last changed.
    pub(crate) fn updated(&self, kind: Kind, index: u64) -> i64 {
        if kind == Kind::Execution {
            return self.created(kind, index) + 90_000;
        }
        match self.touched(kind, index).unwrap_or_default() {
            0 => self.created(kind, index) + HOUR / 2,
            revision => self.revised(revision) + 1000 + (index % 1_000_000) as i64,
        }
    }

    /// No generated row is younger.
    pub(crate) fn latest(&self) -> i64 {
        if self.changes.revision == 0 { LAST } else { self.revised(self.changes.revision + 1) }
    }

    fn revised(&self, revision: u32) -> i64 {
        REVISED + i64::from(revision) * HOUR
    }

    /// A revision in words, for a description that changes with it.
    fn note(&self, kind: Kind, index: u64) -> String {
        match self.touched(kind, index).unwrap_or_default() {
            0 if index.is_multiple_of(3) => String::new(),
            0 => "Made by the simulator".to_owned(),
            revision => format!("Revised in round {revision}"),
        }
    }

    /// Noise of one property of a row.
    pub(crate) fn noise(&self, kind: Kind, index: u64, property: u64) -> u64 {
        noise::hash(self.seed ^ property, kind as u64, index)
    }

    /// Where a row stands when the kind is sorted by name.
    pub(crate) fn rank(&self, kind: Kind, index: u64) -> u64 {
        self.shuffles[kind as usize].rank(index)
    }

    /// Which row stands there when the kind is sorted by name.
    pub(crate) fn ranked(&self, kind: Kind, rank: u64) -> u64 {
        self.shuffles[kind as usize].index(rank)
    }

    /// The app that a row belongs to; each seeded app has every so-manieth row, those added later have none.
    pub(crate) fn app_of(&self, kind: Kind, index: u64) -> u64 {
        match kind {
            Kind::Execution => self.app_of(Kind::Task, self.task_of(index).0),
            _ => index % self.seeded(Kind::App),
        }
    }

    /// Task and number of an execution.
    pub(crate) fn task_of(&self, index: u64) -> (u64, u64) {
        (index >> EXECUTION_BITS, index & ((1 << EXECUTION_BITS) - 1))
    }

    /// Of a row with a status or type: does it carry a value that no document lists?
    fn odd(&self, index: u64) -> bool {
        self.shape.unknown_values && index.is_multiple_of(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(revision: u32) -> Catalog {
        let changes = Changes { percent: 1.0, revision };
        Catalog::new(7, Shape::default(), &Population::of(100_000), changes)
    }

    #[test]
    fn a_revision_changes_about_as_much_as_it_says() {
        let (old, new) = (catalog(0), catalog(1));
        let rows = 0..old.extent(Kind::App);
        let removed = rows.clone().filter(|index| !new.exists(Kind::App, *index)).count();
        let modified = rows.filter(|index| new.touched(Kind::App, *index) == Some(1)).count();
        assert!((80..120).contains(&removed), "{removed} removed");
        assert!((800..1000).contains(&modified), "{modified} modified");
        assert_eq!(new.extent(Kind::App) - old.extent(Kind::App), 100);
    }

    #[test]
    fn creation_rises_with_the_index() {
        let catalog = catalog(2);
        let times: Vec<i64> =
            (0..catalog.extent(Kind::Task)).map(|index| catalog.created(Kind::Task, index)).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        let executions =
            (0..catalog.runs()).map(|run| catalog.created(Kind::Execution, 5 << EXECUTION_BITS | run));
        let times: Vec<i64> = executions.collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(times.iter().all(|time| *time < catalog.latest()));
    }
}
