//! What plugins remember between runs: watermarks, remote ids. It is written together with the end of a successful run, in
//! [`finish_refresh`](Store::finish_refresh), and by tests of drafts.

use super::error::Doing;
use super::sqlite::Tx;
use super::{Error, Store, from_json, to_json};
use crate::model::id::ConnectionId;
use serde_json::{Map, Value};

/// What a run remembers of its connection, and which system it took that to be.
#[derive(Clone, Copy, Debug)]
pub struct Remembered<'a> {
    /// The settings that are the connection's address, as they were when the run began. If they are others when it ends, what
    /// it found is another system's.
    pub address: &'a Map<String, Value>,
    /// Keys and values; null removes one.
    pub values: &'a [(String, Value)],
}

impl Remembered<'_> {
    /// Fails if the connection has moved since the run began.
    pub(super) async fn check(&self, tx: &mut Tx, connection: &ConnectionId) -> Result<(), Error> {
        let row: Option<(String,)> = sqlx::query_as("SELECT settings FROM connections WHERE id = $1")
            .bind(connection.as_str())
            .fetch_optional(&mut **tx)
            .await
            .doing("read a connection's settings")?;
        let (text,) = row.ok_or_else(|| Error::Gone { what: format!("the connection {connection}") })?;
        let now: Map<String, Value> = from_json(&text, "a connection's settings")?;
        let same = self.address.iter().all(|(field, value)| now.get(field) == Some(value));
        if same { Ok(()) } else { Err(Error::Moved) }
    }
}

impl Store {
    /// A value of the connection's state.
    pub async fn state(&self, connection: &ConnectionId, key: &str) -> Result<Option<Value>, Error> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT value FROM connection_state WHERE connection_id = $1 AND key = $2")
                .bind(connection.as_str())
                .bind(key)
                .fetch_optional(&self.pool)
                .await
                .doing("read a connection's state")?;
        row.map(|(text,)| from_json(&text, "a connection's state")).transpose()
    }

    /// Copies all state of one connection to another, as when a draft is made of it or saved into it.
    pub async fn copy_state(&self, from: &ConnectionId, to: &ConnectionId) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO connection_state (connection_id, key, value)
             SELECT $2, key, value FROM connection_state WHERE connection_id = $1
             ON CONFLICT (connection_id, key) DO UPDATE SET value = excluded.value",
        )
        .bind(from.as_str())
        .bind(to.as_str())
        .execute(&self.pool)
        .await
        .doing("copy a connection's state")
        .map(drop)
    }
}

/// Sets values inside a transaction; null removes one.
pub(super) async fn set(
    tx: &mut Tx,
    connection: &ConnectionId,
    values: &[(String, Value)],
) -> Result<(), Error> {
    const DOING: &str = "save a connection's state";
    for (key, value) in values {
        let query = if value.is_null() {
            sqlx::query("DELETE FROM connection_state WHERE connection_id = $1 AND key = $2")
                .bind(connection.as_str())
                .bind(key)
        } else {
            sqlx::query(
                "INSERT INTO connection_state (connection_id, key, value) VALUES ($1, $2, $3)
                 ON CONFLICT (connection_id, key) DO UPDATE SET value = excluded.value",
            )
            .bind(connection.as_str())
            .bind(key)
            .bind(to_json(value, "a value of the state")?)
        };
        query.execute(&mut **tx).await.doing(DOING)?;
    }
    Ok(())
}
