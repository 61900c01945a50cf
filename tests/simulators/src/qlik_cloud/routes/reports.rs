//! What is sent to people: sharing tasks and report templates.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::config::Ending;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Order};
use crate::qlik_cloud::world::World;

const TASKS: List = List { cursor: Cursor::One("page"), ending: Ending::Null, ..List::new("sharing-tasks", 20) };
const TEMPLATES: List = List { cursor: Cursor::Skip, ending: Ending::Empty, ..List::new("report-templates", 20) };

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/sharing-tasks", get(tasks))
        .route("/api/v1/sharing-tasks/{id}", get(task))
        .route("/api/v1/report-templates", get(templates))
        .route("/api/v1/report-templates/{id}", get(template))
}

async fn tasks(call: Call) -> Answer {
    let (caller, app, kind) = (call.caller()?, call.query.get("appid"), call.query.get("type").map(str::to_owned));
    if app.is_none() && !(caller.is_tenant_admin() && caller.token_grants("admin.report-tasks")) {
        return Err(Problem::new(403, "REP-403001", "Forbidden").detail("appid is required of whom is no admin"));
    }
    let sort = call.query.sort(&["datecreated", "dateupdated", "name"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("datecreated".to_owned(), true));
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::SharingTask)?;
    let app = app.map(|id| catalog.find_uuid(Kind::App, id));
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::SharingTask,
        order: match field.as_str() {
            "name" => Order::Name,
            "datecreated" => Order::Created,
            _ => Order::Updated,
        },
        descending,
        keep: Box::new(move |index| {
            visible(index)
                && app.is_none_or(|app| app == Some(read.app_of(Kind::SharingTask, index)))
                && kind.as_ref().is_none_or(|kind| kind == read.sharing_type(index))
        }),
        write: Box::new(move |index, out| rows.write_sharing_task(index, out)),
    };
    TASKS.answer(&call, &[&source])
}

async fn task(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::SharingTask, |catalog| catalog.find_uuid(Kind::SharingTask, &id), Catalog::write_sharing_task)
}

async fn templates(call: Call) -> Answer {
    let sort = call.query.sort(&["createdAt", "updatedAt", "name", "type"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("createdAt".to_owned(), false));
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::ReportTemplate)?;
    let rows = Arc::clone(&catalog);
    let source = Computed {
        catalog,
        kind: Kind::ReportTemplate,
        order: match field.as_str() {
            "name" => Order::Name,
            "updatedAt" => Order::Updated,
            _ => Order::Created,
        },
        descending,
        keep: Box::new(visible),
        write: Box::new(move |index, out| rows.write_report_template(index, out)),
    };
    TEMPLATES.answer(&call, &[&source])
}

async fn template(call: Call, Path(id): Path<String>) -> Answer {
    let kind = Kind::ReportTemplate;
    call.one(kind, |catalog| catalog.find_uuid(kind, &id), Catalog::write_report_template)
}
