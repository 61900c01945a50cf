//! On-demand requests of the server product: made, run by the clock, fetched, deleted.

use axum::http::header;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::clock;
use crate::kit::json::Json;
use crate::qalyptus::call::Call;
use crate::qalyptus::data::Kind;
use crate::qalyptus::envelope;
use crate::qalyptus::problem::{Answer, Problem};
use crate::qalyptus::world::World;

/// Requests that were made are numbered from here.
const MADE: u64 = 1 << 40;

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    id: Uuid,
    title: String,
    project: u64,
    format: String,
    user: u64,
    at: i64,
    removed: bool,
}

impl Request {
    fn status(&self, world: &World) -> &'static str {
        let (queued, running) = world.config.pace;
        let age = u128::try_from(clock::now_ms() - self.at).unwrap_or_default();
        match age {
            age if age < queued.as_millis() => "queued",
            age if age < (queued + running).as_millis() => "running",
            _ => "completed",
        }
    }

    fn write(&self, world: &World, out: &mut Json) {
        out.value(&json!({
            "id": self.id, "title": self.title, "createdDate": clock::text_ms(self.at), "status": self.status(world),
        }));
    }
}

pub(crate) fn list(call: &Call) -> Answer {
    let (world, catalog, caller) = (&call.world, call.world.catalog(), call.caller()?);
    let project = match call.project() {
        Some(None) => return envelope::list(call, &[], |_, _| {}),
        Some(project) => project,
        None => None,
    };
    let requests = world.requests().clone();
    let made = requests.iter().enumerate().filter(|(_, request)| {
        !request.removed
            && request.user == caller.user
            && project.is_none_or(|project| request.project == project)
    });
    let mut rows: Vec<u64> = made.map(|(at, _)| MADE + at as u64).collect();
    rows.extend(world.rows(Kind::Request, None, project).iter());
    envelope::list(call, &rows, |row, out| match row.checked_sub(MADE) {
        Some(at) => requests[usize::try_from(at).unwrap_or_default()].write(world, out),
        None => catalog.write_request(row, out),
    })
}

/// `{"type": "report", "config": {"reportId", "outputFormat"}, "selections": […], "connectionId"}`.
pub(crate) fn create(call: &Call) -> Answer {
    let (world, body, caller) = (&call.world, call.object()?, call.caller()?);
    let catalog = world.catalog();
    if body["type"] != "report" {
        return Err(Problem::invalid("type must be report"));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let report = catalog.find(Kind::Report, &text(&body["config"]["reportId"]));
    let report = report.ok_or_else(|| Problem::invalid("config.reportId is no report"))?;
    if catalog.find(Kind::Connection, &text(&body["connectionId"])).is_none() {
        return Err(Problem::invalid("connectionId is no connection"));
    }
    if !body["selections"].is_array() {
        return Err(Problem::invalid("selections must be a list"));
    }
    let request = Request {
        id: Uuid::new_v4(),
        title: catalog.name(Kind::Report, report),
        project: catalog.project_of(report),
        format: text(&body["config"]["outputFormat"]),
        user: caller.user,
        at: clock::now_ms(),
        removed: false,
    };
    world.requests().push(request.clone());
    Ok(envelope::detail(call, |out| request.write(world, out)))
}

fn own(call: &Call) -> Result<usize, Problem> {
    let (caller, id) = (call.caller()?, call.ids.first().map(String::as_str).unwrap_or_default());
    let requests = call.world.requests();
    let found = requests
        .iter()
        .position(|request| !request.removed && request.user == caller.user && request.id.to_string() == id);
    found.ok_or_else(Problem::not_found)
}

pub(crate) fn remove(call: &Call) -> Answer {
    let at = own(call)?;
    call.world.requests()[at].removed = true;
    Ok(envelope::detail(call, |out| out.raw("null")))
}

/// The file, once there is one.
pub(crate) fn result(call: &Call) -> Answer {
    let at = own(call)?;
    let request = call.world.requests()[at].clone();
    if request.status(&call.world) != "completed" {
        return Err(Problem::not_found());
    }
    let name = format!("attachment; filename=\"{}.{}\"", request.id, request.format.to_ascii_lowercase());
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, format!("{} as {}", request.title, request.format)).into_response())
}
