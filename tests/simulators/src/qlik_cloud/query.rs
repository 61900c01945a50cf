//! A query string: read leniently where the real system is lenient (booleans in any case), strictly elsewhere.

use crate::kit::scim::Filter;
use crate::qlik_cloud::problem::Problem;

/// The parameters of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    raw: String,
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Splits and decodes.
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
        Self { raw: raw.to_owned(), pairs }
    }

    /// A parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A list separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',');
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// A boolean: `true`, `false`, `True`, `False`; absent is false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(Problem::parameter(name, "not a boolean")),
        }
    }

    /// A number within bounds.
    pub(crate) fn number(&self, name: &str, usual: u64, most: u64) -> Result<u64, Problem> {
        let Some(value) = self.get(name) else { return Ok(usual) };
        match value.parse::<u64>() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(Problem::parameter(name, format!("must be a number from 1 to {most}"))),
        }
    }

    /// A sort of one field: (field, descending). `+` must come encoded, as it does from careful clients.
    pub(crate) fn sort(&self, allowed: &[&str]) -> Result<Option<(String, bool)>, Problem> {
        let Some(value) = self.get("sort") else { return Ok(None) };
        let (field, descending) = match value.split_at_checked(1) {
            Some(("+", field)) => (field, false),
            Some(("-", field)) => (field, true),
            _ => (value, false),
        };
        if allowed.contains(&field) {
            return Ok(Some((field.to_owned(), descending)));
        }
        Err(Problem::parameter("sort", format!("cannot sort by «{value}»")))
    }

    /// A SCIM filter.
    pub(crate) fn filter(&self, allowed: &[&str]) -> Result<Option<Filter>, Problem> {
        let Some(text) = self.get("filter") else { return Ok(None) };
        Filter::parse(text, allowed).map(Some).map_err(|why| Problem::parameter("filter", why))
    }

    /// The raw query without some parameters, ready for another one to be added.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let kept: Vec<&str> = self
            .raw
            .split('&')
            .filter(|pair| !pair.is_empty() && !names.contains(&pair.split('=').next().unwrap_or_default()))
            .collect();
        kept.join("&")
    }

    /// The raw query.
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }
}
