//! Tests of everything but the catalog.

use super::testing::{Fresh, LONG, connection, remembered, run};
use super::{Beat, Edit, Error, KeptSession, NewEvent, Replacement, SealedField, Store};
use crate::model::connection::ConnectionState;
use crate::model::credential::{CredentialVersion, VersionState};
use crate::model::id::{ConnectionId, RunId};
use crate::model::run::{Ending, Hook, RunState};
use jackfield_plugin::contract::Failure;
use serde_json::json;
use std::time::Duration;

fn version(number: i64, state: VersionState) -> (CredentialVersion, Vec<SealedField>) {
    let credential = "key".to_owned();
    let field = SealedField {
        credential: credential.clone(),
        field: "value".to_owned(),
        version: number,
        purpose: "credential".to_owned(),
        blob: vec![u8::try_from(number).unwrap(); 3],
    };
    let version = CredentialVersion {
        credential,
        version: number,
        state,
        created_at: 5,
        expires_at: Some(99),
        remote_id: None,
        note: "from the vault".to_owned(),
    };
    (version, vec![field])
}

#[tokio::test]
async fn names_are_unique_among_ready_connections() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let first = connection("Ölmühle EU", ConnectionState::Ready);
    store.insert_connection(&first).await.unwrap();
    let mut twin = connection(" ölmühle eu ", ConnectionState::Ready);
    twin.connector = "another".to_owned();
    assert!(matches!(store.insert_connection(&twin).await, Err(Error::NameTaken { .. })));
    let draft = connection("ÖLMÜHLE EU", ConnectionState::Draft);
    store.insert_connection(&draft).await.unwrap();
    assert!(matches!(store.promote_draft(&draft.id, "ölmühle EU").await, Err(Error::NameTaken { .. })));
    store.promote_draft(&draft.id, "100 % other").await.unwrap();
    assert!(matches!(store.promote_draft(&draft.id, "again").await, Err(Error::Gone { .. })));

    assert_eq!(store.connection(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.connection_by_name("ÖLMÜHLE eu").await.unwrap(), Some(first.clone()));
    let names = |found: Vec<crate::model::connection::Connection>| {
        found.into_iter().map(|connection| connection.name).collect::<Vec<_>>()
    };
    assert_eq!(names(store.connections(None).await.unwrap()), ["100 % other", "Ölmühle EU"]);
    assert_eq!(names(store.connections(Some("MÜH")).await.unwrap()), ["Ölmühle EU"]);
    assert_eq!(names(store.connections(Some("%")).await.unwrap()), ["100 % other"]);

    let mut renamed = first;
    renamed.name = "100 % OTHER".to_owned();
    assert!(matches!(store.update_connection(&renamed).await, Err(Error::NameTaken { .. })));
    renamed.name = "New".to_owned();
    store.update_connection(&renamed).await.unwrap();
    assert_eq!(store.connection_by_name("new").await.unwrap(), Some(renamed));
}

#[tokio::test]
async fn an_edit_moves_credentials_along_and_empties_the_oldest() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let mut edited = connection("EU", ConnectionState::Ready);
    store.insert_connection(&edited).await.unwrap();
    let (first, fields) = version(1, VersionState::Current);
    store.put_credential(&edited.id, &first, &fields).await.unwrap();
    let session = kept(i64::MAX / 2);
    store.put_session(&edited.id, &session, "me").await.unwrap();

    for number in [2, 3] {
        let mut draft = connection("EU", ConnectionState::Draft);
        draft.draft_of = Some(edited.id.clone());
        store.insert_connection(&draft).await.unwrap();
        edited.description = format!("edit {number}");
        let credentials = [version(number, VersionState::Current)];
        store.save_edit(&edit(&edited, &draft.id, &credentials)).await.unwrap();
        assert_eq!(store.connection(&draft.id).await.unwrap(), None);
    }
    assert_eq!(store.connection(&edited.id).await.unwrap().unwrap().description, "edit 3");
    assert_eq!(store.session(&edited.id, "token").await.unwrap(), None);
    let states: Vec<_> =
        store.credentials(&edited.id).await.unwrap().into_iter().map(|v| (v.version, v.state)).collect();
    assert_eq!(states, [(3, VersionState::Current), (2, VersionState::Previous), (1, VersionState::Retired)]);
    assert_eq!(store.sealed_fields(&edited.id, VersionState::Current).await.unwrap()[0].blob, [3; 3]);
    assert_eq!(store.sealed_fields(&edited.id, VersionState::Previous).await.unwrap()[0].blob, [2; 3]);
    assert!(store.sealed_fields(&edited.id, VersionState::Retired).await.unwrap().is_empty());
}

fn edit<'a>(
    connection: &'a crate::model::connection::Connection,
    draft: &'a ConnectionId,
    credentials: &'a [(CredentialVersion, Vec<SealedField>)],
) -> Edit<'a> {
    Edit { connection, draft, read_at: connection.updated_at, moved: false, credentials, dropped: &[] }
}

#[tokio::test]
async fn an_edit_does_not_undo_what_somebody_else_changed() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let mut edited = connection("EU", ConnectionState::Ready);
    store.insert_connection(&edited).await.unwrap();
    let late = Edit { read_at: edited.updated_at - 1, ..edit(&edited, &edited.id, &[]) };
    assert!(matches!(store.save_edit(&late).await, Err(Error::Changed { .. })));
    edited.updated_at += 1;
    store.update_connection(&edited).await.unwrap();
}

#[tokio::test]
async fn what_belongs_to_another_address_is_forgotten_whether_in_use_or_not() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let edited = connection("EU", ConnectionState::Ready);
    store.insert_connection(&edited).await.unwrap();
    let (first, fields) = version(1, VersionState::Current);
    store.put_credential(&edited.id, &first, &fields).await.unwrap();
    store.put_session(&edited.id, &kept(i64::MAX / 2), "me").await.unwrap();
    let nobody = ConnectionId::random();
    store.save_edit(&Edit { moved: true, ..edit(&edited, &nobody, &[]) }).await.unwrap();
    for state in [VersionState::Current, VersionState::Previous, VersionState::Retired] {
        assert!(store.sealed_fields(&edited.id, state).await.unwrap().is_empty());
    }
    assert_eq!(store.credentials(&edited.id).await.unwrap()[0].state, VersionState::Retired);
    assert_eq!(store.session(&edited.id, "token").await.unwrap(), None);
}

#[tokio::test]
async fn an_edit_is_saved_whole_or_not_at_all() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let edited = connection("EU", ConnectionState::Ready);
    store.insert_connection(&edited).await.unwrap();
    let (first, fields) = version(1, VersionState::Current);
    store.put_credential(&edited.id, &first, &fields).await.unwrap();
    // The version is there already, so the edit fails at its last step.
    let changed = crate::model::connection::Connection { name: "US".to_owned(), ..edited.clone() };
    let nobody = ConnectionId::random();
    let credentials = [version(1, VersionState::Current)];
    store.save_edit(&edit(&changed, &nobody, &credentials)).await.unwrap_err();
    assert_eq!(store.connection(&edited.id).await.unwrap(), Some(edited.clone()));
    assert_eq!(store.credentials(&edited.id).await.unwrap()[0].state, VersionState::Current);
}

#[tokio::test]
async fn a_data_key_is_never_replaced() {
    let fresh = Fresh::open().await;
    let id = fresh.connection("EU").await;
    fresh.store.set_key_check_once("check").await.unwrap();
    assert!(fresh.store.put_data_key(&id, b"sealed", "check").await.unwrap());
    let error = fresh.store.put_data_key(&id, b"other", "check").await.unwrap_err().to_string();
    assert!(error.contains("already has one"), "{error}");
    assert_eq!(fresh.store.data_key(&id).await.unwrap().as_deref(), Some(&b"sealed"[..]));
}

#[tokio::test]
async fn no_data_key_is_taken_that_a_retiring_key_seals() {
    let fresh = Fresh::open().await;
    let (store, early, late) = (&fresh.store, fresh.connection("EU").await, fresh.connection("US").await);
    store.set_key_check_once("old").await.unwrap();
    assert!(store.put_data_key(&early, b"by old", "old").await.unwrap());
    assert!(!store.change_key_check("other", "new").await.unwrap());
    assert_eq!(
        (store.key_check().await.unwrap(), store.key_retiring().await.unwrap()),
        (Some("old".to_owned()), None)
    );
    assert!(store.change_key_check("old", "new").await.unwrap());
    assert!(!store.change_key_check("old", "new").await.unwrap());
    assert_eq!(store.key_retiring().await.unwrap().as_deref(), Some("old"));
    assert!(!store.put_data_key(&late, b"by old", "old").await.unwrap());
    assert_eq!(store.data_key(&late).await.unwrap(), None);
    assert!(store.put_data_key(&late, b"by new", "new").await.unwrap());
    // Each is replaced if it is still what was read.
    let replacement = |connection: &ConnectionId, before: &[u8]| Replacement {
        connection: connection.clone(),
        before: before.to_vec(),
        after: b"anew".to_vec(),
    };
    let both = [replacement(&early, b"by old"), replacement(&late, b"by old")];
    assert_eq!(store.replace_data_keys(&both).await.unwrap(), 1);
    let mut all = store.data_keys_after("", 10).await.unwrap();
    assert_eq!((all.len(), store.count_data_keys().await.unwrap()), (2, 2));
    assert_eq!(store.data_keys_after(all[0].0.as_str(), 10).await.unwrap(), [all.remove(1)]);
    assert_eq!(store.data_key(&early).await.unwrap().as_deref(), Some(&b"anew"[..]));
    assert_eq!(store.data_key(&late).await.unwrap().as_deref(), Some(&b"by new"[..]));
    store.forget_retiring_key().await.unwrap();
    assert_eq!(store.key_retiring().await.unwrap(), None);
}

#[tokio::test]
async fn deleting_a_connection_keeps_its_history() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    store.set_key_check_once("check").await.unwrap();
    assert!(store.put_data_key(&id, b"sealed", "check").await.unwrap());
    let (first, fields) = version(1, VersionState::Current);
    store.put_credential(&id, &first, &fields).await.unwrap();
    let held = fresh.refresh(&id).await;
    let event = NewEvent { at: 3, level: "info".to_owned(), message: "hello".to_owned() };
    store.append_events(&held.run, &[event.clone(), event]).await.unwrap();
    assert!(
        matches!(store.delete_connection(&id).await, Err(Error::RunActive { run }) if run.id == held.run)
    );
    store.finish_run(&held, &Ending::Cancelled).await.unwrap();
    store.delete_connection(&id).await.unwrap();
    assert_eq!(store.connection(&id).await.unwrap(), None);
    assert_eq!(store.data_key(&id).await.unwrap(), None);
    assert!(store.credentials(&id).await.unwrap().is_empty());
    assert!(store.sealed_fields(&id, VersionState::Current).await.unwrap().is_empty());
    let sequences: Vec<_> = store.events(&held.run).await.unwrap().into_iter().map(|e| e.sequence).collect();
    assert_eq!((store.runs(Some(&id), 10).await.unwrap().len(), sequences), (1, vec![1, 2]));
}

#[tokio::test]
async fn a_connection_has_one_active_run_per_hook() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    let held = fresh.refresh(&id).await;
    let second = run(&id, Hook::Refresh);
    let refused = store.insert_run(&second).await.unwrap_err();
    assert!(refused.to_string().contains(held.run.as_str()), "{refused}");
    assert!(
        matches!(refused, Error::RunActive { run } if run.id == held.run && run.state == RunState::Running)
    );
    store.insert_run(&run(&id, Hook::Test)).await.unwrap();
    assert!(store.finish_run(&held, &Ending::Succeeded(json!({"n": 1}))).await.unwrap());
    store.insert_run(&second).await.unwrap();
    assert!(matches!(store.insert_run(&second).await, Err(Error::RunActive { .. })));
    assert_eq!(store.runs_matching(&second.id.as_str()[..6]).await.unwrap(), [second]);
    assert_eq!(store.run(&held.run).await.unwrap().unwrap().result, Some(json!({"n": 1})));
}

#[tokio::test]
async fn a_stale_lease_changes_nothing() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    let asked = run(&id, Hook::Refresh);
    store.insert_run(&asked).await.unwrap();
    let stale = store.claim_run(&asked.id, "one", Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(store.claim_run(&asked.id, "two", LONG).await.unwrap(), None);
    tokio::time::sleep(Duration::from_millis(5)).await;

    let expired = store.expired_runs().await.unwrap();
    assert_eq!(expired.len(), 1);
    assert!(store.requeue_run(&expired[0]).await.unwrap());
    assert!(!store.requeue_run(&expired[0]).await.unwrap());
    assert!(!store.fail_expired_run(&expired[0], &Failure::jackfield("gone")).await.unwrap());
    // Queued again, nobody holds it; taken up again, the other one does.
    assert_eq!(store.heartbeat(&stale, LONG).await.unwrap(), Beat::Lost);
    let held = store.claim_run(&asked.id, "two", LONG).await.unwrap().unwrap();
    assert_eq!(held.attempt, stale.attempt + 1);
    let before = store.run(&asked.id).await.unwrap();
    assert_eq!(store.heartbeat(&stale, LONG).await.unwrap(), Beat::Lost);
    assert!(!store.finish_run(&stale, &Ending::Cancelled).await.unwrap());
    assert!(!store.set_run_log(&stale, "x.log").await.unwrap());
    assert!(!store.set_run_plugin(&stale, "x").await.unwrap());
    assert!(matches!(store.begin_generation(&stale, &id, "app").await, Err(Error::Lost { .. })));
    assert!(
        !store
            .finish_refresh(&stale, &id, &json!({}), &[], remembered(&[("k".to_owned(), json!(1))]))
            .await
            .unwrap()
    );
    assert_eq!(store.run(&asked.id).await.unwrap(), before);
    assert_eq!(store.state(&id, "k").await.unwrap(), None);
    // A lease that is held again is not abandoned any more.
    assert!(!store.requeue_run(&before.unwrap()).await.unwrap());
    assert_eq!(store.heartbeat(&held, LONG).await.unwrap(), Beat::Held);
}

#[tokio::test]
async fn state_is_kept_only_if_the_run_succeeds() {
    let fresh = Fresh::open().await;
    let (store, id) = (&fresh.store, fresh.connection("EU").await);
    let state = [("hook".to_owned(), json!("w1"))];
    let held = fresh.refresh(&id).await;
    let badly = Ending::Failed(Failure::remote("no"), Some(json!([])));
    assert!(store.finish_run_with_state(&held, &badly, &id, remembered(&state)).await.unwrap());
    assert_eq!(store.state(&id, "hook").await.unwrap(), None);
    assert_eq!(store.run(&held.run).await.unwrap().unwrap().failure, Some(Failure::remote("no")));
    let held = fresh.refresh(&id).await;
    let well = Ending::Succeeded(json!({}));
    assert!(store.finish_run_with_state(&held, &well, &id, remembered(&state)).await.unwrap());
    assert!(
        !store
            .finish_run_with_state(&held, &well, &id, remembered(&[("hook".to_owned(), json!(null))]))
            .await
            .unwrap()
    );
    let other = fresh.connection("US").await;
    store.copy_state(&id, &other).await.unwrap();
    assert_eq!(store.state(&other, "hook").await.unwrap(), Some(json!("w1")));
}

#[tokio::test]
async fn cancelling_ends_what_waits_and_tells_what_runs() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    let waiting = run(&id, Hook::Test);
    store.insert_run(&waiting).await.unwrap();
    assert_eq!(store.request_cancel(&waiting.id).await.unwrap(), Some(RunState::Cancelled));
    assert_eq!(store.request_cancel(&waiting.id).await.unwrap(), Some(RunState::Cancelled));
    assert!(store.run(&waiting.id).await.unwrap().unwrap().finished_at.is_some());
    let held = fresh.refresh(&id).await;
    assert_eq!(store.request_cancel(&held.run).await.unwrap(), Some(RunState::Running));
    assert_eq!(store.heartbeat(&held, Duration::ZERO).await.unwrap(), Beat::CancelRequested);
    assert_eq!(store.request_cancel(&RunId::random()).await.unwrap(), None);
    // Its driver died: it is not queued again.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let expired = store.expired_runs().await.unwrap();
    assert!(store.requeue_run(&expired[0]).await.unwrap());
    assert_eq!(store.run(&held.run).await.unwrap().unwrap().state, RunState::Cancelled);
}

#[tokio::test]
async fn pruning_keeps_the_newest_and_the_last_refresh() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    let mut ids = Vec::new();
    for at in 1..=4 {
        let mut old = run(&id, Hook::Refresh);
        (old.queued_at, old.state, old.log) = (at, RunState::Succeeded, Some(format!("{at}.log")));
        store.insert_run(&old).await.unwrap();
        ids.push(old.id);
    }
    store.note_refresh_run(&id, &ids[0]).await.unwrap();
    let mut logs = store.prune_runs(1).await.unwrap();
    logs.sort();
    assert_eq!(logs, ["2.log", "3.log"]);
    let left: Vec<_> = store.runs(None, 10).await.unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(left, [ids[3].clone(), ids[0].clone()]);
}

fn kept(expires_at: i64) -> KeptSession {
    KeptSession {
        name: "token".to_owned(),
        credential: "key".to_owned(),
        version: 1,
        origin: "https://example.test".to_owned(),
        blob: vec![1, 2],
        facts: json!({"scope": "all"}),
        expires_at,
    }
}

#[tokio::test]
async fn one_caller_fetches_a_session() {
    let fresh = Fresh::open().await;
    let store = &fresh.store;
    let id = fresh.connection("EU").await;
    assert!(store.claim_session(&id, "token", "one", LONG).await.unwrap());
    assert!(!store.claim_session(&id, "token", "two", LONG).await.unwrap());
    store.release_session(&id, "token", "two").await.unwrap();
    assert!(!store.claim_session(&id, "token", "two", LONG).await.unwrap());
    let session = kept(store.now().await.unwrap() + 60_000);
    store.put_session(&id, &session, "one").await.unwrap();
    assert_eq!(store.session(&id, "token").await.unwrap(), Some(session));
    assert!(store.claim_session(&id, "token", "two", Duration::ZERO).await.unwrap());
    store.drop_session(&id, "token").await.unwrap();
    assert_eq!(store.session(&id, "token").await.unwrap(), None);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(store.claim_session(&id, "token", "three", LONG).await.unwrap(), "the claim has expired");
    store.put_session(&id, &kept(1), "three").await.unwrap();
    assert_eq!(store.session(&id, "token").await.unwrap(), None, "expired");
    store.put_session(&id, &kept(i64::MAX / 2), "three").await.unwrap();
    store.drop_sessions(&id, Some("other")).await.unwrap();
    assert!(store.session(&id, "token").await.unwrap().is_some());
    store.drop_sessions(&id, None).await.unwrap();
    assert!(store.session(&id, "token").await.unwrap().is_none());
}

#[tokio::test]
async fn facts_and_descriptions_stay() {
    let fresh = Fresh::open().await;
    assert_eq!(fresh.store.set_meta_once("a", "1").await.unwrap(), "1");
    assert_eq!(fresh.store.set_meta_once("a", "2").await.unwrap(), "1");
    fresh.store.put_description("digest", &json!({"id": "x"})).await.unwrap();
    assert_eq!(fresh.store.description("digest").await.unwrap(), Some(json!({"id": "x"})));
    fresh.store.close().await;
    let again = Store::open(&fresh.path()).await.unwrap();
    assert_eq!(again.install_id(), fresh.store.install_id());
    assert_eq!(again.install_id().len(), 36);
}

#[tokio::test]
async fn what_is_deleted_is_overwritten() {
    let fresh = Fresh::open().await;
    let mut described = connection("EU", ConnectionState::Draft);
    described.description = "canary-of-the-deleted".repeat(9);
    fresh.store.insert_connection(&described).await.unwrap();
    let file = || {
        let bytes = std::fs::read(fresh.path()).unwrap();
        memchr::memmem::find(&bytes, b"canary-of-the-deleted").is_some()
    };
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&fresh.store.pool).await.unwrap();
    assert!(file(), "it was never there");
    fresh.store.delete_connection(&described.id).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&fresh.store.pool).await.unwrap();
    assert!(!file(), "it is still there");
}
