//! The envelope of lists.

use jackfield_plugin::sdk::Row;
use serde::Deserialize;

/// A page of a list as it stands in an answer.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    /// Its rows.
    #[serde(borrow)]
    pub(crate) data: Vec<Row<'a>>,
    #[serde(borrow, default)]
    links: Option<Row<'a>>,
    /// How many rows the whole list has, if the tenant says so.
    #[serde(default, rename = "totalResults")]
    pub(crate) total: Option<u64>,
}

impl Page<'_> {
    /// The link to the next page. The end of a list is told by a `next` that is absent, null or empty, or whose `href` is.
    pub(crate) fn next(&self) -> Option<String> {
        let links = self.links.as_ref()?;
        let link = links.text("next/href").or_else(|| links.text("next"))?;
        Some(link.into_owned()).filter(|link| !link.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_list_is_an_end() {
        let next = |links: &str| {
            let body = format!("{{\"data\":[],\"links\":{links}}}");
            serde_json::from_str::<Page<'_>>(&body).unwrap().next()
        };
        for end in [
            r#"{}"#,
            r#"{"next":null}"#,
            r#"{"next":{}}"#,
            r#"{"next":{"href":null}}"#,
            r#"{"next":{"href":""}}"#,
            r#"{"next":""}"#,
            r#"{"next":[],"prev":{"href":"https://t/x"}}"#,
        ] {
            assert_eq!(next(end), None, "{end}");
        }
        assert_eq!(next(r#"{"next":{"href":"https://t/x?next=1"}}"#).unwrap(), "https://t/x?next=1");
        assert_eq!(next(r#"{"next":"/x"}"#).unwrap(), "/x");
    }
}
