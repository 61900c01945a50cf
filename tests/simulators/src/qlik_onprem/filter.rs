//! The filter language: `property op value`, joined by `and`, `or` and `not`, with parentheses. Properties are dotted
//! paths that go through arrays, or `@Name` for the custom property of that name. What the real system documents is
//! enforced: texts and times in single quotes with a backslash as escape, order for numbers and times only, parts of
//! texts for texts only.

mod parse;

use uuid::Uuid;

use crate::kit::clock;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::problem::Problem;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// One comparison.
    Term(Term),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    property: Property,
    operator: Operator,
    value: Value,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
enum Property {
    /// A dotted path.
    Path(Vec<String>),
    /// The values of the custom property of that name.
    Custom(String),
}

/// The operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Substring of.
    So,
}

/// What it is compared with.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// In quotes, in lower case, and what it is as a time and as a GUID.
    Text {
        text: String,
        time: Option<i64>,
        id: Option<Uuid>,
    },
    Number(i64),
    Flag(bool),
    Id(Uuid),
    Null,
}

/// A row, whole or as far as it is needed.
pub(crate) trait Source {
    /// Shows the values of a dotted path until one is taken.
    fn any(&self, path: &[String], take: &mut dyn FnMut(&Cell) -> bool) -> bool;
}

impl Source for Row {
    fn any(&self, path: &[String], take: &mut dyn FnMut(&Cell) -> bool) -> bool {
        Self::any(self, path, take)
    }
}

impl Filter {
    /// Parses a filter for rows like the samples.
    pub(crate) fn parse(text: &str, samples: &[Row]) -> Result<Self, Problem> {
        parse::filter(text, samples)
    }

    /// Does a row match?
    pub(crate) fn matches(&self, row: &dyn Source) -> bool {
        match self {
            Self::And(left, right) => left.matches(row) && right.matches(row),
            Self::Or(left, right) => left.matches(row) || right.matches(row),
            Self::Not(inner) => !inner.matches(row),
            Self::Term(term) => term.matches(row),
        }
    }
}

impl Term {
    fn matches(&self, row: &dyn Source) -> bool {
        // What is nowhere equal is unequal; nothing is unequal to everything but itself.
        if self.operator == Operator::Ne {
            return !self.found(row, Operator::Eq);
        }
        self.found(row, self.operator)
    }

    fn found(&self, row: &dyn Source, operator: Operator) -> bool {
        let Property::Path(path) = &self.property else { return self.custom(row, operator) };
        if self.value == Value::Null {
            return !row.any(path, &mut |cell| *cell != Cell::Null);
        }
        row.any(path, &mut |cell| self.value.fits(cell, operator))
    }

    fn custom(&self, row: &dyn Source, operator: Operator) -> bool {
        let Property::Custom(name) = &self.property else { return false };
        let own = |definition: &Row| definition.text("name").eq_ignore_ascii_case(name);
        // The path ends at the array so that value and definition are seen together.
        let path = ["customProperties".to_owned(), "*".to_owned()];
        row.any(&path, &mut |cell| match cell {
            Cell::Row(value) => {
                value.row("definition").is_some_and(own)
                    && value.get("value").is_some_and(|cell| self.value.fits(cell, operator))
            }
            _ => false,
        })
    }
}

impl Value {
    fn fits(&self, cell: &Cell, operator: Operator) -> bool {
        match (cell, self) {
            (Cell::Text(own), Self::Text { text, .. }) => texts(&own.to_lowercase(), operator, text),
            (Cell::Text(own), Self::Id(id)) => texts(&own.to_lowercase(), operator, &id.to_string()),
            (Cell::Text(own), Self::Number(number)) => texts(own, operator, &number.to_string()),
            (Cell::Time(own), Self::Text { time: Some(time), .. }) => ordered(own.cmp(time), operator),
            (Cell::Number(own), Self::Number(number)) => ordered(own.cmp(number), operator),
            (Cell::Flag(own), Self::Flag(flag)) => ordered(own.cmp(flag), operator),
            (Cell::Id(own), Self::Id(id) | Self::Text { id: Some(id), .. }) => ordered(own.cmp(id), operator),
            _ => false,
        }
    }
}

fn texts(own: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Sw => own.starts_with(wanted),
        Operator::Ew => own.ends_with(wanted),
        Operator::So => own.contains(wanted),
        operator => ordered(own.cmp(wanted), operator),
    }
}

fn ordered(ordering: std::cmp::Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Sw | Operator::Ew | Operator::So => false,
    }
}

/// Reads a time as the real system does: with or without `T`, fraction and `Z`; a date alone is its midnight.
pub(crate) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(ms) = clock::parse_ms(text) {
        return Some(ms);
    }
    let spelt = if text.len() == 10 { format!("{text}T00:00:00") } else { text.replacen(' ', "T", 1) };
    clock::parse_ms(&format!("{spelt}Z"))
}
