//! The swap: one short transaction makes a refresh visible, or does nothing.

use super::super::error::Doing;
use super::super::sqlite::Tx;
use super::super::{Error, Lease, Remembered, Store, runs, state};
use super::Generation;
use super::delta::Plan;
use super::generation::Course;
use crate::model::catalog::KindChange;
use crate::model::id::{ConnectionId, RunId};
use crate::model::run::Ending;
use serde_json::Value;

/// What becomes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindSwap {
    /// The generation holds all of its objects.
    Complete {
        /// The generation.
        generation: Generation,
        /// What it changes, from [`Store::diff`].
        change: KindChange,
    },
    /// The generation holds the objects that are new or different.
    Delta {
        /// The generation; none if nothing was put.
        generation: Option<Generation>,
        /// Ids of objects that are gone. They are gone even if they were put as well.
        deleted: Vec<String>,
    },
    /// It could not be read: everything stays as it was, and the reason is noted.
    Kept {
        /// Why.
        reason: String,
    },
}

impl Store {
    /// Ends a refresh well: all kinds are swapped, the state is set, the connection is marked as refreshed and the run has
    /// succeeded — all of it, or, if the lease was lost, nothing and false. It fails if the connection has moved to another
    /// system since the run began.
    pub async fn finish_refresh(
        &self,
        held: &Lease,
        connection: &ConnectionId,
        ending_result: &Value,
        swaps: &[(String, KindSwap)],
        remembered: Remembered<'_>,
    ) -> Result<bool, Error> {
        let mut plans = Vec::with_capacity(swaps.len());
        for (kind, swap) in swaps {
            match self.plan(connection, kind, swap).await {
                Err(Error::Lost { .. }) => return Ok(false),
                plan => plans.push(plan?),
            }
        }
        let mut tx = self.write().await?;
        // First of all, so that a lost lease changes nothing. What follows is undone if it fails.
        if !runs::finish(&mut tx, held, &Ending::Succeeded(ending_result.clone())).await? {
            return Ok(false);
        }
        for ((kind, swap), plan) in swaps.iter().zip(plans) {
            swap_kind(&mut tx, held, connection, kind, swap, plan).await?;
        }
        remembered.check(&mut tx, connection).await?;
        state::set(&mut tx, connection, remembered.values).await?;
        mark_refreshed(&mut tx, connection, &held.run).await?;
        tx.commit().await.doing("end a refresh")?;
        Ok(true)
    }

    /// What can be found out before the swap.
    async fn plan(
        &self,
        connection: &ConnectionId,
        kind: &str,
        swap: &KindSwap,
    ) -> Result<Option<Plan>, Error> {
        // Whoever did not ask what changes has a generation that is not settled yet.
        let whole = async |generation: &Generation| {
            let mut generation = generation.clone();
            self.make_whole(&mut generation).await.map(|()| generation)
        };
        match swap {
            KindSwap::Delta { generation: None, deleted } => {
                self.plan_delta(connection, kind, None, deleted).await.map(Some)
            }
            KindSwap::Delta { generation: Some(generation), deleted } => {
                let generation = whole(generation).await?;
                self.plan_delta(connection, kind, Some(&generation), deleted).await.map(Some)
            }
            KindSwap::Complete { generation, .. } if !matches!(generation.course, Course::Patch(_)) => {
                whole(generation).await.map(|_| None)
            }
            _ => Ok(None),
        }
    }

    /// Notes the newest refresh of a connection, whatever becomes of it.
    pub async fn note_refresh_run(&self, connection: &ConnectionId, run: &RunId) -> Result<(), Error> {
        sqlx::query("UPDATE connections SET last_refresh_run = $2 WHERE id = $1")
            .bind(connection.as_str())
            .bind(run.as_str())
            .execute(&self.pool)
            .await
            .doing("note a refresh")
            .map(drop)
    }
}

async fn swap_kind(
    tx: &mut Tx,
    held: &Lease,
    connection: &ConnectionId,
    kind: &str,
    swap: &KindSwap,
    plan: Option<Plan>,
) -> Result<(), Error> {
    let (generation, count) = match swap {
        KindSwap::Kept { reason } => return keep(tx, connection, kind, reason).await,
        KindSwap::Complete { generation, change } => {
            check_origin(tx, held, connection, kind, generation).await?;
            let number = match &generation.course {
                Course::Patch(patch) => patch.apply(tx, connection, kind).await?,
                _ => generation.number,
            };
            (Some(number), change.count)
        }
        KindSwap::Delta { generation, .. } => {
            if let Some(generation) = generation {
                check_origin(tx, held, connection, kind, generation).await?;
            }
            let plan = plan.unwrap_or_default();
            (plan.apply(tx).await?, plan.diff.count)
        }
    };
    sqlx::query(
        "INSERT INTO catalog_kinds (connection_id, kind, generation, count, refreshed_at, kept_reason)
         VALUES ($1, $2, $3, $4, (SELECT finished_at FROM runs WHERE id = $5), NULL)
         ON CONFLICT (connection_id, kind) DO UPDATE SET generation = excluded.generation,
         count = excluded.count, refreshed_at = excluded.refreshed_at, kept_reason = NULL",
    )
    .bind(connection.as_str())
    .bind(kind)
    .bind(generation)
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .bind(held.run.as_str())
    .execute(&mut **tx)
    .await
    .doing("swap a kind of object")
    .map(drop)
}

/// A kind that never was has no objects, no age (0), and the reason.
async fn keep(tx: &mut Tx, connection: &ConnectionId, kind: &str, reason: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO catalog_kinds (connection_id, kind, generation, count, refreshed_at, kept_reason)
         VALUES ($1, $2, NULL, 0, 0, $3)
         ON CONFLICT (connection_id, kind) DO UPDATE SET kept_reason = excluded.kept_reason",
    )
    .bind(connection.as_str())
    .bind(kind)
    .bind(reason)
    .execute(&mut **tx)
    .await
    .doing("keep a kind of object")
    .map(drop)
}

/// Only what this attempt staged for this kind of this connection may become visible there.
async fn check_origin(
    tx: &mut Tx,
    held: &Lease,
    connection: &ConnectionId,
    kind: &str,
    generation: &Generation,
) -> Result<(), Error> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT generation FROM catalog_generations
         WHERE generation = $1 AND connection_id = $2 AND kind = $3 AND run_id = $4 AND attempt = $5",
    )
    .bind(generation.number)
    .bind(connection.as_str())
    .bind(kind)
    .bind(held.run.as_str())
    .bind(held.attempt)
    .fetch_optional(&mut **tx)
    .await
    .doing("check what was staged")?;
    match row {
        Some(_) => Ok(()),
        None => {
            Err(Error::Corrupt { what: format!("what was staged is not of kind \"{kind}\" of this run") })
        }
    }
}

async fn mark_refreshed(tx: &mut Tx, connection: &ConnectionId, run: &RunId) -> Result<(), Error> {
    // The one moment of this refresh: that of its run's end, which was set first.
    let done = sqlx::query(
        "UPDATE connections SET last_refresh_run = $2,
             last_refresh_at = (SELECT finished_at FROM runs WHERE id = $2)
         WHERE id = $1",
    )
    .bind(connection.as_str())
    .bind(run.as_str())
    .execute(&mut **tx)
    .await
    .doing("mark a connection as refreshed")?;
    match done.rows_affected() {
        0 => Err(Error::Gone { what: format!("the connection {connection}") }),
        _ => Ok(()),
    }
}
