//! Identity providers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::call::{Call, json as answer, nothing, object, patch, required};
use crate::qlik_cloud::identity::Provider;
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem, Style};
use crate::qlik_cloud::sign_in::JwtRefusal;
use crate::qlik_cloud::source::Held;
use crate::qlik_cloud::world::World;

const LIST: List = List::new("identity-providers", 20);

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/api/v1/identity-providers", get(list).post(create))
        .route("/api/v1/identity-providers/status", get(status))
        .route("/api/v1/identity-providers/me/meta", get(meta))
        .route("/api/v1/identity-providers/{id}", get(one).patch(change).delete(remove))
}

fn numbered(problem: Problem) -> Problem {
    problem.style(Style::NumberStatus)
}

/// Every provider; the interactive one, where there is one, comes first.
fn providers(call: &Call) -> Vec<Provider> {
    let world = &call.world;
    let own = world.sign_in().own_provider.clone();
    let own = own.map(|own| Provider::interactive(&own, &world.tenant_id));
    own.into_iter().chain(world.directory().providers.clone()).collect()
}

async fn list(call: Call) -> Answer {
    let active = call.query.get("active").is_none() || call.query.flag("active").map_err(numbered)?;
    let rows: Vec<Value> = providers(&call).into_iter().map(|provider| provider.view).collect();
    let rows = rows.into_iter().filter(|row| row["active"] == active).collect();
    LIST.answer(&call, &[&Held::new(rows, "id", "created", false)])
}

/// Only those for tokens can be made here: an interactive one takes a person who tries it out.
async fn create(call: Call, body: Bytes) -> Answer {
    let body = object(&body).map_err(numbered)?;
    if required(&body, "protocol").map_err(numbered)? != "jwtAuth" {
        return Err(numbered(Problem::invalid("this simulator makes identity providers of jwtAuth only")));
    }
    let (active, refusal) = {
        let sign_in = call.world.sign_in();
        (sign_in.accepts_tokens(), sign_in.refusal)
    };
    match refusal {
        JwtRefusal::Forbidden if !active => return Err(numbered(Problem::forbidden())),
        JwtRefusal::Invalid if !active => {
            return Err(numbered(Problem::invalid("protocol jwtAuth is not available")));
        }
        _ => {}
    }
    let provider = Provider::for_tokens(&body, &call.world.tenant_id)
        .map_err(|error| numbered(Problem::invalid(format!("{error:#}"))))?;
    let mut directory = call.world.directory();
    let taken = directory.providers.iter().filter_map(|other| other.key.as_ref()).any(|other| {
        provider.key.as_ref().is_some_and(|key| key.issuer == other.issuer && key.kid == other.kid)
    });
    if taken {
        return Err(numbered(Problem::invalid("an identity provider with this issuer and key exists")));
    }
    let view = provider.view.clone();
    directory.providers.push(provider);
    Ok(answer(201, &view))
}

async fn status(call: Call) -> Answer {
    let views: Vec<Value> = providers(&call).into_iter().map(|provider| provider.view).collect();
    let metadata = views.iter().map(|view| {
        json!({"active": view["active"], "provider": view["provider"], "interactive": view["interactive"]})
    });
    let interactive = views.iter().filter(|view| view["interactive"] == true && view["active"] == true);
    Ok(answer(
        200,
        &json!({"idps_metadata": metadata.collect::<Value>(), "active_interactive_idps_count": interactive.count()}),
    ))
}

/// Links for holders of a Qlik account; a tenant with a provider of its own has none.
async fn meta(call: Call) -> Response {
    let own = call.world.sign_in().own_provider.is_some();
    let links = json!({"userPortalLink": "https://account.qlik.com", "upgradeSubscriptionLink": "https://account.qlik.com/upgrade"});
    answer(200, &if own { json!({}) } else { links })
}

fn missing() -> Problem {
    numbered(Problem::not_found())
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let found = providers(&call).into_iter().find(|provider| provider.id() == id).ok_or_else(missing)?;
    Ok(answer(200, &found.view))
}

/// Of a provider for tokens only the description can be replaced; another key takes another provider.
async fn change(call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    if !providers(&call).iter().any(|provider| provider.id() == id) {
        return Err(missing());
    }
    let operations = patch(&body, &["replace"], &["/description"]).map_err(numbered)?;
    let mut directory = call.world.directory();
    let Some(found) = directory.providers.iter_mut().find(|provider| provider.id() == id) else {
        return Err(numbered(Problem::new(412, "HTTP-412", "Precondition failed")));
    };
    for operation in operations {
        found.view["description"] = operation.value;
        found.view["lastUpdated"] = json!(clock::text_ms(clock::now_ms()));
    }
    Ok(nothing())
}

async fn remove(call: Call, Path(id): Path<String>) -> Answer {
    let found = providers(&call).into_iter().find(|provider| provider.id() == id).ok_or_else(missing)?;
    if found.view["interactive"] == true {
        return Err(numbered(Problem::invalid("the interactive identity provider cannot be deleted")));
    }
    call.world.directory().providers.retain(|provider| provider.id() != id);
    Ok(nothing())
}
