//! What becomes of a complete list that followed the generation in use: a patch of that generation if little is different,
//! a generation of its own if not.
//!
//! A patch deletes the rows that matched nothing and inserts the staged ones between their neighbours, so that reading by
//! position yields the order of the new list. Everything about it is known before the swap; only the writing is left for then.

use super::super::error::Doing;
use super::super::sqlite::{Tx, members, still_staged};
use super::super::{Error, Store, to_json};
use super::Diff;
use super::follow::{Follower, Range};
use super::generation::{Course, Generation, Patch, Run};
use crate::model::id::ConnectionId;

/// Deletions or runs of insertions per statement.
const CHUNK: usize = 5_000;

impl Run {
    /// The position of the last one.
    fn ends(&self, gap: i64) -> i64 {
        let Run(first, last, start, step) = self;
        start + (last - first) / gap * step
    }
}

impl Store {
    /// Finds out whether a list can be a patch, and makes it a generation of its own if not.
    pub(super) async fn settle(&self, generation: &mut Generation) -> Result<(), Error> {
        generation.begin()?;
        if let Course::Following(follower) = &mut generation.course {
            while follower.pass_rest() {
                self.read_ahead(follower).await?;
            }
            if let Some(patch) = self.patch(generation).await? {
                generation.course = Course::Patch(Box::new(patch));
            }
        }
        generation.well_done();
        match generation.course {
            Course::Following(_) => self.make_whole(generation).await,
            _ => Ok(()),
        }
    }

    /// The patch that a followed list is, unless too much is different, there is no room, or ids came more than once.
    async fn patch(&self, generation: &Generation) -> Result<Option<Patch>, Error> {
        let follower = match &generation.course {
            Course::Following(follower) if !follower.given_up => follower.as_ref(),
            _ => return Ok(None),
        };
        let (staged, limits, count) = (generation.number, generation.limits, generation.staged());
        let Some(runs) = places(&follower.ranges, count, limits.gap) else { return Ok(None) };
        let Some((found, changed)) = self.found_again(follower, staged).await? else { return Ok(None) };
        let diff = Diff {
            count: u64::try_from(count).unwrap_or(0),
            added: (follower.written as u64).saturating_sub(found),
            changed,
            removed: (follower.passed.len() as u64).saturating_sub(found),
            duplicates: Vec::new(),
        };
        Ok(Some(Patch { follower: follower.clone(), staged, limits, runs, diff }))
    }

    /// How many of the rows that were passed over are staged again, and how many of these are different; none if an id was
    /// staged more than once.
    async fn found_again(&self, follower: &Follower, staged: i64) -> Result<Option<(u64, u64)>, Error> {
        const DOING: &str = "compare changed objects";
        if follower.written == 0 {
            return Ok(Some((0, 0)));
        }
        let (ids,): (i64,) =
            sqlx::query_as("SELECT COUNT(DISTINCT id) FROM catalog_objects WHERE generation = $1")
                .bind(staged)
                .fetch_one(&self.pool)
                .await
                .doing(DOING)?;
        if usize::try_from(ids).ok() != Some(follower.written) {
            return Ok(None);
        }
        // One scan of the present generation, in the order of its rows; the staged ones get a temporary index.
        let rows: Vec<(i64, bool)> = sqlx::query_as(
            "WITH staged AS MATERIALIZED (SELECT id, hash FROM catalog_objects WHERE generation = $2)
             SELECT p.position, s.hash <> p.hash FROM catalog_objects p CROSS JOIN staged s
             WHERE p.generation = $1 AND s.id = p.id",
        )
        .bind(follower.present)
        .bind(staged)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        // A row that was matched has been staged already.
        let twice = rows.iter().any(|(position, _)| follower.passed.binary_search(position).is_err());
        let changed = rows.iter().filter(|(_, changed)| *changed).count();
        Ok((!twice).then_some((rows.len() as u64, changed as u64)))
    }

    /// Copies the rows that were matched, so that the generation holds all of its objects itself.
    pub(super) async fn make_whole(&self, generation: &mut Generation) -> Result<(), Error> {
        generation.begin()?;
        let (present, mut ranges) = match &mut generation.course {
            Course::Whole => (generation.number, Vec::new()),
            Course::Following(follower) => (follower.present, std::mem::take(&mut follower.ranges)),
            Course::Patch(patch) => (patch.follower.present, std::mem::take(&mut patch.follower.ranges)),
        };
        while !ranges.is_empty() {
            let (mut count, mut take) = (0, 0);
            while let Some(range) = ranges.get(take).filter(|_| count < generation.limits.range) {
                (count, take) = (count + range.count, take + 1);
            }
            let step: Vec<Range> = ranges.drain(..take).collect();
            let copied = self.copy(present, generation, &step).await?;
            // Nobody else changes what is in use while the lease is held.
            if copied != u64::try_from(count).unwrap_or(0) {
                return Err(generation.lease.lost());
            }
        }
        generation.course = Course::Whole;
        generation.well_done();
        Ok(())
    }

    async fn copy(&self, present: i64, generation: &Generation, ranges: &[Range]) -> Result<u64, Error> {
        let ranges: Vec<_> = ranges.iter().map(|range| (range.first, range.from, range.to)).collect();
        let done = sqlx::query(concat!(
            "INSERT INTO catalog_objects (generation, position, id, hash, name, parent, modified, links, attributes)
             SELECT $1, $4 * (first - 1 + ROW_NUMBER() OVER (PARTITION BY first ORDER BY p.position)),
                    id, hash, name, parent, modified, links, attributes
             FROM (SELECT CAST(value ->> 0 AS BIGINT) AS first, CAST(value ->> 1 AS BIGINT) AS begins,
                          CAST(value ->> 2 AS BIGINT) AS ends FROM ",
            members!("$3"),
            " AS ranges) AS wanted
             CROSS JOIN catalog_objects p
             WHERE p.generation = $2 AND p.position >= begins AND p.position <= ends AND ",
            still_staged!("$1")
        ))
        .bind(generation.number)
        .bind(present)
        .bind(to_json(&ranges, "a list of ranges")?)
        .bind(generation.limits.gap)
        .execute(&self.bulk)
        .await
        .doing("copy objects that are unchanged")?;
        Ok(done.rows_affected())
    }
}

/// Where what was staged between matched neighbours goes; none if there is no room between two of them.
fn places(ranges: &[Range], count: i64, gap: i64) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let (mut index, mut behind) = (0, None);
    let ends = ranges.iter().map(|range| (range.first, Some(range))).chain([(count, None)]);
    for (next, before) in ends {
        let fresh = next - index;
        if fresh > 0 {
            let (start, step) = match (behind, before.map(|range| range.from)) {
                (Some(low), Some(high)) => {
                    let step = (high - low) / (fresh + 1);
                    (low + step, step)
                }
                (Some(low), None) => (low + gap, gap),
                (None, Some(high)) => (high - gap * fresh, gap),
                (None, None) => (0, gap),
            };
            if step == 0 {
                return None;
            }
            runs.push(Run(index * gap, (next - 1) * gap, start, step));
        }
        if let Some(range) = before {
            (index, behind) = (range.first + range.count, Some(range.to));
        }
    }
    Some(runs)
}

impl Patch {
    /// Does it. Answers the generation that is in use as before.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        connection: &ConnectionId,
        kind: &str,
    ) -> Result<i64, Error> {
        const DOING: &str = "patch objects";
        let present = self.follower.present;
        let row: Option<(Option<i64>,)> =
            sqlx::query_as("SELECT generation FROM catalog_kinds WHERE connection_id = $1 AND kind = $2")
                .bind(connection.as_str())
                .bind(kind)
                .fetch_optional(&mut **tx)
                .await
                .doing(DOING)?;
        if row != Some((Some(present),)) {
            return Err(Error::Gone { what: format!("what the list of kind \"{kind}\" was compared with") });
        }
        let (mut deleted, mut inserted) = (0, 0);
        for (passed, runs) in self.steps() {
            deleted += delete(tx, present, passed).await?;
            if !runs.is_empty() {
                inserted += self.insert(tx, runs).await?;
            }
        }
        if (deleted, inserted) != (self.follower.passed.len() as u64, self.follower.written as u64) {
            return Err(Error::Corrupt {
                what: format!("objects of kind \"{kind}\" changed while they were compared"),
            });
        }
        Ok(present)
    }

    /// Deletions, each with the insertions that go before the next: they are in the same pages, and these are written once.
    fn steps(&self) -> Vec<(&[i64], &[Run])> {
        let (mut passed, mut runs) = (self.follower.passed.as_slice(), self.runs.as_slice());
        let mut steps = Vec::new();
        while !(passed.is_empty() && runs.is_empty()) {
            let (deletions, later) = passed.split_at(passed.len().min(self.limits.step));
            let before = |run: &Run| later.first().is_none_or(|next| run.ends(self.limits.gap) < *next);
            let (insertions, rest) = runs.split_at(runs.partition_point(before).min(CHUNK));
            steps.push((deletions, insertions));
            (passed, runs) = (later, rest);
        }
        steps
    }

    async fn insert(&self, tx: &mut Tx, runs: &[Run]) -> Result<u64, Error> {
        let done = sqlx::query(concat!(
            "INSERT INTO catalog_objects (generation, position, id, hash, name, parent, modified, links, attributes)
             SELECT $1, start + (p.position - begins) / $4 * step,
                    id, hash, name, parent, modified, links, attributes
             FROM (SELECT CAST(value ->> 0 AS BIGINT) AS begins, CAST(value ->> 1 AS BIGINT) AS ends,
                          CAST(value ->> 2 AS BIGINT) AS start, CAST(value ->> 3 AS BIGINT) AS step FROM ",
            members!("$3"),
            " AS runs) AS wanted
             CROSS JOIN catalog_objects p
             WHERE p.generation = $2 AND p.position >= begins AND p.position <= ends"
        ))
        .bind(self.follower.present)
        .bind(self.staged)
        .bind(to_json(&runs, "a list of places")?)
        .bind(self.limits.gap)
        .execute(&mut **tx)
        .await
        .doing("patch objects")?;
        Ok(done.rows_affected())
    }
}

/// Deletes rows by their positions.
pub(super) async fn delete(tx: &mut Tx, generation: i64, positions: &[i64]) -> Result<u64, Error> {
    let mut deleted = 0;
    for positions in positions.chunks(CHUNK) {
        let done = sqlx::query(concat!(
            "DELETE FROM catalog_objects WHERE generation = $1 AND position IN ",
            members!("$2")
        ))
        .bind(generation)
        .bind(to_json(&positions, "a list of positions")?)
        .execute(&mut **tx)
        .await
        .doing("delete outdated objects")?;
        deleted += done.rows_affected();
    }
    Ok(deleted)
}
