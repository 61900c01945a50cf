//! Spaces and who is assigned to them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use crate::kit::clock;
use crate::kit::json::Json;
use crate::qlik_cloud::call::{Call, bytes, json as answer};
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::source::{Computed, Held, Order};
use crate::qlik_cloud::walk;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("spaces", 10);
const ASSIGNMENTS: List = List::new("assignments", 10);

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/spaces", get(list))
        .route("/api/v1/spaces/types", get(async || answer(200, &json!(["shared", "managed", "data"]))))
        .route("/api/v1/spaces/{id}", get(one))
        .route("/api/v1/spaces/{id}/assignments", get(assignments))
}

async fn list(call: Call) -> Answer {
    let sort = call.query.sort(&["type", "name", "createdAt"]).map_err(|problem| problem.style(Style::Flat))?;
    let by_name = sort.as_ref().is_some_and(|(field, _)| field == "name");
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::Space)?;
    let (types, name) = (call.query.list("type"), call.query.get("name").map(str::to_lowercase));
    let owner = call.query.get("ownerId").map(|id| catalog.find_object(Kind::User, id));
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::Space,
        order: if by_name { Order::Name } else { Order::Created },
        descending: sort.is_some_and(|(_, descending)| descending),
        keep: Box::new(move |index| {
            visible(index)
                && (types.is_empty() || types.iter().any(|wanted| wanted == read.space_type(index)))
                && owner.is_none_or(|owner| owner == Some(read.owner(Kind::Space, index)))
                && name.as_ref().is_none_or(|name| read.name(Kind::Space, index).to_lowercase().contains(name))
        }),
        write: Box::new(move |index, out| rows.write_space(index, out)),
    };
    let meta = |out: &mut Json| {
        out.key("meta");
        out.open(b'{');
        out.number("count", walk::count(&[&source]));
        out.field("personalSpace", r#"{"actions":["create"],"resourceType":"app"}"#);
        out.close(b'}');
    };
    LIST.answer_with(&call, &[&source], &meta)
}

/// The index of a space that the caller sees.
fn space(call: &Call, catalog: &Arc<Catalog>, id: &str) -> Result<u64, Problem> {
    let visible = call.visible(catalog, Kind::Space)?;
    let found = catalog.find_object(Kind::Space, id).filter(|index| visible(*index));
    found.ok_or_else(|| Problem::not_found().style(Style::Flat))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let catalog = call.world.catalog();
    let index = space(&call, &catalog, &id)?;
    let mut out = Json::with_capacity(1024);
    catalog.write_space(index, &mut out);
    Ok(bytes(out))
}

async fn assignments(call: Call, Path(id): Path<String>) -> Answer {
    let catalog = call.world.catalog();
    let index = space(&call, &catalog, &id)?;
    let users = catalog.seeded(Kind::User);
    let members = (0..catalog.noise(Kind::Space, index, 15) % 25).map(|at| {
        let user = catalog.noise(Kind::Space, index, 16 + at) % users;
        let created = clock::text_ms(catalog.created(Kind::Space, index) + at as i64 * 1000);
        json!({
            "id": format!("{}{at:02x}", &id[..22]), "type": "user", "spaceId": id, "tenantId": catalog.tenant_id,
            "assigneeId": catalog.object_id(Kind::User, user).as_str(), "roles": ["consumer"],
            "createdAt": created, "updatedAt": created,
        })
    });
    let rows: Vec<Value> = members.collect();
    ASSIGNMENTS.answer(&call, &[&Held::new(rows, "id", "createdAt", false)])
}
