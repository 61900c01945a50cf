//! Items: the backbone of the catalogue, merged from every kind that it shows.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::qlik_cloud::call::{Call, bytes, json as answer};
use crate::kit::json::Json;
use crate::qlik_cloud::data::content::RESOURCE_TYPES;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::query::Query;
use crate::qlik_cloud::source::{Computed, Order, Source};
use crate::qlik_cloud::world::World;

const LIST: List = List::new("items", 10);

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/items", get(list))
        .route("/api/v1/items/{id}", get(one))
        .route("/api/v1/items/{id}/collections", get(collections))
}

async fn list(call: Call) -> Answer {
    let kinds = kinds(&call.query)?;
    let sort = call.query.sort(&["createdAt", "updatedAt", "name", "recentlyUsed"])?;
    let (field, descending) = sort.unwrap_or_else(|| ("createdAt".to_owned(), false));
    let order = match field.as_str() {
        "name" => Order::Name,
        "createdAt" => Order::Created,
        _ => Order::Updated,
    };
    let with_actions = !call.query.flag("noActions")?;
    let catalog = call.world.catalog();
    let mut sources = Vec::new();
    for kind in kinds {
        let visible = call.visible(&catalog, kind)?;
        let wanted = wanted(&call.query, &catalog, kind)?;
        let rows = Arc::clone(&catalog);
        sources.push(Computed {
            catalog: Arc::clone(&catalog),
            kind,
            order,
            descending,
            keep: Box::new(move |index| visible(index) && wanted.as_ref().is_none_or(|wanted| wanted(index))),
            write: Box::new(move |index, out| rows.write_item(kind, index, with_actions, out)),
        });
    }
    let sources: Vec<&dyn Source> = sources.iter().map(|source| source as &dyn Source).collect();
    LIST.answer(&call, &sources)
}

/// Which kinds the query asks for; unknown types are an open set and match nothing.
fn kinds(query: &Query) -> Result<Vec<Kind>, Problem> {
    if query.get("resourceId").is_some() && query.get("resourceType").is_none() {
        return Err(Problem::parameter("resourceId", "needs resourceType"));
    }
    let Some(types) = query.get("resourceType") else {
        return Ok(RESOURCE_TYPES.iter().map(|(_, kind)| *kind).collect());
    };
    if types.contains('[') && query.get("resourceSubType").is_some() {
        return Err(Problem::parameter("resourceSubType", "cannot be combined with sub-types in brackets"));
    }
    let names = without_brackets(types);
    let known = RESOURCE_TYPES.iter().filter(|(name, _)| names.split(',').any(|wanted| wanted.trim() == *name));
    Ok(known.map(|(_, kind)| *kind).collect())
}

/// `app[qvd,],note` → `app,note`.
fn without_brackets(types: &str) -> String {
    let mut depth = 0_u32;
    let keep = |c: &char| match c {
        '[' => {
            depth += 1;
            false
        }
        ']' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    };
    types.chars().filter(keep).collect()
}

type Wanted = Box<dyn Fn(u64) -> bool + Send>;

/// A test of the query's conditions; none when there is no condition.
fn wanted(query: &Query, catalog: &Arc<Catalog>, kind: Kind) -> Result<Option<Wanted>, Problem> {
    let mut tests: Vec<Wanted> = Vec::new();
    if let Some(space) = query.get("spaceId") {
        let (personal, found) = (space == "personal", catalog.find_object(Kind::Space, space));
        let catalog = Arc::clone(catalog);
        tests.push(Box::new(move |index| match catalog.space(kind, index) {
            None => personal,
            Some(own) => found == Some(own),
        }));
    }
    let types = query.list("spaceType");
    if !types.is_empty() {
        let catalog = Arc::clone(catalog);
        tests.push(Box::new(move |index| {
            let own = catalog.space(kind, index).map_or("personal", |space| catalog.space_type(space));
            types.iter().any(|wanted| wanted == own)
        }));
    }
    for (name, equal) in [("ownerId", true), ("createdByUserId", true), ("notOwnerId", false), ("notCreatedByUserId", false)] {
        if let Some(user) = query.get(name) {
            let (catalog, found) = (Arc::clone(catalog), catalog.find_object(Kind::User, user));
            tests.push(Box::new(move |index| (Some(catalog.owner(kind, index)) == found) == equal));
        }
    }
    let ids: Vec<String> = [query.list("resourceId"), query.list("resourceIds")].concat();
    if ids.len() > 100 {
        return Err(Problem::parameter("resourceIds", "at most 100"));
    }
    if !ids.is_empty() {
        let found: Vec<u64> = ids.iter().filter_map(|id| find_resource(catalog, kind, id)).collect();
        tests.push(Box::new(move |index| found.contains(&index)));
    }
    if let Some(id) = query.get("id") {
        let found = catalog.find_item(kind, id);
        tests.push(Box::new(move |index| found == Some(index)));
    }
    for (name, whole) in [("name", true), ("query", false)] {
        if let Some(text) = query.get(name) {
            let (catalog, text) = (Arc::clone(catalog), text.to_lowercase());
            tests.push(Box::new(move |index| {
                let own = catalog.name(kind, index).to_lowercase();
                if whole { own == text } else { own.contains(&text) }
            }));
        }
    }
    if query.get("collectionId").is_some() {
        tests.push(Box::new(|_| false));
    }
    Ok((!tests.is_empty()).then(|| Box::new(move |index| tests.iter().all(|test| test(index))) as Wanted))
}

fn find_resource(catalog: &Catalog, kind: Kind, id: &str) -> Option<u64> {
    catalog.find_uuid(kind, id).or_else(|| catalog.find_object(kind, id))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let catalog = call.world.catalog();
    for (_, kind) in RESOURCE_TYPES {
        if let Some(index) = catalog.find_item(kind, &id) {
            if !call.visible(&catalog, kind)?(index) {
                break;
            }
            let mut out = Json::with_capacity(2048);
            catalog.write_item(kind, index, true, &mut out);
            return Ok(bytes(out));
        }
    }
    Err(Problem::not_found())
}

async fn collections(call: Call) -> Answer {
    let href = format!("{}{}", call.world.link_origin(), call.path);
    Ok(answer(200, &serde_json::json!({"data": [], "links": {"self": {"href": href}}})))
}
