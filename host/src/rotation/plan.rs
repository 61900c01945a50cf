//! Planning: which credentials a connection has, which of them is due, and beginning with one.

use crate::{
    app::App,
    connections::secrets,
    model::{
        Millis,
        connection::Connection,
        credential::{CredentialVersion, VersionState},
        id::RotationId,
        rotation::{Rotation, RotationState},
        settings::Form,
        text::{as_named, quoted, shell_word},
    },
};
use jackfield_plugin::contract::{
    Failure,
    description::{CredentialInfo, Description, RotationMode},
};
use serde::Serialize;

/// How long before its end a credential is renewed that the connector can renew by itself: a day.
const RENEW_BEFORE: Millis = 24 * 60 * 60 * 1000;

/// When one that was refused is tried again without anybody asking: an hour later.
const RETRY_AFTER: Millis = 60 * 60 * 1000;

/// A credential that a connection uses.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// The credential's id.
    pub credential: String,
    /// Its name for a person.
    pub label: String,
    /// Who makes a new version.
    pub mode: RotationMode,
    /// The secret fields that belong to it, by id.
    pub fields: Vec<String>,
    /// The version in use.
    pub current: CredentialVersion,
    /// The rotation that is not at its end.
    pub rotation: Option<Rotation>,
    /// The last rotation, if it was given up for something that went wrong and nobody has brought a new version since.
    pub refused: Option<Rotation>,
}

impl Held {
    /// Whether there is something to do for it now without anybody asking.
    pub fn is_due(&self, now: Millis) -> bool {
        match &self.rotation {
            Some(open) => match open.state {
                RotationState::WaitingForPerson => true,
                _ => open.next_at.is_none_or(|at| at <= now),
            },
            None => {
                let ends = self.current.expires_at;
                let again = self.refused.as_ref().and_then(|refused| refused.ended_at);
                self.mode == RotationMode::Automatic
                    && ends.is_some_and(|ends| ends - RENEW_BEFORE <= now)
                    && again.is_none_or(|ended| ended + RETRY_AFTER <= now)
            }
        }
    }
}

/// The credentials that a connection uses, in the order of its connector's description.
///
/// # Errors
/// The store failed.
pub async fn held(
    app: &App,
    connection: &Connection,
    description: &Description,
) -> Result<Vec<Held>, Failure> {
    let form = Form::of(&description.settings);
    let versions = app.store.credentials(&connection.id).await?;
    let rotations = app.store.rotations(&connection.id).await?;
    let fields = |id: &str| -> Vec<String> {
        let of = form.fields.iter().filter(|field| field.secret && form.applies(field, &connection.settings));
        let of = of.filter(|field| secrets::credential_of(&form, &field.id) == id);
        of.map(|field| field.id.clone()).collect()
    };
    let held = |info: &CredentialInfo| {
        let fields = fields(&info.id);
        let current = versions
            .iter()
            .find(|version| version.credential == info.id && version.state == VersionState::Current)?;
        let last = rotations.iter().find(|rotation| rotation.credential == info.id).cloned();
        let (ended, open): (Option<_>, Option<_>) = match last {
            Some(last) if last.ended_at.is_some() => (Some(last), None),
            open => (None, open),
        };
        let refused = ended.filter(|last| {
            let is_it = last.state == RotationState::Aborted && last.failure.is_some();
            is_it && last.base_version == current.version
        });
        (!fields.is_empty()).then(|| Held {
            credential: info.id.clone(),
            label: info.label.clone(),
            mode: info.mode,
            fields,
            current: current.clone(),
            rotation: open,
            refused,
        })
    };
    Ok(description.credentials.iter().filter_map(held).collect())
}

/// Which of the credentials a person means: by its id, or by one of its fields; the only one if none is named.
///
/// # Errors
/// There is none of that name, or there are several.
pub fn choose(connection: &Connection, held: Vec<Held>, named: Option<&str>) -> Result<Held, Failure> {
    let names = held.iter().map(|held| held.credential.as_str()).collect::<Vec<_>>().join(", ");
    let known =
        format!("{} has {}", quoted(&connection.name), if names.is_empty() { "none" } else { &names });
    let is_meant = |held: &Held| {
        named.is_none_or(|named| held.credential == named || held.fields.iter().any(|field| field == named))
    };
    let mut meant = held.into_iter().filter(is_meant);
    match (meant.next(), meant.next(), named) {
        (Some(one), None, _) => Ok(one),
        (Some(_), Some(_), _) => {
            Err(Failure::you(format!("which credential? {known}")).remedy("name it behind the connection"))
        }
        (None, _, Some(named)) => {
            Err(Failure::you(format!("there is no credential {}; {known}", as_named(named))))
        }
        (None, _, None) => Err(Failure::you(format!("there is no credential to be renewed; {known}"))),
    }
}

/// Begins a rotation, or yields the one that is not at its end.
///
/// # Errors
/// The connector cannot make a new version by itself, or the store failed.
pub async fn begin(app: &App, connection: &Connection, held: &Held) -> Result<Rotation, Failure> {
    if !matches!(held.mode, RotationMode::Automatic | RotationMode::Assisted) {
        let options: Vec<String> =
            held.fields.iter().map(|field| format!("--secret {field}=@FILE")).collect();
        return Err(Failure::you(format!(
            "a new \"{}\" is made by a person, in the remote system",
            held.label
        ))
        .remedy(format!(
            "make it there and give it: jackfield credential rotate {} {} {}",
            shell_word(&connection.name),
            held.credential,
            options.join(" ")
        )));
    }
    let newest = secrets::newest_versions(app, &connection.id).await?;
    let new = Rotation {
        id: RotationId::random(),
        connection: connection.id.clone(),
        credential: held.credential.clone(),
        mode: held.mode,
        base_version: held.current.version,
        new_version: newest.get(&held.credential).copied().unwrap_or(0) + 1,
        state: RotationState::Prepared,
        run: None,
        failure: None,
        next_at: None,
        created_at: app.store.now().await?,
        ended_at: None,
    };
    Ok(app.store.begin_rotation(&new).await?)
}
