//! Roles and scopes: which scope contains which, and what the default roles may do.

use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::data::ids;

/// Default roles of the admin level and what they may do.
const ADMIN: [(&str, &[&str]); 4] = [
    ("TenantAdmin", &["admin_classic"]),
    ("AnalyticsAdmin", &["admin.apps", "admin.spaces", "admin.automations", "admin.automation-runs", "admin.users:read"]),
    ("DataAdmin", &["admin.spaces", "admin.data-connections", "admin.dataset", "admin.data-files"]),
    ("AuditAdmin", &["admin.audits"]),
];
/// Default roles of the user level and what they may do.
const USER: [(&str, &[&str]); 12] = [
    ("AutomationCreator", &["automations"]),
    ("AutomlDeploymentContributor", &["automl-deployments"]),
    ("AutomlExperimentContributor", &["automl-experiments"]),
    ("CollaborationPlatformUser", &["collaboration"]),
    ("DataProductManager", &["dataproduct"]),
    ("DataServicesContributor", &["data-connections", "dataset"]),
    ("DataSpaceCreator", &["spaces.data:create"]),
    ("EmbeddedAnalyticsUser", &["apps:read"]),
    ("ManagedSpaceCreator", &["spaces.managed:create"]),
    ("PrivateAnalyticsContentCreator", &["apps"]),
    ("SharedSpaceCreator", &["spaces.shared:create"]),
    ("Steward", &["glossary:all"]),
];

/// A role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Role {
    /// Id.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// `admin` rather than `user` level.
    pub(crate) admin: bool,
    /// Made by the tenant.
    pub(crate) custom: bool,
    /// What it may do.
    pub(crate) scopes: Vec<String>,
    /// Free text.
    pub(crate) description: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Milliseconds since 1970.
    pub(crate) updated: i64,
}

impl Role {
    /// A role of the tenant's own.
    pub(crate) fn custom(name: &str, scopes: Vec<String>) -> Self {
        let now = clock::now_ms();
        Self {
            id: ids::new_object_id(),
            name: name.to_owned(),
            admin: scopes.iter().any(|scope| scope.starts_with("admin")),
            custom: true,
            scopes,
            description: String::new(),
            created: now,
            updated: now,
        }
    }

    /// The roles that every tenant has.
    pub(crate) fn defaults(seed: u64) -> Vec<Self> {
        let role = |admin: bool, at: usize, name: &str, scopes: &[&str]| Self {
            id: format!("605a18af{:016x}", crate::kit::noise::hash(seed, 50, at as u64 + 100 * u64::from(admin))),
            name: name.to_owned(),
            admin,
            custom: false,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            description: String::new(),
            created: 1_609_459_200_000,
            updated: 1_609_459_200_000,
        };
        let admins = ADMIN.iter().enumerate().map(|(at, (name, scopes))| role(true, at, name, scopes));
        let users = USER.iter().enumerate().map(|(at, (name, scopes))| role(false, at, name, scopes));
        admins.chain(users).collect()
    }

    /// As the roles list shows it.
    pub(crate) fn view(&self, base_url: &str, tenant_id: &str) -> Value {
        json!({
            "id": self.id, "name": self.name, "type": self.type_name(), "level": self.level(), "description": self.description,
            "tenantId": tenant_id, "assignedScopes": self.scopes, "permissions": [], "canEdit": self.custom,
            "canDelete": self.custom, "createdAt": clock::text_ms(self.created),
            "lastUpdatedAt": clock::text_ms(self.updated),
            "links": {"self": {"href": format!("{base_url}/api/v1/roles/{}", self.id)}},
        })
    }

    /// As a user's record shows it.
    pub(crate) fn brief(&self) -> Value {
        json!({"id": self.id, "name": self.name, "level": self.level(), "type": self.type_name()})
    }

    fn level(&self) -> &'static str {
        if self.admin { "admin" } else { "user" }
    }

    fn type_name(&self) -> &'static str {
        if self.custom { "custom" } else { "default" }
    }
}

/// Does a held scope contain the needed one?
pub(crate) fn covers(held: &str, needed: &str) -> bool {
    if held == needed || held == "admin_classic" {
        return true;
    }
    if held == "user_default" {
        return !needed.starts_with("admin");
    }
    if let Some(rest) = held.strip_prefix("admin.") {
        // What may be done to everything may be done to one's own.
        return covers_below(rest, needed.strip_prefix("admin.").unwrap_or(needed));
    }
    !needed.starts_with("admin") && covers_below(held, needed)
}

fn covers_below(held: &str, needed: &str) -> bool {
    if held == needed {
        return true;
    }
    match held.split_once(':') {
        // `apps` contains `apps:read`; `spaces` contains `spaces.shared:read`.
        None => needed.strip_prefix(held).is_some_and(|rest| rest.starts_with([':', '.'])),
        // `spaces:read` contains `spaces.shared:read`.
        Some((area, action)) => {
            needed.strip_suffix(action).is_some_and(|rest| rest.starts_with(area) && rest[area.len()..].starts_with('.'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_contain_children() {
        for (held, needed) in [
            ("apps", "apps:read"), ("admin.apps", "apps:read"), ("admin.apps:read", "admin.apps:read"),
            ("admin.apps:read", "apps:read"), ("user_default", "apps:read"), ("admin_classic", "admin.users:read"),
            ("spaces", "spaces.shared:read"), ("spaces:read", "spaces.data:read"),
        ] {
            assert!(covers(held, needed), "{held} should contain {needed}");
        }
        for (held, needed) in [
            ("apps:read", "apps"), ("apps", "admin.apps:read"), ("user_default", "admin.apps:read"),
            ("admin.apps:read", "spaces.shared:read"), ("spaces:read", "spaces.shared:create"), ("app", "apps:read"),
        ] {
            assert!(!covers(held, needed), "{held} should not contain {needed}");
        }
    }
}
