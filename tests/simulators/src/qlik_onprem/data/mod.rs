//! The site's content. Nothing of it is kept: every property of a row is computed from (seed, kind, index, revision) when
//! it is read.

mod content;
mod names;
mod people;
mod site;
mod work;

use content::SHEETS;
pub(crate) use people::ROLES;
pub(crate) use site::{site, template};
use work::RUNS;
pub(crate) use work::{idle, result};

use uuid::Uuid;

use crate::kit::noise::{self, Shuffle, hash, mix, unmix};
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::config::{Changes, Population};
use crate::qlik_onprem::entities::{KINDS, Kind};

/// The first row was created then: 2021-01-01.
const FIRST: i64 = 1_609_459_200_000;
/// The last seeded row was created before: 2026-10-01.
const LAST: i64 = 1_790_812_800_000;
/// The first revision after the seed: 2026-11-01; each later one is an hour later.
const REVISED: i64 = 1_793_491_200_000;
const HOUR: i64 = 3_600_000;
const INDEX_BITS: u32 = 52;

/// The site's content at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// Seed of everything.
    pub(crate) seed: u64,
    /// Which revision, and how much each one changes.
    pub(crate) changes: Changes,
    seeded: [u64; KINDS],
    shuffles: [Shuffle; KINDS],
}

impl Catalog {
    /// The content of a site.
    pub(crate) fn new(seed: u64, population: &Population, changes: Changes) -> Self {
        let mut seeded = [0; KINDS];
        for (kind, count) in [
            (Kind::App, population.apps.max(4)),
            (Kind::Stream, population.streams.max(2)),
            (Kind::ReloadTask, population.reload_tasks),
            (Kind::ExternalProgramTask, population.external_program_tasks),
            (Kind::UserSyncTask, population.user_sync_tasks),
            (Kind::User, population.users.max(Kind::User.spared())),
            (Kind::CustomProperty, population.custom_properties.max(2)),
            (Kind::Tag, population.tags.max(2)),
            (Kind::Extension, population.extensions),
            (Kind::DataConnection, population.data_connections),
            (Kind::SystemRule, population.system_rules.max(Kind::SystemRule.spared())),
            (Kind::ContentLibrary, 2),
            (Kind::UserDirectory, 2),
            (Kind::SchemaEvent, population.reload_tasks),
            (Kind::CompositeEvent, population.reload_tasks / 10),
            (Kind::ExecutionResult, population.reload_tasks * RUNS),
            (Kind::AppObject, population.apps * SHEETS),
        ] {
            seeded[kind as usize] = count;
        }
        Self { seed, changes, seeded, shuffles: seeded.map(Shuffle::new) }
    }

    /// The same site after other changes.
    pub(crate) fn at(&self, changes: Changes) -> Self {
        Self { changes, ..self.clone() }
    }

    /// How many indices the kind has, removed rows included.
    pub(crate) fn extent(&self, kind: Kind) -> u64 {
        self.seeded(kind) + self.added_each(kind) * u64::from(self.changes.revision)
    }

    /// How many were there at revision 0.
    pub(crate) fn seeded(&self, kind: Kind) -> u64 {
        self.seeded[kind as usize]
    }

    /// How many each revision adds.
    fn added_each(&self, kind: Kind) -> u64 {
        match kind {
            // These follow the tasks and the apps.
            Kind::SchemaEvent | Kind::CompositeEvent | Kind::ExecutionResult | Kind::AppObject => 0,
            kind => (self.seeded(kind) as f64 * self.changes.percent / 1000.0).ceil() as u64,
        }
    }

    /// The revision that added the row (0 = seeded).
    fn born(&self, kind: Kind, index: u64) -> u32 {
        let seeded = self.seeded(kind);
        if index < seeded { 0 } else { ((index - seeded) / self.added_each(kind).max(1)) as u32 + 1 }
    }

    /// The revision that last touched the row; `None` when one removed it.
    pub(crate) fn touched(&self, kind: Kind, index: u64) -> Option<u32> {
        let mut touched = self.born(kind, index);
        if self.changes.percent <= 0.0 {
            return Some(touched);
        }
        let threshold = (self.changes.percent * 1000.0) as u64;
        for revision in touched + 1..=self.changes.revision {
            let draw = self.noise(kind, index, 1000 + u64::from(revision)) % 100_000;
            if draw < threshold {
                if draw < threshold / 10 && index >= kind.spared() {
                    return None;
                }
                touched = revision;
            }
        }
        Some(touched)
    }

    /// When the row was removed, if it ever was there and is not any more.
    pub(crate) fn gone(&self, kind: Kind, index: u64) -> Option<i64> {
        let until = (self.born(kind, index) + 1..=self.changes.revision).find(|revision| {
            !Self { changes: Changes { revision: *revision, ..self.changes }, ..self.clone() }
                .exists(kind, index)
        });
        until.map(|revision| self.revised(revision) + 2000)
    }

    /// Is the row there? What belongs to a task or an app goes with it.
    pub(crate) fn exists(&self, kind: Kind, index: u64) -> bool {
        let parent = match kind {
            Kind::ReloadTask => self.exists(Kind::App, self.app_of(index)),
            Kind::SchemaEvent => self.exists(Kind::ReloadTask, index),
            Kind::CompositeEvent => (index..=index + 1).all(|task| self.exists(Kind::ReloadTask, task)),
            Kind::ExecutionResult => self.exists(Kind::ReloadTask, index / RUNS),
            Kind::AppObject => self.exists(Kind::App, index / SHEETS),
            _ => true,
        };
        parent && index < self.extent(kind) && self.touched(kind, index).is_some()
    }

    /// When the row was created. Rises with the index.
    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
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

    /// The GUID of a row: a version 4 UUID that can be turned back into kind and index.
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

    /// One property without the rest of the row: those that big lists are filtered and sorted by.
    pub(crate) fn quick(&self, kind: Kind, index: u64, member: &str) -> Option<Cell> {
        Some(match member {
            "id" => self.id(kind, index).into(),
            "createdDate" => Cell::Time(self.created(kind, index)),
            "modifiedDate" => Cell::Time(self.updated(kind, index)),
            "name" if !matches!(kind, Kind::ExecutionResult) => self.name(kind, index).into(),
            _ => return None,
        })
    }

    /// A whole row.
    pub(crate) fn row(&self, kind: Kind, index: u64) -> Row {
        let row = Row::new()
            .with("id", self.id(kind, index))
            .at("createdDate", self.created(kind, index))
            .at("modifiedDate", self.updated(kind, index))
            .with("modifiedByUserName", self.editor(kind, index));
        let row = match kind {
            Kind::App => self.app(index, row),
            Kind::Stream => self.stream(index, row),
            Kind::ReloadTask | Kind::ExternalProgramTask | Kind::UserSyncTask => self.task(kind, index, row),
            Kind::User => self.user(index, row),
            Kind::CustomProperty => self.custom_property(index, row),
            Kind::Tag => row.with("name", self.name(kind, index)),
            Kind::Extension => self.extension(index, row),
            Kind::DataConnection => self.data_connection(index, row),
            Kind::SystemRule => self.system_rule(index, row),
            Kind::ContentLibrary => self.content_library(index, row),
            Kind::UserDirectory => self.user_directory(index, row),
            Kind::SchemaEvent => self.schema_event(index, row),
            Kind::CompositeEvent => self.composite_event(index, row),
            Kind::ExecutionResult => self.execution(index, row),
            Kind::AppObject => self.app_object(index, row),
            // These are kept, not computed.
            _ => row,
        };
        row.with("privileges", Cell::Null).with("schemaPath", kind.entity().name)
    }

    fn editor(&self, kind: Kind, index: u64) -> String {
        match self.noise(kind, index, 3) % 3 {
            0 => r"INTERNAL\sa_repository".to_owned(),
            _ => self.account(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(revision: u32) -> Catalog {
        Catalog::new(7, &Population::of(100_000), Changes { percent: 1.0, revision })
    }

    #[test]
    fn a_guid_leads_back_to_its_row() {
        let catalog = catalog(0);
        for index in 0..100 {
            let id = catalog.id(Kind::User, index);
            assert_eq!((id.get_version_num(), catalog.find(Kind::User, id)), (4, Some(index)));
            assert_eq!(catalog.find(Kind::App, id), None);
        }
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
    fn what_is_quick_is_what_the_row_says() {
        let catalog = catalog(3);
        for kind in [Kind::App, Kind::User, Kind::ReloadTask, Kind::Stream, Kind::SystemRule] {
            for index in (0..catalog.extent(kind)).step_by(997) {
                let row = catalog.row(kind, index);
                for member in ["id", "createdDate", "modifiedDate", "name"] {
                    assert_eq!(catalog.quick(kind, index, member).as_ref(), row.get(member), "{kind:?}");
                }
            }
        }
    }
}
