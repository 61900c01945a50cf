//! `secret`: what concerns all secrets at once.

use super::Desk;
use crate::{
    keys::rekey::{Rekeyed, rekey},
    model::text::is_variable_name,
    secrets::KeySource,
};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use jackfield_plugin::contract::Failure;
use serde_json::json;
use std::{io::IsTerminal, process::ExitCode};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Put a new key in the place of the one that all secrets are sealed under, while everything goes on
    ///
    /// Every connection has a data key, which seals its secrets; the key-encryption key (`key` in the data folder, unless
    /// configured otherwise) seals the data keys. This makes a new key-encryption key and seals the data keys anew. Secrets stay
    /// as they are, and whatever runs keeps running. It can be interrupted at any moment: run it again, and it goes on.
    ///
    /// A copy of the old key stays beside the key file, because older backups of the database open only with it. Delete it when
    /// you keep none of those any more. If somebody else may have had the old key, replace the secrets themselves, too.
    ///
    /// Where the key is in an environment variable or a systemd credential, Jackfield cannot write it. Put both keys there, the
    /// new one first, parted by a space or a line's end; start anew whatever runs; run this; and take the old one out.
    ///
    /// Where several data folders share one key file, run this in one of them. Then, for each other one, put the copy of the old
    /// key into the key file, behind the new one on a line of its own, and run it there.
    Rekey {
        /// Where the new key is, instead of having one made: 32 random bytes in base64
        #[arg(long, value_name = "@FILE|env:NAME")]
        new_key: Option<String>,
    },
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    let Command::Rekey { new_key } = command;
    let given = new_key.as_deref().map(place).transpose()?;
    let bar = bar(desk.output.json);
    let mut progress = |seen, total| {
        bar.set_length(total);
        bar.set_position(seen);
    };
    let app = &desk.app;
    let (places, cancel) = (app.config.places(), &desk.cancel);
    let done = rekey(&app.keys, &app.store, &places, given.as_ref(), cancel, &mut progress).await;
    bar.finish_and_clear();
    if done.as_ref().is_err_and(|failure| failure.cancelled) {
        desk.output.warn("Everything opens as it did. `jackfield secret rekey` goes on from here.");
    }
    tell(desk, &done?)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the new key is. The key itself is not given on the command line, where others can see it, and is not repeated.
fn place(text: &str) -> Result<KeySource, Failure> {
    match (text.strip_prefix('@'), text.strip_prefix("env:")) {
        (Some(path), _) => Ok(KeySource::File(path.into())),
        (None, Some(name)) if is_variable_name(name) => Ok(KeySource::Environment(name.to_owned())),
        _ => Err(Failure::you("--new-key: a key is not given on the command line, where others can see it")
            .remedy(
                "name a file by --new-key @FILE, or a variable, without a dollar sign, by --new-key env:NAME",
            )),
    }
}

/// A bar for a person at a terminal.
fn bar(json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix:>18} {wide_bar} {pos}/{len}");
    ProgressBar::no_length()
        .with_prefix("connections")
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(desk: &Desk, done: &Rekeyed) -> Result<(), Failure> {
    let output = &desk.output;
    let file = match &done.r#source {
        KeySource::File(path) => Some(path),
        KeySource::Environment(_) | KeySource::SystemdCredential(_) => None,
    };
    if output.json {
        return output.json(&json!({
            "key": done.key, "retired_key": done.retired, "connections": done.connections, "resumed": done.resumed,
            "key_file": file, "retired_key_file": done.kept,
        }));
    }
    let again = if done.resumed { "Finished what had been interrupted: the" } else { "The" };
    let connections = match done.connections {
        1 => "1 connection".to_owned(),
        many => format!("{many} connections"),
    };
    output.line(&format!(
        "{again} key {} seals all secrets now, in the place of {} (sealed anew: {connections}).",
        done.key, done.retired
    ));
    match (file, &done.kept) {
        (Some(path), Some(kept)) => output.line(&format!(
            "Back up {} now, apart from the database. Backups of the database from before open only with the old key, which is kept\n\
             in {}: delete that when you keep none of them any more.",
            path.display(),
            kept.display()
        )),
        (Some(path), None) => output.line(&format!(
            "Back up {} now, apart from the database. Backups of the database from before open only with the old key: keep your\n\
             copy of it as long as you keep them.",
            path.display()
        )),
        (None, _) => output.line(&format!(
            "Take the old key, which is the second, out of {} now, and start anew whatever runs. Backups of the database from before\n\
             open only with the old key: keep it elsewhere as long as you keep them.",
            done.r#source
        )),
    }
    Ok(())
}
