//! On-Demand requests: one's own need no permission, everybody's do.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::json::Json;
use crate::nprinting::call::{Call, bytes, done, object};
use crate::nprinting::data::Kind;
use crate::nprinting::lists::{Test, Wanted, may};
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::guid;
use crate::nprinting::rights::Permission;
use crate::nprinting::routes::answer;
use crate::nprinting::world::{Place, World};

const SORTABLE: &[&str] = &["title", "created"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/ondemand/requests", get(own).post(create))
        .route("/api/v1/ondemand/requests/all", get(all))
        .route("/api/v1/ondemand/requests/{id}", get(one).delete(remove))
        .route("/api/v1/ondemand/requests/{id}/result", get(result))
}

async fn own(call: Call) -> Response {
    let list = || -> Answer {
        let mine = Test::MadeBy(call.caller.user);
        Wanted::new(&call, Kind::Request, SORTABLE)?.only(Some(mine)).answer(&call)
    };
    answer(&call.world, list())
}

async fn all(call: Call) -> Response {
    let list = || -> Answer {
        let user = call.query.guid("userid")?.map(Test::MadeBy);
        let wanted = Wanted::new(&call, Kind::Request, SORTABLE)?.of(call.query.guid("appid")?);
        wanted.only(user).answer(&call)
    };
    answer(&call.world, list())
}

/// The place of a request that the caller made or may see; 404 is also what an expired one gets.
fn seen(call: &Call, id: &str) -> Result<(Uuid, Place), Problem> {
    let id = guid(id)?;
    let found = {
        let directory = call.world.directory();
        let place = call.world.find(&directory, Kind::Request, id).ok_or_else(Problem::not_found)?;
        call.world.requested_by(&directory, place, call.caller.user).then_some(place)
    };
    match found {
        Some(place) => Ok((id, place)),
        None => may(call, Permission::Requests, Kind::Request, id).map(|place| (id, place)),
    }
}

async fn one(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, seen(&call, &id).map(|(_, place)| written(&call, place)))
}

fn written(call: &Call, place: Place) -> Response {
    let mut out = Json::with_capacity(512);
    out.raw(r#"{"data":"#);
    call.world.write(&call.world.directory(), Kind::Request, place, &mut out);
    out.close(b'}');
    bytes(out)
}

/// `{"type": "report", "config": {"reportId", "outputFormat"}, "selections": [], "connectionId"}`.
async fn create(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let body = object(&body, &["type", "config", "selections", "connectionId"])?;
        let config = body.get("config").cloned().unwrap_or_default();
        let report = guid(config["reportId"].as_str().unwrap_or_default())?;
        let place = may(&call, Permission::Reports, Kind::Report, report)?;
        let row = call.world.row(&call.world.directory(), Kind::Report, place);
        let app = match place {
            Place::Generated(index) => {
                let catalog = call.world.catalog();
                Some(catalog.id(Kind::App, catalog.app_of(Kind::Report, index)))
            }
            Place::Made(_) => None,
        };
        let request = json!({
            "title": row.get("title"), "requestType": "report", "reportType": row.get("type"),
            "outputFormat": config["outputFormat"], "status": "queued",
        });
        let id = call.add(Kind::Request, request.as_object().cloned().unwrap_or_default(), app);
        Ok(call.created("ondemand/requests", id))
    };
    answer(&call.world, create())
}

async fn remove(call: Call, Path(id): Path<String>) -> Response {
    let remove = || -> Answer {
        let (id, _) = seen(&call, &id)?;
        call.world.editing().remove(Kind::Request, id);
        Ok(done())
    };
    answer(&call.world, remove())
}

/// The file, once it is there.
async fn result(call: Call, Path(id): Path<String>) -> Response {
    let file = || -> Answer {
        let (_, place) = seen(&call, &id)?;
        let row = call.world.row(&call.world.directory(), Kind::Request, place);
        let text = |member: &str| row.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("status") != "completed" {
            return Err(Problem::not_found());
        }
        let name = format!("attachment; filename=\"report.{}\"", text("outputFormat"));
        let headers = [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        Ok((headers, text("title").into_bytes()).into_response())
    };
    answer(&call.world, file())
}
