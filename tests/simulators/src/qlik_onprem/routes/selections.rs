//! Selections: sets of rows that are read and counted like lists.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::qlik_onprem::call::{Call, done, json, member, scalar};
use crate::qlik_onprem::entities::{Kind, TASKS};
use crate::qlik_onprem::gate::kind;
use crate::qlik_onprem::lists::Wanted;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::query::guid;
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::table;
use crate::qlik_onprem::world::{Place, World};

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qrs/selection", post(create))
        .route("/qrs/selection/{id}", get(read).post(create_filtered).delete(delete))
        .route("/qrs/selection/{id}/event", get(events))
        .route("/qrs/selection/{id}/event/full", get(events))
        .route("/qrs/selection/{id}/{entity}", get(short))
        .route("/qrs/selection/{id}/{entity}/full", get(full))
        .route("/qrs/selection/{id}/{entity}/count", get(count))
        .route("/qrs/selection/{id}/{entity}/table", post(tabled))
}

/// Of items named in the body.
async fn create(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let body = json(&body)?;
        let items = member(&body, "items").as_array().cloned().unwrap_or_default();
        let item = |item: &Value| {
            let text = |key: &str| member(item, key).as_str().unwrap_or_default().to_owned();
            let kind = Kind::named(&text("type")).ok_or_else(|| Problem::invalid("Invalid type"))?;
            Ok((kind, guid(&text("objectID"))?))
        };
        keep(&call, items.iter().map(item).collect::<Result<_, Problem>>()?)
    };
    answer(create())
}

/// Of everything that a filter finds: here the segment is not an id but a kind.
async fn create_filtered(call: Call, Path(entity): Path<String>) -> Response {
    let create = || -> Answer {
        let sequence = Wanted::new(&call, &kinds(&entity)?)?.sequence(&call.world, &call.caller);
        let catalog = call.world.catalog();
        let id = |(kind, place): &(Kind, Place)| match place {
            Place::Generated(index) => (*kind, catalog.id(*kind, *index)),
            Place::Kept(id) => (*kind, *id),
        };
        keep(&call, sequence.iter().map(id).collect())
    };
    answer(create())
}

fn keep(call: &Call, items: Vec<(Kind, Uuid)>) -> Answer {
    let id = call.world.editing().select(items);
    let mut response = read_one(call, id)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn read_one(call: &Call, id: Uuid) -> Answer {
    let store = call.world.store();
    let items = store.selection(id).ok_or_else(Problem::not_found)?;
    let item = |(kind, id): &(Kind, Uuid)| json!({"type": kind.entity().name, "objectID": id, "objectName": "", "schemaPath": "SelectionItem"});
    let items: Vec<Value> = items.iter().map(item).collect();
    Ok(axum::Json(json!({"id": id, "items": items, "schemaPath": "Selection"})).into_response())
}

async fn read(call: Call, Path(id): Path<String>) -> Response {
    answer(guid(&id).and_then(|id| read_one(&call, id)))
}

async fn delete(call: Call, Path(id): Path<String>) -> Response {
    let delete = || -> Answer {
        let known = call.world.editing().deselect(guid(&id)?);
        if known { Ok(done()) } else { Err(Problem::not_found()) }
    };
    answer(delete())
}

fn kinds(entity: &str) -> Result<Vec<Kind>, Problem> {
    if entity == "task" { Ok(TASKS.to_vec()) } else { Ok(vec![kind(entity)?]) }
}

fn wanted(call: &Call, id: &str, entity: &str) -> Result<Wanted, Problem> {
    let id = guid(id)?;
    let items = call.world.store().selection(id).map(<[_]>::to_vec).ok_or_else(Problem::not_found)?;
    Ok(Wanted::new(call, &kinds(entity)?)?.among(id, &items))
}

/// What starts the selected tasks: schedules and chains.
async fn events(call: Call, Path(id): Path<String>) -> Response {
    let events = || -> Answer {
        let store = call.world.store();
        let items = store.selection(guid(&id)?).ok_or_else(Problem::not_found)?;
        let catalog = call.world.catalog();
        let mut found = Vec::new();
        for (kind, task) in items {
            let Some(index) = catalog.find(*kind, *task).filter(|_| *kind == Kind::ReloadTask) else {
                continue;
            };
            let chained = index.checked_sub(1).map(|before| (Kind::CompositeEvent, before));
            for (kind, index) in [Some((Kind::SchemaEvent, index)), chained].into_iter().flatten() {
                if catalog.exists(kind, index) {
                    found.push(call.world.row(&store, kind, Place::Generated(index)).json());
                }
            }
        }
        Ok(axum::Json(found).into_response())
    };
    answer(events())
}

async fn short(call: Call, Path((id, entity)): Path<(String, String)>) -> Response {
    answer(wanted(&call, &id, &entity).and_then(|wanted| wanted.answer(&call, false)))
}

async fn full(call: Call, Path((id, entity)): Path<(String, String)>) -> Response {
    answer(wanted(&call, &id, &entity).and_then(|wanted| wanted.answer(&call, true)))
}

async fn count(call: Call, Path((id, entity)): Path<(String, String)>) -> Response {
    let wanted = wanted(&call, &id, &entity);
    let length = |wanted: Wanted| wanted.sequence(&call.world, &call.caller).len();
    answer(wanted.map(|wanted| scalar(StatusCode::OK, length(wanted))))
}

async fn tabled(call: Call, Path((id, entity)): Path<(String, String)>, body: Bytes) -> Response {
    let table = || -> Answer {
        let kinds = kinds(&entity)?;
        table::answer(&call, wanted(&call, &id, &entity)?, kinds[0], &json(&body)?)
    };
    answer(table())
}
