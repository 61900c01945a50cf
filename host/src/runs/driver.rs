//! The driver: leases a run, keeps the lease while the work goes on, and records the ending.
//!
//! It knows nothing of what the work is; what ends the work early pulls the [brake](super::brake).

use super::{
    brake::{Brake, Reason, limit},
    orders::Orders,
    request,
    run::{self, Outcome},
};
use crate::{
    app::App,
    model::{id::RunId, run::Run},
    store::{Beat, Lease},
};
use jackfield_plugin::contract::Failure;
use std::{path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long a lease lasts without a heartbeat.
pub const LEASE: Duration = Duration::from_secs(15);

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
            false => request::under_way(&run),
        });
    };
    let run = stored(app, id).await?;
    let brake = Brake::default();
    let watching = tokio::spawn(watch(
        app.clone(),
        lease.clone(),
        orders.cancel.clone(),
        limit(app, run.hook),
        brake.clone(),
    ));
    let outcome = run::run(app, &run, &lease, orders, &brake).await;
    watching.abort();
    if let Outcome::Ended(ending) = outcome
        && !app.store.finish_run(&lease, &ending).await?
    {
        tracing::warn!(run = %id, "the run was taken over by another process; its own ending stands");
    }
    for log in app.store.prune_runs(app.config.run.keep).await? {
        remove(&app.config.logs().join(log));
    }
    stored(app, id).await
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

/// Keeps the lease and looks for reasons to end the run.
async fn watch(app: App, lease: Lease, cancel: CancellationToken, limit: Duration, brake: Brake) {
    let mut beat = tokio::time::interval(HEARTBEAT);
    let mut look = tokio::time::interval(LOOK);
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let mut renewed = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return brake.pull(Reason::Cancelled),
            () = &mut deadline => return brake.pull(Reason::TimeLimit),
            _ = look.tick() => match app.store.run(&lease.run).await {
                Ok(Some(run)) if run.attempt == lease.attempt && !run.state.is_final() => {
                    if run.cancel_requested {
                        return brake.pull(Reason::Cancelled);
                    }
                }
                Ok(_) => return brake.pull(Reason::LeaseLost),
                Err(error) => tracing::warn!(run = %lease.run, %error, "the run cannot be read"),
            },
            _ = beat.tick() => match app.store.heartbeat(&lease, LEASE).await {
                Ok(Beat::Held) => renewed = tokio::time::Instant::now(),
                Ok(Beat::CancelRequested) => return brake.pull(Reason::Cancelled),
                Ok(Beat::Lost) => return brake.pull(Reason::LeaseLost),
                // Work without a lease would be work against whoever has taken over.
                Err(error) if renewed.elapsed() > LEASE => {
                    tracing::error!(run = %lease.run, %error, "the lease could not be renewed in time");
                    return brake.pull(Reason::LeaseLost);
                }
                Err(error) => tracing::warn!(run = %lease.run, %error, "the lease could not be renewed yet"),
            },
        }
    }
}
