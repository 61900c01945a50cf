//! What a staged generation would change, computed without blocking anyone.
//!
//! A list that followed the generation in use knows most of it already (`patch.rs`). For any other, one statement groups both
//! generations by id. SQLite does that with its external sorter, so memory stays the same whether there are a thousand objects
//! or a million, and one row comes back instead of two million.

use super::super::error::Doing;
use super::super::{Error, Store};
use super::Generation;
use super::generation::Course;
use crate::model::catalog::KindChange;
use crate::model::id::ConnectionId;

/// What a staged generation would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Objects that there would be.
    pub count: u64,
    /// Objects that were not there before.
    pub added: u64,
    /// Objects that would be different.
    pub changed: u64,
    /// Objects that would no longer be there.
    pub removed: u64,
    /// The first few ids that were staged more than once.
    pub duplicates: Vec<String>,
}

impl Diff {
    /// As it is told in a run's result.
    pub fn change(&self, kind: &str) -> KindChange {
        KindChange {
            kind: kind.to_owned(),
            count: self.count,
            added: self.added,
            changed: self.changed,
            removed: self.removed,
            kept_reason: None,
        }
    }
}

impl Store {
    /// Compares a generation with the one in use, as if it were complete. Nothing that readers see is changed.
    pub async fn diff(
        &self,
        connection: &ConnectionId,
        kind: &str,
        generation: &mut Generation,
    ) -> Result<Diff, Error> {
        self.settle(generation).await?;
        if let Course::Patch(patch) = &generation.course {
            return Ok(patch.diff.clone());
        }
        match self.present_generation(connection, kind).await? {
            Some((present, _)) => self.compare(generation, present).await,
            None => self.count(generation).await,
        }
    }

    /// Nothing to compare with: only how many there are matters, and whether one came twice.
    async fn count(&self, generation: &Generation) -> Result<Diff, Error> {
        let (count, most): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COALESCE(MAX(staged), 0)
             FROM (SELECT COUNT(*) AS staged FROM catalog_objects WHERE generation = $1 GROUP BY id) AS objects",
        )
        .bind(generation.number)
        .fetch_one(&self.pool)
        .await
        .doing("count objects")?;
        let duplicates = if most > 1 { self.duplicates(generation).await? } else { Vec::new() };
        let count = u64::try_from(count).unwrap_or(0);
        Ok(Diff { count, added: count, duplicates, ..Diff::default() })
    }

    async fn compare(&self, generation: &Generation, present: i64) -> Result<Diff, Error> {
        let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT COALESCE(SUM(CASE WHEN staged > 0 THEN 1 ELSE 0 END), 0),
                    COALESCE(SUM(CASE WHEN present = 0 THEN 1 ELSE 0 END), 0),
                    COALESCE(SUM(CASE WHEN present > 0 AND staged > 0 AND lowest <> highest THEN 1 ELSE 0 END), 0),
                    COALESCE(SUM(CASE WHEN staged = 0 THEN 1 ELSE 0 END), 0),
                    COALESCE(MAX(staged), 0)
             FROM (SELECT SUM(CASE WHEN generation = $1 THEN 1 ELSE 0 END) AS staged,
                          SUM(CASE WHEN generation = $2 THEN 1 ELSE 0 END) AS present,
                          MIN(hash) AS lowest, MAX(hash) AS highest
                   FROM catalog_objects WHERE generation IN ($1, $2) GROUP BY id) AS objects",
        )
        .bind(generation.number)
        .bind(present)
        .fetch_one(&self.pool)
        .await
        .doing("compare objects")?;
        let (count, added, changed, removed, most) = row;
        let duplicates = if most > 1 { self.duplicates(generation).await? } else { Vec::new() };
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Diff {
            count: number(count),
            added: number(added),
            changed: number(changed),
            removed: number(removed),
            duplicates,
        })
    }

    async fn duplicates(&self, generation: &Generation) -> Result<Vec<String>, Error> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM catalog_objects WHERE generation = $1 GROUP BY id HAVING COUNT(*) > 1 ORDER BY id LIMIT 5",
        )
        .bind(generation.number)
        .fetch_all(&self.pool)
        .await
        .doing("look for duplicates")?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The number of the generation in use, and how many objects it has.
    pub(super) async fn present_generation(
        &self,
        connection: &ConnectionId,
        kind: &str,
    ) -> Result<Option<(i64, usize)>, Error> {
        let row: Option<(Option<i64>, i64)> = sqlx::query_as(
            "SELECT generation, count FROM catalog_kinds WHERE connection_id = $1 AND kind = $2",
        )
        .bind(connection.as_str())
        .bind(kind)
        .fetch_optional(&self.pool)
        .await
        .doing("read the catalog")?;
        Ok(row.and_then(|(generation, count)| Some((generation?, usize::try_from(count).unwrap_or(0)))))
    }
}
