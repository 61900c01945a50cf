//! Retrying: whether to try again, and when.
//!
//! Nothing is repeated that could do a thing twice, unless the plugin says that it does no harm, or the remote system says
//! that it did nothing (429). Waits grow, are spread at random so that many hosts do not come back at the same moment, and
//! obey `Retry-After`. A 429 closes the gate for *all* requests of the client: what is full is the tier, not the one request.
//! While it is closed for longer than is waited for, they fail without being sent.

use super::{
    answer::Answer,
    failure::{Trouble, seconds},
    limits::Limits,
    prepare::Prepared,
};
use jackfield_plugin::contract::Failure;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_OWN_WAIT: Duration = Duration::from_secs(30);
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const TOO_MANY_REQUESTS: u16 = 429;

/// What to do after an attempt.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Try again after this time.
    pub(super) again: Option<Duration>,
    /// No request of the client is to be sent for this time.
    pub(super) hold: Option<Duration>,
    /// The remote system asked for a wait that is too long to be waited for.
    pub(super) too_long: Option<Duration>,
}

/// Decides after an attempt (counted from 1).
pub(super) fn judge(
    outcome: &Result<Answer, Trouble>,
    attempt: u32,
    prepared: &Prepared,
    limits: &Limits,
) -> Verdict {
    let more = attempt < limits.max_attempts;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(trouble) => {
            let again = (more && trouble.passing && prepared.repeatable).then(|| own_wait(attempt));
            return Verdict { again, ..Verdict::default() };
        }
    };
    let full = answer.status == TOO_MANY_REQUESTS;
    let listed = match &prepared.request.retry_on {
        Some(statuses) => statuses.contains(&answer.status),
        None => matches!(answer.status, 502..=504),
    };
    let again = full || (listed && prepared.repeatable);
    if !again {
        return Verdict::default();
    }
    let asked = retry_after(&answer.headers, SystemTime::now());
    if let Some(asked) = asked.filter(|asked| *asked > limits.max_retry_wait) {
        return Verdict { too_long: Some(asked), hold: full.then_some(asked), again: None };
    }
    let wait = asked.unwrap_or_else(|| own_wait(attempt)).min(limits.max_retry_wait);
    Verdict { again: more.then_some(wait), hold: full.then_some(wait), too_long: None }
}

/// Between nothing and 1 s, 2 s, 4 s, … 30 s.
fn own_wait(attempt: u32) -> Duration {
    let ceiling = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_OWN_WAIT);
    ceiling.mul_f64(fastrand::f64())
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn not_sent(left: Duration, longest: Duration) -> Failure {
    // Whole seconds: more would be noise.
    let left = Duration::from_secs(left.as_secs_f64().ceil() as u64);
    Failure::remote(format!(
        "not sent, because the remote system has just answered 429 and asked for no more requests for {}, longer than the {} that are waited for",
        seconds(left),
        seconds(longest)
    ))
    .remedy("try again later")
    .status(TOO_MANY_REQUESTS)
}

/// Holds all requests of a client until a moment.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Option<Instant>>);

impl Gate {
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes it for a time; never opens it earlier than it would.
    pub(super) fn close_for(&self, time: Duration) {
        let now = Instant::now();
        let end = now.checked_add(time).unwrap_or_else(|| now + A_YEAR);
        let mut until = self.until();
        *until = Some(until.map_or(end, |until| until.max(end)));
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.until().is_none_or(|until| until <= Instant::now())
    }

    /// Waits until it is open, or fails at once if it stays closed for longer than `longest`.
    pub(super) async fn opened(&self, longest: Duration) -> Result<(), Failure> {
        loop {
            let until = *self.until();
            let Some(until) = until else { return Ok(()) };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            if left > longest {
                return Err(not_sent(left, longest));
            }
            tokio::time::sleep_until(until).await;
        }
    }
}
