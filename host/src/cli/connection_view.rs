//! How connections, tests and refreshes are shown.

use super::{
    Desk,
    output::{moment, moment_or, paint, what_to_do},
};
use crate::{
    connections::secrets,
    model::{
        catalog::{KindChange, KindSummary},
        connection::Connection,
        credential::{CredentialVersion, VersionState},
        id::ConnectionId,
        migration::Side,
        run::{Run, RunState},
        settings::Form,
        text::{printable, quoted, shell_word},
    },
};
use anstyle::AnsiColor;
use jackfield_plugin::contract::{
    Failure,
    hooks::{Check, CheckStatus, TestReport},
};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn list(desk: &Desk, search: Option<&str>) -> Result<ExitCode, Failure> {
    let connections = desk.app.store.connections(search).await?;
    if desk.output.json {
        let mut all = Vec::new();
        for connection in &connections {
            all.push(as_json(desk, &connection.id).await?);
        }
        desk.output.json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if connections.is_empty() {
        desk.output.line(&match search {
            Some(text) => format!("No connection's name contains {}.", quoted(text)),
            None => "There are no connections. Add one with `jackfield connection add <connector> <name>`."
                .to_owned(),
        });
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = Vec::new();
    for connection in connections {
        let (url, state) = (address(desk, &connection).await, state(desk, &connection).await?);
        let refreshed = moment_or(connection.last_refresh_at, "never");
        let state = told(&state, &connection.name);
        rows.push(vec![connection.name, connection.connector, url, state, refreshed]);
    }
    desk.output.table(&["NAME", "CONNECTOR", "URL", "STATE", "LAST SUCCESSFUL REFRESH"], rows);
    Ok(ExitCode::SUCCESS)
}

/// The connection's address; a dash where its plugin is missing, which must not hide the connection.
async fn address(desk: &Desk, connection: &Connection) -> String {
    match desk.describe(&connection.connector).await {
        Ok(description) => Form::of(&description.settings).address(&connection.settings),
        Err(_) => None,
    }
    .or_else(|| looks_like_an_address(connection))
    .unwrap_or_else(|| "-".to_owned())
}

/// Without its plugin nobody knows which setting is the address; but an origin looks like one.
fn looks_like_an_address(connection: &Connection) -> Option<String> {
    let mut texts = connection.settings.values().filter_map(Value::as_str);
    texts.find(|text| text.starts_with("https://") || text.starts_with("http://")).map(str::to_owned)
}

/// The state of a connection whose refresh lost its driver.
const INTERRUPTED: &str = "refresh was interrupted";

/// A state as a person is told it: with what goes on from there, where that is not plain.
pub(super) fn told(state: &str, name: &str) -> String {
    match state {
        INTERRUPTED => format!("{state}; `jackfield connection refresh {}` takes it up", shell_word(name)),
        _ => state.to_owned(),
    }
}

/// How a connection stands, in a few words.
pub(super) async fn state(desk: &Desk, connection: &Connection) -> Result<String, Failure> {
    if desk.app.plugins.plugin(&connection.connector).is_err() {
        return Ok("plugin missing".to_owned());
    }
    let newest = match &connection.last_refresh_run {
        Some(id) => desk.app.store.run(id).await?.map(|run| run.state),
        None => None,
    };
    Ok(match newest {
        Some(RunState::Running) => "refreshing",
        Some(RunState::Queued) => INTERRUPTED,
        Some(RunState::Failed) => "last refresh failed",
        Some(RunState::Cancelled) => "last refresh cancelled",
        Some(RunState::Succeeded) => "ready",
        None => "not refreshed yet",
    }
    .to_owned())
}

/// A connection as JSON: all but the secrets' values.
pub(super) async fn as_json(desk: &Desk, id: &ConnectionId) -> Result<Value, Failure> {
    let connection = desk.app.store.connection(id).await?;
    let connection = connection.ok_or_else(|| Failure::you("the connection was deleted meanwhile"))?;
    let credentials = current(desk, id).await?;
    let kinds = desk.app.store.kinds(id).await?;
    let (url, state) = (address(desk, &connection).await, state(desk, &connection).await?);
    let secrets = secrets::present(&desk.app, id).await?;
    let migrations = desk.app.store.uses_of(id).await?;
    Ok(json!({
        "connection": connection, "url": url, "state": state, "secrets": secrets, "credentials": credentials, "catalog": kinds,
        "migrations": migrations,
    }))
}

async fn current(desk: &Desk, id: &ConnectionId) -> Result<Vec<CredentialVersion>, Failure> {
    let all = desk.app.store.credentials(id).await?;
    Ok(all.into_iter().filter(|version| version.state == VersionState::Current).collect())
}

pub(super) async fn show(desk: &Desk, connection: &Connection) -> Result<ExitCode, Failure> {
    if desk.output.json {
        desk.output.json(&as_json(desk, &connection.id).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = &desk.output;
    out.line(&format!("{} ({})", connection.name, connection.connector));
    if !connection.description.is_empty() {
        out.line(&printable(&connection.description));
    }
    out.line("");
    let form =
        desk.describe(&connection.connector).await.ok().map(|description| Form::of(&description.settings));
    let mut rows = vec![
        ("URL".to_owned(), address(desk, connection).await),
        ("State".to_owned(), told(&state(desk, connection).await?, &connection.name)),
        ("Last successful refresh".to_owned(), moment_or(connection.last_refresh_at, "never")),
        ("Max parallel executions".to_owned(), connection.max_parallel.to_string()),
    ];
    rows.extend(setting_rows(form.as_ref(), connection));
    rows.extend(tls_rows(connection));
    if let Some(proxy) = desk.app.config.proxy() {
        rows.push(("Proxy".to_owned(), format!("{proxy}, which resolves the names")));
    }
    for version in current(desk, &connection.id).await? {
        let ends = version.expires_at.map(|end| format!(", ends {}", moment(end))).unwrap_or_default();
        let idle = if is_used(form.as_ref(), connection, &version.credential) {
            ""
        } else {
            ", kept but not used now"
        };
        let text = format!("version {} of {}{ends}{idle}", version.version, moment(version.created_at));
        rows.push((format!("Credential {}", version.credential), text));
    }
    for used in desk.app.store.uses_of(&connection.id).await? {
        rows.push((format!("{} of the migration", capitalised(used.side)), used.migration));
    }
    out.pairs(rows);
    let kinds = desk.app.store.kinds(&connection.id).await?;
    if !kinds.is_empty() {
        out.line("");
        summaries(desk, &kinds);
    }
    Ok(ExitCode::SUCCESS)
}

fn tls_rows(connection: &Connection) -> Vec<(String, String)> {
    let tls = &connection.tls;
    let ca = tls.ca_pem.as_ref().map(|_| "trusts its own CA besides the system's".to_owned());
    let rows = [
        ("TLS server name", tls.server_name.clone()),
        ("TLS pin (SHA-256)", tls.pin_sha256.clone()),
        ("TLS", ca),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn capitalised(side: Side) -> &'static str {
    match side {
        Side::Source => "Source",
        Side::Target => "Target",
    }
}

fn setting_rows(form: Option<&Form>, connection: &Connection) -> Vec<(String, String)> {
    let row = |(key, value): (&String, &Value)| {
        let title = form
            .and_then(|form| form.field(key).ok())
            .map_or_else(|| key.clone(), |field| field.title.clone());
        (title, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    connection.settings.iter().map(row).collect()
}

/// Whether a credential matters with the settings as they are: another sign-in method may have been chosen since.
fn is_used(form: Option<&Form>, connection: &Connection, credential: &str) -> bool {
    form.is_none_or(|form| {
        form.fields.iter().filter(|field| field.secret).any(|field| {
            secrets::credential_of(form, &field.id) == credential && form.applies(field, &connection.settings)
        })
    })
}

/// The catalog's kinds as a table.
pub(super) fn summaries(desk: &Desk, kinds: &[KindSummary]) {
    let row = |kind: &KindSummary| {
        let note = kind.kept_reason.as_ref().map(|reason| format!("kept: {reason}")).unwrap_or_default();
        vec![
            kind.kind.clone(),
            kind.count.to_string(),
            moment_or((kind.refreshed_at > 0).then_some(kind.refreshed_at), "never"),
            note,
        ]
    };
    desk.output.table(&["KIND", "OBJECTS", "AS OF", "NOTE"], kinds.iter().map(row));
}

/// The checks of a test, a line each.
pub(super) fn checks(desk: &Desk, run: &Run) {
    for check in &report(run).checks {
        desk.output.say(&check_line(check));
        let Some(failure) = &check.failure else { continue };
        for line in what_to_do(failure) {
            desk.output.say(&format!("      {}", printable(&line)));
        }
        if let Some(reference) = &failure.reference {
            desk.output.say(&format!("      reference: {}", printable(reference)));
        }
    }
}

/// Whether a check of the run failed.
pub(super) fn has_failed_check(run: &Run) -> bool {
    report(run).checks.iter().any(|check| check.status == CheckStatus::Failed)
}

fn report(run: &Run) -> TestReport {
    run.result.clone().and_then(|result| serde_json::from_value(result).ok()).unwrap_or_default()
}

fn check_line(check: &Check) -> String {
    let (colour, word) = match check.status {
        CheckStatus::Passed => (AnsiColor::Green, "passed"),
        CheckStatus::Failed => (AnsiColor::Red, "FAILED"),
        _ => (AnsiColor::Yellow, "skipped"),
    };
    let style = paint(colour);
    let (name, detail) = (&check.name, printable(&check.detail));
    if detail.is_empty() {
        format!("  {style}{word}{style:#}  {name}")
    } else {
        format!("  {style}{word}{style:#}  {name}: {detail}")
    }
}

/// What a failed refresh left: the catalog of before, and a log.
pub(super) fn unchanged(desk: &Desk, connection: &Connection, run: &Run) {
    if run.state != RunState::Failed {
        return;
    }
    desk.output.say(&match connection.last_refresh_at {
        Some(at) => format!("The catalog is as it was; its last refresh was {}.", moment(at)),
        None => "There is no catalog yet: no refresh has succeeded.".to_owned(),
    });
    if let Some(log) = &run.log {
        desk.output.say(&format!("Log: {}", desk.app.config.logs().join(log).display()));
    }
}

/// What a refresh changed.
pub(super) fn refreshed(desk: &Desk, run: &Run) {
    let kinds = run.result.as_ref().map(|result| result["kinds"].clone());
    let Some(changes) = kinds.and_then(|kinds| serde_json::from_value::<Vec<KindChange>>(kinds).ok()) else {
        return;
    };
    if desk.output.json {
        return;
    }
    let row = |change: &KindChange| {
        let KindChange { kind, count, added, changed, removed, kept_reason } = change;
        match kept_reason {
            Some(reason) => {
                let dash = || "-".to_owned();
                vec![kind.clone(), dash(), dash(), dash(), dash(), format!("kept: {reason}")]
            }
            None => {
                let numbers = [count, added, changed, removed].map(ToString::to_string);
                std::iter::once(kind.clone()).chain(numbers).chain([String::new()]).collect()
            }
        }
    };
    desk.output.table(&["KIND", "OBJECTS", "ADDED", "CHANGED", "REMOVED", "NOTE"], changes.iter().map(row));
    if let Some(log) = &run.log {
        desk.output.line(&format!("Log: {}", desk.app.config.logs().join(log).display()));
    }
}
