//! The database of a host, touched by a hand that has no business there.

use jackfield_tests::Host;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

/// Runs a statement that must change something.
pub(crate) fn execute(host: &Host, statement: &'static str) {
    let done = with(host, async |database| sqlx::query(statement).execute(&mut *database).await.unwrap());
    assert!(done.rows_affected() > 0, "{statement} changed nothing");
}

/// Runs a statement, whether it changes something or not.
pub(crate) fn run(host: &Host, statement: &'static str) {
    with(host, async |database| sqlx::query(statement).execute(&mut *database).await.unwrap());
}

/// Runs statements on one connection.
pub(crate) fn execute_all(host: &Host, statements: &[&'static str]) {
    with(host, async |database| {
        for statement in statements {
            sqlx::query(*statement).execute(&mut *database).await.unwrap();
        }
    });
}

/// The number that a query yields.
pub(crate) fn number(host: &Host, query: &'static str) -> i64 {
    with(host, async |database| sqlx::query(query).fetch_one(&mut *database).await.unwrap().get(0))
}

/// What readers see of all catalogs, as a text: of each kind its number, the number of its objects, and a digest of them. The
/// database is whole.
pub(crate) fn picture(host: &Host) -> String {
    with(host, async |database| {
        let whole: String =
            sqlx::query("PRAGMA integrity_check").fetch_one(&mut *database).await.unwrap().get(0);
        assert_eq!(whole, "ok");
        let kinds = sqlx::query(
            "SELECT k.kind, k.count, COUNT(o.id), COALESCE(SUM(o.hash % 1000000007), 0), COALESCE(MIN(o.id) || MAX(o.id), '')
             FROM catalog_kinds k JOIN connections c ON c.id = k.connection_id AND c.state = 'ready'
             LEFT JOIN catalog_objects o ON o.generation = k.generation
             GROUP BY k.connection_id, k.kind ORDER BY c.name, k.kind",
        );
        let kinds = kinds.fetch_all(&mut *database).await.unwrap();
        let line = |row: &sqlx::sqlite::SqliteRow| {
            let (count, rows): (i64, i64) = (row.get(1), row.get(2));
            assert_eq!(count, rows, "a kind has other objects than it says");
            format!(
                "{} {count} {} {}\n",
                row.get::<String, _>(0),
                row.get::<i64, _>(3),
                row.get::<String, _>(4)
            )
        };
        kinds.iter().map(line).collect()
    })
}

/// The active runs: id, hook, state, and how many milliseconds their lease still lasts.
pub(crate) fn active_runs(host: &Host) -> Vec<(String, String, String, i64)> {
    with(host, async |database| {
        let query =
            "SELECT id, hook, state, COALESCE(lease_until, 0) - CAST(unixepoch('subsec') * 1000 AS INTEGER)
                     FROM runs WHERE state IN ('queued', 'running') ORDER BY queued_at";
        let rows = sqlx::query(query).fetch_all(&mut *database).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    })
}

/// Works on the database.
pub(crate) fn with<T>(host: &Host, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(host.data().join("jackfield.db"));
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let found = work(&mut database).await;
        database.close().await.unwrap();
        found
    })
}
