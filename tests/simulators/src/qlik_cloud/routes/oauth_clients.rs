//! OAuth clients.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::clients::{self, MEMBERS};
use crate::qlik_cloud::directory::{Client, Directory};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("oauth-clients", 20);
const SORTS: [&str; 6] = ["clientId", "clientName", "appType", "tenantId", "createdAt", "updatedAt"];
const FILTERS: [&str; 5] = ["clientId", "clientName", "appType", "tenantId", "createdByType"];
const TYPES: [&str; 4] = ["web", "native", "spa", "anonymous-embed"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/oauth-clients", get(list).post(create))
        .route("/api/v1/oauth-clients/{id}", get(one).patch(change).delete(remove))
        .route(
            "/api/v1/oauth-clients/{id}/connection-configs/me",
            get(consent).patch(set_consent).delete(withdraw_consent),
        )
        .route("/api/v1/oauth-clients/{id}/actions/publish", post(publish))
}

/// A client, or 404.
pub(crate) fn client<'a>(directory: &'a mut Directory, id: &str) -> Result<&'a mut Client, Problem> {
    directory.clients.get_mut(id).ok_or_else(Problem::not_found)
}

/// Whoever is no admin sees a reduced shape.
fn view(call: &Call, client: &Client) -> Result<Value, Problem> {
    if call.caller()?.administers() {
        return Ok(client.shown());
    }
    let full = &client.view;
    Ok(
        json!({"clientId": full["clientId"], "clientName": full["clientName"], "appType": full["appType"], "createdAt": full["createdAt"]}),
    )
}

async fn list(call: Call) -> Answer {
    let filter = call.query.filter(&FILTERS)?;
    let (field, descending) = call.query.sort(&SORTS)?.unwrap_or_else(|| ("clientName".to_owned(), false));
    let matches = |row: &Value| {
        let read = |name: &str| row[name].as_str().map(str::to_owned).into_iter().collect();
        filter.as_ref().is_none_or(|filter| filter.matches(&read))
    };
    let directory = call.world.directory();
    let rows: Result<Vec<Value>, Problem> =
        directory.clients.values().map(|client| view(&call, client)).collect();
    let rows = rows?.into_iter().filter(matches).collect();
    LIST.answer(&call, &[&Held::new(rows, "clientId", &field, descending)])
}

async fn create(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let kind = required(&body, "appType")?;
    required(&body, "clientName")?;
    if !TYPES.contains(&kind) {
        return Err(Problem::invalid("unknown appType"));
    }
    let mut client = clients::from_request(&body);
    let mut shown = client.shown();
    if kind == "web" && client.list("allowedAuthMethods").iter().any(|method| method == "client_secret") {
        let secret = client.add_secret(&call.caller()?.user);
        shown = client.shown();
        shown["clientSecret"] = json!(secret.value);
    }
    let id = client.view["clientId"].as_str().unwrap_or_default().to_owned();
    call.world.directory().clients.insert(id, client);
    Ok(answer(201, &shown))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let shown = view(&call, client(&mut directory, &id)?)?;
    Ok(answer(200, &shown))
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let paths = MEMBERS.map(|member| format!("/{member}"));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let operations = patch(&body, &["add", "remove", "replace"], &paths)?;
    let mut directory = call.world.directory();
    let found = client(&mut directory, &id)?;
    for operation in operations {
        let member = operation.path.trim_start_matches('/').to_owned();
        found.view[member] = if operation.op == "remove" { Value::Null } else { operation.value };
    }
    found.view["updatedAt"] = json!(clock::text_ms(clock::now_ms()));
    let needs_secret = found.list("allowedAuthMethods").iter().any(|method| method == "client_secret");
    if needs_secret && found.secrets.is_empty() {
        let secret = found.add_secret(&call.caller()?.user);
        return Ok(answer(202, &json!({"clientSecret": secret.value})));
    }
    Ok(nothing())
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    call.world.directory().clients.remove(&id).ok_or_else(Problem::not_found)?;
    Ok(nothing())
}

async fn consent(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let method = if client(&mut directory, &id)?.trusted { "trusted" } else { "required" };
    Ok(answer(200, &json!({"consentMethod": method})))
}

async fn withdraw_consent(call: Call, Path(id): Path<String>) -> Answer {
    client(&mut call.world.directory(), &id)?.trusted = false;
    Ok(nothing())
}

async fn publish(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let found = client(&mut directory, &id)?;
    let now = json!(clock::text_ms(clock::now_ms()));
    found.view["publishedAt"] = now.clone();
    Ok(answer(201, &json!({"publishedAt": now})))
}

async fn set_consent(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let operations = patch(&body, &["replace"], &["/consentMethod"])?;
    let mut directory = call.world.directory();
    let found = client(&mut directory, &id)?;
    for operation in operations {
        found.trusted = match operation.value.as_str() {
            Some("trusted") => true,
            Some("required") => false,
            _ => return Err(Problem::invalid("consentMethod is trusted or required")),
        };
    }
    Ok(nothing())
}
