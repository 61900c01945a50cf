//! Rotations: how far each is, the journal of decisions, and the escrow of the remote side's answers.
//!
//! A decision names the state that it leads away from and is made by whoever holds the run's lease; otherwise nothing is
//! written. It stands in the same transaction as its line in the journal and as what it does to the credential's versions.
//! Evidence is not fenced, and only ever added to.

use super::credentials::{SealedField, insert_version, make_way};
use super::error::{Doing, is_unique_violation};
use super::sqlite::{Row, Tx, now};
use super::{Error, Lease, Store, from_json, to_json};
use crate::failpoint;
use crate::model::Millis;
use crate::model::credential::CredentialVersion;
use crate::model::id::{ConnectionId, RotationId, RunId};
use crate::model::rotation::{Evidence, EvidenceKind, JournalLine, Rotation, RotationState};
use jackfield_plugin::contract::Failure;
use sqlx::Row as _;

/// A decision about a rotation.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The state that it leads away from.
    pub from: RotationState,
    /// The state that it leads to.
    pub to: RotationState,
    /// Why, for a person.
    pub note: &'a str,
    /// What went wrong, if that is why.
    pub failure: Option<&'a Failure>,
    /// When there is something to do next, if that is not at once.
    pub next_at: Option<Millis>,
}

/// What a decision does to the versions of the credential.
#[derive(Clone, Debug)]
pub enum VersionChange<'a> {
    /// Nothing.
    None,
    /// Stores the new version, not yet proven.
    Stage(&'a CredentialVersion, &'a [SealedField]),
    /// Puts the new version in use; the one before becomes the previous one.
    Swap,
    /// Empties the previous version: it is gone from the remote side.
    Retire,
    /// Empties the new version, which was never in use.
    Discard,
}

impl Store {
    /// Begins a rotation, or yields the one of this credential that is not at its end.
    pub async fn begin_rotation(&self, new: &Rotation) -> Result<Rotation, Error> {
        const DOING: &str = "begin a rotation";
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO rotations (id, connection_id, credential, mode, base_version, new_version, state, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(new.id.as_str())
        .bind(new.connection.as_str())
        .bind(&new.credential)
        .bind(to_json(&new.mode, "a mode")?)
        .bind(new.base_version)
        .bind(new.new_version)
        .bind(new.state.as_str())
        .bind(new.created_at)
        .execute(&mut *tx)
        .await;
        match done {
            Err(error) if is_unique_violation(&error) => {
                drop(tx);
                let open = self.open_rotations(Some(&new.connection)).await?;
                let found = open.into_iter().find(|open| open.credential == new.credential);
                found.ok_or_else(|| Error::while_(DOING, error))
            }
            done => {
                done.doing(DOING)?;
                journal(&mut tx, &new.id, new.state, None, "decided on").await?;
                commit(tx, "begin", DOING).await?;
                Ok(new.clone())
            }
        }
    }

    /// The rotations that are not at their end, of one connection or of all, the oldest first.
    pub async fn open_rotations(&self, connection: Option<&ConnectionId>) -> Result<Vec<Rotation>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM rotations WHERE ended_at IS NULL AND ($1 = '' OR connection_id = $1) ORDER BY created_at, id",
        )
        .bind(connection.map_or("", ConnectionId::as_str))
        .fetch_all(&self.pool)
        .await
        .doing("read the open rotations")?;
        rows.iter().map(rotation_from).collect()
    }

    /// The rotations of a connection, the newest first.
    pub async fn rotations(&self, connection: &ConnectionId) -> Result<Vec<Rotation>, Error> {
        let rows =
            sqlx::query("SELECT * FROM rotations WHERE connection_id = $1 ORDER BY created_at DESC, id DESC")
                .bind(connection.as_str())
                .fetch_all(&self.pool)
                .await
                .doing("read the rotations")?;
        rows.iter().map(rotation_from).collect()
    }

    /// A rotation.
    pub async fn rotation(&self, id: &RotationId) -> Result<Rotation, Error> {
        let row = sqlx::query("SELECT * FROM rotations WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .doing("read a rotation")?;
        let row = row.ok_or_else(|| Error::Gone { what: format!("the rotation {id}") })?;
        rotation_from(&row)
    }

    /// Makes a decision, with what it does to the versions, and writes it into the journal: all of it or nothing.
    ///
    /// # Errors
    /// The lease was lost, the rotation is in another state, or the version that it is to replace is not in use any more.
    pub async fn decide_rotation(
        &self,
        held: &Lease,
        rotation: &Rotation,
        decision: &Decision<'_>,
        change: VersionChange<'_>,
    ) -> Result<Rotation, Error> {
        const DOING: &str = "save a decision about a rotation";
        let mut tx = self.write().await?;
        let failure = decision.failure.map(|failure| to_json(failure, "a failure")).transpose()?;
        let done = sqlx::query(concat!(
            "UPDATE rotations SET state = $4, failure = $5, next_at = $6, run_id = $2,
                 ended_at = CASE $7 WHEN 1 THEN ",
            now!(),
            " ELSE NULL END
             WHERE id = $1 AND state = $8 AND ended_at IS NULL
                 AND EXISTS (SELECT 1 FROM runs WHERE id = $2 AND attempt = $3 AND state = 'running')"
        ))
        .bind(rotation.id.as_str())
        .bind(held.run.as_str())
        .bind(held.attempt)
        .bind(decision.to.as_str())
        .bind(failure)
        .bind(decision.next_at)
        .bind(i64::from(decision.to.is_final()))
        .bind(decision.from.as_str())
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        if done.rows_affected() != 1 {
            return Err(held.lost());
        }
        apply(&mut tx, rotation, change).await?;
        journal(&mut tx, &rotation.id, decision.to, Some(held), decision.note).await?;
        if decision.to.is_final() {
            // What it proves is decided, and it holds values of versions that are gone.
            sqlx::query("UPDATE rotation_escrow SET sealed = $2 WHERE rotation_id = $1")
                .bind(rotation.id.as_str())
                .bind(&[] as &[u8])
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        }
        commit(tx, decision.to.as_str(), DOING).await?;
        self.rotation(&rotation.id).await
    }

    /// Adds to the escrow. Whoever has an answer may store it, lease or not.
    pub async fn add_evidence(
        &self,
        rotation: &RotationId,
        step: &str,
        kind: EvidenceKind,
        sealed: &[u8],
    ) -> Result<(), Error> {
        const DOING: &str = "store an answer of the remote system";
        let mut tx = self.write().await?;
        sqlx::query(concat!(
            "INSERT INTO rotation_escrow (rotation_id, sequence, at, step, kind, sealed)
             SELECT $1, COALESCE(MAX(sequence), 0) + 1, ",
            now!(),
            ", $2, $3, $4 FROM rotation_escrow WHERE rotation_id = $1"
        ))
        .bind(rotation.as_str())
        .bind(step)
        .bind(kind.as_str())
        .bind(sealed)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        commit(tx, kind.as_str(), DOING).await
    }

    /// The escrow of a rotation, in its order.
    pub async fn evidence(&self, rotation: &RotationId) -> Result<Vec<Evidence>, Error> {
        const DOING: &str = "read the escrow of a rotation";
        let rows = sqlx::query("SELECT * FROM rotation_escrow WHERE rotation_id = $1 ORDER BY sequence")
            .bind(rotation.as_str())
            .fetch_all(&self.pool)
            .await
            .doing(DOING)?;
        let line = |row: &Row| {
            let kind: String = row.try_get("kind").doing(DOING)?;
            Ok(Evidence {
                sequence: row.try_get("sequence").doing(DOING)?,
                step: row.try_get("step").doing(DOING)?,
                kind: EvidenceKind::stored(&kind)
                    .ok_or_else(|| Error::Corrupt { what: format!("a kind of evidence is \"{kind}\"") })?,
                sealed: row.try_get("sealed").doing(DOING)?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// The journal of a rotation, in its order.
    pub async fn rotation_journal(&self, rotation: &RotationId) -> Result<Vec<JournalLine>, Error> {
        const DOING: &str = "read the journal of a rotation";
        let rows = sqlx::query("SELECT * FROM rotation_journal WHERE rotation_id = $1 ORDER BY sequence")
            .bind(rotation.as_str())
            .fetch_all(&self.pool)
            .await
            .doing(DOING)?;
        let line = |row: &Row| {
            Ok(JournalLine {
                sequence: row.try_get("sequence").doing(DOING)?,
                at: row.try_get("at").doing(DOING)?,
                state: state_from(row.try_get("state").doing(DOING)?)?,
                run: row.try_get::<Option<String>, _>("run_id").doing(DOING)?.map(RunId::stored),
                note: row.try_get("note").doing(DOING)?,
            })
        };
        rows.iter().map(line).collect()
    }
}

/// The only way to commit here, so that a test can end the process on both sides of it.
async fn commit(tx: Tx, what: &str, doing: &'static str) -> Result<(), Error> {
    failpoint::reach(format_args!("before commit of {what}"));
    tx.commit().await.doing(doing)?;
    failpoint::reach(format_args!("after commit of {what}"));
    Ok(())
}

async fn apply(tx: &mut Tx, rotation: &Rotation, change: VersionChange<'_>) -> Result<(), Error> {
    const DOING: &str = "change the versions of a credential";
    let (connection, credential) = (&rotation.connection, rotation.credential.as_str());
    match change {
        VersionChange::None => Ok(()),
        VersionChange::Stage(version, fields) => insert_version(tx, connection, version, fields).await,
        VersionChange::Swap => {
            follows(tx, rotation).await?;
            make_way(tx, connection, credential).await?;
            if !set_state(tx, rotation, rotation.new_version, "current", "staged").await? {
                return Err(changed(rotation));
            }
            for step in [
                "DELETE FROM kept_sessions WHERE connection_id = $1 AND credential = $2",
                // Whoever is changing the connection has read another credential.
                concat!("UPDATE connections SET updated_at = ", now!(), " WHERE id = $1 AND $2 <> ''"),
            ] {
                sqlx::query(step)
                    .bind(connection.as_str())
                    .bind(credential)
                    .execute(&mut **tx)
                    .await
                    .doing(DOING)?;
            }
            Ok(())
        }
        VersionChange::Retire => empty(tx, rotation, rotation.base_version, "previous").await,
        VersionChange::Discard => empty(tx, rotation, rotation.new_version, "staged").await,
    }
}

fn changed(rotation: &Rotation) -> Error {
    Error::Changed { what: format!("the credential \"{}\"", rotation.credential) }
}

/// Refuses to put a version in use that does not follow the one that is in use now.
async fn follows(tx: &mut Tx, rotation: &Rotation) -> Result<(), Error> {
    let current: Option<(i64,)> = sqlx::query_as(
        "SELECT version FROM credential_versions
         WHERE connection_id = $1 AND credential = $2 AND state = 'current'",
    )
    .bind(rotation.connection.as_str())
    .bind(&rotation.credential)
    .fetch_optional(&mut **tx)
    .await
    .doing("read the version in use")?;
    if current == Some((rotation.base_version,)) { Ok(()) } else { Err(changed(rotation)) }
}

/// Retires a version that is in this state, and empties it. One in another state has become somebody else's.
async fn empty(tx: &mut Tx, rotation: &Rotation, version: i64, state: &str) -> Result<(), Error> {
    if !set_state(tx, rotation, version, "retired", state).await? {
        return Ok(());
    }
    sqlx::query("DELETE FROM sealed_fields WHERE connection_id = $1 AND credential = $2 AND version = $3")
        .bind(rotation.connection.as_str())
        .bind(&rotation.credential)
        .bind(version)
        .execute(&mut **tx)
        .await
        .doing("empty a version of a credential")
        .map(drop)
}

/// Sets the state of a version that is in this one. False: it is not.
async fn set_state(
    tx: &mut Tx,
    rotation: &Rotation,
    version: i64,
    to: &str,
    from: &str,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE credential_versions SET state = $4
         WHERE connection_id = $1 AND credential = $2 AND version = $3 AND state = $5",
    )
    .bind(rotation.connection.as_str())
    .bind(&rotation.credential)
    .bind(version)
    .bind(to)
    .bind(from)
    .execute(&mut **tx)
    .await
    .doing("change the state of a version")?;
    Ok(done.rows_affected() == 1)
}

async fn journal(
    tx: &mut Tx,
    rotation: &RotationId,
    state: RotationState,
    held: Option<&Lease>,
    note: &str,
) -> Result<(), Error> {
    sqlx::query(concat!(
        "INSERT INTO rotation_journal (rotation_id, sequence, at, state, run_id, attempt, note)
         SELECT $1, COALESCE(MAX(sequence), 0) + 1, ",
        now!(),
        ", $2, $3, $4, $5 FROM rotation_journal WHERE rotation_id = $1"
    ))
    .bind(rotation.as_str())
    .bind(state.as_str())
    .bind(held.map(|held| held.run.as_str()))
    .bind(held.map(|held| held.attempt))
    .bind(note)
    .execute(&mut **tx)
    .await
    .doing("write a rotation's journal")
    .map(drop)
}

fn state_from(text: String) -> Result<RotationState, Error> {
    RotationState::stored(&text)
        .ok_or_else(|| Error::Corrupt { what: format!("a rotation's state is \"{text}\"") })
}

fn rotation_from(row: &Row) -> Result<Rotation, Error> {
    const DOING: &str = "read a rotation";
    let text = |column: &str| row.try_get::<String, _>(column).doing(DOING);
    let failure: Option<String> = row.try_get("failure").doing(DOING)?;
    Ok(Rotation {
        id: RotationId::stored(text("id")?),
        connection: ConnectionId::stored(text("connection_id")?),
        credential: text("credential")?,
        mode: from_json(&text("mode")?, "a mode")?,
        base_version: row.try_get("base_version").doing(DOING)?,
        new_version: row.try_get("new_version").doing(DOING)?,
        state: state_from(text("state")?)?,
        run: row.try_get::<Option<String>, _>("run_id").doing(DOING)?.map(RunId::stored),
        failure: failure.map(|text| from_json(&text, "a rotation's failure")).transpose()?,
        next_at: row.try_get("next_at").doing(DOING)?,
        created_at: row.try_get("created_at").doing(DOING)?,
        ended_at: row.try_get("ended_at").doing(DOING)?,
    })
}
