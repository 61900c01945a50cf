//! What answers are wrapped in: the list, how many rows there are in all, and the words of a refusal.

use crate::map::{Map, Operation, Path};
use jackfield_plugin::{Failure, Response, sdk::Row};
use serde_json::value::RawValue;

/// Longer words of the remote system are cut here.
const LONGEST: usize = 160;

/// A page of a list.
#[derive(Debug, Default)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    /// How many rows the list has in all, if it is said.
    pub(crate) total: Option<u64>,
}

impl Map {
    /// The body of a success.
    ///
    /// # Errors
    /// It is none: no JSON, or JSON that says that it is none.
    pub(crate) fn success<'a>(&self, response: &'a Response) -> Result<&'a RawValue, Failure> {
        let body: &RawValue = response.json()?;
        let ok = self.envelope.ok.as_ref().and_then(|path| path.at(body));
        if ok.is_some_and(|ok| ok.get() == "false") {
            let words = self.words(response).unwrap_or_else(|| "it does not say why".to_owned());
            return Err(Failure::remote(format!(
                "the server answers {}, but says in the answer that it failed: {words}",
                response.status()
            ))
            .status(response.status())
            .remedy("try again; if it lasts, look into the server's own log"));
        }
        Ok(body)
    }

    /// Whether an answer is the product's own word that it failed.
    pub(crate) fn failed_itself(&self, response: &Response) -> bool {
        response.json::<&RawValue>().is_ok() && self.success(response).is_err()
    }

    /// A page of a list.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn page<'a>(
        &self,
        operation: &Operation,
        response: &'a Response,
    ) -> Result<Page<'a>, Failure> {
        let body = self.success(response)?;
        let places = if operation.rows.is_empty() { &self.envelope.data } else { &operation.rows };
        let total = self.paging.total.iter().find_map(|path| path.at(body)?.get().parse().ok());
        let mut arrays =
            places.iter().filter_map(|path| path.at(body)).filter(|raw| raw.get().starts_with('['));
        let Some(array) = arrays.next() else {
            if operation.rows_may_miss {
                return Ok(Page { rows: Vec::new(), total });
            }
            let places: Vec<_> = places.iter().map(Path::to_string).collect();
            return Err(Failure::remote(format!(
                "the answer holds no list where the endpoint map says ({})",
                places.join(", ")
            ))
            .status(response.status())
            .remedy("if this version of the product answers otherwise, correct the endpoint map of the connection"));
        };
        let rows = serde_json::from_str(array.get()).map_err(|error| {
            Failure::remote(format!("a row of the list is no object: {error}")).status(response.status())
        })?;
        Ok(Page { rows, total })
    }

    /// The words of a refusal, on one line; those of a web page are its title.
    pub(crate) fn words(&self, response: &Response) -> Option<String> {
        let Ok(body) = serde_json::from_slice::<&RawValue>(response.body()) else {
            return page_title(&String::from_utf8_lossy(response.body()));
        };
        let words = self.envelope.error.iter().filter_map(|path| path.at(body));
        let mut texts = words.filter_map(|raw| serde_json::from_str::<String>(raw.get()).ok());
        texts.find_map(|text| beginning(&text))
    }

    /// An answer in short: `403 "Forbidden"`.
    pub(crate) fn summary(&self, response: &Response) -> String {
        match self.words(response) {
            Some(words) => format!("{} \"{words}\"", response.status()),
            None => response.status().to_string(),
        }
    }
}

fn page_title(body: &str) -> Option<String> {
    if !body.trim_start().starts_with('<') {
        return beginning(body);
    }
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title>").zip(lower.find("</title>"));
    let title = title.and_then(|(from, to)| beginning(body.get(from + "<title>".len()..to)?));
    Some(title.map_or_else(|| "a web page".to_owned(), |title| format!("a web page: {title}")))
}

/// The beginning of a text, without what would move a terminal's cursor.
pub(crate) fn beginning(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let text: String = words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    Some(text).filter(|text| !text.is_empty())
}
