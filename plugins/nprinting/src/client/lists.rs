//! The lists of the server: their paths, and in which order to ask.

/// A list.
#[derive(Debug)]
pub(crate) struct List {
    /// Its path.
    pub(super) path: &'static str,
    /// The order in which rows do not move while they are read.
    pub(super) sort: &'static str,
    /// The server shows parts of it only when asked for each: a query for each part.
    pub(crate) parts: &'static [&'static [(&'static str, &'static str)]],
}

const WHOLE: List = List { path: "", sort: "+created", parts: &[&[]] };

/// Apps.
pub(crate) const APPS: List = List { path: "/api/v1/apps", ..WHOLE };
/// Connections of all apps.
pub(crate) const CONNECTIONS: List = List { path: "/api/v1/connections", ..WHOLE };
/// Filters of all apps.
pub(crate) const FILTERS: List = List { path: "/api/v1/filters", ..WHOLE };
/// Reports; only those that are enabled, and enabled for On-Demand. A row does not tell its app.
pub(crate) const REPORTS: List = List { path: "/api/v1/reports", ..WHOLE };
/// Tasks of all apps. Without a type, only those that publish.
pub(crate) const TASKS: List =
    List { path: "/api/v1/tasks", parts: &[&[("type", "publish")], &[("type", "import")]], ..WHOLE };
/// Users.
pub(crate) const USERS: List = List { path: "/api/v1/users", ..WHOLE };
/// Groups.
pub(crate) const GROUPS: List = List { path: "/api/v1/groups", ..WHOLE };
/// Roles. The order that is documented as the default is one that the list does not know.
pub(crate) const ROLES: List = List { path: "/api/v1/roles", sort: "+name", ..WHOLE };
