//! Where the rows of a list come from: computed ones that are walked without being held, and the few that are held.
//! A source is a row of *places*; a place may be empty (the row was removed, is filtered out or not visible).

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use crate::kit::json::Json;
use crate::qlik_cloud::data::{Catalog, Kind};

/// In which order computed rows are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By creation.
    Created,
    /// By last change.
    Updated,
    /// By name.
    Name,
}

/// What rows of several sources are merged by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A time.
    Time(i64),
    /// A text.
    Text(String),
}

/// A row of places.
pub(crate) trait Source {
    /// How many places.
    fn places(&self) -> u64;
    /// Is there a row?
    fn taken(&self, place: u64) -> bool;
    /// What the row is merged by.
    fn key(&self, place: u64) -> Key;
    /// How two keys are ordered in this walk.
    fn compare(&self, left: &Key, right: &Key) -> Ordering;
    /// Writes the row.
    fn write(&self, place: u64, out: &mut Json);
    /// Finds the place of a row by its id, where rows are held.
    fn find(&self, _id: &str) -> Option<u64> {
        None
    }
    /// The id of a row, where rows are held.
    fn id(&self, _place: u64) -> Option<String> {
        None
    }
}

type Keep<'a> = Box<dyn Fn(u64) -> bool + Send + 'a>;
type Write<'a> = Box<dyn Fn(u64, &mut Json) + Send + 'a>;

/// Computed rows of one kind.
pub(crate) struct Computed<'a> {
    /// The content.
    pub(crate) catalog: Arc<Catalog>,
    /// Which rows.
    pub(crate) kind: Kind,
    /// In which order.
    pub(crate) order: Order,
    /// Backwards.
    pub(crate) descending: bool,
    /// Which indices to keep.
    pub(crate) keep: Keep<'a>,
    /// How to write one.
    pub(crate) write: Write<'a>,
}

impl Computed<'_> {
    /// The index at a place; `None` where the place is empty.
    fn index(&self, place: u64) -> Option<u64> {
        let place = if self.descending { self.places().checked_sub(place + 1)? } else { place };
        let extent = self.catalog.extent(self.kind);
        let index = match self.order {
            Order::Created => place,
            Order::Name => self.catalog.ranked(self.kind, place),
            // One stretch of places for each revision, oldest first.
            Order::Updated => {
                let revision = (place / extent) as u32;
                let index = place % extent;
                return (self.catalog.touched(self.kind, index) == Some(revision)).then_some(index);
            }
        };
        self.catalog.exists(self.kind, index).then_some(index)
    }
}

impl Source for Computed<'_> {
    fn places(&self) -> u64 {
        let stretches = match self.order {
            Order::Updated => u64::from(self.catalog.changes.revision) + 1,
            Order::Created | Order::Name => 1,
        };
        self.catalog.extent(self.kind) * stretches
    }

    fn taken(&self, place: u64) -> bool {
        self.index(place).is_some_and(&self.keep)
    }

    fn key(&self, place: u64) -> Key {
        let index = self.index(place).unwrap_or_default();
        match self.order {
            Order::Created => Key::Time(self.catalog.created(self.kind, index)),
            Order::Updated => Key::Time(self.catalog.updated(self.kind, index)),
            Order::Name if self.kind == Kind::User => Key::Text(self.catalog.user_name(index)),
            Order::Name => Key::Text(self.catalog.name(self.kind, index)),
        }
    }

    fn compare(&self, left: &Key, right: &Key) -> Ordering {
        if self.descending { right.cmp(left) } else { left.cmp(right) }
    }

    fn write(&self, place: u64, out: &mut Json) {
        if let Some(index) = self.index(place) {
            (self.write)(index, out);
        }
    }
}

/// Rows that are held, as they are shown.
pub(crate) struct Held {
    rows: Vec<(Key, Value)>,
    descending: bool,
    id: &'static str,
}

impl Held {
    /// Sorts rows by a text member; a member that is a number of milliseconds need not be one: times sort as texts.
    pub(crate) fn new(rows: Vec<Value>, id: &'static str, sort: &str, descending: bool) -> Self {
        let key = |row: &Value| match &row[sort] {
            Value::String(text) => Key::Text(text.clone()),
            other => Key::Text(other.to_string()),
        };
        Self::keyed(rows.into_iter().map(|row| (key(&row), row)).collect(), id, descending)
    }

    /// Sorts rows by keys of their own.
    pub(crate) fn keyed(mut rows: Vec<(Key, Value)>, id: &'static str, descending: bool) -> Self {
        rows.sort_by(|(left, _), (right, _)| if descending { right.cmp(left) } else { left.cmp(right) });
        Self { rows, descending, id }
    }
}

impl Source for Held {
    fn places(&self) -> u64 {
        self.rows.len() as u64
    }

    fn taken(&self, place: u64) -> bool {
        place < self.places()
    }

    fn key(&self, place: u64) -> Key {
        self.rows[place as usize].0.clone()
    }

    fn compare(&self, left: &Key, right: &Key) -> Ordering {
        if self.descending { right.cmp(left) } else { left.cmp(right) }
    }

    fn write(&self, place: u64, out: &mut Json) {
        out.value(&self.rows[place as usize].1);
    }

    fn find(&self, id: &str) -> Option<u64> {
        self.rows.iter().position(|(_, row)| row[self.id] == id).map(|place| place as u64)
    }

    fn id(&self, place: u64) -> Option<String> {
        self.rows.get(place as usize)?.1[self.id].as_str().map(str::to_owned)
    }
}
