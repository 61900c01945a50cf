//! Tasks of all kinds: one list of them, and starting and stopping.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use uuid::Uuid;

use crate::kit::clock;
use crate::qlik_onprem::call::{Call, done, json, member, object, one, scalar};
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::data::result;
use crate::qlik_onprem::entities::{Kind, TASKS};
use crate::qlik_onprem::lists::Wanted;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::query::guid;
use crate::qlik_onprem::rights::Right;
use crate::qlik_onprem::routes::{answer, entities};
use crate::qlik_onprem::store::{Action, Store};
use crate::qlik_onprem::world::World;
use crate::qlik_onprem::writes;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qrs/task", get(short))
        .route("/qrs/task/full", get(full))
        .route("/qrs/task/{id}", get(read))
        .route("/qrs/task/{id}/start", post(start))
        .route("/qrs/task/{id}/start/synchronous", post(start_synchronous))
        .route("/qrs/task/{id}/stop", post(stop))
        .route("/qrs/task/start", post(start_named))
        .route("/qrs/task/start/synchronous", post(start_named_synchronous))
        .route("/qrs/task/start/many", post(start_many))
        .route("/qrs/task/stop/many", post(stop_many))
        .route("/qrs/app/{id}/reload", post(reload))
        .route("/qrs/reloadtask/create", post(create))
}

async fn short(call: Call) -> Response {
    answer(Wanted::new(&call, TASKS).and_then(|wanted| wanted.answer(&call, false)))
}

async fn full(call: Call) -> Response {
    answer(Wanted::new(&call, TASKS).and_then(|wanted| wanted.answer(&call, true)))
}

async fn read(call: Call, Path(id): Path<String>) -> Response {
    answer(guid(&id).and_then(|id| entities::visible(&call, TASKS, id)))
}

async fn start(call: Call, Path(id): Path<String>) -> Response {
    answer(guid(&id).and_then(|id| set_running(&call, id, true)).map(|_| done()))
}

/// Despite its name it does not wait: it gives the GUID of the execution.
async fn start_synchronous(call: Call, Path(id): Path<String>) -> Response {
    let started = guid(&id).and_then(|id| set_running(&call, id, true));
    answer(started.map(|execution| scalar(StatusCode::CREATED, execution.to_string())))
}

async fn stop(call: Call, Path(id): Path<String>) -> Response {
    answer(guid(&id).and_then(|id| set_running(&call, id, false)).map(|_| done()))
}

/// The task whose name the query gives, in any case.
fn named(call: &Call) -> Result<Uuid, Problem> {
    let name = call.query.get("name").ok_or_else(|| Problem::invalid("Missing parameter value(s)"))?;
    let tasks = Wanted::new(call, TASKS)?.sequence(&call.world, &call.caller);
    let store = call.world.store();
    let mut rows = tasks.iter().map(|(kind, place)| call.world.row(&store, *kind, *place));
    let found = rows.find(|row| row.text("name").to_lowercase() == name.to_lowercase());
    found.and_then(|row| row.id("id")).ok_or_else(Problem::not_found)
}

async fn start_named(call: Call) -> Response {
    answer(named(&call).and_then(|id| set_running(&call, id, true)).map(|_| done()))
}

async fn start_named_synchronous(call: Call) -> Response {
    let started = named(&call).and_then(|id| set_running(&call, id, true));
    answer(started.map(|execution| scalar(StatusCode::CREATED, execution.to_string())))
}

async fn start_many(call: Call, body: Bytes) -> Response {
    answer(set_many_running(&call, &body, true))
}

async fn stop_many(call: Call, body: Bytes) -> Response {
    answer(set_many_running(&call, &body, false))
}

/// Starts or stops the tasks whose GUIDs the body lists.
fn set_many_running(call: &Call, body: &Bytes, run: bool) -> Answer {
    let ids: Vec<String> = serde_json::from_value(json(body)?)
        .map_err(|_| Problem::invalid("The body must be an array of GUIDs"))?;
    let ids: Vec<Uuid> = ids.iter().map(|id| guid(id)).collect::<Result<_, _>>()?;
    for id in ids {
        set_running(call, id, run)?;
    }
    Ok(done())
}

/// Reloads an app by a task that is made for that, once.
async fn reload(call: Call, Path(id): Path<String>) -> Response {
    let reload = || -> Answer {
        let app = guid(&id)?;
        entities::visible(&call, &[Kind::App], app)?;
        set_running(&call, manual_task(&call, app)?, true)?;
        Ok(done())
    };
    answer(reload())
}

fn manual_task(call: &Call, app: Uuid) -> Result<Uuid, Problem> {
    let is_it = |row: &Row| {
        row.flag("isManuallyTriggered") && row.row("app").and_then(|reloaded| reloaded.id("id")) == Some(app)
    };
    let made =
        call.world.store().made_rows(Kind::ReloadTask).find(|row| is_it(row)).and_then(|row| row.id("id"));
    if let Some(id) = made {
        return Ok(id);
    }
    let row = call.world.row_by_id(&call.world.store(), Kind::App, app).ok_or_else(Problem::not_found)?;
    let name = format!("Manually triggered reload of {}", row.text("name"));
    let body = json!({"name": name, "app": {"id": app}, "isManuallyTriggered": true, "enabled": true});
    let task = writes::create(call, Kind::ReloadTask, object(body)?)?;
    task.id("id").ok_or_else(Problem::not_found)
}

/// Starts or stops a task. One that runs is not started again.
fn set_running(call: &Call, id: Uuid, run: bool) -> Result<Uuid, Problem> {
    let world = &call.world;
    let mut store = world.editing();
    let found = TASKS.iter().find_map(|kind| Some((*kind, world.row_by_id(&store, *kind, id)?)));
    let (kind, mut row) = found.ok_or_else(Problem::not_found)?;
    let standing = world.standing(kind, &row);
    if !call.caller.may(Right::Read, kind, standing) {
        return Err(Problem::not_found());
    }
    if !call.caller.may(Right::Update, kind, standing) {
        return Err(Problem::forbidden());
    }
    let operational = row.row_mut("operational").ok_or_else(Problem::not_found)?;
    let status = operational.row("lastExecutionResult").and_then(|last| last.number("status"));
    let running = matches!(status, Some(1..=5));
    if running && run {
        return Err(Problem::new(409, "The task is already running"));
    }
    let last = operational.row("lastExecutionResult").and_then(|last| last.id("id"));
    let execution = last.filter(|_| running).unwrap_or_else(Uuid::new_v4);
    if run || running {
        let (status, duration) = if run { (2, None) } else { (6, Some(0)) };
        let last = result(execution, status, clock::now_ms(), duration);
        operational.set("lastExecutionResult", last.clone());
        let app = row.id("app");
        store.put(kind, id, row);
        remember(world, &mut store, (id, app), last);
        let action = if run { Action::Started } else { Action::Stopped };
        world.note(&mut store, &call.caller, action, (kind, id), Vec::new());
    }
    Ok(execution)
}

/// Writes a result into the history, or over what is there of the same execution.
fn remember(world: &World, store: &mut Store, (task, app): (Uuid, Option<Uuid>), result: Row) {
    let Some(execution) = result.id("id") else { return };
    let mut row = writes::blank(world, Kind::ExecutionResult);
    let stamp = Cell::Time(world.stamp(0));
    row.take(result);
    row.set("taskID", task);
    row.set("executionID", execution);
    row.set("createdDate", stamp.clone());
    row.set("modifiedDate", stamp);
    if let Some(app) = app {
        row.set("appID", app);
    }
    match world.find(store, Kind::ExecutionResult, execution) {
        Some(_) => store.put(Kind::ExecutionResult, execution, row),
        None => store.make(Kind::ExecutionResult, execution, row),
    }
}

/// `{"task": {…}, "schemaEvents": […], "compositeEvents": […]}`; the events are not kept.
async fn create(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let task = member(&json(&body)?, "task").clone();
        let row = writes::create(&call, Kind::ReloadTask, object(task)?)?;
        Ok(one(StatusCode::CREATED, &row))
    };
    answer(create())
}
