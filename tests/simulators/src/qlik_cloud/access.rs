//! The table of who may do what. It holds what a route as a whole needs; what depends on a query (a list of everything,
//! say) is asked where the query is read.

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::faults::{BodyKind, FaultKind};
use crate::kit::sabotage::{self, Target};
use crate::qlik_cloud::caller::Caller;
use crate::qlik_cloud::problem::{Problem, trace_id};
use crate::qlik_cloud::world::World;

/// What a route needs: one of the roles (any user when empty), and a scope.
struct Need {
    method: &'static str,
    path: &'static str,
    roles: &'static [&'static str],
    /// Needed of the token; also of the roles where none is named.
    scope: &'static str,
}

const ADMIN: &[&str] = &["TenantAdmin"];

/// The first row that fits applies; a route without a row needs only a valid token.
const TABLE: &[Need] = &[
    need("POST", "/api/v1/users/actions/filter", &[], "users:read"),
    need("GET", "/api/v1/users/me", &[], ""),
    need("GET", "/api/v1/users", &[], "users:read"),
    need("*", "/api/v1/users", ADMIN, "admin.users"),
    need("*", "/api/v1/roles", ADMIN, "admin_classic"),
    need("*", "/api/v1/groups", ADMIN, "admin_classic"),
    need("*", "/api/v1/audits", &["TenantAdmin", "AuditAdmin"], "admin_classic"),
    need("GET", "/api/v1/oauth-clients", &[], ""),
    need("*", "/api/v1/oauth-clients", ADMIN, "admin_classic"),
    need("*", "/api/v1/web-integrations", ADMIN, "admin_classic"),
    need("*", "/api/v1/licenses/overview", ADMIN, "admin_classic"),
    need("PATCH", "/api/v1/api-keys/configs/", ADMIN, "admin_classic"),
    need("GET", "/api/v1/api-keys/configs/", &[], ""),
    need("*", "/api/v1/api-keys", &[], "api-keys"),
    need("*", "/api/v1/webhooks", &[], "webhooks"),
    need("POST", "/api/v1/reloads", &[], "apps"),
    need("GET", "/api/v1/identity-providers/me/meta", &[], ""),
    need("*", "/api/v1/identity-providers", ADMIN, "admin_classic"),
    need("PATCH", "/api/v1/tenants/", ADMIN, "admin_classic"),
];

const fn need(
    method: &'static str,
    path: &'static str,
    roles: &'static [&'static str],
    scope: &'static str,
) -> Need {
    Need { method, path, roles, scope }
}

/// An exception from the table for routes that start so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    /// Only this method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that start so.
    pub path: String,
    /// What happens.
    pub access: Access,
}

/// What an exception does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everybody with a valid token may.
    Allow,
    /// Nobody may; 403 with such a body.
    Deny(BodyKind),
}

/// May the caller use the route? The error is the answer.
pub(crate) async fn check(world: &World, caller: &Caller, method: &str, path: &str) -> Result<(), Response> {
    match overridden(world, method, path) {
        Some(Access::Allow) => return Ok(()),
        Some(Access::Deny(body)) => return Err(denied(world, body).await),
        None => {}
    }
    let fits = |need: &&Need| (need.method == "*" || need.method == method) && path.starts_with(need.path);
    let Some(need) = TABLE.iter().find(fits) else { return Ok(()) };
    let role =
        if need.roles.is_empty() { caller.role_grants(need.scope) } else { caller.has_role(need.roles) };
    if need.scope.is_empty() || (role && caller.token_grants(need.scope)) {
        return Ok(());
    }
    Err(Problem::forbidden().into_response())
}

fn overridden(world: &World, method: &str, path: &str) -> Option<Access> {
    let overrides = world.overrides.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    overrides
        .iter()
        .rev()
        .find(|rule| {
            rule.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && path.starts_with(&rule.path)
        })
        .map(|rule| rule.access)
}

async fn denied(world: &World, body: BodyKind) -> Response {
    let trace_id = trace_id();
    let target = Target { base_url: &world.base_url, path_and_query: "", trace_id: &trace_id };
    let kind = FaultKind::Status { status: 403, body };
    sabotage::instead(&kind, &target).await.unwrap_or_else(|| Problem::forbidden().into_response())
}
