//! `migration`: from which connection to which other one content is to be moved, and what both have to offer.

use super::{
    Desk, catalog,
    connection_view::{self, summaries},
    output::{moment_or, what_to_do},
    terminal,
};
use crate::{
    connections,
    migrations::{self, NewMigration, Offer, Whole},
    model::{
        catalog::KindSummary,
        connection::Connection,
        migration::Migration,
        text::{printable, quoted, shell_word},
    },
};
use clap::{Args, Subcommand};
use jackfield_plugin::contract::Failure;
use serde_json::{Value, json};
use std::{collections::BTreeSet, process::ExitCode};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a migration between two connections
    #[command(
        after_help = "A connector says which side its connections can be: `jackfield plugin show <connector>`.\n\
                      A connection can be used by any number of migrations, and is not deleted while one uses it."
    )]
    Add(Add),
    /// List the migrations
    List,
    /// Show what both sides of a migration offer, as their newest catalogs have it
    #[command(
        after_help = "No system is asked: `jackfield connection refresh <connection>` brings a catalog up to date."
    )]
    Show(Show),
    /// Delete a migration; its connections stay
    Delete {
        /// The migration's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// The migration's name, unique without regard to case
    name: String,
    /// The connection that content is read from
    #[arg(long, value_name = "CONNECTION", allow_hyphen_values = true)]
    source: String,
    /// The connection that content is written to
    #[arg(long, value_name = "CONNECTION", allow_hyphen_values = true)]
    target: String,
    /// Notes
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    description: String,
}

#[derive(Args)]
pub(super) struct Show {
    /// The migration's name
    name: String,
    /// List the objects of this kind, such as report, instead of counting all kinds
    #[arg(long, value_name = "KIND")]
    objects: Option<String>,
    /// How many objects at most, of each side
    #[arg(long, default_value_t = 50, requires = "objects", value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => add(desk, arguments).await?,
        Command::List => list(desk).await?,
        Command::Show(arguments) => show(desk, &arguments).await?,
        Command::Delete { name, yes } => delete(desk, &name, yes).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(desk: &Desk, arguments: Add) -> Result<(), Failure> {
    let side = async |name: &str, field| {
        connections::find(&desk.app, name).await.map_err(|failure| failure.field(field))
    };
    let new = NewMigration {
        source: side(&arguments.source, "source").await?,
        target: side(&arguments.target, "target").await?,
        name: arguments.name,
        description: arguments.description,
    };
    let migration = desk.unless_cancelled(migrations::check(&desk.app, new)).await?;
    migrations::save(&desk.app, &migration).await?;
    let whole = migrations::whole(&desk.app, migration).await?;
    let name = &whole.migration.name;
    desk.output.say(&format!(
        "Saved \"{name}\": from {} to {}. `jackfield migration show {}` lists what both offer.",
        titled(&whole.source),
        titled(&whole.target),
        shell_word(name)
    ));
    if desk.output.json {
        desk.output.json(&as_json(&whole))?;
    }
    Ok(())
}

async fn list(desk: &Desk) -> Result<(), Failure> {
    let mut all = Vec::new();
    for migration in desk.app.store.migrations().await? {
        all.push(migrations::whole(&desk.app, migration).await?);
    }
    if desk.output.json {
        return desk.output.json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    if all.is_empty() {
        desk.output.line(
            "There are no migrations. Add one with `jackfield migration add <name> --source <connection> --target \
             <connection>`.",
        );
        return Ok(());
    }
    let row = |whole: &Whole| {
        let Migration { name, description, .. } = &whole.migration;
        vec![name.clone(), titled(&whole.source), titled(&whole.target), description.clone()]
    };
    desk.output.table(&["NAME", "SOURCE", "TARGET", "DESCRIPTION"], all.iter().map(row));
    Ok(())
}

async fn show(desk: &Desk, arguments: &Show) -> Result<(), Failure> {
    let migration = migrations::find(&desk.app, &arguments.name).await?;
    let whole = migrations::whole(&desk.app, migration).await?;
    let offers = desk.unless_cancelled(migrations::offers(&desk.app, &whole)).await?;
    if let Some(kind) = &arguments.objects {
        must_be_offered(kind, &whole, &offers)?;
    }
    let listed = arguments.objects.as_deref().map(|kind| (kind, arguments.limit));
    if desk.output.json {
        let mut all = as_json(&whole);
        for offer in &offers {
            all[offer.side.as_str()] = offer_as_json(desk, offer, listed).await?;
        }
        return desk.output.json(&all);
    }
    desk.output.line(&whole.migration.name);
    if !whole.migration.description.is_empty() {
        desk.output.line(&printable(&whole.migration.description));
    }
    for offer in &offers {
        show_offer(desk, offer, listed).await?;
    }
    Ok(())
}

/// One side: how its connection stands, and what it offers.
async fn show_offer(desk: &Desk, offer: &Offer, listed: Option<(&str, i64)>) -> Result<(), Failure> {
    let (out, name) = (&desk.output, &offer.connection.name);
    let state = connection_view::state(desk, &offer.connection).await?;
    out.line("");
    out.line(&format!(
        "The {}, {}: {}",
        offer.side.as_str(),
        titled(&offer.connection),
        connection_view::told(&state, name)
    ));
    if let Some(obstacle) = &offer.obstacle {
        out.line(&format!("  {}", printable(&obstacle.message)));
        for line in what_to_do(obstacle) {
            out.line(&format!("  {}", printable(&line)));
        }
    }
    if offer.connection.last_refresh_at.is_none() {
        // Where something else is in the way, a refresh is not what comes next.
        if offer.obstacle.is_none() {
            out.line(&format!(
                "  No refresh has succeeded yet, so what it offers is not known: jackfield connection refresh {}",
                shell_word(name)
            ));
        }
        return Ok(());
    }
    match listed {
        None => summaries(desk, &offer.kinds),
        Some((kind, limit)) => match offer.kinds.iter().find(|found| found.kind == kind) {
            None => out.line(&format!("  It has no objects of kind {}.", quoted(kind))),
            Some(found) => show_objects(desk, offer, found, limit).await?,
        },
    }
    Ok(())
}

async fn show_objects(desk: &Desk, offer: &Offer, kind: &KindSummary, limit: i64) -> Result<(), Failure> {
    let objects = desk.app.store.objects(&offer.connection.id, &kind.kind, None, limit, 0).await?;
    let shown = objects.len();
    catalog::table(desk, objects);
    let as_of = moment_or((kind.refreshed_at > 0).then_some(kind.refreshed_at), "never");
    let kept = kind.kept_reason.as_ref().map(|reason| format!(", kept: {reason}")).unwrap_or_default();
    desk.output.line(&format!("{shown} of {}, as of {as_of}{}", kind.count, printable(&kept)));
    if i64::try_from(shown).is_ok_and(|shown| shown < kind.count) {
        let (connection, kind) = (shell_word(&offer.connection.name), &kind.kind);
        desk.output.line(&format!(
            "Further ones: jackfield catalog list {connection} {kind} --offset {shown}, or --search TEXT"
        ));
    }
    Ok(())
}

/// Refuses a kind of object that neither side has.
fn must_be_offered(kind: &str, whole: &Whole, offers: &[Offer; 2]) -> Result<(), Failure> {
    let known: BTreeSet<&str> =
        offers.iter().flat_map(|offer| &offer.kinds).map(|found| found.kind.as_str()).collect();
    if known.contains(kind) {
        return Ok(());
    }
    let unrefreshed = offers.iter().filter(|offer| offer.connection.last_refresh_at.is_none());
    let refresh: Vec<String> = unrefreshed
        .map(|offer| format!("jackfield connection refresh {}", shell_word(&offer.connection.name)))
        .collect();
    let there_are = (!known.is_empty())
        .then(|| format!("there are: {}", known.into_iter().collect::<Vec<_>>().join(", ")));
    let not_yet = (!refresh.is_empty())
        .then(|| format!("what was never refreshed may have it: {}", refresh.join(" and ")));
    let remedy: Vec<String> = there_are.into_iter().chain(not_yet).collect();
    let text = format!("neither side of \"{}\" has objects of kind {}", whole.migration.name, quoted(kind));
    Err(Failure::you(text).remedy(remedy.join("; ")))
}

async fn delete(desk: &Desk, name: &str, yes: bool) -> Result<(), Failure> {
    let migration = migrations::find(&desk.app, name).await?;
    let name = &migration.name;
    let question = format!("Delete the migration \"{name}\"? Its connections stay.");
    if !terminal::is_deletion_confirmed(name, &question, yes)? {
        desk.output.say("Nothing was deleted.");
        return Ok(());
    }
    migrations::delete(&desk.app, &migration).await?;
    desk.output.deleted(name)
}

fn titled(connection: &Connection) -> String {
    format!("{} ({})", connection.name, connection.connector)
}

/// A migration as JSON, with what its connections are called.
fn as_json(whole: &Whole) -> Value {
    let end = |connection: &Connection| json!({ "id": connection.id, "name": connection.name, "connector": connection.connector });
    json!({ "migration": whole.migration, "source": end(&whole.source), "target": end(&whole.target) })
}

async fn offer_as_json(desk: &Desk, offer: &Offer, listed: Option<(&str, i64)>) -> Result<Value, Failure> {
    let connection = &offer.connection;
    let state = connection_view::state(desk, connection).await?;
    let mut all = json!({
        "id": connection.id, "name": connection.name, "connector": connection.connector, "state": state,
        "last_refresh_at": connection.last_refresh_at, "obstacle": offer.obstacle, "catalog": offer.kinds,
    });
    if let Some((kind, limit)) = listed {
        let objects = desk.app.store.objects(&connection.id, kind, None, limit, 0).await?;
        all["objects"] = objects.iter().map(catalog::as_json).collect();
    }
    Ok(all)
}
