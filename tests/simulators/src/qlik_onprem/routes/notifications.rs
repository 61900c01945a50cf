//! Changes since a time: what was added, updated and deleted, by kind. Unlike filters it tells of deletions.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::clock::text_ms;
use crate::qlik_onprem::call::{Call, ok};
use crate::qlik_onprem::cell::Cell;
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::filter::time;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::rights::Right;
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::store::Action;
use crate::qlik_onprem::world::{Place, World, short};

const ADDED: u64 = 1;
const UPDATED: u64 = 2;
const DELETED: u64 = 3;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/qrs/notification/changes", get(changes))
}

async fn changes(call: Call) -> Response {
    let changes = || -> Answer {
        let since = call.query.get("since").and_then(time);
        let since = since.ok_or_else(|| Problem::invalid("Invalid value for since"))?;
        let unknown = |name: &str| Problem::invalid(format!("Invalid type: {name}"));
        let types = call.query.get("types").unwrap_or_default();
        let mut found = Vec::new();
        for name in types.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let kind = Kind::named(name).ok_or_else(|| unknown(name))?;
            found.extend(there(&call, kind, since));
            found.extend(gone(&call, kind, since));
        }
        Ok(ok(found.into()))
    };
    answer(changes())
}

fn told(kind: Kind, id: Uuid, change: u64, at: i64, object: Value) -> Value {
    json!({"changeType": change, "id": id, "type": kind.entity().name, "changeDate": text_ms(at), "object": object})
}

/// Rows that were added or updated, as far as the caller sees them.
fn there(call: &Call, kind: Kind, since: i64) -> Vec<Value> {
    let (store, catalog) = (call.world.store(), call.world.catalog());
    let young = |index: &u64| {
        let kept = store.row(kind, catalog.id(kind, *index)).is_some();
        catalog.exists(kind, *index) && (kept || catalog.updated(kind, *index) >= since)
    };
    let generated = (0..catalog.extent(kind)).filter(young).map(|index| catalog.id(kind, index));
    let ids = generated.chain(store.made(kind).iter().copied());
    let change = |id: Uuid| {
        let place: Place = call.world.find(&store, kind, id)?;
        let row = call.world.row(&store, kind, place);
        let at = row.time("modifiedDate").filter(|at| *at >= since)?;
        let seen = call.caller.may(Right::Read, kind, call.world.standing(kind, &row));
        let added =
            row.get("createdDate").is_some_and(|created| matches!(created, Cell::Time(ms) if *ms >= since));
        seen.then(|| told(kind, id, if added { ADDED } else { UPDATED }, at, short(kind, &row).json()))
    };
    ids.filter_map(change).collect()
}

/// Rows that were removed, by time or by a client. Only who sees all of a kind is told.
fn gone(call: &Call, kind: Kind, since: i64) -> Vec<Value> {
    if !call.caller.may_all(Right::Read, kind) {
        return Vec::new();
    }
    let (store, catalog) = (call.world.store(), call.world.catalog());
    let mut found = Vec::new();
    for index in (0..catalog.extent(kind)).filter(|index| !catalog.exists(kind, *index)) {
        if let Some(at) = catalog.gone(kind, index).filter(|at| *at >= since) {
            found.push(told(kind, catalog.id(kind, index), DELETED, at, Value::Null));
        }
    }
    let name = kind.entity().name;
    let deleted = store
        .events()
        .iter()
        .filter(|event| event.action == Action::Deleted && event.entity == name && event.at >= since);
    let ids = deleted.filter_map(|event| Some((Uuid::try_parse(&event.id).ok()?, event.at)));
    found.extend(ids.map(|(id, at)| told(kind, id, DELETED, at, Value::Null)));
    found
}
