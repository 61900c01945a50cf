//! `connection`: add, list, show, edit, test, refresh, log, delete.

use super::{
    Desk, connection_change as change,
    connection_input::{self as input, Given},
    connection_trust::{self as trust, Refused},
    connection_view as view,
    output::exit_code,
    progress::Progress,
    terminal,
};
use crate::{
    connections::{self, add, add::NewConnection},
    model::{
        certificate::ServerCertificate,
        connection::{Connection, TlsTrust},
        run::{Hook, Run, RunState},
        settings::Form,
        text::shell_word,
    },
    runs::{driver, notice, orders::Orders, request},
};
use clap::{Args, Subcommand};
use jackfield_plugin::contract::Failure;
use serde_json::json;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a connection: checks it, tests it, saves it if the test passed, and refreshes it
    Add(Add),
    /// List the connections
    List {
        /// Only those whose name contains this, without regard to case
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a connection; secrets are never shown
    Show {
        /// The connection's name
        name: String,
    },
    /// Change a connection; secrets that are not given are kept
    Edit(change::Edit),
    /// Test a connection
    Test {
        /// The connection's name
        name: String,
    },
    /// Fetch a connection's catalog
    Refresh {
        /// The connection's name
        name: String,
    },
    /// Print the log of the newest refresh
    Log {
        /// The connection's name
        name: String,
        /// Print only the file's path
        #[arg(long)]
        path: bool,
    },
    /// Delete a connection with its secrets and its catalog, unless a migration uses it
    Delete {
        /// The connection's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// The connector's id; `jackfield plugin list` names them
    connector: String,
    /// The connection's name, unique without regard to case
    name: String,
    /// Notes
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    description: String,
    #[command(flatten)]
    given: Given,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => add_one(arguments, desk).await,
        Command::List { search } => view::list(desk, search.as_deref()).await,
        Command::Show { name } => view::show(desk, &connections::find(&desk.app, &name).await?).await,
        Command::Edit(arguments) => change::edit(arguments, desk).await,
        Command::Test { name } => {
            let connection = connections::find(&desk.app, &name).await?;
            let (test, refused) = test(desk, &connection).await?;
            let code = finished(desk, &test);
            trust::tell_how(desk, &connection, &test, refused.as_ref());
            Ok(code)
        }
        Command::Refresh { name } => {
            let connection = connections::find(&desk.app, &name).await?;
            let (run, refused) = refresh(desk, &connection).await?;
            view::unchanged(desk, &connection, &run);
            let code = finished(desk, &run);
            trust::tell_how(desk, &connection, &run, refused.as_ref());
            Ok(code)
        }
        Command::Log { name, path } => log(desk, &name, path).await,
        Command::Delete { name, yes } => delete(desk, &name, yes).await,
    }
}

async fn add_one(arguments: Add, desk: &Desk) -> Result<ExitCode, Failure> {
    let description = desk.describe(&arguments.connector).await?;
    let form = Form::of(&description.settings);
    let mut values = arguments.given.values(&form)?;
    if io::stdin().is_terminal() && !desk.output.json {
        input::ask(&form, &mut values)?;
    }
    let new = NewConnection {
        connector: arguments.connector,
        name: arguments.name,
        description: arguments.description,
        settings: values.settings,
        secrets: values.secrets,
        max_parallel: arguments.given.max_parallel,
        tls: arguments.given.tls(&TlsTrust::default())?.unwrap_or_default(),
        accept_hosts: arguments.given.accept_hosts,
    };
    let (draft, test) = tested_draft(desk, new).await?;
    if test.state != RunState::Succeeded {
        add::discard(&desk.app, &draft).await?;
        desk.output.say("Not saved, because its test did not pass.");
        change::say_what_remains(desk, &description, &test);
        if desk.output.json {
            desk.output.json(&json!({ "connection": null, "test": test, "refresh": null }))?;
        }
        return Ok(code_of(&test, desk));
    }
    match add::save(&desk.app, &draft, &test).await {
        Ok(saved) => first_refresh(desk, &saved, &test, &description.words.refresh).await,
        Err(failure) => {
            add::discard(&desk.app, &draft).await?;
            Err(failure)
        }
    }
}

/// A draft of what is to be added, and its test; once more for a certificate that the person has accepted.
async fn tested_draft(desk: &Desk, mut new: NewConnection) -> Result<(Connection, Run), Failure> {
    loop {
        let draft = add::draft(&desk.app, new.clone()).await?;
        desk.output.say(&format!("Testing \"{}\" ({})", draft.name, draft.connector));
        match test_and_ask(desk, &draft).await {
            Ok((test, None)) => return Ok((draft, test)),
            Ok((_, pin)) => new.tls.pin_sha256 = pin,
            Err(failure) => {
                add::discard(&desk.app, &draft).await?;
                return Err(failure);
            }
        }
        add::discard(&desk.app, &draft).await?;
    }
}

/// Refreshes what was just added.
async fn first_refresh(desk: &Desk, saved: &Connection, test: &Run, word: &str) -> Result<ExitCode, Failure> {
    desk.output.say(&format!("Saved \"{}\".", saved.name));
    desk.output.say(&format!("{word} of \"{}\"", saved.name));
    let (refreshed, _) = refresh(desk, saved).await?;
    if refreshed.state != RunState::Succeeded {
        let log = refreshed.log.as_ref().map(|log| desk.app.config.logs().join(log).display().to_string());
        desk.output.say("The connection stays; only its first refresh did not succeed.");
        desk.output.say(&format!("  log: {}", log.as_deref().unwrap_or("none was written")));
        desk.output.say(&format!("  again: jackfield connection refresh {}", shell_word(&saved.name)));
    }
    if desk.output.json {
        let connection = view::as_json(desk, &saved.id).await?;
        desk.output.json(&json!({ "connection": connection, "test": test, "refresh": refreshed }))?;
    }
    Ok(code_of(&refreshed, desk))
}

/// Tests a draft. If it fails for the server's certificate, whoever is at the terminal may accept that: it is yielded then, to
/// be pinned, and the test to be done again.
pub(super) async fn test_and_ask(desk: &Desk, draft: &Connection) -> Result<(Run, Option<String>), Failure> {
    let (test, refused) = test(desk, draft).await?;
    let failed = test.state == RunState::Failed;
    let pin = refused.filter(|_| failed).map(|certificate| trust::ask(desk, &certificate)).transpose()?;
    Ok((test, pin.flatten()))
}

/// Tests a connection and shows each check; yields the certificate that was refused as well, if one was.
async fn test(desk: &Desk, connection: &Connection) -> Result<(Run, Option<ServerCertificate>), Failure> {
    let run = request::request(&desk.app, connection, Hook::Test).await?;
    let refused = Refused::default();
    let orders = Orders::interactive(refused.watching(notice::nobody()), desk.cancel.clone());
    let run = driver::drive(&desk.app, &run.id, &orders).await?;
    view::checks(desk, &run);
    Ok((run, refused.last()))
}

/// Refreshes a connection with progress, and shows what came of it; yields the certificate that was refused as well, if one was.
async fn refresh(desk: &Desk, connection: &Connection) -> Result<(Run, Option<ServerCertificate>), Failure> {
    let run = request::request(&desk.app, connection, Hook::Refresh).await?;
    let (progress, refused) = (Progress::new(desk.output.json), Refused::default());
    let orders = Orders::interactive(refused.watching(progress.watcher()), desk.cancel.clone());
    let run = driver::drive(&desk.app, &run.id, &orders).await;
    progress.finish();
    let run = run?;
    view::refreshed(desk, &run);
    Ok((run, refused.last()))
}

/// Prints how a run ended, and yields the exit code for that.
pub(super) fn finished(desk: &Desk, run: &Run) -> ExitCode {
    if desk.output.json {
        // Printing is all that can fail here, and there is nowhere else to say so.
        let _ = desk.output.json(run);
    }
    code_of(run, desk)
}

fn code_of(run: &Run, desk: &Desk) -> ExitCode {
    match (run.state, &run.failure) {
        (RunState::Succeeded, _) => ExitCode::SUCCESS,
        (RunState::Cancelled, _) => {
            desk.output.say(match run.hook {
                // A test may have made something in the remote system before.
                Hook::Test => "Cancelled; nothing was changed here.",
                _ => "Cancelled; everything is as it was.",
            });
            ExitCode::from(exit_code(&Failure::cancelled()))
        }
        // What a failed check has to say was shown with the check.
        (_, Some(failure)) if desk.output.json || view::has_failed_check(run) => {
            ExitCode::from(exit_code(failure))
        }
        (_, Some(failure)) => desk.output.failure(failure),
        (state, None) => {
            let text = format!("the run {} is {} and says nothing more", run.id, state.as_str());
            desk.output.failure(&Failure::jackfield(text))
        }
    }
}

async fn log(desk: &Desk, name: &str, path_only: bool) -> Result<ExitCode, Failure> {
    let connection = connections::find(&desk.app, name).await?;
    let newest = match &connection.last_refresh_run {
        Some(id) => desk.app.store.run(id).await?.and_then(|run| run.log),
        None => None,
    };
    let Some(newest) = newest else {
        return Err(Failure::you(format!(
            "\"{}\" has not been refreshed yet, so there is no log",
            connection.name
        ))
        .remedy(format!("refresh it first: jackfield connection refresh {}", shell_word(&connection.name))));
    };
    let path = desk.app.config.logs().join(newest);
    if path_only {
        match desk.output.json {
            true => desk.output.json(&json!({ "path": path }))?,
            false => desk.output.line(&path.display().to_string()),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::you(format!("the log {} cannot be read: {error}", path.display())))?;
    if desk.output.json {
        desk.output.json(&json!({ "path": path, "lines": text.lines().collect::<Vec<_>>() }))?;
    } else {
        desk.output.line(text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

async fn delete(desk: &Desk, name: &str, yes: bool) -> Result<ExitCode, Failure> {
    let connection = connections::find(&desk.app, name).await?;
    connections::check_unused(&desk.app, &connection).await?;
    // A connection whose plugin is gone can be deleted all the same.
    let remains =
        desk.describe(&connection.connector).await.map(|known| known.words.remains).unwrap_or_default();
    if !remains.is_empty() {
        desk.output.say(&remains);
    }
    for left in desk.app.store.open_rotations(Some(&connection.id)).await? {
        desk.output.say(&format!(
            "A rotation of \"{}\" is not at its end: what it made in the remote system, or was to remove there, stays (attempt {}). `jackfield credential renew --due --at-once` finishes it.",
            left.credential, left.id
        ));
    }
    let question = format!("Delete \"{}\" with its secrets and its catalog?", connection.name);
    if !terminal::is_deletion_confirmed(&connection.name, &question, yes)? {
        desk.output.say("Nothing was deleted.");
        return Ok(ExitCode::SUCCESS);
    }
    connections::delete(&desk.app, &connection).await?;
    desk.output.deleted(&connection.name)?;
    Ok(ExitCode::SUCCESS)
}
