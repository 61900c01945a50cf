//! The tenant, its licence, and the redirects of the two `me` routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::get;
use serde_json::{Value, json};

use crate::qlik_cloud::call::{Call, json as answer};
use crate::qlik_cloud::data::Kind;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::sign_in::JwtAuthorization;
use crate::qlik_cloud::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/tenants/me", get(mine))
        .route("/api/v1/tenants/{id}", get(one))
        .route("/api/v1/licenses/overview", get(licence))
        .route("/api/v1/licenses/status", get(licence_status))
}

async fn mine(call: Call) -> Answer {
    if call.world.config.me_redirects {
        return Ok(Redirect::temporary(&format!("/api/v1/tenants/{}", call.world.tenant_id)).into_response());
    }
    Ok(answer(200, &tenant(&call.world)))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    if id != call.world.tenant_id {
        return Err(Problem::new(404, "TENANTS-8", "Not found"));
    }
    Ok(answer(200, &tenant(&call.world)))
}

fn tenant(world: &World) -> Value {
    let admin = world.catalog().object_id(Kind::User, 0).as_str().to_owned();
    json!({
        "id": world.tenant_id, "name": world.config.tenant_name, "hostnames": world.hosts, "datacenter": "eu-west-1",
        "region": "eu", "status": "active", "created": "2021-01-01T00:00:00.000Z",
        "lastUpdated": "2026-10-01T00:00:00.000Z", "createdByUser": admin,
        "links": {"self": {"href": format!("{}/api/v1/tenants/{}", world.base_url, world.tenant_id)}},
    })
}

fn product(world: &World) -> &'static str {
    match world.sign_in().jwt {
        JwtAuthorization::NotEnterprise => "Qlik Sense Business",
        JwtAuthorization::Active | JwtAuthorization::Inactive => "Qlik Sense Enterprise",
    }
}

async fn licence(call: Call) -> Answer {
    let users = call.world.catalog().extent(Kind::User);
    Ok(answer(
        200,
        &json!({
            "licenseNumber": "9999000000001069", "licenseKey": "eyJhbGciOiJSUzUxMiJ9.simulated.licence", "product": product(&call.world),
            "status": "Ok", "trial": false, "valid": "2026-01-01/2027-12-31", "origin": "External",
            "allotments": [{"name": "professional", "units": 2 * users, "unitsUsed": users, "overage": 0, "usageClass": ""}],
            "parameters": [], "updated": "2026-10-01T00:00:00.000Z",
        }),
    ))
}

async fn licence_status(call: Call) -> axum::response::Response {
    answer(
        200,
        &json!({
            "product": product(&call.world), "status": "Ok", "trial": false, "type": "Signed",
            "valid": "2026-01-01/2027-12-31", "origin": "External", "deactivated": false, "extensionStatus": "NotExtended",
        }),
    )
}
