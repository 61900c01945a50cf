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
    Blame, Context, Failure, Stage,
    contract::{hooks::RefreshReport, run::Level},
    futures::future::{try_join, try_join3, try_join4},
    sdk::DescriptionBuilder,
};
use objects::{APP, CONNECTION, FILTER, GROUP, KINDS, Kind, REPORT, ROLE, TASK, USER};
use std::collections::BTreeSet;

/// Adds the kinds of object to the description.
pub(crate) fn objects(description: DescriptionBuilder) -> DescriptionBuilder {
    KINDS
        .iter()
        .fold(description, |description, kind| description.object(kind.id, kind.singular, kind.plural))
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
    let blind = matches!(apps.how, How::Kept(_));
    let whole = |kind: &'static Kind, blind| {
        let refresh = &refresh;
        async move { refresh.end(kind, refresh.whole(kind).await, blind).await }
    };
    let reports = async { refresh.end(&REPORT, refresh.reports(&apps).await, blind).await };
    let tasks = async {
        let tasks = refresh.end(&TASK, refresh.whole(&TASK).await, blind).await?;
        let executions = refresh.executions(&tasks).await?;
        Ok::<_, Failure>((tasks, executions))
    };
    let of_apps = try_join4(whole(&CONNECTION, blind), whole(&FILTER, blind), reports, tasks);
    let of_people = try_join3(whole(&USER, false), whole(&GROUP, false), whole(&ROLE, false));
    let ((connections, filters, reports, (tasks, executions)), (users, groups, roles)) =
        try_join(of_apps, of_people).await?;
    let ends = [Some(apps), Some(connections), Some(filters), Some(reports), Some(tasks), executions];
    let ends: Vec<_> = ends.into_iter().flatten().chain([users, groups, roles]).collect();
    if ends.iter().all(|end| matches!(end.how, How::Kept(_))) {
        return Err(nothing(&ends));
    }
    Ok(RefreshReport { summary: summary(&ends) })
}

/// How a kind ended.
struct End {
    kind: &'static Kind,
    how: How,
}

enum How {
    /// It was read; these are the ids.
    Complete(BTreeSet<String>),
    /// It keeps what it had, for this reason.
    Kept(String),
}

struct Refresh<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
    caller: &'a Caller,
}

/// Why a list could not be read to its end.
enum Stop {
    /// The kind keeps what it had, for this reason.
    Keep(String),
    /// The refresh is over.
    Fail(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Fail(failure)
    }
}

impl Refresh<'_> {
    /// Ends a kind that was read, or was not. If it was read `blind`, an empty list means nothing.
    async fn end(
        &self,
        kind: &'static Kind,
        outcome: Result<BTreeSet<String>, Stop>,
        blind: bool,
    ) -> Result<End, Failure> {
        let how = match outcome {
            Ok(ids) if !ids.is_empty() || self.caller.sees_all == Some(true) => How::Complete(ids),
            Ok(_) if kind.always => How::Kept(format!(
                "the server showed none; the user \"{}\" may lack the right to see them",
                self.caller.name
            )),
            Ok(_) if blind => How::Kept("the server showed none, and no apps were read".to_owned()),
            Ok(ids) => {
                let line = format!(
                    "{}: the server showed none; if there are some, the user \"{}\" lacks the right to see them",
                    kind.plural, self.caller.name
                );
                self.context.log(Level::Warning, line).await?;
                How::Complete(ids)
            }
            Err(Stop::Keep(reason)) => How::Kept(reason),
            Err(Stop::Fail(failure)) if failure.cancelled => return Err(failure),
            Err(Stop::Fail(failure)) => return Err(failure.context(kind.plural)),
        };
        match &how {
            How::Complete(_) => self.context.catalog().complete(kind.id).await?,
            How::Kept(reason) => {
                self.context.log(Level::Warning, format!("{} skipped: {reason}", kind.plural)).await?;
                self.context.catalog().kept(kind.id, reason).await?;
            }
        }
        Ok(End { kind, how })
    }
}

/// The failure of a refresh in which nothing could be read: it is no success to have skipped everything.
fn nothing(ends: &[End]) -> Failure {
    let first = ends.iter().find_map(|end| match &end.how {
        How::Kept(reason) => Some(format!("{}: {reason}", end.kind.plural)),
        How::Complete(_) => None,
    });
    Failure::new(Blame::Credential, format!("nothing could be read; {}", first.unwrap_or_default()))
        .at(Stage::Permission)
        .remedy(
            "give the user in NPrinting the role Administrator, or a role that may see what is to be read",
        )
}

fn summary(ends: &[End]) -> String {
    let mut read = Vec::new();
    let mut skipped = Vec::new();
    for end in ends {
        match &end.how {
            How::Complete(ids) => {
                let word = if ids.len() == 1 { end.kind.singular } else { end.kind.plural };
                read.push(format!("{} {word}", ids.len()));
            }
            How::Kept(_) => skipped.push(end.kind.plural),
        }
    }
    let mut summary = format!("read {}", read.join(", "));
    if !skipped.is_empty() {
        summary.push_str(&format!("; skipped {}", skipped.join(", ")));
    }
    summary
}
