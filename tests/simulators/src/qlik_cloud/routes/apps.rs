//! Apps, one at a time: there is no list of them but the items.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::json;

use crate::qlik_cloud::call::{Call, json as answer};
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/apps/{id}", get(one))
        .route("/api/v1/apps/{id}/data/metadata", get(metadata))
        .route("/api/v1/apps/{id}/data/lineage", get(lineage))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    call.one(Kind::App, |catalog| catalog.find_uuid(Kind::App, &id), Catalog::write_app)
}

/// The index of an app that the caller sees.
fn app(call: &Call, id: &str) -> Result<u64, Problem> {
    let catalog = call.world.catalog();
    let visible = call.visible(&catalog, Kind::App)?;
    catalog.find_uuid(Kind::App, id).filter(|index| visible(*index)).ok_or_else(Problem::not_found)
}

async fn metadata(call: Call, Path(id): Path<String>) -> Answer {
    let rows = call.world.catalog().noise(Kind::App, app(&call, &id)?, 30) % 5_000_000;
    Ok(answer(200, &json!({
        "tables": [{"name": "Facts", "no_of_fields": 2, "no_of_rows": rows, "no_of_key_fields": 0, "byte_size": rows * 16,
            "is_system": false, "is_loose": false, "is_semantic": false, "comment": ""}],
        "fields": [
            {"name": "Id", "src_tables": ["Facts"], "tags": ["$key"], "cardinal": rows, "total_count": rows,
             "is_numeric": true, "is_system": false, "is_hidden": false, "byte_size": rows * 8, "comment": ""},
            {"name": "Amount", "src_tables": ["Facts"], "tags": ["$numeric"], "cardinal": rows / 3, "total_count": rows,
             "is_numeric": true, "is_system": false, "is_hidden": false, "byte_size": rows * 8, "comment": ""}],
        "reload_meta": {"cpu_time_spent_ms": 1200, "peak_memory_bytes": 4_000_000},
        "static_byte_size": rows * 20, "has_section_access": false,
    })))
}

async fn lineage(call: Call, Path(id): Path<String>) -> Answer {
    app(&call, &id)?;
    Ok(answer(200, &json!([{"discriminator": "lib://Source/facts.qvd", "statement": ""}])))
}
