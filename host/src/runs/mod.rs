//! Runs: from a request to an ending.
//!
//! Every door asks in the same way: [`request`] inserts a row. A [`driver`] leases the row, keeps the lease alive, watches
//! for a cancel and for the time limit, and records the ending; [`run`] does the work from top to bottom. Because the row
//! is the truth and the lease can be taken over, a restart needs no path of its own: [`sweep`], called at every start,
//! finds what lost its driver.
//!
//! While a plugin's hook runs, its calls arrive in [`capabilities`]; the secrets are lent at the [`desk`], objects are
//! staged in [`catalog`], and [`log`] writes what happened for a person.

pub mod brake;
pub mod capabilities;
pub mod catalog;
pub mod desk;
pub mod driver;
mod execution;
pub mod log;
pub mod notice;
pub mod orders;
pub mod outcome;
pub mod request;
mod rotate;
mod rotation_hooks;
pub mod run;
pub mod totals;

use crate::{
    app::App,
    model::{
        connection::Connection,
        run::{Hook, Run, RunState},
        text::shell_word,
    },
    store,
};
use jackfield_plugin::contract::Failure;

/// How long a dead draft is kept, in milliseconds: a day.
const DRAFT_LIFE: i64 = 24 * 60 * 60 * 1000;

/// Rows of abandoned catalog generations that one start removes at most, so that it stays quick.
const GARBAGE_AT_START: u64 = 20_000;

/// Takes care of what earlier processes left: runs whose lease has ended, drafts nobody came back to, staged rows.
///
/// # Errors
/// The store failed.
pub async fn sweep(app: &App) -> Result<(), Failure> {
    for run in app.store.expired_runs().await? {
        settle(app, &run).await?;
    }
    let now = app.store.now().await?;
    for draft in app.store.drafts_older_than(now - DRAFT_LIFE).await? {
        forget(app, &draft).await?;
    }
    app.store.collect_garbage(GARBAGE_AT_START).await?;
    Ok(())
}

/// A run whose driver is gone is queued again if its hook may be taken up again, and failed otherwise.
async fn settle(app: &App, run: &Run) -> Result<(), Failure> {
    if run.cancel_requested {
        // Which cancels it, because somebody has asked for that.
        app.store.requeue_run(run).await?;
    } else if run.attempt < run.hook.attempts() && app.store.requeue_run(run).await? {
        let name = shell_word(&run.connection_name);
        let again = match run.hook {
            Hook::Rotate => "jackfield credential renew --due".to_owned(),
            hook => format!("jackfield connection {} {name}", hook.as_str()),
        };
        tracing::warn!(run = %run.id, connection = %run.connection_name, "an interrupted {} is queued again; `{again}` takes it up", run.hook.as_str());
    } else {
        let owner = run.owner.as_deref().unwrap_or("unknown");
        let failure = Failure::jackfield(format!(
            "the {} was interrupted: its driver ({owner}) ended or lost its lease",
            run.hook.as_str()
        ))
        .remedy("nothing was changed; run it again");
        app.store.fail_expired_run(run, &failure).await?;
    }
    Ok(())
}

/// Deletes a draft. A test that was asked for and never taken up is cancelled first: it would keep the draft for ever.
async fn forget(app: &App, draft: &Connection) -> Result<(), Failure> {
    match app.store.delete_connection(&draft.id).await {
        Err(store::Error::RunActive { run }) if run.state == RunState::Queued => {
            app.store.request_cancel(&run.id).await?;
            Ok(app.store.delete_connection(&draft.id).await?)
        }
        // A test that is still going on has its own end; the next start looks again.
        Err(store::Error::RunActive { .. }) => Ok(()),
        other => Ok(other?),
    }
}
