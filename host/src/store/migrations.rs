//! Migrations, as people plan them. What brings the database itself up to date stands in `schema.rs`.

use super::error::{Doing, is_foreign_key_violation, is_unique_violation};
use super::sqlite::{Db, Row};
use super::{Error, Store};
use crate::model::id::{ConnectionId, MigrationId};
use crate::model::migration::{Migration, Side, Use};
use crate::model::name::folded;
use sqlx::Row as _;

impl Store {
    /// Stores a new migration.
    pub async fn insert_migration(&self, migration: &Migration) -> Result<(), Error> {
        let result = sqlx::query(
            "INSERT INTO migrations (id, name, name_folded, description, source_id, target_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(migration.id.as_str())
        .bind(&migration.name)
        .bind(folded(&migration.name))
        .bind(&migration.description)
        .bind(migration.source.as_str())
        .bind(migration.target.as_str())
        .bind(migration.created_at)
        .execute(&self.pool)
        .await;
        match result {
            Err(e) if is_unique_violation(&e) => {
                Err(Error::NameTaken { noun: "migration", name: migration.name.clone() })
            }
            Err(e) if is_foreign_key_violation(&e) => {
                Err(Error::Gone { what: format!("a connection of \"{}\"", migration.name) })
            }
            other => other.doing("save a migration").map(drop),
        }
    }

    /// The migration of this name, without regard to case.
    pub async fn migration_by_name(&self, name: &str) -> Result<Option<Migration>, Error> {
        let row = sqlx::query("SELECT * FROM migrations WHERE name_folded = $1")
            .bind(folded(name))
            .fetch_optional(&self.pool)
            .await
            .doing("read a migration")?;
        row.map(|row| migration_from(&row)).transpose()
    }

    /// All migrations, by name.
    pub async fn migrations(&self) -> Result<Vec<Migration>, Error> {
        let rows = sqlx::query("SELECT * FROM migrations ORDER BY name_folded")
            .fetch_all(&self.pool)
            .await
            .doing("read the migrations")?;
        rows.iter().map(migration_from).collect()
    }

    /// The migrations that use a connection, by name.
    pub async fn uses_of(&self, connection: &ConnectionId) -> Result<Vec<Use>, Error> {
        uses_of(&self.pool, connection).await
    }

    /// Deletes a migration; its connections stay.
    pub async fn delete_migration(&self, migration: &Migration) -> Result<(), Error> {
        let deleted = sqlx::query("DELETE FROM migrations WHERE id = $1")
            .bind(migration.id.as_str())
            .execute(&self.pool)
            .await
            .doing("delete a migration")?;
        match deleted.rows_affected() {
            0 => Err(Error::Gone { what: format!("the migration \"{}\"", migration.name) }),
            _ => Ok(()),
        }
    }
}

/// The migrations that use a connection, by name.
pub(super) async fn uses_of(
    executor: impl sqlx::Executor<'_, Database = Db>,
    connection: &ConnectionId,
) -> Result<Vec<Use>, Error> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "SELECT name, source_id = $1 FROM migrations WHERE source_id = $1 OR target_id = $1 ORDER BY name_folded",
    )
    .bind(connection.as_str())
    .fetch_all(executor)
    .await
    .doing("read the migrations of a connection")?;
    let side = |is_source| if is_source { Side::Source } else { Side::Target };
    Ok(rows.into_iter().map(|(migration, is_source)| Use { migration, side: side(is_source) }).collect())
}

fn migration_from(row: &Row) -> Result<Migration, Error> {
    const DOING: &str = "read a migration";
    let text = |column: &str| row.try_get::<String, _>(column).doing(DOING);
    Ok(Migration {
        id: MigrationId::stored(text("id")?),
        name: text("name")?,
        description: text("description")?,
        source: ConnectionId::stored(text("source_id")?),
        target: ConnectionId::stored(text("target_id")?),
        created_at: row.try_get("created_at").doing(DOING)?,
    })
}
