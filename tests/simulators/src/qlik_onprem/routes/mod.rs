//! The table of contents. Paths are in lower case and without a prefix; the gates respell what arrives.

mod about;
mod entities;
mod license;
mod notifications;
mod qps;
mod selections;
mod sim;
mod tasks;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Response};

use crate::qlik_onprem::gate::{Side, guarded};
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::world::World;

/// Every route behind a gate.
pub(crate) fn router(side: Side, world: Arc<World>) -> Router {
    let routes = Router::new()
        .merge(sim::routes())
        .merge(about::routes())
        .merge(license::routes())
        .merge(notifications::routes())
        .merge(tasks::routes())
        .merge(selections::routes())
        .merge(entities::routes())
        .merge(qps::routes())
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::new(405, "Method Not Allowed"))
        .with_state(Arc::clone(&world));
    guarded(side, world, routes)
}

/// An answer, also where it is an error.
fn answer(answer: Answer) -> Response {
    answer.unwrap_or_else(Problem::into_response)
}
