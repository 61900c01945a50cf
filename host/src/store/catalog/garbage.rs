//! Collecting rows that nobody points at: generations that were replaced, and what failed refreshes staged.
//!
//! A generation is garbage if no kind points at it and the attempt that staged it is over. Both stay true once they are: an
//! attempt that is over can never swap. So what was found to be garbage may be deleted at leisure, in small steps between
//! which others can write.

use super::super::error::Doing;
use super::super::{Error, Store};

/// Rows deleted per transaction: a few milliseconds.
const STEP: i64 = 5_000;

impl Store {
    /// Deletes up to `limit_rows` rows that nobody points at, and answers how many they were.
    pub async fn collect_garbage(&self, limit_rows: u64) -> Result<u64, Error> {
        let mut deleted = 0;
        for generation in self.garbage().await? {
            while deleted < limit_rows {
                match self.delete_step(generation).await? {
                    0 => break,
                    rows => deleted += rows,
                }
            }
            if deleted >= limit_rows {
                break;
            }
            self.forget(generation).await?;
        }
        Ok(deleted)
    }

    async fn garbage(&self) -> Result<Vec<i64>, Error> {
        let rows: Vec<(i64,)> = sqlx::query_as(
            "SELECT generation FROM catalog_generations g
             WHERE NOT EXISTS (SELECT 1 FROM catalog_kinds k WHERE k.generation = g.generation)
               AND NOT EXISTS (SELECT 1 FROM runs r
                               WHERE r.id = g.run_id AND r.attempt = g.attempt AND r.state = 'running')
             ORDER BY generation",
        )
        .fetch_all(&self.pool)
        .await
        .doing("look for replaced objects")?;
        Ok(rows.into_iter().map(|(generation,)| generation).collect())
    }

    /// Deletes the first rows of a generation by their key, which needs no search.
    async fn delete_step(&self, generation: i64) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM catalog_objects WHERE generation = $1 AND position <=
                 (SELECT MAX(position) FROM (SELECT position FROM catalog_objects WHERE generation = $1
                                             ORDER BY position LIMIT $2) AS first_rows)",
        )
        .bind(generation)
        .bind(STEP)
        .execute(&self.bulk)
        .await
        .doing("delete replaced objects")?;
        Ok(done.rows_affected())
    }

    async fn forget(&self, generation: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM catalog_generations WHERE generation = $1")
            .bind(generation)
            .execute(&self.bulk)
            .await
            .doing("delete replaced objects")
            .map(drop)
    }
}
