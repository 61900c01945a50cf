//! `catalog`: what refreshes found. Reads the store only; no system is asked.

use super::{Desk, connection_view};
use crate::{
    connections,
    model::{catalog::StoredObject, connection::Connection, text::quoted},
};
use clap::Subcommand;
use jackfield_plugin::contract::Failure;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show how many objects of each kind there are, and as of when
    Kinds {
        /// The connection's name
        connection: String,
    },
    /// List the objects of a kind, in the order in which the system gave them; what changed since then may come last
    List {
        /// The connection's name
        connection: String,
        /// The kind, such as app
        kind: String,
        /// Only those whose name contains this, without regard to case
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
        /// How many to pass over first
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
        offset: i64,
    },
    /// Show one object with its attributes and relations
    Show {
        /// The connection's name
        connection: String,
        /// The kind, such as app
        kind: String,
        /// The object's id
        id: String,
    },
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<ExitCode, Failure> {
    let store = &desk.app.store;
    match command {
        Command::Kinds { connection } => {
            let connection = connections::find(&desk.app, &connection).await?;
            let kinds = store.kinds(&connection.id).await?;
            match (desk.output.json, kinds.is_empty()) {
                (true, _) => desk.output.json(&kinds)?,
                (false, true) => {
                    desk.output.line(&format!("\"{}\" has not been refreshed yet.", connection.name))
                }
                (false, false) => connection_view::summaries(desk, &kinds),
            }
        }
        Command::List { connection, kind, search, limit, offset } => {
            let connection = connections::find(&desk.app, &connection).await?;
            must_know(desk, &connection, &kind).await?;
            let objects = store.objects(&connection.id, &kind, search.as_deref(), limit, offset).await?;
            if desk.output.json {
                let all: Vec<Value> = objects.iter().map(as_json).collect();
                desk.output.json(&all)?;
            } else {
                let total = store.count_objects(&connection.id, &kind, search.as_deref()).await?;
                let shown = objects.len();
                table(desk, objects);
                desk.output.line(&format!("{shown} of {total}"));
            }
        }
        Command::Show { connection, kind, id } => {
            let connection = connections::find(&desk.app, &connection).await?;
            must_know(desk, &connection, &kind).await?;
            let object = store.object(&connection.id, &kind, &id).await?;
            let object = object
                .ok_or_else(|| Failure::you(format!("there is no {kind} {} in the catalog", quoted(&id))))?;
            desk.output.json(&as_json(&object))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a kind that the connection's catalog does not have, naming those that it has.
async fn must_know(desk: &Desk, connection: &Connection, kind: &str) -> Result<(), Failure> {
    let kinds = desk.app.store.kinds(&connection.id).await?;
    if kinds.iter().any(|known| known.kind == kind) {
        return Ok(());
    }
    let known: Vec<&str> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
    let remedy = if known.is_empty() {
        format!("refresh it first: jackfield connection refresh \"{}\"", connection.name)
    } else {
        format!("there are: {}", known.join(", "))
    };
    Err(Failure::you(format!("\"{}\" has no objects of kind {}", connection.name, quoted(kind)))
        .remedy(remedy))
}

/// Objects as a table.
pub(super) fn table(desk: &Desk, objects: Vec<StoredObject>) {
    let dash = || "-".to_owned();
    let row = |object: StoredObject| {
        vec![object.id, object.name, object.parent.unwrap_or_else(dash), object.modified.unwrap_or_else(dash)]
    };
    desk.output.table(&["ID", "NAME", "PARENT", "MODIFIED"], objects.into_iter().map(row));
}

/// An object as JSON.
pub(super) fn as_json(object: &StoredObject) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "id": object.id, "name": object.name, "parent": object.parent, "modified": object.modified,
        "links": parsed(&object.links), "attributes": parsed(&object.attributes),
    })
}
