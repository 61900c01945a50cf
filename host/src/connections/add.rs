//! Adding a connection: check, draft, test, save.

use super::{
    check_cap, check_identities, check_keys, check_name, check_no_secret, check_unique, generated, invalid,
    must_have_passed, secrets, texts, trust,
};
use crate::{
    app::App,
    model::{
        connection::{Connection, ConnectionState, TlsTrust},
        id::ConnectionId,
        run::Run,
        secret::SecretValue,
        settings::Form,
    },
};
use jackfield_plugin::contract::{Failure, Stage, description::Description};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a person wants to add.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// The connector's id.
    pub connector: String,
    /// The name.
    pub name: String,
    /// Notes.
    pub description: String,
    /// The settings that are not secret.
    pub settings: Map<String, Value>,
    /// The secrets.
    pub secrets: BTreeMap<String, SecretValue>,
    /// *Max parallel executions*; the connector's default if absent.
    pub max_parallel: Option<u32>,
    /// Whom to trust.
    pub tls: TlsTrust,
    /// The person accepts the hosts that the connector must reach besides the settings'.
    pub accept_hosts: bool,
}

/// Checks what is wanted and keeps it as a draft.
///
/// # Errors
/// The name is taken, or a setting cannot be right; nothing is kept then.
pub async fn draft(app: &App, new: NewConnection) -> Result<Connection, Failure> {
    let name = check_name(app, &new.name, None).await?;
    let description = app.describe(&new.connector).await?;
    let accepted_hosts = accepted(&description, new.accept_hosts)?;
    let form = Form::of(&description.settings);
    // A blank secret keeps what is there, and here nothing is.
    let mut secrets: BTreeMap<String, SecretValue> =
        new.secrets.into_iter().filter(|(_, value)| !value.reveal().is_empty()).collect();
    let given: BTreeSet<String> = secrets.keys().cloned().collect();
    let own = [("name", name.as_str()), ("description", new.description.as_str())];
    check_no_secret(own.into_iter().chain(texts(&new.settings)), &secrets)?;
    let tls = trust::checked(new.tls, &secrets)?;
    let settings = form.check(&new.settings, &given).map_err(|problems| invalid(&problems))?;
    check_unique(app, &form, &new.connector, &settings, None).await?;
    check_keys(&form, &secrets)?;
    check_identities(&form, &secrets, |_| true)?;
    generated::none_given(&form, &secrets)?;
    generated::complete(&form, &settings, &mut secrets).await?;
    let now = app.store.now().await?;
    let connection = Connection {
        id: ConnectionId::random(),
        name,
        description: new.description,
        connector: new.connector,
        settings,
        max_parallel: check_cap(new.max_parallel.unwrap_or(description.default_cap))?,
        tls,
        accepted_hosts,
        state: ConnectionState::Draft,
        draft_of: None,
        created_at: now,
        updated_at: now,
        last_refresh_at: None,
        last_refresh_run: None,
    };
    keep(app, &connection, &form, &secrets, &BTreeMap::new()).await?;
    Ok(connection)
}

/// Saves a draft whose test has passed.
///
/// # Errors
/// It has not passed, or its name or place was taken meanwhile. The draft stays.
pub async fn save(app: &App, draft: &Connection, test: &Run) -> Result<Connection, Failure> {
    must_have_passed(draft, test)?;
    let form = Form::of(&app.describe(&draft.connector).await?.settings);
    check_unique(app, &form, &draft.connector, &draft.settings, None).await?;
    app.store.promote_draft(&draft.id, &draft.name).await?;
    let saved = app.store.connection(&draft.id).await?;
    saved.ok_or_else(|| Failure::jackfield("the connection vanished while it was saved"))
}

/// Forgets a draft.
///
/// # Errors
/// The store failed.
pub async fn discard(app: &App, draft: &Connection) -> Result<(), Failure> {
    super::delete(app, draft).await
}

/// Stores a draft with its secrets; if the secrets cannot be stored, no draft is left.
pub(super) async fn keep(
    app: &App,
    draft: &Connection,
    form: &Form,
    values: &BTreeMap<String, SecretValue>,
    versions: &BTreeMap<String, i64>,
) -> Result<(), Failure> {
    app.store.insert_connection(draft).await?;
    let kept = async {
        for (version, fields) in secrets::seal(app, draft, form, values, versions).await? {
            app.store.put_credential(&draft.id, &version, &fields).await?;
        }
        Ok(())
    };
    let kept = kept.await;
    if kept.is_err() {
        app.store.delete_connection(&draft.id).await?;
    }
    kept
}

/// The hosts outside the settings that the connector must reach, if the person accepts them.
pub(super) fn accepted(description: &Description, accept: bool) -> Result<Vec<String>, Failure> {
    if description.hosts.is_empty() || accept {
        return Ok(description.hosts.iter().map(|host| host.origin.clone()).collect());
    }
    let hosts: Vec<String> =
        description.hosts.iter().map(|host| format!("{} ({})", host.origin, host.reason)).collect();
    Err(Failure::you(format!(
        "the connector \"{}\" also sends requests to {}",
        description.id,
        hosts.join(" and ")
    ))
    .at(Stage::Settings)
    .remedy("accept that with --accept-hosts"))
}
