//! What becomes of a row: the columns and relations that the map names, and no others.

use crate::{
    kinds::{self, List},
    map::Operation,
};
use jackfield_plugin::{Failure, Object, sdk::Row};

/// Rows in rows in rows: nobody nests templates so deep.
const DEEPEST: usize = 32;

/// Makes objects of rows.
pub(super) struct Maker<'a> {
    list: &'static List,
    operation: &'a Operation,
    /// The row of another list that it was asked for: its kind and id.
    owner: Option<(&'static str, &'a str)>,
    pub(super) objects: Vec<Object>,
    pub(super) without_id: u64,
}

impl<'a> Maker<'a> {
    pub(super) fn new(list: &'static List, operation: &'a Operation, owner: Option<&'a str>) -> Self {
        let parent = operation.parent.as_deref();
        let kind = kinds::ALL.iter().find(|list| Some(list.operation) == parent).map(|list| list.noun.id);
        Maker { list, operation, owner: kind.zip(owner), objects: Vec::new(), without_id: 0 }
    }

    /// Takes a row, and those that it holds.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        self.nest(row, None, 0)
    }

    fn nest(&mut self, row: &Row<'_>, within: Option<&str>, depth: usize) -> Result<(), Failure> {
        if depth > DEEPEST {
            return Err(Failure::remote(format!("the rows hold rows more than {DEEPEST} deep")));
        }
        let Some(object) = self.object(row, within) else {
            self.without_id += 1;
            return Ok(());
        };
        let id = object.id.clone();
        self.objects.push(object);
        let nested = self.operation.nested.as_ref().and_then(|path| path.raw(row));
        let nested: Vec<Row<'_>> = nested.and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        nested.iter().try_for_each(|row| self.nest(row, Some(&id), depth + 1))
    }

    /// The object of a row; `within` is the id of the one that holds it.
    fn object(&self, row: &Row<'_>, within: Option<&str>) -> Option<Object> {
        let text = |column: &str| self.operation.columns.get(column)?.text(row);
        let own = text("id")?;
        let name = text("name").unwrap_or_else(|| own.clone());
        let owner = self.owner.map(|(_, id)| id);
        let id = match (within, owner.filter(|_| self.list.scoped)) {
            (Some(outer), _) | (None, Some(outer)) => format!("{outer}/{own}"),
            (None, None) => own,
        };
        let mut object = Object::new(id, name).parent(within.or(owner)).modified(text("modified"));
        if let Some((kind, id)) = self.owner {
            object = object.link(kind, kind, Some(id));
        }
        for rule in &self.operation.links {
            for id in
                rule.id.0.iter().map(|path| path.texts(row)).find(|ids| !ids.is_empty()).unwrap_or_default()
            {
                let known = object
                    .links
                    .iter()
                    .any(|link| link.kind == rule.kind && link.id == id && link.relation == rule.relation);
                if rule.contains && object.parent.is_none() {
                    object.parent = Some(id.clone());
                }
                if !known {
                    object = object.link(&rule.relation, &rule.kind, Some(id));
                }
            }
        }
        object.attributes = self.attributes(row);
        Some(object)
    }

    /// All columns but those that have a place of their own, as they stand.
    fn attributes(&self, row: &Row<'_>) -> String {
        let mut text = String::new();
        for (name, column) in &self.operation.columns {
            if ["id", "name", "modified"].contains(&name.as_str()) {
                continue;
            }
            let Some(raw) = column.raw(row) else { continue };
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(raw);
        }
        if !text.is_empty() {
            text.push('}');
        }
        text
    }
}
