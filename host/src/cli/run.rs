//! `run`: what was done, what is being done, and ending it.

use super::{
    Desk,
    output::{moment, moment_or},
};
use crate::{
    connections,
    model::{
        run::{Hook, Run, RunState},
        text::{quoted, shell_word},
    },
};
use clap::Subcommand;
use jackfield_plugin::contract::Failure;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List runs, newest first
    List {
        /// Only those of this connection
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Show a run with its events
    Show {
        /// The run's id, or its beginning
        id: String,
    },
    /// End a run; what it was to change stays as it was
    Cancel {
        /// The run's id, or its beginning
        id: String,
    },
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    match command {
        Command::List { connection, limit } => list(desk, connection.as_deref(), limit).await,
        Command::Show { id } => show(desk, &find(desk, &id).await?).await,
        Command::Cancel { id } => cancel(desk, &find(desk, &id).await?).await,
    }
}

async fn find(desk: &Desk, prefix: &str) -> Result<Run, Failure> {
    let mut matching = desk.app.store.runs_matching(prefix).await?;
    match matching.len() {
        1 => Ok(matching.remove(0)),
        0 => Err(Failure::you(format!("there is no run {}", quoted(prefix)))
            .remedy("`jackfield run list` shows them")),
        many => {
            Err(Failure::you(format!("{} is the beginning of {many} runs; give more of it", quoted(prefix))))
        }
    }
}

async fn list(desk: &Desk, connection: Option<&str>, limit: i64) -> Result<ExitCode, Failure> {
    let connection = match connection {
        Some(name) => Some(connections::find(&desk.app, name).await?.id),
        None => None,
    };
    let runs = desk.app.store.runs(connection.as_ref(), limit).await?;
    if desk.output.json {
        desk.output.json(&runs)?;
    } else if runs.is_empty() {
        desk.output.line("There are no runs yet.");
    } else {
        desk.output
            .table(&["RUN", "CONNECTION", "HOOK", "STATE", "ASKED FOR", "SECONDS"], runs.iter().map(row));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Run) -> Vec<String> {
    let seconds = run
        .started_at
        .zip(run.finished_at)
        .map(|(start, end)| format!("{:.1}", (end - start) as f64 / 1000.0));
    vec![
        run.id.to_string(),
        run.connection_name.clone(),
        run.hook.as_str().to_owned(),
        run.state.as_str().to_owned(),
        moment(run.queued_at),
        seconds.unwrap_or_else(|| "-".to_owned()),
    ]
}

async fn show(desk: &Desk, run: &Run) -> Result<ExitCode, Failure> {
    let events = desk.app.store.events(&run.id).await?;
    if desk.output.json {
        desk.output.json(&json!({ "run": run, "events": events }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = &desk.output;
    out.line(&format!(
        "{} of \"{}\" ({}): {}",
        run.hook.as_str(),
        run.connection_name,
        run.connector,
        run.state.as_str()
    ));
    let dash = || "-".to_owned();
    let log = run.log.as_ref().map(|log| desk.app.config.logs().join(log).display().to_string());
    let rows = [
        ("Run", format!("{}, attempt {}", run.id, run.attempt)),
        ("Asked for", moment(run.queued_at)),
        ("Started", moment_or(run.started_at, "-")),
        ("Ended", moment_or(run.finished_at, "-")),
        ("Driven by", run.owner.clone().unwrap_or_else(dash)),
        ("Plugin", run.plugin.clone().unwrap_or_else(dash)),
        ("Log", log.unwrap_or_else(dash)),
    ];
    out.pairs(rows.map(|(name, value)| (name.to_owned(), value)));
    if run.state == RunState::Queued && run.attempt > 0 {
        let name = shell_word(&run.connection_name);
        out.line(&format!("It was interrupted; `jackfield connection refresh {name}` takes it up."));
    }
    for event in &events {
        out.line(&format!("{} {} {}", moment(event.at), event.level, event.message));
    }
    if let Some(failure) = &run.failure {
        out.line(&format!("Failed ({}): {failure}", failure.blame.noun()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn cancel(desk: &Desk, run: &Run) -> Result<ExitCode, Failure> {
    if run.state.is_final() {
        return Err(Failure::you(format!("run {} has ended already ({})", run.id, run.state.as_str())));
    }
    if run.hook == Hook::Rotate && run.state == RunState::Running {
        return Err(Failure::you("a rotation that has begun is brought to its end: what it makes on the remote side must not be left there")
            .remedy(format!("wait for it (`jackfield run show {}`); `jackfield credential rotate … --give-up` then removes a new version that is not in use", run.id)));
    }
    let state = desk.app.store.request_cancel(&run.id).await?;
    let state = state.ok_or_else(|| Failure::you(format!("run {} is gone", run.id)))?;
    match state {
        RunState::Running => desk.output.say(&format!("Run {} is being ended.", run.id)),
        state => desk.output.say(&format!("Run {} is {}.", run.id, state.as_str())),
    }
    if desk.output.json {
        desk.output.json(&json!({ "run": run.id, "state": state }))?;
    }
    Ok(ExitCode::SUCCESS)
}
