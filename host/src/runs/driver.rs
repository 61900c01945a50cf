//! The driver: leases a run, keeps the lease while the work goes on, and records the ending.
//!
//! It knows nothing of what the work is; what ends the work early pulls the [brake](super::brake).

use super::{
    brake::{Brake, Reason, limit},
    orders::Orders,
    outcome::{LEASE, Outcome, patiently},
    run,
};
use crate::{
    app::{App, under_way},
    model::{
        id::RunId,
        run::{Ending, Hook, Run},
    },
    store::{Beat, Lease},
};
use jackfield_plugin::contract::Failure;
use std::{path::Path, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often the lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often a cancel from another process is looked for. A cancel must work within a second.
const LOOK: Duration = Duration::from_millis(300);

/// Drives a run to its end.
///
/// # Errors
/// It cannot be taken up (somebody else has it), or the store failed. That the run itself failed is no error here: it
/// stands in the run.
pub async fn drive(app: &App, id: &RunId, orders: &Orders) -> Result<Run, Failure> {
    let Some(lease) = app.store.claim_run(id, &app.owner, LEASE).await? else {
        let run = stored(app, id).await?;
        return Err(match run.state.is_final() {
            true => Failure::you(format!("run {id} cannot be taken up: it is not waiting any more")),
            // Two who asked at once are given one run, and the other was quicker to take it up.
            false => under_way(&run),
        });
    };
    let run = stored(app, id).await?;
    let brake = Brake::default();
    // What is under way on the remote side is not left there for somebody else to find out about.
    let cancel = if run.hook == Hook::Rotate { CancellationToken::new() } else { orders.cancel.clone() };
    let watching =
        tokio::spawn(watch(app.clone(), lease.clone(), cancel, limit(app, run.hook), brake.clone()));
    let outcome = run::run(app, &run, &lease, orders, &brake).await;
    watching.abort();
    if let Outcome::Ended(ending) = &outcome
        && !patiently(async || app.store.finish_run(&lease, ending).await).await?
    {
        tracing::warn!(run = %id, "the run was taken over by another process; its own ending stands");
    }
    match app.store.prune_runs(app.config.run.keep).await {
        Ok(logs) => logs.iter().for_each(|log| remove(&app.config.logs().join(log))),
        // The run has its ending all the same, and the next one prunes as well.
        Err(error) => tracing::warn!(%error, "old runs could not be forgotten yet"),
    }
    let run = stored(app, id).await?;
    match outcome {
        // Nothing could be recorded, and nobody has taken over yet.
        Outcome::Recorded(Ending::Failed(failure, _)) if run.failure.is_none() => Err(failure),
        _ => Ok(run),
    }
}

/// Removes the log of a run that nobody remembers any more.
fn remove(log: &Path) {
    match std::fs::remove_file(log) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(log = %log.display(), %error, "the log of a forgotten run could not be removed");
        }
        _ => {}
    }
}

async fn stored(app: &App, id: &RunId) -> Result<Run, Failure> {
    app.store.run(id).await?.ok_or_else(|| Failure::jackfield(format!("run {id} is no longer in the store")))
}

/// Keeps the lease and looks for reasons to end the run. Each has a watch of its own: a database that is locked makes the
/// lease's renewal wait, and nothing else may wait for that.
async fn watch(app: App, lease: Lease, cancel: CancellationToken, limit: Duration, brake: Brake) {
    let reason = tokio::select! {
        () = cancel.cancelled() => Reason::Cancelled,
        () = tokio::time::sleep(limit) => Reason::TimeLimit,
        reason = look(&app, &lease) => reason,
        reason = renew(&app, &lease) => reason,
    };
    brake.pull(reason);
}

/// Looks for a cancel from another process, and for one that has taken over.
async fn look(app: &App, lease: &Lease) -> Reason {
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        match app.store.run(&lease.run).await {
            Ok(Some(run)) if run.attempt == lease.attempt && !run.state.is_final() => {
                if run.cancel_requested && run.hook != Hook::Rotate {
                    return Reason::Cancelled;
                }
            }
            Ok(_) => return Reason::LeaseLost(None),
            Err(error) => tracing::warn!(run = %lease.run, %error, "the run cannot be read"),
        }
    }
}

/// Renews the lease until that fails for too long: work without a lease would be work against whoever has taken over.
async fn renew(app: &App, lease: &Lease) -> Reason {
    let mut beat = tokio::time::interval(HEARTBEAT);
    let mut renewed = Instant::now();
    let mut why = None;
    loop {
        beat.tick().await;
        let asked = Instant::now();
        match tokio::time::timeout_at(renewed + LEASE, app.store.heartbeat(lease, LEASE)).await {
            // A cancel is looked for where it can be told whether the run may be cancelled.
            Ok(Ok(Beat::Held | Beat::CancelRequested)) => (renewed, why) = (asked, None),
            Ok(Ok(Beat::Lost)) => return Reason::LeaseLost(None),
            Ok(Err(error)) => {
                tracing::warn!(run = %lease.run, %error, "the lease could not be renewed yet");
                why = Some(Failure::from(error));
            }
            Err(_) => {
                tracing::error!(run = %lease.run, "the lease could not be renewed in time");
                return Reason::LeaseLost(why);
            }
        }
    }
}
