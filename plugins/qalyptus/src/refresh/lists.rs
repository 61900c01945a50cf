//! Reading a list: where it is, its pages, and the lists that are asked for each row of another.

use super::{
    Read,
    objects::Maker,
    relations::{Derived, Picked, Relations},
};
use crate::{
    Client, Settings,
    client::{Asked, Found, Refusal},
    envelope::Page,
    kinds::List,
    map::{Candidate, Operation},
};
use jackfield_plugin::{
    Failure, Object, Response,
    contract::run::Level,
    futures::{StreamExt, TryStreamExt, stream},
    sdk::{Stop, Walk, nameless},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// For how many rows of another list a list is asked at the same time. The host bounds the requests.
const AT_ONCE: usize = 8;

/// What to do about pages that do not add up.
const PAGES: &str =
    "how further pages are asked for is a guess: correct \"paging\" in the endpoint map of the connection";

/// A list on the way from page to page.
#[derive(Default)]
struct Course {
    /// How many pages were followed.
    pages: u64,
    /// How many rows were shown.
    shown: u64,
    /// How many there are in all, if it is said.
    total: Option<u64>,
    without_id: u64,
    ids: BTreeSet<String>,
    walk: Walk,
}

impl Course {
    /// # Errors
    /// The pages showed fewer than there are: what is missing would look deleted.
    fn whole(&self) -> Result<(), Failure> {
        let found = self.ids.len() as u64 + self.without_id;
        match self.total {
            Some(total) if self.pages > 0 && found < total => Err(Failure::remote(format!(
                "the server counts {total}, but its pages show {found} that differ"
            ))
            .remedy(PAGES)),
            _ => Ok(()),
        }
    }
}

/// After so many rows for which there is nothing, and none for which there is something, the list is nowhere: a server with
/// thousands of tasks is not asked thousands of times for what it does not have.
const NOWHERE: u64 = 20;

/// What helps where rows are there and show no id.
const COLUMN: &str = "the endpoint map names another column than the server has: look at an answer of the server, and give the right \"columns\", \"id\" of this list in the connection's \"Endpoint map\"";

/// Reads one list.
pub(super) struct Reader<'a, S> {
    client: &'a Client<'a, S>,
    list: &'static List,
    operation: &'a Operation,
    derived: &'a Derived,
    kept: Mutex<Kept>,
}

/// What is kept of the rows beside the objects.
#[derive(Default)]
struct Kept {
    ids: Vec<String>,
    seen: BTreeSet<String>,
    relations: Relations,
    picked: Picked,
    repeated: u64,
    without_id: u64,
}

impl<'a, S: Settings> Reader<'a, S> {
    pub(super) fn new(
        client: &'a Client<'a, S>,
        list: &'static List,
        operation: &'a Operation,
        derived: &'a Derived,
    ) -> Self {
        Reader { client, list, operation, derived, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids, the relations, and what was picked for lists that are made of this one.
    pub(super) fn finish(self) -> (Vec<String>, Relations, Picked) {
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        (kept.ids, kept.relations, kept.picked)
    }

    /// Reads it, wherever it is. `ids` are those of the lists that were read before.
    pub(super) async fn read(&self, ids: &BTreeMap<&'static str, Vec<String>>) -> Result<Read, Stop> {
        let mut tried = Vec::new();
        let whole = self.operation.candidates(false);
        if !whole.is_empty() {
            match self.one(&whole, None).await? {
                Read::Nowhere(nowhere) => tried.push(nowhere),
                Read::All => return self.told().await,
            }
        }
        let each = self.operation.candidates(true);
        if let (false, Some(parent)) = (each.is_empty(), &self.operation.parent) {
            let Some(parents) = ids.get(parent.as_str()) else {
                let parents = crate::kinds::ALL.iter().find(|list| list.operation == parent);
                let plural = parents.map_or(parent.as_str(), |list| list.noun.plural);
                return Err(Stop::Keep(format!(
                    "the {plural}, for each of which it is asked, were not read"
                )));
            };
            match self.each(&each, parents).await? {
                Read::Nowhere(nowhere) => tried.push(nowhere),
                Read::All => return self.told().await,
            }
        }
        Ok(Read::Nowhere(tried.join(", ")))
    }

    /// Reads it for each row of another list. A row that is not there any more went away meanwhile, unless all did.
    async fn each(&self, candidates: &[&Candidate], parents: &[String]) -> Result<Read, Stop> {
        let total = parents.len() as u64;
        let mut asked = stream::iter(parents.to_vec())
            .map(|parent| async move {
                let read = self.one(candidates, Some(&parent)).await;
                read.map_err(|stop| self.blame_on(stop, &parent))
            })
            .buffer_unordered(AT_ONCE);
        let (mut here, mut gone, mut nowhere) = (0, 0, None);
        while let Some(read) = asked.try_next().await? {
            match read {
                Read::All => here += 1,
                Read::Nowhere(tried) => {
                    gone += 1;
                    nowhere.get_or_insert(tried);
                    if here == 0 && gone >= NOWHERE {
                        break;
                    }
                }
            }
            if (here + gone) % 100 == 0 {
                self.client.context.progress(self.list.noun.id, here + gone, Some(total)).await?;
            }
        }
        match nowhere {
            Some(tried) if here == 0 => Ok(Read::Nowhere(tried)),
            Some(tried) => {
                self.warn(format!("{gone} of {total} were not there any more ({tried})")).await?;
                Ok(Read::All)
            }
            None => Ok(Read::All),
        }
    }

    fn blame_on(&self, stop: Stop, parent: &str) -> Stop {
        let what = self.operation.parent.as_deref().unwrap_or_default();
        let what = crate::kinds::ALL
            .iter()
            .find(|list| list.operation == what)
            .map_or(what, |list| list.noun.singular);
        match stop {
            Stop::Keep(reason) => Stop::Keep(format!("{what} {parent}: {reason}")),
            Stop::Fail(failure) if failure.cancelled => Stop::Fail(failure),
            Stop::Fail(failure) => Stop::Fail(failure.context(format!("{what} {parent}"))),
        }
    }

    /// Reads one list to its end, page by page.
    async fn one(&self, candidates: &[&Candidate], parent: Option<&str>) -> Result<Read, Stop> {
        let (client, name) = (self.client, self.list.operation);
        let answered = Mutex::new(String::new());
        let found = client.find(name, candidates, true, |candidate| {
            *answered.lock().unwrap_or_else(PoisonError::into_inner) = candidate.to_owned();
            client.page_path(candidate, parent, 0)
        });
        let mut response = match found.await.map_err(stop)? {
            Found::Here(response) => response,
            Found::Nowhere(tried) => return Ok(Read::Nowhere(tried)),
        };
        let candidate = answered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut course = Course::default();
        loop {
            let page = client.map.page(self.operation, &response)?;
            let rows = page.rows.len() as u64;
            course.shown += rows;
            // What one page counts holds for those behind it, too: they need not repeat it.
            course.total = page.total.or(course.total);
            let next = self.next(course.shown, rows, course.total)?;
            self.take(&page, parent, &response, &mut course).await?;
            let Some(offset) = next else { break };
            course.pages += 1;
            if parent.is_none() {
                client.context.progress(self.list.noun.id, course.shown, course.total).await?;
            }
            let path = client.page_path(&candidate, parent, offset);
            response = client.get(&path, true).await?;
            if !response.is_success() {
                return Err(stop(Asked::Refused(client.refusal(&response))));
            }
        }
        course.whole()?;
        Ok(Read::All)
    }

    /// Where the list goes on, if it does.
    ///
    /// # Errors
    /// It should, and does not: a list that is too short would make what is missing look deleted.
    fn next(&self, shown: u64, rows: u64, total: Option<u64>) -> Result<Option<u64>, Failure> {
        let paging = &self.client.map.paging;
        match total {
            Some(total) if shown < total && rows == 0 => Err(Failure::remote(format!(
                "the server counts {total} but shows {shown}, and the page behind them is empty"
            ))
            .remedy(PAGES)),
            Some(total) => Ok((shown < total).then_some(shown)),
            // Without a count, a list that is asked for by pages ends where a page is not full.
            None => Ok((paging.mode == crate::map::PagingMode::Offset && rows >= u64::from(paging.limit))
                .then_some(shown)),
        }
    }

    /// Makes objects of the rows of a page and puts those that are new.
    async fn take(
        &self,
        page: &Page<'_>,
        parent: Option<&str>,
        response: &Response,
        course: &mut Course,
    ) -> Result<(), Failure> {
        let mut maker = Maker::new(self.list, self.operation, parent);
        for row in &page.rows {
            maker.take(row)?;
            self.derived.pick(self.list.operation, row, &mut self.kept().picked);
        }
        // Also of the last page: where the query is not obeyed, it is the first once more.
        let place = (!page.rows.is_empty()).then_some(course.shown);
        let ids = || maker.objects.iter().map(|object| object.id.as_str());
        course.walk.page(ids(), place).map_err(|failure| failure.remedy(PAGES))?;
        course.ids.extend(ids().map(str::to_owned));
        course.without_id += maker.without_id;
        self.kept().without_id += maker.without_id;
        self.kept().picked.exchange = response.exchange();
        self.put(maker.objects, response.exchange()).await
    }

    /// Puts objects that are new.
    pub(super) async fn put<E: From<Failure>>(
        &self,
        mut objects: Vec<Object>,
        exchange: u64,
    ) -> Result<(), E> {
        {
            let mut kept = self.kept();
            let before = objects.len();
            objects.retain(|object| kept.seen.insert(object.id.clone()));
            kept.repeated += (before - objects.len()) as u64;
            kept.ids.extend(objects.iter().map(|object| object.id.clone()));
            kept.relations.note(self.list.noun, &objects);
        }
        if !objects.is_empty() {
            self.client.context.catalog().put(self.list.noun.id, objects, exchange).await?;
        }
        Ok(())
    }

    /// Says what was left out, and that it was read.
    async fn told(&self) -> Result<Read, Stop> {
        let (without_id, repeated) = {
            let kept = self.kept();
            (kept.without_id, kept.repeated)
        };
        if without_id > 0 && self.kept().ids.is_empty() {
            return Err(nameless(without_id).remedy(COLUMN).into());
        }
        if without_id > 0 {
            self.warn(format!("rows without an id were left out: {without_id}")).await?;
        }
        if repeated > 0 {
            self.warn(format!("rows with an id that was there already were left out: {repeated}")).await?;
        }
        Ok(Read::All)
    }

    async fn warn(&self, what: String) -> Result<(), Failure> {
        self.client.context.log(Level::Warning, format!("{}: {what}", self.list.noun.plural)).await
    }
}

/// What a refusal does to a list.
fn stop(asked: Asked) -> Stop {
    match asked {
        Asked::Refused(Refusal::Permission(failure)) => Stop::Keep(failure.message),
        Asked::Refused(refusal) => Stop::Fail(refusal.failure()),
        Asked::Unanswered(failure) => Stop::Fail(failure),
    }
}
