//! The audit trail: events as JSON, and the log, which is none.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::nprinting::call::Call;
use crate::nprinting::data::Kind;
use crate::nprinting::lists::Wanted;
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::rights::Permission;
use crate::nprinting::routes::answer;
use crate::nprinting::world::World;

/// Lines of a log.
const MOST: u64 = 10_000;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/audit/events", get(events))
        .route("/api/v1/audit/events/{id}", get(event))
        .route("/api/v1/audit/logs", get(logs))
}

async fn events(call: Call) -> Response {
    answer(&call.world, Wanted::new(&call, Kind::Audit, &["eventTime"]).and_then(|list| list.answer(&call)))
}

async fn event(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, call.one(Kind::Audit, &id))
}

/// UTF-8 with a byte order mark, separated by tabs.
async fn logs(call: Call) -> Response {
    let write = || -> Answer {
        if !call.caller.has(Permission::Audit) {
            return Err(Problem::forbidden());
        }
        let catalog = call.world.catalog();
        let mut text = String::from(
            "\u{FEFF}EventTime\tSource\tEvent\tTarget\tTargetId\tTargetName\tAction\tAppId\tUserId\tUserName\tIpAddress\tDescription\tData\tDataType\r\n",
        );
        for index in
            (0..catalog.extent(Kind::Audit)).rev().filter(|index| catalog.exists(Kind::Audit, *index))
        {
            let (user, action, app) = catalog.event(index);
            let (app_id, app_name) = (catalog.id(Kind::App, app), catalog.name(Kind::App, app));
            let (user_id, user_name) = (catalog.id(Kind::User, user), catalog.name(Kind::User, user));
            let time = catalog.event_time(index);
            text += &format!(
                "{time}\tWebConsole\tApp{action}\tApp\t{app_id}\t{app_name}\t{action}\t{app_id}\t{user_id}\t{user_name}\t192.0.2.10\t{action} App\t\t\r\n"
            );
            if text.len() as u64 > MOST * 200 {
                break;
            }
        }
        Ok(([(header::CONTENT_TYPE, "text/tab-separated-values; charset=utf-8")], text).into_response())
    };
    answer(&call.world, write())
}
