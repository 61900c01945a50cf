//! The refresh: every list that the caller may read, at the same time, page by page.
//!
//! A list that is refused keeps its last good objects and says which right is missing. A list that breaks (the network, a
//! failing tenant, a page that cannot be read) ends the whole refresh, and the catalog stays as it was.

mod objects;

use crate::{
    client::{Caller, Client, Cursor, List, Page, Plan, Refusal, list},
    settings::Settings,
};
use jackfield_plugin::{
    Blame, Context, Failure, Response, Stage,
    contract::{hooks::RefreshReport, run::Level},
    futures::future::{try_join, try_join_all},
    sdk::{DescriptionBuilder, End, Stop, Walk, lists::report, nameless},
};
use objects::{KINDS, Kind};

/// Adds the kinds of object to the description.
pub(crate) fn objects(description: DescriptionBuilder) -> DescriptionBuilder {
    description.objects(KINDS.iter().map(|kind| kind.noun))
}

/// Brings the catalog up to date.
pub(crate) async fn run(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
    let client = Client::new(context)?;
    let caller = client.caller().await?;
    context.log(Level::Info, caller.introduction()).await?;
    let refresh = Refresh { context, client: &client, caller: &caller };
    let ends = try_join_all(KINDS.iter().map(|kind| refresh.kind(kind))).await?;
    report(&ends, "the log names the missing right of each list; add what it names")
}

struct Refresh<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
    caller: &'a Caller,
}

impl Refresh<'_> {
    /// Reads one kind and ends it.
    async fn kind(&self, kind: &'static Kind) -> Result<End, Failure> {
        let Some(list) = list(kind.noun.id) else {
            return Err(Failure::plugin(format!("no list is known for the kind \"{}\"", kind.noun.id)));
        };
        let plan = self.caller.plan(list);
        let outcome = match &plan {
            Plan::Skip(reason) => Err(Stop::Keep(reason.clone())),
            plan => self.list(kind, list, *plan == Plan::All).await,
        };
        let outcome = match (outcome, plan, self.caller.doubt(list)) {
            // Too narrow a right shows as rows that are not there, not as a refusal.
            (Ok(0), Plan::Part(lack), _) => Err(Stop::Keep(format!("the tenant showed none, and {lack}"))),
            (Ok(0), Plan::All, Some(doubt)) => Err(Stop::Keep(doubt)),
            (Ok(count), Plan::Part(lack), _) => {
                let line = format!("{}: only those that the tenant shows this caller; {lack}", list.plural);
                // To see what one user sees is what was asked for there.
                let level = if self.client.as_user().is_some() { Level::Info } else { Level::Warning };
                self.context.log(level, line).await?;
                Ok(count)
            }
            (outcome, ..) => outcome,
        };
        if outcome.is_ok() && kind.noun.id == "user" && self.caller.is_tenant_admin() == Some(false) {
            let line = "users: without their roles, which only a Tenant Admin may read";
            self.context.log(Level::Info, line).await?;
        }
        self.context.end(kind.noun, outcome).await
    }

    /// Reads a list to its end; yields how many objects it had. The next page is on its way while the rows of the former
    /// become objects and are put.
    async fn list(&self, kind: &'static Kind, list: &'static List, all: bool) -> Result<u64, Stop> {
        let mut query = list.query.to_vec();
        if all {
            query.extend(list.query_for_all);
        }
        let mut path = list.path;
        let mut response = self.client.page(path, &query).await?;
        if let (404, false, Some(older)) = (response.status(), response.is_web_page(), list.older) {
            path = older;
            response = self.client.page(path, &query).await?;
        }
        let mut walk = Walk::default();
        let (mut count, mut rows, mut rows_before) = (0, 0, 0);
        loop {
            self.accept(list, &response)?;
            let page: Page<'_> = response.page()?;
            let on_page = page.data.len() as u64;
            rows += on_page;
            let next = match (page.next(), list.cursor) {
                (Some(link), _) => {
                    query.clear();
                    Some(self.client.path_of(&link).await?)
                }
                // A page that is shorter than the one before it is the last; the tenant may give less than was asked for.
                (None, Cursor::Skip) if on_page > 0 && on_page >= rows_before => {
                    Some(format!("{path}?skip={rows}"))
                }
                (None, _) => None,
            };
            rows_before = on_page;
            walk.page(kind.ids(&page), next.as_deref()).map_err(|failure| {
                failure.remedy("try again; if it lasts, show Qlik's support the exchange in the log")
            })?;
            let following = async {
                match &next {
                    Some(next) => self.client.page(next, &query).await.map(Some),
                    None => Ok(None),
                }
            };
            let putting = async {
                let objects = kind.objects(&page);
                count += objects.len() as u64;
                let without_id = on_page - objects.len() as u64;
                if without_id > 0 && objects.is_empty() {
                    return Err(nameless(without_id));
                }
                if without_id > 0 {
                    let line = format!("{}: {without_id} rows without an id were left out", list.plural);
                    self.context.log(Level::Warning, line).await?;
                }
                self.put(kind, objects, response.exchange(), count, page.total).await
            };
            // In this order: the request leaves before the rows are looked at.
            match try_join(following, putting).await? {
                (Some(following), ()) => response = following,
                (None, ()) => return Ok(count),
            }
        }
    }

    async fn put(
        &self,
        kind: &Kind,
        objects: Vec<jackfield_plugin::Object>,
        exchange: u64,
        count: u64,
        total: Option<u64>,
    ) -> Result<(), Failure> {
        self.context.catalog().put(kind.noun.id, objects, exchange).await?;
        match total {
            Some(total) => self.context.progress(kind.noun.id, count, Some(total)).await,
            None => Ok(()),
        }
    }

    /// Whether an answer is a page; what is to be done if it is not.
    fn accept(&self, list: &List, response: &Response) -> Result<(), Stop> {
        if response.is_success() {
            return Ok(());
        }
        let refusal = Refusal::of(response);
        if let Some(failure) = refusal.common() {
            return Err(Stop::Fail(failure));
        }
        match refusal.status {
            401 => Err(Stop::Fail(self.client.unauthorized(&refusal, self.caller.key.as_ref()))),
            403 => Err(Stop::Keep(self.caller.explain(list, &refusal).with_remedy())),
            // To callers without the right, a list of a whole tenant is a question that lacks the app.
            400 if list.needs_tenant_admin() => {
                Err(Stop::Keep(self.caller.explain(list, &refusal).with_remedy()))
            }
            404 if !list.essential => {
                Err(Stop::Keep(format!("this tenant does not offer the list ({})", refusal.with_trace())))
            }
            _ if !list.essential => Err(Stop::Keep(format!(
                "the tenant does not understand the question ({})",
                refusal.with_trace()
            ))),
            _ => Err(Stop::Fail(
                refusal
                    .failure(
                        Blame::Remote,
                        Stage::Answer,
                        format!("the tenant does not answer with a list ({})", refusal.summary()),
                    )
                    .remedy("check that the tenant URL leads straight to the tenant"),
            )),
        }
    }
}
