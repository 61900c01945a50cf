//! What tests of the store, and of what works on it, begin with: a database in a folder that goes away, a connection, a run that is held.

use super::{Lease, Remembered, Store};
use crate::model::connection::{Connection, ConnectionState, TlsTrust};
use crate::model::id::{ConnectionId, RunId};
use crate::model::run::{Hook, Run, RunState};
use jackfield_plugin::contract::catalog::Object;
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

/// The settings of every connection here.
pub(super) fn settings() -> &'static Map<String, Value> {
    static SETTINGS: LazyLock<Map<String, Value>> =
        LazyLock::new(|| Map::from_iter([("url".to_owned(), "https://example.test".into())]));
    &SETTINGS
}

/// What a run remembers of such a connection.
pub(super) fn remembered(values: &[(String, Value)]) -> Remembered<'_> {
    Remembered { address: settings(), values }
}

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A store in its own folder.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(super) folder: tempfile::TempDir,
}

impl Fresh {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("jackfield.db")).await.unwrap();
        Fresh { store, folder }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("jackfield.db")
    }

    /// A ready connection.
    pub(crate) async fn connection(&self, name: &str) -> ConnectionId {
        let connection = connection(name, ConnectionState::Ready);
        self.store.insert_connection(&connection).await.unwrap();
        connection.id
    }

    /// A refresh that is held.
    pub(super) async fn refresh(&self, connection: &ConnectionId) -> Lease {
        let run = run(connection, Hook::Refresh);
        self.store.insert_run(&run).await.unwrap();
        self.store.claim_run(&run.id, "test", LONG).await.unwrap().unwrap()
    }
}

pub(super) fn connection(name: &str, state: ConnectionState) -> Connection {
    Connection {
        id: ConnectionId::random(),
        name: name.to_owned(),
        description: String::new(),
        connector: "example".to_owned(),
        settings: settings().clone(),
        max_parallel: 4,
        accepted_hosts: Vec::new(),
        tls: TlsTrust { server_name: Some("inner".to_owned()), ..TlsTrust::default() },
        state,
        draft_of: None,
        created_at: 1_000,
        updated_at: 1_000,
        last_refresh_at: None,
        last_refresh_run: None,
    }
}

pub(crate) fn run(connection: &ConnectionId, hook: Hook) -> Run {
    Run {
        id: RunId::random(),
        connection: connection.clone(),
        connection_name: "EU".to_owned(),
        connector: "example".to_owned(),
        hook,
        state: RunState::Queued,
        attempt: 0,
        owner: None,
        cancel_requested: false,
        queued_at: 1_000,
        started_at: None,
        finished_at: None,
        result: None,
        failure: None,
        log: None,
        plugin: None,
    }
}

pub(super) fn object(id: &str, name: &str) -> Object {
    Object { id: id.to_owned(), name: name.to_owned(), ..Object::default() }
}
