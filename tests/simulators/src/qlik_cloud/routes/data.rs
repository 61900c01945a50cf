//! Data files and data sets.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::config::Ending;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Held, Order};
use crate::qlik_cloud::world::World;

const FILES: List = List { cursor: Cursor::One("page"), ending: Ending::HrefNull, ..List::new("data-files", 20) };
const CONNECTIONS: List =
    List { cursor: Cursor::One("page"), ending: Ending::HrefNull, ..List::new("data-files/connections", 20) };

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/data-files", get(files))
        .route("/api/v1/data-files/connections", get(connections))
        .route("/api/v1/data-files/{id}", get(file))
        .route("/api/v1/data-sets/{id}", get(data_set))
}

/// Without parameters only the caller's personal space, which surprises everybody once.
async fn files(call: Call) -> Answer {
    let every = call.query.flag("includeAllSpaces")?;
    let sort = call
        .query
        .sort(&["modifiedDate", "name", "size", "folder", "baseName", "createdDate"])
        .map_err(|_| Problem::new(400, "DF-002", "Invalid sort"))?;
    let (field, descending) = sort.unwrap_or_else(|| ("name".to_owned(), false));
    let catalog = call.world.catalog();
    let own = call.caller()?.index;
    let visible = call.visible(&catalog, Kind::DataFile)?;
    let space = match call.query.get("connectionId") {
        None => None,
        Some(id) => Some(space_of(&catalog, id).ok_or_else(|| Problem::new(400, "DF-014", "Connection not found"))?),
    };
    let (name, base) = (call.query.get("name").map(str::to_owned), call.query.get("baseName").map(str::to_owned));
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::DataFile,
        order: if matches!(field.as_str(), "name" | "baseName") { Order::Name } else { Order::Updated },
        descending,
        keep: Box::new(move |index| {
            let place = read.space(Kind::DataFile, index);
            let personal = place.is_none() && own == Some(read.owner(Kind::DataFile, index));
            let here = match space {
                Some(space) => place == Some(space),
                None => personal || (every && place.is_some()),
            };
            let named = |wanted: &String| *wanted == format!("{}.qvd", read.name(Kind::DataFile, index));
            here && visible(index) && name.iter().chain(&base).all(named)
        }),
        write: Box::new(move |index, out| rows.write_data_file(index, out)),
    };
    FILES.answer(&call, &[&source])
}

/// The connection of a space carries the space's id with another first digit.
fn space_of(catalog: &Catalog, connection: &str) -> Option<u64> {
    catalog.find_object(Kind::Space, connection.strip_prefix("df-")?)
}

async fn connections(call: Call) -> Answer {
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::Space)?;
    let spaces = (0..catalog.extent(Kind::Space)).filter(|index| catalog.exists(Kind::Space, *index) && visible(*index));
    let rows: Vec<Value> = spaces
        .map(|index| {
            let space = catalog.object_id(Kind::Space, index);
            json!({"id": format!("df-{}", space.as_str()), "name": "DataFiles", "type": "qix-datafiles",
                "spaceId": space.as_str(), "connectStatement": "CUSTOM CONNECT TO \"provider=QvDataFilesConnector\""})
        })
        .collect();
    CONNECTIONS.answer(&call, &[&Held::new(rows, "id", "id", false)])
}

async fn file(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::DataFile, |catalog| catalog.find_uuid(Kind::DataFile, &id), Catalog::write_data_file)
}

async fn data_set(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::DataSet, |catalog| catalog.find_object(Kind::DataSet, &id), Catalog::write_data_set)
}
