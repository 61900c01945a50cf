//! Creating the file and bringing its schema up to date.
//!
//! All steps run in one transaction that holds the write lock from the start: two processes that open a new file at the same
//! moment do not get into each other's way, and a step that fails leaves the file as it was.

use super::Error;
use super::error::Doing;
use super::sqlite::{BEGIN_WRITE, Pool, STEPS, is_missing_table, now};
use std::path::Path;
use std::time::Duration;

/// Creates the file, if it is not there, so that only its owner can read it. SQLite gives the files beside it the same mode.
pub(super) fn create_private(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Error::Open { path: path.to_owned(), cause: advice(&e) }),
    }
}

fn advice(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "its folder does not exist; create it first".to_owned(),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            format!("{error}; make its folder writable for the user that Jackfield runs as")
        }
        std::io::ErrorKind::StorageFull => format!("{error}; free some space and try again"),
        _ => error.to_string(),
    }
}

/// Why the file, or another beside it, cannot be written; none if both can.
fn why_not(path: &Path) -> Option<Error> {
    let trial = path.with_extension("trial");
    let tried =
        std::fs::OpenOptions::new().append(true).open(path).and_then(|_| std::fs::write(&trial, [0; 4096]));
    // It may not be there.
    let _ = std::fs::remove_file(trial);
    tried.err().map(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => Error::Full,
        _ => Error::Open { path: path.to_owned(), cause: error.to_string() },
    })
}

/// Applies the steps that the file does not have yet.
pub(super) async fn bring_up_to_date(pool: &Pool, path: &Path) -> Result<(), Error> {
    let known = STEPS.last().map_or(0, |(number, _)| *number);
    for _ in 0..100 {
        let attempt = match version(pool).await {
            Ok(found) if found > known => {
                return Err(Error::Newer { path: path.to_owned(), found, known });
            }
            Ok(found) if found == known => return Ok(()),
            Ok(_) => apply(pool).await,
            Err(e) => Err(e),
        };
        match attempt {
            // The switch to the write-ahead log, which only the first opener makes, does not wait for others.
            Err(Error::Busy) => tokio::time::sleep(Duration::from_millis(100)).await,
            // The database only says that it cannot; the system says why.
            Err(error @ (Error::Database { .. } | Error::Unwritten | Error::ReadOnly)) => {
                return Err(why_not(path).unwrap_or(match error {
                    Error::Database { cause, .. } => {
                        Error::Open { path: path.to_owned(), cause: cause.to_string() }
                    }
                    other => other,
                }));
            }
            Err(e) => return Err(e),
            Ok(()) => {}
        }
    }
    Err(Error::Busy)
}

/// The number of the newest step that the file has; 0 for a new one.
async fn version(pool: &Pool) -> Result<i64, Error> {
    let result: Result<(Option<i64>,), _> =
        sqlx::query_as("SELECT MAX(version) FROM schema_versions").fetch_one(pool).await;
    match result {
        Ok((version,)) => Ok(version.unwrap_or(0)),
        Err(e) if is_missing_table(&e) => Ok(0),
        Err(e) => Err(Error::while_("read its schema's version", e)),
    }
}

async fn apply(pool: &Pool) -> Result<(), Error> {
    const DOING: &str = "bring its schema up to date";
    let mut tx = pool.begin_with(BEGIN_WRITE).await.doing(DOING)?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
    )
    .execute(&mut *tx)
    .await
    .doing(DOING)?;
    let (present,): (Option<i64>,) =
        sqlx::query_as("SELECT MAX(version) FROM schema_versions").fetch_one(&mut *tx).await.doing(DOING)?;
    for (number, step) in STEPS.iter().filter(|(number, _)| *number > present.unwrap_or(0)) {
        sqlx::raw_sql(*step).execute(&mut *tx).await.doing(DOING)?;
        sqlx::query(concat!("INSERT INTO schema_versions (version, applied_at) VALUES ($1, ", now!(), ")"))
            .bind(number)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
    }
    tx.commit().await.doing(DOING)
}
