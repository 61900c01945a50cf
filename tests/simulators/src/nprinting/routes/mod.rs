//! The table of contents: every route, by noun. Paths are in lower case; the gate respells what arrives.

mod audit;
mod content;
mod login;
mod ondemand;
mod people;
mod sim;
mod writes;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;

use crate::nprinting::gate::guarded;
use crate::nprinting::problem::{Answer, Problem};
use crate::nprinting::world::World;

/// Every route behind the gate.
pub(crate) fn router(world: Arc<World>) -> Router {
    let (lost, refused) = (Arc::clone(&world), Arc::clone(&world));
    let routes = Router::new()
        .merge(sim::routes())
        .merge(login::routes())
        .merge(content::routes())
        .merge(people::routes())
        .merge(writes::routes())
        .merge(ondemand::routes())
        .merge(audit::routes())
        .fallback(async move || answer(&lost, Err(Problem::not_found())))
        .method_not_allowed_fallback(async move || answer(&refused, Err(Problem::method_not_allowed())))
        .with_state(Arc::clone(&world));
    guarded(world, routes)
}

/// An answer with the body of errors that is configured.
fn answer(world: &World, answer: Answer) -> Response {
    answer.unwrap_or_else(|problem| problem.answer(world.settings().error_body))
}
