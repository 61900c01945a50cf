//! Events: what happened during runs. They are evidence, so they are only ever appended, and no fence keeps them out.

use super::error::Doing;
use super::{Error, Store};
use crate::model::Millis;
use crate::model::id::RunId;
use crate::model::run::Event;

/// An event that has no place in its run yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// When.
    pub at: Millis,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// What, for a person.
    pub message: String,
}

impl Store {
    /// Appends events to a run, in this order.
    pub async fn append_events(&self, run: &RunId, events: &[NewEvent]) -> Result<(), Error> {
        const DOING: &str = "save events";
        if events.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        let (last,): (i64,) =
            sqlx::query_as("SELECT COALESCE(MAX(sequence), 0) FROM events WHERE run_id = $1")
                .bind(run.as_str())
                .fetch_one(&mut *tx)
                .await
                .doing(DOING)?;
        for (sequence, event) in (last + 1..).zip(events) {
            sqlx::query(
                "INSERT INTO events (run_id, sequence, at, level, message) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(run.as_str())
            .bind(sequence)
            .bind(event.at)
            .bind(&event.level)
            .bind(&event.message)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        }
        tx.commit().await.doing(DOING)
    }

    /// The events of a run, in order.
    pub async fn events(&self, run: &RunId) -> Result<Vec<Event>, Error> {
        let rows: Vec<(i64, Millis, String, String)> = sqlx::query_as(
            "SELECT sequence, at, level, message FROM events WHERE run_id = $1 ORDER BY sequence",
        )
        .bind(run.as_str())
        .fetch_all(&self.pool)
        .await
        .doing("read events")?;
        Ok(rows
            .into_iter()
            .map(|(sequence, at, level, message)| Event { sequence, at, level, message })
            .collect())
    }
}
