//! Writes: making, changing and removing rows, with the rules that hold for all of them. A change must be of the row as it
//! is now: whoever sends an older `modifiedDate`, or none, gets 409.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::qlik_onprem::call::Call;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::data;
use crate::qlik_onprem::entities::{Kind, TASKS, enum_number};
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::proxies;
use crate::qlik_onprem::rights::{Right, Standing};
use crate::qlik_onprem::store::{Action, Store};
use crate::qlik_onprem::world::{World, short};

/// Members that the site alone sets.
const OWN: [&str; 5] = ["id", "createdDate", "modifiedDate", "modifiedByUserName", "privileges"];
/// Kinds whose rows must differ in these members.
const UNIQUE: &[(Kind, &[&str])] = &[
    (Kind::User, &["userDirectory", "userId"]),
    (Kind::Tag, &["name"]),
    (Kind::CustomProperty, &["name"]),
    (Kind::VirtualProxy, &["prefix"]),
    (Kind::VirtualProxy, &["sessionCookieHeaderName"]),
];

/// Makes a row.
pub(crate) fn create(call: &Call, kind: Kind, body: Map<String, Value>) -> Result<Row, Problem> {
    let world = &call.world;
    if !kind.entity().open {
        return Err(Problem::new(405, "Method Not Allowed"));
    }
    if !call.caller.may(Right::Create, kind, Standing::default()) {
        return Err(Problem::forbidden());
    }
    let body = Row::from_json(body);
    let missing = |member: &&&str| matches!(body.get(member), None | Some(Cell::Null));
    if let Some(member) = kind.entity().required.iter().find(missing) {
        return Err(Problem::invalid(format!("The property '{member}' is required")));
    }
    let mut row = blank(world, kind);
    take(world, &mut row, body)?;
    if row.get("owner") == Some(&Cell::Null) {
        row.set("owner", owner(world, call));
    }
    if TASKS.contains(&kind) {
        row.set("operational", data::idle());
    }
    let (id, stamp) = (Uuid::new_v4(), world.stamp(0));
    row.set("id", id);
    row.set("createdDate", Cell::Time(stamp));
    row.set("modifiedDate", Cell::Time(stamp));
    row.set("modifiedByUserName", call.caller.account.clone());
    let mut store = world.editing();
    unique(world, &store, kind, None, &row)?;
    if kind == Kind::VirtualProxy {
        proxies::check(&row, None)?;
    }
    store.make(kind, id, row.clone());
    world.note(&mut store, &call.caller, Action::Created, (kind, id), Vec::new());
    Ok(row)
}

/// Writes a row over.
pub(crate) fn update(call: &Call, kind: Kind, id: Uuid, body: Map<String, Value>) -> Result<Row, Problem> {
    let world = &call.world;
    let body = Row::from_json(body);
    // The order of locks is this one everywhere: what is kept, then sessions.
    let mut store = world.editing();
    let old = world.row_by_id(&store, kind, id).ok_or_else(Problem::not_found)?;
    let standing = world.standing(kind, &old);
    if !call.caller.may(Right::Read, kind, standing) {
        return Err(Problem::not_found());
    }
    if !call.caller.may(Right::Update, kind, standing) {
        return Err(Problem::forbidden());
    }
    if body.id("id").is_some_and(|own| own != id) {
        return Err(Problem::invalid("The id of the body is not that of the path"));
    }
    let written = write(world, &store, kind, &old, body, &call.caller.account);
    let refuse = |store: &mut Store, problem| {
        world.note(store, &call.caller, Action::Refused, (kind, id), Vec::new());
        Err(problem)
    };
    let row = match written {
        Ok(row) => row,
        Err(problem) => return refuse(&mut store, problem),
    };
    let changed = changed(&old, &row);
    store.put(kind, id, row);
    world.note(&mut store, &call.caller, Action::Updated, (kind, id), changed.clone());
    if !changed.is_empty() && proxies::concerns_a_proxy(&store, kind, id) {
        proxies::restart(world, &mut store, &call.caller, call.proxied);
    }
    world.row_by_id(&store, kind, id).ok_or_else(Problem::not_found)
}

/// The row as it is after a write.
fn write(
    world: &World,
    store: &Store,
    kind: Kind,
    old: &Row,
    body: Row,
    account: &str,
) -> Result<Row, Problem> {
    let before = old.time("modifiedDate").unwrap_or_default();
    if body.time("modifiedDate").is_none_or(|sent| sent < before) {
        return Err(Problem::stale());
    }
    let mut row = old.clone();
    if kind == Kind::ProxyService {
        proxies::check_links(store, old, &body)?;
    }
    take_unlocked(&mut row, body, |kind, id| world.row_by_id(store, kind, id))?;
    unique(world, store, kind, old.id("id"), &row)?;
    if kind == Kind::VirtualProxy {
        proxies::check(&row, Some(old))?;
    }
    row.set("modifiedDate", Cell::Time(world.stamp(before)));
    row.set("modifiedByUserName", account.to_owned());
    Ok(row)
}

/// Removes a row.
pub(crate) fn delete(call: &Call, kind: Kind, id: Uuid) -> Result<(), Problem> {
    let world = &call.world;
    let mut store = world.editing();
    let old = world.row_by_id(&store, kind, id).ok_or_else(Problem::not_found)?;
    let standing = world.standing(kind, &old);
    if !call.caller.may(Right::Read, kind, standing) {
        return Err(Problem::not_found());
    }
    if !kind.entity().open || !call.caller.may(Right::Delete, kind, standing) {
        return Err(Problem::forbidden());
    }
    let in_use = kind == Kind::VirtualProxy
        && (old.flag("defaultVirtualProxy") || proxies::concerns_a_proxy(&store, kind, id));
    if in_use || old.flag("deleteProhibited") {
        world.note(&mut store, &call.caller, Action::Refused, (kind, id), Vec::new());
        return Err(Problem::invalid("The item is in use and cannot be deleted"));
    }
    store.remove(kind, id);
    world.note(&mut store, &call.caller, Action::Deleted, (kind, id), Vec::new());
    Ok(())
}

/// Which members differ, dates of the write itself aside.
fn changed(old: &Row, new: &Row) -> Vec<String> {
    let differs = |key: &&str| !OWN.contains(key) && old.get(key) != new.get(key);
    new.keys().filter(differs).map(str::to_owned).collect()
}

/// A row with every member of its kind and nothing in it.
pub(crate) fn blank(world: &World, kind: Kind) -> Row {
    if kind == Kind::VirtualProxy {
        return data::template().with("privileges", Cell::Null).with("schemaPath", kind.entity().name);
    }
    let catalog = world.catalog();
    let like = catalog.row(kind, 0);
    let keys: Vec<&str> = like.keys().collect();
    let mut row = like.clone();
    for key in keys.into_iter().filter(|key| *key != "schemaPath") {
        row.empty(key);
    }
    row
}

fn owner(world: &World, call: &Call) -> Row {
    let store = world.store();
    let user = call.caller.id.and_then(|id| world.row_by_id(&store, Kind::User, id));
    user.map(|user| short(Kind::User, &user)).unwrap_or_default()
}

fn take(world: &World, row: &mut Row, body: Row) -> Result<(), Problem> {
    let store = world.store();
    take_unlocked(row, body, |kind, id| world.row_by_id(&store, kind, id))
}

/// Takes over the members of a body, each as the kind of value that it is.
fn take_unlocked(row: &mut Row, body: Row, find: impl Fn(Kind, Uuid) -> Option<Row>) -> Result<(), Problem> {
    let keys: Vec<String> = row.keys().map(str::to_owned).collect();
    for key in keys {
        if OWN.contains(&key.as_str()) || key == "schemaPath" {
            continue;
        }
        let Some(sent) = body.get(&key).filter(|sent| **sent != Cell::Row(Row::default())) else { continue };
        let cell = fitted(&key, row.get(&key).unwrap_or(&Cell::Null), sent)?;
        row.replace(&key, resolved(&key, cell, &find)?);
    }
    Ok(())
}

/// A value of the sort that was there: names of enumerations become numbers, no text an empty one.
fn fitted(key: &str, old: &Cell, sent: &Cell) -> Result<Cell, Problem> {
    let wrong = || Problem::invalid(format!("Invalid value for the property '{key}'"));
    Ok(match (old, sent) {
        (Cell::Number(_), Cell::Text(name)) => {
            let number = enum_number(key, name).or_else(|| name.parse().ok());
            Cell::Number(number.ok_or_else(wrong)?)
        }
        (Cell::Text(_), Cell::Null) => "".into(),
        (Cell::List(_), Cell::Null) => Vec::new().into(),
        (Cell::Row(old), Cell::Row(sent)) => {
            let mut row = old.clone();
            // What is nested is merged as well, so that settings keep what was not sent.
            row.take(sent.clone());
            let extra = sent.clone();
            row.add(extra);
            Cell::Row(row)
        }
        (Cell::Number(_), Cell::Number(_))
        | (Cell::Flag(_), Cell::Flag(_))
        | (Cell::List(_), Cell::List(_))
        | (Cell::Null, _)
        | (_, Cell::Null) => sent.clone(),
        (Cell::Text(_), Cell::Text(_)) | (Cell::Time(_), Cell::Time(_)) => sent.clone(),
        (Cell::Id(_), Cell::Text(text)) => Uuid::try_parse(text).map(Cell::Id).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    })
}

/// References become what they refer to; an unknown one is refused.
fn resolved(key: &str, cell: Cell, find: &impl Fn(Kind, Uuid) -> Option<Row>) -> Result<Cell, Problem> {
    let kind = match key {
        "customProperties" => return values(cell, find),
        "app" => Kind::App,
        "stream" => Kind::Stream,
        "owner" => Kind::User,
        "tags" => Kind::Tag,
        "loadBalancingServerNodes" => Kind::ServerNode,
        "reloadTask" => Kind::ReloadTask,
        _ => return Ok(cell),
    };
    let one = |cell: Cell| {
        let Cell::Row(reference) = &cell else { return Ok(cell) };
        let found = reference.id("id").and_then(|id| find(kind, id));
        let unknown = || Problem::invalid(format!("The property '{key}' refers to an unknown item"));
        Ok(Cell::Row(short(kind, &found.ok_or_else(unknown)?)))
    };
    match cell {
        Cell::List(cells) => Ok(Cell::List(cells.into_iter().map(one).collect::<Result<_, _>>()?)),
        cell => one(cell),
    }
}

/// Values of custom properties: what each is a value of is filled in.
fn values(cell: Cell, find: &impl Fn(Kind, Uuid) -> Option<Row>) -> Result<Cell, Problem> {
    let Cell::List(cells) = cell else { return Ok(cell) };
    let one = |cell: Cell| {
        let unknown = || Problem::invalid("The property 'customProperties' refers to an unknown item");
        let Cell::Row(mut value) = cell else { return Err(unknown()) };
        let definition =
            value.id("definition").and_then(|id| find(Kind::CustomProperty, id)).ok_or_else(unknown)?;
        value.set("definition", short(Kind::CustomProperty, &definition));
        if value.id("id").is_none() {
            value.set("id", Uuid::new_v4());
        }
        Ok(Cell::Row(value))
    };
    Ok(Cell::List(cells.into_iter().map(one).collect::<Result<_, _>>()?))
}

/// Rows of some kinds must differ.
fn unique(world: &World, store: &Store, kind: Kind, own: Option<Uuid>, row: &Row) -> Result<(), Problem> {
    for (_, members) in UNIQUE.iter().filter(|(of, _)| *of == kind) {
        let texts: Vec<String> = members.iter().map(|member| row.text(member).to_lowercase()).collect();
        let same = |other: &Row| {
            other.id("id") != own
                && members.iter().zip(&texts).all(|(member, text)| other.text(member).to_lowercase() == *text)
        };
        let twin = match kind {
            Kind::User => world.user(store, row.text("userDirectory"), row.text("userId")).filter(same),
            _ => store.made_rows(kind).find(|other| same(other)).cloned(),
        };
        if twin.is_some() {
            return Err(Problem::invalid(format!("The property '{}' must be unique", members.join(", "))));
        }
    }
    Ok(())
}
