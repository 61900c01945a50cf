//! The operations, with the paths that each may have. The first candidate is the one that was seen, or the best guess;
//! a test switches to another, to a path of its own, or takes the operation away.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::qalyptus::config::Product;

/// What serves an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serving {
    /// One of the candidates, the first being 0.
    Candidate(usize),
    /// Another path below the base path, with `{id}` and `{child}` where ids stand.
    Path(String),
    /// Nothing.
    Absent,
}

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Users,
    Groups,
    Projects,
    Filters,
    Reports,
    Report,
    ReportFilters,
    TemplateItems,
    Tasks,
    TaskRecipients,
    TaskReports,
    TaskReport,
    TaskTriggers,
    Connections,
    Requests,
    MakeRequest,
    RemoveRequest,
    RequestResult,
    Login,
    LoginWindows,
    LoginRefresh,
    Roles,
    Organizations,
    Recipients,
    Apps,
    Me,
    Version,
    QlikStatus,
}

/// Whom an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nobody need be signed in.
    Nobody,
    /// Whoever has a key.
    Anyone,
    /// Developers and administrators.
    Content,
    /// Administrators.
    Administration,
}

/// A row of the table.
pub(crate) struct Endpoint {
    pub(crate) op: Op,
    /// Its name in switches.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) need: Need,
    /// Only this product has it.
    only: Option<Product>,
    /// Is it there before anything is switched?
    usual: bool,
    candidates: &'static [&'static str],
}

const fn get(op: Op, name: &'static str, need: Need, candidates: &'static [&'static str]) -> Endpoint {
    Endpoint { op, name, method: "GET", need, only: None, usual: true, candidates }
}

const fn only(product: Product, endpoint: Endpoint) -> Endpoint {
    Endpoint { only: Some(product), ..endpoint }
}

const SERVER: Product = Product::Server;
const CLOUD: Product = Product::Cloud;

/// Every operation. A path without an id stands before one that would swallow it.
pub(crate) const TABLE: &[Endpoint] = &[
    get(Op::Me, "users.me", Need::Anyone, &["/users/me"]),
    get(Op::Users, "users.list", Need::Administration, &["/users"]),
    get(Op::Groups, "groups.list", Need::Administration, &["/groups"]),
    get(Op::Roles, "roles.list", Need::Administration, &["/roles", "/security-roles"]),
    get(Op::Organizations, "organizations.list", Need::Administration, &["/organizations"]),
    Endpoint {
        usual: false,
        ..get(Op::Recipients, "recipients.list", Need::Administration, &["/recipients"])
    },
    get(Op::Projects, "projects.list", Need::Anyone, &["/projects"]),
    get(Op::Connections, "connections.list", Need::Content, &["/connections"]),
    get(Op::Filters, "filters.list", Need::Content, &["/filters"]),
    get(Op::ReportFilters, "reports.filters", Need::Content, &["/filters/report/{id}"]),
    get(Op::Reports, "reports.list", Need::Anyone, &["/reports"]),
    get(Op::Report, "reports.get", Need::Anyone, &["/reports/{id}"]),
    get(Op::TemplateItems, "reports.templateItems", Need::Content, &["/reports/{id}/template-items"]),
    get(Op::Tasks, "tasks.list", Need::Content, &["/tasks"]),
    get(Op::TaskRecipients, "tasks.recipients", Need::Content, &["/tasks/{id}/recipients"]),
    get(Op::TaskReports, "tasks.reports", Need::Content, &["/tasks/{id}/reports"]),
    get(Op::TaskReport, "tasks.report", Need::Content, &["/tasks/{id}/reports/{child}"]),
    get(Op::TaskTriggers, "tasks.triggers", Need::Content, &["/tasks/{id}/triggers"]),
    only(CLOUD, get(Op::Apps, "apps.list", Need::Content, &["/qlik-apps", "/apps"])),
    get(Op::Version, "version", Need::Anyone, &["/version"]),
    only(
        CLOUD,
        get(
            Op::QlikStatus,
            "qlik.status",
            Need::Administration,
            &["/settings/qlik-sense-integration", "/qlik-sense/status", "/tenant/qlik-sense"],
        ),
    ),
    only(SERVER, get(Op::Requests, "ondemand.list", Need::Anyone, &["/ondemand/requests"])),
    only(
        SERVER,
        Endpoint {
            method: "POST",
            ..get(Op::MakeRequest, "ondemand.create", Need::Anyone, &["/ondemand/requests"])
        },
    ),
    only(
        SERVER,
        Endpoint {
            method: "DELETE",
            ..get(Op::RemoveRequest, "ondemand.delete", Need::Anyone, &["/ondemand/requests/{id}"])
        },
    ),
    only(
        SERVER,
        get(Op::RequestResult, "ondemand.result", Need::Anyone, &["/ondemand/requests/{id}/result"]),
    ),
    only(SERVER, Endpoint { method: "POST", ..get(Op::Login, "login.password", Need::Nobody, &["/login"]) }),
    only(SERVER, get(Op::LoginWindows, "login.windows", Need::Nobody, &["/login/ntlm"])),
    only(SERVER, get(Op::LoginRefresh, "login.refresh", Need::Nobody, &["/login/refresh"])),
];

/// The paths that answer now.
pub(crate) struct Routes(Vec<(&'static Endpoint, Vec<String>)>);

/// A path that was recognised.
pub(crate) enum Found {
    /// An operation with the ids of its path.
    Endpoint(&'static Endpoint, Vec<String>),
    /// The path is there, the method is not.
    WrongMethod,
    /// Nothing is there.
    Nothing,
}

impl Routes {
    /// The paths of a product after some switches.
    pub(crate) fn new(product: Product, serving: &BTreeMap<String, Serving>) -> anyhow::Result<Self> {
        for name in serving.keys() {
            let known =
                TABLE.iter().any(|one| one.name == name && one.only.is_none_or(|only| only == product));
            anyhow::ensure!(known, "there is no operation {name}");
        }
        let mut routes = Vec::new();
        for endpoint in TABLE.iter().filter(|one| one.only.is_none_or(|only| only == product)) {
            let usual = if endpoint.usual { Serving::Candidate(0) } else { Serving::Absent };
            let path = match serving.get(endpoint.name).unwrap_or(&usual) {
                Serving::Absent => continue,
                Serving::Path(path) => path.as_str(),
                Serving::Candidate(number) => endpoint
                    .candidates
                    .get(*number)
                    .with_context(|| format!("{}: no such candidate", endpoint.name))?,
            };
            let Some(path) = path.strip_prefix('/') else { bail!("{path} does not begin with a slash") };
            routes.push((endpoint, path.split('/').map(str::to_owned).collect()));
        }
        Ok(Self(routes))
    }

    /// What a path below the base path leads to.
    pub(crate) fn find(&self, method: &str, path: &str) -> Found {
        let mut wrong_method = false;
        for (endpoint, pattern) in &self.0 {
            let Some(ids) = ids(pattern, path) else { continue };
            if endpoint.method == method {
                return Found::Endpoint(endpoint, ids);
            }
            wrong_method = true;
        }
        if wrong_method { Found::WrongMethod } else { Found::Nothing }
    }
}

fn ids(pattern: &[String], path: &str) -> Option<Vec<String>> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if segments.len() != pattern.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (wanted, found) in pattern.iter().zip(segments) {
        if wanted.starts_with('{') {
            ids.push(percent_encoding::percent_decode_str(found).decode_utf8().ok()?.into_owned());
        } else if wanted != found {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(routes: &Routes, method: &str, path: &str) -> &'static str {
        match routes.find(method, path) {
            Found::Endpoint(endpoint, _) => endpoint.name,
            Found::WrongMethod => "405",
            Found::Nothing => "404",
        }
    }

    #[test]
    fn paths_lead_to_operations() -> anyhow::Result<()> {
        let serving = [("roles.list".to_owned(), Serving::Candidate(1))].into_iter().collect();
        let routes = Routes::new(Product::Cloud, &serving)?;
        for (method, path, expected) in [
            ("GET", "/users/me", "users.me"),
            ("GET", "/tasks/7/reports/8", "tasks.report"),
            ("GET", "/filters/report/7", "reports.filters"),
            ("GET", "/security-roles", "roles.list"),
            ("GET", "/roles", "404"),
            ("GET", "/recipients", "404"),
            ("POST", "/tasks", "405"),
            ("POST", "/login", "404"),
            ("GET", "/tasks/", "404"),
        ] {
            assert_eq!(name(&routes, method, path), expected, "{method} {path}");
        }
        for (name, serving) in [
            ("nothing", Serving::Absent),
            ("roles.list", Serving::Candidate(2)),
            ("login.password", Serving::Absent),
        ] {
            let serving = [(name.to_owned(), serving)].into_iter().collect();
            assert!(Routes::new(Product::Cloud, &serving).is_err(), "{name}");
        }
        Ok(())
    }
}
