//! Credentials: their versions and the sealed values. Versions are never deleted while their connection lives: a retired one
//! keeps its row, which is the history, and loses its values.

use super::error::Doing;
use super::sqlite::{Row, Tx};
use super::{Error, Store};
use crate::model::Millis;
use crate::model::credential::{CredentialVersion, VersionState};
use crate::model::id::ConnectionId;
use sqlx::Row as _;

/// One sealed value of one version of a credential. What it is bound to stands beside it; the blob opens nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedField {
    /// The credential's id.
    pub credential: String,
    /// The field's id.
    pub field: String,
    /// The credential's version.
    pub version: i64,
    /// What the value is for.
    pub purpose: String,
    /// The sealed value.
    pub blob: Vec<u8>,
}

impl Store {
    /// Stores a version with its values.
    pub async fn put_credential(
        &self,
        connection: &ConnectionId,
        version: &CredentialVersion,
        fields: &[SealedField],
    ) -> Result<(), Error> {
        let mut tx = self.write().await?;
        insert_version(&mut tx, connection, version, fields).await?;
        tx.commit().await.doing("save a credential")
    }

    /// Notes what the remote side says of the version in use, where nothing was known.
    pub async fn note_version(
        &self,
        connection: &ConnectionId,
        credential: &str,
        version: i64,
        remote_id: Option<&str>,
        expires_at: Option<Millis>,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE credential_versions
             SET remote_id = COALESCE(remote_id, $4), expires_at = COALESCE(expires_at, $5)
             WHERE connection_id = $1 AND credential = $2 AND version = $3 AND state = 'current'",
        )
        .bind(connection.as_str())
        .bind(credential)
        .bind(version)
        .bind(remote_id)
        .bind(expires_at)
        .execute(&self.pool)
        .await
        .doing("note what is known of a credential")
        .map(drop)
    }

    /// All versions of all credentials of a connection, the newest of each credential first.
    pub async fn credentials(&self, connection: &ConnectionId) -> Result<Vec<CredentialVersion>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM credential_versions WHERE connection_id = $1 ORDER BY credential, version DESC",
        )
        .bind(connection.as_str())
        .fetch_all(&self.pool)
        .await
        .doing("read the credentials")?;
        rows.iter().map(version_from).collect()
    }

    /// The sealed values of all versions in this state.
    pub async fn sealed_fields(
        &self,
        connection: &ConnectionId,
        state: VersionState,
    ) -> Result<Vec<SealedField>, Error> {
        const DOING: &str = "read sealed values";
        let rows = sqlx::query(
            "SELECT f.credential, f.field, f.version, f.purpose, f.sealed
             FROM sealed_fields f JOIN credential_versions v
                 ON v.connection_id = f.connection_id AND v.credential = f.credential AND v.version = f.version
             WHERE f.connection_id = $1 AND v.state = $2
             ORDER BY f.credential, f.version, f.field, f.purpose",
        )
        .bind(connection.as_str())
        .bind(state.as_str())
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let field = |row: &Row| {
            Ok(SealedField {
                credential: row.try_get("credential")?,
                field: row.try_get("field")?,
                version: row.try_get("version")?,
                purpose: row.try_get("purpose")?,
                blob: row.try_get("sealed")?,
            })
        };
        rows.iter().map(|row| field(row).doing(DOING)).collect()
    }
}

/// Makes way for a new current version: the current one becomes the previous one, older ones are retired and emptied.
pub(super) async fn make_way(tx: &mut Tx, connection: &ConnectionId, credential: &str) -> Result<(), Error> {
    const STEPS: [&str; 3] = [
        "DELETE FROM sealed_fields WHERE connection_id = $1 AND credential = $2 AND version IN
             (SELECT version FROM credential_versions WHERE connection_id = $1 AND credential = $2 AND state = 'previous')",
        "UPDATE credential_versions SET state = 'retired'
         WHERE connection_id = $1 AND credential = $2 AND state = 'previous'",
        "UPDATE credential_versions SET state = 'previous'
         WHERE connection_id = $1 AND credential = $2 AND state = 'current'",
    ];
    for step in STEPS {
        sqlx::query(step)
            .bind(connection.as_str())
            .bind(credential)
            .execute(&mut **tx)
            .await
            .doing("make way for a credential")?;
    }
    Ok(())
}

/// Retires every version of a credential, or of each that there is, with its values and the sessions that were got with it.
pub(super) async fn retire(
    tx: &mut Tx,
    connection: &ConnectionId,
    credential: Option<&str>,
) -> Result<(), Error> {
    const STEPS: [&str; 3] = [
        "DELETE FROM sealed_fields WHERE connection_id = $1 AND (CAST($2 AS TEXT) IS NULL OR credential = $2)",
        "UPDATE credential_versions SET state = 'retired'
         WHERE connection_id = $1 AND (CAST($2 AS TEXT) IS NULL OR credential = $2)",
        "DELETE FROM kept_sessions WHERE connection_id = $1 AND (CAST($2 AS TEXT) IS NULL OR credential = $2)",
    ];
    for step in STEPS {
        sqlx::query(step)
            .bind(connection.as_str())
            .bind(credential)
            .execute(&mut **tx)
            .await
            .doing("retire credentials")?;
    }
    Ok(())
}

/// Inserts a version with its values.
pub(super) async fn insert_version(
    tx: &mut Tx,
    connection: &ConnectionId,
    version: &CredentialVersion,
    fields: &[SealedField],
) -> Result<(), Error> {
    const DOING: &str = "save a credential";
    sqlx::query(
        "INSERT INTO credential_versions
             (connection_id, credential, version, state, created_at, expires_at, remote_id, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(connection.as_str())
    .bind(&version.credential)
    .bind(version.version)
    .bind(version.state.as_str())
    .bind(version.created_at)
    .bind(version.expires_at)
    .bind(&version.remote_id)
    .bind(&version.note)
    .execute(&mut **tx)
    .await
    .doing(DOING)?;
    for field in fields {
        sqlx::query(
            "INSERT INTO sealed_fields (connection_id, credential, version, field, purpose, sealed)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(connection.as_str())
        .bind(&field.credential)
        .bind(field.version)
        .bind(&field.field)
        .bind(&field.purpose)
        .bind(&field.blob)
        .execute(&mut **tx)
        .await
        .doing(DOING)?;
    }
    Ok(())
}

fn version_from(row: &Row) -> Result<CredentialVersion, Error> {
    const DOING: &str = "read a credential";
    let state: String = row.try_get("state").doing(DOING)?;
    Ok(CredentialVersion {
        credential: row.try_get("credential").doing(DOING)?,
        version: row.try_get("version").doing(DOING)?,
        state: VersionState::stored(&state)
            .ok_or_else(|| Error::Corrupt { what: format!("a credential's state is \"{state}\"") })?,
        created_at: row.try_get("created_at").doing(DOING)?,
        expires_at: row.try_get("expires_at").doing(DOING)?,
        remote_id: row.try_get("remote_id").doing(DOING)?,
        note: row.try_get("note").doing(DOING)?,
    })
}
