//! What is written about content: apps, connections and their reloads, filters, and executions, which send real reports.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{post, put};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::nprinting::call::{Call, done, object, required};
use crate::nprinting::data::Kind;
use crate::nprinting::lists::may;
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::guid;
use crate::nprinting::rights::Permission;
use crate::nprinting::routes::answer;
use crate::nprinting::routes::content::seen_task;
use crate::nprinting::world::World;

const APP: &[&str] = &["name", "description", "enabled"];
const CONNECTION: &[&str] =
    &["name", "description", "appId", "source", "connectionString", "notificationsEnabled"];
const FILTER: &[&str] = &["name", "description", "appId", "enabled", "fields", "variables"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/apps", post(create_app))
        .route("/api/v1/apps/{id}", put(async |call, id, body| change(call, Kind::App, APP, id, body)))
        .route("/api/v1/connections", post(create_connection))
        .route(
            "/api/v1/connections/{id}",
            put(async |call, id, body| change(call, Kind::Connection, CONNECTION, id, body)),
        )
        .route("/api/v1/connections/{id}/reload", post(reload).patch(abort_reload))
        .route("/api/v1/filters", post(create_filter))
        .route(
            "/api/v1/filters/{id}",
            put(async |call, id, body| change(call, Kind::Filter, FILTER, id, body)).delete(remove_filter),
        )
        .route("/api/v1/tasks/{id}/executions", post(execute))
        .route("/api/v1/tasks/{task}/executions/{id}", axum::routing::patch(abort))
}

fn change(call: Call, kind: Kind, members: &[&str], Path(id): Path<String>, body: Bytes) -> Response {
    let change = || -> Answer {
        let mut row = object(&body, members)?;
        row.remove("appId");
        call.change(kind, &id, row)?;
        Ok(done())
    };
    answer(&call.world, change())
}

async fn create_app(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let mut row = object(&body, APP)?;
        required(&row, "name")?;
        row.entry("description").or_insert_with(|| "".into());
        let id = call.make(Kind::App, row, None)?;
        Ok(call.created("apps", id))
    };
    answer(&call.world, create())
}

/// The GUID of an app that a row is to belong to.
fn app(call: &Call, row: &Map<String, Value>) -> Result<Uuid, Problem> {
    let id = guid(&required(row, "appId")?)?;
    match call.world.find(&call.world.directory(), Kind::App, id) {
        Some(_) => Ok(id),
        None => Err(Problem::invalid("there is no such app")),
    }
}

async fn create_connection(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let mut row = object(&body, CONNECTION)?;
        required(&row, "name")?;
        required(&row, "connectionString")?;
        let app = app(&call, &row)?;
        for (member, text) in [("cacheStatus", "NeverGenerated"), ("connectionStatus", "Unknown")] {
            row.insert(member.to_owned(), text.into());
        }
        let id = call.make(Kind::Connection, row, Some(app))?;
        Ok(call.created("connections", id))
    };
    answer(&call.world, create())
}

async fn reload(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, set_cache(&call, &id, "Enqueued"))
}

async fn abort_reload(call: Call, Path(id): Path<String>, body: Bytes) -> Response {
    let abort = || -> Answer {
        aborted(&body)?;
        set_cache(&call, &id, "Aborted")
    };
    answer(&call.world, abort())
}

/// The answer to a reload is the connection.
fn set_cache(call: &Call, id: &str, status: &str) -> Answer {
    let connection = guid(id)?;
    may(call, Permission::Run, Kind::Connection, connection)?;
    let members = [("cacheStatus".to_owned(), status.into())].into_iter().collect();
    call.world.editing().change(Kind::Connection, connection, members);
    call.one(Kind::Connection, id)
}

/// `{"status": "aborted"}` is all that can be patched.
fn aborted(body: &Bytes) -> Result<(), Problem> {
    let body = object(body, &["status"])?;
    match body.get("status").and_then(Value::as_str) {
        Some(status) if status.eq_ignore_ascii_case("aborted") => Ok(()),
        _ => Err(Problem::invalid("the status can only become aborted")),
    }
}

async fn create_filter(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let mut row = object(&body, FILTER)?;
        required(&row, "name")?;
        let app = app(&call, &row)?;
        check_cache(&call.world, &row)?;
        for member in ["fields", "variables"] {
            row.entry(member).or_insert_with(|| json!([]));
        }
        row.entry("description").or_insert_with(|| "".into());
        let id = call.make(Kind::Filter, row, Some(app))?;
        Ok(call.created("filters", id))
    };
    answer(&call.world, create())
}

/// Every connection of a filter's fields must have its cache.
fn check_cache(world: &World, row: &Map<String, Value>) -> Result<(), Problem> {
    let directory = world.directory();
    for field in row.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let connection = guid(field["connectionId"].as_str().unwrap_or_default())?;
        let place = world.find(&directory, Kind::Connection, connection);
        let row = place.map(|place| world.row(&directory, Kind::Connection, place)).unwrap_or_default();
        if row.get("cacheStatus").and_then(Value::as_str) != Some("Generated") {
            return Err(Problem::invalid("the connection's cache is not generated"));
        }
    }
    Ok(())
}

async fn remove_filter(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, call.remove(Kind::Filter, &id))
}

/// 202, and in the body the execution that was queued.
async fn execute(call: Call, Path(task): Path<String>, body: Bytes) -> Response {
    let execute = || -> Answer {
        let task = seen_task(&call, &task)?;
        may(&call, Permission::Run, Kind::Task, task)?;
        let sent = if body.is_empty() { Map::new() } else { object(&body, &["priority"])? };
        let priority = sent.get("priority").and_then(Value::as_i64).unwrap_or(100).clamp(0, 1000);
        let type_name = {
            let directory = call.world.directory();
            let place = call.world.find(&directory, Kind::Task, task).ok_or_else(Problem::not_found)?;
            call.world.row(&directory, Kind::Task, place).remove("type").unwrap_or_default()
        };
        let row = json!({
            "type": type_name, "task": task, "completed": null, "progress": 0.0, "status": "Enqueued",
            "result": "", "priority": priority,
        });
        let id = call.add(Kind::Execution, row.as_object().cloned().unwrap_or_default(), Some(task));
        let mut response = call.one(Kind::Execution, &id.to_string())?;
        *response.status_mut() = StatusCode::ACCEPTED;
        Ok(response)
    };
    answer(&call.world, execute())
}

async fn abort(call: Call, Path((task, id)): Path<(String, String)>, body: Bytes) -> Response {
    let abort = || -> Answer {
        may(&call, Permission::Run, Kind::Task, seen_task(&call, &task)?)?;
        let execution = guid(&id)?;
        may(&call, Permission::Tasks, Kind::Execution, execution)?;
        aborted(&body)?;
        let members = [("status".to_owned(), "Aborted".into())].into_iter().collect();
        call.world.editing().change(Kind::Execution, execution, members);
        call.one(Kind::Execution, &id)
    };
    answer(&call.world, abort())
}
