//! The demo: starts the simulated systems there are, adds a connection for each connector with the real executable, and
//! shows what came of it. It succeeds only if everything did.

mod systems;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use jackfield_tests::{Host, artifacts};
use serde_json::Value;
use std::{
    fs,
    process::{ExitCode, Stdio},
    time::Instant,
};
use systems::System;

/// Shows Jackfield at work on simulated systems.
#[derive(Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Leave the simulated systems and the data folder there until Ctrl-C, and print commands to play with
    #[arg(long)]
    keep: bool,
    /// How many apps each simulated system has
    #[arg(long, default_value_t = 1000)]
    apps: u64,
}

/// One line of the closing table.
struct Line {
    connector: String,
    connection: String,
    checks: String,
    objects: String,
    seconds: f64,
    log: String,
}

fn main() -> ExitCode {
    match demo(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo did not succeed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(arguments: &Arguments) -> Result<()> {
    println!("Building the executable and the plugins …");
    artifacts();
    let mut host = Host::with_plugins(&systems::PLUGINS);
    let systems = systems::start(&host, arguments.apps)?;
    for (name, value) in systems.iter().flat_map(|system| &system.secrets) {
        host.set(name, value);
    }
    println!("Data folder: {}\n", host.data().display());
    let mut lines = Vec::new();
    for system in &systems {
        let began = Instant::now();
        add(&host, system)?;
        lines.push(summary(&host, system, began.elapsed().as_secs_f64())?);
        println!();
    }
    print_table(&lines);
    if arguments.keep {
        keep(&host, &systems)?;
    }
    Ok(())
}

/// Adds a connection in front of whoever watches: tests it, saves it, refreshes it.
fn add(host: &Host, system: &System) -> Result<()> {
    let mut command = host.command(["connection", "add", system.connector, system.connection]);
    command.args(&system.arguments).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let status = command.status().context("the executable cannot be started")?;
    ensure!(status.success(), "\"{}\" could not be added ({status})", system.connection);
    Ok(())
}

fn summary(host: &Host, system: &System, seconds: f64) -> Result<Line> {
    let shown = host.json(["connection", "show", system.connection]);
    let runs = host.json(["run", "list", "--connection", system.connection]);
    let all: Vec<&Value> = runs.as_array().into_iter().flatten().collect();
    let test = all.iter().find(|run| run["hook"] == "test").context("no test was run")?;
    let checks: Vec<&Value> = test["result"]["checks"].as_array().into_iter().flatten().collect();
    let passed = checks.iter().filter(|check| check["status"] == "passed").count();
    ensure!(passed == checks.len() && passed > 0, "a check of \"{}\" did not pass", system.connection);
    let kinds = shown["catalog"].as_array().into_iter().flatten();
    let objects: Vec<String> = kinds
        .filter(|kind| kind["count"].as_u64() > Some(0))
        .map(|kind| format!("{} {}", kind["count"], kind["kind"].as_str().unwrap_or_default()))
        .collect();
    ensure!(!objects.is_empty(), "the catalog of \"{}\" is empty", system.connection);
    let log = host
        .run(["connection", "log", system.connection, "--path"])
        .expect_success()
        .stdout
        .trim()
        .to_owned();
    ensure!(fs::metadata(&log).is_ok(), "the log {log} is not there");
    Ok(Line {
        connector: system.connector.to_owned(),
        connection: system.connection.to_owned(),
        checks: format!("{passed} of {} passed", checks.len()),
        objects: objects.join(", "),
        seconds,
        log: log.rsplit('/').next().unwrap_or_default().to_owned(),
    })
}

fn print_table(lines: &[Line]) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_header(["Connector", "Connection", "Checks", "Objects", "Seconds", "Log file"]);
    if table.width().is_none() {
        table.set_width(120);
    }
    for Line { connector, connection, checks, objects, seconds, log } in lines {
        table.add_row([connector, connection, checks, objects, &format!("{seconds:.1}"), log]);
    }
    println!("{table}");
}

fn keep(host: &Host, systems: &[System]) -> Result<()> {
    println!("\nThe simulated systems keep running. In another terminal:\n");
    println!("  export JACKFIELD_DATA_DIR={}", host.data().display());
    println!("  alias jackfield={}", artifacts().jackfield().display());
    let first = systems.first().map_or("", |system| system.connection);
    for command in [
        "plugin show qlik-cloud".to_owned(),
        "connection list".to_owned(),
        format!("connection refresh '{first}'"),
        format!("connection log '{first}'"),
        format!("catalog list '{first}' app --search a --limit 5"),
        "run list".to_owned(),
    ] {
        println!("  jackfield {command}");
    }
    println!("\nCtrl-C ends it and removes the data folder.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c()).context("Ctrl-C cannot be waited for")
}
