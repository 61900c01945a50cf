//! What happened to the content at run time: rows made, changed and removed by clients or by a test, and who has which
//! roles. Everything else is computed.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::nprinting::data::Kind;
use crate::nprinting::rights::Grant;

/// A row made at run time.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// GUID.
    pub(crate) id: Uuid,
    /// As it is shown, in canonical spelling; times are milliseconds under `created` and `lastUpdate`.
    pub(crate) row: Map<String, Value>,
    /// The app or task that it belongs to.
    pub(crate) parent: Option<Uuid>,
    /// Who made it.
    pub(crate) by: Option<Uuid>,
    /// When, in milliseconds of the machine's clock.
    pub(crate) at: i64,
}

/// The lists of GUIDs that a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Links {
    /// Roles.
    Roles,
    /// Groups.
    Groups,
    /// Filters.
    Filters,
}

/// Everything that is not computed.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    made: HashMap<Kind, Vec<Made>>,
    changed: HashMap<(Kind, Uuid), Map<String, Value>>,
    removed: HashSet<(Kind, Uuid)>,
    links: HashMap<(Links, Uuid), Vec<Uuid>>,
    grants: HashMap<Uuid, Grant>,
    passwords: HashMap<Uuid, String>,
}

impl Directory {
    /// Rows of a kind made at run time, oldest first.
    pub(crate) fn made(&self, kind: Kind) -> &[Made] {
        self.made.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// One of them.
    pub(crate) fn made_by_id(&self, kind: Kind, id: Uuid) -> Option<(usize, &Made)> {
        self.made(kind).iter().enumerate().find(|(_, made)| made.id == id)
    }

    /// Adds one.
    pub(crate) fn make(&mut self, kind: Kind, made: Made) {
        self.made.entry(kind).or_default().push(made);
    }

    /// What was changed of a generated row.
    pub(crate) fn changed(&self, kind: Kind, id: Uuid) -> Option<&Map<String, Value>> {
        self.changed.get(&(kind, id))
    }

    /// Was any generated row of the kind changed?
    pub(crate) fn any_changed(&self, kind: Kind) -> bool {
        self.changed.keys().any(|(changed, _)| *changed == kind)
    }

    /// Generated rows of the kind that were changed.
    pub(crate) fn all_changed(&self, kind: Kind) -> impl Iterator<Item = (Uuid, &Map<String, Value>)> {
        self.changed.iter().filter(move |((changed, _), _)| *changed == kind).map(|((_, id), row)| (*id, row))
    }

    /// Changes members of a row, generated or made.
    pub(crate) fn change(&mut self, kind: Kind, id: Uuid, members: Map<String, Value>) {
        let made = self.made.entry(kind).or_default().iter_mut().find(|made| made.id == id);
        let row = match made {
            Some(made) => &mut made.row,
            None => self.changed.entry((kind, id)).or_default(),
        };
        row.extend(members);
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, kind: Kind, id: Uuid) {
        self.made.entry(kind).or_default().retain(|made| made.id != id);
        self.removed.insert((kind, id));
    }

    /// Was a generated row removed?
    pub(crate) fn removed(&self, kind: Kind, id: Uuid) -> bool {
        !self.removed.is_empty() && self.removed.contains(&(kind, id))
    }

    /// A user's list where it was set.
    pub(crate) fn links(&self, links: Links, user: Uuid) -> Option<&Vec<Uuid>> {
        self.links.get(&(links, user))
    }

    /// Users whose list was set.
    pub(crate) fn linked(&self, links: Links) -> impl Iterator<Item = (Uuid, &Vec<Uuid>)> {
        self.links.iter().filter(move |((set, _), _)| *set == links).map(|((_, user), ids)| (*user, ids))
    }

    /// Sets a user's list.
    pub(crate) fn link(&mut self, links: Links, user: Uuid, ids: Vec<Uuid>) {
        self.links.insert((links, user), ids);
    }

    /// What a role made at run time grants.
    pub(crate) fn grant(&self, role: Uuid) -> Option<&Grant> {
        self.grants.get(&role)
    }

    /// Sets it.
    pub(crate) fn set_grant(&mut self, role: Uuid, grant: Grant) {
        self.grants.insert(role, grant);
    }

    /// A user's password where it was set.
    pub(crate) fn password(&self, user: Uuid) -> Option<&str> {
        self.passwords.get(&user).map(String::as_str)
    }

    /// Sets it.
    pub(crate) fn set_password(&mut self, user: Uuid, password: String) {
        self.passwords.insert(user, password);
    }
}
