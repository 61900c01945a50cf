//! Lists: envelopes, paging, sorting, what is in them, and what changes.

use std::collections::HashSet;

use jackfield_simulators::nprinting::{Changes, Config, Dates, Shape};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, server};

fn texts<'a>(rows: &'a [Value], key: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[key].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_have_fifty_entries_unless_told() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let (_, body) = admin.get("users").await;
    assert_eq!(body["data"]["items"].as_array().unwrap().len(), 50);
    assert_eq!((&body["data"]["totalItems"], &body["data"]["limit"]), (&json!(120), &json!(50)));
    let (status, body) = admin.get("users?limit=0").await;
    let empty = json!({"items": [], "totalItems": 120, "offset": 0, "limit": 0});
    assert_eq!((status, &body["data"]), (StatusCode::OK, &empty), "a ping");
    let whole = admin.get("users?limit=9999").await.1;
    assert_eq!(whole["data"]["items"].as_array().unwrap().len(), 120);
    assert_eq!(admin.get("users?offset=500").await.1["data"]["items"], json!([]));
    let paged = admin.all("users").await;
    assert_eq!(&paged, whole["data"]["items"].as_array().unwrap());
    for wrong in ["users?limit=-1", "users?limit=many", "users?offset=x", "users?sort=%2Bemail"] {
        assert_eq!(admin.status(wrong).await, 400, "{wrong}");
    }
    let capped = server(Config { max_limit: Some(100), ..Config::default() }).await;
    let body = Client::of_user(&capped, 0).get("users?limit=9999").await.1;
    assert_eq!(body["data"]["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn paths_and_parameters_come_in_any_case() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let task = simulator.task_id(0);
    for path in [
        "Apps".to_owned(),
        "FILTERS?APPID=".to_owned() + &simulator.app_id(0),
        format!("tasks/{}/Executions", task.to_uppercase()),
        "/API/V1/Roles".to_owned(),
    ] {
        assert_eq!(admin.status(&path).await, 200, "{path}");
    }
    assert_eq!(simulator.requests()[0].path, "/api/v1/Apps", "the journal keeps the spelling");
}

#[tokio::test]
async fn ids_are_guids() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let unknown = "00000000-0000-4000-8000-000000000000";
    for noun in ["apps", "connections", "filters", "reports", "tasks", "users", "groups", "roles"] {
        let rows = admin.all(noun).await;
        let (_, one) = admin.get(&format!("{noun}/{}", rows[0]["id"].as_str().unwrap())).await;
        assert_eq!(one["data"], rows[0], "{noun}");
        assert_eq!(admin.status(&format!("{noun}/seven")).await, 400);
        assert_eq!(admin.status(&format!("{noun}/{unknown}")).await, 404);
        assert_eq!(texts(&rows, "id").iter().collect::<HashSet<_>>().len(), rows.len());
    }
    assert_eq!(admin.status("tasks/x/executions").await, 400);
    assert_eq!(admin.status(&format!("tasks/{unknown}/executions")).await, 404);
    assert_eq!(admin.status("reports?appId=x").await, 400);
}

#[tokio::test]
async fn sorting() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    for (list, sort, key, descending) in [
        ("apps", "", "created", true),
        ("apps", "sort=%2Bcreated", "created", false),
        ("apps", "sort=%2Bname", "name", false),
        ("apps", "sort=+name,-created", "name", false),
        ("users", "sort=-name", "userName", true),
        ("reports", "sort=%2Btitle", "title", false),
        ("roles", "sort=%2Bname", "name", false),
        ("roles", "sort=%2Bdescription", "description", false),
    ] {
        let rows = admin.all(&format!("{list}?{sort}")).await;
        let mut expected = texts(&rows, key);
        expected.sort_unstable();
        if descending {
            expected.reverse();
        }
        assert_eq!(texts(&rows, key), expected, "{list} {sort}");
    }
    for wrong in ["tasks?sort=%2Bname", "reports?sort=%2Bname", "roles?sort=-created"] {
        assert_eq!(admin.status(wrong).await, 400, "{wrong}");
    }
}

#[tokio::test]
async fn reports_hide_and_have_no_app() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let all = admin.all("reports").await;
    let hidden: Vec<u64> = (0..96).filter(|index| !simulator.report_is_listed(*index)).collect();
    assert_eq!((all.len(), hidden.len()), (72, 24));
    assert_eq!(admin.status(&format!("reports/{}", simulator.report_id(hidden[0]))).await, 404);
    assert!(all.iter().all(|row| row.get("name").is_none() && row.get("appId").is_none()));
    let of_app = admin.all(&format!("reports?appId={}", simulator.app_id(0))).await;
    assert_eq!(of_app.len(), 6);
    assert!(texts(&of_app, "id").contains(&simulator.report_id(0).as_str()));
}

#[tokio::test]
async fn tasks_publish_unless_told() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let (publish, import) = (admin.all("tasks").await, admin.all("tasks?type=import").await);
    assert!(publish.iter().all(|task| task["type"] == "publish"));
    assert!(import.iter().all(|task| task["type"] == "import"));
    assert!(texts(&import, "id").contains(&simulator.task_id(1).as_str()));
    assert_eq!(publish.len() + import.len(), 60);
    assert_eq!(admin.status("tasks?type=other").await, 400);
    let path = format!("tasks/{}/executions", simulator.task_id(0));
    let executions = admin.all(&path).await;
    assert_eq!(executions.len(), 60);
    assert!(executions.iter().all(|row| row["task"] == simulator.task_id(0)));
    let newest = admin.get(&format!("{path}?limit=1&sort=-created")).await.1;
    assert_eq!(newest["data"]["items"][0], executions[0]);
    let task = admin.get(&format!("tasks/{}", simulator.task_id(0))).await.1;
    assert_eq!(task["data"]["lastExecution"], executions[0]["created"]);
    let one = format!("{path}/{}", executions[7]["id"].as_str().unwrap());
    assert_eq!(admin.get(&one).await.1["data"], executions[7]);
}

#[tokio::test]
async fn every_cache_status_occurs_and_filters_stay_in_their_app() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let connections = admin.all("connections").await;
    let statuses: HashSet<&str> = texts(&connections, "cacheStatus").into_iter().collect();
    assert_eq!(statuses.len(), 6);
    for filter in admin.all("filters").await {
        let of = &filter["fields"][0]["connectionId"];
        let connection = connections.iter().find(|connection| connection["id"] == *of).unwrap();
        assert_eq!(connection["appId"], filter["appId"]);
    }
}

#[tokio::test]
async fn people_can_be_searched() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let total = async |path: &str| admin.get(path).await.1["data"]["totalItems"].as_u64().unwrap();
    assert_eq!(total(&format!("users?email={}", simulator.user_email(3))).await, 1);
    assert_eq!(total("users?email=%25%40EXAMPLE.com").await, 120);
    assert_eq!(total("users?email=user").await, 0);
    let enabled = total("users?enabled=true").await;
    assert!(enabled < 120 && enabled + total("users?enabled=false").await == 120);
    assert_eq!(admin.status("users?enabled=perhaps").await, 400);
    assert_eq!(total("roles?rolename=admin%25").await, 1);

    let user = simulator.user_id(0);
    let roles = admin.get(&format!("users/{user}/roles")).await.1;
    assert_eq!(roles["data"]["items"], json!([simulator.role_id(0)]));
    let role = admin.get(&format!("roles/{}", simulator.role_id(0))).await.1;
    assert_eq!((&role["data"]["hasAllActions"], &role["data"]["hasAllApps"]), (&json!(true), &json!(true)));
    let groups = admin.get(&format!("users/{user}/groups")).await.1;
    let group = groups["data"]["items"][0].as_str().unwrap();
    let members = admin.all(&format!("groups/{group}/users")).await;
    assert!(members.contains(&json!(user)));
}

#[tokio::test]
async fn releases_differ() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    simulator.set_shape(Shape { lower_case_keys: true, omit_optional: true, ..Shape::default() });
    let users = admin.all("users").await;
    assert!(users.iter().all(|user| user["username"].is_string() && user.get("userName").is_none()));
    assert!(users.iter().all(|user| user.get("nickname").is_none()));
    assert!(admin.all("apps").await.iter().all(|app| app.get("lastUpdate").is_none()));
    assert!(admin.all("filters").await.iter().all(|filter| filter["appid"].is_string()));
    simulator.set_shape(Shape {
        unknown_values: true,
        capital_formats: true,
        dates: Dates::Mixed,
        ..Shape::default()
    });
    let reports = admin.all("reports").await;
    assert!(texts(&reports, "type").contains(&"Hologram"));
    assert!(
        reports.iter().all(|report| report["outputFormats"][0].as_str().unwrap().to_uppercase()
            == report["outputFormats"][0])
    );
    let created = reports.iter().map(|report| report["created"].as_str().unwrap());
    let lengths: HashSet<usize> = created.clone().map(str::len).collect();
    assert!(lengths.len() > 2 && created.clone().all(|time| time.parse::<jiff::Timestamp>().is_ok()));
    let path = format!("tasks/{}/executions", simulator.task_id(0));
    assert!(texts(&admin.all(&path).await, "status").contains(&"Teleported"));
}

#[tokio::test]
async fn rounds_of_changes() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let before = admin.all("users").await;
    simulator.change(Changes { percent: 20.0, revision: 1 });
    let after = admin.all("users").await;
    let find = |rows: &[Value], id: &Value| rows.iter().find(|row| row["id"] == *id).cloned();
    let added = after.iter().filter(|row| find(&before, &row["id"]).is_none()).count();
    let removed = before.iter().filter(|row| find(&after, &row["id"]).is_none()).count();
    let modified =
        after.iter().filter(|row| find(&before, &row["id"]).is_some_and(|old| old != **row)).count();
    assert!(added > 0 && removed > 0 && modified > removed, "{added} {removed} {modified}");
    let path = format!("tasks/{}/executions", simulator.task_id(0));
    assert_eq!(admin.all(&path).await.len(), 61);
    simulator.change(Changes::default());
    assert_eq!(admin.all("users").await, before, "and back");
}

#[tokio::test]
async fn requests_and_the_audit_trail() {
    let simulator = server(Config::default()).await;
    let (admin, limited) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 1));
    assert_eq!(admin.all("ondemand/requests/all").await.len(), 24);
    assert_eq!(limited.all("ondemand/requests/all").await.len(), 0);
    assert_eq!(limited.all("ondemand/requests").await.len(), 1);
    let events = admin.all("audit/events").await;
    assert_eq!(
        admin.get(&format!("audit/events/{}", events[0]["id"].as_str().unwrap())).await.1["data"],
        events[0]
    );
    let logs = admin.send(reqwest::Method::GET, "audit/logs", None).await.bytes().await.unwrap();
    assert!(logs.starts_with(b"\xEF\xBB\xBFEventTime\tSource\tEvent"));
    assert_eq!(logs.iter().filter(|byte| **byte == b'\n').count(), 241);
    assert_eq!(limited.status("audit/logs").await, 403);
}
