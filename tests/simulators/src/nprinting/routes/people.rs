//! What is written about people, and who is in what: users, their roles, groups and filters, and groups.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::nprinting::call::{Call, done, guids, object, required};
use crate::nprinting::data::Kind;
use crate::nprinting::directory::{Directory, Links};
use crate::nprinting::lists::{ids, may};
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::guid;
use crate::nprinting::rights::Permission;
use crate::nprinting::routes::answer;
use crate::nprinting::world::World;

const USER: &[&str] = &[
    "email",
    "description",
    "enabled",
    "userName",
    "domainAccount",
    "timezone",
    "locale",
    "folder",
    "subFolder",
    "alternateEmail1",
    "alternateEmail2",
    "alternateEmail3",
    "nickname",
    "title",
    "company",
    "jobTitle",
    "department",
    "office",
    "password",
];
const GROUP: &[&str] = &["name", "description", "enabled"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/users", post(create_user))
        .route("/api/v1/users/{id}", put(change_user).delete(remove_user))
        .route("/api/v1/users/{id}/roles", links(Links::Roles))
        .route("/api/v1/users/{id}/groups", links(Links::Groups))
        .route("/api/v1/users/{id}/filters", links(Links::Filters))
        .route("/api/v1/groups", post(create_group))
        .route("/api/v1/groups/{id}", put(change_group).delete(remove_group))
        .route("/api/v1/groups/{id}/users", get(members))
}

fn links(links: Links) -> MethodRouter<Arc<World>> {
    get(async move |call: Call, Path(id): Path<String>| {
        let list = || -> Answer {
            let user = guid(&id)?;
            may(&call, Permission::Users, Kind::User, user)?;
            let linked = call.world.links(&call.world.directory(), links, user);
            ids(&call, &linked)
        };
        answer(&call.world, list())
    })
    .put(async move |call: Call, Path(id): Path<String>, body: Bytes| {
        let set = || -> Answer {
            let user = guid(&id)?;
            may(&call, Permission::Edit, Kind::User, user)?;
            let wanted = guids(&body)?;
            let kind = match links {
                Links::Roles => Kind::Role,
                Links::Groups => Kind::Group,
                Links::Filters => Kind::Filter,
            };
            let mut directory = call.world.editing();
            if wanted.iter().any(|id| call.world.find(&directory, kind, *id).is_none()) {
                return Err(Problem::invalid("there is no such GUID"));
            }
            directory.link(links, user, wanted);
            Ok(done())
        };
        answer(&call.world, set())
    })
}

async fn create_user(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let mut row = object(&body, USER)?;
        required(&row, "userName")?;
        let email = required(&row, "email")?;
        taken(&call.world, &call.world.directory(), &email, None)?;
        let password = row.remove("password");
        let usual = [("description", ""), ("domainAccount", ""), ("timezone", "UTC"), ("locale", "en")];
        for (member, text) in usual.into_iter().chain([("folder", ""), ("subFolder", "")]) {
            row.entry(member).or_insert_with(|| text.into());
        }
        let id = call.make(Kind::User, row, None)?;
        let mut directory = call.world.editing();
        directory.link(Links::Roles, id, Vec::new());
        if let Some(Value::String(password)) = password {
            directory.set_password(id, password);
        }
        Ok(call.created("users", id))
    };
    answer(&call.world, create())
}

/// Users are known by their email: no two have the same.
fn taken(world: &World, directory: &Directory, email: &str, but: Option<Uuid>) -> Result<(), Problem> {
    match world.user_with(directory, "email", email) {
        Some(user) if Some(user) != but => Err(Problem::invalid("a user with this email exists")),
        _ => Ok(()),
    }
}

async fn change_user(call: Call, Path(id): Path<String>, body: Bytes) -> Response {
    let change = || -> Answer {
        let mut row: Map<String, Value> = object(&body, USER)?;
        let password = row.remove("password");
        let user = guid(&id)?;
        if let Some(email) = row.get("email").and_then(Value::as_str) {
            taken(&call.world, &call.world.directory(), email, Some(user))?;
        }
        call.change(Kind::User, &id, row)?;
        if let Some(Value::String(password)) = password {
            call.world.editing().set_password(user, password);
        }
        Ok(done())
    };
    answer(&call.world, change())
}

async fn remove_user(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, call.remove(Kind::User, &id))
}

async fn create_group(call: Call, body: Bytes) -> Response {
    let create = || -> Answer {
        let mut row = object(&body, GROUP)?;
        required(&row, "name")?;
        row.entry("description").or_insert_with(|| "".into());
        let id = call.make(Kind::Group, row, None)?;
        Ok(call.created("groups", id))
    };
    answer(&call.world, create())
}

async fn change_group(call: Call, Path(id): Path<String>, body: Bytes) -> Response {
    let change = || -> Answer {
        call.change(Kind::Group, &id, object(&body, GROUP)?)?;
        Ok(done())
    };
    answer(&call.world, change())
}

async fn remove_group(call: Call, Path(id): Path<String>) -> Response {
    answer(&call.world, call.remove(Kind::Group, &id))
}

/// GUIDs of the users in a group.
async fn members(call: Call, Path(id): Path<String>) -> Response {
    let list = || -> Answer {
        let group = guid(&id)?;
        may(&call, Permission::Groups, Kind::Group, group)?;
        let catalog = call.world.catalog();
        let found = {
            let directory = call.world.directory();
            let set = directory.linked(Links::Groups);
            let set = set.filter(|(_, groups)| groups.contains(&group)).map(|(user, _)| user);
            let index = catalog.find(Kind::Group, group);
            let users = 0..index.map_or(0, |_| catalog.extent(Kind::User));
            let generated = users
                .filter(|user| catalog.exists(Kind::User, *user))
                .filter(|user| index.is_some_and(|group| catalog.in_group(*user, group)))
                .map(|user| catalog.id(Kind::User, user))
                .filter(|user| directory.links(Links::Groups, *user).is_none());
            let all = generated.chain(set).filter(|user| !directory.removed(Kind::User, *user));
            all.collect::<Vec<_>>()
        };
        ids(&call, &found)
    };
    answer(&call.world, list())
}
