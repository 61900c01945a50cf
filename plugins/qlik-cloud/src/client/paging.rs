//! Walking from page to page, and noticing when the walk goes in circles.

use jackfield_plugin::Failure;
use jackfield_plugin::sdk::Row;
use std::{
    collections::{BTreeSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

/// The link to the next page. The end of a list is told by a `next` that is absent, null or empty, or whose `href` is.
pub(crate) fn next_link(links: &Row<'_>) -> Option<String> {
    let link = links.text("next/href").or_else(|| links.text("next"))?;
    Some(link.into_owned()).filter(|link| !link.trim().is_empty())
}

/// Remembers the way through one list.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    links: BTreeSet<u64>,
    before: BTreeSet<u64>,
}

impl Walk {
    /// Takes note of a page. `next` is the link that would be followed from it.
    ///
    /// # Errors
    /// The link was followed before, or the page shows nothing but what the page before it showed and yet goes on.
    pub(crate) fn page<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a str>,
        next: Option<&str>,
    ) -> Result<(), Failure> {
        let ids: BTreeSet<u64> = ids.map(hash).collect();
        let Some(next) = next else { return Ok(()) };
        if !self.links.insert(hash(next)) || (!ids.is_empty() && ids.is_subset(&self.before)) {
            return Err(Failure::remote("the list repeats a page, so its end would never come")
                .remedy("try again; if it lasts, show Qlik's support the exchange in the log"));
        }
        self.before = ids;
        Ok(())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_list_is_an_end() {
        let next = |links: &str| next_link(&serde_json::from_str(links).unwrap());
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

    #[test]
    fn a_walk_in_circles_is_noticed() {
        let mut walk = Walk::default();
        walk.page(["a", "b"].into_iter(), Some("/1")).unwrap();
        walk.page(["c", "d"].into_iter(), Some("/2")).unwrap();
        assert!(walk.page(["e"].into_iter(), Some("/1")).is_err(), "the same link again");

        let mut walk = Walk::default();
        walk.page(["a", "b"].into_iter(), Some("/1")).unwrap();
        assert!(walk.page(["b", "a"].into_iter(), Some("/2")).is_err(), "the same rows again");

        let mut walk = Walk::default();
        walk.page(["a", "b"].into_iter(), Some("/1")).unwrap();
        walk.page(["b"].into_iter(), None).unwrap();
    }
}
