//! Tests of opening: two at once, newer files, folders and disks that refuse.

use super::error::Doing;
use super::sqlite::STEPS;
use super::testing::{Fresh, LONG, connection, run};
use super::{Error, Store};
use crate::model::connection::ConnectionState;
use crate::model::run::Hook;
use std::os::unix::fs::PermissionsExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jackfield.db");
    let openers: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Store::open(&path).await })
        })
        .collect();
    let mut ids = std::collections::HashSet::new();
    for opener in openers {
        ids.insert(opener.await.unwrap().unwrap().install_id().to_owned());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_two_handles_takes_up_each_run() {
    let fresh = Fresh::open().await;
    let other = Store::open(&fresh.path()).await.unwrap();
    for n in 0..20 {
        let id = fresh.connection(&format!("c{n}")).await;
        let asked = run(&id, Hook::Refresh);
        fresh.store.insert_run(&asked).await.unwrap();
        let (mine, theirs) = tokio::join!(
            fresh.store.claim_run(&asked.id, "one", LONG),
            other.claim_run(&asked.id, "two", LONG)
        );
        let (mine, theirs) = (mine.unwrap(), theirs.unwrap());
        assert!(mine.is_some() != theirs.is_some());
    }
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let fresh = Fresh::open().await;
    sqlx::query("INSERT INTO schema_versions VALUES (7, 0)").execute(&fresh.store.pool).await.unwrap();
    let error = Store::open(&fresh.path()).await.unwrap_err();
    assert!(matches!(error, Error::Newer { found: 7, known: 3, .. }));
    assert!(error.to_string().contains("newer Jackfield"));
}

/// What the database holds of itself: every table and index, as it was made.
async fn shape(store: &Store) -> Vec<(String, String)> {
    let query = "SELECT name, COALESCE(sql, '') FROM sqlite_schema ORDER BY name";
    sqlx::query_as(query).fetch_all(&store.pool).await.expect("a database says what it holds")
}

#[tokio::test]
async fn an_older_database_gets_the_steps_that_it_lacks_and_keeps_what_it_holds() {
    let fresh = shape(&Fresh::open().await.store).await;
    for present in 1..STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jackfield.db");
        let old = sqlx::SqlitePool::connect_with(
            sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true),
        );
        let old = old.await.unwrap();
        let versions =
            "CREATE TABLE schema_versions (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)";
        sqlx::raw_sql(versions).execute(&old).await.unwrap();
        for (number, step) in &STEPS[..present] {
            sqlx::raw_sql(*step).execute(&old).await.unwrap();
            let noted = sqlx::query("INSERT INTO schema_versions VALUES ($1, 0)").bind(number);
            noted.execute(&old).await.unwrap();
        }
        sqlx::raw_sql("INSERT INTO meta VALUES ('install', 'of old')").execute(&old).await.unwrap();
        old.close().await;
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.install_id(), "of old");
        let names = |shape: &[(String, String)]| {
            shape.iter().filter(|(name, _)| name != "schema_versions").cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&shape(&store).await), names(&fresh), "from step {present}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jackfield.db");
    std::fs::write(&path, "this is not a database, it is a text of some length ".repeat(40)).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    let error = Store::open(&folder.path().join("absent/jackfield.db")).await.unwrap_err().to_string();
    assert!(error.contains("folder does not exist"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_named_and_changes_nothing() {
    let fresh = Fresh::open().await;
    // A limit on the pages stands for the disk; it holds per connection, so all of them get it.
    let store = &fresh.store;
    let mut connections = Vec::new();
    for _ in 0..4 {
        let mut connection = store.pool.acquire().await.unwrap();
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
        connections.push(connection);
    }
    drop(connections);
    let mut large = connection("EU", ConnectionState::Ready);
    large.description = "x".repeat(1 << 20);
    let error = store.insert_connection(&large).await.unwrap_err();
    assert!(matches!(error, Error::Full), "{error}");
    assert!(store.connections(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_read_only_folder_is_named() {
    let fresh = Fresh::open().await;
    let path = fresh.path();
    fresh.store.close().await;
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&path, 0o400);
    mode(fresh.folder.path(), 0o500);
    // Whoever may do everything is not refused.
    let refused = std::fs::OpenOptions::new().write(true).open(&path).is_err();
    let result = match Store::open(&path).await {
        Ok(store) => store.insert_connection(&connection("EU", ConnectionState::Ready)).await,
        Err(e) => Err(e),
    };
    mode(fresh.folder.path(), 0o700);
    if refused {
        let error = result.unwrap_err();
        assert!(error.to_string().contains("writable"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_named() {
    let fresh = Fresh::open().await;
    // What SQLite says of a read-only file, also to somebody who may write everywhere.
    let mut connection = fresh.store.bulk.acquire().await.unwrap();
    sqlx::raw_sql("PRAGMA query_only = ON").execute(&mut *connection).await.unwrap();
    let result = sqlx::query("DELETE FROM meta").execute(&mut *connection).await;
    let error = result.doing("try").unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error}");
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_is_in_nobodys_way() {
    let fresh = Fresh::open().await;
    let mut tx = fresh.store.write().await.unwrap();
    // As a full disk does it.
    sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
    drop(tx);
    for n in 0..5 {
        fresh.connection(&format!("c{n}")).await;
        fresh.store.write().await.unwrap();
    }
}
