//! Users: generated ones, bots and invited people.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::kit::clock;
use crate::kit::json::Json;
use crate::kit::scim::Filter;
use crate::qlik_cloud::call::{Call, bytes, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::data::{Catalog, Kind, ids};
use crate::qlik_cloud::directory::{Directory, Person};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::roles::Role;
use crate::qlik_cloud::source::{Computed, Held, Key, Order};
use crate::qlik_cloud::walk;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("users", 20);
const SORTS: [&str; 10] =
    ["name", "id", "_id", "tenantId", "clientId", "status", "subject", "email", "inviteExpiry", "createdAt"];
const FILTERS: [&str; 10] = [
    "id",
    "subject",
    "name",
    "email",
    "status",
    "clientId",
    "assignedRoles.id",
    "assignedRoles.name",
    "assignedGroups.id",
    "assignedScopes",
];

/// Parameters from before there were filters; they are exact and cannot stand beside one.
const DEPRECATED: [&str; 3] = ["email", "subject", "status"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/users", get(list).post(invite))
        .route("/api/v1/users/me", get(me))
        .route("/api/v1/users/actions/count", get(count))
        .route("/api/v1/users/actions/filter", post(filtered))
        .route("/api/v1/users/{id}", get(one).patch(change).delete(remove))
}

fn missing() -> Problem {
    Problem::new(404, "USERS-7", "Not found").style(Style::NumberStatus)
}

async fn me(call: Call) -> Answer {
    let caller = call.caller()?;
    if call.world.config.me_redirects {
        return Ok(Redirect::temporary(&format!("/api/v1/users/{}", caller.user)).into_response());
    }
    shown(&call, &caller.user)
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    shown(&call, &id)
}

fn shown(call: &Call, id: &str) -> Answer {
    let (world, caller) = (&call.world, call.caller()?);
    let directory = world.directory();
    let status = world.user_status(&directory, id).ok_or_else(missing)?;
    let own = caller.user == id;
    let full = own || caller.may("admin.users:read");
    let mut out = Json::with_capacity(2048);
    let catalog = world.catalog();
    match directory.people.iter().find(|person| person.id == id) {
        Some(person) => write_person(&catalog, person, &status, full, &mut out),
        None => {
            let index = catalog.find_object(Kind::User, id).ok_or_else(missing)?;
            catalog.write_user_start(index, &status, full, &mut out);
        }
    }
    if full {
        write_roles(&world.roles_of(&directory, id), &mut out);
    }
    if own {
        out.key("assignedScopes");
        out.value(&json!(caller.assigned_scopes()));
    }
    out.close(b'}');
    Ok(bytes(out))
}

fn write_roles(roles: &[Role], out: &mut Json) {
    out.key("assignedRoles");
    out.value(&roles.iter().map(Role::brief).collect::<Value>());
}

fn write_person(catalog: &Catalog, person: &Person, status: &str, full: bool, out: &mut Json) {
    out.open(b'{');
    out.plain("id", &person.id);
    out.plain("tenantId", &catalog.tenant_id);
    out.text("name", &person.name);
    out.text("subject", &person.subject);
    out.plain("status", status);
    if full {
        if let Some(client) = &person.client_id {
            out.plain("clientId", client);
        }
        if let Some(email) = &person.email {
            out.text("email", email);
        }
        out.time("createdAt", person.created);
        out.time("lastUpdatedAt", person.created);
    }
    out.key("links");
    out.open(b'{');
    out.link("self", &[&catalog.base_url, "/api/v1/users/", &person.id]);
    out.close(b'}');
}

async fn list(call: Call) -> Answer {
    let filter = call.query.filter(&FILTERS)?;
    let (mut terms, filtered) = (Vec::new(), filter.is_some());
    for name in DEPRECATED {
        if let Some(value) = call.query.get(name) {
            terms.push(format!("{name} eq {}", json!(value)));
        }
    }
    if terms.is_empty() {
        return listed(&call, filter);
    }
    if filtered {
        return Err(Problem::parameter("filter", "cannot be combined with deprecated parameters"));
    }
    let filter = Filter::parse(&terms.join(" and "), &FILTERS);
    listed(&call, Some(filter.map_err(|why| Problem::parameter(DEPRECATED[0], why))?))
}

async fn filtered(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let text = required(&body, "filter")?;
    let filter = Filter::parse(text, &FILTERS).map_err(|why| Problem::parameter("filter", why))?;
    listed(&call, Some(filter))
}

async fn count(call: Call) -> Answer {
    let people = call.world.directory().people.len() as u64;
    let generated = generated(&call, None, Order::Created, false)?;
    Ok(answer(200, &json!({"total": walk::count(&[&generated]) + people})))
}

fn listed(call: &Call, filter: Option<Filter>) -> Answer {
    let (field, descending) = call.query.sort(&SORTS)?.unwrap_or_else(|| ("name".to_owned(), false));
    let order = if field == "name" { Order::Name } else { Order::Created };
    let filter = filter.map(Arc::new);
    let people = people(call, filter.clone(), order, descending)?;
    LIST.answer(call, &[&generated(call, filter, order, descending)?, &people])
}

fn generated(
    call: &Call,
    filter: Option<Arc<Filter>>,
    order: Order,
    descending: bool,
) -> Result<Computed<'static>, Problem> {
    let catalog = call.world.catalog();
    let full = call.caller()?.may("admin.users:read");
    let (world, rows) = (Arc::clone(&call.world), Arc::clone(&catalog));
    let keep = {
        let (world, catalog) = (Arc::clone(&world), Arc::clone(&catalog));
        move |index| {
            let directory = world.directory();
            let deleted = !directory.deleted.is_empty()
                && directory.deleted.contains(catalog.object_id(Kind::User, index).as_str());
            !deleted
                && filter.as_ref().is_none_or(|filter| {
                    filter.matches(&|name| attribute(&world, &directory, &catalog, index, name))
                })
        }
    };
    let write = move |index, out: &mut Json| {
        let id = rows.object_id(Kind::User, index);
        let directory = world.directory();
        let status = directory.statuses.get(id.as_str()).map_or(rows.user_status(index), String::as_str);
        rows.write_user_start(index, status, full, out);
        if full {
            write_roles(&world.roles_of(&directory, id.as_str()), out);
        }
        out.close(b'}');
    };
    Ok(Computed {
        catalog,
        kind: Kind::User,
        order,
        descending,
        keep: Box::new(keep),
        write: Box::new(write),
    })
}

fn attribute(world: &World, directory: &Directory, catalog: &Catalog, index: u64, name: &str) -> Vec<String> {
    let id = || catalog.object_id(Kind::User, index).as_str().to_owned();
    match name {
        "id" => vec![id()],
        "name" => vec![catalog.user_name(index)],
        "email" => vec![catalog.user_email(index)],
        "subject" => vec![catalog.user_subject(index)],
        "status" => world.user_status(directory, &id()).into_iter().collect(),
        name if name.starts_with("assigned") => of_roles(&world.roles_of(directory, &id()), name),
        _ => Vec::new(),
    }
}

fn of_roles(roles: &[Role], name: &str) -> Vec<String> {
    match name {
        "assignedRoles.id" => roles.iter().map(|role| role.id.clone()).collect(),
        "assignedRoles.name" => roles.iter().map(|role| role.name.clone()).collect(),
        "assignedScopes" => roles.iter().flat_map(|role| role.scopes.clone()).collect(),
        _ => Vec::new(),
    }
}

fn people(call: &Call, filter: Option<Arc<Filter>>, order: Order, descending: bool) -> Result<Held, Problem> {
    let (world, full) = (&call.world, call.caller()?.may("admin.users:read"));
    let (directory, catalog) = (world.directory(), world.catalog());
    let read = |person: &Person, name: &str| match name {
        "id" => vec![person.id.clone()],
        "name" => vec![person.name.clone()],
        "email" => person.email.iter().cloned().collect(),
        "subject" => vec![person.subject.clone()],
        "status" => world.user_status(&directory, &person.id).into_iter().collect(),
        "clientId" => person.client_id.iter().cloned().collect(),
        name => of_roles(&world.roles_of(&directory, &person.id), name),
    };
    let kept = directory
        .people
        .iter()
        .filter(|person| filter.as_ref().is_none_or(|filter| filter.matches(&|name| read(person, name))));
    let rows = kept.map(|person| {
        let mut out = Json::default();
        let status = world.user_status(&directory, &person.id).unwrap_or_default();
        write_person(&catalog, person, &status, full, &mut out);
        if full {
            write_roles(&world.roles_of(&directory, &person.id), &mut out);
        }
        out.close(b'}');
        let key = match order {
            Order::Name => Key::Text(person.name.clone()),
            Order::Created | Order::Updated => Key::Time(person.created),
        };
        (key, serde_json::from_slice(&out.into_bytes()).unwrap_or_default())
    });
    Ok(Held::keyed(rows.collect(), "id", descending))
}

async fn invite(call: Call, body: Bytes) -> Answer {
    let body = object(&body)?;
    let subject = required(&body, "subject")?.to_owned();
    let mut directory = call.world.directory();
    if directory.people.iter().any(|person| person.subject == subject) {
        return Err(Problem::new(409, "USERS-3", "User already exists").style(Style::NumberStatus));
    }
    let person = Person {
        id: ids::new_object_id(),
        name: body["name"].as_str().unwrap_or(&subject).to_owned(),
        subject,
        email: body["email"].as_str().map(str::to_owned),
        client_id: None,
        status: if body["status"] == "invited" { "invited" } else { "active" },
        created: clock::now_ms(),
    };
    let mut out = Json::default();
    write_person(&call.world.catalog(), &person, person.status, true, &mut out);
    out.close(b'}');
    directory.people.push(person);
    let mut response = bytes(out);
    *response.status_mut() = axum::http::StatusCode::CREATED;
    Ok(response)
}

async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let operations =
        patch(&body, &["add", "replace", "remove-value"], &["/assignedRoles", "/status", "/name"])?;
    let mut directory = call.world.directory();
    call.world.user_status(&directory, &id).ok_or_else(missing)?;
    for operation in operations {
        match operation.path.as_str() {
            "/assignedRoles" => {
                let named = named_roles(&directory, &operation.value)?;
                let held = call.world.roles_of(&directory, &id).into_iter().map(|role| role.id);
                let roles: Vec<String> = match operation.op.as_str() {
                    "add" => held.filter(|role| !named.contains(role)).chain(named.clone()).collect(),
                    "remove-value" => held.filter(|role| !named.contains(role)).collect(),
                    _ => named,
                };
                directory.grants.insert(id.clone(), roles);
            }
            "/status" => {
                let status = operation.value.as_str().unwrap_or("active").to_owned();
                directory.statuses.insert(id.clone(), status);
            }
            _ => {}
        }
    }
    Ok(nothing())
}

fn named_roles(directory: &Directory, value: &Value) -> Result<Vec<String>, Problem> {
    let wanted = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let find = |one: &Value| {
        let found = directory.roles.iter().find(|role| one["id"] == role.id || one["name"] == role.name);
        found.map(|role| role.id.clone()).ok_or_else(|| Problem::invalid(format!("no such role: {one}")))
    };
    wanted.iter().map(find).collect()
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let mut directory = call.world.directory();
    call.world.user_status(&directory, &id).ok_or_else(missing)?;
    directory.people.retain(|person| person.id != id);
    directory.deleted.insert(id);
    Ok(nothing())
}
