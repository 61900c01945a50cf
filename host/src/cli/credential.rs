//! `credential`: list, rotate, renew, history.

use super::{
    Desk, connection_change,
    connection_input::Given,
    output::{exit_code, moment, moment_or},
};
use crate::{
    connections::{self, secrets},
    model::{
        connection::Connection,
        credential::CredentialVersion,
        rotation::{Rotation, RotationState},
        run::{Hook, Run, RunState},
        settings::Form,
        text::shell_word,
    },
    rotation::{
        machine,
        plan::{self, Held},
    },
    runs::{driver, notice, orders::Orders, request},
    secrets::inspect,
};
use clap::{Args, Subcommand};
use jackfield_plugin::contract::{Failure, description::RotationMode};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the credentials in use: their versions, their age, when they end
    List {
        /// Only those of this connection
        connection: Option<String>,
    },
    /// Give a credential a new version: made by the connector where it can, otherwise given with --secret. It is tested before
    /// it takes the place of the old one
    Rotate(Rotate),
    /// Try whether a new key pair is registered in the remote system, and put it in use if it is
    Confirm {
        /// The connection's name
        connection: String,
    },
    /// Do what is due: renew what ends within a day, finish what was interrupted, remove what was replaced. For cron and timers
    Renew {
        /// Needed, so that nobody renews by chance
        #[arg(long, required = true)]
        due: bool,
        /// Remove what was replaced now, without waiting for its grace to end
        #[arg(long)]
        at_once: bool,
    },
    /// Show what became of a connection's credentials
    History {
        /// The connection's name
        connection: String,
    },
}

#[derive(Args)]
pub(super) struct Rotate {
    /// The connection's name
    connection: String,
    /// The credential, or one of its fields; not needed where the connection has only one
    credential: Option<String>,
    /// The new value, where a person brings it: key=@FILE, key=env:VARIABLE, key=-; may be repeated
    #[arg(long = "secret", value_name = "KEY=SOURCE", allow_hyphen_values = true)]
    secrets: Vec<String>,
    /// Give a new version up that is not in use yet, and remove what was made of it
    #[arg(long, conflicts_with = "secrets")]
    give_up: bool,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    match command {
        Command::List { connection } => list(desk, connection.as_deref()).await,
        Command::Rotate(arguments) => rotate(desk, arguments).await,
        Command::Confirm { connection } => confirm(desk, &connection).await,
        Command::Renew { at_once, .. } => renew(desk, at_once).await,
        Command::History { connection } => history(desk, &connection).await,
    }
}

async fn list(desk: &Desk, connection: Option<&str>) -> Result<ExitCode, Failure> {
    let connections = match connection {
        Some(name) => vec![connections::find(&desk.app, name).await?],
        None => desk.app.store.connections(None).await?,
    };
    let (mut rows, mut all, mut code) = (Vec::new(), Vec::new(), ExitCode::SUCCESS);
    let now = desk.app.store.now().await?;
    for connection in connections {
        let description = match desk.describe(&connection.connector).await {
            Ok(description) => description,
            Err(failure) => {
                code = desk.output.failure(&failure.context(format!("\"{}\"", connection.name)));
                continue;
            }
        };
        for held in plan::held(&desk.app, &connection, &description).await? {
            rows.push(row(&connection, &held, now));
            all.push(json!({ "connection": connection.name, "credential": held, "due": held.is_due(now) }));
        }
    }
    match (desk.output.json, rows.is_empty()) {
        (true, _) => desk.output.json(&all)?,
        (false, true) => desk.output.line("There are no credentials yet."),
        (false, false) => desk
            .output
            .table(&["CONNECTION", "CREDENTIAL", "MODE", "VERSION", "SINCE", "ENDS", "STATE"], rows),
    }
    Ok(code)
}

fn row(connection: &Connection, held: &Held, now: i64) -> Vec<String> {
    let state = match (&held.rotation, held.is_due(now)) {
        (Some(open), _) => {
            let state = open.state.as_str().replace('_', " ");
            let is_stuck = open.failure.is_some() && open.state != RotationState::WaitingForPerson;
            if is_stuck { format!("needs attention ({state})") } else { state }
        }
        (None, _) if held.refused.is_some() => "needs attention".to_owned(),
        (None, true) => "due".to_owned(),
        (None, false) => "in use".to_owned(),
    };
    vec![
        connection.name.clone(),
        format!("{} ({})", held.label, held.credential),
        mode(held.mode).to_owned(),
        held.current.version.to_string(),
        moment(held.current.created_at),
        moment_or(held.current.expires_at, "-"),
        state,
    ]
}

fn mode(mode: RotationMode) -> &'static str {
    match mode {
        RotationMode::Automatic => "automatic",
        RotationMode::Assisted => "assisted",
        _ => "supplied",
    }
}

async fn rotate(desk: &Desk, arguments: Rotate) -> Result<ExitCode, Failure> {
    let connection = connections::find(&desk.app, &arguments.connection).await?;
    let description = desk.describe(&connection.connector).await?;
    let held = plan::held(&desk.app, &connection, &description).await?;
    let held = plan::choose(&connection, held, arguments.credential.as_deref())?;
    if !arguments.secrets.is_empty() {
        let given = Given::secrets(arguments.secrets);
        return connection_change::supply(desk, &connection, &Form::of(&description.settings), &held, given)
            .await;
    }
    if arguments.give_up {
        return give_up(desk, &connection, &held).await;
    }
    // One that only waits for its grace to end gives way to the next.
    if held.rotation.as_ref().is_some_and(|open| open.state == RotationState::CleanupPending) {
        let rested = work(desk, &connection, Some(&held.credential), Wish::AtOnce).await?;
        if rested.state != RunState::Succeeded {
            return told(desk, &connection, &rested).await;
        }
        if worked_on(rested.result.as_ref()).iter().any(|rotation| !rotation.state.is_final()) {
            return Err(Failure::you(format!(
                "the version of \"{}\" before the one in use is not removed yet, because a test or a refresh is using it",
                held.credential
            ))
            .remedy("wait for that to end (`jackfield run list`), and try again"));
        }
    }
    plan::begin(&desk.app, &connection, &held).await?;
    let name = &connection.name;
    desk.output
        .say(&format!("Renewing \"{}\" of \"{name}\"; once begun, this is brought to its end", held.label));
    let run = work(desk, &connection, Some(&held.credential), Wish::Forward).await?;
    told(desk, &connection, &run).await
}

async fn give_up(desk: &Desk, connection: &Connection, held: &Held) -> Result<ExitCode, Failure> {
    match &held.rotation {
        Some(open) if machine::can_be_withdrawn(open.state) => {
            let run = work(desk, connection, Some(&held.credential), Wish::GiveUp).await?;
            told(desk, connection, &run).await
        }
        Some(_) => Err(Failure::you(format!(
            "the new version of \"{}\" is in use already, so it cannot be given up",
            held.credential
        ))),
        None => Err(Failure::you(format!("no new version of \"{}\" is being made", held.credential))),
    }
}

async fn confirm(desk: &Desk, name: &str) -> Result<ExitCode, Failure> {
    let connection = connections::find(&desk.app, name).await?;
    let open = desk.app.store.open_rotations(Some(&connection.id)).await?;
    if open.iter().all(|open| open.state != RotationState::WaitingForPerson) {
        return Err(Failure::you(format!(
            "no new key pair of \"{}\" waits to be registered",
            connection.name
        ))
        .remedy(format!("`jackfield credential rotate {}` makes one", shell_word(&connection.name))));
    }
    let run = work(desk, &connection, None, Wish::Forward).await?;
    let code = told(desk, &connection, &run).await?;
    let waiting =
        worked_on(run.result.as_ref()).into_iter().find(|it| it.state == RotationState::WaitingForPerson);
    Ok(match waiting.and_then(|waiting| waiting.failure) {
        Some(failure) if desk.output.json => ExitCode::from(exit_code(&failure)),
        Some(failure) => desk.output.failure(&failure),
        None => code,
    })
}

/// What a person wants of the open rotations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Forward,
    AtOnce,
    GiveUp,
}

/// Drives a run that works on the open rotations of a connection.
async fn work(
    desk: &Desk,
    connection: &Connection,
    credential: Option<&str>,
    wish: Wish,
) -> Result<Run, Failure> {
    let run = request::request(&desk.app, connection, Hook::Rotate).await?;
    let (at_once, give_up) = (wish == Wish::AtOnce, wish == Wish::GiveUp);
    let credential = credential.map(str::to_owned);
    let orders =
        Orders { credential, at_once, give_up, ..Orders::interactive(notice::nobody(), desk.cancel.clone()) };
    driver::drive(&desk.app, &run.id, &orders).await
}

/// Says what became of the rotations that a run worked on.
async fn told(desk: &Desk, connection: &Connection, run: &Run) -> Result<ExitCode, Failure> {
    for rotation in worked_on(run.result.as_ref()) {
        desk.output.say(&line(&rotation, connection));
        if rotation.state == RotationState::WaitingForPerson {
            show_certificate(desk, connection).await?;
        }
    }
    if desk.output.json {
        desk.output.json(run)?;
    }
    Ok(match (&run.failure, run.state) {
        (_, RunState::Succeeded) => ExitCode::SUCCESS,
        (Some(failure), _) if desk.output.json => ExitCode::from(exit_code(failure)),
        (Some(failure), _) => desk.output.failure(failure),
        (None, _) => ExitCode::FAILURE,
    })
}

/// Shows the certificates of key pairs that wait to be registered.
async fn show_certificate(desk: &Desk, connection: &Connection) -> Result<(), Failure> {
    let staged = secrets::open_staged(&desk.app, &connection.id).await?;
    let certificates = staged.values.iter().filter_map(|(_, value)| inspect(value).certificate?.pem);
    for certificate in certificates {
        desk.output.line(certificate.trim_end());
    }
    desk.output.say(&format!("How it is registered: jackfield plugin show {}", connection.connector));
    Ok(())
}

/// The rotations that a run worked on.
fn worked_on(result: Option<&Value>) -> Vec<Rotation> {
    let rotations = result.and_then(|result| result.get("rotations")).cloned().unwrap_or_default();
    serde_json::from_value(rotations).unwrap_or_default()
}

fn line(rotation: &Rotation, connection: &Connection) -> String {
    let Rotation { credential, base_version, new_version, .. } = rotation;
    let name = shell_word(&connection.name);
    match rotation.state {
        RotationState::CleanupPending => format!(
            "{credential}: version {new_version} is in use. Version {base_version} still works until {}; then `jackfield credential renew --due` removes it",
            moment_or(rotation.next_at, "it is removed")
        ),
        RotationState::Finished if rotation.mode == RotationMode::Automatic => {
            format!("{credential}: version {new_version} is in use, and version {base_version} is removed")
        }
        RotationState::Finished => {
            format!("{credential}: version {new_version} is in use in place of version {base_version}")
        }
        RotationState::Aborted => {
            format!("{credential}: nothing was changed; of the new version nothing is left")
        }
        RotationState::WaitingForPerson => format!(
            "{credential}: version {base_version} is in use; version {new_version} waits until its certificate is registered in the remote system. Then: jackfield credential confirm {name}"
        ),
        state => format!(
            "{credential}: version {base_version} is in use as before; version {new_version} {}. `jackfield credential rotate {name} {credential}` goes on with it, and with --give-up removes it",
            match state {
                RotationState::Applied => "is made, and has not passed its test",
                RotationState::Tested => "is made and has passed its test",
                _ => "may have been made",
            }
        ),
    }
}

async fn renew(desk: &Desk, at_once: bool) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    let mut done = Vec::new();
    for connection in desk.app.store.connections(None).await? {
        if desk.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let failure = match renew_one(desk, &connection, at_once).await {
            Ok(None) => continue,
            Ok(Some(run)) => {
                for rotation in worked_on(run.result.as_ref()) {
                    desk.output.say(&format!("{}: {}", connection.name, line(&rotation, &connection)));
                }
                done.push(json!({ "connection": connection.name, "run": run }));
                run.failure
            }
            // Another connection is not to wait for what is wrong with this one.
            Err(failure) => {
                done.push(json!({ "connection": connection.name, "failure": failure }));
                Some(failure)
            }
        };
        if let Some(failure) = failure {
            let failure = failure.context(format!("\"{}\"", connection.name));
            code = match desk.output.json {
                true => ExitCode::from(exit_code(&failure)),
                false => desk.output.failure(&failure),
            };
        }
    }
    if desk.output.json {
        desk.output.json(&done)?;
    } else if done.is_empty() {
        desk.output.line("Nothing is due.");
    }
    Ok(code)
}

/// Does what is due for one connection. None: nothing is.
async fn renew_one(desk: &Desk, connection: &Connection, at_once: bool) -> Result<Option<Run>, Failure> {
    let description = desk.describe(&connection.connector).await?;
    let now = desk.app.store.now().await?;
    let held = plan::held(&desk.app, connection, &description).await?;
    let is_due = |held: &Held| held.is_due(now) || (at_once && held.rotation.is_some());
    let due: Vec<Held> = held.into_iter().filter(is_due).collect();
    if due.is_empty() {
        return Ok(None);
    }
    for held in due.iter().filter(|held| held.rotation.is_none()) {
        plan::begin(&desk.app, connection, held).await?;
    }
    let wish = if at_once { Wish::AtOnce } else { Wish::Forward };
    work(desk, connection, None, wish).await.map(Some)
}

async fn history(desk: &Desk, name: &str) -> Result<ExitCode, Failure> {
    let connection = connections::find(&desk.app, name).await?;
    let versions = desk.app.store.credentials(&connection.id).await?;
    let rotations = desk.app.store.rotations(&connection.id).await?;
    let mut journals = Vec::new();
    for rotation in &rotations {
        journals.push(desk.app.store.rotation_journal(&rotation.id).await?);
    }
    if desk.output.json {
        let rotations: Vec<Value> = rotations
            .iter()
            .zip(&journals)
            .map(|(rotation, journal)| json!({ "rotation": rotation, "journal": journal }))
            .collect();
        desk.output.json(&json!({ "versions": versions, "rotations": rotations }))?;
        return Ok(ExitCode::SUCCESS);
    }
    desk.output.table(
        &["CREDENTIAL", "VERSION", "STATE", "SINCE", "ENDS", "REMOTE ID", "NOTE"],
        versions.iter().map(version_row),
    );
    for (rotation, journal) in rotations.iter().zip(&journals) {
        desk.output.line("");
        desk.output.line(&format!("{}, attempt {}", rotation.credential, rotation.id));
        for entry in journal {
            let state = entry.state.as_str().replace('_', " ");
            desk.output.line(&format!("  {}  {state}: {}", moment(entry.at), entry.note));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn version_row(version: &CredentialVersion) -> Vec<String> {
    vec![
        version.credential.clone(),
        version.version.to_string(),
        format!("{:?}", version.state).to_lowercase(),
        moment(version.created_at),
        moment_or(version.expires_at, "-"),
        version.remote_id.clone().unwrap_or_else(|| "-".to_owned()),
        version.note.clone(),
    ]
}
