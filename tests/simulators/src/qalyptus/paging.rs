//! Paging. None was ever seen: a live tenant gave hundreds of rows in one answer. The rest is there because a larger one
//! may not.

use serde::{Deserialize, Serialize};

use crate::qalyptus::problem::Problem;

/// How lists are paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "mode")]
pub enum Paging {
    /// Everything at once; parameters are ignored.
    None,
    /// `offset` and `limit`, with `totalItems`, as NPrinting has it.
    Offset {
        /// Rows when no limit is asked for.
        usual: u64,
        /// The largest limit; a larger one is cut down to it.
        most: u64,
    },
    /// `page` (from 1) and `pageSize`, with `totalItems`.
    Page {
        /// Rows when no size is asked for.
        usual: u64,
        /// The largest size; a larger one is cut down to it.
        most: u64,
    },
    /// `links.next.href`, absolute, with `totalItems`.
    Link {
        /// Rows of each page.
        size: u64,
    },
    /// Never more than so many rows, whatever is asked for, with `totalItems`: a list that is cut short.
    CutShort {
        /// Rows.
        rows: u64,
    },
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Splits and decodes.
    pub(crate) fn parse(raw: &str) -> Self {
        Self(url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// A parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Forgets where in a list the request stands.
    pub(crate) fn restart(&mut self) {
        self.0.retain(|(key, _)| !["offset", "page", "cursor"].contains(&key.as_str()));
    }

    fn number(&self, name: &str, usual: u64) -> Result<u64, Problem> {
        match self.get(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| Problem::invalid(format!("{name} is not a number"))),
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The first row.
    pub(crate) from: u64,
    /// At most so many.
    pub(crate) rows: u64,
    /// What the answer says of it besides the total: (member, number).
    pub(crate) says: Vec<(&'static str, u64)>,
    /// Where the next part begins, if links lead on.
    pub(crate) next: Option<u64>,
    /// Does the answer name the total?
    pub(crate) counted: bool,
}

impl Paging {
    /// The part of a list that a request asks for.
    pub(crate) fn part(self, query: &Query, total: u64) -> Result<Part, Problem> {
        let part = |from, rows, says| Part { from, rows, says, next: None, counted: true };
        Ok(match self {
            Self::None => Part { counted: false, ..part(0, total, Vec::new()) },
            Self::Offset { usual, most } => {
                let from = query.number("offset", 0)?;
                let rows = query.number("limit", usual)?.min(most);
                part(from, rows, vec![("offset", from), ("limit", rows)])
            }
            Self::Page { usual, most } => {
                let page = query.number("page", 1)?;
                let rows = query.number("pageSize", usual)?.clamp(1, most);
                if page == 0 {
                    return Err(Problem::invalid("pages are counted from 1"));
                }
                part((page - 1).saturating_mul(rows), rows, vec![("page", page), ("pageSize", rows)])
            }
            Self::Link { size } => {
                let from = query.number("cursor", 0)?;
                let next = from.saturating_add(size);
                Part { next: (next < total).then_some(next), ..part(from, size, Vec::new()) }
            }
            Self::CutShort { rows } => part(0, rows, Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_ask_for_parts() {
        let offset = Paging::Offset { usual: 50, most: 100 };
        let page = Paging::Page { usual: 50, most: 100 };
        let part = |paging: Paging, raw: &str| {
            paging.part(&Query::parse(raw), 130).ok().map(|part| (part.from, part.rows, part.next))
        };
        for (paging, raw, expected) in [
            (Paging::None, "offset=20&limit=1", Some((0, 130, None))),
            (offset, "", Some((0, 50, None))),
            (offset, "offset=100&limit=1000", Some((100, 100, None))),
            (offset, "offset=x", None),
            (page, "page=3", Some((100, 50, None))),
            (page, "page=0", None),
            (Paging::Link { size: 100 }, "", Some((0, 100, Some(100)))),
            (Paging::Link { size: 100 }, "cursor=100", Some((100, 100, None))),
            (Paging::CutShort { rows: 7 }, "offset=20", Some((0, 7, None))),
        ] {
            assert_eq!(part(paging, raw), expected, "{paging:?} {raw}");
        }
    }
}
