//! Reading the catalog. Each answer is one statement, so it never mixes two generations.

use super::super::error::Doing;
use super::super::sqlite::{Row, containing, like};
use super::super::{Error, Store};
use crate::model::catalog::{KindSummary, StoredObject};
use crate::model::id::ConnectionId;
use sqlx::Row as _;

/// The rows of a kind (`$1`, `$2`) that contain a pattern (`$3`) in name or id.
macro_rules! matching {
    () => {
        concat!(
            " FROM catalog_objects WHERE generation =
                  (SELECT generation FROM catalog_kinds WHERE connection_id = $1 AND kind = $2)
              AND (CAST($3 AS TEXT) IS NULL OR name",
            like!(),
            "$3 OR id",
            like!(),
            "$3)"
        )
    };
}

impl Store {
    /// The kinds of a connection, by name.
    pub async fn kinds(&self, connection: &ConnectionId) -> Result<Vec<KindSummary>, Error> {
        let rows: Vec<(String, i64, i64, Option<String>)> = sqlx::query_as(
            "SELECT kind, count, refreshed_at, kept_reason FROM catalog_kinds WHERE connection_id = $1 ORDER BY kind",
        )
        .bind(connection.as_str())
        .fetch_all(&self.pool)
        .await
        .doing("read the catalog")?;
        Ok(rows
            .into_iter()
            .map(|(kind, count, refreshed_at, kept_reason)| KindSummary {
                kind,
                count,
                refreshed_at,
                kept_reason,
            })
            .collect())
    }

    /// Objects of one kind, in the order in which the remote side told them; with a search, those whose name or id contains
    /// it without regard to case.
    pub async fn objects(
        &self,
        connection: &ConnectionId,
        kind: &str,
        search: Option<&str>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<StoredObject>, Error> {
        let rows = sqlx::query(concat!("SELECT *", matching!(), " ORDER BY position LIMIT $4 OFFSET $5"))
            .bind(connection.as_str())
            .bind(kind)
            .bind(pattern(search))
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.pool)
            .await
            .doing("read objects")?;
        rows.iter().map(object_from).collect()
    }

    /// How many objects [`objects`](Store::objects) would find in all.
    pub async fn count_objects(
        &self,
        connection: &ConnectionId,
        kind: &str,
        search: Option<&str>,
    ) -> Result<i64, Error> {
        let query = match search.map(str::trim).filter(|text| !text.is_empty()) {
            Some(_) => sqlx::query_as(concat!("SELECT COUNT(*)", matching!())),
            // Readers need not count what is known.
            None => sqlx::query_as(
                "SELECT COALESCE(MAX(count), 0) FROM catalog_kinds
                 WHERE connection_id = $1 AND kind = $2 AND CAST($3 AS TEXT) IS NULL",
            ),
        };
        let (count,) = query
            .bind(connection.as_str())
            .bind(kind)
            .bind(pattern(search))
            .fetch_one(&self.pool)
            .await
            .doing("count objects")?;
        Ok(count)
    }

    /// One object.
    pub async fn object(
        &self,
        connection: &ConnectionId,
        kind: &str,
        id: &str,
    ) -> Result<Option<StoredObject>, Error> {
        let row = sqlx::query(
            "SELECT * FROM catalog_objects WHERE generation =
                 (SELECT generation FROM catalog_kinds WHERE connection_id = $1 AND kind = $2)
             AND id = $3 ORDER BY position LIMIT 1",
        )
        .bind(connection.as_str())
        .bind(kind)
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .doing("read an object")?;
        row.map(|row| object_from(&row)).transpose()
    }
}

fn pattern(search: Option<&str>) -> Option<String> {
    search.map(str::trim).filter(|text| !text.is_empty()).map(containing)
}

fn object_from(row: &Row) -> Result<StoredObject, Error> {
    const DOING: &str = "read an object";
    Ok(StoredObject {
        id: row.try_get("id").doing(DOING)?,
        name: row.try_get("name").doing(DOING)?,
        parent: row.try_get("parent").doing(DOING)?,
        modified: row.try_get("modified").doing(DOING)?,
        links: row.try_get("links").doing(DOING)?,
        attributes: row.try_get("attributes").doing(DOING)?,
    })
}
