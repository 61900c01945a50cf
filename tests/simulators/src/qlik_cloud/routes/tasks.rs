//! Scheduling tasks, under the new path and the superseded one.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::json;

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, bytes, json as answer};
use crate::kit::json::Json;
use crate::qlik_cloud::config::Ending;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::source::{Computed, Order};
use crate::qlik_cloud::world::World;

const LIST: List = List { cursor: Cursor::One("page"), ending: Ending::Null, ..List::new("tasks", 20) };
const FILTERS: [&str; 7] = ["createdAt", "updatedAt", "lastStartedAt", "lastEndedAt", "name", "enabled", "resourceId"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/scheduling/tasks", get(list))
        .route("/api/scheduling/tasks/{id}", get(one))
        .route("/api/scheduling/tasks/{id}/runs/last", get(last_run))
        .route("/api/v1/tasks", get(list))
        .route("/api/v1/tasks/{id}", get(one))
}

fn style(problem: Problem) -> Problem {
    problem.style(Style::NumberCode)
}

async fn list(call: Call) -> Answer {
    listed(&call).map_err(style)
}

fn listed(call: &Call) -> Answer {
    let filter = call.query.filter(&FILTERS)?;
    let sort = call.query.sort(&["updatedAt", "createdAt", "lastEndedAt", "lastStartedAt", "name"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("updatedAt".to_owned(), true));
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::Task)?;
    let resource = call.query.get("resourceId").map(|id| catalog.find_uuid(Kind::App, id));
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::Task,
        order: match field.as_str() {
            "name" => Order::Name,
            "createdAt" => Order::Created,
            _ => Order::Updated,
        },
        descending,
        keep: Box::new(move |index| {
            visible(index)
                && resource.is_none_or(|app| app == Some(read.app_of(Kind::Task, index)))
                && filter.as_ref().is_none_or(|filter| filter.matches(&|name| attribute(&read, index, name)))
        }),
        write: Box::new(move |index, out| rows.write_task(index, out)),
    };
    LIST.answer(call, &[&source])
}

fn attribute(catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    let ended = catalog.updated(Kind::Task, index) - 120_000;
    vec![match name {
        "createdAt" => clock::text_ms(catalog.created(Kind::Task, index)),
        "updatedAt" => clock::text_ms(catalog.updated(Kind::Task, index)),
        "lastStartedAt" => clock::text_ms(ended - 30_000),
        "lastEndedAt" => clock::text_ms(ended),
        "name" => catalog.name(Kind::Task, index),
        "enabled" => (index % 7 != 0).to_string(),
        _ => catalog.uuid(Kind::App, catalog.app_of(Kind::Task, index)).as_str().to_owned(),
    }]
}

/// The index of a task that the caller sees.
fn task(call: &Call, catalog: &Arc<Catalog>, id: &str) -> Result<u64, Problem> {
    let visible = call.visible(catalog, Kind::Task)?;
    let found = catalog.find_uuid(Kind::Task, id).filter(|index| visible(*index));
    found.ok_or_else(|| style(Problem::not_found()))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let catalog = call.world.catalog();
    let index = task(&call, &catalog, &id)?;
    let mut out = Json::with_capacity(2048);
    catalog.write_task(index, &mut out);
    Ok(bytes(out))
}

async fn last_run(call: Call, Path(id): Path<String>) -> Answer {
    let catalog = call.world.catalog();
    let index = task(&call, &catalog, &id)?;
    let ended = catalog.updated(Kind::Task, index) - 120_000;
    Ok(answer(200, &json!({
        "id": catalog.object_id(Kind::Task, index).as_str(), "status": "SUCCEEDED",
        "startedAt": clock::text_ms(ended - 30_000), "endedAt": clock::text_ms(ended),
    })))
}
