//! What goes wrong on request, and what the journal saw.

use std::time::Duration;

use jackfield_simulators::faults::{BodyKind, Fault, FaultKind};
use jackfield_simulators::qalyptus::{Config, ErrorBody, Paging, Simulator, Switches};
use jackfield_simulators::way::{Certificate, Line};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, http, read, start, switch};

const PROJECTS: &str = "/api/v1/projects";

#[tokio::test]
async fn statuses_have_the_form_that_is_configured() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let refused =
        |error: &str| json!({"data": null, "isSuccess": false, "error": error, "errorDetails": null});
    for (status, error) in [
        (200, "The operation failed"),
        (403, "Forbidden"),
        (417, "Expectation Failed"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ] {
        simulator.fail_next(PROJECTS, status, 1);
        let (found, body) = client.get("projects").await;
        assert_eq!((found.as_u16(), body), (status, refused(error)));
    }
    assert_eq!(client.status("projects").await, 200, "the faults are used up");
    switch(&simulator, Switches { error_body: Some(ErrorBody::Message), ..Switches::default() });
    simulator.fail_next(PROJECTS, 503, 1);
    assert_eq!(client.get("projects").await.1, json!({"message": "Service Unavailable"}));
    let html = FaultKind::Status { status: 502, body: BodyKind::Html };
    simulator.add_fault(Fault::new(PROJECTS, html).times(1));
    let text = client.send(Method::GET, "projects", None).await.text().await.unwrap();
    assert!(text.contains("<h1>502 Bad Gateway</h1>"), "{text}");
}

#[tokio::test]
async fn too_many_requests_with_and_without_a_time() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    for (retry_after, expected) in [(Some(7), Some("7")), (None, None)] {
        simulator.add_fault(Fault::new(PROJECTS, FaultKind::TooManyRequests { retry_after }).times(1));
        let response = client.send(Method::GET, "projects", None).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), expected);
        assert_eq!(read(response).await.1["error"], "Too many requests");
    }
}

#[tokio::test]
async fn bodies_that_end_badly() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    simulator.add_fault(Fault::new(PROJECTS, FaultKind::ResetMidBody).times(1));
    assert!(client.send(Method::GET, "projects", None).await.bytes().await.is_err());
    simulator.add_fault(Fault::new(PROJECTS, FaultKind::TruncatedJson).times(1));
    let bytes = client.send(Method::GET, "projects", None).await.bytes().await.unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_err());
    let kind = FaultKind::WrongContentType { content_type: "text/plain".to_owned() };
    simulator.add_fault(Fault::new(PROJECTS, kind).times(1));
    let response = client.send(Method::GET, "projects", None).await;
    assert_eq!(response.headers()["content-type"], "text/plain");
    let whole = client.rows("projects").await;
    simulator.add_fault(Fault::new(PROJECTS, FaultKind::Gzip).times(1));
    assert_eq!(client.rows("projects").await, whole, "compressed, and the same");
    let location = format!("{}/login", simulator.base_url());
    let kind = FaultKind::Redirect { location: location.clone(), status: None };
    simulator.add_fault(Fault::new(PROJECTS, kind).times(1));
    let response = client.send(Method::GET, "projects", None).await;
    assert_eq!(
        (response.status(), response.headers()["location"].to_str().unwrap()),
        (StatusCode::FOUND, location.as_str())
    );
    let page = http("").get(location).send().await.unwrap();
    assert_eq!(
        (page.status(), &page.headers()["content-type"]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );
}

#[tokio::test]
async fn a_page_that_repeats() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    for (paging, second) in [
        (Paging::Offset { usual: 10, most: 10 }, "tasks?offset=10"),
        (Paging::Page { usual: 10, most: 10 }, "tasks?page=2"),
        (Paging::Link { size: 10 }, "tasks?cursor=10"),
    ] {
        switch(&simulator, Switches { paging: Some(paging), ..Switches::default() });
        let first = client.get("tasks").await.1;
        assert_ne!(client.get(second).await.1, first);
        simulator.add_fault(Fault::new("/api/v1/tasks", FaultKind::RepeatPage).times(1));
        assert_eq!(client.get(second).await.1, first, "{paging:?}");
    }
    let origin = "https://evil.example".to_owned();
    simulator.add_fault(Fault::new("/api/v1/tasks", FaultKind::NextLinkOrigin { origin }).times(1));
    let astray = client.get("tasks").await.1["links"]["next"]["href"].clone();
    assert_eq!(astray, "https://evil.example/api/v1/tasks?cursor=10");
}

#[tokio::test]
async fn the_console_answers_where_an_api_was_meant() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    assert_eq!(client.status("/reports/api/v1/projects").await, 404);
    switch(&simulator, Switches { console_everywhere: Some(true), ..Switches::default() });
    let response = client.send(Method::GET, "/reports/api/v1/projects", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(client.status("nothing").await, 404, "inside of the API nothing changes");
}

#[tokio::test]
async fn the_journal_and_the_control_plane() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 1);
    assert_eq!(client.status("projects?x=1").await, 200);
    assert_eq!(client.status("users").await, 403);
    let requests = simulator.requests();
    let seen: Vec<_> =
        requests.iter().map(|one| (one.path.as_str(), one.query.as_str(), one.status)).collect();
    assert_eq!(seen, [(PROJECTS, "x=1", 200), ("/api/v1/users", "", 403)]);
    assert!(requests.iter().all(|one| one.user == Some(simulator.user_id(1))));
    assert!(simulator.counters().rows > 0 && simulator.counters().max_in_flight == 1);
    let control = async |method: Method, path: &str, body: &str| {
        let request = http("").request(method, format!("{}/__sim/{path}", simulator.origin()));
        read(request.body(body.to_owned()).send().await.unwrap()).await
    };
    let fault = r#"{"path": "/api/v1/projects", "kind": "status", "status": 500, "times": 1}"#;
    assert_eq!(control(Method::POST, "faults", fault).await.0, StatusCode::NO_CONTENT);
    assert_eq!(client.status("projects").await, 500);
    assert_eq!(control(Method::POST, "faults", r#"{"path": "/"}"#).await.0, StatusCode::BAD_REQUEST);
    let changes = r#"{"percent": 10.0, "revision": 2}"#;
    let before = client.rows("tasks").await;
    assert_eq!(control(Method::POST, "changes", changes).await.0, StatusCode::NO_CONTENT);
    assert_ne!(client.rows("tasks").await, before);
    let changes = r#"{"percent": 101.0, "revision": 2}"#;
    assert_eq!(control(Method::POST, "changes", changes).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(control(Method::GET, "counters", "").await.1["requests"], 5);
    assert_eq!(control(Method::DELETE, "requests", "").await.0, StatusCode::NO_CONTENT);
    assert!(simulator.requests().is_empty());
    simulator.add_fault(Fault::new("/", FaultKind::Hang));
    simulator.clear_faults();
    assert_eq!(client.status("projects").await, 200);
}

#[tokio::test]
async fn the_line_and_the_certificate() {
    let simulator = Simulator::start(Config::cloud()).await.unwrap();
    // A connection of its own for each: those that are open stay so.
    let asked = async || {
        let request = http(simulator.ca_pem()).get(simulator.base_url()).timeout(Duration::from_secs(20));
        request.send().await.map(|answer| answer.status()).map_err(|error| format!("{error:?}"))
    };
    assert_eq!(asked().await, Ok(StatusCode::OK));
    simulator.show_certificate(Certificate::Expired).unwrap();
    assert!(asked().await.is_err_and(|why| why.contains("Expired")));
    simulator.show_certificate(Certificate::Own).unwrap();
    simulator.set_line(Line::Refusing).unwrap();
    assert!(asked().await.is_err_and(|why| why.contains("ConnectionRefused")));
    simulator.set_line(Line::Open).unwrap();
    assert_eq!(asked().await, Ok(StatusCode::OK));
    let careless = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let put = async |what: &str, kind: &str| {
        let request = careless.put(format!("{}/__sim/{what}", simulator.origin()));
        request.body(json!({"kind": kind}).to_string()).send().await.unwrap().status()
    };
    assert_eq!(put("certificate", "other-name").await, StatusCode::NO_CONTENT);
    assert!(asked().await.is_err_and(|why| why.contains("NotValidForName")));
    assert_eq!(put("certificate", "paper").await, StatusCode::BAD_REQUEST);
    assert_eq!(put("line", "open").await, StatusCode::NO_CONTENT);
    assert_eq!(put("line", "shut").await, StatusCode::BAD_REQUEST);
    let plain = start(Config::server()).await;
    assert!(plain.show_certificate(Certificate::Expired).is_err(), "it speaks plain HTTP");
    plain.fail_next(PROJECTS, 500, 2);
    assert_eq!((Client::of_user(&plain, 0).status("projects").await, plain.strikes()), (500, 1));
}
