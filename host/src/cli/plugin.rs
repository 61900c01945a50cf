//! `plugin`: which plugins there are, and what each needs.

use super::{Desk, output::Output};
use crate::{
    config::Config,
    model::{
        migration::roles_in_words,
        settings::{Field, Form},
    },
    plugins::{Found, Registry},
};
use clap::Subcommand;
use jackfield_plugin::contract::{Failure, description::Description};
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the plugin files in the plugin folders; executes nothing of them
    List,
    /// Show a connector: its settings, checks, objects, and what to set up on the remote side
    Show {
        /// The connector's id, such as qlik-cloud
        connector: String,
    },
}

/// Lists the plugin files. Needs no data folder.
pub(super) fn list(config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    let registry = Registry::scan(config.plugin_folders());
    if output.json {
        let all: Vec<_> = registry.found().iter().map(as_json).collect();
        output.json(&all)?;
    } else if registry.found().is_empty() {
        let folders: Vec<String> =
            registry.folders().iter().map(|folder| folder.display().to_string()).collect();
        output.line(&format!("There are no plugins. Put plugin files into {}.", folders.join(" or ")));
    } else {
        output.table(
            &["CONNECTOR", "NAME", "VERSION", "CONTRACT", "STATE", "FILE"],
            registry.found().iter().map(row),
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    match command {
        Command::List => list(&desk.app.config, &desk.output),
        Command::Show { connector } => show(desk, &connector).await,
    }
}

fn as_json(found: &Found) -> serde_json::Value {
    match &found.plugin {
        Ok(plugin) => json!({ "plugin": plugin, "superseded_by": found.superseded_by }),
        Err(error) => json!({ "path": found.path, "error": error }),
    }
}

fn row(found: &Found) -> Vec<String> {
    let file = found.path.display().to_string();
    match &found.plugin {
        Ok(plugin) => {
            let manifest = &plugin.manifest;
            let state = match &found.superseded_by {
                Some(path) => format!("superseded by {}", path.display()),
                None => "ok".to_owned(),
            };
            let (id, name, version) = (manifest.id.clone(), manifest.name.clone(), manifest.version.clone());
            vec![id, name, version, manifest.needs.to_string(), state, file]
        }
        Err(error) => {
            let dash = || "-".to_owned();
            vec![dash(), dash(), dash(), dash(), format!("not usable: {error}"), file]
        }
    }
}

async fn show(desk: &Desk, connector: &str) -> Result<ExitCode, Failure> {
    let plugin = desk.app.plugins.plugin(connector)?;
    let description = desk.describe(connector).await?;
    let form = Form::of(&description.settings);
    if desk.output.json {
        desk.output.json(&json!({ "plugin": plugin, "description": description, "fields": form.fields }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = &desk.output;
    out.line(&format!("{} — {}", description.display_name, description.summary));
    out.line(&format!("Plugin: {}, contract {}", plugin.title(), description.needs));
    out.line(&format!("File: {}", plugin.path.display()));
    out.line("");
    out.line("Settings:");
    for field in &form.fields {
        show_field(out, field);
    }
    if !form.unique.is_empty() {
        out.line(&format!("  No two connections can share {}.", form.unique.join(" and ")));
    }
    out.line("");
    out.line(&format!(
        "Max parallel executions: {} unless --max-parallel says otherwise",
        description.default_cap
    ));
    let checks: Vec<&str> = description.checks.iter().map(|check| check.name.as_str()).collect();
    out.line(&format!("Test: {}", checks.join(", ")));
    let kinds: Vec<&str> = description.objects.iter().map(|kind| kind.plural.as_str()).collect();
    out.line(&format!("{}: {}", description.words.refresh, kinds.join(", ")));
    out.line(&format!("Migrations: can be {}", roles_in_words(description.roles)));
    show_help(out, &description);
    Ok(ExitCode::SUCCESS)
}

fn show_field(out: &Output, field: &Field) {
    let mut notes = vec![
        match (field.secret, field.required) {
            _ if field.generated.is_some() => "secret, made by Jackfield",
            (true, true) => "secret, required",
            (true, false) => "secret",
            (false, true) => "required",
            (false, false) => "optional",
        }
        .to_owned(),
    ];
    for (other, values) in &field.when {
        let values: Vec<String> =
            values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect();
        notes.push(format!("when {other} is {}", values.join(" or ")));
    }
    if !field.choices.is_empty() {
        let choices: Vec<String> =
            field.choices.iter().map(|choice| format!("{} ({})", choice.value, choice.label)).collect();
        notes.push(format!("one of {}", choices.join(", ")));
    }
    if let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) {
        notes
            .push(format!("default {}", default.as_str().map_or_else(|| default.to_string(), str::to_owned)));
    }
    if let Some(example) = &field.placeholder {
        notes.push(format!("such as {example}"));
    }
    out.line(&format!("  {}  {} [{}]", field.id, field.title, notes.join("; ")));
    for line in field.help.lines() {
        out.line(&format!("      {line}"));
    }
}

fn show_help(out: &Output, description: &Description) {
    if !description.help.is_empty() {
        out.line("");
        out.line("Setting up the remote side:");
        for line in description.help.lines() {
            out.line(&format!("  {line}"));
        }
    }
    if !description.words.remains.is_empty() {
        out.line("");
        out.line("When a connection is deleted:");
        out.line(&format!("  {}", description.words.remains));
    }
    for host in &description.hosts {
        out.line(&format!("Also reaches {}: {}", host.origin, host.reason));
    }
}
