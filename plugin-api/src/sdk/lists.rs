//! A refresh made of lists: each kind of object is read to its end, or keeps what it had and says why.

use super::{Context, DescriptionBuilder};
use crate::contract::{Blame, Failure, Stage, hooks::RefreshReport, run::Level};
use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What a kind of object is called, in the catalog and by people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// Its id in the catalog.
    pub id: &'static str,
    /// For one.
    pub singular: &'static str,
    /// For many.
    pub plural: &'static str,
}

impl Noun {
    /// A noun.
    pub const fn new(id: &'static str, singular: &'static str, plural: &'static str) -> Self {
        Noun { id, singular, plural }
    }
}

/// Why a list was not read to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The kind keeps what it had, for this reason: it was refused, or what was shown cannot be all.
    Keep(String),
    /// The refresh is over, and the catalog stays as it was.
    Fail(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Fail(failure)
    }
}

/// How a kind ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The kind.
    pub kind: Noun,
    /// How many objects it has now, or why it keeps those that it had.
    pub how: Result<u64, String>,
}

impl DescriptionBuilder {
    /// The kinds of object that a refresh finds.
    #[must_use]
    pub fn objects(self, kinds: impl IntoIterator<Item = Noun>) -> Self {
        kinds
            .into_iter()
            .fold(self, |description, kind| description.object(kind.id, kind.singular, kind.plural))
    }
}

impl<S> Context<S> {
    /// Ends a kind as the reading of its lists came out: with the number of its objects, or why that is not known.
    ///
    /// # Errors
    /// The refresh is over, for a reason that names the kind.
    pub async fn end(&self, kind: Noun, outcome: Result<u64, Stop>) -> Result<End, Failure> {
        let how = match outcome {
            Ok(count) => {
                self.catalog().complete(kind.id).await?;
                Ok(count)
            }
            Err(Stop::Keep(reason)) => {
                self.log(Level::Warning, format!("{} skipped: {reason}", kind.plural)).await?;
                self.catalog().kept(kind.id, &reason).await?;
                Err(reason)
            }
            Err(Stop::Fail(failure)) if failure.cancelled => return Err(failure),
            Err(Stop::Fail(failure)) => return Err(failure.context(kind.plural)),
        };
        Ok(End { kind, how })
    }
}

/// The report of a refresh whose kinds ended so.
///
/// # Errors
/// Nothing could be read: it is no success to have skipped everything. `remedy` says what then helps.
pub fn report(ends: &[End], remedy: &str) -> Result<RefreshReport, Failure> {
    let (mut read, mut skipped) = (Vec::new(), Vec::new());
    for End { kind, how } in ends {
        match how {
            Ok(count) => {
                read.push(format!("{count} {}", if *count == 1 { kind.singular } else { kind.plural }));
            }
            Err(reason) => skipped.push((kind.plural, reason)),
        }
    }
    if let (true, Some((plural, reason))) = (read.is_empty(), skipped.first()) {
        return Err(Failure::new(Blame::Credential, format!("nothing could be read; {plural}: {reason}"))
            .at(Stage::Permission)
            .remedy(remedy));
    }
    let mut summary = format!("read {}", read.join(", "));
    if !skipped.is_empty() {
        let skipped: Vec<_> = skipped.iter().map(|(plural, _)| *plural).collect();
        summary.push_str(&format!("; skipped {}", skipped.join(", ")));
    }
    Ok(RefreshReport { summary })
}

/// Rows that show no id, none of them: they are not what was looked for, and to believe them would remove what is there.
pub fn nameless(rows: u64) -> Failure {
    Failure::remote(format!("none of the {rows} rows shown has an id, so nobody knows what they are"))
        .at(Stage::Answer)
        .remedy("the remote system may be newer than this plugin: look for a newer plugin")
}

/// Watches a list that is read page by page, so that it comes to an end.
#[derive(Debug, Default)]
pub struct Walk {
    followed: BTreeSet<u64>,
    before: BTreeSet<u64>,
}

impl Walk {
    /// Takes note of a page with these ids. `next` is where the list goes on, in whatever form: a link, a number of rows.
    ///
    /// # Errors
    /// The list went on there before, or the page shows nothing but what the page before it showed and yet goes on.
    pub fn page(
        &mut self,
        ids: impl Iterator<Item = impl AsRef<str>>,
        next: Option<impl Hash>,
    ) -> Result<(), Failure> {
        let Some(next) = next else { return Ok(()) };
        let ids: BTreeSet<u64> = ids.map(|id| hash(id.as_ref())).collect();
        if !self.followed.insert(hash(next)) || (!ids.is_empty() && ids.is_subset(&self.before)) {
            return Err(Failure::remote("the list repeats a page, so the rows behind it cannot be read")
                .remedy("try again; if it lasts, look whether something between here and the server drops the query"));
        }
        self.before = ids;
        Ok(())
    }
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Noun = Noun::new("app", "app", "apps");
    const USER: Noun = Noun::new("user", "user", "users");

    #[test]
    fn a_report_counts_what_was_read_and_names_what_was_not() {
        let end = |kind, how: Result<u64, &str>| End { kind, how: how.map_err(str::to_owned) };
        let summary = |ends: &[End]| report(ends, "ask").map(|report| report.summary);
        assert_eq!(summary(&[end(APP, Ok(1)), end(USER, Ok(0))]).unwrap(), "read 1 app, 0 users");
        assert_eq!(summary(&[end(APP, Err("403")), end(USER, Ok(2))]).unwrap(), "read 2 users; skipped apps");
        let failure = summary(&[end(APP, Err("403")), end(USER, Err("404"))]).unwrap_err();
        assert_eq!(failure.message, "nothing could be read; apps: 403");
        assert_eq!(
            (failure.blame, failure.stage, failure.remedy.as_deref()),
            (Blame::Credential, Some(Stage::Permission), Some("ask"))
        );
    }

    #[test]
    fn a_list_that_goes_round_in_circles_is_noticed() {
        let mut walk = Walk::default();
        walk.page(["a", "b"].into_iter(), Some("2")).unwrap();
        walk.page(["b", "c"].into_iter(), Some("3")).unwrap();
        walk.page([""; 0].into_iter(), Some("4")).unwrap();
        walk.page(["d"].into_iter(), Some("5")).unwrap();
        walk.page(["d"].into_iter(), Some("6")).unwrap_err();
        walk.page(["e"].into_iter(), Some("3")).unwrap_err();
        walk.page(["e"].into_iter(), None::<u64>).unwrap();
    }
}
