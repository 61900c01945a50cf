//! Staging: objects are appended to a generation that nobody looks at yet.

use super::super::error::{Doing, is_unique_violation};
use super::super::sqlite::{BEGIN_WRITE, now};
use super::super::{Error, Lease, Store, to_json};
use crate::model::id::ConnectionId;
use jackfield_plugin::contract::catalog::Object;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// What one attempt of one run stages for one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    pub(super) number: i64,
    /// Where the next object goes.
    pub(super) next: i64,
    pub(super) lease: Lease,
}

impl Generation {
    /// How many objects have been staged.
    pub fn staged(&self) -> i64 {
        self.next
    }
}

impl Store {
    /// Begins a generation. Only the holder of the run may.
    pub async fn begin_generation(
        &self,
        held: &Lease,
        connection: &ConnectionId,
        kind: &str,
    ) -> Result<Generation, Error> {
        let row: Option<(i64,)> = sqlx::query_as(concat!(
            "INSERT INTO catalog_generations (connection_id, kind, run_id, attempt, created_at)
             SELECT $1, $2, $3, $4, ",
            now!(),
            " WHERE EXISTS (SELECT 1 FROM runs WHERE id = $3 AND attempt = $4 AND state = 'running')
             RETURNING generation"
        ))
        .bind(connection.as_str())
        .bind(kind)
        .bind(held.run.as_str())
        .bind(held.attempt)
        .fetch_optional(&self.bulk)
        .await
        .doing("begin to stage objects")?;
        let (number,) = row.ok_or_else(|| held.lost())?;
        Ok(Generation { number, next: 0, lease: held.clone() })
    }

    /// Appends objects to a generation. They are accepted when this returns.
    pub async fn stage(&self, generation: &mut Generation, objects: &[Object]) -> Result<(), Error> {
        const DOING: &str = "stage objects";
        if objects.is_empty() {
            return Ok(());
        }
        let mut tx = self.bulk.begin_with(BEGIN_WRITE).await.doing(DOING)?;
        let held: Option<(i64,)> = sqlx::query_as(
            "SELECT g.generation FROM catalog_generations g JOIN runs r ON r.id = g.run_id
             WHERE g.generation = $1 AND r.attempt = g.attempt AND r.state = 'running'",
        )
        .bind(generation.number)
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?;
        if held.is_none() {
            return Err(generation.lease.lost());
        }
        let mut position = generation.next;
        let mut rest = objects;
        while !rest.is_empty() {
            let (size, sql) = insert_statement(rest.len());
            let (batch, others) = rest.split_at(size);
            let mut query = sqlx::query(sql);
            for object in batch {
                let links = to_json(&object.links, "an object's links")?;
                let attributes = if object.attributes.is_empty() { "{}" } else { &object.attributes };
                query = query
                    .bind(generation.number)
                    .bind(position)
                    .bind(&object.id)
                    .bind(content_hash(object, &links, attributes))
                    .bind(&object.name)
                    .bind(object.parent.as_deref())
                    .bind(object.modified.as_deref())
                    .bind(links)
                    .bind(attributes);
                position += 1;
            }
            match query.execute(&mut *tx).await {
                // The caller of an earlier `stage` was stopped after its commit: it cannot know where it stands.
                Err(e) if is_unique_violation(&e) => {
                    return Err(Error::Corrupt { what: "a generation was staged by two callers".to_owned() });
                }
                other => other.doing(DOING)?,
            };
            rest = others;
        }
        tx.commit().await.doing(DOING)?;
        generation.next = position;
        Ok(())
    }
}

/// How many rows one statement takes: as few different statements as possible, so that all of them stay prepared.
const BATCHES: [usize; 4] = [100, 25, 5, 1];

/// The largest statement that so many rows fill, and how many rows it takes.
fn insert_statement(rows: usize) -> (usize, &'static str) {
    static STATEMENTS: LazyLock<[String; BATCHES.len()]> = LazyLock::new(|| BATCHES.map(write_statement));
    let fitting = BATCHES.iter().zip(STATEMENTS.iter()).find(|(size, _)| **size <= rows);
    let (size, sql) = fitting.unwrap_or((&BATCHES[BATCHES.len() - 1], &STATEMENTS[BATCHES.len() - 1]));
    (*size, sql)
}

/// One `INSERT` for so many rows.
fn write_statement(rows: usize) -> String {
    const COLUMNS: usize = 9;
    let row = |row: usize| {
        let parameters = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column));
        format!("({})", parameters.collect::<Vec<_>>().join(", "))
    };
    format!(
        "INSERT INTO catalog_objects (generation, position, id, hash, name, parent, modified, links, attributes) VALUES {}",
        (0..rows).map(row).collect::<Vec<_>>().join(", ")
    )
}

/// A hash of everything about an object, the same on every machine and in every version: it decides what is *changed*.
fn content_hash(object: &Object, links: &str, attributes: &str) -> i64 {
    let mut hash = Sha256::new();
    let parts = [
        Some(object.name.as_str()),
        object.parent.as_deref(),
        object.modified.as_deref(),
        Some(links),
        Some(attributes),
    ];
    for part in parts {
        // The length keeps neighbours apart; no length is like that of nothing.
        hash.update(part.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}
