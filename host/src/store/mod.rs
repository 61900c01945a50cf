//! The store: the one truth about connections, migrations, credentials, runs and catalogs.
//!
//! Doors put a row here, drivers lease it, readers look at it; nobody keeps a second copy. So a host that dies leaves nothing
//! to repair: whatever was committed is valid, whatever was not never happened. Two hosts, or a host and a command line, may
//! share one file.
//!
//! **Every decision is a fenced compare-and-set.** Whoever takes up a run gets a [`Lease`]: the run and the number of the
//! attempt. Everything it decides says *where the run is still running in this attempt*; if that matches nothing, somebody
//! else has taken over, nothing is written, and the caller is told. Leases are timed by the database's clock, never by a
//! host's. What only records — events — is not fenced: evidence of a lost attempt is still evidence.
//!
//! **A refresh appends, then moves a pointer.** The objects that one attempt finds of one kind are a *generation*: rows keyed
//! by generation and arrival, so that staging always writes at the end of the table and costs the same at a million rows as
//! at ten. What the generation in use holds already is not written again. The difference between the two is found by read-only
//! statements that need no more memory for more objects. Then one small transaction ([`Store::finish_refresh`]) patches what is
//! in use, if little is different, or points the kind at its new generation; sets the state that the plugin wrote and ends the
//! run: readers see all of it or nothing, and SQLite's only writer is blocked for milliseconds (for half a second when twenty
//! thousand of a million objects are patched). Rows that nobody points at are [collected](Store::collect_garbage) later, a few
//! thousand at a time.
//!
//! **The SQL is written for two databases.** `$n` parameters, `ON CONFLICT`, window functions, 64-bit integers, JSON as
//! text. What cannot be the same — the clock, the write lock, lists as a parameter — stands in `sqlite.rs` and nowhere else.
//!
//! Secrets arrive here sealed and leave sealed: this room holds no key.

mod catalog;
mod connections;
mod credentials;
mod data_keys;
mod descriptions;
mod error;
mod events;
mod migrations;
mod rotations;
mod runs;
mod schema;
mod sessions;
mod sqlite;
mod state;

#[cfg(test)]
mod migration_tests;
#[cfg(all(test, unix))]
mod schema_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use catalog::{Diff, Generation, KindSwap};
pub use connections::Edit;
pub use credentials::SealedField;
pub use data_keys::Replacement;
pub use error::Error;
pub use events::NewEvent;
pub use rotations::{Decision, VersionChange};
pub use runs::{Beat, Lease};
pub use sessions::KeptSession;
pub use state::Remembered;

use crate::model::Millis;
use error::Doing;
use sha2::{Digest, Sha256};
use sqlite::{Pool, Tx, now};
use std::path::Path;
use std::sync::Arc;

/// A handle to the store. Cloning it is cheap; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    bulk: Pool,
    install: Arc<str>,
}

impl Store {
    /// Opens the database in `path`, creating or updating it first. Its folder must exist.
    pub async fn open(path: &Path) -> Result<Store, Error> {
        schema::create_private(path)?;
        let (pool, bulk) = (sqlite::ordinary(path), sqlite::bulk(path));
        schema::bring_up_to_date(&pool, path).await?;
        let mut store = Store { pool, bulk, install: Arc::from("") };
        let install = store.set_meta_once("install", &uuid::Uuid::new_v4().to_string()).await?;
        store.install = install.into();
        Ok(store)
    }

    /// The database's clock. Whatever is compared with a lease or an expiry uses this one.
    pub async fn now(&self) -> Result<Millis, Error> {
        let (now,) =
            sqlx::query_as(concat!("SELECT ", now!())).fetch_one(&self.pool).await.doing("read its clock")?;
        Ok(now)
    }

    /// The random id of this installation, made with the database.
    pub fn install_id(&self) -> &str {
        &self.install
    }

    /// The installation's mark, for what its connectors make elsewhere: 12 hexadecimal digits, from which the id cannot be
    /// told.
    pub fn mark(&self) -> String {
        let digest = Sha256::digest(format!("the mark of {}", self.install));
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A fact about the installation.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, Error> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM meta WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .doing("read a fact about the installation")?;
        Ok(row.map(|(value,)| value))
    }

    /// Sets a fact unless it is already set, and answers what it is now.
    pub async fn set_meta_once(&self, key: &str, value: &str) -> Result<String, Error> {
        // Looking first saves a write for what is nearly always there.
        if let Some(present) = self.meta(key).await? {
            return Ok(present);
        }
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
            .bind(key)
            .bind(value)
            .execute(&self.pool)
            .await
            .doing("save a fact about the installation")?;
        let present = self.meta(key).await?;
        present
            .ok_or_else(|| Error::Corrupt { what: format!("\"{key}\" is gone right after it was written") })
    }

    /// Closes all connections; what is left of the write-ahead log moves into the file.
    pub async fn close(&self) {
        self.bulk.close().await;
        self.pool.close().await;
    }

    /// Begins a transaction that writes.
    async fn write(&self) -> Result<Tx, Error> {
        self.pool.begin_with(sqlite::BEGIN_WRITE).await.doing("begin a change")
    }
}

/// A duration as the database counts it.
fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// Reads JSON that this store wrote.
fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|e| Error::Corrupt { what: format!("{what} is not what it should be ({e})") })
}

/// Writes JSON; what is stored here always has a JSON form.
fn to_json<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|e| Error::Corrupt { what: format!("{what} has no JSON form ({e})") })
}
