//! What every kind of row has: lists, single rows, counts, tables, writes.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::qlik_onprem::call::{Call, done, json, object, ok, one, scalar};
use crate::qlik_onprem::cell::Cell;
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::gate::kind;
use crate::qlik_onprem::lists::{Wanted, shown};
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::query::guid;
use crate::qlik_onprem::rights::{Right, Standing};
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::table;
use crate::qlik_onprem::world::World;
use crate::qlik_onprem::writes;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qrs/{entity}", get(short).post(create))
        .route("/qrs/{entity}/full", get(full))
        .route("/qrs/{entity}/count", get(count))
        .route("/qrs/{entity}/table", post(tabled))
        .route("/qrs/{entity}/many", post(create_many))
        .route("/qrs/{entity}/local", get(local))
        .route("/qrs/{entity}/hublist", get(short))
        .route("/qrs/{entity}/hublist/full", get(full))
        .route("/qrs/{entity}/previewcreateprivilege", post(may_create))
        .route("/qrs/{entity}/{id}", get(read).put(update).delete(delete))
        .route("/qrs/systemrule/security/referenceduserroles", get(roles))
}

async fn short(call: Call, Path(entity): Path<String>) -> Response {
    answer(list(&call, &entity, false))
}

async fn full(call: Call, Path(entity): Path<String>) -> Response {
    answer(list(&call, &entity, true))
}

fn list(call: &Call, entity: &str, full: bool) -> Answer {
    Wanted::new(call, &[kind(entity)?])?.answer(call, full)
}

async fn count(call: Call, Path(entity): Path<String>) -> Response {
    let count = || -> Answer {
        let wanted = Wanted::new(&call, &[kind(&entity)?])?;
        Ok(scalar(StatusCode::OK, wanted.sequence(&call.world, &call.caller).len()))
    };
    answer(count())
}

async fn tabled(call: Call, Path(entity): Path<String>, body: Bytes) -> Response {
    let table = || -> Answer {
        let kind = kind(&entity)?;
        table::answer(&call, Wanted::new(&call, &[kind])?, kind, &json(&body)?)
    };
    answer(table())
}

/// One row: 404 for one that is not there or that the caller does not see.
pub(crate) fn visible(call: &Call, kinds: &[Kind], id: Uuid) -> Answer {
    let store = call.world.store();
    for kind in kinds {
        if let Some(place) = call.world.find(&store, *kind, id) {
            let row = shown(&call.world, &store, &call.caller, *kind, place, call.query.flag("privileges"));
            if call.caller.may(Right::Read, *kind, call.world.standing(*kind, &row)) {
                return Ok(one(StatusCode::OK, &row));
            }
        }
    }
    Err(Problem::not_found())
}

async fn read(call: Call, Path((entity, id)): Path<(String, String)>) -> Response {
    let read = || -> Answer { visible(&call, &[kind(&entity)?], guid(&id)?) };
    answer(read())
}

/// The service of the node that answers, which is the central one.
async fn local(call: Call, Path(entity): Path<String>) -> Response {
    let local = || -> Answer {
        let kind = kind(&entity)?;
        let first = call.world.store().made(kind).first().copied();
        visible(&call, &[kind], first.ok_or_else(Problem::not_found)?)
    };
    answer(local())
}

async fn create(call: Call, Path(entity): Path<String>, body: Bytes) -> Response {
    let create = || -> Answer {
        let row = writes::create(&call, kind(&entity)?, object(json(&body)?)?)?;
        Ok(one(StatusCode::CREATED, &row))
    };
    answer(create())
}

async fn create_many(call: Call, Path(entity): Path<String>, body: Bytes) -> Response {
    let create = || -> Answer {
        let kind = kind(&entity)?;
        let Value::Array(bodies) = json(&body)? else {
            return Err(Problem::invalid("The body must be an array"));
        };
        let rows = bodies.into_iter().map(|body| Ok(writes::create(&call, kind, object(body)?)?.json()));
        let rows: Vec<Value> = rows.collect::<Result<_, Problem>>()?;
        let mut response = ok(rows.into());
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    };
    answer(create())
}

async fn update(call: Call, Path((entity, id)): Path<(String, String)>, body: Bytes) -> Response {
    let update = || -> Answer {
        let row = writes::update(&call, kind(&entity)?, guid(&id)?, object(json(&body)?)?)?;
        Ok(one(StatusCode::OK, &row))
    };
    answer(update())
}

async fn delete(call: Call, Path((entity, id)): Path<(String, String)>) -> Response {
    let delete = || -> Answer {
        writes::delete(&call, kind(&entity)?, guid(&id)?)?;
        Ok(done())
    };
    answer(delete())
}

async fn may_create(call: Call, Path(entity): Path<String>) -> Response {
    let may = || -> Answer {
        let allowed = call.caller.may(Right::Create, kind(&entity)?, Standing::default());
        Ok(scalar(StatusCode::CREATED, allowed))
    };
    answer(may())
}

/// The roles that rules and users speak of. Roles are texts and nothing else.
async fn roles(call: Call) -> Response {
    let store = call.world.store();
    let mut roles = std::collections::BTreeSet::new();
    roles.extend(crate::qlik_onprem::data::ROLES.map(str::to_owned));
    roles.insert("Developer".to_owned());
    for user in store.made_rows(Kind::User) {
        for role in user.list("roles") {
            if let Cell::Text(role) = role {
                roles.insert(role.to_string());
            }
        }
    }
    ok(json!(roles))
}
