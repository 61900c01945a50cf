//! What is SQLite's own: options, the clock, the write lock, lists as one parameter, substring search, error codes. Another
//! dialect brings its own file with the same names; everything else in the store is written for both.

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

pub(super) type Db = sqlx::Sqlite;
pub(super) type Row = sqlx::sqlite::SqliteRow;
pub(super) type Pool = sqlx::SqlitePool;
pub(super) type Tx = sqlx::Transaction<'static, Db>;

/// The steps of the schema, oldest first; their numbers are the same in every dialect.
pub(super) const STEPS: &[(i64, &str)] = &[
    (1, include_str!("../../migrations/sqlite/0001_beginning.sql")),
    (2, include_str!("../../migrations/sqlite/0002_migrations.sql")),
    (3, include_str!("../../migrations/sqlite/0003_rotation.sql")),
];

/// Begins a transaction that writes. SQLite must know it from the start: a reader that becomes a writer half-way fails at
/// once when somebody else wrote in between, whatever the busy timeout says.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// The database's clock, in milliseconds, as an SQL expression.
macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}
pub(super) use now;

/// Whether the attempt that stages a generation still runs: what it writes later would never be collected.
macro_rules! still_staged {
    ($generation:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM catalog_generations g JOIN runs r ON r.id = g.run_id WHERE g.generation = ",
            $generation,
            " AND r.attempt = g.attempt AND r.state = 'running')"
        )
    };
}
pub(super) use still_staged;

/// Appends a page of objects to a generation (`$1`), if the attempt that stages it still runs. The page (`$2`) is a JSON
/// array of arrays, each beginning with its position.
///
/// One parameter and one statement, which is its own transaction: per 100,000 rows in pages of 100 a `VALUES` list of 25
/// rows in a transaction took one and a half times as long, one of 100 rows more than twice. Binding and the trips to the
/// connection's thread cost more than reading JSON does. `jsonb_each` hands each row on as it was parsed, where `json_each`
/// writes it out as text and parses that again: it takes two thirds of the time, no more than a prepared `INSERT` in C.
pub(super) const STAGE: &str = concat!(
    "INSERT INTO catalog_objects (generation, position, id, hash, name, parent, modified, links, attributes)
     SELECT $1, page.value ->> 0, page.value ->> 1, page.value ->> 2, page.value ->> 3, page.value ->> 4,
            page.value ->> 5, page.value ->> 6, page.value ->> 7
     FROM jsonb_each($2) AS page
     WHERE ",
    still_staged!("$1")
);

/// The rows of a generation (`$1`) behind a position (`$2`), at most so many (`$3`): one JSON array of arrays of position, id
/// and hash, in any order. One text: handed over one by one, rows took many times as long, for each is a trip from the
/// connection's thread.
pub(super) const AHEAD: &str = "
    SELECT json_group_array(json_array(position, id, hash))
    FROM (SELECT position, id, hash FROM catalog_objects
          WHERE generation = $1 AND position > $2 ORDER BY position LIMIT $3)";

/// Puts data keys in the place of those that are there, if those are as they were read. The parameter is a JSON array of
/// arrays: the connection, the blob as it was, and as it is to be, in hexadecimal digits.
pub(super) const REPLACE_DATA_KEYS: &str = "
    UPDATE data_keys SET sealed = unhex(page.value ->> 2)
    FROM json_each($1) AS page
    WHERE data_keys.connection_id = page.value ->> 0 AND data_keys.sealed = unhex(page.value ->> 1)";

/// The members of a JSON array that is one parameter, as a subquery.
macro_rules! members {
    ($parameter:literal) => {
        concat!("(SELECT value FROM json_each(", $parameter, "))")
    };
}
pub(super) use members;

/// The operator that compares a text with a pattern made by [`containing`].
macro_rules! like {
    () => {
        " GLOB "
    };
}
pub(super) use like;

/// A pattern for texts that contain `part` without regard to case. SQLite's `LIKE` folds only ASCII, so this is a `GLOB`
/// with both cases of each letter.
pub(super) fn containing(part: &str) -> String {
    let mut pattern = String::from("*");
    for c in part.chars() {
        let (lower, upper) = (single(c.to_lowercase(), c), single(c.to_uppercase(), c));
        match c {
            '*' | '?' | '[' => pattern.extend(['[', c, ']']),
            _ if lower != upper => pattern.extend(['[', lower, upper, ']']),
            _ => pattern.push(c),
        }
    }
    pattern.push('*');
    pattern
}

/// The one letter of a case mapping, or the letter itself where the other case is several (`ß`).
fn single(mut mapped: impl Iterator<Item = char>, original: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => original,
    }
}

/// How a file is opened. Caches are small on purpose: the host promises to stay small while it stores a million objects.
fn options(path: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(Duration::from_secs(10))
        .pragma("cache_size", "-2000")
        .pragma("temp_store", "FILE")
        .pragma("journal_size_limit", "16777216")
        // It warns whoever watches of every statement of more than a second; comparing a million objects is one.
        .disable_statement_logging()
}

fn pool(options: SqliteConnectOptions, connections: u32) -> Pool {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        // A full disk ends a transaction by itself; the rollback that follows finds none and fails, and the library then takes the
        // connection to be within a transaction for ever.
        .before_acquire(|connection, _| {
            let is_free = !sqlx::Connection::is_in_transaction(connection);
            Box::pin(std::future::ready(Ok(is_free)))
        })
        .connect_lazy_with(options)
}

/// The pool for everything: what it says is committed survives a power failure, and what it deletes is overwritten.
pub(super) fn ordinary(path: &Path) -> Pool {
    pool(options(path, SqliteSynchronous::Full).pragma("secure_delete", "ON"), 4)
}

/// The connection that stages catalogs. It does not wait for the disk after every page: a power failure loses what was
/// staged, which is worth nothing without the swap, and the swap waits for all that was written before it.
pub(super) fn bulk(path: &Path) -> Pool {
    pool(options(path, SqliteSynchronous::Normal), 1)
}

/// Kinds of trouble that a person can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Full,
    ReadOnly,
    Unwritten,
    Busy,
    Corrupt,
    Other,
}

/// Reads SQLite's result code.
pub(super) fn trouble(error: &sqlx::Error) -> Trouble {
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i64>().ok());
    // The low byte is the primary code; the rest says more precisely what matters only for input and output: whether it was a
    // write, an fsync, a truncation, or making the file of the write-ahead log's index.
    if matches!(code, Some(778 | 1034 | 1290 | 1546 | 4618 | 4874 | 5386)) {
        return Trouble::Unwritten;
    }
    match code.map(|code| code & 0xff) {
        Some(13) => Trouble::Full,
        Some(8) => Trouble::ReadOnly,
        Some(5 | 6) => Trouble::Busy,
        Some(11 | 26) => Trouble::Corrupt,
        _ => Trouble::Other,
    }
}

/// Whether a table is not there yet.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    // SQLite has no code of its own for it.
    error.as_database_error().is_some_and(|e| e.message().contains("no such table"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_know_both_cases_and_take_stars_literally() {
        assert_eq!(containing("öl*"), "*[öÖ][lL][*]*");
        assert_eq!(containing("ß1]"), "*ß1]*");
    }
}
