//! What became of a run, and how that is recorded.

use crate::{model::run::Ending, store};
use std::time::Duration;
use tokio::time::Instant;

/// How long a lease lasts without a heartbeat, and so how long an ending is worth recording.
pub const LEASE: Duration = Duration::from_secs(15);

/// When a locked database is tried again.
const AGAIN: Duration = Duration::from_millis(300);

/// What became of a run.
pub enum Outcome {
    /// It ended; the driver is to record how.
    Ended(Ending),
    /// It ended and is recorded already: a refresh's ending is committed together with its catalog.
    Recorded(Ending),
}

/// Records an ending, for a while in spite of whoever keeps the database locked: an ending that is not recorded is lost.
pub(super) async fn patiently<T>(
    record: impl AsyncFn() -> Result<T, store::Error>,
) -> Result<T, store::Error> {
    let began = Instant::now();
    loop {
        match record().await {
            Err(error @ store::Error::Busy) if began.elapsed() < LEASE => {
                tracing::warn!(%error, "the ending of a run could not be recorded yet");
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn an_ending_waits_for_a_busy_database_and_for_nothing_else() {
        let tried = AtomicUsize::new(0);
        let record = async || match tried.fetch_add(1, Ordering::Relaxed) {
            0 => Err(store::Error::Busy),
            _ => Ok(true),
        };
        assert!(patiently(record).await.unwrap());
        assert_eq!(tried.load(Ordering::Relaxed), 2);
        let full = patiently(async || Err::<bool, _>(store::Error::Full)).await;
        assert!(matches!(full, Err(store::Error::Full)), "{full:?}");
    }
}
