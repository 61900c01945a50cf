//! A query string, read as the real system's framework reads it: names of parameters in any case.

use uuid::Uuid;

use crate::nprinting::problem::Problem;

/// Entries of a page where `limit` is absent.
const PAGE: u64 = 50;

/// The parameters of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Entries to skip.
    pub(crate) offset: u64,
    /// At most so many.
    pub(crate) limit: u64,
}

/// In which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    /// Field.
    pub(crate) field: String,
    /// Backwards.
    pub(crate) descending: bool,
}

impl Query {
    /// Splits and decodes.
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = url::form_urlencoded::parse(raw.as_bytes());
        Self(pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect())
    }

    /// A parameter (named in lower case here) that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Sets a parameter.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// A boolean.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(Problem::invalid(format!("{name} is not a boolean"))),
        }
    }

    /// A GUID.
    pub(crate) fn guid(&self, name: &str) -> Result<Option<Uuid>, Problem> {
        self.get(name).map(guid).transpose()
    }

    /// `offset` and `limit`. A limit of 0 is an envelope without items.
    pub(crate) fn page(&self, cap: Option<u64>) -> Result<Page, Problem> {
        let number = |name: &str, usual: u64| match self.get(name) {
            None => Ok(usual),
            Some(text) => {
                text.parse::<u64>().map_err(|_| Problem::invalid(format!("{name} is not a number")))
            }
        };
        let limit = number("limit", PAGE)?;
        Ok(Page { offset: number("offset", 0)?, limit: cap.map_or(limit, |cap| limit.min(cap)) })
    }

    /// The first field of `sort`; every field must be allowed. A sign says which way; a `+` that was not encoded
    /// arrives as a space.
    pub(crate) fn sort(&self, allowed: &[&str]) -> Result<Option<Sort>, Problem> {
        let Some(value) = self.get("sort") else { return Ok(None) };
        let mut first = None;
        for part in value.split(',') {
            let descending = part.trim_start().starts_with('-');
            let wanted = part.trim_matches([' ', '+', '-']);
            let Some(field) = allowed.iter().find(|field| field.eq_ignore_ascii_case(wanted)) else {
                return Err(Problem::invalid(format!("cannot sort by «{wanted}»")));
            };
            first.get_or_insert(Sort { field: (*field).to_owned(), descending });
        }
        Ok(first)
    }
}

/// Reads a GUID in any of the forms that the real system's framework reads.
pub(crate) fn guid(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::invalid(format!("«{text}» is no GUID")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_defaults() {
        let page = |raw: &str| Query::parse(raw).page(None).ok();
        assert_eq!(page(""), Some(Page { offset: 0, limit: 50 }));
        assert_eq!(page("Limit=0&OFFSET=7"), Some(Page { offset: 7, limit: 0 }));
        assert_eq!(page("limit=-1"), None);
        assert_eq!(Query::parse("limit=9999").page(Some(100)).ok().map(|page| page.limit), Some(100));
    }

    #[test]
    fn sorting_takes_a_sign_in_three_spellings() {
        let sort = |raw: &str| Query::parse(raw).sort(&["name", "created"]).ok().flatten();
        let name = |descending| Some(Sort { field: "name".to_owned(), descending });
        assert_eq!(sort("sort=%2Bname"), name(false));
        assert_eq!(sort("sort=+Name,-created"), name(false));
        assert_eq!(sort("sort=name"), name(false));
        assert_eq!(sort("sort=-name"), name(true));
        assert_eq!(sort("sort=%2Bname,%2Bsize"), None);
    }
}
