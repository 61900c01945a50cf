//! What only one of the products has: the link to Qlik Sense; sign-in with a password and on-demand requests.

use std::time::{Duration, Instant};

use jackfield_simulators::qalyptus::{Config, Integration, Simulator, Switches, Tls};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, http, start, switch};

const STATUS: &str = "settings/qlik-sense-integration";

#[tokio::test]
async fn states_of_the_link_to_qlik_sense() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let disconnected = || Integration::Disconnected("The API key has expired".to_owned());
    for (state, expected, configured, connected, apps) in [
        (Integration::Connected, 200, json!(true), json!(true), true),
        (Integration::Unstated, 200, json!(true), Value::Null, true),
        (Integration::NotConfigured, 200, json!(false), json!(false), false),
        (disconnected(), 200, json!(true), json!(false), true),
        (Integration::Forbidden, 403, Value::Null, Value::Null, true),
        (Integration::Missing, 404, Value::Null, Value::Null, true),
    ] {
        switch(&simulator, Switches { integration: Some(state.clone()), ..Switches::default() });
        let (status, body) = client.get(STATUS).await;
        assert_eq!(status.as_u16(), expected, "{state:?}");
        let data = &body["data"];
        assert_eq!((&data["isConfigured"], &data["isConnected"]), (&configured, &connected), "{state:?}");
        assert_eq!(data.get("isConnected").is_some(), connected != Value::Null, "{state:?}");
        assert_eq!(!client.rows("qlik-apps").await.is_empty(), apps, "{state:?}");
    }
    switch(&simulator, Switches { integration: Some(disconnected()), ..Switches::default() });
    assert_eq!(client.get(STATUS).await.1["data"]["lastError"], "The API key has expired");
    let server = start(Config::server()).await;
    let client = Client::of_user(&server, 0);
    assert_eq!((client.status(STATUS).await, client.status("qlik-apps").await), (404, 404));
}

#[tokio::test]
async fn apps_are_what_connections_use() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let apps = client.rows("qlik-apps").await;
    for connection in client.rows("connections").await {
        let app = apps.iter().find(|app| app["appId"] == connection["appId"]).unwrap();
        assert_eq!(app["name"], connection["appName"]);
    }
}

#[tokio::test]
async fn roles_are_those_of_the_product() {
    for (config, first, second) in [
        (Config::server(), "Administrators", "Developers"),
        (Config::cloud(), "Tenant Administrator", "Administrator"),
    ] {
        let simulator = start(config).await;
        let roles = Client::of_user(&simulator, 0).rows("roles").await;
        assert_eq!((&roles[0]["name"], &roles[1]["name"]), (&json!(first), &json!(second)));
        assert_eq!(roles.iter().filter(|role| role["isDefault"] == true).count(), 6);
        assert!(roles.len() > 6);
    }
}

#[tokio::test]
async fn a_server_knows_passwords_and_its_tokens_end_with_417() {
    let simulator = start(Config::server()).await;
    let nobody = Client::new(&simulator, Vec::new());
    let login = async |user: &str, password: &str| {
        let body = json!({"username": user, "password": password});
        nobody.call(Method::POST, "login", Some(body)).await
    };
    let user = simulator.user_email(0);
    let (status, body) = login(&user, "wrong").await;
    let refused = json!({"data": null, "status": {"message": "Invalid username or password"}});
    assert_eq!((status, body), (StatusCode::UNAUTHORIZED, refused));
    assert_eq!(login("nobody@example.com", "Qalyptus-1").await.0, StatusCode::UNAUTHORIZED);
    let (status, body) = login(&user, "Qalyptus-1").await;
    assert_eq!(status, StatusCode::OK);
    let client = Client::bearing(&simulator, body["data"]["token"].as_str().unwrap());
    assert_eq!(client.get("users/me").await.1["data"]["email"], user.as_str());
    simulator.expire_sessions();
    assert_eq!(client.status("users/me").await, 417);
    let path = format!("login/refresh?refreshToken={}", body["data"]["refreshToken"].as_str().unwrap());
    let (status, renewed) = nobody.get(&path).await;
    assert_eq!(status, StatusCode::OK);
    let client = Client::bearing(&simulator, renewed["data"]["token"].as_str().unwrap());
    assert_eq!(client.status("users/me").await, 200);
    assert_eq!(nobody.status(&path).await, 401, "it serves once");
    let response = nobody.send(Method::GET, "login/ntlm", None).await;
    let challenges = response.headers().get_all("www-authenticate").iter();
    let challenges: Vec<&str> = challenges.map(|one| one.to_str().unwrap()).collect();
    assert_eq!((response.status(), challenges), (StatusCode::UNAUTHORIZED, vec!["Negotiate", "NTLM"]));
}

#[tokio::test]
async fn on_demand_requests_run_by_the_clock() {
    let pace = (Duration::from_millis(50), Duration::from_millis(50));
    let simulator = start(Config { pace, ..Config::server() }).await;
    let (client, other) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 1));
    let project = simulator.project_id(0);
    let connection = client.rows(&format!("connections?projectId={project}")).await[0]["id"].clone();
    let body = |report: &str| {
        json!({"type": "report", "config": {"reportId": report, "outputFormat": "Xlsx"}, "selections": [],
            "connectionId": connection})
    };
    let before = client.rows(&format!("ondemand/requests?projectId={project}")).await.len();
    assert_eq!(client.call(Method::POST, "ondemand/requests", Some(body("x"))).await.0.as_u16(), 400);
    let report = simulator.report_id(0);
    let (status, made) = client.call(Method::POST, "ondemand/requests", Some(body(&report))).await;
    assert_eq!((status, &made["data"]["status"]), (StatusCode::OK, &json!("queued")));
    let path = format!("ondemand/requests/{}", made["data"]["id"].as_str().unwrap());
    let begun = Instant::now();
    while client.status(&format!("{path}/result")).await != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never completed");
    }
    let listed = client.rows(&format!("ondemand/requests?projectId={project}")).await;
    assert_eq!((listed.len(), &listed[0]["status"]), (before + 1, &json!("completed")));
    assert_eq!(other.call(Method::DELETE, &path, None).await.0.as_u16(), 404, "it is another's");
    assert_eq!(client.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    assert_eq!(client.status(&format!("{path}/result")).await, 404);
    let cloud = start(Config::cloud()).await;
    assert_eq!(Client::of_user(&cloud, 0).status("ondemand/requests").await, 404);
}

#[tokio::test]
async fn certificates() {
    let cloud = Simulator::start(Config::cloud()).await.unwrap();
    assert!(cloud.base_url().starts_with("https://localhost:"), "the cloud product speaks HTTPS");
    assert_eq!(Client::of_user(&cloud, 0).status("projects").await, 200);
    let server = Simulator::start(Config::server()).await.unwrap();
    assert!(server.base_url().starts_with("http://127.0.0.1:"), "the server product does not");
    let own = Simulator::start(Config { tls: Tls::SelfSigned, ..Config::server() }).await.unwrap();
    assert_eq!(Client::of_user(&own, 0).status("projects").await, 200);
    for simulator in [&cloud, &own] {
        let url = format!("{}/api/v1/projects", simulator.base_url());
        assert!(http("").get(url).send().await.is_err(), "nobody trusts it by default");
    }
}
