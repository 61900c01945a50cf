//! The refresh: the apps first, then everything else that the caller may see, page by page.
//!
//! A list that is refused keeps its last good objects and says why, and so does one that is empty although no server is without:
//! what a user may not see is missing without a word. A list that breaks (the network, a failing server, a page that cannot
//! be read) ends the whole refresh, and the catalog stays as it was.

mod lists;
mod objects;

use crate::{
    client::{Caller, Client},
    settings::Settings,
};
use jackfield_plugin::{
    Context, Failure,
    contract::{hooks::RefreshReport, run::Level},
    futures::future::{try_join, try_join3, try_join4},
    sdk::{DescriptionBuilder, End, Stop, lists::report},
};
use objects::{APP, CONNECTION, FILTER, GROUP, KINDS, Kind, REPORT, ROLE, TASK, USER};
use std::collections::BTreeSet;

/// Adds the kinds of object to the description.
pub(crate) fn objects(description: DescriptionBuilder) -> DescriptionBuilder {
    description.objects(KINDS.iter().map(|kind| kind.noun))
}

/// Brings the catalog up to date.
pub(crate) async fn run(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
    let client = Client::new(context)?;
    let apps = lists::apps(context, &client).await?;
    let caller = client.caller().await?;
    context.log(Level::Info, caller.introduction()).await?;
    let refresh = Refresh { context, client: &client, caller: &caller };
    let apps = refresh.end(&APP, apps, false).await?;
    // Without an app to be seen, nothing that belongs to one can be.
    let blind = apps.ids.is_none();
    let whole = |kind: &'static Kind, blind| {
        let refresh = &refresh;
        async move { refresh.end(kind, refresh.whole(kind).await, blind).await }
    };
    let reports = async { refresh.end(&REPORT, refresh.reports(apps.ids.as_ref()).await, blind).await };
    let tasks = async {
        let tasks = refresh.end(&TASK, refresh.whole(&TASK).await, blind).await?;
        let executions = refresh.executions(tasks.ids.as_ref()).await?;
        Ok::<_, Failure>((tasks, executions))
    };
    let of_apps = try_join4(whole(&CONNECTION, blind), whole(&FILTER, blind), reports, tasks);
    let of_people = try_join3(whole(&USER, false), whole(&GROUP, false), whole(&ROLE, false));
    let ((connections, filters, reports, (tasks, executions)), (users, groups, roles)) =
        try_join(of_apps, of_people).await?;
    let ends = [Some(apps), Some(connections), Some(filters), Some(reports), Some(tasks), executions];
    let ends: Vec<_> =
        ends.into_iter().flatten().chain([users, groups, roles]).map(|ended| ended.end).collect();
    report(
        &ends,
        "give the user in NPrinting the role Administrator, or a role that may see what is to be read",
    )
}

/// The ids of the objects of a kind.
type Ids = BTreeSet<String>;

/// A kind that has ended, with the ids of its objects if it was read.
struct Ended {
    end: End,
    ids: Option<Ids>,
}

struct Refresh<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
    caller: &'a Caller,
}

impl Refresh<'_> {
    /// Ends a kind that was read, or was not. If it was read `blind`, an empty list means nothing.
    async fn end(
        &self,
        kind: &'static Kind,
        outcome: Result<Ids, Stop>,
        blind: bool,
    ) -> Result<Ended, Failure> {
        let empty = matches!(&outcome, Ok(ids) if ids.is_empty()) && self.caller.sees_all != Some(true);
        if !empty {
            return self.end_as_read(kind, outcome).await;
        }
        let (name, plural) = (&self.caller.name, kind.noun.plural);
        let outcome = if kind.always {
            Err(Stop::Keep(format!(
                "the server showed none; the user \"{name}\" may lack the right to see them"
            )))
        } else if blind {
            Err(Stop::Keep("the server showed none, and no apps were read".to_owned()))
        } else {
            let line = format!(
                "{plural}: the server showed none; if there are some, the user \"{name}\" lacks the right to see them"
            );
            self.context.log(Level::Warning, line).await?;
            outcome
        };
        self.end_as_read(kind, outcome).await
    }

    /// Ends a kind, believing what was read.
    async fn end_as_read(&self, kind: &'static Kind, outcome: Result<Ids, Stop>) -> Result<Ended, Failure> {
        let count = outcome.as_ref().map(|ids| ids.len() as u64).map_err(Stop::clone);
        let end = self.context.end(kind.noun, count).await?;
        Ok(Ended { end, ids: outcome.ok() })
    }
}
