//! The rate limiter: budgets per tier and user (and per tier for the tenant), counted over five minutes, so that a burst
//! may spend five minutes' worth at once. An exhausted tier is closed until the window ends; other tiers stay open.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::qlik_cloud::config::Limits;

/// Operations with a budget of their own: method, path (`*` is one segment), requests a minute.
const SPECIAL: &[(&str, &str, u32)] = &[
    ("POST", "/api/v1/reloads", 50),
    ("POST", "/api/v1/reloads/*/actions/cancel", 50),
    ("POST", "/api/v1/reports", 10),
    ("GET", "/api/v1/audits", 1000),
    ("POST", "/api/v1/users/actions/filter", 200),
    ("POST", "/api/v1/groups/actions/filter", 200),
    ("GET", "/api/v1/lineage-graphs/nodes/*", 20),
    ("*", "/api/v1/tasks", 600),
    ("*", "/api/v1/tasks/*", 600),
    ("PUT", "/api/v1/data-files/*", 800),
];
const TIER_1: (&str, u32) = ("tier 1", 1000);
const TIER_2: (&str, u32) = ("tier 2", 100);
/// Over how many minutes the real system counts.
const MINUTES: f64 = 5.0;

/// Counts.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: Limits,
    users: u64,
    windows: Mutex<HashMap<(&'static str, String), Window>>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    used: u64,
}

impl Limiter {
    /// A limiter for a tenant of so many users.
    pub(crate) fn new(limits: Limits, users: u64) -> Self {
        Self { limits, users, windows: Mutex::default() }
    }

    /// Spends one request; the error is the number of seconds to wait.
    pub(crate) fn spend(&self, method: &str, path: &str, user: &str) -> Result<(), u64> {
        if !self.limits.enabled {
            return Ok(());
        }
        let (tier, per_minute) = tier(method, path);
        let budget = (f64::from(per_minute) * MINUTES * self.limits.scale).max(1.0);
        let tenant = (budget * self.users.max(2) as f64 * 0.5).max(1.0);
        self.count(tier, user, budget as u64)?;
        self.count(tier, "", tenant as u64)
    }

    /// Does a 429 say how long to wait?
    pub(crate) fn says_when(&self) -> bool {
        self.limits.retry_after
    }

    /// Opens every tier again.
    pub(crate) fn reset(&self) {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn count(&self, tier: &'static str, user: &str, budget: u64) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows
            .entry((tier, user.to_owned()))
            .or_insert_with(|| Window { since: Instant::now(), used: 0 });
        if window.since.elapsed() >= self.limits.window {
            *window = Window { since: Instant::now(), used: 0 };
        }
        if window.used >= budget {
            let left = self.limits.window.saturating_sub(window.since.elapsed());
            return Err((left.as_secs_f64().ceil() as u64).max(1));
        }
        window.used += 1;
        Ok(())
    }
}

fn tier(method: &str, path: &str) -> (&'static str, u32) {
    let special = SPECIAL.iter().find(|(wanted, pattern, _)| {
        (*wanted == "*" || *wanted == method) && pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(|(wanted, found)| wanted == "*" || wanted == found)
    });
    match special {
        Some((_, name, budget)) => (name, *budget),
        None if matches!(method, "GET" | "HEAD" | "OPTIONS") => TIER_1,
        None => TIER_2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_exhausted_tier_leaves_the_others_open() {
        let limits = Limits { scale: 0.002, window: Duration::from_secs(60), ..Limits::default() };
        let limiter = Limiter::new(limits, 10);
        for _ in 0..10 {
            assert_eq!(limiter.spend("GET", "/api/v1/items", "a"), Ok(()));
        }
        assert!(limiter.spend("GET", "/api/v1/spaces", "a").is_err_and(|wait| (1..=60).contains(&wait)));
        assert_eq!(limiter.spend("GET", "/api/v1/items", "b"), Ok(()));
        assert_eq!(limiter.spend("POST", "/api/v1/spaces", "a"), Ok(()));
        assert_eq!(limiter.spend("GET", "/api/v1/audits", "a"), Ok(()));
    }

    #[test]
    fn tiers_are_named_by_route() {
        assert_eq!(tier("POST", "/oauth/token"), TIER_2);
        assert_eq!(tier("GET", "/api/v1/items"), TIER_1);
        assert_eq!(tier("POST", "/api/v1/reloads/x/actions/cancel").1, 50);
        assert_eq!(tier("GET", "/api/v1/reloads"), TIER_1);
    }
}
