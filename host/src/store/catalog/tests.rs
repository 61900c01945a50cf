//! Tests of the catalog.

use super::super::testing::{Fresh, LONG, object, remembered, run};
use super::super::{Error, Lease, Store};
use super::{Diff, Generation, KindSwap};
use crate::model::id::ConnectionId;
use crate::model::run::{Ending, Hook, RunState};
use jackfield_plugin::contract::catalog::{Link, Object};
use serde_json::json;

async fn staged(store: &Store, held: &Lease, id: &ConnectionId, objects: &[Object]) -> Generation {
    let mut generation = store.begin_generation(held, id, "app").await.unwrap();
    store.stage(&mut generation, objects).await.unwrap();
    generation
}

/// A whole refresh that finds exactly these.
async fn complete(fresh: &Fresh, id: &ConnectionId, objects: &[Object]) -> Diff {
    let held = fresh.refresh(id).await;
    let mut generation = staged(&fresh.store, &held, id, objects).await;
    let diff = fresh.store.diff(id, "app", &mut generation).await.unwrap();
    let swap = KindSwap::Complete { generation, change: diff.change("app") };
    assert!(finish(&fresh.store, &held, id, swap).await);
    diff
}

async fn finish(store: &Store, held: &Lease, id: &ConnectionId, swap: KindSwap) -> bool {
    let swaps = [("app".to_owned(), swap)];
    store
        .finish_refresh(held, id, &json!({"ok": true}), &swaps, remembered(&[("mark".to_owned(), json!(7))]))
        .await
        .unwrap()
}

async fn names(store: &Store, id: &ConnectionId) -> Vec<String> {
    let objects = store.objects(id, "app", None, 1000, 0).await.unwrap();
    objects.into_iter().map(|object| format!("{}={}", object.id, object.name)).collect()
}

#[tokio::test]
async fn nothing_is_seen_before_the_swap_and_all_after_it() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let held = fresh.refresh(&id).await;
    let mut apps = vec![object("b", "Bee"), object("a", "Ant")];
    apps[0].links = vec![Link { relation: "owner".into(), kind: "user".into(), id: "u1".into() }];
    apps[1].attributes = r#"{"size":3}"#.to_owned();
    let mut generation = staged(store, &held, &id, &apps).await;
    assert!(names(store, &id).await.is_empty() && store.kinds(&id).await.unwrap().is_empty());
    let diff = store.diff(&id, "app", &mut generation).await.unwrap();
    assert_eq!(diff, Diff { count: 2, added: 2, ..Diff::default() });
    let swap = KindSwap::Complete { generation, change: diff.change("app") };
    assert!(finish(store, &held, &id, swap.clone()).await);
    assert!(!finish(store, &held, &id, swap).await, "the run has ended");

    assert_eq!(names(store, &id).await, ["b=Bee", "a=Ant"]);
    let kinds = store.kinds(&id).await.unwrap();
    assert_eq!((kinds.len(), kinds[0].count, kinds[0].kept_reason.clone()), (1, 2, None));
    let bee = store.object(&id, "app", "b").await.unwrap().unwrap();
    assert_eq!(
        (bee.links.as_str(), bee.attributes.as_str()),
        (r#"[{"relation":"owner","kind":"user","id":"u1"}]"#, "{}")
    );
    assert_eq!(store.state(&id, "mark").await.unwrap(), Some(json!(7)));
    let connection = store.connection(&id).await.unwrap().unwrap();
    assert_eq!(connection.last_refresh_run, Some(held.run.clone()));
    assert_eq!(connection.last_refresh_at, Some(kinds[0].refreshed_at));
    let ended = store.run(&held.run).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.result), (RunState::Succeeded, Some(json!({"ok": true}))));
}

#[tokio::test]
async fn a_complete_refresh_tells_what_it_changed() {
    let fresh = Fresh::open().await;
    let id = fresh.connection("EU").await;
    complete(&fresh, &id, &[object("a", "Ant"), object("b", "Bee"), object("c", "Cow")]).await;
    let diff = complete(&fresh, &id, &[object("d", "Dog"), object("c", "Cow"), object("b", "Bear")]).await;
    assert_eq!(diff, Diff { count: 3, added: 1, changed: 1, removed: 1, duplicates: Vec::new() });
    assert_eq!(names(&fresh.store, &id).await, ["d=Dog", "c=Cow", "b=Bear"]);
    let diff = complete(&fresh, &id, &[]).await;
    assert_eq!((diff.count, diff.removed), (0, 3));
}

#[tokio::test]
async fn what_is_there_unchanged_is_not_written_again() {
    let fresh = Fresh::open().await;
    let id = fresh.connection("EU").await;
    let mut apps: Vec<_> = (0..3_000).map(|n| object(&n.to_string(), "x")).collect();
    let row_of = async |n: &str| {
        let row: (i64, i64) =
            sqlx::query_as("SELECT generation, position FROM catalog_objects WHERE id = $1 AND name = 'x'")
                .bind(n)
                .fetch_one(&fresh.store.pool)
                .await
                .unwrap();
        row
    };
    complete(&fresh, &id, &apps).await;
    let before = row_of("2999").await;
    assert_eq!(complete(&fresh, &id, &apps).await, Diff { count: 3_000, ..Diff::default() });
    assert_eq!(rows(&fresh.store).await, 3_000);
    apps[7].name = "another".to_owned();
    apps.remove(1_500);
    apps.insert(2_000, object("new", "x"));
    let diff = complete(&fresh, &id, &apps).await;
    assert_eq!(diff, Diff { count: 3_000, added: 1, changed: 1, removed: 1, duplicates: Vec::new() });
    assert_eq!(rows(&fresh.store).await, 3_002, "two were staged");
    assert_eq!(row_of("2999").await, before, "what is the same stays where it is");
    let ids = fresh.store.objects(&id, "app", None, 5_000, 0).await.unwrap().into_iter().map(|o| o.id);
    assert!(ids.eq(apps.into_iter().map(|app| app.id)));
    fresh.store.collect_garbage(u64::MAX).await.unwrap();
    assert_eq!(rows(&fresh.store).await, 3_000);
}

#[tokio::test]
async fn duplicates_are_named() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let held = fresh.refresh(&id).await;
    let twice: Vec<_> = ["x", "a", "x", "y", "y", "x"].map(|id| object(id, id)).to_vec();
    let mut generation = staged(store, &held, &id, &twice).await;
    let diff = store.diff(&id, "app", &mut generation).await.unwrap();
    assert_eq!((diff.count, diff.duplicates), (3, vec!["x".to_owned(), "y".to_owned()]));
}

#[tokio::test]
async fn kept_kinds_keep_their_objects_and_their_age() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    complete(&fresh, &id, &[object("a", "Ant")]).await;
    let before = store.kinds(&id).await.unwrap().remove(0);
    let held = fresh.refresh(&id).await;
    let thrown_away = staged(store, &held, &id, &[object("z", "Zoo")]).await;
    drop(thrown_away);
    let kept = |reason: &str| KindSwap::Kept { reason: reason.to_owned() };
    let swaps = [("app".to_owned(), kept("403")), ("user".to_owned(), kept("no right"))];
    assert!(
        store
            .finish_refresh(&held, &id, &json!({}), &swaps, remembered(&[("mark".to_owned(), json!(null))]))
            .await
            .unwrap()
    );
    let kinds = store.kinds(&id).await.unwrap();
    assert_eq!(kinds[0].kept_reason.as_deref(), Some("403"));
    assert_eq!((kinds[0].count, kinds[0].refreshed_at), (1, before.refreshed_at));
    assert_eq!((kinds[1].count, kinds[1].refreshed_at), (0, 0));
    assert_eq!(names(store, &id).await, ["a=Ant"]);
    assert_eq!(store.state(&id, "mark").await.unwrap(), None, "null removes");
    complete(&fresh, &id, &[object("a", "Ant")]).await;
    assert_eq!(store.kinds(&id).await.unwrap()[0].kept_reason, None);
}

#[tokio::test]
async fn a_delta_changes_only_what_it_names() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    // The first delta meets nothing.
    let held = fresh.refresh(&id).await;
    let generation = staged(store, &held, &id, &["a", "b", "c", "d", "a"].map(|id| object(id, id))).await;
    let swap = KindSwap::Delta { generation: Some(generation), deleted: Vec::new() };
    assert!(finish(store, &held, &id, swap).await);
    assert_eq!(names(store, &id).await, ["b=b", "c=c", "d=d", "a=a"]);

    let held = fresh.refresh(&id).await;
    let puts =
        [object("b", "Bear"), object("e", "old"), object("c", "c"), object("e", "Eel"), object("f", "f")];
    let mut generation = staged(store, &held, &id, &puts).await;
    let deleted = ["d", "f", "unknown"].map(str::to_owned).to_vec();
    let diff = store.diff_delta(&id, "app", Some(&mut generation), &deleted).await.unwrap();
    assert_eq!(diff, Diff { count: 4, added: 1, changed: 1, removed: 1, duplicates: Vec::new() });
    assert_eq!(names(store, &id).await, ["b=b", "c=c", "d=d", "a=a"]);
    assert!(finish(store, &held, &id, KindSwap::Delta { generation: Some(generation), deleted }).await);
    assert_eq!(names(store, &id).await, ["a=a", "b=Bear", "c=c", "e=Eel"]);
    assert_eq!(store.kinds(&id).await.unwrap()[0].count, 4);

    let held = fresh.refresh(&id).await;
    assert!(
        finish(store, &held, &id, KindSwap::Delta { generation: None, deleted: vec!["a".to_owned()] }).await
    );
    assert_eq!(names(store, &id).await, ["b=Bear", "c=c", "e=Eel"]);
    store.collect_garbage(u64::MAX).await.unwrap();
    assert_eq!(rows(store).await, 3, "only what is seen is left");
}

async fn rows(store: &Store) -> i64 {
    let (rows,) =
        sqlx::query_as("SELECT COUNT(*) FROM catalog_objects").fetch_one(&store.pool).await.unwrap();
    rows
}

#[tokio::test]
async fn garbage_is_what_nobody_points_at_and_nobody_stages() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let many: Vec<_> = (0..130).map(|n| object(&n.to_string(), "x")).collect();
    let others: Vec<_> = (0..120).map(|n| object(&format!("other {n}"), "x")).collect();
    complete_whole(&fresh, &id, &many).await;
    complete_whole(&fresh, &id, &others).await;
    let held = fresh.refresh(&id).await;
    let mut generation = staged(store, &held, &id, &many[..7]).await;
    assert_eq!(rows(store).await, 130 + 120 + 7);
    assert_eq!(store.collect_garbage(0).await.unwrap(), 0);
    assert_eq!(store.collect_garbage(u64::MAX).await.unwrap(), 130);
    store.stage(&mut generation, &many[7..9]).await.unwrap();
    assert_eq!(generation.staged(), 9);
    store.finish_run(&held, &Ending::Cancelled).await.unwrap();
    assert!(matches!(store.stage(&mut generation, &many[9..]).await, Err(Error::Lost { .. })));
    assert_eq!(store.collect_garbage(u64::MAX).await.unwrap(), 9);
    store.delete_connection(&id).await.unwrap();
    assert_eq!(store.collect_garbage(u64::MAX).await.unwrap(), 120);
    assert_eq!(rows(store).await, 0);
}

/// A refresh whose list is a generation of its own, as if nothing could be followed.
async fn complete_whole(fresh: &Fresh, id: &ConnectionId, objects: &[Object]) {
    let held = fresh.refresh(id).await;
    let mut generation = staged(&fresh.store, &held, id, objects).await;
    fresh.store.make_whole(&mut generation).await.unwrap();
    let change = fresh.store.diff(id, "app", &mut generation).await.unwrap().change("app");
    assert!(finish(&fresh.store, &held, id, KindSwap::Complete { generation, change }).await);
}

#[tokio::test]
async fn what_another_attempt_or_kind_staged_is_refused() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let other = fresh.connection("US").await;
    let held = fresh.refresh(&id).await;
    let generation = staged(store, &held, &id, &[object("a", "Ant")]).await;
    let change = Diff::default().change("user");
    let swaps =
        [("user".to_owned(), KindSwap::Complete { generation: generation.clone(), change: change.clone() })];
    assert!(store.finish_refresh(&held, &id, &json!({}), &swaps, remembered(&[])).await.is_err());
    assert_eq!(store.run(&held.run).await.unwrap().unwrap().state, RunState::Running, "all or nothing");
    let swaps = [("app".to_owned(), KindSwap::Complete { generation, change })];
    assert!(store.finish_refresh(&held, &other, &json!({}), &swaps, remembered(&[])).await.is_err());
    assert!(store.kinds(&id).await.unwrap().is_empty() && store.kinds(&other).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refresh_that_was_taken_over_cannot_swap() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    complete(&fresh, &id, &[object("a", "Ant")]).await;
    let asked = run(&id, Hook::Refresh);
    store.insert_run(&asked).await.unwrap();
    let stale = store.claim_run(&asked.id, "one", std::time::Duration::ZERO).await.unwrap().unwrap();
    let mut generation = staged(store, &stale, &id, &[object("z", "Zoo")]).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(store.requeue_run(&store.expired_runs().await.unwrap()[0]).await.unwrap());
    store.claim_run(&asked.id, "two", LONG).await.unwrap().unwrap();
    let change = store.diff(&id, "app", &mut generation).await.unwrap().change("app");
    assert!(!finish(store, &stale, &id, KindSwap::Complete { generation, change }).await);
    assert_eq!(names(store, &id).await, ["a=Ant"]);
    assert_eq!(store.collect_garbage(u64::MAX).await.unwrap(), 1);
}

#[tokio::test]
async fn objects_are_searched_and_paged() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let apps =
        [object("1", "Ölpreise [EU]"), object("2", "Sales*"), object("ölig", "x"), object("4", "sales")];
    complete(&fresh, &id, &apps).await;
    let found = async |search: &str| {
        let objects = store.objects(&id, "app", Some(search), 10, 0).await.unwrap();
        let count = store.count_objects(&id, "app", Some(search)).await.unwrap();
        assert_eq!(i64::try_from(objects.len()).unwrap(), count);
        objects.into_iter().map(|object| object.id).collect::<Vec<_>>()
    };
    assert_eq!(found("ÖL").await, ["1", "ölig"]);
    assert_eq!(found("[eu]").await, ["1"]);
    assert_eq!(found("SALES").await, ["2", "4"]);
    assert_eq!(found("sales*").await, ["2"]);
    assert_eq!(found("?").await, [""; 0]);
    assert_eq!(store.count_objects(&id, "app", None).await.unwrap(), 4);
    assert_eq!(store.count_objects(&id, "none", None).await.unwrap(), 0);
    let page = store.objects(&id, "app", None, 2, 1).await.unwrap();
    assert_eq!((page[0].id.as_str(), page[1].id.as_str(), page.len()), ("2", "ölig", 2));
}

#[tokio::test]
async fn texts_are_stored_as_they_are() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let strange =
        ["a\0b", "12", "007", "null", "\"quoted\" \\ \u{1F600}\u{7f}\n", "{\"a\":1}", "", "1e3", "true"];
    let mut objects = strange.map(|text| object(text, text)).to_vec();
    for object in &mut objects {
        (object.parent, object.modified) = (Some(object.id.clone()), Some(object.id.clone()));
    }
    objects.push(object("bare", "bare"));
    assert_eq!(complete(&fresh, &id, &objects).await.added, 10);
    let stored = store.objects(&id, "app", None, 100, 0).await.unwrap();
    for (object, stored) in objects.iter().zip(&stored) {
        assert_eq!((&object.id, &object.name), (&stored.id, &stored.name));
        assert_eq!((&object.parent, &object.modified), (&stored.parent, &stored.modified));
        assert_eq!(store.object(&id, "app", &object.id).await.unwrap().as_ref(), Some(stored));
    }
    assert_eq!(complete(&fresh, &id, &objects).await, Diff { count: 10, ..Diff::default() });
    assert_eq!(rows(store).await, 10, "each is known again");
}
