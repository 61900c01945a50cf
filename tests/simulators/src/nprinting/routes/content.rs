//! What is read: apps, connections, filters, reports, tasks, executions, groups, roles and users.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use uuid::Uuid;

use crate::nprinting::call::Call;
use crate::nprinting::data::Kind;
use crate::nprinting::lists::{Test, Wanted, may};
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::query::guid;
use crate::nprinting::rights::Permission;
use crate::nprinting::routes::answer;
use crate::nprinting::world::World;

const NAMED: &[&str] = &["name", "created"];

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/apps", get(async |call: Call| list(&call, apps)))
        .route("/api/v1/connections", get(async |call: Call| list(&call, connections)))
        .route("/api/v1/filters", get(async |call: Call| list(&call, filters)))
        .route("/api/v1/reports", get(async |call: Call| list(&call, reports)))
        .route("/api/v1/tasks", get(async |call: Call| list(&call, tasks)))
        .route("/api/v1/users", get(async |call: Call| list(&call, users)))
        .route("/api/v1/groups", get(async |call: Call| list(&call, groups)))
        .route("/api/v1/roles", get(async |call: Call| list(&call, roles)))
        .route("/api/v1/tasks/{id}/executions", get(executions))
        .route("/api/v1/tasks/{task}/executions/{id}", get(execution))
        .route("/api/v1/apps/{id}", get(async |call: Call, id: Path<String>| one(&call, Kind::App, &id)))
        .route(
            "/api/v1/connections/{id}",
            get(async |call: Call, id: Path<String>| one(&call, Kind::Connection, &id)),
        )
        .route(
            "/api/v1/filters/{id}",
            get(async |call: Call, id: Path<String>| one(&call, Kind::Filter, &id)),
        )
        .route(
            "/api/v1/reports/{id}",
            get(async |call: Call, id: Path<String>| one(&call, Kind::Report, &id)),
        )
        .route("/api/v1/tasks/{id}", get(async |call: Call, id: Path<String>| one(&call, Kind::Task, &id)))
        .route("/api/v1/users/{id}", get(async |call: Call, id: Path<String>| one(&call, Kind::User, &id)))
        .route("/api/v1/groups/{id}", get(async |call: Call, id: Path<String>| one(&call, Kind::Group, &id)))
        .route("/api/v1/roles/{id}", get(async |call: Call, id: Path<String>| one(&call, Kind::Role, &id)))
}

fn list(call: &Call, wanted: fn(&Call) -> Result<Wanted, Problem>) -> Response {
    answer(&call.world, wanted(call).and_then(|wanted| wanted.answer(call)))
}

fn one(call: &Call, kind: Kind, id: &str) -> Response {
    answer(&call.world, call.one(kind, id))
}

fn like(call: &Call, parameter: &str, member: &'static str) -> Option<Test> {
    call.query.get(parameter).map(|pattern| Test::Like(member, pattern.to_owned()))
}

fn enabled(call: &Call) -> Result<Option<Test>, Problem> {
    Ok(call.query.flag("enabled")?.map(|wanted| Test::Flag("enabled", wanted)))
}

fn apps(call: &Call) -> Result<Wanted, Problem> {
    Wanted::new(call, Kind::App, NAMED)
}

fn connections(call: &Call) -> Result<Wanted, Problem> {
    Ok(Wanted::new(call, Kind::Connection, NAMED)?.of(call.query.guid("appid")?))
}

fn filters(call: &Call) -> Result<Wanted, Problem> {
    let wanted = Wanted::new(call, Kind::Filter, NAMED)?;
    Ok(wanted.of(call.query.guid("appid")?).only(enabled(call)?))
}

/// The name of a report is its title; only those that are enabled and On-Demand are there.
fn reports(call: &Call) -> Result<Wanted, Problem> {
    Ok(Wanted::new(call, Kind::Report, &["title", "created"])?.of(call.query.guid("appid")?))
}

/// Without a type, tasks that publish; those that import must be asked for.
fn tasks(call: &Call) -> Result<Wanted, Problem> {
    let type_name = call.query.get("type").unwrap_or("publish");
    if !["publish", "import"].iter().any(|known| known.eq_ignore_ascii_case(type_name)) {
        return Err(Problem::invalid(format!("there are no tasks of type «{type_name}»")));
    }
    let wanted = Wanted::new(call, Kind::Task, &["created"])?.of(call.query.guid("appid")?);
    Ok(wanted.only(Some(Test::Like("type", type_name.to_owned()))))
}

fn users(call: &Call) -> Result<Wanted, Problem> {
    let wanted = Wanted::new(call, Kind::User, NAMED)?.only(enabled(call)?);
    Ok(wanted.only(like(call, "email", "email")).only(like(call, "username", "userName")))
}

fn groups(call: &Call) -> Result<Wanted, Problem> {
    let wanted = Wanted::new(call, Kind::Group, NAMED)?.only(enabled(call)?);
    Ok(wanted.only(like(call, "groupname", "name")))
}

/// The default order is documented as `-created`, but nobody can ask for that.
fn roles(call: &Call) -> Result<Wanted, Problem> {
    call.query.guid("appid")?;
    let wanted = Wanted::new(call, Kind::Role, &["name", "description"])?.only(enabled(call)?);
    Ok(wanted.only(like(call, "rolename", "name")))
}

async fn executions(call: Call, Path(task): Path<String>) -> Response {
    let list = || -> Answer {
        let task = seen_task(&call, &task)?;
        Wanted::new(&call, Kind::Execution, &["created"])?.of(Some(task)).answer(&call)
    };
    answer(&call.world, list())
}

async fn execution(call: Call, Path((task, id)): Path<(String, String)>) -> Response {
    let find = || -> Answer {
        seen_task(&call, &task)?;
        call.one(Kind::Execution, &id)
    };
    answer(&call.world, find())
}

/// The GUID of a task that the caller sees.
pub(crate) fn seen_task(call: &Call, task: &str) -> Result<Uuid, Problem> {
    let id = guid(task)?;
    may(call, Permission::Tasks, Kind::Task, id).map(|_| id)
}
