//! The log of a run: one file for each refresh that a person can read, events in the store, and the same facts as
//! `tracing`. Everything that is written passes the scrubber.

use super::{
    notice::{Notice, Watcher},
    totals::{Totals, millis, seconds},
};
use crate::{
    app::App,
    http::exchange::Exchange,
    model::{
        catalog::KindChange,
        connection::Connection,
        id::RunId,
        run::{Ending, Run},
        text::printable,
    },
    secrets::Scrubber,
    store::{NewEvent, Store},
};
use jackfield_plugin::contract::{Failure, run::Level};
use jiff::Zoned;
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::VecDeque,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Events that are remembered of one run; the rest stands in its log file.
const MOST_EVENTS: usize = 500;

/// Lines of one plugin's output that are written; a plugin that floods has said enough.
const MOST_PRINTED: u64 = 1000;

/// Lines that a plugin may write to the log itself.
const MOST_LINES: u64 = 20_000;

/// The longest text of a plugin's or of a remote system's that is kept, in bytes.
const LONGEST: usize = 4096;

/// List answers whose rows have not been put yet; the oldest is written without them beyond this.
const MOST_PENDING: usize = 64;

/// What stands at the head of a log file.
pub struct Header<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its connection.
    pub connection: &'a Connection,
    /// What the plugin is called.
    pub plugin: &'a str,
    /// The connection's address.
    pub address: Option<String>,
    /// The proxy that requests go through, if one is configured. It resolves names, so we do not see where they lead.
    pub proxy: Option<String>,
}

/// The log of one run.
pub struct RunLog {
    run: RunId,
    store: Store,
    scrubber: Scrubber,
    watcher: Watcher,
    cap: Mutex<u32>,
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    file: Option<File>,
    totals: Totals,
    printed: u64,
    lines: u64,
    events: Vec<NewEvent>,
    pending: VecDeque<Pending>,
    broken: bool,
}

/// An operation whose rows are still to come.
struct Pending {
    exchange: u64,
    at: Zoned,
    text: String,
    rows: Option<usize>,
}

impl RunLog {
    /// A log without a file.
    pub fn new(app: &App, run: &Run, watcher: Watcher) -> Self {
        let (store, scrubber) = (app.store.clone(), app.scrubber.clone());
        let (began, run) = (Instant::now(), run.id.clone());
        RunLog { run, store, scrubber, watcher, cap: Mutex::new(0), began, inner: Mutex::default() }
    }

    /// Begins the log file: `<prefix>_YYYYMMDD_HHMMSS.txt` in local time, with `_2` and so on for more in one second. A run that
    /// is taken up again goes on in the file of its attempt before.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(&self, folder: &Path, prefix: &str, before: Option<&str>) -> Result<String, Failure> {
        let now = Zoned::now();
        let resumed = before.and_then(|name| Some((name.to_owned(), resume(&folder.join(name)).ok()?)));
        let begun = resumed.map_or_else(|| create(folder, prefix, &now), Ok);
        let (name, mut file) = begun.map_err(|error| {
            Failure::jackfield(format!("the log file in {} cannot be made: {error}", folder.display()))
                .remedy("make room on the disk, or give this user the right to write there")
        })?;
        let first = format!(
            "Jackfield {} refresh log, {}, times are local",
            env!("CARGO_PKG_VERSION"),
            now.strftime("%F %T %:z")
        );
        let mut inner = self.lock();
        inner.broken = writeln!(file, "{first}").is_err();
        inner.file = Some(file);
        Ok(name)
    }

    /// Writes who is refreshed by what.
    pub fn header(&self, header: &Header<'_>) {
        *self.cap.lock().unwrap_or_else(PoisonError::into_inner) = header.connection.max_parallel;
        let Header { run, connection, plugin, address, proxy } = header;
        let mut lines = vec![
            format!("Connection: {} ({})", connection.name, connection.connector),
            format!("Address: {}", address.as_deref().unwrap_or("none")),
            format!("Plugin: {plugin}"),
            format!("Run: {} attempt {}", run.id, run.attempt),
            format!("Max parallel executions: {}", connection.max_parallel),
        ];
        if connection.tls.pin_sha256.is_some() {
            lines.push("TLS: trusts only the certificate that this connection has pinned".to_owned());
        } else if connection.tls.is_own() {
            lines.push("TLS: trusts what this connection names besides the system's roots".to_owned());
        }
        if let Some(proxy) = proxy {
            lines.push(format!("Proxy: {proxy}, which resolves the names"));
        }
        let mut inner = self.lock();
        for line in lines {
            self.write(&mut inner, &line);
        }
    }

    /// The scrubber through which everything passes.
    pub fn scrubber(&self) -> Scrubber {
        self.scrubber.clone()
    }

    /// A text without secrets and without control characters, cut where it is too long. It is cut last: the half of a secret
    /// would not be known for what it is.
    pub fn scrub(&self, text: &str) -> String {
        cut(&printable(&self.scrubber.scrub_text(text))).into_owned()
    }

    /// A run's ending without secrets.
    pub fn scrubbed(&self, ending: Ending) -> Ending {
        match ending {
            Ending::Failed(failure, result) => Ending::Failed(
                self.scrubbed_failure(&failure),
                result.map(|result| self.scrubbed_json(&result)),
            ),
            Ending::Succeeded(result) => Ending::Succeeded(self.scrubbed_json(&result)),
            Ending::Cancelled => Ending::Cancelled,
        }
    }

    /// A failure without secrets.
    pub fn scrubbed_failure(&self, failure: &Failure) -> Failure {
        let clean = |text: &Option<String>| text.as_ref().map(|text| self.scrub(text));
        Failure {
            message: self.scrub(&failure.message),
            remedy: clean(&failure.remedy),
            reference: clean(&failure.reference),
            field: clean(&failure.field),
            ..failure.clone()
        }
    }

    /// A run's result without secrets, its texts cut where they are too long.
    pub fn scrubbed_json(&self, value: &Value) -> Value {
        let mut value = self.scrubber.scrub_json(value);
        cut_json(&mut value);
        value
    }

    /// Notes an exchange.
    pub fn exchange(&self, exchange: &Exchange) {
        let mut inner = self.lock();
        inner.totals.count(exchange);
        let text = operation(exchange);
        tracing::debug!(run = %self.run, method = exchange.method, path = exchange.path, status = exchange.status,
            ms = millis(exchange.took), attempt = exchange.attempt, "operation");
        let waits_for_rows =
            exchange.list && exchange.retry_in.is_none() && exchange.status.is_some_and(|s| s < 300);
        if waits_for_rows {
            inner.pending.push_back(Pending {
                exchange: exchange.number,
                at: Zoned::now(),
                text,
                rows: None,
            });
            if inner.pending.len() > MOST_PENDING {
                self.write_first_pending(&mut inner);
            }
        } else {
            self.write(&mut inner, &text);
        }
    }

    /// Notes how many rows were put into the catalog, and the exchange that brought them if the plugin says which.
    pub fn rows(&self, exchange: Option<u64>, rows: usize) {
        let mut inner = self.lock();
        inner.totals.rows += rows as u64;
        if let Some(pending) = inner.pending.iter_mut().find(|pending| Some(pending.exchange) == exchange) {
            pending.rows = Some(pending.rows.unwrap_or(0) + rows);
        }
        while inner.pending.front().is_some_and(|pending| pending.rows.is_some()) {
            self.write_first_pending(&mut inner);
        }
    }

    /// Notes a line of the plugin's, unless it has written too many.
    pub fn plugin_line(&self, level: Level, message: &str) {
        let lines = {
            let mut inner = self.lock();
            inner.lines += 1;
            inner.lines
        };
        match lines {
            ..MOST_LINES => self.line(level, message),
            MOST_LINES => self.line(Level::Warning, "the plugin logs too much; the rest is left out"),
            _ => {}
        }
    }

    /// Notes a line.
    pub fn line(&self, level: Level, message: &str) {
        let message = self.scrub(message);
        let word = match level {
            Level::Warning => "WARNING ",
            Level::Error => "ERROR ",
            _ => "",
        };
        let mut inner = self.lock();
        match level {
            Level::Warning => inner.totals.warnings += 1,
            Level::Error => inner.totals.errors += 1,
            Level::Debug => {
                drop(inner);
                tracing::debug!(run = %self.run, "{message}");
                return;
            }
            _ => {}
        }
        self.write(&mut inner, &format!("{word}{message}"));
        self.event(&mut inner, level, &message);
        drop(inner);
        (self.watcher)(Notice::Line { level, message });
    }

    /// Notes what the plugin's code printed.
    pub fn printed(&self, line: &str) {
        let mut inner = self.lock();
        inner.printed += 1;
        match inner.printed {
            ..MOST_PRINTED => self.write(&mut inner, &format!("the plugin printed: {}", self.scrub(line))),
            MOST_PRINTED => self.write(&mut inner, "the plugin prints too much; the rest is left out"),
            _ => {}
        }
    }

    /// Notes what a refresh changes.
    pub fn changes(&self, changes: &[KindChange], summary: &str) {
        let mut inner = self.lock();
        self.write_pending(&mut inner);
        for change in changes {
            let KindChange { kind, count, added, changed, removed, kept_reason } = change;
            let text = match kept_reason {
                Some(reason) => format!("{kind}: kept as it was: {reason}"),
                None => {
                    format!("{kind}: {count} objects ({added} added, {changed} changed, {removed} removed)")
                }
            };
            self.write(&mut inner, &text);
            self.event(&mut inner, if kept_reason.is_some() { Level::Warning } else { Level::Info }, &text);
        }
        if !summary.is_empty() {
            self.write(&mut inner, &self.scrub(summary));
        }
    }

    /// The totals so far.
    pub fn totals(&self) -> Totals {
        self.lock().totals.clone()
    }

    /// Writes how it ended, and stores the events.
    pub async fn close(&self, ended: &Ending) {
        let events = {
            let mut inner = self.lock();
            self.write_pending(&mut inner);
            let (level, text) = ending(ended);
            inner.totals.errors += u64::from(level == Level::Error);
            self.event(&mut inner, level, &text);
            let cap = *self.cap.lock().unwrap_or_else(PoisonError::into_inner);
            for line in inner.totals.lines(cap, self.began.elapsed()) {
                self.write(&mut inner, &line);
            }
            self.write(&mut inner, &text);
            inner.file = None;
            std::mem::take(&mut inner.events)
        };
        if let Err(error) = self.store.append_events(&self.run, &events).await {
            tracing::warn!(run = %self.run, %error, "the run's events could not be stored");
        }
    }

    fn write(&self, inner: &mut Inner, line: &str) {
        self.write_at(inner, &Zoned::now(), line);
    }

    fn write_at(&self, inner: &mut Inner, at: &Zoned, line: &str) {
        let Some(file) = inner.file.as_mut().filter(|_| !inner.broken) else { return };
        let line = format!("{} {}\n", at.strftime("%H:%M:%S%.3f"), self.scrub(line).replace('\n', " "));
        if let Err(error) = file.write_all(line.as_bytes()) {
            // A full disk must not end a refresh whose catalog may still fit; it is said once.
            inner.broken = true;
            tracing::error!(run = %self.run, %error, "the log file cannot be written any more");
        }
    }

    fn write_pending(&self, inner: &mut Inner) {
        while !inner.pending.is_empty() {
            self.write_first_pending(inner);
        }
    }

    fn write_first_pending(&self, inner: &mut Inner) {
        if let Some(Pending { at, text, rows, .. }) = inner.pending.pop_front() {
            let text = rows.map_or(text.clone(), |rows| format!("{text} {rows} rows"));
            self.write_at(inner, &at, &text);
        }
    }

    fn event(&self, inner: &mut Inner, level: Level, message: &str) {
        if inner.events.len() < MOST_EVENTS {
            let level = match level {
                Level::Warning => "warning",
                Level::Error => "error",
                _ => "info",
            };
            let at = jiff::Timestamp::now().as_millisecond();
            inner.events.push(NewEvent { at, level: level.to_owned(), message: self.scrub(message) });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text that is not too long, with a mark where the rest was.
fn cut(text: &str) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(LONGEST - MARK.len());
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

/// Cuts every text in a value; the names of an object's members are the contract's.
fn cut_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shorter) = cut(text) {
                *text = shorter;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cut_json),
        Value::Object(members) => members.values_mut().for_each(cut_json),
        _ => {}
    }
}

/// Opens the log of an attempt that was interrupted, maybe in the middle of a line, and says so at its end.
fn resume(path: &Path) -> io::Result<File> {
    let cut = !std::fs::read(path)?.ends_with(b"\n");
    let mut file = OpenOptions::new().append(true).open(path)?;
    let break_off = if cut { "…\n" } else { "" };
    writeln!(
        file,
        "{break_off}\nThe attempt above was interrupted: its process ended, or lost the run. This is the next."
    )?;
    Ok(file)
}

fn create(folder: &Path, prefix: &str, now: &Zoned) -> io::Result<(String, File)> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let stem = format!("{prefix}_{}", now.strftime("%Y%m%d_%H%M%S"));
    for number in 1.. {
        let name = if number == 1 { format!("{stem}.txt") } else { format!("{stem}_{number}.txt") };
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(folder.join(&name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((name, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn operation(exchange: &Exchange) -> String {
    let Exchange { method, path, status, failure, attempt, took, retry_in, .. } = exchange;
    let status = match (status, failure) {
        (Some(status), _) => status.to_string(),
        (None, Some(failure)) => failure.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let mut text = format!("{method} {path} {status} {} ms", millis(*took));
    if *attempt > 1 {
        text += &format!(" (attempt {attempt})");
    }
    if let Some(wait) = retry_in {
        text += &format!(", again in {} s", seconds(*wait));
    }
    text
}

fn ending(ending: &Ending) -> (Level, String) {
    match ending {
        Ending::Succeeded(_) => (Level::Info, "Ended: succeeded".to_owned()),
        Ending::Cancelled => {
            (Level::Warning, "Ended: stopped before its end; the catalog is as it was".to_owned())
        }
        Ending::Failed(failure, _) => {
            (Level::Error, format!("ERROR Ended: failed ({}): {failure}", failure.blame.noun()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let fits = "x".repeat(LONGEST);
        assert_eq!(cut(&fits), fits);
        let long = "ä".repeat(LONGEST);
        let shorter = cut(&long);
        assert!(shorter.len() <= LONGEST && shorter.ends_with("ä…"), "{} bytes", shorter.len());
        assert_eq!(cut(&format!("WARNING {shorter}")).matches('…').count(), 1);
        let mut value = serde_json::json!({ "checks": [{ "detail": long }], "n": 1 });
        cut_json(&mut value);
        assert_eq!(value, serde_json::json!({ "checks": [{ "detail": shorter }], "n": 1 }));
    }
}
