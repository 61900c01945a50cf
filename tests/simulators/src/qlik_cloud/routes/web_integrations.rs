//! Web integrations.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use serde_json::json;

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List { cursor: Cursor::Ids, ..List::new("web-integrations", 10) };

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/web-integrations", get(list).post(create))
        .route("/api/v1/web-integrations/{id}", get(one).patch(change).delete(remove))
}

fn missing() -> Problem {
    Problem::not_found().style(Style::TextStatus)
}

async fn list(call: Call) -> Answer {
    let (field, descending) = call.query.sort(&["name"])?.unwrap_or_else(|| ("name".to_owned(), false));
    let rows = call.world.directory().web_integrations.clone();
    LIST.answer(&call, &[&Held::new(rows, "id", &field, descending)])
}

async fn create(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let name = required(&body, "name").map_err(|problem| problem.style(Style::TextStatus))?;
    let origins = body["validOrigins"].as_array().cloned().unwrap_or_default();
    if origins.iter().any(|origin| origin.as_str().is_none_or(|text| text.contains('*'))) {
        return Err(Problem::invalid("origins must be explicit").style(Style::TextStatus));
    }
    let now = clock::text_ms(clock::now_ms());
    let view = json!({
        "id": ids::random_hex(32), "name": name, "validOrigins": origins, "tenantId": call.world.tenant_id,
        "created": now, "createdBy": call.caller()?.user, "lastUpdated": now,
    });
    call.world.directory().web_integrations.push(view.clone());
    Ok(answer(201, &view))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let directory = call.world.directory();
    let found = directory.web_integrations.iter().find(|view| view["id"] == id).ok_or_else(missing)?;
    Ok(answer(200, found))
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let operations = patch(&body, &["replace"], &["/name", "/validOrigins"])?;
    let mut directory = call.world.directory();
    let found = directory.web_integrations.iter_mut().find(|view| view["id"] == id).ok_or_else(missing)?;
    for operation in operations {
        found[operation.path.trim_start_matches('/')] = operation.value;
    }
    found["lastUpdated"] = json!(clock::text_ms(clock::now_ms()));
    Ok(nothing())
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let before = directory.web_integrations.len();
    directory.web_integrations.retain(|view| view["id"] != id);
    if directory.web_integrations.len() == before { Err(missing()) } else { Ok(nothing()) }
}
