//! What is listed, in the order in which it is read: a list comes after those that it is asked by or made of.

use jackfield_plugin::sdk::Noun;

/// A list of the remote system, and what its rows are.
#[derive(Debug, PartialEq, Eq)]
pub struct List {
    /// Its name in the endpoint map.
    pub operation: &'static str,
    /// What a row is.
    pub noun: Noun,
    /// Whether its ids say something only together with that of their parent.
    pub scoped: bool,
}

const fn list(
    operation: &'static str,
    id: &'static str,
    singular: &'static str,
    plural: &'static str,
) -> List {
    List { operation, noun: Noun::new(id, singular, plural), scoped: false }
}

const fn scoped(
    operation: &'static str,
    id: &'static str,
    singular: &'static str,
    plural: &'static str,
) -> List {
    List { operation, noun: Noun::new(id, singular, plural), scoped: true }
}

/// All lists.
pub(crate) const ALL: &[List] = &[
    list("projects.list", "project", "project", "projects"),
    list("connections.list", "connection", "connection", "connections"),
    list("filters.list", "filter", "filter", "filters"),
    list("reports.list", "report", "report", "reports"),
    scoped("reports.filters", "report_filter", "filter of a report", "filters of reports"),
    scoped("reports.templateItems", "template_item", "template item", "template items"),
    list("tasks.list", "task", "task", "tasks"),
    scoped("tasks.recipients", "task_recipient", "recipient of a task", "recipients of tasks"),
    scoped("tasks.reports", "task_report", "report of a task", "reports of tasks"),
    scoped("tasks.triggers", "task_trigger", "trigger of a task", "triggers of tasks"),
    list("users.list", "user", "user", "users"),
    list("groups.list", "group", "group", "groups"),
    list("organizations.list", "organization", "organization", "organizations"),
    list("roles.list", "role", "role", "roles"),
    list("apps.list", "app", "Qlik app", "Qlik apps"),
];

/// The operation that tells the product's version; no list.
pub(crate) const VERSION: &str = "version";
