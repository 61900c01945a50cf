//! The command line: asks and shows, decides nothing. This file is its table of contents; each noun has a file.

mod catalog;
mod config;
mod connection;
mod connection_change;
mod connection_input;
mod connection_secret;
mod connection_trust;
mod connection_view;
mod credential;
mod key;
mod migration;
mod misread;
mod output;
mod plugin;
mod privacy;
mod private_key_prompt;
mod progress;
mod run;
mod secret;
mod terminal;
mod worker;

use crate::{
    app::{App, located},
    config::{Config, Loaded, LogFormat},
    model::text::quoted,
    runs,
    secrets::Scrubber,
};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jackfield_plugin::contract::{Failure, description::Description};
use output::Output;
use serde_json::{Map, Value, json};
use std::{io::Write, path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;

/// Connects to systems through plugins: tests connections, fetches their catalogs, keeps their secrets.
#[derive(Parser)]
#[command(
    name = "jackfield",
    version,
    after_help = "Exit codes: 0 done, 1 Jackfield's fault, 2 your input, 3 the network, 4 the remote system, \
                  5 the credential, 6 the plugin, 130 cancelled.\n\n\
                  Begin with `jackfield plugin list`, then `jackfield plugin show <connector>`, then \
                  `jackfield connection add <connector> <name> --help`."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Args)]
struct Global {
    /// Configuration file [default: jackfield.toml in the working folder, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "JACKFIELD_CONFIG")]
    config: Option<PathBuf>,
    /// Data folder: one folder is one project
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// A folder with plugin files, besides `plugins` in the data folder; may be repeated
    #[arg(long = "plugin-dir", global = true, value_name = "FOLDER")]
    plugin_dirs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// What is written to standard error: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

/// When to use colour.
#[derive(Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Plugins: which there are, and what they need
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Connections: add, test, refresh, change, delete
    #[command(subcommand)]
    Connection(connection::Command),
    /// Credentials: which are in use, when they end, giving them new versions
    #[command(subcommand)]
    Credential(credential::Command),
    /// Migrations: from which connection to which, and what both offer
    #[command(subcommand)]
    Migration(migration::Command),
    /// The catalog: what refreshes found
    #[command(subcommand)]
    Catalog(catalog::Command),
    /// Runs: what was done, and what is being done
    #[command(subcommand)]
    Run(run::Command),
    /// All secrets at once: put a new key in the old one's place
    #[command(subcommand)]
    Secret(secret::Command),
    /// Key pairs for systems that check JWTs
    #[command(subcommand)]
    Key(key::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Runs one plugin for the host at the other end of standard input and output
    #[command(hide = true)]
    Worker,
}

/// What every command is given.
struct Desk {
    app: App,
    output: Output,
    /// Fires at Ctrl-C.
    cancel: CancellationToken,
}

impl Desk {
    /// What the plugin of a connector says of itself. Ctrl-C ends the asking, because a plugin may hang.
    async fn describe(&self, connector: &str) -> Result<Description, Failure> {
        self.unless_cancelled(self.app.describe(connector)).await
    }

    /// What some work yields, unless Ctrl-C ends it. What it would have changed may or may not have been: this is for looking.
    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
        }
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    privacy::leave_no_core();
    let cli = Cli::try_parse().unwrap_or_else(|error| misread::without_secrets(error).exit());
    match cli.command {
        Command::Worker => worker::main(),
        Command::Completions { shell } => {
            completions(shell);
            ExitCode::SUCCESS
        }
        command => with_runtime(cli.global, command),
    }
}

fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "jackfield", &mut script);
    // A reader that has had enough (`| head`) is no failure.
    let _ = std::io::stdout().write_all(&script);
}

fn with_runtime(global: Global, command: Command) -> ExitCode {
    set_colour(global.color);
    privacy::close_memory();
    let scrubber = Scrubber::new();
    privacy::tell_panics(scrubber.clone());
    let output = Output::new(global.json, scrubber.clone());
    let outcome = load(&global).and_then(|loaded| {
        privacy::learn(&loaded.config, &scrubber);
        log_to_stderr(&loaded.config, &scrubber)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::jackfield(format!("the runtime cannot be started: {error}")))?;
        let folder = loaded.config.data_dir.clone();
        let outcome = runtime.block_on(dispatch(command, loaded, scrubber, &output));
        let outcome = outcome.map_err(|failure| located(&folder, failure));
        // A blocking read of the terminal must not keep the process.
        runtime.shutdown_background();
        outcome
    });
    let code = match outcome {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    };
    // Whoever reads half an output must not take it for the whole.
    if output.is_cut() { ExitCode::FAILURE } else { code }
}

async fn dispatch(
    command: Command,
    loaded: Loaded,
    scrubber: Scrubber,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let cancel = on_interrupt();
    // Neither needs the data folder, and must help where it cannot be opened.
    match command {
        Command::Config(command) => return config::run(&command, &loaded, output),
        Command::Key(command) => return key::run(&command, output),
        Command::Plugin(plugin::Command::List) => return plugin::list(&loaded.config, output),
        _ => {}
    }
    let app = App::open(loaded.config, scrubber).await?;
    if let Err(failure) = runs::sweep(&app).await {
        // A full disk must not keep anybody from looking; whoever writes will be told again.
        let failure = located(&app.config.data_dir, failure);
        output.warn(&format!("warning: what earlier runs left could not be cared for: {}", failure.message));
    }
    let desk = Desk { app, output: output.clone(), cancel };
    let outcome = match command {
        Command::Plugin(command) => plugin::run(command, &desk).await,
        Command::Connection(command) => connection::run(command, &desk).await,
        Command::Credential(command) => credential::run(command, &desk).await,
        Command::Migration(command) => migration::run(command, &desk).await,
        Command::Catalog(command) => catalog::run(command, &desk).await,
        Command::Run(command) => run::run(command, &desk).await,
        Command::Secret(command) => secret::run(command, &desk).await,
        Command::Config(_) | Command::Key(_) | Command::Completions { .. } | Command::Worker => {
            Ok(ExitCode::SUCCESS)
        }
    };
    desk.app.store.close().await;
    outcome
}

fn load(global: &Global) -> Result<Loaded, Failure> {
    let mut flags = Map::new();
    if let Some(folder) = &global.data_dir {
        flags.insert("data_dir".to_owned(), json!(folder));
    }
    if !global.plugin_dirs.is_empty() {
        flags.insert("plugin_dirs".to_owned(), json!(global.plugin_dirs));
    }
    if let Some(level) = &global.log_level {
        flags.insert("log".to_owned(), Value::Object(Map::from_iter([("level".to_owned(), json!(level))])));
    }
    Config::load(global.config.as_deref(), flags).map_err(|error| {
        let failure = Failure::you(error.to_string());
        match error.remedy() {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        }
    })
}

fn set_colour(colour: Colour) {
    let choice = match colour {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

fn log_to_stderr(config: &Config, scrubber: &Scrubber) -> Result<(), Failure> {
    let level = &config.log.level;
    if !level.contains(['=', ',', '[']) && level.parse::<tracing_subscriber::filter::LevelFilter>().is_err() {
        return Err(Failure::you(format!(
            "log.level {} is none of error, warn, info, debug, trace",
            quoted(level)
        ))
        .remedy("or give directives such as jackfield=debug"));
    }
    let filter = tracing_subscriber::EnvFilter::try_new(level)
        .map_err(|error| Failure::you(format!("log.level {} cannot be used: {error}", quoted(level))))?;
    let scrubber = scrubber.clone();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // It would say so on standard error, which is what cannot be written then, and panic.
        .log_internal_errors(false)
        .with_writer(move || scrubber.writer(std::io::stderr()));
    match config.log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.init(),
    }
    Ok(())
}

/// A token that fires at the first Ctrl-C, SIGTERM or SIGHUP. A second one ends the process at once, and so does the first
/// while a question stands on the terminal.
fn on_interrupt() -> CancellationToken {
    use tokio::signal::unix::{SignalKind, signal};
    let token = CancellationToken::new();
    let fired = token.clone();
    // With a handler, writing past a limit on file sizes is an error that can be told instead of a sudden end.
    let limit = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    tokio::spawn(async move {
        let _limit = limit;
        let mut signals = signals;
        loop {
            let mut waiting: futures_util::stream::FuturesUnordered<_> =
                signals.iter_mut().map(|signal| signal.recv()).collect();
            if futures_util::StreamExt::next(&mut waiting).await.is_none() {
                return;
            }
            drop(waiting);
            if fired.is_cancelled() || terminal::is_asking() {
                terminal::restore_terminal();
                std::process::exit(130);
            }
            fired.cancel();
        }
    });
    token
}
