//! The kinds of object: which members of a row are taken, and what becomes of them.
//!
//! Only what is named here reaches the catalog; a connection's string, which may name accounts, does not.

use crate::client::{self, List};
use jackfield_plugin::{
    Object,
    sdk::{Noun, Row},
};

/// A kind of object.
pub(super) struct Kind {
    /// What it is called.
    pub(super) noun: Noun,
    /// Where it is listed.
    pub(super) list: &'static List,
    /// No server is without: if none is shown, the caller may not see them.
    pub(super) always: bool,
    /// The members that can be its name; the first that is there counts.
    names: &'static [&'static str],
    /// Name among the attributes, and the member that is copied there as it stands.
    attributes: &'static [(&'static str, &'static str)],
}

const DESCRIPTION: (&str, &str) = ("description", "description");
const ENABLED: (&str, &str) = ("enabled", "enabled");
const CREATED: (&str, &str) = ("created", "created");

const NAMED: Kind = Kind {
    noun: Noun::new("", "", ""),
    list: &client::APPS,
    always: false,
    names: &["name"],
    attributes: &[DESCRIPTION, ENABLED, CREATED],
};

/// Apps; what else there is belongs to one, but for people and their rights.
pub(super) const APP: Kind =
    Kind { noun: Noun::new("app", "app", "apps"), list: &client::APPS, always: true, ..NAMED };

pub(super) const CONNECTION: Kind = Kind {
    noun: Noun::new("connection", "connection", "connections"),
    list: &client::CONNECTIONS,
    attributes: &[
        DESCRIPTION,
        ("source", "source"),
        ("cache_status", "cacheStatus"),
        ("connection_status", "connectionStatus"),
        ("notifications", "notificationsEnabled"),
        CREATED,
    ],
    ..NAMED
};

pub(super) const FILTER: Kind =
    Kind { noun: Noun::new("filter", "filter", "filters"), list: &client::FILTERS, ..NAMED };

pub(super) const REPORT: Kind = Kind {
    noun: Noun::new("report", "report", "reports"),
    list: &client::REPORTS,
    names: &["title", "name"],
    attributes: &[
        DESCRIPTION,
        ("type", "type"),
        ("output_formats", "outputFormats"),
        ("entity", "entityId"),
        CREATED,
    ],
    ..NAMED
};

pub(super) const TASK: Kind = Kind {
    noun: Noun::new("task", "task", "tasks"),
    list: &client::TASKS,
    attributes: &[DESCRIPTION, ("type", "type"), ENABLED, ("last_execution", "lastExecution"), CREATED],
    ..NAMED
};

pub(super) const USER: Kind = Kind {
    noun: Noun::new("user", "user", "users"),
    list: &client::USERS,
    always: true,
    names: &["userName", "email"],
    attributes: &[
        ("email", "email"),
        DESCRIPTION,
        ENABLED,
        ("domain_account", "domainAccount"),
        ("timezone", "timezone"),
        ("locale", "locale"),
        ("title", "title"),
        ("company", "company"),
        ("department", "department"),
        CREATED,
    ],
};

pub(super) const GROUP: Kind =
    Kind { noun: Noun::new("group", "group", "groups"), list: &client::GROUPS, ..NAMED };

pub(super) const ROLE: Kind = Kind {
    noun: Noun::new("role", "role", "roles"),
    list: &client::ROLES,
    always: true,
    attributes: &[
        DESCRIPTION,
        ENABLED,
        ("all_actions", "hasAllActions"),
        ("all_apps", "hasAllApps"),
        ("system", "isSystemRole"),
    ],
    ..NAMED
};

/// The newest execution of a task. It has no name: it goes by its time.
pub(super) const EXECUTION: Kind = Kind {
    noun: Noun::new("execution", "execution", "executions"),
    list: &client::TASKS,
    names: &["created"],
    attributes: &[
        ("status", "status"),
        ("result", "result"),
        ("progress", "progress"),
        ("type", "type"),
        ("completed", "completed"),
        ("priority", "priority"),
        CREATED,
    ],
    ..NAMED
};

/// The kinds, in the order in which they are shown.
pub(super) const KINDS: [&Kind; 9] =
    [&APP, &CONNECTION, &FILTER, &REPORT, &TASK, &EXECUTION, &USER, &GROUP, &ROLE];

impl Kind {
    /// The object that a row is; nothing without an id. What has no name goes by its id.
    pub(super) fn object(&self, row: &Row<'_>, owner: Owner<'_>) -> Option<Object> {
        let id = row.text("id")?;
        let name = self.names.iter().find_map(|name| row.text(name)).unwrap_or_else(|| id.clone());
        let mut object = Object::new(id, name).modified(row.text("lastUpdate"));
        object = match owner {
            Owner::App(app) => object.parent(Some(app)).link("app", "app", Some(app)),
            Owner::Task(task) => object.parent(Some(task)).link("task", "task", Some(task)),
            Owner::Row => object.parent(row.text("appId")).link("app", "app", row.text("appId")),
        };
        // The fields and variables of a filter stand on connections, often many on the same.
        for part in row.rows("fields").iter().chain(&row.rows("variables")) {
            let Some(connection) = part.text("connectionId") else { continue };
            if !object.links.iter().any(|link| link.kind == CONNECTION.noun.id && link.id == connection) {
                object = object.link("connection", CONNECTION.noun.id, Some(connection));
            }
        }
        object.attributes = row.pick(self.attributes);
        Some(object)
    }
}

/// To what a row belongs.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// The row says so, if to anything.
    Row,
    /// It was listed for this app.
    App(&'a str),
    /// It was listed for this task.
    Task(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &Kind, row: &str) -> Object {
        kind.object(&serde_json::from_str(row).unwrap(), Owner::Row).unwrap()
    }

    #[test]
    fn keys_of_older_releases_are_read_as_well() {
        let user = object(
            &USER,
            r#"{"id":"u1","username":"anna","domainaccount":"ACME\\anna","lastupdate":"2026-01-02T03:04:05.678+00:00"}"#,
        );
        assert_eq!(user.name, "anna");
        assert_eq!(user.modified.as_deref(), Some("2026-01-02T03:04:05.678+00:00"));
        assert_eq!(user.attributes_value(), json!({ "domain_account": "ACME\\anna" }));
        let filter = object(&FILTER, r#"{"id":"f1","name":"North","appid":"a1"}"#);
        assert_eq!(filter.parent.as_deref(), Some("a1"));
    }

    #[test]
    fn the_string_of_a_connection_never_comes_along() {
        let row = r#"{"id":"c1","name":"Sales","appId":"a1","source":"Sense","connectionString":"proxyuri=https://s;identity=x","connectionStatus":"Brandnew"}"#;
        let connection = object(&CONNECTION, row);
        assert_eq!(
            connection.attributes_value(),
            json!({ "source": "Sense", "connection_status": "Brandnew" })
        );
    }

    #[test]
    fn a_filter_knows_its_connections_once() {
        let row = r#"{"id":"f1","fields":[{"connectionId":"c1","name":"Region"},{"connectionId":"c1"}],"variables":[{"connectionId":"c2"},{}]}"#;
        let links: Vec<_> = object(&FILTER, row).links.into_iter().map(|link| link.id).collect();
        assert_eq!(links, ["c1", "c2"]);
    }

    #[test]
    fn what_has_no_name_goes_by_its_id_and_what_has_no_id_is_left_out() {
        assert_eq!(object(&REPORT, r#"{"id":"r1","title":null}"#).name, "r1");
        assert!(TASK.object(&serde_json::from_str(r#"{"name":"t"}"#).unwrap(), Owner::Row).is_none());
    }
}
