//! Webhooks: their management. Deliveries are not made yet; their history is empty.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("webhooks", 20);
const DELIVERIES: List = List::new("deliveries", 20);
/// What a request may set; a `PUT` clears what it leaves out.
const MEMBERS: [&str; 10] = [
    "name", "url", "description", "eventTypes", "enabled", "filter", "headers", "checkCertificateRevocation",
    "enableCloudEventDelivery", "origin",
];
const EVENTS: [(&str, &str); 8] = [
    ("com.qlik.app.created", "App created"), ("com.qlik.app.deleted", "App deleted"),
    ("com.qlik.v1.app.reload.finished", "App reload finished"), ("com.qlik.v1.reload.finished", "Reload finished"),
    ("com.qlik.space.created", "Space created"), ("com.qlik.space.deleted", "Space deleted"),
    ("com.qlik.v1.user.created", "User created"), ("com.qlik.v1.user.deleted", "User deleted"),
];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/webhooks", get(list).post(create))
        .route("/api/v1/webhooks/event-types", get(event_types))
        .route("/api/v1/webhooks/{id}", get(one).put(replace).patch(change).delete(remove))
        .route("/api/v1/webhooks/{id}/deliveries", get(deliveries))
}

/// May the caller see and change a webhook?
fn accessible(call: &Call, webhook: &Value) -> Result<bool, Problem> {
    let caller = call.caller()?;
    let admin = caller.is_tenant_admin() && caller.token_grants("admin.webhooks");
    Ok(admin || (webhook["level"] == "user" && webhook["createdByUserId"] == caller.user.as_str()))
}

/// Where a webhook stands.
fn find(call: &Call, webhooks: &[Value], id: &str) -> Result<usize, Problem> {
    let place = webhooks.iter().position(|webhook| webhook["id"] == id).ok_or_else(Problem::not_found)?;
    if accessible(call, &webhooks[place])? { Ok(place) } else { Err(Problem::not_found()) }
}

async fn list(call: Call) -> Answer {
    let sort = call.query.sort(&["name", "url", "createdAt", "updatedAt"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("createdAt".to_owned(), true));
    let enabled = call.query.get("enabled").map(|_| call.query.flag("enabled")).transpose()?;
    let mut rows = Vec::new();
    for webhook in &call.world.directory().webhooks {
        let text = |name: &str| call.query.get(name).is_none_or(|wanted| wildcard(wanted, webhook[name].as_str()));
        let level = call.query.get("level").is_none_or(|level| webhook["level"] == level);
        if accessible(&call, webhook)? && level && text("name") && text("url") && enabled.is_none_or(|enabled| webhook["enabled"] == enabled) {
            rows.push(webhook.clone());
        }
    }
    LIST.answer(&call, &[&Held::new(rows, "id", &field, descending)])
}

/// `*` at either end stands for anything.
fn wildcard(pattern: &str, text: Option<&str>) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.unwrap_or_default().to_lowercase());
    let core = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => text.contains(core),
        (true, false) => text.ends_with(core),
        (false, true) => text.starts_with(core),
        (false, false) => text == core,
    }
}

/// Checks a description of a webhook and gives what it sets.
fn members(call: &Call, body: &Value) -> Result<Value, Problem> {
    if required(body, "name")?.len() > 512 || required(body, "url")?.len() > 2048 {
        return Err(Problem::invalid("name or url is too long"));
    }
    if call.world.config.strict_webhooks {
        let url = url::Url::parse(required(body, "url")?).map_err(|error| Problem::invalid(error.to_string()))?;
        if url.scheme() != "https" || url.domain().is_none_or(|domain| !domain.contains('.')) {
            return Err(Problem::invalid("url must be https on a fully qualified domain name"));
        }
    }
    if body["secret"].as_str().is_some_and(|secret| !(32..=64).contains(&secret.len())) {
        return Err(Problem::invalid("secret must have 32 to 64 characters"));
    }
    let mut view = json!({"enabled": false, "eventTypes": [], "headers": {}, "origin": "api"});
    for member in MEMBERS {
        if !body[member].is_null() {
            view[member] = body[member].clone();
        }
    }
    let names = body["encryptedHeaders"].as_object().map(|headers| headers.keys().cloned().collect::<Vec<_>>());
    view["encryptedHeaders"] = json!(names.unwrap_or_default());
    view["secretKeyAdded"] = json!(body["secret"].is_string());
    Ok(view)
}

async fn create(call: Call, body: Bytes) -> Answer {
    let (body, caller) = (object(&body)?, call.caller()?);
    let level = body["level"].as_str().unwrap_or("tenant").to_owned();
    if level == "tenant" && !(caller.is_tenant_admin() && caller.token_grants("admin.webhooks")) {
        return Err(Problem::forbidden());
    }
    let mut view = members(&call, &body)?;
    let (id, now) = (uuid::Uuid::new_v4().to_string(), clock::text_ms(clock::now_ms()));
    view["id"] = json!(id);
    view["level"] = json!(level);
    view["tenantId"] = json!(call.world.tenant_id);
    view["createdAt"] = json!(now);
    view["updatedAt"] = json!(now);
    view["createdByUserId"] = json!(caller.user);
    view["updatedByUserId"] = json!(caller.user);
    if level == "user" {
        view["ownerId"] = json!(caller.user);
    }
    let mut directory = call.world.directory();
    let own = directory.webhooks.iter().filter(|webhook| webhook["createdByUserId"] == caller.user.as_str()).count();
    if own >= 150 {
        return Err(Problem::new(403, "WEBHOOKS-1", "Too many webhooks"));
    }
    directory.webhooks.push(view.clone());
    Ok(answer(201, &view))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let directory = call.world.directory();
    let place = find(&call, &directory.webhooks, &id)?;
    Ok(answer(200, &directory.webhooks[place]))
}

async fn replace(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let (body, user) = (object(&body)?, call.caller()?.user.clone());
    let mut view = members(&call, &body)?;
    let mut directory = call.world.directory();
    let place = find(&call, &directory.webhooks, &id)?;
    let old = &mut directory.webhooks[place];
    for member in ["id", "level", "tenantId", "ownerId", "createdAt", "createdByUserId"] {
        if !old[member].is_null() {
            view[member] = old[member].clone();
        }
    }
    view["updatedAt"] = json!(clock::text_ms(clock::now_ms()));
    view["updatedByUserId"] = json!(user);
    *old = view;
    Ok(answer(200, old))
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let paths = [
        "/name", "/description", "/url", "/eventTypes", "/headers", "/enabled", "/secret", "/encryptedHeaders",
        "/enableCloudEventDelivery",
    ];
    let operations = patch(&body, &["add", "remove", "replace"], &paths)?;
    let mut directory = call.world.directory();
    let place = find(&call, &directory.webhooks, &id)?;
    let webhook = &mut directory.webhooks[place];
    for operation in operations {
        let value = if operation.op == "remove" { Value::Null } else { operation.value };
        match operation.path.as_str() {
            "/secret" => webhook["secretKeyAdded"] = json!(!value.is_null()),
            "/encryptedHeaders" => {
                webhook["encryptedHeaders"] = json!(value.as_object().map(|map| map.keys().collect::<Vec<_>>()));
            }
            path => webhook[path.trim_start_matches('/')] = value,
        }
    }
    webhook["updatedAt"] = json!(clock::text_ms(clock::now_ms()));
    Ok(nothing())
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    let place = find(&call, &directory.webhooks, &id)?;
    directory.webhooks.remove(place);
    Ok(nothing())
}

async fn event_types() -> axum::response::Response {
    let rows = EVENTS.map(|(name, title)| {
        json!({"name": name, "title": title, "description": title, "category": "events", "levels": ["tenant", "user"]})
    });
    answer(200, &json!({"data": rows}))
}

async fn deliveries(call: Call, Path(id): Path<String>) -> Answer {
    find(&call, &call.world.directory().webhooks, &id)?;
    DELIVERIES.answer(&call, &[&Held::new(Vec::new(), "id", "triggeredAt", true)])
}
