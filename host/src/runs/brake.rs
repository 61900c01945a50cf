//! The brake: whatever ends a run before its time (a person, the time limit, a lost lease) comes through one token, with
//! the reason beside it.

use super::outcome::Outcome;
use crate::{
    app::App,
    model::run::{Ending, Hook},
};
use jackfield_plugin::contract::{Blame, Failure};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Why a run is ended before its time.
#[derive(Debug, PartialEq)]
pub(super) enum Reason {
    Cancelled,
    TimeLimit,
    /// Somebody has taken over, or may by now because the lease could not be renewed, for this reason.
    LeaseLost(Option<Failure>),
}

/// Ends the work, and remembers why. The first reason counts.
#[derive(Clone, Default)]
pub struct Brake {
    /// Fires when the work is to end.
    pub token: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
    waits: Arc<AtomicUsize>,
}

/// The plugin waits for something outside of it until this is dropped.
pub struct Waits(Arc<AtomicUsize>);

impl Brake {
    pub(super) fn pull(&self, reason: Reason) {
        // A second reason changes nothing.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Notes that the plugin waits for the remote system, or for time to pass; so it is not at fault if that takes too long.
    pub fn waits(&self) -> Waits {
        self.waits.fetch_add(1, Ordering::Relaxed);
        Waits(self.waits.clone())
    }

    /// Waits until the work is to end; answers how the run ends by that.
    pub async fn pulled(&self, app: &App, hook: Hook) -> Outcome {
        self.token.cancelled().await;
        match self.reason.get() {
            Some(Reason::TimeLimit) => {
                let waits = self.waits.load(Ordering::Relaxed) > 0;
                let blame = if waits { Blame::Remote } else { Blame::Plugin };
                Outcome::Ended(Ending::Failed(too_slow(app, hook, blame), None))
            }
            // Whoever has taken over records its own ending.
            Some(Reason::LeaseLost(why)) => {
                let taken = || Failure::jackfield("the run was taken over by another process");
                let failure = why.clone().unwrap_or_else(taken);
                Outcome::Recorded(Ending::Failed(failure, None))
            }
            Some(Reason::Cancelled) | None => Outcome::Ended(Ending::Cancelled),
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a run of a hook may take.
pub(super) fn limit(app: &App, hook: Hook) -> Duration {
    Duration::from_secs(match hook {
        Hook::Test => app.config.run.test_limit_seconds,
        Hook::Refresh => app.config.run.refresh_limit_seconds,
        Hook::Rotate => app.config.run.rotation_limit_seconds,
    })
}

fn too_slow(app: &App, hook: Hook, blame: Blame) -> Failure {
    let key = match hook {
        Hook::Test => "run.test_limit_seconds",
        Hook::Refresh => "run.refresh_limit_seconds",
        Hook::Rotate => "run.rotation_limit_seconds",
    };
    let limit = limit(app, hook).as_secs();
    Failure::new(blame, format!("the {} did not end within its limit of {limit} s", hook.as_str()))
        .remedy(format!("the log shows what took so long; {key} sets the limit"))
}
