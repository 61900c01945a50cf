//! Lists and what is in them.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jackfield_simulators::qalyptus::{Changes, Config, Population};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, start};

/// Every list of both products with the members of its rows.
const MEMBERS: &[(&str, &[&str])] = &[
    (
        "users",
        &[
            "id",
            "name",
            "type",
            "email",
            "groups",
            "status",
            "license",
            "isTenantOwner",
            "tenantAdminRole",
            "organizationRoles",
        ],
    ),
    ("groups", &["id", "name", "members", "isDefault", "description", "organization", "organizationID"]),
    ("projects", &["id", "name", "owner", "isMine", "ownerName", "description", "isGlobalPermissions"]),
    ("filters", &["id", "name", "owner", "isMine", "project", "ownerName", "description"]),
    (
        "reports",
        &[
            "id",
            "name",
            "type",
            "owner",
            "isMine",
            "project",
            "ownerName",
            "description",
            "isIteration",
            "templateFile",
            "outputFormats",
            "dynamicNameSeparator",
        ],
    ),
    (
        "tasks",
        &[
            "id",
            "name",
            "owner",
            "isMine",
            "project",
            "isActive",
            "testMode",
            "ownerName",
            "description",
            "isScheduled",
            "notifyIfError",
            "notifyIfSuccess",
            "notifyIfWarning",
            "sendNotifications",
            "testModeRecipients",
            "notificationRecipients",
            "notificationCc",
            "notificationBcc",
            "lastExecution",
        ],
    ),
    ("connections", &["id", "name", "projectId", "appId", "appName"]),
    ("roles", &["id", "name", "description", "isEnabled", "isDefault"]),
    ("organizations", &["id", "name", "isDefault"]),
];

/// The children of a task.
const CHILDREN: &[(&str, &[&str])] = &[
    ("recipients", &["id", "name", "type", "email", "recipientID"]),
    (
        "reports",
        &[
            "id",
            "name",
            "type",
            "format",
            "reportID",
            "description",
            "isIteration",
            "outputFormats",
            "emailEmbedment",
            "emailAttachment",
        ],
    ),
    (
        "triggers",
        &[
            "id",
            "name",
            "type",
            "description",
            "isActive",
            "priority",
            "frequency",
            "execution",
            "timeZone",
            "timeZoneOfset",
            "startDate",
            "endDate",
            "nextExecutionDate",
            "day",
            "month",
            "weeklyDays",
            "atHour",
            "atMinut",
            "fromHour",
            "fromMinut",
            "toHour",
            "toMinut",
            "everyHours",
            "appId",
            "eventType",
            "qlikEvent",
        ],
    ),
];

fn keys(row: &Value) -> HashSet<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

fn ids(rows: &[Value]) -> HashSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rows_have_the_members_that_were_seen() {
    for config in [Config::server(), Config::cloud()] {
        let simulator = start(config).await;
        let client = Client::of_user(&simulator, 0);
        for (path, members) in MEMBERS {
            let rows = client.rows(path).await;
            let expected: HashSet<&str> = members.iter().copied().collect();
            assert!(!rows.is_empty() && rows.iter().all(|row| keys(row) == expected), "{path}");
            assert_eq!(ids(&rows).len(), rows.len(), "{path}: ids are unique");
        }
        let mut seen: HashSet<&str> = HashSet::new();
        for task in client.rows("tasks").await {
            for (path, members) in CHILDREN {
                let rows = client.rows(&format!("tasks/{}/{path}", task["id"].as_str().unwrap())).await;
                let expected: HashSet<&str> = members.iter().copied().collect();
                assert!(rows.iter().all(|row| keys(row) == expected), "{path}");
                seen.extend((!rows.is_empty()).then_some(*path));
            }
        }
        assert_eq!(seen.len(), CHILDREN.len());
    }
}

#[tokio::test]
async fn rows_refer_to_each_other() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    let (projects, reports) = (ids(&client.rows("projects").await), client.rows("reports").await);
    let known = |row: &Value, of: &HashSet<String>, pointer: &str| {
        row.pointer(pointer).and_then(Value::as_str).is_some_and(|id| of.contains(id))
    };
    for path in ["reports", "filters", "tasks"] {
        assert!(client.rows(path).await.iter().all(|row| known(row, &projects, "/project/id")), "{path}");
    }
    assert!(client.rows("connections").await.iter().all(|row| known(row, &projects, "/projectId")));
    let organizations = ids(&client.rows("organizations").await);
    assert!(client.rows("groups").await.iter().all(|row| known(row, &organizations, "/organizationID")));
    let (users, groups) = (ids(&client.rows("users").await), ids(&client.rows("groups").await));
    let (filters, reports_by_id) = (ids(&client.rows("filters").await), ids(&reports));
    let mut before: Option<String> = None;
    for task in client.rows("tasks").await {
        let id = task["id"].as_str().unwrap();
        for recipient in client.rows(&format!("tasks/{id}/recipients")).await {
            let of = if recipient["type"] == "Group" { &groups } else { &users };
            assert!(known(&recipient, of, "/recipientID"), "{recipient}");
        }
        for report in client.rows(&format!("tasks/{id}/reports")).await {
            assert!(known(&report, &reports_by_id, "/reportID"));
            let whole = reports.iter().find(|whole| whole["id"] == report["reportID"]).unwrap();
            assert_eq!(whole["project"], task["project"], "a task sends what is in its project");
            let path = format!("tasks/{id}/reports/{}", report["id"].as_str().unwrap());
            let (_, detail) = client.get(&path).await;
            assert_eq!(detail["data"]["name"], report["name"]);
            assert!(
                detail["data"]["filters"].as_array().unwrap().iter().all(|one| known(one, &filters, "/id"))
            );
            let wrong = format!("tasks/{id}/reports/{}", report["reportID"].as_str().unwrap());
            assert_eq!(client.status(&wrong).await, 404, "the id is that of the task's report");
            if let Some(other) = before.replace(id.to_owned()).filter(|other| other != id) {
                let wrong = format!("tasks/{other}/reports/{}", report["id"].as_str().unwrap());
                assert_eq!(client.status(&wrong).await, 404, "the report is another task's");
            }
        }
    }
    for report in reports.iter().take(20) {
        let id = report["id"].as_str().unwrap();
        assert_eq!(client.get(&format!("reports/{id}")).await.1["data"], *report);
        let filters_of = client.rows(&format!("filters/report/{id}")).await;
        assert!(
            filters_of.iter().all(|row| row["project"] == report["project"] && row["ownerName"].is_string())
        );
    }
}

#[tokio::test]
async fn mine_is_what_the_owner_of_the_key_owns() {
    let simulator = start(Config::server()).await;
    for owner in [0, 1] {
        let client = Client::of_user(&simulator, owner);
        let me = simulator.user_id(owner);
        for path in ["projects", "filters", "reports", "tasks"] {
            let rows = client.rows(path).await;
            assert!(
                rows.iter().all(|row| (row["owner"] == me.as_str()) == (row["isMine"] == true)),
                "{path}"
            );
        }
        assert!(client.rows("tasks").await.iter().any(|row| row["isMine"] == true));
    }
}

#[tokio::test]
async fn templates_hold_objects_in_objects() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let (mut without, mut empty, mut columns) = (0, 0, 0);
    for report in client.rows("reports").await {
        let path = format!("reports/{}/template-items", report["id"].as_str().unwrap());
        let (status, body) = client.get(&path).await;
        assert_eq!((status, &body["isSuccess"]), (StatusCode::OK, &json!(true)));
        let Some(nodes) = body["data"].get("nodes") else {
            without += 1;
            continue;
        };
        empty += usize::from(nodes == &json!([]));
        for sheet in nodes.as_array().unwrap().iter().flat_map(|node| node["objects"].as_array().unwrap()) {
            assert_eq!(sheet["type"], "Sheet");
            for leaf in sheet["objects"].as_array().unwrap() {
                assert!(leaf["objects"].is_null() && leaf["itemID"].is_string());
                columns += usize::from(leaf["columns"][0]["name"] == "Amount");
            }
        }
    }
    assert!(empty > 0 && columns > 0, "{without} {empty} {columns}");
}

#[tokio::test]
async fn reports_and_connections_can_be_narrowed_to_a_project() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    let project = simulator.project_id(1);
    for path in ["reports", "connections"] {
        let rows = client.rows(&format!("{path}?projectId={project}")).await;
        let of =
            |row: &Value| row["projectId"] == project.as_str() || row["project"]["id"] == project.as_str();
        assert!(!rows.is_empty() && rows.iter().all(of), "{path}");
        assert!(client.rows(&format!("{path}?projectId=nobody")).await.is_empty());
    }
    let all = client.rows("tasks").await.len();
    assert_eq!(client.rows(&format!("tasks?projectId={project}")).await.len(), all, "others ignore it");
}

#[tokio::test]
async fn paths_are_strict() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (path, expected) in [
        ("nothing".to_owned(), 404),
        ("Projects".to_owned(), 404),
        ("projects/".to_owned(), 404),
        ("/api/v2/projects".to_owned(), 404),
        ("/api/v1".to_owned(), 404),
        ("/swagger/index.html".to_owned(), 404),
        (format!("tasks/{unknown}/recipients"), 404),
        ("tasks/seven/recipients".to_owned(), 404),
        ("login".to_owned(), 404),
        ("/".to_owned(), 200),
    ] {
        assert_eq!(client.status(&path).await, expected, "{path}");
    }
    assert_eq!(client.call(reqwest::Method::POST, "projects", None).await.0.as_u16(), 405);
    let nobody = Client::new(&simulator, Vec::new());
    assert_eq!(nobody.status("nothing").await, 404, "what is not there needs no key");
}

#[tokio::test]
async fn rounds_of_changes_and_seeds() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    let before = client.rows("tasks").await;
    simulator.change(Changes { percent: 20.0, revision: 1 });
    let after = client.rows("tasks").await;
    let find = |rows: &[Value], id: &Value| rows.iter().find(|row| row["id"] == *id).cloned();
    let added = after.iter().filter(|row| find(&before, &row["id"]).is_none()).count();
    let removed = before.iter().filter(|row| find(&after, &row["id"]).is_none()).count();
    let changed: Vec<&Value> =
        after.iter().filter(|row| find(&before, &row["id"]).is_some_and(|old| old != **row)).collect();
    assert!(added > 0 && removed > 0 && changed.len() > removed, "{added} {removed} {}", changed.len());
    simulator.change(Changes::default());
    for path in ["users", "groups", "projects", "connections", "filters", "reports"] {
        let before = client.rows(path).await;
        simulator.change(Changes { percent: 40.0, revision: 1 });
        let after = client.rows(path).await;
        let changed = after.iter().filter(|row| find(&before, &row["id"]).is_some_and(|old| old != **row));
        assert!(changed.count() > 0, "{path}: a revised row shows it");
        simulator.change(Changes::default());
    }
    simulator.change(Changes { percent: 20.0, revision: 1 });
    let path = format!("tasks/{}/recipients", changed[0]["id"].as_str().unwrap());
    let more = client.rows(&path).await.len();
    simulator.change(Changes::default());
    assert_eq!(client.rows(&path).await.len() + 1, more, "a revised task has one recipient more");
    assert_eq!(client.rows("tasks").await, before, "and back");
    let again = start(Config::server()).await;
    assert_eq!(Client::of_user(&again, 0).rows("tasks").await, before, "the same seed");
    let other = start(Config { seed: 2, ..Config::server() }).await;
    assert_ne!(Client::of_user(&other, 0).rows("tasks").await, before);
}

#[tokio::test]
async fn five_thousand_tasks_with_their_children_are_read_quickly() {
    let population = Population { organizations: 1, ..Population::of(5000) };
    let simulator = start(Config { population, ..Config::cloud() }).await;
    let client = Client::of_user(&simulator, 0);
    let begun = Instant::now();
    let tasks = client.rows("tasks").await;
    assert_eq!(tasks.len(), 5000);
    for task in tasks.iter().take(500) {
        for (path, _) in CHILDREN {
            client.rows(&format!("tasks/{}/{path}", task["id"].as_str().unwrap())).await;
        }
    }
    // One thousand five hundred requests, one after the other, in a debug build on a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(simulator.counters().requests, 1501);
}
