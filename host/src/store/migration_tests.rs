//! Tests of migrations: their names, and what they keep from being deleted.

use super::Error;
use super::testing::{Fresh, connection, run};
use crate::model::connection::ConnectionState;
use crate::model::id::{ConnectionId, MigrationId};
use crate::model::migration::{Migration, Side, Use};
use crate::model::run::{Hook, RunState};

fn migration(name: &str, source: &ConnectionId, target: &ConnectionId) -> Migration {
    Migration {
        id: MigrationId::random(),
        name: name.to_owned(),
        description: "notes".to_owned(),
        source: source.clone(),
        target: target.clone(),
        created_at: 7,
    }
}

#[tokio::test]
async fn names_are_unique_and_found_without_regard_to_case() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let (a, b) = (fresh.connection("A").await, fresh.connection("B").await);
    let first = migration("Übersee", &a, &b);
    store.insert_migration(&first).await.unwrap();
    let twin = migration(" ÜBERSEE ", &b, &a);
    let error = store.insert_migration(&twin).await.unwrap_err();
    assert!(matches!(error, Error::NameTaken { noun: "migration", .. }), "{error}");
    store.insert_migration(&migration("again", &a, &b)).await.unwrap();
    assert_eq!(store.migration_by_name("übersee").await.unwrap(), Some(first.clone()));
    let names: Vec<_> = store.migrations().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["again", "Übersee"]);
    store.delete_migration(&first).await.unwrap();
    assert!(matches!(store.delete_migration(&first).await, Err(Error::Gone { .. })));
    assert_eq!(store.migration_by_name("übersee").await.unwrap(), None);
}

#[tokio::test]
async fn a_connection_in_use_is_not_deleted_and_its_runs_are_left_alone() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let (a, b) = (fresh.connection("A").await, fresh.connection("B").await);
    let migrations = [migration("one", &a, &b), migration("two", &b, &a)];
    for migration in &migrations {
        store.insert_migration(migration).await.unwrap();
    }
    let queued = run(&a, Hook::Refresh);
    store.insert_run(&queued).await.unwrap();
    let used = |migration: &str, side| Use { migration: migration.to_owned(), side };
    let expected = [used("one", Side::Source), used("two", Side::Target)];
    let Err(Error::Used { uses }) = store.delete_connection(&a).await else { panic!("it was deleted") };
    assert_eq!(uses, expected);
    assert_eq!(store.uses_of(&a).await.unwrap(), expected);
    assert_eq!(store.run(&queued.id).await.unwrap().unwrap().state, RunState::Queued);

    for migration in &migrations {
        store.delete_migration(migration).await.unwrap();
    }
    assert!(matches!(store.delete_connection(&a).await, Err(Error::RunActive { .. })));
    store.delete_connection(&b).await.unwrap();
    assert_eq!(store.connection(&b).await.unwrap(), None);
}

#[tokio::test]
async fn the_database_itself_refuses_an_orphan_and_a_circle() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let (a, b) = (fresh.connection("A").await, fresh.connection("B").await);
    let error = store.insert_migration(&migration("circle", &a, &a)).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let error = store.insert_migration(&migration("orphan", &a, &ConnectionId::random())).await.unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
    store.insert_migration(&migration("one", &a, &b)).await.unwrap();
    let deleted = sqlx::query("DELETE FROM connections").execute(&store.pool).await;
    assert!(deleted.is_err(), "a migration has lost its connections");
    assert_eq!(store.connections(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_edit_leaves_migrations_as_they_are() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let (a, b) = (fresh.connection("A").await, fresh.connection("B").await);
    store.insert_migration(&migration("one", &a, &b)).await.unwrap();
    let mut draft = connection("A", ConnectionState::Draft);
    draft.draft_of = Some(a.clone());
    store.insert_connection(&draft).await.unwrap();
    let mut edited = store.connection(&a).await.unwrap().unwrap();
    edited.name = "Alpha".to_owned();
    let edit = super::Edit {
        connection: &edited,
        draft: &draft.id,
        read_at: edited.updated_at,
        moved: true,
        credentials: &[],
        dropped: &[],
    };
    store.save_edit(&edit).await.unwrap();
    let found = store.migration_by_name("one").await.unwrap().unwrap();
    assert_eq!(store.connection(&found.source).await.unwrap().unwrap().name, "Alpha");
}
