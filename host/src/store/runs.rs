//! Runs: the queue, the leases, and how runs end.
//!
//! A queue in a table: `queued` rows are claimed with a compare-and-set that counts the attempt up. From then on the pair of
//! run and attempt is the fence. A partial unique index sees to it that one connection has one active run per hook.
//!
//! What changes a row and returns it reads *all* rows, though there is only one: SQLite commits after the last row, and a
//! reader that stops at the first would never hear that the commit failed.

use super::error::{Doing, is_unique_violation};
use super::sqlite::{Row, Tx, now};
use super::{Error, Remembered, Store, from_json, millis, to_json};
use crate::model::id::{ConnectionId, RunId};
use crate::model::run::{Ending, Hook, Run, RunState};
use jackfield_plugin::contract::Failure;
use sqlx::Row as _;
use std::time::Duration;

/// The right to change a running run: valid until somebody else takes it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// The attempt that holds it.
    pub attempt: i64,
}

impl Lease {
    pub(super) fn lost(&self) -> Error {
        Error::Lost { run: self.run.to_string(), attempt: self.attempt }
    }
}

/// What a heartbeat finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The lease is held and was extended.
    Held,
    /// So it is, and somebody asked for the run's end.
    CancelRequested,
    /// Somebody else took the run up, or it has ended: stop.
    Lost,
}

impl Store {
    /// Queues a run. The connection may have only one active run of a hook: if it has one, that is the error.
    pub async fn insert_run(&self, run: &Run) -> Result<(), Error> {
        const DOING: &str = "queue a run";
        loop {
            let error = match insert(self, run).await? {
                Ok(()) => return Ok(()),
                Err(e) if is_unique_violation(&e) => e,
                Err(e) => return Err(Error::while_(DOING, e)),
            };
            let active = sqlx::query(
                "SELECT * FROM runs WHERE connection_id = $1 AND hook = $2 AND state IN ('queued', 'running')",
            )
            .bind(run.connection.as_str())
            .bind(run.hook.as_str())
            .fetch_optional(&self.pool)
            .await
            .doing(DOING)?;
            if let Some(row) = active {
                return Err(Error::RunActive { run: Box::new(run_from(&row)?) });
            }
            // It ended between the two statements, or the id itself is taken, which no second try would change.
            if self.run(&run.id).await?.is_some() {
                return Err(Error::while_(DOING, error));
            }
        }
    }

    /// A run.
    pub async fn run(&self, id: &RunId) -> Result<Option<Run>, Error> {
        let row = sqlx::query("SELECT * FROM runs WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .doing("read a run")?;
        row.map(|row| run_from(&row)).transpose()
    }

    /// The runs whose id begins with `prefix`, newest first; at most ten, which is enough to say "which one?".
    pub async fn runs_matching(&self, prefix: &str) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM runs WHERE SUBSTR(id, 1, LENGTH($1)) = $1 ORDER BY queued_at DESC, id DESC LIMIT 10",
        )
        .bind(prefix)
        .fetch_all(&self.pool)
        .await
        .doing("read runs")?;
        rows.iter().map(run_from).collect()
    }

    /// The newest runs, of one connection or of all, newest first.
    pub async fn runs(&self, connection: Option<&ConnectionId>, limit: i64) -> Result<Vec<Run>, Error> {
        let query = match connection {
            Some(connection) => sqlx::query(
                "SELECT * FROM runs WHERE connection_id = $2 ORDER BY queued_at DESC, id DESC LIMIT $1",
            )
            .bind(limit)
            .bind(connection.as_str()),
            None => sqlx::query("SELECT * FROM runs ORDER BY queued_at DESC, id DESC LIMIT $1").bind(limit),
        };
        let rows = query.fetch_all(&self.pool).await.doing("read the runs")?;
        rows.iter().map(run_from).collect()
    }

    /// Takes up a queued run. None if it is not queued any more.
    pub async fn claim_run(&self, id: &RunId, owner: &str, lease: Duration) -> Result<Option<Lease>, Error> {
        let rows: Vec<(i64,)> = sqlx::query_as(concat!(
            "UPDATE runs SET state = 'running', attempt = attempt + 1, owner = $2, lease_until = ",
            now!(),
            " + $3, started_at = COALESCE(started_at, ",
            now!(),
            ") WHERE id = $1 AND state = 'queued' RETURNING attempt"
        ))
        .bind(id.as_str())
        .bind(owner)
        .bind(millis(lease))
        .fetch_all(&self.pool)
        .await
        .doing("take up a run")?;
        Ok(rows.first().map(|(attempt,)| Lease { run: id.clone(), attempt: *attempt }))
    }

    /// Extends a lease.
    pub async fn heartbeat(&self, held: &Lease, lease: Duration) -> Result<Beat, Error> {
        let rows: Vec<(i64,)> = sqlx::query_as(concat!(
            "UPDATE runs SET lease_until = ",
            now!(),
            " + $3 WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING cancel_requested"
        ))
        .bind(held.run.as_str())
        .bind(held.attempt)
        .bind(millis(lease))
        .fetch_all(&self.pool)
        .await
        .doing("extend a lease")?;
        Ok(match rows.first() {
            None => Beat::Lost,
            Some((0,)) => Beat::Held,
            Some(_) => Beat::CancelRequested,
        })
    }

    /// Ends a run. False: the lease was lost, and nothing was written.
    pub async fn finish_run(&self, held: &Lease, ending: &Ending) -> Result<bool, Error> {
        let mut tx = self.write().await?;
        let done = finish(&mut tx, held, ending).await?;
        tx.commit().await.doing("end a run")?;
        Ok(done)
    }

    /// Ends a run, and sets the connection's state if it ended well: what a plugin remembers is kept if and only if its run
    /// succeeds. False: the lease was lost, and nothing was written.
    pub async fn finish_run_with_state(
        &self,
        held: &Lease,
        ending: &Ending,
        connection: &ConnectionId,
        remembered: Remembered<'_>,
    ) -> Result<bool, Error> {
        let mut tx = self.write().await?;
        let done = finish(&mut tx, held, ending).await?;
        if done && matches!(ending, Ending::Succeeded(_)) && !remembered.values.is_empty() {
            remembered.check(&mut tx, connection).await?;
            super::state::set(&mut tx, connection, remembered.values).await?;
        }
        tx.commit().await.doing("end a run")?;
        Ok(done)
    }

    /// Notes the name of the run's log file. False: the lease was lost.
    pub async fn set_run_log(&self, held: &Lease, file_name: &str) -> Result<bool, Error> {
        const SQL: &str = "UPDATE runs SET log = $3 WHERE id = $1 AND attempt = $2 AND state = 'running'";
        note(self, SQL, held, file_name).await
    }

    /// Notes version and digest of the plugin that runs. False: the lease was lost.
    pub async fn set_run_plugin(&self, held: &Lease, plugin: &str) -> Result<bool, Error> {
        const SQL: &str = "UPDATE runs SET plugin = $3 WHERE id = $1 AND attempt = $2 AND state = 'running'";
        note(self, SQL, held, plugin).await
    }

    /// Asks for a run's end: a queued run is cancelled at once, a running one is told at its next heartbeat. Answers the
    /// state that it is in now; none if there is no such run.
    pub async fn request_cancel(&self, id: &RunId) -> Result<Option<RunState>, Error> {
        const DOING: &str = "cancel a run";
        let changed: Vec<(String,)> = sqlx::query_as(concat!(
            "UPDATE runs SET cancel_requested = 1, finished_at = CASE state WHEN 'queued' THEN ",
            now!(),
            " END, state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END
             WHERE id = $1 AND state IN ('queued', 'running') RETURNING state"
        ))
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        match changed.first() {
            Some((state,)) => state_from(state).map(Some),
            None => Ok(self.run(id).await?.map(|run| run.state)),
        }
    }

    /// Running runs whose lease has ended: whoever drove them is gone, or asleep.
    pub async fn expired_runs(&self) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query(concat!(
            "SELECT * FROM runs WHERE state = 'running' AND lease_until < ",
            now!(),
            " ORDER BY queued_at, id"
        ))
        .fetch_all(&self.pool)
        .await
        .doing("look for abandoned runs")?;
        rows.iter().map(run_from).collect()
    }

    /// Queues an abandoned run again, or cancels it where somebody had asked for that. False: it is not abandoned any more.
    pub async fn requeue_run(&self, run: &Run) -> Result<bool, Error> {
        let result = sqlx::query(concat!(
            "UPDATE runs SET state = CASE cancel_requested WHEN 0 THEN 'queued' ELSE 'cancelled' END,
                 finished_at = CASE cancel_requested WHEN 0 THEN NULL ELSE ",
            now!(),
            " END, owner = NULL, lease_until = NULL
             WHERE id = $1 AND attempt = $2 AND state = 'running' AND lease_until < ",
            now!()
        ))
        .bind(run.id.as_str())
        .bind(run.attempt)
        .execute(&self.pool)
        .await
        .doing("queue a run again")?;
        Ok(result.rows_affected() == 1)
    }

    /// Fails an abandoned run. False: it is not abandoned any more.
    pub async fn fail_expired_run(&self, run: &Run, failure: &Failure) -> Result<bool, Error> {
        let result = sqlx::query(concat!(
            "UPDATE runs SET state = 'failed', failure = $3, lease_until = NULL, finished_at = ",
            now!(),
            " WHERE id = $1 AND attempt = $2 AND state = 'running' AND lease_until < ",
            now!()
        ))
        .bind(run.id.as_str())
        .bind(run.attempt)
        .bind(to_json(failure, "a failure")?)
        .execute(&self.pool)
        .await
        .doing("end an abandoned run")?;
        Ok(result.rows_affected() == 1)
    }

    /// Deletes old ended runs with their events: of each connection, all but the newest `keep_per_connection` and the newest
    /// refresh. Answers the names of their log files, which are no longer of use.
    pub async fn prune_runs(&self, keep_per_connection: i64) -> Result<Vec<String>, Error> {
        let rows: Vec<(Option<String>,)> = sqlx::query_as(
            "DELETE FROM runs WHERE state NOT IN ('queued', 'running')
             AND id NOT IN (SELECT last_refresh_run FROM connections WHERE last_refresh_run IS NOT NULL)
             AND id IN (
                 SELECT id FROM (
                     SELECT id, ROW_NUMBER() OVER (PARTITION BY connection_id ORDER BY queued_at DESC, id DESC) AS age
                     FROM runs
                 ) AS ranked WHERE age > $1
             ) RETURNING log",
        )
        .bind(keep_per_connection)
        .fetch_all(&self.pool)
        .await
        .doing("delete old runs")?;
        Ok(rows.into_iter().filter_map(|(log,)| log).collect())
    }
}

/// The inner result is the insert's own, so that the caller can look at why it was refused.
async fn insert(store: &Store, run: &Run) -> Result<Result<(), sqlx::Error>, Error> {
    let result = run.result.as_ref().map(|value| to_json(value, "a result")).transpose()?;
    let failure = run.failure.as_ref().map(|value| to_json(value, "a failure")).transpose()?;
    let done = sqlx::query(
        "INSERT INTO runs (id, connection_id, connection_name, connector, hook, state, attempt, owner,
             cancel_requested, queued_at, started_at, finished_at, result, failure, log, plugin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(run.id.as_str())
    .bind(run.connection.as_str())
    .bind(&run.connection_name)
    .bind(&run.connector)
    .bind(run.hook.as_str())
    .bind(run.state.as_str())
    .bind(run.attempt)
    .bind(&run.owner)
    .bind(i64::from(run.cancel_requested))
    .bind(run.queued_at)
    .bind(run.started_at)
    .bind(run.finished_at)
    .bind(result)
    .bind(failure)
    .bind(&run.log)
    .bind(&run.plugin)
    .execute(&store.pool)
    .await;
    Ok(done.map(drop))
}

async fn note(store: &Store, sql: &'static str, held: &Lease, text: &str) -> Result<bool, Error> {
    let result = sqlx::query(sql)
        .bind(held.run.as_str())
        .bind(held.attempt)
        .bind(text)
        .execute(&store.pool)
        .await
        .doing("make a note on a run")?;
    Ok(result.rows_affected() == 1)
}

/// Ends a run inside a transaction. False: the lease was lost.
pub(super) async fn finish(tx: &mut Tx, held: &Lease, ending: &Ending) -> Result<bool, Error> {
    let (result, failure) = match ending {
        Ending::Succeeded(result) => (Some(result), None),
        Ending::Failed(failure, result) => (result.as_ref(), Some(failure)),
        Ending::Cancelled => (None, None),
    };
    let done = sqlx::query(concat!(
        "UPDATE runs SET state = $3, result = $4, failure = $5, lease_until = NULL, finished_at = ",
        now!(),
        " WHERE id = $1 AND attempt = $2 AND state = 'running'"
    ))
    .bind(held.run.as_str())
    .bind(held.attempt)
    .bind(ending.state().as_str())
    .bind(result.map(|value| to_json(value, "a result")).transpose()?)
    .bind(failure.map(|value| to_json(value, "a failure")).transpose()?)
    .execute(&mut **tx)
    .await
    .doing("end a run")?;
    Ok(done.rows_affected() == 1)
}

/// The connection's active run of any hook.
pub(super) async fn any_active(tx: &mut Tx, connection: &ConnectionId) -> Result<Option<Run>, Error> {
    let row =
        sqlx::query("SELECT * FROM runs WHERE connection_id = $1 AND state IN ('queued', 'running') LIMIT 1")
            .bind(connection.as_str())
            .fetch_optional(&mut **tx)
            .await
            .doing("look for active runs")?;
    row.map(|row| run_from(&row)).transpose()
}

fn state_from(text: &str) -> Result<RunState, Error> {
    RunState::stored(text).ok_or_else(|| Error::Corrupt { what: format!("a run's state is \"{text}\"") })
}

fn run_from(row: &Row) -> Result<Run, Error> {
    const DOING: &str = "read a run";
    let text = |column: &str| row.try_get::<String, _>(column).doing(DOING);
    let maybe = |column: &str| row.try_get::<Option<String>, _>(column).doing(DOING);
    let hook = text("hook")?;
    Ok(Run {
        id: RunId::stored(text("id")?),
        connection: ConnectionId::stored(text("connection_id")?),
        connection_name: text("connection_name")?,
        connector: text("connector")?,
        hook: Hook::stored(&hook)
            .ok_or_else(|| Error::Corrupt { what: format!("a run's hook is \"{hook}\"") })?,
        state: state_from(&text("state")?)?,
        attempt: row.try_get("attempt").doing(DOING)?,
        owner: maybe("owner")?,
        cancel_requested: row.try_get::<i64, _>("cancel_requested").doing(DOING)? != 0,
        queued_at: row.try_get("queued_at").doing(DOING)?,
        started_at: row.try_get("started_at").doing(DOING)?,
        finished_at: row.try_get("finished_at").doing(DOING)?,
        result: maybe("result")?.map(|text| from_json(&text, "a run's result")).transpose()?,
        failure: maybe("failure")?.map(|text| from_json(&text, "a run's failure")).transpose()?,
        log: maybe("log")?,
        plugin: maybe("plugin")?,
    })
}
