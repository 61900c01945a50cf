//! Changing a connection at the command line: `connection edit`, and values that a person brings for a credential.

use super::{
    Desk,
    connection::{finished, test_and_ask},
    connection_input::{self as input, Given},
    connection_view as view,
};
use crate::{
    connections::{
        self, add,
        edit::{self, Change, Plan, Trial},
        secrets,
    },
    model::{
        connection::{Connection, TlsTrust},
        credential::VersionState,
        run::{Run, RunState},
        settings::Form,
        text::shell_word,
    },
    rotation::plan::Held,
};
use clap::Args;
use jackfield_plugin::contract::{
    Failure,
    description::Description,
    hooks::{CheckStatus, TestReport},
};
use serde_json::json;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

#[derive(Args)]
pub(super) struct Edit {
    /// The connection's name
    connection: String,
    /// A new name
    #[arg(long = "name", value_name = "NAME", allow_hyphen_values = true)]
    new_name: Option<String>,
    /// New notes
    #[arg(long, allow_hyphen_values = true)]
    description: Option<String>,
    /// Take a setting back to its default, or forget a stored secret; may be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    given: Given,
}

pub(super) async fn edit(arguments: Edit, desk: &Desk) -> Result<ExitCode, Failure> {
    let old = connections::find(&desk.app, &arguments.connection).await?;
    let values = if arguments.given.is_empty() && arguments.unset.is_empty() {
        // Name, description and cap are the host's own: they change even where the plugin is missing.
        input::Values::default()
    } else {
        let form = Form::of(&desk.describe(&old.connector).await?.settings);
        let mut values = arguments.given.values(&form)?.unset(&form, &arguments.unset)?;
        if io::stdin().is_terminal() && !desk.output.json {
            let stored = secrets::open_readable(&desk.app, &old.id).await?.values.into_iter().collect();
            input::ask_passwords(&form, &mut values, &stored)?;
        }
        values
    };
    let change = Change {
        name: arguments.new_name,
        description: arguments.description,
        settings: values.settings,
        secrets: values.secrets,
        max_parallel: arguments.given.max_parallel,
        tls: arguments.given.tls(&old.tls)?,
        accept_hosts: arguments.given.accept_hosts,
    };
    let saved = match changed(desk, &old, change).await? {
        Changed::Saved(saved) => saved,
        Changed::Not(test) => return Ok(finished(desk, &test)),
    };
    desk.output.say(&format!(
        "Saved \"{}\". Its catalog is as it was; `jackfield connection refresh` brings it up to date.",
        saved.name
    ));
    if desk.output.json {
        desk.output.json(&view::as_json(desk, &saved.id).await?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives a credential values that a person brings: a change of nothing else.
pub(super) async fn supply(
    desk: &Desk,
    connection: &Connection,
    form: &Form,
    held: &Held,
    given: Given,
) -> Result<ExitCode, Failure> {
    let values = given.values(form)?;
    if let Some(stranger) = values.secrets.keys().find(|field| !held.fields.contains(field)) {
        return Err(Failure::you(format!("{stranger} is no part of the credential \"{}\"", held.credential))
            .field(stranger.clone())
            .remedy(format!("its parts are {}", held.fields.join(", "))));
    }
    let change = Change { secrets: values.secrets, ..Change::default() };
    let saved = match changed(desk, connection, change).await? {
        Changed::Saved(saved) => saved,
        Changed::Not(test) => return Ok(finished(desk, &test)),
    };
    let versions = desk.app.store.credentials(&saved.id).await?;
    let new = versions
        .iter()
        .find(|version| version.credential == held.credential && version.state == VersionState::Current);
    let new = new.map_or(held.current.version, |new| new.version);
    desk.output.say(&match new == held.current.version {
        true => format!("{}: what was given is what is in use already (version {new})", held.credential),
        false => {
            format!("{}: version {new} is in use, and not version {}", held.credential, held.current.version)
        }
    });
    if desk.output.json {
        desk.output.json(
            &json!({ "credential": held.credential, "before": held.current.version, "version": new }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What became of a change.
enum Changed {
    Saved(Box<Connection>),
    /// Its test did not pass.
    Not(Box<Run>),
}

/// Tries a change and saves it; once more for a certificate that the person has accepted.
async fn changed(desk: &Desk, old: &Connection, mut change: Change) -> Result<Changed, Failure> {
    loop {
        let trial = match edit::plan(&desk.app, old, change.clone()).await? {
            Plan::Saved(saved) => return Ok(Changed::Saved(saved)),
            Plan::Test(trial) => trial,
        };
        let draft = &trial.draft;
        desk.output.say(&format!("Testing the change of \"{}\"", old.name));
        let outcome = match test_and_ask(desk, draft).await {
            Ok((test, None)) if test.state == RunState::Succeeded => {
                let saved = edit::save(&desk.app, old, &trial, &test).await;
                saved.map(|saved| {
                    say_what_is_gone(desk, &trial);
                    Changed::Saved(Box::new(saved))
                })
            }
            Ok((test, None)) => Ok(Changed::Not(Box::new(test))),
            Ok((_, pin)) => {
                change.tls = Some(TlsTrust { pin_sha256: pin, ..draft.tls.clone() });
                add::discard(&desk.app, draft).await?;
                continue;
            }
            Err(failure) => Err(failure),
        };
        if !matches!(outcome, Ok(Changed::Saved(_))) {
            add::discard(&desk.app, draft).await?;
            desk.output.say("Not saved; the connection is as it was.");
            if let (false, Ok(Changed::Not(test))) = (trial.remade.is_empty(), &outcome)
                && reached_its_last_check(test)
            {
                desk.output.say(&format!(
                    "The remote system may know the new \"{}\" already; it gets the kept one again by: jackfield connection test {}",
                    trial.remade.join("\" and \""),
                    shell_word(&old.name)
                ));
            }
        }
        return outcome;
    }
}

/// Says what a saved change has taken away, and what it has left in the remote system.
fn say_what_is_gone(desk: &Desk, trial: &Trial) {
    for field in &trial.forgotten {
        desk.output.say(&format!("What was stored for {field} is forgotten."));
    }
    for title in &trial.remade {
        desk.output.say(&format!("A new \"{title}\" was made and is in use."));
    }
    if !trial.dropped.is_empty() {
        desk.output.say(&format!(
            "Not stored any more, because it applies only with other settings: {}.",
            trial.dropped.join(", ")
        ));
    }
    if !trial.remains.is_empty() {
        desk.output.say(&format!("What was made for the settings before: {}", trial.remains));
    }
}

/// Says what a test that was cancelled may have left in the remote system. One that failed says itself how far it came.
pub(super) fn say_what_remains(desk: &Desk, description: &Description, test: &Run) {
    let remains = &description.words.remains;
    if !remains.is_empty() && test.state == RunState::Cancelled {
        desk.output.say(&format!("If the test has made anything there: {remains}"));
    }
}

/// Whether a test came to its last check: what a test makes on the remote side, it makes there.
fn reached_its_last_check(test: &Run) -> bool {
    let report = test.result.clone().and_then(|result| serde_json::from_value::<TestReport>(result).ok());
    let last = report.and_then(|report| report.checks.last().map(|check| check.status));
    test.state == RunState::Cancelled || last.is_some_and(|last| last != CheckStatus::Skipped)
}
