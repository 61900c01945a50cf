//! Who may do what: roles, scopes, fewer rows, refusals.

use jackfield_simulators::faults::BodyKind;
use jackfield_simulators::qlik_cloud::{Access, NewClient};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, tenant};

const ADMIN: u64 = 0;
const ANALYTICS: u64 = 1;
const AUDITOR: u64 = 3;
const PERSON: u64 = 5;

#[tokio::test]
async fn the_table_of_roles() {
    let simulator = tenant(50).await;
    for (path, users) in [
        ("/api/v1/roles", &[ADMIN][..]),
        ("/api/v1/audits", &[ADMIN, AUDITOR]),
        ("/api/v1/web-integrations", &[ADMIN]),
        ("/api/v1/automations?listAll=true", &[ADMIN, ANALYTICS]),
        ("/api/v1/sharing-tasks", &[ADMIN]),
        ("/api/v1/users", &[ADMIN, ANALYTICS, AUDITOR, PERSON]),
        ("/api/v1/spaces", &[ADMIN, ANALYTICS, AUDITOR, PERSON]),
    ] {
        for user in [ADMIN, ANALYTICS, AUDITOR, PERSON] {
            let expected = if users.contains(&user) { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(
                Client::of_user(&simulator, user).get(path).await.0,
                expected,
                "{path} as user {user}"
            );
        }
    }
}

#[tokio::test]
async fn reloads_of_everything_are_a_bad_request_for_others() {
    let simulator = tenant(50).await;
    assert_eq!(Client::of_user(&simulator, ADMIN).get("/api/v1/reloads").await.0, StatusCode::OK);
    let person = Client::of_user(&simulator, PERSON);
    assert_eq!(person.get("/api/v1/reloads").await.0, StatusCode::BAD_REQUEST);
    let path = format!("/api/v1/reloads?appId={}", simulator.app_id(0));
    assert_eq!(person.get(&path).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_narrow_token_sees_fewer_rows_and_no_error() {
    let simulator = tenant(200).await;
    let count = async |scopes: &[&str], path: &str| {
        let credentials = simulator.create_oauth_client(&NewClient::scoped("narrow", scopes));
        Client::of_machine(&simulator, &credentials).await.all(path).await.0.len()
    };
    let apps = "/api/v1/items?resourceType=app&limit=100";
    assert_eq!(count(&["admin.apps:read"], apps).await, 200);
    let own = count(&["apps:read"], apps).await;
    assert!((1..100).contains(&own), "{own}");
    assert_eq!(count(&["admin.users:read"], apps).await, 0);
    assert_eq!(count(&["admin.apps:read"], "/api/v1/spaces?limit=100").await, 0);
    assert_eq!(count(&["admin.spaces:read"], "/api/v1/spaces?limit=100").await, 20);
}

#[tokio::test]
async fn an_invisible_app_is_not_found() {
    let simulator = tenant(200).await;
    let person = Client::of_user(&simulator, PERSON);
    let (seen, _) = person.all("/api/v1/items?resourceType=app&limit=100").await;
    let hidden = (0..200).map(|index| simulator.app_id(index));
    let hidden =
        hidden.into_iter().find(|id| seen.iter().all(|item| item["resourceId"] != id.as_str())).unwrap();
    assert_eq!(person.get(&format!("/api/v1/apps/{hidden}")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn details_of_users_need_the_right_to_them() {
    let simulator = tenant(50).await;
    let basic = simulator.create_oauth_client(&NewClient::scoped("basic", &["users:read"]));
    let basic = Client::of_machine(&simulator, &basic).await;
    let (_, body) = basic.get("/api/v1/users?limit=1").await;
    assert!(body["data"][0].get("assignedRoles").is_none() && body["data"][0].get("email").is_none());
    let none = simulator.create_oauth_client(&NewClient::scoped("none", &["admin.apps:read"]));
    let none = Client::of_machine(&simulator, &none).await;
    assert_eq!(none.get("/api/v1/users").await.0, StatusCode::FORBIDDEN);
    assert_eq!(none.get("/api/v1/users/me").await.0, StatusCode::OK);
}

#[tokio::test]
async fn custom_roles_count_at_once() {
    let simulator = tenant(50).await;
    let person = Client::of_user(&simulator, PERSON);
    let apps = "/api/v1/items?resourceType=app&limit=100";
    assert!(person.all(apps).await.0.len() < 50);
    let _ = simulator.create_custom_role("Catalogue reader", &["admin.apps:read"]);
    simulator.set_roles(&simulator.user_id(PERSON), &["Catalogue reader"]).unwrap();
    assert_eq!(person.all(apps).await.0.len(), 50);
    let (_, me) = person.get("/api/v1/users/me").await;
    assert_eq!(me["assignedRoles"][0]["type"], "custom");
    assert!(simulator.set_roles(&simulator.user_id(PERSON), &["No such role"]).is_err());
}

#[tokio::test]
async fn roles_are_made_and_given_through_the_api() {
    let simulator = tenant(50).await;
    let admin = Client::of_user(&simulator, ADMIN);
    let body = json!({"name": "Auditor", "assignedScopes": ["admin.apps:read"]});
    let (status, role) = admin.call(Method::POST, "/api/v1/roles", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);
    let patch = json!([{"op": "add", "path": "/assignedRoles", "value": [{"id": role["id"]}]}]);
    let user = format!("/api/v1/users/{}", simulator.user_id(PERSON));
    assert_eq!(admin.call(Method::PATCH, &user, Some(patch)).await.0, StatusCode::NO_CONTENT);
    let (_, shown) = admin.get(&user).await;
    assert!(shown["assignedRoles"].as_array().unwrap().iter().any(|held| held["name"] == "Auditor"));
    let (_, found) = admin.get("/api/v1/roles?filter=name%20eq%20%22Auditor%22").await;
    assert_eq!(found["data"][0]["assignedScopes"], json!(["admin.apps:read"]));
}

#[tokio::test]
async fn an_exception_beats_the_table() {
    let simulator = tenant(50).await;
    let (admin, person) = (Client::of_user(&simulator, ADMIN), Client::of_user(&simulator, PERSON));
    simulator.set_access(Some("GET"), "/api/v1/roles", Access::Allow);
    assert_eq!(person.get("/api/v1/roles").await.0, StatusCode::OK);
    simulator.set_access(None, "/api/v1/spaces", Access::Deny(BodyKind::Bare));
    let response = admin.send(Method::GET, "/api/v1/spaces", None).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.text().await.unwrap(), "Forbidden");
}
