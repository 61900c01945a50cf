//! Lists: which rows a caller sees, in which order, and the page of them that was asked for. An order is put together
//! once for all pages that are read of it.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kit::json::Json;
use crate::nprinting::call::{Call, bytes};
use crate::nprinting::data::{Catalog, EXECUTION_BITS, Kind};
use crate::nprinting::directory::{Directory, Made};
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::{Page, Sort};
use crate::nprinting::rights::{App, Caller, Permission, to_see};
use crate::nprinting::world::{Place, World};

/// How many orders are remembered.
const REMEMBERED: usize = 64;

/// What a row must be to be in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// A boolean member.
    Flag(&'static str, bool),
    /// A text member, in any case; `%` stands for anything.
    Like(&'static str, String),
    /// Made by that user (On-Demand requests only).
    MadeBy(Uuid),
}

/// A list that is wanted.
pub(crate) struct Wanted {
    kind: Kind,
    parent: Option<Uuid>,
    tests: Vec<Test>,
    sort: Option<Sort>,
    page: Page,
}

impl Wanted {
    /// A list by the parameters that every list has.
    pub(crate) fn new(call: &Call, kind: Kind, sortable: &[&str]) -> Result<Self, Problem> {
        let page = call.query.page(call.world.config.max_limit)?;
        Ok(Self { kind, parent: None, tests: Vec::new(), sort: call.query.sort(sortable)?, page })
    }

    /// Only rows that belong to this app or task.
    pub(crate) fn of(mut self, parent: Option<Uuid>) -> Self {
        self.parent = parent;
        self
    }

    /// Only rows that pass this test, if there is one.
    pub(crate) fn only(mut self, test: Option<Test>) -> Self {
        self.tests.extend(test);
        self
    }

    /// The page as an answer.
    pub(crate) fn answer(self, call: &Call) -> Answer {
        let world = &call.world;
        let own = matches!(self.kind, Kind::User | Kind::Group | Kind::Role | Kind::Audit);
        if own && !call.caller.has(to_see(self.kind)) && world.settings().forbid_instead_of_empty {
            return Err(Problem::forbidden());
        }
        let places = self.places(world, &call.caller);
        let from = usize::try_from(self.page.offset).unwrap_or(usize::MAX).min(places.len());
        let length = usize::try_from(self.page.limit).unwrap_or(usize::MAX).min(places.len() - from);
        let rows = &places[from..from + length];
        let mut out = begin(length * 512);
        let directory = world.directory();
        for place in rows {
            world.write(&directory, self.kind, *place, &mut out);
        }
        drop(directory);
        world.journal.wrote_rows(rows.len() as u64);
        Ok(end(out, places.len(), self.page))
    }

    fn places(&self, world: &World, caller: &Caller) -> Arc<Vec<Place>> {
        let catalog = world.catalog();
        let Self { kind, parent, tests, sort, page: _ } = self;
        let key = format!("{kind:?} {parent:?} {tests:?} {sort:?} {:?} {}", catalog.changes, caller.user);
        if let Some(places) = world.sequences().get(&key) {
            return Arc::clone(places);
        }
        let directory = world.directory();
        let places = Arc::new(self.assemble(world, &catalog, &directory, caller));
        let mut sequences = world.sequences();
        if sequences.len() >= REMEMBERED {
            sequences.clear();
        }
        sequences.insert(key, Arc::clone(&places));
        places
    }

    fn assemble(
        &self,
        world: &World,
        catalog: &Catalog,
        directory: &Directory,
        caller: &Caller,
    ) -> Vec<Place> {
        let kind = self.kind;
        let plain = directory.made(kind).is_empty() && !directory.any_changed(kind) && catalog.ranks(kind);
        // What one made oneself needs no permission.
        let own = self.tests.contains(&Test::MadeBy(caller.user));
        let by_name = self.sort.as_ref().filter(|sort| sort.field != "created" && sort.field != "eventTime");
        let ranked = by_name.is_some() && plain;
        let generated = self.candidates(catalog, ranked).into_iter().filter(|index| {
            catalog.exists(kind, *index)
                && catalog.listed(kind, *index)
                && !directory.removed(kind, catalog.id(kind, *index))
                && (own || sees(catalog, caller, kind, *index))
                && self.tests.iter().all(|test| passes(world, catalog, directory, kind, *index, test))
        });
        let mut places: Vec<Place> = generated.map(Place::Generated).collect();
        let made = directory.made(kind).iter().enumerate().filter(|(at, made)| {
            let row = world.row(directory, kind, Place::Made(*at));
            (self.parent.is_none() || self.parent == made.parent)
                && (own || caller.may(to_see(kind), catalog, home(catalog, kind, made)))
                && self.tests.iter().all(|test| match test {
                    Test::MadeBy(user) => made.by == Some(*user),
                    test => fits(&row, test),
                })
        });
        places.extend(made.map(|(at, _)| Place::Made(at)));
        if let (Some(sort), false) = (by_name, ranked) {
            places.sort_by_cached_key(|place| {
                let row = world.row(directory, kind, *place);
                let member =
                    if kind == Kind::User && sort.field == "name" { "userName" } else { &sort.field };
                row.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
            });
        }
        // Without a sort the youngest comes first.
        if self.sort.as_ref().is_none_or(|sort| sort.descending) {
            places.reverse();
        }
        places
    }

    /// Indices that come into question, by creation or by name.
    fn candidates(&self, catalog: &Catalog, ranked: bool) -> Vec<u64> {
        let extent = catalog.extent(self.kind);
        match (self.kind, self.parent) {
            (Kind::Execution, task) => {
                let task = task.and_then(|task| catalog.find(Kind::Task, task));
                let runs = 0..task.map_or(0, |_| catalog.runs());
                runs.map(|run| task.unwrap_or_default() << EXECUTION_BITS | run).collect()
            }
            (kind, Some(app)) => {
                let apps = catalog.seeded(Kind::App);
                let first = catalog.find(Kind::App, app).filter(|app| *app < apps).unwrap_or(extent);
                let rows = (first..extent).step_by(usize::try_from(apps).unwrap_or(1));
                let mut rows: Vec<u64> = rows.collect();
                if ranked {
                    rows.sort_by_cached_key(|index| catalog.rank(kind, *index));
                }
                rows
            }
            (kind, None) if ranked => (0..extent).map(|rank| catalog.ranked(kind, rank)).collect(),
            (_, None) => (0..extent).collect(),
        }
    }
}

/// Does the caller see a generated row?
fn sees(catalog: &Catalog, caller: &Caller, kind: Kind, index: u64) -> bool {
    let app = match kind {
        Kind::App => Some(App::Generated(index)),
        Kind::Execution => Some(App::Generated(catalog.app_of(kind, index))),
        kind if kind.in_app() => Some(App::Generated(catalog.app_of(kind, index))),
        _ => None,
    };
    caller.may(to_see(kind), catalog, app)
}

/// The app that a row made at run time is or belongs to.
fn home(catalog: &Catalog, kind: Kind, made: &Made) -> Option<App> {
    match kind {
        Kind::App => Some(App::Made(made.id)),
        Kind::Execution => {
            let task = catalog.find(Kind::Task, made.parent?)?;
            Some(App::Generated(catalog.app_of(Kind::Task, task)))
        }
        kind if kind.in_app() => Some(App::of(catalog, made.parent?)),
        _ => None,
    }
}

/// Does a generated row pass a test? The common ones are answered without writing the row.
fn passes(
    world: &World,
    catalog: &Catalog,
    directory: &Directory,
    kind: Kind,
    index: u64,
    test: &Test,
) -> bool {
    let changed = directory.any_changed(kind) && directory.changed(kind, catalog.id(kind, index)).is_some();
    match test {
        Test::MadeBy(user) => world.requested_by(directory, Place::Generated(index), *user),
        Test::Flag("enabled", wanted) if !changed => catalog.enabled(kind, index) == *wanted,
        Test::Like("type", wanted) if !changed => catalog.task_type(index).eq_ignore_ascii_case(wanted),
        test => fits(&world.row(directory, kind, Place::Generated(index)), test),
    }
}

fn fits(row: &Map<String, Value>, test: &Test) -> bool {
    match test {
        Test::Flag(member, wanted) => row.get(*member) == Some(&Value::Bool(*wanted)),
        Test::Like(member, pattern) => {
            let text = row.get(*member).and_then(Value::as_str).unwrap_or_default();
            like(&text.to_lowercase(), &pattern.to_lowercase())
        }
        Test::MadeBy(_) => false,
    }
}

/// A pattern in which `%` stands for any text.
fn like(text: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('%') else { return text == pattern };
    let Some(text) = text.strip_prefix(head) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| like(&text[at..], rest))
}

/// A list of GUIDs as an answer.
pub(crate) fn ids(call: &Call, ids: &[Uuid]) -> Answer {
    let page = call.query.page(call.world.config.max_limit)?;
    let from = usize::try_from(page.offset).unwrap_or(usize::MAX).min(ids.len());
    let length = usize::try_from(page.limit).unwrap_or(usize::MAX).min(ids.len() - from);
    let mut out = begin(length * 40);
    ids[from..from + length].iter().for_each(|id| out.string(&id.to_string()));
    Ok(end(out, ids.len(), page))
}

fn begin(capacity: usize) -> Json {
    let mut out = Json::with_capacity(capacity + 100);
    out.raw(r#"{"data":{"items":["#);
    out
}

fn end(mut out: Json, total: usize, page: Page) -> Response {
    out.close(b']');
    out.number("totalItems", total as u64);
    out.number("offset", page.offset);
    out.number("limit", page.limit);
    out.close(b'}');
    out.close(b'}');
    bytes(out)
}

/// May the caller do something to a row that is seen? 404 when it is not seen, 403 when it may not be done.
pub(crate) fn may(call: &Call, permission: Permission, kind: Kind, id: Uuid) -> Result<Place, Problem> {
    let world = &call.world;
    let directory = world.directory();
    let catalog = world.catalog();
    let place = world.find(&directory, kind, id).ok_or_else(Problem::not_found)?;
    let app = match place {
        Place::Generated(index) if kind == Kind::App => Some(App::Generated(index)),
        Place::Generated(index) if kind == Kind::Execution || kind.in_app() => {
            Some(App::Generated(catalog.app_of(kind, index)))
        }
        Place::Generated(_) => None,
        Place::Made(at) => directory.made(kind).get(at).and_then(|made| home(&catalog, kind, made)),
    };
    if !call.caller.may(to_see(kind), &catalog, app) {
        return Err(Problem::not_found());
    }
    if !call.caller.may(permission, &catalog, app) {
        return Err(Problem::forbidden());
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_stands_for_anything() {
        assert!(like("user0000001@example.com", "%1@%"));
        assert!(like("ada", "ada"));
        assert!(like("ada", "%"));
        assert!(!like("ada", "a%b"));
        assert!(!like("ada", "%d"));
    }
}
