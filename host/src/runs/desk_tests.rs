//! Sessions at the desk: turns, what is kept, and what is thrown away.

use super::*;
use crate::model::connection::{ConnectionState, TlsTrust};
use jackfield_plugin::contract::http::{CaptureFrom, Keep};
use serde_json::json;

/// A desk without secret settings, over a database in a folder that goes away.
async fn desk() -> (Desk, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("jackfield.db")).await.unwrap();
    let connection = Connection {
        id: ConnectionId::random(),
        name: "EU".to_owned(),
        description: String::new(),
        connector: "example".to_owned(),
        settings: serde_json::Map::new(),
        max_parallel: 4,
        accepted_hosts: Vec::new(),
        tls: TlsTrust::default(),
        state: ConnectionState::Ready,
        draft_of: None,
        created_at: 0,
        updated_at: 0,
        last_refresh_at: None,
        last_refresh_run: None,
    };
    store.insert_connection(&connection).await.unwrap();
    (desk_at(store, DataKey::generate(), connection.id, "run"), folder)
}

/// The same desk in a later run.
fn later(desk: &Desk) -> Desk {
    desk_at(desk.store.clone(), desk.key.clone(), desk.connection.clone(), "later run")
}

fn desk_at(store: Store, key: DataKey, connection: ConnectionId, holder: &str) -> Desk {
    let description = json!({
        "id": "example", "display_name": "Example", "version": "1", "needs": "1.0", "settings": {}, "default_cap": 4,
    });
    let (description, scrubber) = (serde_json::from_value(description).unwrap(), Scrubber::new());
    Desk {
        handles: Handles::new(&description, Vec::new(), scrubber.clone()),
        scrubber,
        install: store.install_id().to_owned(),
        store,
        key,
        connection,
        holder: holder.to_owned(),
        present: BTreeSet::new(),
        origins: BTreeMap::new(),
        belonging: BTreeSet::from(["https://example.test".to_owned()]),
        versions: BTreeMap::new(),
        sessions: Mutex::default(),
        bell: Notify::new(),
    }
}

/// A session's opening; `turn` as it was given.
async fn open(desk: &Desk, turn: u64) -> Result<SessionState, Failure> {
    let open = SessionOpen { name: "session".to_owned(), credential: "key".to_owned(), turn };
    tokio::time::timeout(Duration::from_secs(10), desk.open_session(open)).await.expect("it hangs")
}

/// Captures the session, with facts as they came.
async fn capture(desk: &Desk, value: &str, facts: Value) {
    let keep = Keep { credential: "key".to_owned(), default_seconds: 60, ..Keep::default() };
    let from = CaptureFrom::Json { pointer: "/token".to_owned() };
    let capture = Capture { from, name: "session".to_owned(), keep: Some(keep) };
    let kept = KeptFacts { lifetime: Duration::from_secs(60), facts };
    let origin = "https://example.test".parse().unwrap();
    SlotSource::capture(desk, &capture, SecretValue::new(value), &origin, Some(kept)).await.unwrap();
}

#[tokio::test]
async fn what_is_kept_with_a_session_holds_no_secrets() {
    let (desk, _folder) = desk().await;
    desk.scrubber.learn(&SecretValue::new("s3cret-setting"));
    capture(&desk, "the-token", json!({"/copy": "the-token", "/echo": ["Bearer s3cret-setting"], "/id": 7}))
        .await;
    let clean = json!({"/copy": "«secret»", "/echo": ["Bearer «secret»"], "/id": 7});
    assert_eq!(desk.store.session(&desk.connection, "session").await.unwrap().unwrap().facts, clean);
    assert_eq!(open(&desk, 0).await.unwrap().facts, clean);
}

#[tokio::test]
async fn what_was_kept_is_scrubbed_when_it_is_opened() {
    let (desk, _folder) = desk().await;
    capture(&desk, "the-token", json!({})).await;
    // As an earlier version kept them.
    let mut kept = desk.store.session(&desk.connection, "session").await.unwrap().unwrap();
    kept.facts = json!({"/copy": "the-token"});
    desk.store.put_session(&desk.connection, &kept, "run").await.unwrap();
    let later = later(&desk);
    for _ in 0..2 {
        assert_eq!(open(&later, 0).await.unwrap().facts, json!({"/copy": "«secret»"}));
    }
}

#[tokio::test]
async fn signing_in_without_a_capture_fails_at_once() {
    let (desk, _folder) = desk().await;
    let turn = open(&desk, 0).await.unwrap().turn;
    let waits = open(&desk, 0);
    let fails = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        open(&desk, turn).await
    };
    let (waits, failed) = futures_util::future::join(waits, fails).await;
    assert_eq!(failed.unwrap_err().message, "signing in did not capture the session \"session\"");
    let next = waits.unwrap();
    assert!(!next.ready && next.turn != turn, "another caller may try");
    capture(&desk, "the-token", json!({"/user": "Ada"})).await;
    let got = open(&desk, next.turn).await.unwrap();
    assert!(got.ready && got.facts["/user"] == "Ada");
}

#[tokio::test]
async fn a_session_that_is_closed_is_thrown_away() {
    let (desk, _folder) = desk().await;
    let turn = open(&desk, 0).await.unwrap().turn;
    capture(&desk, "the-token", json!({"/user": "Ada"})).await;
    assert!(open(&desk, turn).await.unwrap().ready);
    desk.close_session("session".to_owned()).await.unwrap();
    assert!(desk.handles.captured("session").is_none());
    assert_eq!(desk.store.session(&desk.connection, "session").await.unwrap(), None);
    let next = open(&desk, 0).await.unwrap();
    assert!(!next.ready && next.facts.is_null());
    desk.close_session("session".to_owned()).await.unwrap();

    // One of an earlier run.
    capture(&desk, "the-token", json!({})).await;
    let later = later(&desk);
    later.close_session("session".to_owned()).await.unwrap();
    assert!(!open(&later, 0).await.unwrap().ready);
}

#[tokio::test]
async fn a_session_of_an_origin_that_is_none_any_more_is_thrown_away() {
    let (desk, _folder) = desk().await;
    capture(&desk, "the-token", json!({})).await;
    let mut moved = later(&desk);
    moved.belonging = BTreeSet::from(["https://elsewhere.test".to_owned()]);
    assert!(
        !open(&moved, 0).await.unwrap().ready,
        "it would be shown to nobody and keep a new one from being got"
    );
    assert_eq!(desk.store.session(&desk.connection, "session").await.unwrap(), None);
}

#[test]
fn a_connections_origins_are_those_of_its_settings_and_those_that_were_accepted() {
    let origins = [("server".to_owned(), "https://qlik.example/".parse().unwrap(), vec![4242, 443])];
    let found = belonging(&origins, &["https://fixed.example".to_owned(), "no URL".to_owned()]);
    let found: Vec<_> = found.into_iter().collect();
    assert_eq!(found, ["https://fixed.example", "https://qlik.example", "https://qlik.example:4242"]);
}

#[tokio::test]
async fn giving_a_turn_up_throws_nothing_away() {
    let (desk, _folder) = desk().await;
    assert!(!open(&desk, 0).await.unwrap().ready);
    // Meanwhile another process has got it, after its claim ran out here.
    capture(&later(&desk), "the-token", json!({"/user": "Ada"})).await;
    desk.close_session("session".to_owned()).await.unwrap();
    assert_eq!(open(&desk, 0).await.unwrap().facts, json!({"/user": "Ada"}));
}
