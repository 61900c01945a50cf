//! Connections with one secret each, more than anybody would enter, and eyes that read all of them: a process that has been
//! running since before.

use crate::database;
use jackfield::{
    app::App,
    config::Config,
    model::{credential::VersionState, id::ConnectionId},
    secrets::{Binding, DataKey, KeyRing, KeySource, Scrubber, keys::sealed_under},
};
use jackfield_tests::{Host, artifacts};
use sqlx::{Connection, Row, SqliteConnection};
use tokio::runtime::Runtime;

/// The secret of a connection.
fn secret_of(connection: &str) -> String {
    format!("the secret of {connection}")
}

/// Adds connections that share everything with the one of this name but their ids, names and secrets.
pub(crate) fn add(host: &Host, like: &str, count: usize) {
    let ring = KeyRing::load(&KeySource::File(host.data().join("key"))).unwrap().unwrap();
    database::with(host, async |database| {
        let install: String = query(database, "SELECT value FROM meta WHERE key = 'install'").await;
        let mut tx = database.begin().await.unwrap();
        for number in 0..count {
            let id = format!("many-{number:07}");
            let copy = "INSERT INTO connections SELECT $1, $1, $1, description, connector, settings, max_parallel, tls,
                            accepted_hosts, state, draft_of, created_at, updated_at, last_refresh_at, last_refresh_run
                        FROM connections WHERE name = $2";
            sqlx::query(copy).bind(&id).bind(like).execute(&mut *tx).await.unwrap();
            let key = DataKey::generate();
            let wrapped = key.wrap(&ring.keys()[0], &install, &id);
            let added = "INSERT INTO data_keys VALUES ($1, $2, 0)";
            sqlx::query(added).bind(&id).bind(wrapped).execute(&mut *tx).await.unwrap();
            let version =
                "INSERT INTO credential_versions VALUES ($1, 'token', 1, 'current', 0, NULL, NULL, '')";
            sqlx::query(version).bind(&id).execute(&mut *tx).await.unwrap();
            let sealed = key.seal(&binding(&install, &id), secret_of(&id).as_bytes());
            let field = "INSERT INTO sealed_fields VALUES ($1, 'token', 1, 'token', 'value', $2)";
            sqlx::query(field).bind(&id).bind(sealed).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
}

async fn query(database: &mut SqliteConnection, query: &'static str) -> String {
    sqlx::query(query).fetch_one(database).await.unwrap().get(0)
}

fn binding<'a>(install: &'a str, connection: &'a str) -> Binding<'a> {
    let (credential, field) = ("token", "token");
    Binding { install, connection, subject: "", credential, field, version: 1, purpose: "value" }
}

/// How many data keys each key seals, by its id.
pub(crate) fn sealed_by(host: &Host) -> std::collections::BTreeMap<String, usize> {
    let blobs: Vec<Vec<u8>> = database::with(host, async |database| {
        let rows = sqlx::query("SELECT sealed FROM data_keys").fetch_all(&mut *database).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    });
    let mut counts = std::collections::BTreeMap::new();
    for blob in blobs {
        *counts.entry(sealed_under(&blob).unwrap()).or_insert(0) += 1;
    }
    counts
}

/// A host in this process.
pub(crate) struct Eyes {
    runtime: Runtime,
    app: App,
}

impl Eyes {
    pub(crate) fn open(host: &Host) -> Eyes {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let worker = Some(artifacts().jackfield());
        let config = Config { data_dir: host.data(), worker, ..Config::default() };
        let app = runtime.block_on(App::open(config, Scrubber::new())).unwrap();
        Eyes { runtime, app }
    }

    /// Reads the secret of every one of the many, and answers how many there were.
    pub(crate) fn read_all(&self) -> usize {
        self.runtime.block_on(async {
            let all = self.app.store.connections(None).await.unwrap();
            let many = all.iter().filter(|connection| connection.id.as_str().starts_with("many-"));
            let mut count = 0;
            for connection in many {
                let id = connection.id.as_str();
                let key =
                    self.app.data_key(&connection.id).await.unwrap_or_else(|error| panic!("{id}: {error}"));
                let sealed =
                    self.app.store.sealed_fields(&connection.id, VersionState::Current).await.unwrap();
                let opened = key.open(&binding(self.app.store.install_id(), id), &sealed[0].blob).unwrap();
                assert_eq!(&opened[..], secret_of(id).as_bytes(), "{id}");
                count += 1;
            }
            count
        })
    }

    /// Gives a connection a data key, as one does that is about to keep its first secret.
    pub(crate) fn make_data_key(&self, connection: &str) {
        let id = ConnectionId::stored(connection);
        self.runtime.block_on(self.app.data_key(&id)).unwrap();
    }
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.runtime.block_on(self.app.store.close());
    }
}
