//! OAuth tokens that are alive: whose they are, and how to end one.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::Path;
use axum::routing::{delete, get};
use serde_json::{Value, json};

use crate::qlik_cloud::call::{Call, nothing};
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::tokens::Claims;
use crate::qlik_cloud::world::World;

const LIST: List = List { cursor: Cursor::One("page"), ..List::new("oauth-tokens", 20) };

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/api/v1/oauth-tokens", get(list)).route("/api/v1/oauth-tokens/{id}", delete(remove))
}

/// The tokens that the caller may know of: an admin all, others their own.
fn alive(call: &Call) -> Result<BTreeMap<String, Claims>, Problem> {
    let (caller, admin, world) = (call.caller()?, call.caller()?.administers(), &call.world);
    let issued = world.issued.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let directory = world.directory();
    let claims = issued.iter().filter_map(|token| world.signer.verify(token)).filter(|claims| {
        (admin || claims.sub == caller.user) && !directory.revoked_tokens.contains(&claims.jti)
    });
    Ok(claims.map(|claims| (claims.jti.clone(), claims)).collect())
}

async fn list(call: Call) -> Answer {
    let (field, descending) = call.query.sort(&["userId"])?.unwrap_or_else(|| ("userId".to_owned(), false));
    let rows = alive(&call)?.into_values().map(|claims| {
        json!({"id": claims.jti, "tenantId": claims.tenant_id, "userId": claims.sub,
            "description": claims.client_id})
    });
    let user = call.query.get("userId");
    let rows: Vec<Value> = rows.filter(|row| user.is_none_or(|user| row["userId"] == user)).collect();
    LIST.answer(&call, &[&Held::new(rows, "id", &field, descending)])
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    if !alive(&call)?.contains_key(&id) {
        return Err(Problem::not_found());
    }
    call.world.directory().revoked_tokens.insert(id);
    Ok(nothing())
}
