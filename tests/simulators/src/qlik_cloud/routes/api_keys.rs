//! API keys and their configuration.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::directory::{ApiKey, Directory};
use crate::qlik_cloud::keys;
use crate::qlik_cloud::paging::{Cursor, List};
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List { cursor: Cursor::Ids, ..List::new("api-keys", 20) };
const SORTS: [&str; 5] = ["createdByUser", "sub", "status", "description", "created"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/api-keys", get(list).post(create))
        .route("/api/v1/api-keys/{id}", get(one).patch(change).delete(remove))
        .route("/api/v1/api-keys/configs/{tenant}", get(config).patch(configure))
}

fn numbered(problem: Problem) -> Problem {
    problem.style(Style::NumberStatus)
}

async fn list(call: Call) -> Answer {
    let (caller, admin) = (call.caller()?, call.caller()?.administers());
    let (field, descending) = call.query.sort(&SORTS).map_err(numbered)?.unwrap_or_else(|| ("created".to_owned(), true));
    let sub = call.query.get("sub");
    if sub.is_some_and(|sub| sub != caller.user) && !admin {
        return Err(numbered(Problem::forbidden().detail("Requestor not allowed to list API keys")));
    }
    let directory = call.world.directory();
    let wanted = |name: &str, value: &str| call.query.get(name).is_none_or(|wanted| wanted == value);
    let keys = directory.keys.values().filter(|key| {
        (admin || key.sub == caller.user)
            && wanted("sub", &key.sub)
            && wanted("status", key.status())
            && wanted("createdByUser", &key.created_by)
    });
    let rows: Vec<Value> = keys.map(|key| key.view(&call.world.tenant_id)).collect();
    LIST.answer(&call, &[&Held::new(rows, "id", &field, descending)])
}

async fn create(call: Call, body: Bytes) -> Answer {
    let (body, caller) = (object(&body)?, call.caller()?);
    let description = required(&body, "description").map_err(numbered)?;
    let sub_type = body["subType"].as_str().unwrap_or("user");
    let sub = body["sub"].as_str().unwrap_or(&caller.user);
    if (sub != caller.user || sub_type != "user") && !caller.administers() {
        return Err(numbered(Problem::forbidden()));
    }
    let mut directory = call.world.directory();
    let most = if sub_type == "user" { &directory.max_key_life } else { &directory.max_scim_life };
    let most = keys::seconds(most).unwrap_or_default();
    let life = match body["expiry"].as_str() {
        None => most,
        Some(text) => keys::seconds(text).ok_or_else(|| numbered(Problem::invalid("expiry must be a duration")))?,
    };
    if life > most || life <= 0 {
        return Err(numbered(Problem::invalid("expiry is above the tenant's maximum")));
    }
    let active = directory.keys.values().filter(|key| key.sub == sub && key.status() == "active").count();
    if sub_type == "user" && active >= directory.max_keys as usize {
        return Err(numbered(Problem::forbidden().detail("the user has the maximum number of API keys")));
    }
    let key = keys::make(sub, sub_type, description, clock::now_seconds() + life, &caller.user);
    let token = keys::token(&call.world, &key)
        .map_err(|error| Problem::new(500, "HTTP-500", error.to_string()))?;
    let mut shown = key.view(&call.world.tenant_id);
    shown["token"] = json!(token);
    directory.keys.insert(key.id.clone(), key);
    Ok(answer(201, &shown))
}

/// A key that the caller may touch.
fn own<'a>(call: &Call, directory: &'a mut Directory, id: &str) -> Result<&'a mut ApiKey, Problem> {
    let caller = call.caller()?;
    let key = directory.keys.get_mut(id).ok_or_else(|| numbered(Problem::not_found()))?;
    if key.sub == caller.user || caller.administers() { Ok(key) } else { Err(numbered(Problem::forbidden())) }
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let shown = own(&call, &mut call.world.directory(), &id)?.view(&call.world.tenant_id);
    Ok(answer(200, &shown))
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let mut directory = call.world.directory();
    let key = own(&call, &mut directory, &id)?;
    for operation in patch(&body, &["replace"], &["/description"]).map_err(numbered)? {
        key.description = operation.value.as_str().unwrap_or_default().to_owned();
        key.updated = clock::now_ms();
    }
    Ok(nothing())
}

/// An owner deletes; an admin revokes what belongs to somebody else.
async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let key = own(&call, &mut directory, &id)?;
    if key.sub == call.caller()?.user {
        directory.keys.remove(&id);
    } else {
        key.revoked = true;
        key.updated = clock::now_ms();
    }
    Ok(nothing())
}

async fn config(call: Call, Path(tenant): Path<String>) -> Answer {
    if tenant != call.world.tenant_id {
        return Err(numbered(Problem::not_found()));
    }
    let directory = call.world.directory();
    Ok(answer(200, &json!({
        "max_keys_per_user": directory.max_keys, "max_api_key_expiry": directory.max_key_life,
        "scim_externalClient_expiry": directory.max_scim_life,
    })))
}

async fn configure(call: Call, Path(tenant): Path<String>, body: Bytes) -> Answer {
    if tenant != call.world.tenant_id {
        return Err(numbered(Problem::not_found()));
    }
    let paths = ["/max_keys_per_user", "/max_api_key_expiry", "/scim_externalClient_expiry"];
    let operations = patch(&body, &["replace"], &paths).map_err(numbered)?;
    let mut directory = call.world.directory();
    for operation in operations {
        let duration = operation.value.as_str().filter(|text| keys::seconds(text).is_some()).map(str::to_owned);
        let refused = || numbered(Problem::invalid(format!("not a value for {}", operation.path)));
        match operation.path.as_str() {
            "/max_keys_per_user" => {
                let count = operation.value.as_u64().filter(|count| *count <= 1000).ok_or_else(refused)?;
                directory.max_keys = count as u32;
            }
            "/max_api_key_expiry" => directory.max_key_life = duration.ok_or_else(refused)?,
            _ => directory.max_scim_life = duration.ok_or_else(refused)?,
        }
    }
    Ok(nothing())
}
