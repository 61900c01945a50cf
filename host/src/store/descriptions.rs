//! What plugin files described themselves as, by the digest of the file: a worker need not be started to show a form.

use super::error::Doing;
use super::sqlite::now;
use super::{Error, Store, from_json, to_json};
use serde_json::Value;

impl Store {
    /// What the plugin file with this digest described itself as.
    pub async fn description(&self, digest: &str) -> Result<Option<Value>, Error> {
        let row: Option<(String,)> = sqlx::query_as("SELECT description FROM descriptions WHERE digest = $1")
            .bind(digest)
            .fetch_optional(&self.pool)
            .await
            .doing("read a plugin's description")?;
        row.map(|(text,)| from_json(&text, "a plugin's description")).transpose()
    }

    /// Keeps what the plugin file with this digest described itself as.
    pub async fn put_description(&self, digest: &str, description: &Value) -> Result<(), Error> {
        sqlx::query(concat!(
            "INSERT INTO descriptions (digest, description, created_at) VALUES ($1, $2, ",
            now!(),
            ") ON CONFLICT (digest) DO UPDATE SET description = excluded.description"
        ))
        .bind(digest)
        .bind(to_json(description, "a plugin's description")?)
        .execute(&self.pool)
        .await
        .doing("save a plugin's description")
        .map(drop)
    }
}
