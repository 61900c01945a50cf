//! The journal: which requests arrived, what they got, and how many were in flight at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How many requests the journal remembers; older ones are forgotten, the counters are not.
const REMEMBERED: usize = 100_000;

/// One request and its answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Raw query without the question mark.
    pub query: String,
    /// Status of the answer; 0 when the client got none (a fault that hangs, a client that left).
    pub status: u16,
    /// Id of the user on whose behalf the request came, where one was recognised.
    pub user: Option<String>,
    /// `User-Agent`.
    pub user_agent: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Counters since the start or the journal was last cleared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests being answered now.
    pub in_flight: u64,
    /// The most that were being answered at one moment.
    pub max_in_flight: u64,
    /// Rows written into lists.
    pub rows: u64,
}

/// Remembers requests.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<VecDeque<Received>>,
    requests: AtomicU64,
    in_flight: AtomicU64,
    max_in_flight: AtomicU64,
    rows: AtomicU64,
}

impl Journal {
    /// A request arrives. It leaves when the visit is dropped.
    pub(crate) fn arrive(self: &Arc<Self>, received: Received) -> Visit {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.max_in_flight.fetch_max(now, Ordering::SeqCst);
        Visit { journal: Arc::clone(self), received: Some(received) }
    }

    /// Counts rows of a list.
    pub(crate) fn wrote_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Everything remembered, oldest first.
    pub(crate) fn entries(&self) -> Vec<Received> {
        self.locked().iter().cloned().collect()
    }

    /// The counters.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            requests: self.requests.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::SeqCst),
            max_in_flight: self.max_in_flight.load(Ordering::SeqCst),
            rows: self.rows.load(Ordering::Relaxed),
        }
    }

    /// Forgets requests and counters, except those in flight.
    pub(crate) fn clear(&self) {
        self.locked().clear();
        self.requests.store(0, Ordering::Relaxed);
        self.rows.store(0, Ordering::Relaxed);
        self.max_in_flight.store(self.in_flight.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Received>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request being answered.
#[derive(Debug)]
pub(crate) struct Visit {
    journal: Arc<Journal>,
    received: Option<Received>,
}

impl Visit {
    /// The answer is known.
    pub(crate) fn answered(&mut self, status: u16, user: Option<String>) {
        if let Some(received) = &mut self.received {
            received.status = status;
            received.user = user;
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.journal.in_flight.fetch_sub(1, Ordering::SeqCst);
        if let Some(received) = self.received.take() {
            let mut entries = self.journal.locked();
            if entries.len() == REMEMBERED {
                entries.pop_front();
            }
            entries.push_back(received);
        }
    }
}
