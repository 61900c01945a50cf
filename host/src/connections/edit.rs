//! Changing a connection. A name, a description or a cap changes at once; everything else by way of a tested draft. A
//! change never refreshes the catalog.
//!
//! Secrets that are not given are kept, with one exception: where the address moves to another origin they must be given
//! again, and what was stored for the old one is forgotten, whether it was in use or not. Otherwise whoever may edit could
//! have a stored secret sent to a server of their own.

use super::{
    add, check_cap, check_identities, check_keys, check_name, check_no_secret, check_unique, generated,
    invalid, must_have_passed, secrets, texts, trust,
};
use crate::{
    app::App,
    model::{
        connection::{Connection, ConnectionState, TlsTrust},
        id::ConnectionId,
        run::Run,
        secret::SecretValue,
        settings::{Field, Form},
        text::shell_word,
    },
    store::Edit,
};
use jackfield_plugin::contract::{Failure, Stage};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// What a person wants to change; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The name.
    pub name: Option<String>,
    /// Notes.
    pub description: Option<String>,
    /// Settings; `null` takes one back to its default. That of a secret is that there is none, and a stored one is forgotten.
    pub settings: Map<String, Value>,
    /// Secrets. A blank one is kept.
    pub secrets: BTreeMap<String, SecretValue>,
    /// *Max parallel executions*.
    pub max_parallel: Option<u32>,
    /// Whom to trust.
    pub tls: Option<TlsTrust>,
    /// The person accepts the hosts that the connector must reach besides the settings'.
    pub accept_hosts: bool,
}

/// What is to be done for a change.
#[derive(Debug)]
pub enum Plan {
    /// It is done.
    Saved(Box<Connection>),
    /// This is to be tested first.
    Test(Box<Trial>),
}

/// A change that is to be tested.
#[derive(Debug)]
pub struct Trial {
    /// The connection as it would be.
    pub draft: Connection,
    /// The secrets that were taken away, of those that are stored.
    pub forgotten: BTreeSet<String>,
    /// What Jackfield made anew in place of what the connection has, by title. A test may tell the remote system of it.
    pub remade: Vec<String>,
    /// The settings that are not kept, because they do not apply any more.
    pub dropped: Vec<String>,
    /// What stays in the remote system of what was made for the settings before; empty if nothing does.
    pub remains: String,
}

/// Checks a change, and does it if it needs no test.
///
/// # Errors
/// A value cannot be right, the name is taken, or a secret must be given again. Nothing is changed then.
pub async fn plan(app: &App, old: &Connection, change: Change) -> Result<Plan, Failure> {
    let mut new = old.clone();
    if let Some(name) = &change.name {
        new.name = check_name(app, name, Some(old)).await?;
    }
    if let Some(description) = change.description {
        new.description = description;
    }
    if let Some(cap) = change.max_parallel {
        new.max_parallel = check_cap(cap)?;
    }
    new.updated_at = app.store.now().await?;
    let given: BTreeMap<String, SecretValue> =
        change.secrets.into_iter().filter(|(_, value)| !value.reveal().is_empty()).collect();
    let mut tls = change.tls;
    let says_more =
        change.name.is_some() || new.description != old.description || !change.settings.is_empty();
    if says_more || tls.is_some() {
        let mut known: BTreeMap<String, SecretValue> =
            secrets::open_readable(app, &old.id).await?.values.into_iter().collect();
        known.extend(given.clone());
        let own = [("name", new.name.as_str()), ("description", new.description.as_str())];
        check_no_secret(own.into_iter().chain(texts(&change.settings)), &known)?;
        tls = tls.map(|tls| trust::checked(tls, &known)).transpose()?;
    }
    if change.settings.is_empty() && given.is_empty() && tls.is_none() && !change.accept_hosts {
        app.store.update_connection(&new).await?;
        return Ok(Plan::Saved(Box::new(new)));
    }

    new.tls = tls.unwrap_or(new.tls);
    let trial = trial(app, old, new, change.settings, given, change.accept_hosts).await?;
    Ok(Plan::Test(Box::new(trial)))
}

/// Keeps a draft of what a connection would be, with the secrets that it would have.
async fn trial(
    app: &App,
    old: &Connection,
    mut new: Connection,
    change: Map<String, Value>,
    given: BTreeMap<String, SecretValue>,
    accept_hosts: bool,
) -> Result<Trial, Failure> {
    let description = app.describe(&old.connector).await?;
    let form = Form::of(&description.settings);
    let opened = secrets::open_readable(app, &old.id).await?;
    let taken: BTreeSet<String> =
        change.iter().filter(|(_, value)| value.is_null()).map(|(field, _)| field.clone()).collect();
    let wanted = merged(&old.settings, change);
    let forgotten = forgotten(&form, &wanted, &taken, &secrets::present(app, &old.id).await?)?;
    let mut kept = still_applying(&form, &wanted, &opened.values);
    kept.retain(|field, _| !taken.contains(field));
    let present: BTreeSet<String> = given.keys().chain(kept.keys()).cloned().collect();
    let (wanted, dropped) = without_stale(&form, wanted, &old.settings);
    new.settings = form.check(&wanted, &present).map_err(|problems| invalid(&problems))?;
    if moved_to(&form, &old.settings, &new.settings).is_some() {
        // Nobody can give it again: another system gets another one.
        kept.retain(|field, _| form.field(field).is_ok_and(|field| field.generated.is_none()));
    }
    check_unique(app, &form, &old.connector, &new.settings, Some(old)).await?;
    let moved = moved_to(&form, &old.settings, &new.settings).is_some();
    no_rotation_is_left(app, &form, old, &new.settings, moved).await?;
    check_keys(&form, &given)?;
    generated::none_given(&form, &given)?;
    must_give_again(&form, old, &new, &kept, &given)?;
    if accept_hosts {
        new.accepted_hosts = add::accepted(&description, true)?;
    }
    let new_ones: BTreeSet<String> = given.keys().cloned().chain(taken).collect();
    let mut values = kept;
    values.extend(given);
    check_identities(&form, &values, |field| new_ones.contains(field))?;
    let made = generated::complete(&form, &new.settings, &mut values).await?;
    let before = |field: &&Field| opened.values.iter().any(|(id, _)| *id == field.id);
    let remade: Vec<String> = made.into_iter().filter(before).map(|field| field.title.clone()).collect();
    // What was made there for another place, or with another key.
    let is_another = form.unique.iter().any(|field| old.settings.get(field) != new.settings.get(field));
    let remains = if is_another { description.words.remains.clone() } else { String::new() };
    let forgotten = forgotten
        .into_iter()
        .filter(|id| {
            form.field(id).is_ok_and(|field| field.generated.is_none() || !form.applies(field, &new.settings))
        })
        .collect();
    let draft = Connection {
        id: ConnectionId::random(),
        state: ConnectionState::Draft,
        draft_of: Some(old.id.clone()),
        last_refresh_at: None,
        last_refresh_run: None,
        created_at: new.updated_at,
        ..new
    };
    add::keep(app, &draft, &form, &values, &BTreeMap::new()).await?;
    app.store.copy_state(&old.id, &draft.id).await?;
    Ok(Trial { draft, forgotten, remade, dropped, remains })
}

/// Refuses a change after which an open rotation could not be brought to its end: what it has made would stay where it is.
async fn no_rotation_is_left(
    app: &App,
    form: &Form,
    old: &Connection,
    settings: &Map<String, Value>,
    moved: bool,
) -> Result<(), Failure> {
    let is_used = |credential: &str| {
        let of = form.fields.iter().filter(|field| field.secret && form.applies(field, settings));
        of.map(|field| secrets::credential_of(form, &field.id)).any(|id| id == credential)
    };
    let open = app.store.open_rotations(Some(&old.id)).await?;
    let Some(left) = open.iter().find(|open| moved || !is_used(&open.credential)) else { return Ok(()) };
    let name = shell_word(&old.name);
    Err(Failure::you(format!(
        "a new version of \"{}\" is being made or an old one is still to be removed, in the system as it is set up now",
        left.credential
    ))
    .at(Stage::Settings)
    .remedy(format!(
        "finish that first: jackfield credential renew --due --at-once; or give the new version up: jackfield credential rotate {name} {} --give-up",
        left.credential
    )))
}

/// Saves a change whose draft has passed its test. The draft is gone then.
///
/// # Errors
/// It has not passed, or its name or place was taken meanwhile. The connection is as it was.
pub async fn save(app: &App, old: &Connection, trial: &Trial, test: &Run) -> Result<Connection, Failure> {
    let draft = &trial.draft;
    must_have_passed(draft, test)?;
    let description = app.describe(&old.connector).await?;
    let form = Form::of(&description.settings);
    check_unique(app, &form, &old.connector, &draft.settings, Some(old)).await?;
    let tested = secrets::open_current(app, &draft.id).await?;
    let moved = moved_to(&form, &old.settings, &draft.settings).is_some();
    let before = if moved { Vec::new() } else { secrets::open_readable(app, &old.id).await?.values };
    let taken: BTreeSet<String> =
        trial.forgotten.iter().map(|field| secrets::credential_of(&form, field)).collect();
    let left = [tested.values, not_applying(&form, &draft.settings, &trial.forgotten, &before)].concat();
    let changed = changed_credentials(&form, &left, &before, &taken);
    let dropped: Vec<String> = taken.into_iter().collect();
    let sealed =
        secrets::seal(app, old, &form, &changed, &secrets::newest_versions(app, &old.id).await?).await?;
    let new = Connection {
        id: old.id.clone(),
        state: ConnectionState::Ready,
        draft_of: None,
        created_at: old.created_at,
        last_refresh_at: old.last_refresh_at,
        last_refresh_run: old.last_refresh_run.clone(),
        ..draft.clone()
    };
    let edit = Edit {
        connection: &new,
        draft: &draft.id,
        read_at: old.updated_at,
        moved,
        credentials: &sealed,
        dropped: &dropped,
    };
    app.store.save_edit(&edit).await?;
    if new.settings != old.settings {
        // A session belongs to the settings it was got with (a client id, a sign-in method) as much as to the secret.
        app.store.drop_sessions(&old.id, None).await?;
    }
    Ok(new)
}

/// The secrets that are taken away, of those that are stored.
///
/// # Errors
/// One is needed, or does not apply and is not stored either: whoever takes it away means something else.
fn forgotten(
    form: &Form,
    settings: &Map<String, Value>,
    taken: &BTreeSet<String>,
    stored: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Failure> {
    let wrong = |what: String, field: &Field| Failure::you(what).at(Stage::Settings).field(field.id.clone());
    for field in taken.iter().filter_map(|id| form.field(id).ok()).filter(|field| field.secret) {
        let (id, title) = (&field.id, &field.title);
        if !form.applies(field, settings) {
            if !stored.contains(id) {
                let why = form.condition(field);
                return Err(wrong(
                    format!("nothing is stored for {id} (\"{title}\"), which applies {why}"),
                    field,
                )
                .remedy(format!("leave out --unset {id}")));
            }
        } else if field.required {
            let (now, more) = match field.when.is_empty() {
                true => ("always needed", ""),
                false => ("needed with these settings", ", or change the setting that makes it apply"),
            };
            return Err(wrong(format!("{id} (\"{title}\") is {now}, so it cannot be taken away"), field)
                .remedy(format!("give another with --secret {id}=@FILE{more}")));
        }
    }
    Ok(taken.intersection(stored).cloned().collect())
}

fn merged(old: &Map<String, Value>, change: Map<String, Value>) -> Map<String, Value> {
    let mut settings = old.clone();
    for (field, value) in change {
        if value.is_null() {
            settings.remove(&field);
        } else {
            settings.insert(field, value);
        }
    }
    settings
}

/// Drops what was kept from before but no longer applies (another sign-in method was chosen). What the person gave stays,
/// to be refused by name.
fn without_stale(
    form: &Form,
    mut wanted: Map<String, Value>,
    old: &Map<String, Value>,
) -> (Map<String, Value>, Vec<String>) {
    let stale = form.fields.iter().filter(|field| {
        !form.applies(field, &wanted)
            && wanted.get(&field.id).is_some_and(|value| old.get(&field.id) == Some(value))
    });
    let stale: Vec<String> = stale.map(|field| field.id.clone()).collect();
    wanted.retain(|field, _| !stale.contains(field));
    (wanted, stale)
}

fn still_applying(
    form: &Form,
    settings: &Map<String, Value>,
    values: &[(String, SecretValue)],
) -> BTreeMap<String, SecretValue> {
    let applies = |id: &str| form.field(id).is_ok_and(|field| form.applies(field, settings));
    values.iter().filter(|(id, _)| applies(id)).cloned().collect()
}

/// The one exception to "blank keeps": the address moves to another origin.
fn must_give_again(
    form: &Form,
    old: &Connection,
    new: &Connection,
    kept: &BTreeMap<String, SecretValue>,
    given: &BTreeMap<String, SecretValue>,
) -> Result<(), Failure> {
    let Some((field, moved)) = moved_to(form, &old.settings, &new.settings) else { return Ok(()) };
    let missing: Vec<&str> = kept.keys().filter(|id| !given.contains_key(*id)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let options: Vec<String> = missing.iter().map(|id| format!("--secret {id}=@FILE")).collect();
    Err(Failure::you(format!(
        "the address moves to another system ({}), so the stored {} is not sent along",
        moved.origin().ascii_serialization(),
        missing.join(" and ")
    ))
    .at(Stage::Settings)
    .field(field.clone())
    .remedy(format!("give it again for the new address: {}", options.join(" "))))
}

/// The address that leads to another system than before, with its field.
fn moved_to(form: &Form, old: &Map<String, Value>, new: &Map<String, Value>) -> Option<(String, Url)> {
    let before: Vec<_> = form.origins(old).into_iter().map(|(_, url, _)| url.origin()).collect();
    let mut after = form.origins(new).into_iter();
    after.find(|(_, url, _)| !before.contains(&url.origin())).map(|(field, url, _)| (field, url))
}

/// Secrets that were not tested because they do not apply any more (another sign-in method was chosen): they stay for the day
/// that they do again, unless they were taken away.
fn not_applying(
    form: &Form,
    settings: &Map<String, Value>,
    forgotten: &BTreeSet<String>,
    before: &[(String, SecretValue)],
) -> Vec<(String, SecretValue)> {
    let applying = still_applying(form, settings, before);
    let stays = |id: &String| !applying.contains_key(id) && !forgotten.contains(id);
    before.iter().filter(|(id, _)| stays(id)).cloned().collect()
}

/// The values of every credential in which something differs from before, those of which something was taken away included.
fn changed_credentials(
    form: &Form,
    left: &[(String, SecretValue)],
    current: &[(String, SecretValue)],
    taken: &BTreeSet<String>,
) -> BTreeMap<String, SecretValue> {
    let differs = |(field, value): &&(String, SecretValue)| {
        current.iter().find(|(other, _)| other == field).is_none_or(|(_, before)| before != value)
    };
    let differing = left.iter().filter(differs).map(|(field, _)| secrets::credential_of(form, field));
    let changed: BTreeSet<String> = differing.chain(taken.iter().cloned()).collect();
    left.iter().filter(|(field, _)| changed.contains(&secrets::credential_of(form, field))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is sealed anew: of the secrets `a` and `b` of one credential and `c` and `d` of another, of which `b` and `d` apply.
    fn sealed(tested: &[(&str, &str)], forgotten: &[&str]) -> Vec<String> {
        let secret = |credential: &str, way: &str| json!({ "type": "string", "x-secret": true, "x-credential": credential, "x-when": { "way": [way] } });
        let form = Form::of(&json!({ "properties": {
            "way": { "enum": ["old", "new"] },
            "a": secret("one", "old"), "b": secret("one", "new"), "c": secret("two", "old"), "d": secret("two", "new"),
        }}));
        let settings = json!({ "way": "new" });
        let values = |pairs: &[(&str, &str)]| -> Vec<(String, SecretValue)> {
            pairs.iter().map(|(id, value)| ((*id).to_owned(), SecretValue::new(*value))).collect()
        };
        let before = values(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]);
        let forgotten: BTreeSet<String> = forgotten.iter().map(|id| (*id).to_owned()).collect();
        let taken = forgotten.iter().map(|id| secrets::credential_of(&form, id)).collect();
        let stays = not_applying(&form, settings.as_object().unwrap(), &forgotten, &before);
        let changed = changed_credentials(&form, &[values(tested), stays].concat(), &before, &taken);
        changed.into_keys().collect()
    }

    #[test]
    fn a_credential_keeps_what_does_not_apply_until_that_is_taken_away() {
        let same = [("b", "1"), ("d", "1")];
        assert_eq!(sealed(&same, &[]), [""; 0], "nothing has changed");
        assert_eq!(sealed(&[("b", "2"), ("d", "1")], &[]), ["a", "b"]);
        assert_eq!(sealed(&same, &["a"]), ["b"]);
        assert_eq!(sealed(&[("d", "1")], &["b"]), ["a"]);
        assert_eq!(sealed(&[("b", "2"), ("d", "1")], &["a", "c"]), ["b", "d"]);
    }
}
