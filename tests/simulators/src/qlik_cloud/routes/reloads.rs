//! Reloads: past ones are computed, those started through the API run by the clock.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::kit::clock;
use crate::kit::scim::Filter;
use crate::qlik_cloud::call::{Call, json as answer, object, required};
use crate::qlik_cloud::data::{Catalog, Kind, ids};
use crate::qlik_cloud::directory::Reload;
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Held, Key, Order};
use crate::qlik_cloud::world::World;

const LIST: List = List::new("reloads", 10);

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/reloads", get(list).post(start))
        .route("/api/v1/reloads/{id}", get(one))
        .route("/api/v1/reloads/{id}/actions/cancel", post(cancel))
}

async fn list(call: Call) -> Answer {
    let caller = call.caller()?;
    let app = call.query.get("appId").map(str::to_owned);
    if app.is_none() && !caller.is_tenant_admin() {
        return Err(Problem::new(400, "RELOADS-003", "Bad request").detail("appId is required"));
    }
    let filter = call.query.filter(&["status", "partial", "type"])?.map(Arc::new);
    call.query.flag("log")?;
    let sort = call.query.sort(&["creationTime", "startTime", "endTime", "status"])?;
    let descending = sort.is_none_or(|(_, descending)| descending);
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::Reload)?;
    let wanted = app.as_deref().map(|app| catalog.find_uuid(Kind::App, app));
    let (read, rows, own_filter) = (Arc::clone(&catalog), Arc::clone(&catalog), filter.clone());
    let past = Computed {
        catalog,
        kind: Kind::Reload,
        order: Order::Created,
        descending,
        keep: Box::new(move |index| {
            visible(index)
                && wanted.is_none_or(|wanted| wanted == Some(read.app_of(Kind::Reload, index)))
                && own_filter.as_ref().is_none_or(|filter| filter.matches(&|name| attribute(&read, index, name)))
        }),
        write: Box::new(move |index, out| rows.write_reload(index, out)),
    };
    LIST.answer(&call, &[&past, &started(&call, app.as_deref(), filter.as_deref(), descending)])
}

fn attribute(catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    vec![match name {
        "status" => catalog.reload_status(index).to_owned(),
        "partial" => "false".to_owned(),
        _ => if index % 2 == 0 { "chronos" } else { "hub" }.to_owned(),
    }]
}

fn started(call: &Call, app: Option<&str>, filter: Option<&Filter>, descending: bool) -> Held {
    let directory = call.world.directory();
    let rows = directory.reloads.iter().map(|reload| (Key::Time(reload.created), view(&call.world, reload)));
    let read = |row: &Value, name: &str| match &row[name] {
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    };
    let kept = rows.filter(|(_, row)| {
        app.is_none_or(|app| row["appId"] == app)
            && filter.is_none_or(|filter| filter.matches(&|name| read(row, name)))
    });
    Held::keyed(kept.collect(), "id", descending)
}

/// A reload as it is now: queued, running, then done, by the clock.
fn view(world: &World, reload: &Reload) -> Value {
    let (queued, running) = world.config.reload_pace;
    let begins = reload.created + queued.as_millis() as i64;
    let ends = begins + running.as_millis() as i64;
    let now = clock::now_ms();
    let mut view = reload.view.clone();
    let (status, end) = match reload.cancelled {
        Some(at) => ("CANCELED", Some(at)),
        None if now < begins => ("QUEUED", None),
        None if now < ends => ("RELOADING", None),
        None => ("SUCCEEDED", Some(ends)),
    };
    view["status"] = json!(status);
    if now >= begins {
        view["startTime"] = json!(clock::text_ms(begins));
    }
    if let Some(end) = end {
        view["endTime"] = json!(clock::text_ms(end));
    }
    view
}

async fn start(call: Call, body: Bytes) -> Answer {
    let (body, world) = (object(&body)?, &call.world);
    let app = required(&body, "appId")?;
    let catalog = world.catalog();
    let visible = call.visible(&catalog, Kind::App)?;
    catalog
        .find_uuid(Kind::App, app)
        .filter(|index| visible(*index))
        .ok_or_else(|| Problem::new(403, "RELOADS-004", "Forbidden").detail("no right to reload the app"))?;
    let weight = body["weight"].as_u64().unwrap_or(1);
    if !(1..=10).contains(&weight) {
        return Err(Problem::invalid("weight must be from 1 to 10"));
    }
    let (id, created) = (ids::new_object_id(), clock::now_ms());
    let view_of = json!({
        "id": id, "appId": app, "tenantId": world.tenant_id, "userId": call.caller()?.user, "type": "external",
        "status": "QUEUED", "creationTime": clock::text_ms(created), "partial": body["partial"] == true, "weight": weight,
        "links": {"self": {"href": format!("{}/api/v1/reloads/{id}", world.base_url)}},
    });
    let reload = Reload { view: view_of, created, cancelled: None };
    let shown = view(world, &reload);
    world.directory().reloads.push(reload);
    Ok(answer(201, &shown))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let started = call.world.directory().reloads.iter().find(|reload| reload.view["id"] == id).cloned();
    match started {
        Some(reload) => Ok(answer(200, &view(&call.world, &reload))),
        None => call.one(Kind::Reload, |catalog| catalog.find_object(Kind::Reload, &id), Catalog::write_reload),
    }
}

async fn cancel(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let found = directory.reloads.iter_mut().find(|reload| reload.view["id"] == id);
    let reload = found.ok_or_else(|| Problem::new(404, "RELOADS-002", "Not found"))?;
    if !matches!(view(&call.world, reload)["status"].as_str(), Some("QUEUED" | "RELOADING")) {
        return Err(Problem::new(409, "RELOADS-013", "The reload has ended"));
    }
    reload.cancelled = Some(clock::now_ms());
    Ok(answer(202, &json!({"status": "CANCELING"})))
}
