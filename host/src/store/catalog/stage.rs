//! Staging: objects are appended to a generation that nobody looks at yet.

use super::super::error::{Doing, is_unique_violation};
use super::super::sqlite::{STAGE, now};
use super::super::{Error, Lease, Store, to_json};
use crate::model::id::ConnectionId;
use jackfield_plugin::contract::catalog::Object;
use sha2::{Digest, Sha256};

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
        let rows: Vec<(i64,)> = sqlx::query_as(concat!(
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
        .fetch_all(&self.bulk)
        .await
        .doing("begin to stage objects")?;
        let (number,) = rows.first().ok_or_else(|| held.lost())?;
        Ok(Generation { number: *number, next: 0, lease: held.clone() })
    }

    /// Appends objects to a generation: all of them are accepted when this returns, or none. A call that was given up half-way
    /// (its future dropped) leaves a generation that cannot be used any more.
    pub async fn stage(&self, generation: &mut Generation, objects: &[Object]) -> Result<(), Error> {
        if objects.is_empty() {
            return Ok(());
        }
        let page = objects.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let result = sqlx::query(STAGE)
            .bind(generation.number)
            .bind(generation.next)
            .bind(to_json(&page, "a page of objects")?)
            .execute(&self.bulk)
            .await;
        let done = match result {
            // An earlier call was given up after its rows were stored.
            Err(e) if is_unique_violation(&e) => {
                return Err(Error::Corrupt { what: "a page was staged twice".to_owned() });
            }
            other => other.doing("stage objects")?,
        };
        if done.rows_affected() == 0 {
            return Err(generation.lease.lost());
        }
        generation.next += i64::try_from(page.len()).unwrap_or(i64::MAX);
        Ok(())
    }
}

/// An object as a member of the page: id, hash, name, parent, modified, links, attributes.
type PageRow<'a> = (&'a str, i64, &'a str, Option<&'a str>, Option<&'a str>, String, &'a str);

fn row(object: &Object) -> Result<PageRow<'_>, Error> {
    let links = to_json(&object.links, "an object's links")?;
    let attributes = if object.attributes.is_empty() { "{}" } else { &object.attributes };
    let hash = content_hash(object, &links, attributes);
    let (parent, modified) = (object.parent.as_deref(), object.modified.as_deref());
    Ok((&object.id, hash, &object.name, parent, modified, links, attributes))
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
