//! Reading lists to their ends.

use super::{
    End, How, Refresh, Stop,
    objects::{APP, EXECUTION, Kind, Owner, REPORT},
};
use crate::{
    client::{Client, Refusal, Rows},
    settings::Settings,
};
use jackfield_plugin::{
    Blame, Context, Failure, Response, Stage,
    contract::run::Level,
    futures::future::{try_join, try_join_all},
};
use std::collections::BTreeSet;

/// How many tasks are asked at the same time for their newest execution.
const AT_ONCE: usize = 4;
/// How often a list is stepped back in, before a server whose counts go up and down is no longer followed.
const STEPS_BACK: u32 = 8;

/// Reads the apps: the first list, which also proves that the server takes the token.
pub(super) async fn apps(
    context: &Context<Settings>,
    client: &Client<'_>,
) -> Result<Result<BTreeSet<String>, Stop>, Failure> {
    let mut reader = Reader { context, client, kind: &APP, seen: BTreeSet::new() };
    match reader.list(&[], Owner::Row).await {
        Ok(_) => Ok(Ok(reader.seen)),
        Err(Stop::Fail(failure)) if failure.cancelled || is_before_any_answer(&failure) => Err(failure),
        // At once: whatever is asked next may fail too, and with less to say.
        Err(Stop::Fail(failure)) => Err(failure.context(APP.plural)),
        Err(stop) => Ok(Err(stop)),
    }
}

/// It says nothing of the list that was asked for: nothing could be asked.
fn is_before_any_answer(failure: &Failure) -> bool {
    matches!(failure.stage, Some(Stage::Name | Stage::Connect | Stage::Tls | Stage::SignIn))
}

impl Refresh<'_> {
    fn reader(&self, kind: &'static Kind) -> Reader<'_> {
        Reader { context: self.context, client: self.client, kind, seen: BTreeSet::new() }
    }

    /// Reads the list of a kind, all parts of it; yields the ids.
    pub(super) async fn whole(&self, kind: &'static Kind) -> Result<BTreeSet<String>, Stop> {
        let mut reader = self.reader(kind);
        for part in kind.list.parts {
            reader.list(part, Owner::Row).await?;
        }
        Ok(reader.seen)
    }

    /// Reads the reports of one app after the other, because a report does not say to which it belongs.
    pub(super) async fn reports(&self, apps: &End) -> Result<BTreeSet<String>, Stop> {
        let How::Complete(apps) = &apps.how else {
            return Err(Stop::Keep("they are listed app by app, and no apps were read".to_owned()));
        };
        let mut reader = self.reader(&REPORT);
        for app in apps {
            match reader.list(&[("appId", app)], Owner::App(app)).await {
                Ok(()) => {}
                Err(Stop::Keep(reason)) => return Err(Stop::Keep(format!("app {app}: {reason}"))),
                Err(stop) => return Err(stop),
            }
        }
        let line = "reports: NPrinting lists only those that are enabled, and enabled for On-Demand";
        self.context.log(Level::Info, line).await?;
        Ok(reader.seen)
    }

    /// Reads the newest execution of each task, if that is wanted; `None` if not.
    pub(super) async fn executions(&self, tasks: &End) -> Result<Option<End>, Failure> {
        if !self.context.settings().newest_executions {
            // What an earlier refresh read while it was wanted goes.
            self.context.catalog().complete(EXECUTION.id).await?;
            return Ok(None);
        }
        let How::Complete(tasks) = &tasks.how else {
            let how = Err(Stop::Keep("the tasks were not read".to_owned()));
            return self.end(&EXECUTION, how, false).await.map(Some);
        };
        let outcome = self.newest(tasks).await;
        match outcome {
            // No task need ever have run: an empty list is no sign of a missing right.
            Ok(ids) if ids.is_empty() => {
                self.context.catalog().complete(EXECUTION.id).await?;
                Ok(Some(End { kind: &EXECUTION, how: How::Complete(ids) }))
            }
            outcome => self.end(&EXECUTION, outcome, false).await.map(Some),
        }
    }

    async fn newest(&self, tasks: &BTreeSet<String>) -> Result<BTreeSet<String>, Stop> {
        let tasks: Vec<_> = tasks.iter().collect();
        let mut seen = BTreeSet::new();
        for (round, some) in tasks.chunks(AT_ONCE).enumerate() {
            let found = try_join_all(some.iter().map(|task| self.newest_of(task))).await?;
            seen.extend(found.into_iter().flatten());
            let done = (round * AT_ONCE + some.len()) as u64;
            self.context.progress(EXECUTION.id, done, Some(tasks.len() as u64)).await?;
        }
        Ok(seen)
    }

    async fn newest_of(&self, task: &str) -> Result<Option<String>, Stop> {
        let response = self.client.newest_execution(task).await?;
        if response.status() == 404 {
            // The task went away meanwhile.
            return Ok(None);
        }
        accept(self.client, &EXECUTION, &response)?;
        let page = Rows::read(&response)?;
        let found = page.items.first().and_then(|row| EXECUTION.object(row, Owner::Task(task)));
        let Some(found) = found else { return Ok(None) };
        let id = found.id.clone();
        self.context.catalog().put(EXECUTION.id, vec![found], response.exchange()).await?;
        Ok(Some(id))
    }
}

/// Reads the lists of one kind.
struct Reader<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
    kind: &'static Kind,
    /// The ids of what was put.
    seen: BTreeSet<String>,
}

impl Reader<'_> {
    /// Reads a list to its end. The next page is fetched while the former is put.
    async fn list(&mut self, query: &[(&str, &str)], owner: Owner<'_>) -> Result<(), Stop> {
        let kind = self.kind;
        let mut response = self.client.page(kind.list, query, 0).await?;
        let mut start = 0;
        let mut total_before = None;
        let mut before = BTreeSet::new();
        let mut steps_back = 0;
        loop {
            if let (404, Owner::App(_)) = (response.status(), owner) {
                // The app went away meanwhile.
                return Ok(());
            }
            accept(self.client, kind, &response)?;
            let page = Rows::read(&response)?;
            let rows = page.items.len() as u64;
            let objects: Vec<_> = page.items.iter().filter_map(|row| kind.object(row, owner)).collect();
            let ids: BTreeSet<_> = objects.iter().map(|object| object.id.clone()).collect();
            let unreadable = rows - objects.len() as u64;
            if unreadable > 0 {
                self.warn(format!("rows without an id were left out: {unreadable}")).await?;
            }
            let end = start + rows;
            let mut next = end;
            // Where rows were deleted meanwhile, the others moved up, perhaps onto pages that were read already: look again.
            let gone = total_before
                .zip(page.total)
                .map_or(0, |(before, now): (u64, u64)| before.saturating_sub(now));
            if gone > 0 && steps_back < STEPS_BACK {
                steps_back += 1;
                next = start.saturating_sub(gone);
            }
            let more = (rows > 0 || next < end) && page.total.is_none_or(|total| next < total);
            // Also on what would be the last page: offset and limit were not obeyed, so the rows behind them were never seen.
            if next == end && !ids.is_empty() && ids.is_subset(&before) {
                return Err(Failure::remote("the list repeats a page, so the rows behind it cannot be read")
                    .remedy("try again; if it lasts, look whether a proxy in front of the server drops the query (offset and limit)")
                    .into());
            }
            if let Some(total) = page.total.filter(|total| !more && *total > end) {
                self.warn(format!("the server counts {total} but shows {end}")).await?;
            }
            total_before = page.total;
            before = if next == end { ids } else { BTreeSet::new() };
            let new: Vec<_> =
                objects.into_iter().filter(|object| self.seen.insert(object.id.clone())).collect();
            let put = self.put(new, response.exchange(), page.total.map(|total| (end, total)));
            if !more {
                return Ok(put.await?);
            }
            start = next;
            ((), response) = try_join(put, self.client.page(kind.list, query, start)).await?;
        }
    }

    async fn put(
        &self,
        objects: Vec<jackfield_plugin::Object>,
        exchange: u64,
        progress: Option<(u64, u64)>,
    ) -> Result<(), Failure> {
        if objects.is_empty() {
            return Ok(());
        }
        self.context.catalog().put(self.kind.id, objects, exchange).await?;
        match progress {
            Some((done, total)) => self.context.progress(self.kind.id, done, Some(total)).await,
            None => Ok(()),
        }
    }

    async fn warn(&self, what: String) -> Result<(), Failure> {
        self.context.log(Level::Warning, format!("{}: {what}", self.kind.plural)).await
    }
}

/// Whether an answer is a page; what is to be done if it is not.
fn accept(client: &Client<'_>, kind: &Kind, response: &Response) -> Result<(), Stop> {
    if response.is_success() {
        return Ok(());
    }
    let refusal = Refusal::of(response);
    if let Some(failure) = refusal.common() {
        return Err(Stop::Fail(failure));
    }
    let summary = refusal.summary();
    match refusal.status {
        401 => Err(Stop::Fail(client.unauthorized(&refusal))),
        403 => Err(Stop::Keep(format!(
            "the server refused ({summary}): the user has no role in NPrinting that may see {}",
            kind.plural
        ))),
        404 if kind.id != APP.id => {
            Err(Stop::Keep(format!("this server does not offer the list ({summary})")))
        }
        _ if kind.id != APP.id => {
            Err(Stop::Keep(format!("this server does not understand the question ({summary})")))
        }
        _ => Err(Stop::Fail(
            refusal
                .failure(
                    Blame::Remote,
                    Stage::Answer,
                    format!("the server does not answer with a list ({summary})"),
                )
                .remedy("check the server URL: it is the address of NPrinting's web console")
                .field(crate::client::ORIGIN),
        )),
    }
}
