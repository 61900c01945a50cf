//! Secrets of OAuth clients: at most five, made and deleted one by one, never expiring.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{delete, post};
use serde_json::json;

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing};
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::routes::oauth_clients::client;
use crate::qlik_cloud::world::World;

const MOST: usize = 5;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/oauth-clients/{id}/client-secrets", post(create))
        .route("/api/v1/oauth-clients/{id}/client-secrets/{hint}", delete(remove))
}

async fn create(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let client = client(&mut directory, &id)?;
    if client.secrets.len() >= MOST {
        return Err(Problem::new(409, "HTTP-409", "Conflict").detail("the client has the maximum number of secrets"));
    }
    let secret = client.add_secret(&call.caller()?.user);
    Ok(answer(201, &json!({
        "clientId": id, "clientSecret": secret.value, "hint": secret.hint, "createdAt": clock::text_ms(secret.created),
        "createdBy": secret.created_by,
    })))
}

async fn remove(call: Call, Path((id, hint)): Path<(String, String)>) -> Answer {
    let mut directory = call.world.directory();
    let client = client(&mut directory, &id)?;
    let before = client.secrets.len();
    client.secrets.retain(|secret| secret.hint != hint);
    if client.secrets.len() == before { Err(Problem::not_found()) } else { Ok(nothing()) }
}
