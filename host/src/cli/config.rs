//! `config`: what is set, and where that comes from.

use super::output::Output;
use crate::config::Loaded;
use clap::Subcommand;
use jackfield_plugin::contract::Failure;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show every key with its value and where that comes from
    Show,
}

pub(super) fn run(command: &Command, loaded: &Loaded, output: &Output) -> Result<ExitCode, Failure> {
    let Command::Show = command;
    let settings = loaded.settings();
    if output.json {
        output.json(&settings)?;
    } else {
        let row = |setting: crate::config::Setting| {
            let value = match setting.value {
                serde_json::Value::Null => "-".to_owned(),
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            vec![setting.key, value, setting.source]
        };
        output.table(&["KEY", "VALUE", "SOURCE"], settings.into_iter().map(row));
    }
    Ok(ExitCode::SUCCESS)
}
