//! Data connections. Without a limit the whole list comes at once.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::kit::clock;
use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::config::Ending;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Order};
use crate::qlik_cloud::world::World;

const LIST: List =
    List { cursor: Cursor::One("page"), ending: Ending::Empty, ..List::new("data-connections", u64::MAX >> 1) };
const FILTERS: [&str; 5] = ["created", "updated", "qName", "qType", "space"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/data-connections", get(list))
        .route("/api/v1/data-connections/{id}", get(one))
        .route("/api/connectivity/data-connections", get(list))
}

async fn list(call: Call) -> Answer {
    let filter = call.query.filter(&FILTERS)?;
    let sort = call.query.sort(&["created", "updated", "qName", "_id"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("_id".to_owned(), false));
    let (mine, personal) = (call.query.flag("ownedByMe")?, call.query.flag("personal")?);
    call.query.flag("noDatafiles")?;
    let catalog = call.world.catalog();
    let caller = call.caller()?;
    let (own, visible) = (caller.index, call.visible(&catalog, Kind::DataConnection)?);
    if call.query.get("userId").is_some_and(|id| id != caller.user) && !caller.is_tenant_admin() {
        return Err(Problem::forbidden());
    }
    let space = call.query.get("spaceId").map(|id| catalog.find_object(Kind::Space, id));
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::DataConnection,
        order: match field.as_str() {
            "qName" => Order::Name,
            "updated" => Order::Updated,
            _ => Order::Created,
        },
        descending,
        keep: Box::new(move |index| {
            let place = read.space(Kind::DataConnection, index);
            visible(index)
                && (!mine || own == Some(read.owner(Kind::DataConnection, index)))
                && (!personal || place.is_none())
                && space.is_none_or(|space| space.is_some() && space == place)
                && filter.as_ref().is_none_or(|filter| filter.matches(&|name| attribute(&read, index, name)))
        }),
        write: Box::new(move |index, out| rows.write_data_connection(index, out)),
    };
    LIST.answer(&call, &[&source])
}

fn attribute(catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    let kind = Kind::DataConnection;
    match name {
        "created" => vec![clock::text_ms(catalog.created(kind, index))],
        "updated" => vec![clock::text_ms(catalog.updated(kind, index))],
        "qName" => vec![catalog.name(kind, index)],
        "qType" => vec!["QvOdbcConnectorPackage.exe".to_owned()],
        _ => {
            let space = catalog.space(kind, index);
            space.map(|space| catalog.object_id(Kind::Space, space).as_str().to_owned()).into_iter().collect()
        }
    }
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let kind = Kind::DataConnection;
    call.one(kind, |catalog| catalog.find_uuid(kind, &id), Catalog::write_data_connection)
}
