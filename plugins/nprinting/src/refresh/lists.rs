//! Reading lists to their ends.

use super::{
    Ended, Ids, Refresh,
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
    sdk::{Stop, Walk, nameless},
};

/// How many tasks are asked at the same time for their newest execution.
const AT_ONCE: usize = 4;
/// How often a list is stepped back in, before a server whose counts go up and down is no longer followed.
const STEPS_BACK: u32 = 8;

/// Reads the apps: the first list, which also proves that the server takes the token.
pub(super) async fn apps(
    context: &Context<Settings>,
    client: &Client<'_>,
) -> Result<Result<Ids, Stop>, Failure> {
    let mut reader = Reader { context, client, kind: &APP, seen: Ids::new() };
    match reader.list(&[], Owner::Row).await {
        Ok(_) => Ok(Ok(reader.seen)),
        Err(Stop::Fail(failure)) if failure.cancelled || is_before_any_answer(&failure) => Err(failure),
        // At once: whatever is asked next may fail too, and with less to say.
        Err(Stop::Fail(failure)) => Err(failure.context(APP.noun.plural)),
        Err(stop) => Ok(Err(stop)),
    }
}

/// It says nothing of the list that was asked for: nothing could be asked.
fn is_before_any_answer(failure: &Failure) -> bool {
    matches!(failure.stage, Some(Stage::Name | Stage::Connect | Stage::Tls | Stage::SignIn))
}

impl Refresh<'_> {
    fn reader(&self, kind: &'static Kind) -> Reader<'_> {
        Reader { context: self.context, client: self.client, kind, seen: Ids::new() }
    }

    /// Reads the list of a kind, all parts of it; yields the ids.
    pub(super) async fn whole(&self, kind: &'static Kind) -> Result<Ids, Stop> {
        let mut reader = self.reader(kind);
        for part in kind.list.parts {
            reader.list(part, Owner::Row).await?;
        }
        Ok(reader.seen)
    }

    /// Reads the reports of one app after the other, because a report does not say to which it belongs.
    pub(super) async fn reports(&self, apps: Option<&Ids>) -> Result<Ids, Stop> {
        let Some(apps) = apps else {
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
    pub(super) async fn executions(&self, tasks: Option<&Ids>) -> Result<Option<Ended>, Failure> {
        if !self.context.settings().newest_executions {
            // What an earlier refresh read while it was wanted goes.
            self.context.catalog().complete(EXECUTION.noun.id).await?;
            return Ok(None);
        }
        let outcome = match tasks {
            Some(tasks) => self.newest(tasks).await,
            None => Err(Stop::Keep("the tasks were not read".to_owned())),
        };
        // No task need ever have run: an empty list is no sign of a missing right.
        self.end_as_read(&EXECUTION, outcome).await.map(Some)
    }

    async fn newest(&self, tasks: &Ids) -> Result<Ids, Stop> {
        let tasks: Vec<_> = tasks.iter().collect();
        let mut seen = Ids::new();
        for (round, some) in tasks.chunks(AT_ONCE).enumerate() {
            let found = try_join_all(some.iter().map(|task| self.newest_of(task))).await?;
            seen.extend(found.into_iter().flatten());
            let done = (round * AT_ONCE + some.len()) as u64;
            self.context.progress(EXECUTION.noun.id, done, Some(tasks.len() as u64)).await?;
        }
        Ok(seen)
    }

    async fn newest_of(&self, task: &str) -> Result<Option<String>, Stop> {
        let response = self.client.newest_execution(task).await?;
        if response.status() == 404 && !response.is_web_page() {
            // The task went away meanwhile.
            return Ok(None);
        }
        accept(self.client, &EXECUTION, &response)?;
        let page = Rows::read(&response)?;
        let found = page.items.first().and_then(|row| EXECUTION.object(row, Owner::Task(task)));
        let Some(found) = found else { return Ok(None) };
        let id = found.id.clone();
        self.context.catalog().put(EXECUTION.noun.id, vec![found], response.exchange()).await?;
        Ok(Some(id))
    }
}

/// Reads the lists of one kind.
struct Reader<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
    kind: &'static Kind,
    /// The ids of what was put.
    seen: Ids,
}

impl Reader<'_> {
    /// Reads a list to its end. The next page is on its way while the rows of the former become objects and are put.
    async fn list(&mut self, query: &[(&str, &str)], owner: Owner<'_>) -> Result<(), Stop> {
        let (client, kind) = (self.client, self.kind);
        let mut response = client.page(kind.list, query, 0).await?;
        let mut start = 0;
        let mut total_before = None;
        let mut walk = Walk::default();
        let mut steps_back = 0;
        loop {
            if let (404, false, Owner::App(_)) = (response.status(), response.is_web_page(), owner) {
                // The app went away meanwhile.
                return Ok(());
            }
            accept(client, kind, &response)?;
            let page = Rows::read(&response)?;
            let rows = page.items.len() as u64;
            let end = start + rows;
            let mut next = end;
            // Where rows were deleted meanwhile, the others moved up, perhaps onto pages that were read already: look again.
            let gone = total_before
                .zip(page.total)
                .map_or(0, |(before, now): (u64, u64)| before.saturating_sub(now));
            if gone > 0 && steps_back < STEPS_BACK {
                steps_back += 1;
                next = start.saturating_sub(gone);
                walk = Walk::default();
            }
            let more = (rows > 0 || next < end) && page.total.is_none_or(|total| next < total);
            if let Some(total) = page.total.filter(|total| !more && *total > end) {
                self.warn(format!("the server counts {total} but shows {end}")).await?;
            }
            total_before = page.total;
            // Also of what would be the last page: offset and limit were not obeyed, so the rows behind them were never seen.
            let goes_on = (rows > 0 && next == end).then_some(next);
            walk.page(page.items.iter().filter_map(|row| row.text("id")), goes_on).map_err(|failure| {
                failure.remedy("try again; if it lasts, look whether a proxy in front of the server drops the query (offset and limit)")
            })?;
            let following = async {
                match more {
                    true => client.page(kind.list, query, next).await.map(Some),
                    false => Ok(None),
                }
            };
            // In this order: the request leaves before the rows are looked at.
            let putting = self.take(&page, owner, response.exchange(), goes_on);
            match try_join(following, putting).await? {
                (Some(following), ()) => response = following,
                (None, ()) => return Ok(()),
            }
            start = next;
        }
    }

    /// Makes objects of the rows of a page and puts those that are new. `next` is where the list goes on, if it was not
    /// stepped back in.
    async fn take(
        &mut self,
        page: &Rows<'_>,
        owner: Owner<'_>,
        exchange: u64,
        next: Option<u64>,
    ) -> Result<(), Failure> {
        let id = self.kind.noun.id;
        let mut objects: Vec<_> = page.items.iter().filter_map(|row| self.kind.object(row, owner)).collect();
        let without_id = page.items.len() - objects.len();
        if without_id > 0 && objects.is_empty() {
            return Err(nameless(without_id as u64));
        }
        if without_id > 0 {
            self.warn(format!("rows without an id were left out: {without_id}")).await?;
        }
        objects.retain(|object| self.seen.insert(object.id.clone()));
        if objects.is_empty() {
            return Ok(());
        }
        self.context.catalog().put(id, objects, exchange).await?;
        match (next, page.total, owner) {
            (Some(done), Some(total), Owner::Row) if self.kind.list.parts.len() == 1 => {
                self.context.progress(id, done, Some(total)).await
            }
            // The total is that of one list of several.
            _ => self.context.progress(id, self.seen.len() as u64, None).await,
        }
    }

    async fn warn(&self, what: String) -> Result<(), Failure> {
        self.context.log(Level::Warning, format!("{}: {what}", self.kind.noun.plural)).await
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
            kind.noun.plural
        ))),
        404 if kind.noun.id != APP.noun.id => {
            Err(Stop::Keep(format!("this server does not offer the list ({summary})")))
        }
        _ if kind.noun.id != APP.noun.id => {
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
