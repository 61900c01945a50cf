//! Deltas: only what has changed was staged, and some ids are gone.
//!
//! The staged rows are tidied first (of an id put twice the last one counts; an id that was put and is gone is gone), then
//! one scan of the generation in use finds the rows that have to go. Both happen before the swap, which then knows exact
//! positions and touches nothing else.

use super::super::error::Doing;
use super::super::sqlite::{BEGIN_WRITE, Tx, members};
use super::super::{Error, Store};
use super::{Diff, Generation, patch};
use crate::model::id::ConnectionId;

/// What a delta will do to the generation in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) present: Option<i64>,
    pub(super) staged: Option<i64>,
    /// Positions in the present generation of rows that are replaced or gone.
    outdated: Vec<i64>,
    pub(super) diff: Diff,
}

impl Store {
    /// Compares a delta with the generation in use. Nothing that readers see is changed.
    pub async fn diff_delta(
        &self,
        connection: &ConnectionId,
        kind: &str,
        mut generation: Option<&mut Generation>,
        deleted: &[String],
    ) -> Result<Diff, Error> {
        if let Some(generation) = &mut generation {
            self.make_whole(generation).await?;
        }
        Ok(self.plan_delta(connection, kind, generation.as_deref(), deleted).await?.diff)
    }

    /// The generation must be whole: a delta's objects are staged without knowing that they are one.
    pub(super) async fn plan_delta(
        &self,
        connection: &ConnectionId,
        kind: &str,
        generation: Option<&Generation>,
        deleted: &[String],
    ) -> Result<Plan, Error> {
        const DOING: &str = "compare changed objects";
        let present = self.present_generation(connection, kind).await?.map(|(present, _)| present);
        let staged = generation.map(|generation| generation.number);
        let gone = serde_json::Value::from(deleted).to_string();
        if let Some(number) = staged {
            self.tidy(number, &gone).await?;
        }
        let (before, put) = (self.rows_of(present).await?, self.rows_of(staged).await?);
        // One scan of the present generation; the staged one is put aside first, so that it gets a temporary index.
        let rows: Vec<(i64, i64)> = sqlx::query_as(concat!(
            "WITH staged AS MATERIALIZED (SELECT id, hash FROM catalog_objects WHERE generation = $2)
             SELECT p.position, CASE WHEN s.id IS NULL THEN 2 WHEN s.hash <> p.hash THEN 1 ELSE 0 END
             FROM catalog_objects p
             LEFT JOIN staged s ON s.id = p.id
             WHERE p.generation = $1 AND (s.id IS NOT NULL OR p.id IN ",
            members!("$3"),
            ")"
        ))
        .bind(present.unwrap_or(-1))
        .bind(staged.unwrap_or(-1))
        .bind(&gone)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let of = |what: i64| rows.iter().filter(|(_, how)| *how == what).count() as u64;
        let (same, changed, removed) = (of(0), of(1), of(2));
        let added = put - same - changed;
        let diff = Diff { count: before + added - removed, added, changed, removed, duplicates: Vec::new() };
        // A row that was put again unchanged is replaced all the same: staged rows move as one block.
        let outdated = rows.into_iter().map(|(position, _)| position).collect();
        Ok(Plan { present, staged, outdated, diff })
    }

    /// Removes all but the last of the rows that have the same id, after [`diff`](Store::diff) has told of such.
    pub async fn drop_duplicates(&self, generation: &Generation) -> Result<(), Error> {
        self.tidy(generation.number, "[]").await
    }

    /// Removes from a staged generation what does not count.
    async fn tidy(&self, number: i64, gone: &str) -> Result<(), Error> {
        const DOING: &str = "tidy changed objects";
        let mut tx = self.bulk.begin_with(BEGIN_WRITE).await.doing(DOING)?;
        sqlx::query(concat!(
            "DELETE FROM catalog_objects WHERE generation = $1 AND (id IN ",
            members!("$2"),
            " OR position IN (SELECT position FROM (
                 SELECT position, ROW_NUMBER() OVER (PARTITION BY id ORDER BY position DESC) AS age
                 FROM catalog_objects WHERE generation = $1) AS puts WHERE age > 1))"
        ))
        .bind(number)
        .bind(gone)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        tx.commit().await.doing(DOING)
    }

    async fn rows_of(&self, generation: Option<i64>) -> Result<u64, Error> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM catalog_objects WHERE generation = $1")
            .bind(generation.unwrap_or(-1))
            .fetch_one(&self.pool)
            .await
            .doing("count objects")?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl Plan {
    /// Does it. Answers the generation that is in use from now on.
    pub(super) async fn apply(&self, tx: &mut Tx) -> Result<Option<i64>, Error> {
        const DOING: &str = "merge changed objects";
        let Some(present) = self.present else { return Ok(self.staged) };
        patch::delete(tx, present, &self.outdated).await?;
        if let Some(staged) = self.staged {
            sqlx::query(
                "INSERT INTO catalog_objects
                     (generation, position, id, hash, name, parent, modified, links, attributes)
                 SELECT $1, position + 1 + (SELECT COALESCE(MAX(position), 0) FROM catalog_objects WHERE generation = $1),
                        id, hash, name, parent, modified, links, attributes
                 FROM catalog_objects WHERE generation = $2 ORDER BY position",
            )
            .bind(present)
            .bind(staged)
            .execute(&mut **tx)
            .await
            .doing(DOING)?;
        }
        Ok(Some(present))
    }
}
