//! Staging: objects are appended to a generation that nobody looks at yet, save those that the generation in use holds already.

use super::super::error::{Doing, is_unique_violation};
use super::super::sqlite::{AHEAD, STAGE, now};
use super::super::{Error, Lease, Store, from_json, to_json};
use super::follow::{Follower, Key, Limits};
use super::generation::{Course, Generation};
use crate::model::id::ConnectionId;
use jackfield_plugin::contract::catalog::Object;
use sha2::{Digest, Sha256};

impl Store {
    /// Begins a generation. Only the holder of the run may.
    pub async fn begin_generation(
        &self,
        held: &Lease,
        connection: &ConnectionId,
        kind: &str,
    ) -> Result<Generation, Error> {
        self.begin_within(Limits::default(), held, connection, kind).await
    }

    pub(super) async fn begin_within(
        &self,
        limits: Limits,
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
        let (number,) = *rows.first().ok_or_else(|| held.lost())?;
        let course = match self.present_generation(connection, kind).await? {
            Some((present, count)) if count > 0 => {
                Course::Following(Box::new(Follower::new(present, count, limits)))
            }
            _ => Course::Whole,
        };
        Ok(Generation { number, next: 0, lease: held.clone(), limits, course, broken: false })
    }

    /// Appends objects to a generation: all of them are accepted when this returns, or none. After a call that failed or was
    /// given up half-way (its future dropped) the generation cannot be used any more.
    ///
    /// Whoever lost the lease hears of it when something has to be written, at the latest at the swap.
    pub async fn stage(&self, generation: &mut Generation, objects: &[Object]) -> Result<(), Error> {
        if objects.is_empty() {
            return Ok(());
        }
        generation.begin()?;
        if let Course::Patch(_) = generation.course {
            return Err(Error::Corrupt { what: "objects came after they were compared".to_owned() });
        }
        let page: Vec<PageRow> = (generation.next..)
            .zip(objects)
            .map(|(index, object)| row(index * generation.limits.gap, object))
            .collect::<Result<_, _>>()?;
        if let Course::Following(follower) = &mut generation.course {
            let unmatched = self.follow(follower, generation.limits.stride, &page).await?;
            let page: Vec<&PageRow> = unmatched.into_iter().map(|n| &page[n]).collect();
            self.append(generation, &page).await?;
        } else {
            self.append(generation, &page).await?;
        }
        generation.next += i64::try_from(objects.len()).unwrap_or(i64::MAX);
        generation.well_done();
        Ok(())
    }

    /// The indexes of those of a page that the generation in use does not hold next.
    async fn follow(
        &self,
        follower: &mut Follower,
        stride: usize,
        page: &[PageRow<'_>],
    ) -> Result<Vec<usize>, Error> {
        let keys: Vec<Key> = page.iter().map(|row| (row.1, row.2)).collect();
        let mut unmatched = Vec::new();
        for (part, keys) in keys.chunks(stride).enumerate() {
            while follower.wants(keys.len()) {
                self.read_ahead(follower).await?;
            }
            unmatched.extend(follower.take(keys).into_iter().map(|n| part * stride + n));
        }
        Ok(unmatched)
    }

    /// Reads the next rows of the generation that is followed.
    pub(super) async fn read_ahead(&self, follower: &mut Follower) -> Result<(), Error> {
        let (rows,): (String,) = sqlx::query_as(AHEAD)
            .bind(follower.present)
            .bind(follower.read_to)
            .bind(follower.reads())
            .fetch_one(&self.pool)
            .await
            .doing("read the objects in use")?;
        follower.feed(from_json(&rows, "a page of objects")?);
        Ok(())
    }

    /// Writes rows, if there are any.
    async fn append<T: serde::Serialize>(&self, generation: &Generation, page: &[T]) -> Result<(), Error> {
        if page.is_empty() {
            return Ok(());
        }
        let result = sqlx::query(STAGE)
            .bind(generation.number)
            .bind(to_json(&page, "a page of objects")?)
            .execute(&self.bulk)
            .await;
        let done = match result {
            Err(e) if is_unique_violation(&e) => {
                return Err(Error::Corrupt { what: "a page was staged twice".to_owned() });
            }
            other => other.doing("stage objects")?,
        };
        if done.rows_affected() == 0 {
            return Err(generation.lease.lost());
        }
        Ok(())
    }
}

/// An object as a member of the page: position, id, hash, name, parent, modified, links, attributes.
type PageRow<'a> = (i64, &'a str, i64, &'a str, Option<&'a str>, Option<&'a str>, String, &'a str);

fn row(position: i64, object: &Object) -> Result<PageRow<'_>, Error> {
    let links = to_json(&object.links, "an object's links")?;
    let attributes = if object.attributes.is_empty() { "{}" } else { &object.attributes };
    let hash = content_hash(object, &links, attributes);
    let (parent, modified) = (object.parent.as_deref(), object.modified.as_deref());
    Ok((position, &object.id, hash, &object.name, parent, modified, links, attributes))
}

/// A hash of everything about an object but its id, the same on every machine and in every version: it decides what is
/// *changed*, and so what is written again.
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
