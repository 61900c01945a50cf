//! What a run did in all, and what the numbers say about *Max parallel executions*.

use crate::http::exchange::Exchange;
use serde::Serialize;
use std::time::Duration;

/// What a run did in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Bytes of answers, decompressed.
    pub bytes: u64,
    /// Rows put into the catalog.
    pub rows: u64,
    /// Milliseconds that requests waited for *Max parallel executions*.
    pub waited_ms: u64,
    /// Milliseconds that requests took, added up.
    pub took_ms: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Warnings.
    pub warnings: u64,
    /// Errors.
    pub errors: u64,
}

impl Totals {
    /// Counts an exchange.
    pub(super) fn count(&mut self, exchange: &Exchange) {
        self.requests += 1;
        self.bytes += exchange.bytes;
        self.waited_ms += millis(exchange.waited_for_cap);
        self.took_ms += millis(exchange.took);
        self.throttled += u64::from(exchange.status == Some(429));
        self.timeouts += u64::from(exchange.timed_out);
    }

    /// The closing lines of a log.
    pub(super) fn lines(&self, cap: u32, elapsed: Duration) -> Vec<String> {
        let Totals { requests, bytes, rows, throttled, timeouts, warnings, errors, .. } = self;
        let total = seconds(elapsed);
        let mut lines = vec![
            format!(
                "Totals: {requests} requests, {rows} rows, {bytes} bytes, {warnings} warnings, {errors} errors, {total} s"
            ),
            format!(
                "Waited {} s for the cap of {cap}; {throttled} answers 429, {timeouts} timeouts",
                seconds(self.waited())
            ),
        ];
        lines.extend(self.advice(cap, elapsed));
        lines
    }

    /// What the numbers say about the cap: lower it where the remote system struggles, raise it where it idles.
    fn advice(&self, cap: u32, elapsed: Duration) -> Option<String> {
        let waited = self.waited();
        if self.throttled + self.timeouts > 0 {
            let what = match cap {
                1 => "Max parallel executions is as low as it can be, so refresh less often or at quieter times".to_owned(),
                _ => format!("lower Max parallel executions (now {cap})"),
            };
            let (throttled, timeouts) = (self.throttled, self.timeouts);
            return Some(format!(
                "Advice: the remote system struggles ({throttled} answers 429, {timeouts} timeouts); {what}"
            ));
        }
        (waited > Duration::from_secs(2) && waited > elapsed / 4).then(|| {
            format!(
                "Advice: requests waited {} s for their turn while the remote system kept up; \
                 Max parallel executions (now {cap}) may be raised",
                seconds(waited)
            )
        })
    }

    fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms)
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_follows_the_numbers() {
        let ten = Duration::from_secs(10);
        for (throttled, timeouts, waited_ms, cap, expected) in [
            (0, 0, 0, 4, None),
            (0, 0, 1_900, 4, None),
            (0, 0, 2_400, 4, None),
            (0, 0, 9_000, 4, Some("may be raised")),
            (1, 0, 9_000, 4, Some("(1 answers 429, 0 timeouts); lower Max parallel executions (now 4)")),
            (0, 2, 0, 4, Some("lower")),
            (0, 2, 0, 1, Some("as low as it can be")),
        ] {
            let totals = Totals { throttled, timeouts, waited_ms, ..Totals::default() };
            let advice = totals.advice(cap, ten);
            match expected {
                Some(words) => {
                    assert!(advice.as_ref().is_some_and(|advice| advice.contains(words)), "{advice:?}")
                }
                None => assert_eq!(advice, None),
            }
        }
    }
}
