//! The content. Nothing of it is kept: every property of a row is computed from (seed, kind, index, revision) when it is
//! read. Children of a task or report are numbered within their parent.

mod content;
mod items;
mod names;
mod people;
mod row;
mod tasks;

use uuid::Uuid;

use crate::kit::rounds::Changes;
use crate::kit::{guid, noise};
use crate::qalyptus::config::{Population, Product, Shape};

/// The first row was created then: 2023-01-01.
const FIRST: i64 = 1_672_531_200_000;
const HOUR: i64 = 3_600_000;
/// A child's index is its parent's, followed by so many bits of number.
const CHILD_BITS: u32 = 10;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Organization = 1,
    Project,
    Connection,
    Filter,
    Report,
    Task,
    User,
    Group,
    Role,
    App,
    Request,
    TaskRecipient,
    TaskReport,
    Trigger,
}

const KINDS: usize = 15;

impl Kind {
    /// Does a row belong to a project (and end with it)?
    pub(crate) fn in_project(self) -> bool {
        matches!(self, Self::Connection | Self::Filter | Self::Report | Self::Task | Self::Request)
    }

    /// Rows that are never removed at random: keys and tests point at them.
    fn spared(self) -> u64 {
        match self {
            Self::Organization | Self::Role => u64::MAX,
            Self::User => 10,
            Self::Project => 2,
            _ => 0,
        }
    }
}

/// The content at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// Seed of everything.
    pub(crate) seed: u64,
    /// Which product.
    pub(crate) product: Product,
    /// How rows are written.
    pub(crate) shape: Shape,
    /// Which revision, and how much each one changes.
    pub(crate) changes: Changes,
    seeded: [u64; KINDS],
}

impl Catalog {
    /// The content of a system.
    pub(crate) fn new(
        seed: u64,
        product: Product,
        shape: Shape,
        size: &Population,
        changes: Changes,
    ) -> Self {
        let mut seeded = [0; KINDS];
        for (kind, count) in [
            (Kind::Organization, size.organizations.max(1)),
            (Kind::Project, size.projects.max(size.organizations).max(1)),
            (Kind::Connection, size.connections),
            (Kind::Filter, size.filters),
            (Kind::Report, size.reports),
            (Kind::Task, size.tasks),
            (Kind::User, size.users.max(10)),
            (Kind::Group, size.groups.max(size.organizations)),
            (Kind::Role, size.roles.max(6)),
            (Kind::App, size.apps.max(1)),
            (Kind::Request, size.requests),
        ] {
            seeded[kind as usize] = count;
        }
        Self { seed, product, shape, changes, seeded }
    }

    /// The id of a row.
    pub(crate) fn id(&self, kind: Kind, index: u64) -> Uuid {
        guid::guid(self.seed, kind as u64, index)
    }

    /// The index behind an id of that kind, if there is such a row.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<u64> {
        let id = Uuid::try_parse(id).ok()?;
        guid::index(self.seed, kind as u64, id).filter(|index| self.exists(kind, *index))
    }

    /// How many were there at revision 0.
    pub(crate) fn seeded(&self, kind: Kind) -> u64 {
        self.seeded[kind as usize]
    }

    /// How many indices the kind has, removed rows included.
    pub(crate) fn extent(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Organization | Kind::Role => self.seeded(kind),
            _ => self.changes.extent(self.seeded(kind)),
        }
    }

    /// The revision that last touched the row; `None` when one removed it.
    pub(crate) fn touched(&self, kind: Kind, index: u64) -> Option<u32> {
        self.changes.touched(self.seeded(kind), index, index < kind.spared(), |revision| {
            self.noise(kind, index, 1000 + u64::from(revision))
        })
    }

    /// Is the row there? One that belongs to a project goes with it, one that belongs to a task with that.
    pub(crate) fn exists(&self, kind: Kind, index: u64) -> bool {
        if let Kind::TaskRecipient | Kind::TaskReport | Kind::Trigger = kind {
            let (task, number) = parent(index);
            return self.exists(Kind::Task, task) && number < self.child_count(kind, task);
        }
        index < self.extent(kind)
            && self.touched(kind, index).is_some()
            && (!kind.in_project() || self.exists(Kind::Project, self.project_of(index)))
    }

    /// The project that a row belongs to.
    pub(crate) fn project_of(&self, index: u64) -> u64 {
        index % self.seeded(Kind::Project)
    }

    /// The organization that a row belongs to.
    pub(crate) fn organization_of(&self, kind: Kind, index: u64) -> u64 {
        let owner = if kind.in_project() { self.project_of(index) } else { index };
        owner % self.seeded(Kind::Organization)
    }

    /// Does a row belong to an organization? People at the top belong to all; apps are Qlik's and belong to none.
    pub(crate) fn belongs(&self, kind: Kind, index: u64, organization: u64) -> bool {
        match kind {
            Kind::App | Kind::Role => true,
            Kind::User if index < 3 => true,
            kind => self.organization_of(kind, index) == organization,
        }
    }

    /// The user who owns a row; a person who can sign in.
    pub(crate) fn owner(&self, kind: Kind, index: u64) -> u64 {
        self.noise(kind, index, 2) % 10
    }

    /// When the row was last changed. Later rounds are an hour apart, three years after the first row.
    pub(crate) fn updated(&self, kind: Kind, index: u64) -> i64 {
        let revised = i64::from(self.touched(kind, index).unwrap_or_default());
        let spread = (self.noise(kind, index, 3) % (3 * 365 * 24)) as i64;
        if revised == 0 { FIRST + spread * HOUR } else { FIRST + (3 * 365 * 24 + revised) * HOUR }
    }

    /// Noise of one property of a row.
    pub(crate) fn noise(&self, kind: Kind, index: u64, property: u64) -> u64 {
        noise::hash(self.seed ^ property, kind as u64, index)
    }
}

/// Parent and number of a child.
pub(crate) fn parent(index: u64) -> (u64, u64) {
    (index >> CHILD_BITS, index & ((1 << CHILD_BITS) - 1))
}

/// The index of a child.
pub(crate) fn child(parent: u64, number: u64) -> u64 {
    parent << CHILD_BITS | number
}
