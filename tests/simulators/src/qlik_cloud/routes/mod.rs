//! The table of contents: every route, by noun.

mod api_keys;
mod apps;
mod audits;
mod automations;
mod connections;
mod data;
mod groups;
mod identity_providers;
mod items;
mod login;
mod me;
mod oauth;
mod oauth_clients;
mod oauth_tokens;
mod reloads;
mod reports;
mod roles;
mod secrets;
mod sim;
mod spaces;
mod tasks;
mod users;
mod web_integrations;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::qlik_cloud::gate::gate;
use crate::qlik_cloud::problem::Problem;
use crate::qlik_cloud::world::World;

/// Every route behind the gate.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .merge(sim::routes())
        .merge(oauth::routes())
        .merge(me::routes())
        .merge(users::routes())
        .merge(roles::routes())
        .merge(groups::routes())
        .merge(items::routes())
        .merge(apps::routes())
        .merge(spaces::routes())
        .merge(reloads::routes())
        .merge(tasks::routes())
        .merge(automations::routes())
        .merge(data::routes())
        .merge(connections::routes())
        .merge(reports::routes())
        .merge(api_keys::routes())
        .merge(oauth_clients::routes())
        .merge(oauth_tokens::routes())
        .merge(secrets::routes())
        .merge(audits::routes())
        .merge(webhooks::routes())
        .merge(web_integrations::routes())
        .merge(identity_providers::routes())
        .merge(login::routes())
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(Arc::clone(&world), gate))
        .with_state(world)
}
