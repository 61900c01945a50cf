//! Writes: what they answer, and that they are seen.

use std::time::Duration;

use jackfield_simulators::nprinting::{Config, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, server};

/// Creates something and gives the GUID, which only `Location` tells.
async fn create(client: &Client, path: &str, body: Value) -> String {
    let response = client.send(Method::POST, path, Some(body)).await;
    assert_eq!(response.status(), StatusCode::CREATED, "{path}");
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(response.bytes().await.unwrap().is_empty());
    location.rsplit_once('/').unwrap().1.to_owned()
}

async fn admin() -> (Simulator, Client) {
    let pace = (Duration::ZERO, Duration::ZERO);
    let simulator = server(Config { pace, ..Config::default() }).await;
    let admin = Client::of_user(&simulator, 0);
    (simulator, admin)
}

#[tokio::test]
async fn a_user_comes_changes_and_goes() {
    let (simulator, admin) = admin().await;
    let user =
        create(&admin, "users", json!({"userName": "Aaron", "email": "a@example.com", "enabled": true}))
            .await;
    assert_eq!(admin.all("users?sort=%2Bname").await[0]["id"], user);
    assert_eq!(admin.all("users").await[0]["id"], user, "the youngest first");
    let path = format!("users/{user}");
    let (_, row) = admin.get(&path).await;
    assert!(row["data"]["created"].as_str().unwrap().ends_with("+00:00"));
    let own = Client::claiming(&simulator, &json!({"email": "a@example.com"}));
    assert_eq!((own.status("apps").await, own.all("apps").await.len()), (200, 0));
    let roles = format!("{path}/roles");
    assert_eq!(admin.call(Method::PUT, &roles, Some(json!([simulator.role_id(0)]))).await.0, StatusCode::OK);
    assert_eq!(own.all("apps").await.len(), 12);
    assert_eq!(admin.call(Method::PUT, &roles, Some(json!(["x"]))).await.0, StatusCode::BAD_REQUEST);

    let (status, body) = admin.call(Method::PUT, &path, Some(json!({"email": "b@example.com"}))).await;
    assert_eq!((status, body), (StatusCode::OK, Value::Null));
    assert_eq!(own.status("apps").await, 401);
    let twice = json!({"userName": "x", "email": "B@example.com"});
    assert_eq!(admin.call(Method::POST, "users", Some(twice)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    assert_eq!((admin.status(&path).await, admin.all("users").await.len()), (404, 120));
}

#[tokio::test]
async fn a_generated_row_can_be_changed_and_removed() {
    let (simulator, admin) = admin().await;
    let path = format!("users/{}", simulator.user_id(3));
    let moved = json!({"email": "moved@example.com", "userName": "0"});
    assert_eq!(admin.call(Method::PUT, &path, Some(moved)).await.0, StatusCode::OK);
    assert_eq!(admin.all("users?sort=%2Bname").await[0]["id"], simulator.user_id(3));
    assert_eq!(Client::of_user(&simulator, 3).status("apps").await, 401, "the old email is nobody's");
    let claims = json!({"email": "moved@example.com"});
    assert_eq!(Client::claiming(&simulator, &claims).status("apps").await, 200);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    assert_eq!((admin.status(&path).await, admin.all("users").await.len()), (404, 119));
}

#[tokio::test]
async fn content() {
    let (simulator, admin) = admin().await;
    let app = create(&admin, "apps", json!({"name": "Made", "enabled": true})).await;
    let connection = json!({"name": "c", "appId": app, "connectionString": "x"});
    let connection = create(&admin, "connections", connection).await;
    let filter = |connection: &str| json!({"name": "f", "appId": app, "enabled": true, "fields": [{"connectionId": connection, "name": "Year"}]});
    let refused = admin.call(Method::POST, "filters", Some(filter(&connection))).await;
    assert_eq!(refused.0, StatusCode::BAD_REQUEST, "its cache is not generated");
    let rows = admin.all("connections").await;
    let ready = rows.iter().find(|row| row["cacheStatus"] == "Generated").unwrap();
    let made = create(&admin, "filters", filter(ready["id"].as_str().unwrap())).await;
    assert_eq!(admin.all(&format!("filters?appId={app}")).await[0]["id"], made);
    let (status, body) = admin.call(Method::POST, &format!("connections/{connection}/reload"), None).await;
    assert_eq!((status, &body["data"]["cacheStatus"]), (StatusCode::OK, &json!("Enqueued")));
    let path = format!("filters/{made}");
    assert_eq!(admin.call(Method::PUT, &path, Some(json!({"name": "g"}))).await.0, StatusCode::OK);
    assert_eq!(admin.get(&path).await.1["data"]["name"], "g");
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    assert_eq!(
        admin.call(Method::DELETE, &format!("apps/{app}"), None).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let limited = Client::of_user(&simulator, 1);
    assert_eq!(limited.status(&format!("apps/{app}")).await, 404);
}

#[tokio::test]
async fn an_execution_is_queued_and_runs() {
    let (simulator, admin) = admin().await;
    let path = format!("tasks/{}/executions", simulator.task_id(0));
    let (status, body) = admin.call(Method::POST, &path, Some(json!({"priority": 5000}))).await;
    assert_eq!((status, &body["data"]["priority"]), (StatusCode::ACCEPTED, &json!(1000)));
    let newest = &admin.all(&path).await[0];
    assert_eq!((&newest["id"], &newest["status"]), (&body["data"]["id"], &json!("Completed")));
    assert!(newest["completed"].is_string());
    let one = format!("{path}/{}", newest["id"].as_str().unwrap());
    assert_eq!(
        admin.call(Method::PATCH, &one, Some(json!({"status": "paused"}))).await.0,
        StatusCode::BAD_REQUEST
    );
    let (_, body) = admin.call(Method::PATCH, &one, Some(json!({"status": "aborted"}))).await;
    assert_eq!(body["data"]["status"], "Aborted");
}

#[tokio::test]
async fn a_report_on_demand() {
    let (simulator, admin) = admin().await;
    let config = json!({"reportId": simulator.report_id(0), "outputFormat": "pdf"});
    let request = create(&admin, "ondemand/requests", json!({"type": "report", "config": config})).await;
    assert_eq!(admin.all("ondemand/requests").await[0]["id"], request);
    let path = format!("ondemand/requests/{request}");
    assert_eq!(admin.get(&path).await.1["data"]["status"], "completed");
    let file = admin.send(Method::GET, &format!("{path}/result"), None).await;
    assert!(file.headers()["content-disposition"].to_str().unwrap().contains("report.pdf"));
    assert_eq!(Client::of_user(&simulator, 1).status(&path).await, 404);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    assert_eq!(admin.status(&path).await, 404);
}
