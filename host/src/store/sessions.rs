//! Kept sessions: tokens and cookie jars that outlive the run that fetched them, sealed. Token endpoints count requests and
//! users have few sessions, so a session is fetched by one caller at a time: it claims the name first.

use super::error::Doing;
use super::sqlite::{Row, now};
use super::{Error, Store, from_json, millis, to_json};
use crate::model::Millis;
use crate::model::id::ConnectionId;
use serde_json::Value;
use sqlx::Row as _;
use std::time::Duration;

/// A session that is kept until it expires.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSession {
    /// Its name, given by the plugin.
    pub name: String,
    /// The credential that it was got with.
    pub credential: String,
    /// The version of that credential. A session of another version must not be used.
    pub version: i64,
    /// The only origin that may see it.
    pub origin: String,
    /// The sealed value.
    pub blob: Vec<u8>,
    /// What is known about it and not secret.
    pub facts: Value,
    /// When it ends.
    pub expires_at: Millis,
}

impl Store {
    /// The session of this name, unless it has expired.
    pub async fn session(&self, connection: &ConnectionId, name: &str) -> Result<Option<KeptSession>, Error> {
        let row = sqlx::query(concat!(
            "SELECT * FROM kept_sessions WHERE connection_id = $1 AND name = $2 AND expires_at > ",
            now!()
        ))
        .bind(connection.as_str())
        .bind(name)
        .fetch_optional(&self.pool)
        .await
        .doing("read a kept session")?;
        row.map(|row| session_from(&row)).transpose()
    }

    /// Claims the right to fetch a session. False while somebody else holds it.
    pub async fn claim_session(
        &self,
        connection: &ConnectionId,
        name: &str,
        holder: &str,
        for_: Duration,
    ) -> Result<bool, Error> {
        let result = sqlx::query(concat!(
            "INSERT INTO session_claims (connection_id, name, holder, held_until) VALUES ($1, $2, $3, ",
            now!(),
            " + $4) ON CONFLICT (connection_id, name)
             DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
             WHERE session_claims.holder = excluded.holder OR session_claims.held_until < ",
            now!()
        ))
        .bind(connection.as_str())
        .bind(name)
        .bind(holder)
        .bind(millis(for_))
        .execute(&self.pool)
        .await
        .doing("claim a session")?;
        Ok(result.rows_affected() == 1)
    }

    /// Keeps a session and releases the claim to it.
    pub async fn put_session(
        &self,
        connection: &ConnectionId,
        session: &KeptSession,
        holder: &str,
    ) -> Result<(), Error> {
        const DOING: &str = "keep a session";
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO kept_sessions (connection_id, name, credential, version, origin, sealed, facts, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (connection_id, name) DO UPDATE SET credential = excluded.credential,
                 version = excluded.version, origin = excluded.origin, sealed = excluded.sealed,
                 facts = excluded.facts, expires_at = excluded.expires_at",
        )
        .bind(connection.as_str())
        .bind(&session.name)
        .bind(&session.credential)
        .bind(session.version)
        .bind(&session.origin)
        .bind(&session.blob)
        .bind(to_json(&session.facts, "a session's facts")?)
        .bind(session.expires_at)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        sqlx::query(RELEASE)
            .bind(connection.as_str())
            .bind(&session.name)
            .bind(holder)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)
    }

    /// Releases a claim, as when fetching failed.
    pub async fn release_session(
        &self,
        connection: &ConnectionId,
        name: &str,
        holder: &str,
    ) -> Result<(), Error> {
        sqlx::query(RELEASE)
            .bind(connection.as_str())
            .bind(name)
            .bind(holder)
            .execute(&self.pool)
            .await
            .doing("release a session")
            .map(drop)
    }

    /// Drops a session, as after a 401. A claim stays: whoever fetches the next one goes on.
    pub async fn drop_session(&self, connection: &ConnectionId, name: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM kept_sessions WHERE connection_id = $1 AND name = $2")
            .bind(connection.as_str())
            .bind(name)
            .execute(&self.pool)
            .await
            .doing("drop a session")
            .map(drop)
    }

    /// Drops all sessions of a connection, or those got with one credential.
    pub async fn drop_sessions(
        &self,
        connection: &ConnectionId,
        credential: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM kept_sessions WHERE connection_id = $1 AND credential = COALESCE($2, credential)",
        )
        .bind(connection.as_str())
        .bind(credential)
        .execute(&self.pool)
        .await
        .doing("drop sessions")
        .map(drop)
    }
}

const RELEASE: &str = "DELETE FROM session_claims WHERE connection_id = $1 AND name = $2 AND holder = $3";

fn session_from(row: &Row) -> Result<KeptSession, Error> {
    const DOING: &str = "read a kept session";
    Ok(KeptSession {
        name: row.try_get("name").doing(DOING)?,
        credential: row.try_get("credential").doing(DOING)?,
        version: row.try_get("version").doing(DOING)?,
        origin: row.try_get("origin").doing(DOING)?,
        blob: row.try_get("sealed").doing(DOING)?,
        facts: from_json(&row.try_get::<String, _>("facts").doing(DOING)?, "a session's facts")?,
        expires_at: row.try_get("expires_at").doing(DOING)?,
    })
}
