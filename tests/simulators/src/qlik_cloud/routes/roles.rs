//! Roles: the default ones and those that the tenant made.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use serde_json::Value;

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::directory::Directory;
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::roles::Role;
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("roles", 20);
const FIELDS: [&str; 5] = ["name", "type", "level", "createdAt", "lastUpdatedAt"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/roles", get(list).post(create))
        .route("/api/v1/roles/{id}", get(one).patch(change).delete(remove))
}

fn missing() -> Problem {
    Problem::new(404, "IDENTITIES-10402", "Not Found").style(Style::NumberStatus)
}

fn view(call: &Call, role: &Role) -> Value {
    role.view(&call.world.base_url, &call.world.tenant_id)
}

async fn list(call: Call) -> Answer {
    let filter = call.query.filter(&["id", "name", "type", "level", "description"])?;
    let (field, descending) = call.query.sort(&FIELDS)?.unwrap_or_else(|| ("name".to_owned(), false));
    let rows: Vec<Value> = call.world.directory().roles.iter().map(|role| view(&call, role)).collect();
    let matches = |row: &Value| {
        let read = |name: &str| row[name].as_str().map(str::to_owned).into_iter().collect();
        filter.as_ref().is_none_or(|filter| filter.matches(&read))
    };
    let rows = rows.into_iter().filter(matches).collect();
    LIST.answer(&call, &[&Held::new(rows, "id", &field, descending)])
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let directory = call.world.directory();
    let role = directory.roles.iter().find(|role| role.id == id).ok_or_else(missing)?;
    Ok(answer(200, &view(&call, role)))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

async fn create(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let name = required(&body, "name")?;
    let mut directory = call.world.directory();
    if directory.roles.iter().filter(|role| role.custom).count() >= 500 {
        return Err(Problem::new(400, "IDENTITIES-10410", "Too many custom roles"));
    }
    if directory.role_named(name).is_some() {
        return Err(Problem::new(409, "IDENTITIES-10409", "A role of this name exists"));
    }
    let mut role = Role::custom(name, texts(&body["assignedScopes"]));
    role.description = body["description"].as_str().unwrap_or_default().to_owned();
    let shown = view(&call, &role);
    directory.roles.push(role);
    Ok(answer(201, &shown))
}

fn editable<'a>(directory: &'a mut Directory, id: &str) -> Result<&'a mut Role, Problem> {
    let role = directory.roles.iter_mut().find(|role| role.id == id).ok_or_else(missing)?;
    if role.custom { Ok(role) } else { Err(Problem::forbidden().detail("default roles cannot be changed")) }
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let paths = ["/name", "/description", "/assignedScopes", "/assignedScopes/-"];
    let operations = patch(&body, &["replace", "add", "remove-value"], &paths)?;
    let mut directory = call.world.directory();
    let role = editable(&mut directory, &id)?;
    for operation in operations {
        let text = operation.value.as_str().unwrap_or_default().to_owned();
        match (operation.op.as_str(), operation.path.as_str()) {
            (_, "/name") => role.name = text,
            (_, "/description") => role.description = text,
            ("add", _) => role.scopes.push(text),
            ("remove-value", _) => role.scopes.retain(|scope| *scope != text),
            _ => role.scopes = texts(&operation.value),
        }
    }
    role.updated = clock::now_ms();
    Ok(nothing())
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    editable(&mut directory, &id)?;
    directory.roles.retain(|role| role.id != id);
    Ok(nothing())
}
