//! Automations, under the new path and the old one.

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

const LIST: List =
    List { most: 200, cursor: Cursor::One("cursor"), ending: Ending::HrefNull, ..List::new("automations", 100) };
const FILTERS: [&str; 6] = ["id", "name", "runMode", "lastRunStatus", "ownerId", "spaceId"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/workflows/automations", get(list))
        .route("/api/workflows/automations/{id}", get(one))
        .route("/api/v1/automations", get(list))
        .route("/api/v1/automations/{id}", get(one))
}

async fn list(call: Call) -> Answer {
    let (caller, all) = (call.caller()?, call.query.flag("listAll")?);
    let admin = caller.has_role(&["TenantAdmin", "AnalyticsAdmin"]) && caller.token_grants("admin.automations:read");
    if all && !admin {
        return Err(Problem::forbidden().detail("listAll needs an admin"));
    }
    let filter = call.query.filter(&FILTERS)?;
    let sort = call.query.sort(&["updatedAt", "createdAt", "lastRunAt", "name", "id"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("createdAt".to_owned(), true));
    let catalog = call.world.catalog();
    let (own, visible) = (caller.index, call.visible(&catalog, Kind::Automation)?);
    let (user, member) = (caller.user.clone(), Arc::clone(&catalog));
    // Without `listAll` even an admin sees only what is their own or in their spaces.
    let accessible = move |index| {
        own == Some(member.owner(Kind::Automation, index))
            || member.space(Kind::Automation, index).is_some_and(|space| member.is_member(&user, space))
    };
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::Automation,
        order: match field.as_str() {
            "name" => Order::Name,
            "createdAt" | "id" => Order::Created,
            _ => Order::Updated,
        },
        descending,
        keep: Box::new(move |index| {
            visible(index)
                && (all || accessible(index))
                && filter.as_ref().is_none_or(|filter| filter.matches(&|name| attribute(&read, index, name)))
        }),
        write: Box::new(move |index, out| rows.write_automation(index, out)),
    };
    LIST.answer(&call, &[&source])
}

fn attribute(catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    let kind = Kind::Automation;
    match name {
        "id" => vec![catalog.uuid(kind, index).as_str().to_owned()],
        "name" => vec![catalog.name(kind, index)],
        "runMode" => vec![catalog.run_mode(index).to_owned()],
        "lastRunStatus" => vec![catalog.last_run_status(index).to_owned()],
        "ownerId" => vec![catalog.object_id(Kind::User, catalog.owner(kind, index)).as_str().to_owned()],
        _ => {
            let space = catalog.space(kind, index);
            space.map(|space| catalog.object_id(Kind::Space, space).as_str().to_owned()).into_iter().collect()
        }
    }
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::Automation, |catalog| catalog.find_uuid(Kind::Automation, &id), Catalog::write_automation)
}
