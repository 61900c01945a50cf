//! Groups.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, post};

use crate::kit::scim::Filter;
use crate::qlik_cloud::call::{Call, object, required};
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Order};
use crate::qlik_cloud::world::World;

const LIST: List = List::new("groups", 20);
const FILTERS: [&str; 4] = ["id", "name", "status", "providerType"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/groups", get(list))
        .route("/api/v1/groups/actions/filter", post(filtered))
        .route("/api/v1/groups/{id}", get(one))
}

async fn list(call: Call) -> Answer {
    let filter = call.query.filter(&FILTERS)?;
    listed(&call, filter)
}

async fn filtered(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let text = required(&body, "filter")?;
    let filter = Filter::parse(text, &FILTERS).map_err(|why| Problem::parameter("filter", why))?;
    listed(&call, Some(filter))
}

fn listed(call: &Call, filter: Option<Filter>) -> Answer {
    let sort = call.query.sort(&["name", "createdAt", "id"])?;
    let by_name = sort.as_ref().is_none_or(|(field, _)| field == "name");
    let (catalog, rows) = (call.world.catalog(), call.world.catalog());
    let read = Arc::clone(&catalog);
    let source = Computed {
        catalog,
        kind: Kind::Group,
        order: if by_name { Order::Name } else { Order::Created },
        descending: sort.is_some_and(|(_, descending)| descending),
        keep: Box::new(move |index| {
            filter.as_ref().is_none_or(|filter| filter.matches(&|name| attribute(&read, index, name)))
        }),
        write: Box::new(move |index, out| rows.write_group(index, out)),
    };
    LIST.answer(call, &[&source])
}

fn attribute(catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    vec![match name {
        "id" => catalog.object_id(Kind::Group, index).as_str().to_owned(),
        "name" => catalog.name(Kind::Group, index),
        "status" => "active".to_owned(),
        _ => if index % 4 == 0 { "custom" } else { "idp" }.to_owned(),
    }]
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::Group, |catalog| catalog.find_object(Kind::Group, &id), Catalog::write_group)
}
