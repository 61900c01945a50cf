//! Connections with one secret each, more than anybody would enter, and eyes that read all of them: a process that has been
//! running since before.

use crate::database;
use jackfield::{
    app::App,
    config::Config,
    model::{credential::VersionState, id::ConnectionId},
    secrets::{Binding, DataKey, KeyRing, KeySource, Scrubber, keys::sealed_under},
};
use jackfield_plugin::contract::Failure;
use jackfield_tests::{Host, artifacts};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::runtime::Runtime;

/// The id of one of the many.
fn id_of(number: usize) -> String {
    format!("many-{number:07}")
}

/// The secret of a connection.
fn secret_of(connection: &str) -> String {
    format!("the secret of {connection}")
}

/// Adds connections that share everything with the one of this name but their ids, names and secrets.
pub(crate) fn add(host: &Host, like: &str, count: usize) {
    let ring = KeyRing::load(&KeySource::File(host.data().join("key"))).unwrap().unwrap();
    database::with(host, async |database| {
        let install: String = query(database, "SELECT value FROM meta WHERE key = 'install'").await;
        let like =
            sqlx::query("SELECT id FROM connections WHERE name = $1").bind(like).fetch_one(&mut *database);
        let like: String = like.await.unwrap().get(0);
        let mut tx = database.begin().await.unwrap();
        for number in 0..count {
            let id = id_of(number);
            let copy = "INSERT INTO connections SELECT $1, $1, $1, description, connector, settings, max_parallel, tls,
                            accepted_hosts, state, draft_of, created_at, updated_at, last_refresh_at, last_refresh_run
                        FROM connections WHERE id = $2";
            sqlx::query(copy).bind(&id).bind(&like).execute(&mut *tx).await.unwrap();
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
                let opened = self.read(&connection.id).await;
                assert_eq!(opened.unwrap(), secret_of(connection.id.as_str()), "{}", connection.id);
                count += 1;
            }
            count
        })
    }

    /// Reads the secret of one of the many.
    pub(crate) fn read_one(&self, number: usize) {
        let id = id_of(number);
        let opened = self.runtime.block_on(self.read(&ConnectionId::stored(&id)));
        assert_eq!(opened.unwrap(), secret_of(&id));
    }

    async fn read(&self, id: &ConnectionId) -> Result<String, Failure> {
        let sealed = self.app.store.sealed_fields(id, VersionState::Current).await?;
        let key = self.app.data_key(id).await?;
        let opened = key.open(&binding(self.app.store.install_id(), id.as_str()), &sealed[0].blob)?;
        Ok(String::from_utf8(opened.to_vec()).unwrap())
    }

    /// Puts what a table has sealed for each of the many into the place of each other one, by SQL, and answers how often that
    /// was done and how often something opened afterwards.
    pub(crate) fn opened_after_swaps(&self, table: &str) -> (usize, usize) {
        self.runtime.block_on(async {
            let file = self.app.config.database();
            let mut database =
                SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
            // Thousands of writes, none of which is to last.
            sqlx::query("PRAGMA synchronous = OFF").execute(&mut database).await.unwrap();
            let all: &'static str =
                format!("SELECT connection_id, sealed FROM {table} WHERE connection_id LIKE 'many-%'").leak();
            let put: &'static str = format!("UPDATE {table} SET sealed = $1 WHERE connection_id = $2").leak();
            let all: Vec<(String, Vec<u8>)> = sqlx::query_as(all).fetch_all(&mut database).await.unwrap();
            let (mut swaps, mut opened) = (0, 0);
            for (place, own) in &all {
                for (from, sealed) in all.iter().filter(|(from, _)| from != place) {
                    sqlx::query(put).bind(sealed).bind(place).execute(&mut database).await.unwrap();
                    let read = self.read(&ConnectionId::stored(place)).await;
                    let error = read.as_ref().map_err(|error| error.message.clone());
                    assert!(
                        error.is_err_and(|error| error.contains(place)),
                        "{from} in the place of {place}"
                    );
                    opened += usize::from(read.is_ok());
                    swaps += 1;
                }
                sqlx::query(put).bind(own).bind(place).execute(&mut database).await.unwrap();
            }
            (swaps, opened)
        })
    }

    /// Gives a connection a data key, as one does that is about to keep its first secret.
    pub(crate) fn make_data_key(&self, connection: &str) {
        let id = ConnectionId::stored(connection);
        self.runtime.block_on(self.app.data_key(&id)).unwrap();
    }

    /// Makes a connection like the one of this name, with a data key of its own.
    pub(crate) fn make_new_connection(&self, like: &str) {
        self.runtime.block_on(async {
            let mut connection = self.app.store.connection_by_name(like).await.unwrap().unwrap();
            connection.id = ConnectionId::random();
            connection.name = format!("like {like} {}", connection.id);
            self.app.store.insert_connection(&connection).await.unwrap();
            self.app.data_key(&connection.id).await.unwrap();
        });
    }
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.runtime.block_on(self.app.store.close());
    }
}
