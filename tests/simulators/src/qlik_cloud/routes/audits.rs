//! Audit events: the best incremental feed.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::kit::clock;
use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::paging::List;
use crate::qlik_cloud::problem::{Answer, Problem};
use crate::qlik_cloud::source::{Computed, Order};
use crate::qlik_cloud::world::World;

const LIST: List = List::new("audits", 10);

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/api/v1/audits", get(list)).route("/api/v1/audits/{id}", get(one))
}

async fn list(call: Call) -> Answer {
    let sort = call.query.sort(&["source", "eventType", "eventTime"])?;
    let range = call.query.get("eventTime").map(range).transpose()?;
    let catalog = call.world.catalog();
    let (types, sources) = (call.query.list("eventType"), call.query.list("source"));
    let user = call.query.get("userId").map(|id| catalog.find_object(Kind::User, id));
    let ids = call.query.list("id");
    let ids: Vec<u64> = ids.iter().map(|id| catalog.find_object(Kind::Audit, id).unwrap_or(u64::MAX)).collect();
    let (read, rows) = (Arc::clone(&catalog), Arc::clone(&catalog));
    let source = Computed {
        catalog,
        kind: Kind::Audit,
        order: Order::Created,
        descending: sort.is_none_or(|(_, descending)| descending),
        keep: Box::new(move |index| {
            let (event, origin) = read.audit_type(index);
            let at = read.created(Kind::Audit, index);
            range.is_none_or(|(from, to)| (from..to).contains(&at))
                && (types.is_empty() || types.iter().any(|wanted| wanted == event))
                && (sources.is_empty() || sources.iter().any(|wanted| wanted == origin))
                && (ids.is_empty() || ids.contains(&index))
                && user.is_none_or(|user| user == Some(read.owner(Kind::Audit, index)))
        }),
        write: Box::new(move |index, out| rows.write_audit(index, out)),
    };
    LIST.answer(&call, &[&source])
}

/// `<from>/<to>`.
fn range(text: &str) -> Result<(i64, i64), Problem> {
    let times = text.split_once('/').and_then(|(from, to)| clock::parse_ms(from).zip(clock::parse_ms(to)));
    times.ok_or_else(|| Problem::parameter("eventTime", "must be <from>/<to>"))
}

async fn one(call: Call, Path(id): Path<String>) -> Answer {
    let kind = Kind::Audit;
    let catalog = call.world.catalog();
    let index = catalog.find_object(kind, &id).ok_or_else(Problem::not_found)?;
    let mut out = crate::kit::json::Json::with_capacity(1024);
    Catalog::write_audit(&catalog, index, &mut out);
    Ok(crate::qlik_cloud::call::bytes(out))
}
