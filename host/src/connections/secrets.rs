//! A connection's secrets: opened for a run, sealed for keeping. The one place where store and seal meet.

use crate::{
    app::App,
    model::{
        connection::Connection,
        credential::{CredentialVersion, VersionState},
        id::ConnectionId,
        secret::SecretValue,
        settings::Form,
    },
    secrets::{Binding, identity, inspect},
    store::SealedField,
};
use jackfield_plugin::contract::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// The purpose to which a connection's own secrets are sealed.
const PURPOSE: &str = "value";

/// Opened secrets.
#[derive(Clone, Default)]
pub struct Opened {
    /// Field and value.
    pub values: Vec<(String, SecretValue)>,
    /// Version of each credential.
    pub versions: BTreeMap<String, i64>,
}

/// Opens the secrets that a connection uses now.
///
/// # Errors
/// The store failed, or a value was moved, altered or sealed under another key.
pub async fn open_current(app: &App, connection: &ConnectionId) -> Result<Opened, Failure> {
    open(app, connection, VersionState::Current, false).await
}

/// Opens the secrets that are staged, not yet proven.
///
/// # Errors
/// As with those in use.
pub async fn open_staged(app: &App, connection: &ConnectionId) -> Result<Opened, Failure> {
    open(app, connection, VersionState::Staged, false).await
}

/// Opens those of the secrets that a connection uses now that can be opened: whoever enters one again is not to fail
/// because the old one is broken.
///
/// # Errors
/// The store failed, or the data key cannot be had.
pub async fn open_readable(app: &App, connection: &ConnectionId) -> Result<Opened, Failure> {
    open(app, connection, VersionState::Current, true).await
}

/// Opens the secrets that were in use before, as far as they are kept.
///
/// # Errors
/// As with those in use.
pub async fn open_previous(app: &App, connection: &ConnectionId) -> Result<Opened, Failure> {
    open(app, connection, VersionState::Previous, true).await
}

async fn open(
    app: &App,
    connection: &ConnectionId,
    state: VersionState,
    only_readable: bool,
) -> Result<Opened, Failure> {
    let sealed = app.store.sealed_fields(connection, state).await?;
    let mut opened = Opened::default();
    if sealed.is_empty() {
        return Ok(opened);
    }
    let key = app.data_key(connection).await?;
    for field in sealed {
        let bytes = match key.open(&binding(app, connection, &field), &field.blob) {
            Err(error) if only_readable => {
                tracing::warn!(%error, field = field.field, "a stored secret is left out");
                opened.versions.insert(field.credential, field.version);
                continue;
            }
            bytes => bytes?,
        };
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::jackfield(format!("the secret {} is no text", field.field)))?;
        let value = SecretValue::new(text);
        app.scrubber.learn(&value);
        opened.values.push((field.field.clone(), value));
        opened.versions.insert(field.credential, field.version);
    }
    Ok(opened)
}

/// The newest version of each credential, whatever its state: the next one counts on from it.
///
/// # Errors
/// The store failed.
pub async fn newest_versions(app: &App, connection: &ConnectionId) -> Result<BTreeMap<String, i64>, Failure> {
    let mut newest = BTreeMap::new();
    for known in app.store.credentials(connection).await? {
        let version = newest.entry(known.credential).or_insert(0);
        *version = known.version.max(*version);
    }
    Ok(newest)
}

/// The ids of the secret fields that a connection has a value for.
///
/// # Errors
/// The store failed.
pub async fn present(app: &App, connection: &ConnectionId) -> Result<BTreeSet<String>, Failure> {
    let sealed = app.store.sealed_fields(connection, VersionState::Current).await?;
    Ok(sealed.into_iter().map(|field| field.field).collect())
}

/// Seals secrets for a connection: one version of each credential that they belong to. Versions follow `versions`.
///
/// # Errors
/// The data key cannot be had.
pub async fn seal(
    app: &App,
    connection: &Connection,
    form: &Form,
    values: &BTreeMap<String, SecretValue>,
    versions: &BTreeMap<String, i64>,
) -> Result<Vec<(CredentialVersion, Vec<SealedField>)>, Failure> {
    let mut grouped: BTreeMap<String, Vec<(&String, &SecretValue)>> = BTreeMap::new();
    for (field, value) in values {
        app.scrubber.learn(value);
        grouped.entry(credential_of(form, field)).or_default().push((field, value));
    }
    let key = app.data_key(&connection.id).await?;
    let created_at = app.store.now().await?;
    let seal_one = |(credential, fields): (String, Vec<(&String, &SecretValue)>)| {
        let version = versions.get(&credential).copied().unwrap_or(0) + 1;
        let expires_at = fields.iter().filter_map(|(field, value)| expiry(form, field, value, values)).min();
        let sealed = fields.into_iter().map(|(field, value)| {
            let (credential, field) = (credential.clone(), field.clone());
            let mut sealed =
                SealedField { credential, field, version, purpose: PURPOSE.to_owned(), blob: Vec::new() };
            sealed.blob = key.seal(&binding(app, &connection.id, &sealed), value.reveal().as_bytes());
            sealed
        });
        let sealed = sealed.collect();
        let state = VersionState::Current;
        let note = String::new();
        (
            CredentialVersion { credential, version, state, created_at, expires_at, remote_id: None, note },
            sealed,
        )
    };
    Ok(grouped.into_iter().map(seal_one).collect())
}

/// The credential that a secret field belongs to: its own, if the schema names none.
pub fn credential_of(form: &Form, field: &str) -> String {
    form.field(field).ok().and_then(|field| field.credential.clone()).unwrap_or_else(|| field.to_owned())
}

/// When a secret ends by its own account, in milliseconds since 1970. A client certificate is opened for that, with its
/// password among the `others`.
fn expiry(
    form: &Form,
    field: &str,
    value: &SecretValue,
    others: &BTreeMap<String, SecretValue>,
) -> Option<i64> {
    let tls_identity = form.field(field).ok().and_then(|field| field.tls_identity.as_ref());
    let opened = tls_identity.and_then(|identity| {
        identity::open(value, identity.password.as_ref().and_then(|id| others.get(id))).ok()
    });
    let facts = inspect(opened.as_ref().unwrap_or(value));
    let jwt = facts.jwt.and_then(|jwt| jwt.expires);
    let certificate = facts.certificate.map(|certificate| certificate.not_after);
    jwt.into_iter().chain(certificate).min().map(|seconds| seconds.saturating_mul(1000))
}

fn binding<'a>(app: &'a App, connection: &'a ConnectionId, field: &'a SealedField) -> Binding<'a> {
    Binding {
        install: app.store.install_id(),
        connection: connection.as_str(),
        subject: "",
        credential: &field.credential,
        field: &field.field,
        version: field.version,
        purpose: &field.purpose,
    }
}
