//! What goes across lists: relations that lead to nothing, and lists that are made of the rows of others.

use crate::{
    kinds,
    map::{Map, Operation, Pick},
};
use jackfield_plugin::{
    Object,
    sdk::{Noun, Row},
};
use std::collections::{BTreeMap, BTreeSet};

/// Who leads to whom: the kind, what the other is to it, the other's kind; and the ids.
#[derive(Default)]
pub(super) struct Relations(BTreeMap<(&'static str, String, String), BTreeSet<String>>);

impl Relations {
    pub(super) fn note(&mut self, noun: Noun, objects: &[Object]) {
        for link in objects.iter().flat_map(|object| &object.links) {
            let to = (noun.plural, link.relation.clone(), link.kind.clone());
            self.0.entry(to).or_default().insert(link.id.clone());
        }
    }

    pub(super) fn extend(&mut self, other: Relations) {
        for (to, ids) in other.0 {
            self.0.entry(to).or_default().extend(ids);
        }
    }

    /// Warnings of relations to objects that are in no list, though the list was read.
    pub(super) fn dangling(&self, read: &BTreeMap<&'static str, Vec<String>>) -> Vec<String> {
        let mut lines = Vec::new();
        for ((plural, relation, kind), ids) in &self.0 {
            let list = kinds::ALL.iter().find(|list| list.noun.id == kind);
            let Some((list, there)) = list.and_then(|list| Some((list, read.get(list.operation)?))) else {
                continue;
            };
            let there: BTreeSet<_> = there.iter().collect();
            let missing: Vec<_> = ids.iter().filter(|id| !there.contains(id)).collect();
            if let Some(first) = missing.first() {
                lines.push(format!(
                    "{plural}: the \"{relation}\" of some is not among the {}: {} in all, such as {first}",
                    list.noun.plural,
                    missing.len()
                ));
            }
        }
        lines
    }
}

/// What was picked of rows: for each list that may be made of them, ids and names.
#[derive(Default)]
pub(super) struct Picked {
    pub(super) exchange: u64,
    found: BTreeMap<String, BTreeMap<String, String>>,
}

/// Lists that are made of the rows of others if the server does not have them.
pub(super) struct Derived {
    /// For each operation, who may be made of it, and how.
    rules: BTreeMap<String, Vec<(String, Vec<Pick>)>>,
    found: BTreeMap<String, BTreeMap<String, String>>,
    exchanges: BTreeMap<String, u64>,
}

impl Derived {
    pub(super) fn new(map: &Map) -> Self {
        let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, operation) in &map.operations {
            if let Some(derive) = &operation.derive {
                rules.entry(derive.from.clone()).or_default().push((name.clone(), derive.pick.clone()));
            }
        }
        Derived { rules, found: BTreeMap::new(), exchanges: BTreeMap::new() }
    }

    /// Picks what others are made of.
    pub(super) fn pick(&self, operation: &str, row: &Row<'_>, picked: &mut Picked) {
        for (name, picks) in self.rules.get(operation).into_iter().flatten() {
            for pick in picks {
                let ids = pick.id.texts(row);
                let names = pick.name.as_ref().map(|path| path.texts(row)).unwrap_or_default();
                // Names belong to ids only where there is one for each.
                let names = if names.len() == ids.len() { names } else { ids.clone() };
                picked.found.entry(name.clone()).or_default().extend(ids.into_iter().zip(names));
            }
        }
    }

    pub(super) fn extend(&mut self, picked: Picked) {
        for (name, found) in picked.found {
            self.exchanges.insert(name.clone(), picked.exchange);
            self.found.entry(name).or_default().extend(found);
        }
    }

    /// The objects of a list that is nowhere, the exchange they came from, and the list they are made of; nothing if it cannot be
    /// made of another, or that was not read.
    pub(super) fn objects(
        &self,
        name: &str,
        operation: &Operation,
        read: &BTreeMap<&'static str, Vec<String>>,
    ) -> Option<(Vec<Object>, u64, String)> {
        let from = &operation.derive.as_ref()?.from;
        read.get(from.as_str())?;
        let found = self.found.get(name).into_iter().flatten();
        let objects = found.map(|(id, name)| Object::new(id, name)).collect();
        Some((objects, self.exchanges.get(name).copied().unwrap_or_default(), from.clone()))
    }
}
