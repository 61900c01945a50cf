//! What goes wrong on request, bodies of errors, and what the journal saw.

use jackfield_simulators::faults::{BodyKind, Fault, FaultKind};
use jackfield_simulators::nprinting::{Config, ErrorBody};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, http, pair, read, server};

#[tokio::test]
async fn bodies_of_errors() {
    let simulator = server(Config::default()).await;
    let nobody = Client::new(&simulator, Vec::new());
    let expected = json!({"result": null, "code": 401, "message": "Unauthorized"});
    assert_eq!(nobody.get("apps").await, (StatusCode::UNAUTHORIZED, expected));
    assert_eq!(Client::of_user(&simulator, 0).status("nothing").await, 404);
    simulator.set_error_body(ErrorBody::Empty);
    assert!(nobody.send(Method::GET, "apps", None).await.bytes().await.unwrap().is_empty());
    simulator.set_error_body(ErrorBody::Html);
    let response = nobody.send(Method::GET, "apps", None).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (401, &"text/html; charset=utf-8".parse().unwrap())
    );
}

#[tokio::test]
async fn faults_hit_paths_in_any_case() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    simulator.fail_next("/api/v1/Apps", 503, 1);
    let (status, body) = admin.get("aPPs").await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!(503)));
    let kind = FaultKind::Status { status: 502, body: BodyKind::Html };
    simulator.add_fault(Fault::new("/api/v1/users", kind).times(1));
    let text = admin.send(Method::GET, "users", None).await.text().await.unwrap();
    assert!(text.contains("<h1>502 Bad Gateway</h1>"), "{text}");
    simulator.add_fault(Fault::new("/api/v1/users", FaultKind::ResetMidBody).times(1));
    assert!(admin.send(Method::GET, "users", None).await.bytes().await.is_err());
    simulator.add_fault(Fault::new("/", FaultKind::Hang));
    simulator.clear_faults();
    assert_eq!(admin.status("users").await, 200);
}

#[tokio::test]
async fn a_page_that_repeats() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    let first = admin.get("users?limit=10").await.1;
    simulator.add_fault(Fault::new("/api/v1/users", FaultKind::RepeatPage).times(1));
    assert_eq!(admin.get("users?limit=10&offset=10").await.1, first);
}

#[tokio::test]
async fn the_journal_and_the_control_plane() {
    let simulator = server(Config::default()).await;
    let admin = Client::of_user(&simulator, 0);
    assert_eq!(admin.status("users?limit=7").await, 200);
    let request = simulator.requests().remove(0);
    assert_eq!(
        (request.status, request.user, request.query.as_str()),
        (200, Some(simulator.user_id(0)), "limit=7")
    );
    assert_eq!((simulator.counters().rows, simulator.counters().max_in_flight), (7, 1));
    let control = async |method: Method, path: &str, body: String| {
        let request = http("").request(method, format!("{}/__sim/{path}", simulator.base_url()));
        read(request.body(body).send().await.unwrap()).await
    };
    let fault = json!({"path": "/api/v1/Users", "kind": "status", "status": 500, "times": 1}).to_string();
    assert_eq!(control(Method::POST, "faults", fault).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.status("users").await, 500);
    assert_eq!(
        control(Method::POST, "jwt-certificate", "rubbish".to_owned()).await.0,
        StatusCode::BAD_REQUEST
    );
    let pem = pair().certificate_pem.clone();
    assert_eq!(control(Method::POST, "jwt-certificate", pem).await.0, StatusCode::NO_CONTENT);
    assert_eq!(control(Method::GET, "sessions", String::new()).await.1["issued"], 1);
    assert_eq!(control(Method::DELETE, "sessions", String::new()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(simulator.open_sessions(), 0);
}

#[tokio::test]
async fn options_need_nobody() {
    let config = Config { trusted_origins: vec!["https://portal.example".to_owned()], ..Config::default() };
    let simulator = server(config).await;
    for (origin, allowed) in [("https://portal.example", true), ("https://evil.example", false)] {
        let client = Client::new(&simulator, vec![("origin", origin.to_owned())]);
        let response = client.send(Method::OPTIONS, "apps", None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers().contains_key("access-control-allow-origin"), allowed);
    }
}
