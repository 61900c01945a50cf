//! The kinds of object: where each is listed, which columns are taken, and what becomes of them.
//!
//! Only what is named here reaches the catalog. Of tables only that is asked for, so the password and the connection string of a
//! data connection never leave the site.

use crate::client::{Page, Query, TAKE};
use jackfield_plugin::{
    Object,
    sdk::{Noun, Row},
};
use serde_json::value::RawValue;

/// A kind of object.
pub(super) struct Kind {
    /// What it is called.
    pub(super) noun: Noun,
    /// Its name in paths.
    pub(super) path: &'static str,
    /// Its name in bodies.
    entity: &'static str,
    /// How it is listed.
    pub(super) form: Form,
    /// What is taken: the member, as a dotted path, and what it is.
    columns: &'static [(&'static str, Is)],
    /// The lists whose counts tell how many there are.
    pub(super) counts: &'static [&'static str],
    /// Of a list that is only shown whole and may be long, the table with most of its rows: its name in paths and in bodies.
    mostly: Option<(&'static str, &'static str)>,
    /// The dates by which changed rows are found; none if the list is always read in full.
    pub(super) changes: &'static [&'static str],
    /// The name of the type in the site's list of changes.
    pub(super) change_type: &'static str,
}

/// How a kind is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By pages of a table.
    Table,
    /// Whole, because it has members that no table shows.
    Whole,
}

/// What a member is to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Id,
    Name,
    Parent,
    Modified,
    /// The id, or the objects with ids, of another: relation and kind.
    Link(&'static str, &'static str),
    /// An attribute of this name.
    Attribute(&'static str),
}
use Is::{Attribute, Id, Link, Modified, Name, Parent};

const ID: (&str, Is) = ("id", Id);
const NAME: (&str, Is) = ("name", Name);
const CREATED: (&str, Is) = ("createdDate", Attribute("created"));
const MODIFIED: (&str, Is) = ("modifiedDate", Modified);
const OWNER: (&str, Is) = ("owner.id", Link("owner", "user"));

const TABLE: Kind = Kind {
    noun: Noun::new("", "", ""),
    path: "",
    entity: "",
    form: Form::Table,
    columns: &[ID, NAME, CREATED, MODIFIED],
    counts: &[],
    mostly: None,
    changes: &[],
    change_type: "",
};

/// Apps. A reload moves its own date, not that of the app.
pub(super) const APP: Kind = Kind {
    noun: Noun::new("app", "app", "apps"),
    path: "app",
    entity: "App",
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        OWNER,
        ("stream.id", Parent),
        ("description", Attribute("description")),
        ("stream.name", Attribute("stream_name")),
        ("published", Attribute("published")),
        ("publishTime", Attribute("publish_time")),
        ("lastReloadTime", Attribute("last_reload")),
        ("fileSize", Attribute("size")),
        ("savedInProductVersion", Attribute("product_version")),
        ("availabilityStatus", Attribute("availability")),
    ],
    counts: &["app"],
    changes: &["modifiedDate", "lastReloadTime"],
    change_type: "App",
    ..TABLE
};

pub(super) const STREAM: Kind = Kind {
    noun: Noun::new("stream", "stream", "streams"),
    path: "stream",
    entity: "Stream",
    columns: &[ID, NAME, CREATED, MODIFIED, OWNER],
    counts: &["stream"],
    ..TABLE
};

/// Tasks of all kinds, with their last results. The list of all kinds cannot be counted, but those of each kind can; for those
/// that distribute apps no list of their own is documented.
pub(super) const TASK: Kind = Kind {
    noun: Noun::new("task", "task", "tasks"),
    path: "task",
    entity: "Task",
    form: Form::Whole,
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        ("app.id", Link("app", "app")),
        ("tags", Link("tag", "tag")),
        ("taskType", Attribute("type")),
        ("enabled", Attribute("enabled")),
        ("isManuallyTriggered", Attribute("manually_triggered")),
        ("operational.nextExecution", Attribute("next_execution")),
        ("operational.lastExecutionResult.status", Attribute("last_status")),
        ("operational.lastExecutionResult.startTime", Attribute("last_start")),
        ("operational.lastExecutionResult.stopTime", Attribute("last_stop")),
        ("operational.lastExecutionResult.duration", Attribute("last_duration_ms")),
        ("operational.lastExecutionResult.executingNodeName", Attribute("last_node")),
    ],
    counts: &["reloadtask", "externalprogramtask", "usersynctask"],
    mostly: Some(("reloadtask", "ReloadTask")),
    ..TABLE
};

pub(super) const USER: Kind = Kind {
    noun: Noun::new("user", "user", "users"),
    path: "user",
    entity: "User",
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        ("userId", Attribute("user_id")),
        ("userDirectory", Attribute("user_directory")),
        ("inactive", Attribute("inactive")),
        ("removedExternally", Attribute("removed_externally")),
        ("blacklisted", Attribute("blocked")),
    ],
    counts: &["user"],
    changes: &["modifiedDate"],
    change_type: "User",
    ..TABLE
};

/// Roles are no entities: they are names that users have and rules refer to. So there is nothing to list but those.
pub(super) const ROLE: Noun = Noun::new("role", "role", "roles");

pub(super) const CUSTOM_PROPERTY: Kind = Kind {
    noun: Noun::new("custom_property", "custom property", "custom properties"),
    path: "custompropertydefinition",
    form: Form::Whole,
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        ("description", Attribute("description")),
        ("valueType", Attribute("value_type")),
        ("choiceValues", Attribute("choices")),
        ("objectTypes", Attribute("applies_to")),
    ],
    counts: &["custompropertydefinition"],
    ..TABLE
};

pub(super) const TAG: Kind =
    Kind { noun: Noun::new("tag", "tag", "tags"), path: "tag", entity: "Tag", counts: &["tag"], ..TABLE };

pub(super) const EXTENSION: Kind = Kind {
    noun: Noun::new("extension", "extension", "extensions"),
    path: "extension",
    entity: "Extension",
    columns: &[ID, NAME, CREATED, MODIFIED, OWNER],
    counts: &["extension"],
    ..TABLE
};

/// Data connections, without whatever can be secret in them: connection string, user name, password.
pub(super) const DATA_CONNECTION: Kind = Kind {
    noun: Noun::new("data_connection", "data connection", "data connections"),
    path: "dataconnection",
    entity: "DataConnection",
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        OWNER,
        ("type", Attribute("type")),
        ("architecture", Attribute("architecture")),
        ("logOn", Attribute("log_on")),
    ],
    counts: &["dataconnection"],
    ..TABLE
};

pub(super) const VIRTUAL_PROXY: Kind = Kind {
    noun: Noun::new("virtual_proxy", "virtual proxy", "virtual proxies"),
    path: "virtualproxyconfig",
    entity: "VirtualProxyConfig",
    columns: &[
        ID,
        ("description", Name),
        CREATED,
        MODIFIED,
        ("prefix", Attribute("prefix")),
        ("sessionCookieHeaderName", Attribute("session_cookie")),
        ("authenticationMethod", Attribute("authentication_method")),
        ("defaultVirtualProxy", Attribute("default")),
        ("sessionInactivityTimeout", Attribute("session_timeout_minutes")),
    ],
    counts: &["virtualproxyconfig"],
    ..TABLE
};

pub(super) const NODE: Kind = Kind {
    noun: Noun::new("node", "node", "nodes"),
    path: "servernodeconfiguration",
    entity: "ServerNodeConfiguration",
    columns: &[
        ID,
        NAME,
        CREATED,
        MODIFIED,
        ("hostName", Attribute("host")),
        ("isCentral", Attribute("central")),
        ("engineEnabled", Attribute("engine")),
        ("proxyEnabled", Attribute("proxy")),
        ("schedulerEnabled", Attribute("scheduler")),
    ],
    counts: &["servernodeconfiguration"],
    ..TABLE
};

/// The kinds but for roles, in the order in which they are shown.
pub(super) const KINDS: [&Kind; 10] = [
    &APP,
    &STREAM,
    &TASK,
    &USER,
    &CUSTOM_PROPERTY,
    &TAG,
    &EXTENSION,
    &DATA_CONNECTION,
    &VIRTUAL_PROXY,
    &NODE,
];

/// An object with the dates that the reading goes by.
pub(super) struct Found {
    pub(super) object: Object,
    /// The latest of the dates by which changes are found.
    pub(super) changed: String,
}

/// A row, whatever its form.
enum Cells<'a> {
    Members(&'a Row<'a>),
    Line(&'a [&'a RawValue]),
}

impl Kind {
    /// What is asked for.
    pub(super) fn query(&self, filter: String) -> Query {
        let columns = self.columns.iter().map(|(path, _)| *path).collect();
        // Sorted so that rows do not move while they are read.
        Query { path: self.path, entity: self.entity, columns, filter, sorted_by: "id", take: TAKE }
    }

    /// What is asked for the date at which a single row was made, in the order of these dates: of most of the rows of a list
    /// that is only shown whole.
    pub(super) fn made(&self) -> Option<Query> {
        let (path, entity) = self.mostly?;
        let columns = vec!["createdDate"];
        Some(Query { path, entity, columns, filter: String::new(), sorted_by: "createdDate", take: 1 })
    }

    /// The objects that the rows of a page are; rows without an id are none.
    pub(super) fn objects(&self, page: &Page<'_>) -> Vec<Found> {
        match page {
            Page::Objects(rows) => rows.iter().filter_map(|row| self.object(&Cells::Members(row))).collect(),
            Page::Table(rows) => rows.iter().filter_map(|row| self.object(&Cells::Line(row))).collect(),
        }
    }

    fn object(&self, cells: &Cells<'_>) -> Option<Found> {
        let mut object = Object::default();
        let (mut changed, mut attributes) = (String::new(), String::new());
        for (at, (path, is)) in self.columns.iter().enumerate() {
            let raw = match cells {
                Cells::Members(row) => row.raw(&path.replace('.', "/")),
                Cells::Line(line) => line.get(at).map(|cell| cell.get()),
            };
            let Some(raw) = raw.filter(|raw| says_something(raw)) else { continue };
            if self.changes.contains(path) && text(raw) > changed {
                changed = text(raw);
            }
            match is {
                Id => object.id = text(raw),
                Name => object.name = text(raw),
                Parent => object.parent = Some(text(raw)),
                Modified => object.modified = Some(text(raw)),
                Link(relation, kind) => object = linked(object, relation, kind, raw),
                Attribute(name) => {
                    attributes.push_str(if attributes.is_empty() { "{\"" } else { ",\"" });
                    attributes.push_str(name);
                    attributes.push_str("\":");
                    attributes.push_str(raw);
                }
            }
        }
        if object.id.is_empty() {
            return None;
        }
        if object.name.is_empty() {
            object.name.clone_from(&object.id);
        }
        if !attributes.is_empty() {
            attributes.push('}');
        }
        object.attributes = attributes;
        Some(Found { object, changed })
    }
}

/// Links to one, or to each in an array of objects.
fn linked(object: Object, relation: &str, kind: &str, raw: &str) -> Object {
    match serde_json::from_str::<Vec<Row<'_>>>(raw) {
        Ok(others) => {
            others.iter().fold(object, |object, other| object.link(relation, kind, other.text("id")))
        }
        Err(_) => object.link(relation, kind, Some(text(raw))),
    }
}

/// Whether a value is more than nothing; the site writes "never" as a date of the year 1753.
fn says_something(raw: &str) -> bool {
    !matches!(raw, "null" | "\"\"" | "[]" | "{}") && !raw.starts_with("\"1753-01-01")
}

/// A string, or anything else as it stands.
fn text(raw: &str) -> String {
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned())
}
