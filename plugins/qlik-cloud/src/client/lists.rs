//! The lists that a refresh reads: where each is, how it goes on, and which right it needs.

use super::rights::{ACCOUNT, ANALYTICS_ADMIN, Need, TENANT_ADMIN};

/// A list of the tenant.
#[derive(Debug)]
pub(crate) struct List {
    /// The kind of object in the catalog.
    pub(crate) kind: &'static str,
    /// What messages call its objects.
    pub(crate) plural: &'static str,
    /// Where it is.
    pub(crate) path: &'static str,
    /// Where it is on a tenant that does not have the former yet.
    pub(crate) older: Option<&'static str>,
    /// What is asked for.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// What is asked for besides by a caller that may see everything.
    pub(crate) query_for_all: &'static [(&'static str, &'static str)],
    /// How it goes on.
    pub(crate) cursor: Cursor,
    /// The right that it needs.
    pub(crate) need: Need,
    /// The connection is for this: a list that is missing or misunderstood is a failure, not a note.
    pub(crate) essential: bool,
}

impl List {
    /// Whether only a Tenant Admin is documented to read it for sure.
    pub(crate) fn needs_tenant_admin(&self) -> bool {
        self.need.tenant_admin
    }
}

/// How a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// By the link to the next page.
    Links,
    /// By the number of rows to skip, in the parameter `skip`.
    Skip,
}

const PAGE: (&str, &str) = ("limit", "100");

/// The list of a kind.
pub(crate) fn list(kind: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.kind == kind)
}

/// Nothing asks for a sort order in which rows move during the walk: newest first would lose some.
const LISTS: &[List] = &[
    List {
        kind: "app",
        plural: "apps",
        path: "/api/v1/items",
        older: None,
        query: &[("resourceType", "app"), ("noActions", "true"), ("sort", "+createdAt"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: Need {
            scope: Some("admin.apps:read"),
            own: &["apps:read"],
            roles: &[ANALYTICS_ADMIN, TENANT_ADMIN],
            tenant_admin: false,
            ask: true,
        },
        essential: true,
    },
    List {
        kind: "space",
        plural: "spaces",
        path: "/api/v1/spaces",
        older: None,
        query: &[("sort", "+createdAt"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: Need {
            scope: Some("admin.spaces:read"),
            own: &["spaces.shared:read", "spaces.managed:read", "spaces.data:read", "spaces:read"],
            roles: &[ANALYTICS_ADMIN, TENANT_ADMIN],
            tenant_admin: false,
            ask: true,
        },
        essential: true,
    },
    List {
        kind: "reload",
        plural: "reloads",
        path: "/api/v1/reloads",
        older: None,
        query: &[PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: Need { scope: None, own: &[], roles: &[TENANT_ADMIN], tenant_admin: true, ask: false },
        essential: false,
    },
    List {
        kind: "task",
        plural: "tasks",
        path: "/api/scheduling/tasks",
        older: Some("/api/v1/tasks"),
        query: &[PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: UNDOCUMENTED,
        essential: false,
    },
    List {
        kind: "report",
        plural: "report tasks",
        path: "/api/v1/sharing-tasks",
        older: None,
        query: &[PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        // The documents let an Analytics Admin see all of them, and a Tenant Admin ask for them without naming an app.
        need: Need {
            scope: Some("admin.report-tasks"),
            own: &[],
            roles: &[ANALYTICS_ADMIN, TENANT_ADMIN],
            tenant_admin: true,
            ask: false,
        },
        essential: false,
    },
    List {
        kind: "report_template",
        plural: "report templates",
        path: "/api/v1/report-templates",
        older: None,
        query: &[("sort", "+createdAt"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Skip,
        need: UNDOCUMENTED,
        essential: false,
    },
    List {
        kind: "user",
        plural: "users",
        path: "/api/v1/users",
        older: None,
        query: &[("totalResults", "true"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: Need { scope: Some("users:read"), own: &[], roles: &[], tenant_admin: false, ask: false },
        essential: false,
    },
    List {
        kind: "role",
        plural: "roles",
        path: "/api/v1/roles",
        older: None,
        query: &[("totalResults", "true"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        // Nobody documents that others are refused, so everyone asks.
        need: Need {
            scope: Some("admin_classic"),
            own: &[],
            roles: &[TENANT_ADMIN],
            tenant_admin: true,
            ask: true,
        },
        essential: false,
    },
    List {
        kind: "automation",
        plural: "automations",
        path: "/api/workflows/automations",
        older: Some("/api/v1/automations"),
        query: &[PAGE],
        query_for_all: &[("listAll", "true")],
        cursor: Cursor::Links,
        need: Need {
            scope: Some("admin.automations:read"),
            own: &["automations:read", "automations.private", "automations.shared"],
            roles: &[ANALYTICS_ADMIN, TENANT_ADMIN],
            tenant_admin: false,
            ask: false,
        },
        essential: false,
    },
    List {
        kind: "data_file",
        plural: "data files",
        path: "/api/v1/data-files",
        older: None,
        // Without this, only the caller's personal space is listed.
        query: &[("includeAllSpaces", "true"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: UNDOCUMENTED,
        essential: false,
    },
    List {
        kind: "dataset",
        plural: "data sets",
        path: "/api/v1/items",
        older: None,
        query: &[("resourceType", "dataset"), ("noActions", "true"), ("sort", "+createdAt"), PAGE],
        query_for_all: &[],
        cursor: Cursor::Links,
        need: Need { scope: Some("dataset"), own: &[], roles: &[], tenant_admin: false, ask: false },
        essential: false,
    },
];

/// A list for which the documents name no right: the scope of everything that the caller's own account may do.
const UNDOCUMENTED: Need =
    Need { scope: Some(ACCOUNT), own: &[], roles: &[], tenant_admin: false, ask: true };
