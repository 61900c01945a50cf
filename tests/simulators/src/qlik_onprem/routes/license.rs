//! The licence.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::qlik_onprem::call::{Call, ok};
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qrs/license", get(license))
        .route("/qrs/license/accesstypeoverview", get(overview))
        .route("/qrs/license/accesstypeinfo", get(overview))
}

/// Only administrators see it.
fn seen(call: &Call) -> Result<(), Problem> {
    if call.caller.is_root() || !call.caller.roles.is_empty() { Ok(()) } else { Err(Problem::forbidden()) }
}

async fn license(call: Call) -> Response {
    let license = || -> Answer {
        seen(&call)?;
        Ok(ok(json!({
            "lef": "", "serial": "9999000000001069", "check": "00000", "key": "", "name": "Simulator",
            "organization": "Example", "product": 4, "numberOfCores": -1, "isExpired": false,
            "expiredReason": "", "isBlacklisted": false, "isInvalid": false, "schemaPath": "License",
        })))
    };
    answer(license())
}

async fn overview(call: Call) -> Response {
    let overview = || -> Answer {
        seen(&call)?;
        let of = |total: u64, used: u64| {
            json!({"enabled": true, "total": total, "allocated": used, "used": used, "quarantined": 0, "excess": 0,
                   "available": total - used})
        };
        Ok(ok(json!({
            "professionalAccess": of(50, 12), "analyzerAccess": of(500, 180), "totalTokens": 0, "availableTokens": 0,
            "tokensEnabled": false, "schemaPath": "AccessTypeOverview",
        })))
    };
    answer(overview())
}
