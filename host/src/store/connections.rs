//! Connections: drafts, ready ones, and the way from one to the other.

use super::credentials::{insert_version, make_way, retire};
use super::error::{Doing, is_foreign_key_violation, is_unique_violation};
use super::sqlite::Row;
use super::{Error, SealedField, Store, from_json, to_json};
use crate::model::Millis;
use crate::model::connection::{Connection, ConnectionState};
use crate::model::credential::CredentialVersion;
use crate::model::id::{ConnectionId, RunId};
use crate::model::name::folded;
use sqlx::Row as _;

/// An edit that was tried as a draft.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// The connection as it is to be.
    pub connection: &'a Connection,
    /// The draft on which it was tried.
    pub draft: &'a ConnectionId,
    /// `updated_at` of the connection when it was read: a change that somebody else made since then is not undone.
    pub read_at: Millis,
    /// The address moved to another system: every secret of before, in use or not, belongs there and is forgotten, and so is
    /// what the plugin remembers.
    pub moved: bool,
    /// The credentials that were entered anew.
    pub credentials: &'a [(CredentialVersion, Vec<SealedField>)],
    /// The credentials of which something was taken away: nothing of before stays of them.
    pub dropped: &'a [String],
}

impl Store {
    /// Stores a new connection, ready or draft.
    pub async fn insert_connection(&self, connection: &Connection) -> Result<(), Error> {
        let result = sqlx::query(
            "INSERT INTO connections (id, name, name_folded, description, connector, settings, max_parallel, tls, state,
                 draft_of, created_at, updated_at, last_refresh_at, last_refresh_run, accepted_hosts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(connection.id.as_str())
        .bind(&connection.name)
        .bind(folded(&connection.name))
        .bind(&connection.description)
        .bind(&connection.connector)
        .bind(to_json(&connection.settings, "the settings")?)
        .bind(i64::from(connection.max_parallel))
        .bind(to_json(&connection.tls, "the TLS trust")?)
        .bind(connection.state.as_str())
        .bind(connection.draft_of.as_ref().map(ConnectionId::as_str))
        .bind(connection.created_at)
        .bind(connection.updated_at)
        .bind(connection.last_refresh_at)
        .bind(connection.last_refresh_run.as_ref().map(RunId::as_str))
        .bind(to_json(&connection.accepted_hosts, "the accepted hosts")?)
        .execute(&self.pool)
        .await;
        match result {
            Err(e) if is_unique_violation(&e) && connection.state == ConnectionState::Ready => {
                Err(Error::NameTaken { noun: "connection", name: connection.name.clone() })
            }
            other => other.doing("save a connection").map(drop),
        }
    }

    /// A connection, ready or draft.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, Error> {
        let row = sqlx::query("SELECT * FROM connections WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .doing("read a connection")?;
        row.map(|row| connection_from(&row)).transpose()
    }

    /// The ready connection of this name, without regard to case.
    pub async fn connection_by_name(&self, name: &str) -> Result<Option<Connection>, Error> {
        let row = sqlx::query("SELECT * FROM connections WHERE name_folded = $1 AND state = 'ready'")
            .bind(folded(name))
            .fetch_optional(&self.pool)
            .await
            .doing("read a connection")?;
        row.map(|row| connection_from(&row)).transpose()
    }

    /// The ready connections, by name; with a search, those whose name contains it.
    pub async fn connections(&self, search: Option<&str>) -> Result<Vec<Connection>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM connections WHERE state = 'ready' AND name_folded LIKE $1 ESCAPE '\\' ORDER BY name_folded",
        )
        .bind(like_pattern(&folded(search.unwrap_or_default())))
        .fetch_all(&self.pool)
        .await
        .doing("read the connections")?;
        rows.iter().map(connection_from).collect()
    }

    /// Drafts made before `moment`.
    pub async fn drafts_older_than(&self, moment: Millis) -> Result<Vec<Connection>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM connections WHERE state = 'draft' AND created_at < $1 ORDER BY created_at, id",
        )
        .bind(moment)
        .fetch_all(&self.pool)
        .await
        .doing("read the drafts")?;
        rows.iter().map(connection_from).collect()
    }

    /// Saves what a person may change: name, description, settings, cap, TLS trust; and when.
    pub async fn update_connection(&self, connection: &Connection) -> Result<(), Error> {
        let mut tx = self.write().await?;
        update(&mut tx, connection).await?;
        tx.commit().await.doing("save a connection")
    }

    /// Makes a draft a ready connection of this name.
    pub async fn promote_draft(&self, id: &ConnectionId, name: &str) -> Result<(), Error> {
        let result = sqlx::query(
            "UPDATE connections SET state = 'ready', draft_of = NULL, name = $2, name_folded = $3
             WHERE id = $1 AND state = 'draft'",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(folded(name))
        .execute(&self.pool)
        .await;
        match result {
            Err(e) if is_unique_violation(&e) => {
                Err(Error::NameTaken { noun: "connection", name: name.to_owned() })
            }
            other => match other.doing("save a connection")?.rows_affected() {
                0 => Err(Error::Gone { what: format!("the draft {id}") }),
                _ => Ok(()),
            },
        }
    }

    /// Saves an edit that was tried as a draft, all at once: the connection's fields, each credential that was entered anew
    /// (its current version becomes the previous one, the previous one is retired), what was taken away, and the end of
    /// the draft.
    pub async fn save_edit(&self, edit: &Edit<'_>) -> Result<(), Error> {
        const DOING: &str = "save an edited connection";
        let Edit { connection, draft, credentials, .. } = edit;
        let mut tx = self.write().await?;
        unchanged_since(&mut tx, connection, edit.read_at).await?;
        update(&mut tx, connection).await?;
        if edit.moved {
            retire(&mut tx, &connection.id, None).await?;
            // A watermark of another system would make the next refresh ask for changes since a moment that never was.
            sqlx::query("DELETE FROM connection_state WHERE connection_id = $1")
                .bind(connection.id.as_str())
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        }
        for credential in edit.dropped {
            retire(&mut tx, &connection.id, Some(credential)).await?;
        }
        for (version, fields) in *credentials {
            make_way(&mut tx, &connection.id, &version.credential).await?;
            insert_version(&mut tx, &connection.id, version, fields).await?;
            sqlx::query("DELETE FROM kept_sessions WHERE connection_id = $1 AND credential = $2")
                .bind(connection.id.as_str())
                .bind(&version.credential)
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        }
        sqlx::query("DELETE FROM connections WHERE id = $1 AND state = 'draft'")
            .bind(draft.as_str())
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)
    }

    /// Deletes a connection and everything that is its own, except runs and their events, which stay as history. Its
    /// catalog is out of sight at once; [`collect_garbage`](Store::collect_garbage) frees the space. One that a migration
    /// uses stays, whatever else would be in the way.
    pub async fn delete_connection(&self, id: &ConnectionId) -> Result<(), Error> {
        const DOING: &str = "delete a connection";
        let mut tx = self.write().await?;
        let uses = super::migrations::uses_of(&mut *tx, id).await?;
        if !uses.is_empty() {
            return Err(Error::Used { uses });
        }
        if let Some(run) = super::runs::any_active(&mut tx, id).await? {
            return Err(Error::RunActive { run: Box::new(run) });
        }
        // All that belongs to it says so with a foreign key, and goes with it.
        let deleted =
            sqlx::query("DELETE FROM connections WHERE id = $1").bind(id.as_str()).execute(&mut *tx).await;
        match deleted {
            // Where writers do not wait for each other, somebody made a migration of it since we looked.
            Err(e) if is_foreign_key_violation(&e) => {
                return Err(Error::Changed { what: "the connection".to_owned() });
            }
            other => other.doing(DOING)?,
        };
        tx.commit().await.doing(DOING)
    }
}

/// Refuses if the connection is not as it was read.
async fn unchanged_since(tx: &mut super::Tx, connection: &Connection, read_at: Millis) -> Result<(), Error> {
    let found: Option<(Millis,)> = sqlx::query_as("SELECT updated_at FROM connections WHERE id = $1")
        .bind(connection.id.as_str())
        .fetch_optional(&mut **tx)
        .await
        .doing("read a connection")?;
    match found {
        Some((updated_at,)) if updated_at != read_at => {
            Err(Error::Changed { what: format!("the connection \"{}\"", connection.name) })
        }
        _ => Ok(()),
    }
}

async fn update(tx: &mut super::Tx, connection: &Connection) -> Result<(), Error> {
    let result = sqlx::query(
        "UPDATE connections SET name = $2, name_folded = $3, description = $4, settings = $5, max_parallel = $6,
             tls = $7, updated_at = $8, accepted_hosts = $9
         WHERE id = $1",
    )
    .bind(connection.id.as_str())
    .bind(&connection.name)
    .bind(folded(&connection.name))
    .bind(&connection.description)
    .bind(to_json(&connection.settings, "the settings")?)
    .bind(i64::from(connection.max_parallel))
    .bind(to_json(&connection.tls, "the TLS trust")?)
    .bind(connection.updated_at)
    .bind(to_json(&connection.accepted_hosts, "the accepted hosts")?)
    .execute(&mut **tx)
    .await;
    match result {
        Err(e) if is_unique_violation(&e) => {
            Err(Error::NameTaken { noun: "connection", name: connection.name.clone() })
        }
        other => match other.doing("save a connection")?.rows_affected() {
            0 => Err(Error::Gone { what: format!("the connection \"{}\"", connection.name) }),
            _ => Ok(()),
        },
    }
}

fn like_pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn connection_from(row: &Row) -> Result<Connection, Error> {
    const DOING: &str = "read a connection";
    let text = |column: &str| row.try_get::<String, _>(column).doing(DOING);
    let state = text("state")?;
    let parallel: i64 = row.try_get("max_parallel").doing(DOING)?;
    Ok(Connection {
        id: ConnectionId::stored(text("id")?),
        name: text("name")?,
        description: text("description")?,
        connector: text("connector")?,
        settings: from_json(&text("settings")?, "a connection's settings")?,
        max_parallel: u32::try_from(parallel)
            .map_err(|_| Error::Corrupt { what: format!("a connection's cap is {parallel}") })?,
        tls: from_json(&text("tls")?, "a connection's TLS trust")?,
        accepted_hosts: from_json(&text("accepted_hosts")?, "a connection's accepted hosts")?,
        state: ConnectionState::stored(&state)
            .ok_or_else(|| Error::Corrupt { what: format!("a connection's state is \"{state}\"") })?,
        draft_of: row.try_get::<Option<String>, _>("draft_of").doing(DOING)?.map(ConnectionId::stored),
        created_at: row.try_get("created_at").doing(DOING)?,
        updated_at: row.try_get("updated_at").doing(DOING)?,
        last_refresh_at: row.try_get("last_refresh_at").doing(DOING)?,
        last_refresh_run: row
            .try_get::<Option<String>, _>("last_refresh_run")
            .doing(DOING)?
            .map(RunId::stored),
    })
}
