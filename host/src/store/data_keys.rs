//! The sealed data keys, one a connection, and which key-encryption key seals them.
//!
//! The *key check* is the value by which that key is recognised. It changes first when another key takes over, in one
//! transaction with a note of the one that *retires*; from then on no data key is accepted that the retiring one seals, so
//! those that are still to be sealed anew only become fewer. The note goes when there are none.

use super::error::{Doing, is_unique_violation};
use super::sqlite::{REPLACE_DATA_KEYS, now};
use super::{Error, Store, to_json};
use crate::model::id::ConnectionId;

/// Where the check value of the key-encryption key is kept.
const KEY_CHECK: &str = "key_check";
/// Where that of the key is kept whose place it takes, as long as it does.
const KEY_RETIRING: &str = "key_retiring";

/// A data key that is to be sealed anew.
#[derive(Debug)]
pub struct Replacement {
    /// Whose it is.
    pub connection: ConnectionId,
    /// As it was read. If it is another one by now, it stays.
    pub before: Vec<u8>,
    /// As it is to be.
    pub after: Vec<u8>,
}

impl Store {
    /// The check value of the key-encryption key; none before the first start.
    pub async fn key_check(&self) -> Result<Option<String>, Error> {
        self.meta(KEY_CHECK).await
    }

    /// Sets the first check value unless there is one, and answers which there is.
    pub async fn set_key_check_once(&self, check: &str) -> Result<String, Error> {
        self.set_meta_once(KEY_CHECK, check).await
    }

    /// The check value of the key that is being replaced, if one is.
    pub async fn key_retiring(&self) -> Result<Option<String>, Error> {
        self.meta(KEY_RETIRING).await
    }

    /// Lets another key seal all data keys from now on; the former one is noted as retiring. False if the former one is not
    /// the one that seals them any more: then somebody else was faster, and nothing is changed.
    pub async fn change_key_check(&self, from: &str, to: &str) -> Result<bool, Error> {
        const DOING: &str = "change the key";
        let mut tx = self.write().await?;
        let changed = sqlx::query("UPDATE meta SET value = $1 WHERE key = $2 AND value = $3")
            .bind(to)
            .bind(KEY_CHECK)
            .bind(from)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2)")
            .bind(KEY_RETIRING)
            .bind(from)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(true)
    }

    /// Forgets the key that was retiring: nothing is sealed under it any more.
    pub async fn forget_retiring_key(&self) -> Result<(), Error> {
        sqlx::query("DELETE FROM meta WHERE key = $1")
            .bind(KEY_RETIRING)
            .execute(&self.pool)
            .await
            .doing("forget the former key")
            .map(drop)
    }

    /// The connection's sealed data key.
    pub async fn data_key(&self, connection: &ConnectionId) -> Result<Option<Vec<u8>>, Error> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT sealed FROM data_keys WHERE connection_id = $1")
            .bind(connection.as_str())
            .fetch_optional(&self.pool)
            .await
            .doing("read a data key")?;
        Ok(row.map(|(key,)| key))
    }

    /// Stores the connection's sealed data key. There is only ever one: another in its place would lose all that it sealed.
    /// False if it is sealed under a key whose check value is not, or no longer, the database's: then nothing is stored.
    pub async fn put_data_key(
        &self,
        connection: &ConnectionId,
        sealed: &[u8],
        check: &str,
    ) -> Result<bool, Error> {
        let result = sqlx::query(concat!(
            "INSERT INTO data_keys (connection_id, sealed, created_at) SELECT $1, $2, ",
            now!(),
            " WHERE EXISTS (SELECT 1 FROM meta WHERE key = $3 AND value = $4)"
        ))
        .bind(connection.as_str())
        .bind(sealed)
        .bind(KEY_CHECK)
        .bind(check)
        .execute(&self.pool)
        .await;
        match result {
            Err(e) if is_unique_violation(&e) => Err(Error::Database {
                doing: "save a data key: the connection already has one, which nothing may replace",
                cause: e,
            }),
            other => other.doing("save a data key").map(|done| done.rows_affected() > 0),
        }
    }

    /// The sealed data keys of the connections behind one, in the order of their ids, at most so many.
    pub async fn data_keys_after(
        &self,
        connection: &str,
        limit: i64,
    ) -> Result<Vec<(ConnectionId, Vec<u8>)>, Error> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT connection_id, sealed FROM data_keys WHERE connection_id > $1 ORDER BY connection_id LIMIT $2",
        )
        .bind(connection)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .doing("read data keys")?;
        Ok(rows.into_iter().map(|(id, sealed)| (ConnectionId::stored(id), sealed)).collect())
    }

    /// How many data keys there are.
    pub async fn count_data_keys(&self) -> Result<u64, Error> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM data_keys")
            .fetch_one(&self.pool)
            .await
            .doing("count the data keys")?;
        Ok(count.unsigned_abs())
    }

    /// Puts data keys that were sealed anew in the place of what was read, all or none, and answers how many: one whose
    /// connection was deleted meanwhile is gone.
    pub async fn replace_data_keys(&self, replacements: &[Replacement]) -> Result<u64, Error> {
        let row = |one: &Replacement| (one.connection.to_string(), hex(&one.before), hex(&one.after));
        let rows: Vec<_> = replacements.iter().map(row).collect();
        sqlx::query(REPLACE_DATA_KEYS)
            .bind(to_json(&rows, "a list of data keys")?)
            .execute(&self.pool)
            .await
            .doing("save data keys")
            .map(|done| done.rows_affected())
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
