//! Connections: adding, changing and removing them, always by way of a passed test.
//!
//! What a person proposes is first a *draft*: a hidden connection with its own sealed secrets, so that a test runs on
//! exactly what would be saved, and state that a test makes has an owner. A passed test promotes the draft (a new
//! connection) or moves its settings and secrets over (a change). A draft that nobody comes back to is swept after a day.

pub mod add;
pub mod edit;
pub mod generated;
pub mod secrets;
mod trust;

use crate::{
    app::App,
    model::{
        connection::Connection,
        migration::Use,
        name,
        run::{Run, RunState},
        secret::SecretValue,
        settings::{Form, Problem},
        text::shell_word,
    },
    secrets::{Scrubber, check_private_key, identity},
    store,
};
use jackfield_plugin::contract::{Failure, Stage};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// From this length on, in bytes, a secret's value is no word that a name could hold by chance.
const SHORTEST_SECRET: usize = 8;

/// The connection of a name, or of an id.
///
/// # Errors
/// There is none; the failure names similar ones.
pub async fn find(app: &App, name: &str) -> Result<Connection, Failure> {
    if let Some(found) = app.store.connection_by_name(name).await? {
        return Ok(found);
    }
    let all = app.store.connections(None).await?;
    if let Some(found) = all.iter().find(|connection| connection.id.as_str() == name) {
        return Ok(found.clone());
    }
    Err(name::unknown("connection", name, all.iter().map(|connection| connection.name.as_str())))
}

/// Deletes a connection with everything that is its own. A run that waits to be taken up is cancelled by that; one that is
/// being driven is in the way.
///
/// # Errors
/// A migration uses it, it is being tested or refreshed, or the store failed.
pub async fn delete(app: &App, connection: &Connection) -> Result<(), Failure> {
    loop {
        match app.store.delete_connection(&connection.id).await {
            Err(store::Error::Used { uses }) => return Err(in_use(connection, &uses)),
            Err(store::Error::RunActive { run }) if run.state == RunState::Queued => {
                app.store.request_cancel(&run.id).await?;
            }
            other => {
                other?;
                forget_places(app, connection);
                return Ok(());
            }
        }
    }
}

/// Refuses a connection that migrations use, before anybody is asked whether it is to be deleted.
///
/// # Errors
/// Every migration that does is named.
pub async fn check_unused(app: &App, connection: &Connection) -> Result<(), Failure> {
    match app.store.uses_of(&connection.id).await? {
        uses if uses.is_empty() => Ok(()),
        uses => Err(in_use(connection, &uses)),
    }
}

fn in_use(connection: &Connection, uses: &[Use]) -> Failure {
    let line = |used: &Use| format!("\n  {} (as its {})", used.migration, used.side.as_str());
    let lines: String = uses.iter().map(line).collect();
    let (what, remedy) = match uses {
        [_] => ("a migration uses it", "delete the migration first"),
        _ => ("migrations use it", "delete each of these migrations first, beginning with"),
    };
    let first = uses.first().map(|used| shell_word(&used.migration)).unwrap_or_default();
    Failure::you(format!("\"{}\" cannot be deleted, because {what}:{lines}", connection.name))
        .remedy(format!("{remedy}: jackfield migration delete {first}"))
}

/// Removes the files by which a connection's processes shared its places. One that stays does no harm.
fn forget_places(app: &App, connection: &Connection) {
    let beginning = format!("{}.", connection.id);
    for entry in std::fs::read_dir(app.config.places()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&beginning)
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::debug!(%error, "the file of a place could not be removed");
        }
    }
}

/// The rules for a name: something to read, and not taken by another.
async fn check_name(app: &App, name: &str, own: Option<&Connection>) -> Result<String, Failure> {
    let name = name::readable(name)?;
    match app.store.connection_by_name(&name).await? {
        Some(other) if own.is_none_or(|own| own.id != other.id) => Err(name::taken(&other.name)),
        _ => Ok(name),
    }
}

/// Refuses settings with which two connections would take something on the remote side from each other.
async fn check_unique(
    app: &App,
    form: &Form,
    connector: &str,
    settings: &Map<String, Value>,
    own: Option<&Connection>,
) -> Result<(), Failure> {
    let Some(last) = form.unique.last() else { return Ok(()) };
    let all = app.store.connections(None).await?;
    let is_other = |other: &&Connection| {
        other.connector == connector
            && own.is_none_or(|own| own.id != other.id)
            && form.collide(settings, &other.settings)
    };
    let Some(other) = all.iter().find(is_other) else { return Ok(()) };
    let shared: Vec<String> =
        form.unique.iter().filter_map(|id| Some(format!("{id} ({})", settings.get(id)?.as_str()?))).collect();
    Err(Failure::you(format!(
        "the connection \"{}\" has the same {}, and two connections cannot share what Jackfield keeps there",
        other.name,
        shared.join(" and ")
    ))
    .at(Stage::Settings)
    .field(last.clone())
    .remedy(format!("choose another {last}, or use \"{}\" instead", other.name)))
}

/// Refuses what is no private key where one has to be.
fn check_keys(form: &Form, secrets: &BTreeMap<String, SecretValue>) -> Result<(), Failure> {
    for field in form.fields.iter().filter(|field| !field.private_key.is_empty()) {
        if let Some(value) = secrets.get(&field.id) {
            check_private_key(&field.id, &field.title, value, &field.private_key)?;
        }
    }
    Ok(())
}

/// Refuses client certificates that cannot be shown, those of them that `is_new` or whose password is.
fn check_identities(
    form: &Form,
    secrets: &BTreeMap<String, SecretValue>,
    is_new: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for field in &form.fields {
        let (Some(identity), Some(value)) = (&field.tls_identity, secrets.get(&field.id)) else { continue };
        if !is_new(&field.id) && !identity.password.as_deref().is_some_and(&is_new) {
            continue;
        }
        let password = identity.password.as_ref().and_then(|id| secrets.get(id));
        let now = jiff::Timestamp::now().as_second();
        let opened = identity::open(value, password);
        let checked = opened.and_then(|opened| identity::check_time(&opened, now));
        checked.map_err(|trouble| trouble.failure(form, field))?;
    }
    Ok(())
}

/// The texts of settings, with their fields.
fn texts(settings: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    settings.iter().filter_map(|(field, value)| Some((field.as_str(), value.as_str()?)))
}

/// Refuses texts that hold the value of a secret: they are stored and shown as they stand. Whoever pasted a value into the
/// wrong place is told so before anything is kept.
pub(crate) fn check_no_secret<'a>(
    texts: impl Iterator<Item = (&'a str, &'a str)>,
    secrets: &BTreeMap<String, SecretValue>,
) -> Result<(), Failure> {
    let scrubber = Scrubber::new();
    // A short value may well be a word that a name has by right.
    secrets
        .values()
        .filter(|secret| secret.reveal().trim().len() >= SHORTEST_SECRET)
        .for_each(|secret| scrubber.learn(secret));
    for (field, text) in texts {
        if scrubber.finds(text.as_bytes()) {
            return Err(Failure::you(format!(
                "{field} holds the value of a secret, and it would be stored and shown as it stands"
            ))
            .at(Stage::Settings)
            .field(field)
            .remedy(
                "leave the secret out of it; if it stands in your shell's history now, have it replaced",
            ));
        }
    }
    Ok(())
}

/// The cap's rule.
fn check_cap(cap: u32) -> Result<u32, Failure> {
    match cap {
        1..=256 => Ok(cap),
        _ => Err(Failure::you(format!("Max parallel executions must be from 1 to 256, not {cap}"))
            .at(Stage::Settings)
            .field("max_parallel")),
    }
}

/// All problems as one failure; the first one's field is named.
fn invalid(problems: &[Problem]) -> Failure {
    let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
    let failure = Failure::you(format!("the settings cannot be used:\n  {text}")).at(Stage::Settings);
    match problems.first() {
        Some(problem) => failure.field(problem.field.clone()),
        None => failure,
    }
}

/// Refuses to save what has not passed its test.
fn must_have_passed(draft: &Connection, test: &Run) -> Result<(), Failure> {
    if test.connection == draft.id && test.state == RunState::Succeeded {
        return Ok(());
    }
    Err(test
        .failure
        .clone()
        .unwrap_or_else(|| Failure::you("only a connection whose test has passed is saved")))
}
