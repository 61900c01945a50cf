//! The database of a host, touched by a hand that has no business there.

use jackfield_tests::Host;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

/// Runs a statement that must change something.
pub(crate) fn execute(host: &Host, statement: &'static str) {
    let done = with(host, async |database| sqlx::query(statement).execute(&mut *database).await.unwrap());
    assert!(done.rows_affected() > 0, "{statement} changed nothing");
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

fn with<T>(host: &Host, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(host.data().join("jackfield.db"));
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let found = work(&mut database).await;
        database.close().await.unwrap();
        found
    })
}
