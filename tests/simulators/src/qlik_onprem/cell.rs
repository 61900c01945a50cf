//! Values of a row. Filters, tables and lists all look at the same tree; its keys are borrowed and its times are
//! numbers, so that a hundred thousand rows can be looked at without being written first.

use std::borrow::Cow;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kit::clock;
use crate::kit::json::Json;

/// "Never", as the real system's database says it: 1753-01-01.
pub(crate) const NEVER: i64 = -6_847_804_800_000;

/// Members that hold a time.
const TIMES: [&str; 13] = [
    "createdDate",
    "modifiedDate",
    "lastReloadTime",
    "publishTime",
    "startTime",
    "stopTime",
    "nextExecution",
    "timestamp",
    "changeDate",
    "startDate",
    "expirationDate",
    "lastUsed",
    "lastDataDistribution",
];

/// Does a member of this name hold a time?
pub(crate) fn is_time(member: &str) -> bool {
    TIMES.iter().any(|time| time.eq_ignore_ascii_case(member))
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A boolean.
    Flag(bool),
    /// A whole number, or an enumeration's.
    Number(i64),
    /// Milliseconds since 1970.
    Time(i64),
    /// A GUID.
    Id(Uuid),
    /// A text.
    Text(Cow<'static, str>),
    /// An array.
    List(Vec<Cell>),
    /// An object.
    Row(Row),
}

/// An object whose members keep their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row(Vec<(Cow<'static, str>, Cell)>);

impl Row {
    /// An empty object.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(32))
    }

    /// Adds a member.
    #[must_use]
    pub(crate) fn with(mut self, key: &'static str, cell: impl Into<Cell>) -> Self {
        self.0.push((Cow::Borrowed(key), cell.into()));
        self
    }

    /// Adds a time.
    #[must_use]
    pub(crate) fn at(self, key: &'static str, ms: i64) -> Self {
        self.with(key, Cell::Time(ms))
    }

    /// A member, by its name in any case.
    pub(crate) fn get(&self, key: &str) -> Option<&Cell> {
        self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, cell)| cell)
    }

    /// Sets or adds a member.
    pub(crate) fn set(&mut self, key: &'static str, cell: impl Into<Cell>) {
        match self.0.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = cell.into(),
            None => self.0.push((Cow::Borrowed(key), cell.into())),
        }
    }

    /// Takes over those members of another row that this one has, too.
    pub(crate) fn take(&mut self, mut other: Row) {
        for (key, cell) in &mut self.0 {
            if let Some(at) = other.0.iter().position(|(own, _)| own.eq_ignore_ascii_case(key)) {
                *cell = other.0.swap_remove(at).1;
            }
        }
    }

    /// Adds those members of another row that this one lacks.
    pub(crate) fn add(&mut self, other: Row) {
        for (key, cell) in other.0 {
            if self.get(&key).is_none() {
                self.0.push((key, cell));
            }
        }
    }

    /// Gives a member that is there another value.
    pub(crate) fn replace(&mut self, key: &str, cell: Cell) {
        if let Some((_, old)) = self.0.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(key)) {
            *old = cell;
        }
    }

    /// Empties a member: nothing of the same sort.
    pub(crate) fn empty(&mut self, key: &str) {
        let empty = match self.get(key) {
            Some(Cell::Flag(_)) => Cell::Flag(false),
            Some(Cell::Number(_)) => Cell::Number(0),
            Some(Cell::Time(_)) => Cell::Time(NEVER),
            Some(Cell::Text(_)) => "".into(),
            Some(Cell::List(_)) => Cell::List(Vec::new()),
            _ => Cell::Null,
        };
        self.replace(key, empty);
    }

    /// Names of the members, in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }

    /// The object under a member, to be changed.
    pub(crate) fn row_mut(&mut self, key: &str) -> Option<&mut Row> {
        let found = self.0.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(key));
        match found {
            Some((_, Cell::Row(row))) => Some(row),
            _ => None,
        }
    }

    /// The object under a member.
    pub(crate) fn row(&self, key: &str) -> Option<&Row> {
        match self.get(key) {
            Some(Cell::Row(row)) => Some(row),
            _ => None,
        }
    }

    /// A text member.
    pub(crate) fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Cell::Text(text)) => text,
            _ => "",
        }
    }

    /// A GUID, also of a reference `{"id": …}`.
    pub(crate) fn id(&self, key: &str) -> Option<Uuid> {
        match self.get(key)? {
            Cell::Id(id) => Some(*id),
            Cell::Text(text) => Uuid::try_parse(text).ok(),
            Cell::Row(row) => row.id("id"),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Cell::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A boolean.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key) == Some(&Cell::Flag(true))
    }

    /// A time.
    pub(crate) fn time(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Cell::Time(ms) => Some(*ms),
            _ => None,
        }
    }

    /// An array.
    pub(crate) fn list(&self, key: &str) -> &[Cell] {
        match self.get(key) {
            Some(Cell::List(cells)) => cells,
            _ => &[],
        }
    }

    /// Only these members, in this order.
    #[must_use]
    pub(crate) fn only(&self, keys: &[&'static str]) -> Self {
        let member =
            |key: &&'static str| Some((Cow::Borrowed(*key), self.get(key).cloned().unwrap_or(Cell::Null)));
        Self(keys.iter().filter_map(member).collect())
    }

    /// Shows every value that a dotted path leads to, arrays spread out, until one is taken.
    pub(crate) fn any(&self, path: &[String], take: &mut dyn FnMut(&Cell) -> bool) -> bool {
        let Some((key, rest)) = path.split_first() else { return false };
        self.get(key).is_some_and(|cell| cell.any(rest, take))
    }

    /// The object of a JSON text.
    pub(crate) fn from_json(map: Map<String, Value>) -> Self {
        let member = |(key, value): (String, Value)| {
            let cell = match &value {
                Value::String(text) if is_time(&key) => clock::parse_ms(text).map(Cell::Time),
                _ => None,
            };
            let cell = cell.unwrap_or_else(|| Cell::from_json(value));
            (Cow::Owned(key), cell)
        };
        // A key with a quote in it is no property of anything, and keys are written as they are.
        let plain = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Self(map.into_iter().filter(|(key, _)| plain(key)).map(member).collect())
    }

    /// Writes it as the next value.
    pub(crate) fn write(&self, out: &mut Json) {
        out.open(b'{');
        for (key, cell) in &self.0 {
            out.key(key);
            cell.write(out);
        }
        out.close(b'}');
    }

    /// As a tree of JSON.
    pub(crate) fn json(&self) -> Value {
        let mut out = Json::with_capacity(1024);
        self.write(&mut out);
        serde_json::from_slice(&out.into_bytes()).unwrap_or_default()
    }
}

impl Cell {
    /// Shows every value that the rest of a path leads to.
    pub(crate) fn any(&self, path: &[String], take: &mut dyn FnMut(&Cell) -> bool) -> bool {
        match self {
            Self::List(cells) => cells.iter().any(|cell| cell.any(path, take)),
            // A star ends the path at the object itself.
            Self::Row(_) if path == ["*"] => take(self),
            Self::Row(row) if !path.is_empty() => row.any(path, take),
            cell if path.is_empty() => take(cell),
            _ => false,
        }
    }

    fn from_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or_default() as i64),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::Array(values) => Self::List(values.into_iter().map(Self::from_json).collect()),
            Value::Object(map) => Self::Row(Row::from_json(map)),
        }
    }

    /// Writes it as the next value.
    pub(crate) fn write(&self, out: &mut Json) {
        match self {
            Self::Null => out.raw("null"),
            Self::Flag(flag) => out.raw(if *flag { "true" } else { "false" }),
            Self::Number(number) => out.raw(&number.to_string()),
            Self::Time(ms) => out.string(&clock::text_ms(*ms)),
            Self::Id(id) => {
                let mut buffer = Uuid::encode_buffer();
                out.string(id.hyphenated().encode_lower(&mut buffer));
            }
            Self::Text(text) => out.string(text),
            Self::List(cells) => {
                out.open(b'[');
                cells.iter().for_each(|cell| cell.write(out));
                out.close(b']');
            }
            Self::Row(row) => row.write(out),
        }
    }

    /// How it sorts: times and numbers by size, the rest as text in any case.
    pub(crate) fn sort_key(&self) -> (i64, String) {
        match self {
            Self::Null | Self::List(_) | Self::Row(_) => (i64::MIN, String::new()),
            Self::Flag(flag) => (i64::from(*flag), String::new()),
            Self::Number(number) | Self::Time(number) => (*number, String::new()),
            Self::Id(id) => (0, id.to_string()),
            Self::Text(text) => (0, text.to_lowercase()),
        }
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Uuid> for Cell {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<&'static str> for Cell {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Row> for Cell {
    fn from(row: Row) -> Self {
        Self::Row(row)
    }
}

impl From<Vec<Cell>> for Cell {
    fn from(cells: Vec<Cell>) -> Self {
        Self::List(cells)
    }
}

impl From<Option<Row>> for Cell {
    fn from(row: Option<Row>) -> Self {
        row.map_or(Self::Null, Self::Row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_a_day_in_1753() {
        assert_eq!(clock::text_ms(NEVER), "1753-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_path_goes_through_arrays() {
        let tag = |name: &'static str| Cell::from(Row::new().with("name", name));
        let row =
            Row::new().with("tags", vec![tag("a"), tag("b")]).with("roles", vec!["x".into(), "y".into()]);
        let find = |path: &[&str], wanted: &'static str| {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            row.any(&path, &mut |cell| *cell == Cell::from(wanted))
        };
        assert!(find(&["tags", "NAME"], "b") && find(&["roles"], "y"));
        assert!(!find(&["tags", "name"], "c") && !find(&["tags"], "a"));
    }
}
