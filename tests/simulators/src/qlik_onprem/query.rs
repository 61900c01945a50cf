//! A query string, read as the real system reads it: names of parameters in any case, nothing without a value.

use uuid::Uuid;

use crate::qlik_onprem::problem::Problem;

/// The parameters of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Splits and decodes.
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = url::form_urlencoded::parse(raw.as_bytes());
        Self(pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect())
    }

    /// A part without `=`, as a `&` in an unescaped filter leaves one.
    pub(crate) fn has_stray(raw: &str) -> bool {
        raw.split('&').any(|part| !part.is_empty() && !part.contains('='))
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

    /// A boolean; false when absent.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let parse =
            |text: &str| text.parse().map_err(|_| Problem::invalid(format!("Invalid value for {name}")));
        self.get(name).map(parse).transpose()
    }
}

/// A GUID in a path.
pub(crate) fn guid(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::invalid(format!("The value '{text}' is not a valid GUID")))
}
