//! Reading lists to their ends.

use super::{
    Refresh,
    objects::{Found, Kind},
};
use crate::client::{Client, Page, Refusal};
use jackfield_plugin::{
    Failure, Response,
    contract::run::Level,
    futures::future::try_join,
    sdk::{Stop, Walk, nameless},
};
use std::collections::BTreeSet;

/// How many rows of a list that is only shown whole are read at once: a task is one to two kilobytes.
const PART: u64 = 2000;

/// What was read of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    /// How many objects.
    pub(super) count: u64,
    /// The latest change.
    pub(super) latest: String,
}

impl Read {
    fn note(&mut self, found: &[Found]) {
        for one in found {
            self.count += 1;
            if one.changed > self.latest {
                self.latest.clone_from(&one.changed);
            }
        }
    }
}

impl Refresh<'_> {
    /// Reads a whole table.
    pub(super) async fn table(&self, kind: &'static Kind) -> Result<Read, Stop> {
        let total = self.total(kind).await?;
        let read = self.pages(kind, String::new(), total).await?;
        self.is_all(kind, read.count, total).await?;
        Ok(read)
    }

    /// Reads a table to its end and puts what it shows. The next page is on its way while the rows of the former become objects
    /// and are put.
    pub(super) async fn pages(
        &self,
        kind: &'static Kind,
        filter: String,
        total: Option<u64>,
    ) -> Result<Read, Stop> {
        let query = kind.query(filter);
        let mut response = self.client.page(&query, 0).await?;
        let (mut walk, mut seen, mut read, mut rows) = (Walk::default(), BTreeSet::new(), Read::default(), 0);
        loop {
            accept(self.client, kind.noun.plural, &response)?;
            let page = Page::table(&response)?;
            rows += page.len();
            // A site may give less at once than was asked for: only an empty page, or the number that was counted, is the end.
            let more = page.len() > 0 && total.is_none_or(|total| rows < total);
            let following = async {
                match more {
                    true => self.client.page(&query, rows).await.map(Some),
                    false => Ok(None),
                }
            };
            let putting = async {
                let mut found = self.found(kind, &page).await?;
                // Also of what would be the last page: where skip is not obeyed, the rows behind it were never seen.
                let ids = found.iter().map(|one| one.object.id.as_str());
                walk.page(ids, (page.len() > 0).then_some(rows))?;
                found.retain(|one| seen.insert(one.object.id.clone()));
                read.note(&found);
                self.put(kind, found, response.exchange(), read.count, total).await
            };
            // In this order: the request leaves before the rows are looked at.
            match try_join(following, putting).await? {
                (Some(following), ()) => response = following,
                (None, ()) => return Ok(read),
            }
        }
    }

    /// Reads a list that is only shown whole, in parts if it is long.
    pub(super) async fn whole(&self, kind: &'static Kind) -> Result<u64, Stop> {
        let total = self.total(kind).await?;
        let (mut seen, mut count) = (BTreeSet::new(), 0);
        for part in self.parts(kind, total).await? {
            let filter = [("filter", part.as_str())];
            let query = if part.is_empty() { &filter[..0] } else { &filter[..] };
            let response = self.client.whole(&format!("{}/full", kind.path), query).await?;
            accept(self.client, kind.noun.plural, &response)?;
            let mut found = self.found(kind, &Page::list(&response)?).await?;
            found.retain(|one| seen.insert(one.object.id.clone()));
            count += found.len() as u64;
            let total = total.filter(|_| !part.is_empty());
            self.put(kind, found, response.exchange(), count, total).await?;
        }
        let total = self.total(kind).await?;
        self.is_all(kind, count, total).await?;
        Ok(count)
    }

    /// Conditions that divide a list into parts of about as many rows as an answer may well hold, by the dates at which they
    /// were made; together they let every row through. A short list is one part.
    async fn parts(&self, kind: &'static Kind, total: Option<u64>) -> Result<Vec<String>, Stop> {
        let mut dates = BTreeSet::new();
        if let (Some(query), Some(total)) = (kind.made(), total) {
            for row in (PART..total).step_by(PART as usize) {
                let response = self.client.page(&query, row).await?;
                accept(self.client, kind.noun.plural, &response)?;
                // It goes into a condition.
                let is_date =
                    |text: &String| text.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ".contains(&b));
                dates.extend(Page::table(&response)?.first().filter(is_date));
            }
        }
        let from = dates.iter().map(|date| Some(format!("createdDate ge '{date}'")));
        let to = dates.iter().map(|date| Some(format!("createdDate lt '{date}'")));
        let parts = [None].into_iter().chain(from).zip(to.chain([None]));
        Ok(parts.map(|(from, to)| from.into_iter().chain(to).collect::<Vec<_>>().join(" and ")).collect())
    }

    /// How many there are; `None` if the site does not say.
    pub(super) async fn total(&self, kind: &Kind) -> Result<Option<u64>, Failure> {
        let mut total = 0;
        for path in kind.counts {
            let response = self.client.count(path, "").await?;
            if !response.is_success() {
                return Ok(None);
            }
            total += Client::counted(&response)?;
        }
        Ok(Some(total))
    }

    /// A list that shows less than there is must not remove the rest. Rows that went away meanwhile are no longer counted.
    async fn is_all(&self, kind: &Kind, count: u64, total: Option<u64>) -> Result<(), Stop> {
        if total.is_none_or(|total| count >= total) {
            return Ok(());
        }
        match self.total(kind).await? {
            Some(now) if count < now => {
                Err(Stop::Keep(format!("the site counts {now} but shows {count}; the list is cut short")))
            }
            _ => Ok(()),
        }
    }

    async fn found(&self, kind: &Kind, page: &Page<'_>) -> Result<Vec<Found>, Failure> {
        let found = kind.objects(page);
        let without_id = page.len() - found.len() as u64;
        if without_id > 0 && found.is_empty() {
            return Err(nameless(without_id));
        }
        if without_id > 0 {
            let line = format!("{}: rows without an id were left out: {without_id}", kind.noun.plural);
            self.context.log(Level::Warning, line).await?;
        }
        Ok(found)
    }

    async fn put(
        &self,
        kind: &Kind,
        found: Vec<Found>,
        exchange: u64,
        count: u64,
        total: Option<u64>,
    ) -> Result<(), Failure> {
        if found.is_empty() {
            return Ok(());
        }
        let objects = found.into_iter().map(|one| one.object).collect();
        self.context.catalog().put(kind.noun.id, objects, exchange).await?;
        match total {
            Some(total) => self.context.progress(kind.noun.id, count, Some(total)).await,
            None => Ok(()),
        }
    }
}

/// Whether an answer is a list; what is to be done if it is not.
pub(super) fn accept(client: &Client<'_>, plural: &str, response: &Response) -> Result<(), Stop> {
    if response.is_success() {
        return Ok(());
    }
    let refusal = Refusal::of(response);
    if let Some(failure) = refusal.common() {
        return Err(Stop::Fail(failure));
    }
    let summary = refusal.summary();
    let account = client.context.settings().account();
    Err(Stop::Keep(match refusal.status {
        403 => format!(
            "the site refused ({summary}): the user \"{account}\" may not read {plural}; give it the role RootAdmin"
        ),
        404 => format!("this release of Qlik Sense does not offer the list ({summary})"),
        _ => format!("this release of Qlik Sense does not understand the question ({summary})"),
    }))
}
