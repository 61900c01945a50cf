//! What is kept: the site's own rows, rows made and changed by clients, selections, and what was done to all of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use crate::qlik_onprem::cell::Row;
use crate::qlik_onprem::entities::Kind;

/// How many events are remembered.
const REMEMBERED: usize = 10_000;

/// Something that was done to the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What.
    pub action: Action,
    /// Type of the row, such as `VirtualProxyConfig`.
    pub entity: String,
    /// GUID of the row.
    pub id: String,
    /// Which members got another value.
    pub changed: Vec<String>,
    /// Who did it, `DIRECTORY\id`.
    pub user: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A row was made.
    Created,
    /// A row was written, with or without a difference.
    Updated,
    /// A row was removed.
    Deleted,
    /// A write was refused although the caller had the right: the row was stale, in use or protected.
    Refused,
    /// The proxy went away for a while and lost its sessions.
    Restarted,
    /// A task was started.
    Started,
    /// A task was stopped.
    Stopped,
}

/// Everything that is kept.
#[derive(Debug, Default)]
pub(crate) struct Store {
    rows: HashMap<(Kind, Uuid), Row>,
    /// Rows that are not generated, oldest first.
    order: BTreeMap<Kind, Vec<Uuid>>,
    removed: HashSet<(Kind, Uuid)>,
    selections: HashMap<Uuid, Vec<(Kind, Uuid)>>,
    events: Vec<Event>,
}

impl Store {
    /// A row that is kept: one that is not generated, or one that was written over.
    pub(crate) fn row(&self, kind: Kind, id: Uuid) -> Option<&Row> {
        self.rows.get(&(kind, id))
    }

    /// Are there rows of the kind that differ from what is generated?
    pub(crate) fn differs(&self, kind: Kind) -> bool {
        self.rows.keys().any(|(kept, _)| *kept == kind) || self.removed.iter().any(|(gone, _)| *gone == kind)
    }

    /// Rows of a kind that are not generated, oldest first.
    pub(crate) fn made(&self, kind: Kind) -> &[Uuid] {
        self.order.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The same with their content.
    pub(crate) fn made_rows(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        self.made(kind).iter().filter_map(move |id| self.row(kind, *id))
    }

    /// Adds a row that is not generated.
    pub(crate) fn make(&mut self, kind: Kind, id: Uuid, row: Row) {
        self.order.entry(kind).or_default().push(id);
        self.rows.insert((kind, id), row);
    }

    /// Writes a row over.
    pub(crate) fn put(&mut self, kind: Kind, id: Uuid, row: Row) {
        self.rows.insert((kind, id), row);
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, kind: Kind, id: Uuid) {
        self.rows.remove(&(kind, id));
        self.order.entry(kind).or_default().retain(|made| *made != id);
        self.removed.insert((kind, id));
    }

    /// Was a row removed?
    pub(crate) fn removed(&self, kind: Kind, id: Uuid) -> bool {
        !self.removed.is_empty() && self.removed.contains(&(kind, id))
    }

    /// Keeps a selection.
    pub(crate) fn select(&mut self, items: Vec<(Kind, Uuid)>) -> Uuid {
        let id = Uuid::new_v4();
        self.selections.insert(id, items);
        id
    }

    /// The items of a selection.
    pub(crate) fn selection(&self, id: Uuid) -> Option<&[(Kind, Uuid)]> {
        self.selections.get(&id).map(Vec::as_slice)
    }

    /// Forgets a selection.
    pub(crate) fn deselect(&mut self, id: Uuid) -> bool {
        self.selections.remove(&id).is_some()
    }

    /// Writes an event down.
    pub(crate) fn note(&mut self, event: Event) {
        if self.events.len() == REMEMBERED {
            self.events.remove(0);
        }
        self.events.push(event);
    }

    /// What was done, oldest first.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Forgets what was done.
    pub(crate) fn forget_events(&mut self) {
        self.events.clear();
    }
}
