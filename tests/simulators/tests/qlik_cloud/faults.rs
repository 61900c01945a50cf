//! Everything that can go wrong, switched on at run time.

use std::time::{Duration, Instant};

use jackfield_simulators::faults::{BodyKind, Fault, FaultKind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, http, tenant};

const ITEMS: &str = "/api/v1/items";

#[tokio::test]
async fn statuses_with_every_kind_of_body() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    for (body, expected) in [
        (BodyKind::Envelope, r#""code":"HTTP-503""#),
        (BodyKind::NumericCode, r#""code":503"#),
        (BodyKind::NoTraceId, r#""title":"Service Unavailable""#),
        (BodyKind::Bare, "Service Unavailable"),
        (BodyKind::Html, "<h1>503 Service Unavailable</h1>"),
        (BodyKind::Empty, ""),
    ] {
        simulator.add_fault(Fault::new(ITEMS, FaultKind::Status { status: 503, body }).times(1));
        let response = admin.send(Method::GET, ITEMS, None).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = response.text().await.unwrap();
        assert!(text.contains(expected), "{body:?}: {text}");
        assert_eq!(text.contains("traceId"), matches!(body, BodyKind::Envelope | BodyKind::NumericCode));
    }
    assert_eq!(admin.get(ITEMS).await.0, StatusCode::OK, "the faults are used up");
}

#[tokio::test]
async fn faults_come_late_and_go() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let kind = FaultKind::TooManyRequests { retry_after: None };
    simulator.add_fault(Fault::new(ITEMS, kind).after(1).times(1).method("get").query("limit=5"));
    let mut statuses = Vec::new();
    for path in
        ["/api/v1/items?limit=5", "/api/v1/items?limit=6", "/api/v1/items?limit=5", "/api/v1/items?limit=5"]
    {
        statuses.push(admin.get(path).await.0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
    simulator.fail_next("/api/v1/spaces", 500, 5);
    simulator.clear_faults();
    assert_eq!(admin.get("/api/v1/spaces").await.0, StatusCode::OK);
}

#[tokio::test]
async fn bodies_that_end_badly() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    simulator.add_fault(Fault::new(ITEMS, FaultKind::ResetMidBody).times(1));
    let response = admin.send(Method::GET, ITEMS, None).await;
    assert!(response.bytes().await.is_err(), "the connection broke");
    simulator.add_fault(Fault::new(ITEMS, FaultKind::TruncatedJson).times(1));
    let bytes = admin.send(Method::GET, ITEMS, None).await.bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&bytes).is_err());
    simulator.add_fault(Fault::new(ITEMS, FaultKind::EndlessBody).times(1));
    let mut response = admin.send(Method::GET, ITEMS, None).await;
    let mut read = 0;
    while read < 5_000_000 {
        read += response.chunk().await.unwrap().unwrap().len();
    }
    simulator.add_fault(Fault::new(ITEMS, FaultKind::GzipBomb { megabytes: 8 }).times(1));
    let plain = reqwest::Client::builder().no_gzip().build().unwrap();
    let packed = plain.get(format!("{}{ITEMS}", simulator.base_url())).send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().len() < 100_000);
    simulator.add_fault(
        Fault::new(ITEMS, FaultKind::WrongContentType { content_type: "text/html".to_owned() }).times(1),
    );
    assert_eq!(admin.send(Method::GET, ITEMS, None).await.headers()["content-type"], "text/html");
}

#[tokio::test]
async fn links_that_lead_astray() {
    let simulator = tenant(50).await;
    let admin = Client::of_user(&simulator, 0);
    let path = "/api/v1/items?limit=5";
    simulator.add_fault(Fault::new(ITEMS, FaultKind::RepeatPage).times(1));
    let (_, page) = admin.get(path).await;
    assert_eq!(page["links"]["next"]["href"], format!("{}{path}", simulator.base_url()));
    simulator.add_fault(
        Fault::new(ITEMS, FaultKind::NextLinkOrigin { origin: "https://evil.example".to_owned() }).times(1),
    );
    let (_, page) = admin.get(path).await;
    assert!(
        page["links"]["next"]["href"]
            .as_str()
            .unwrap()
            .starts_with("https://evil.example/api/v1/items?limit=5&next=")
    );
    let location = "https://evil.example/".to_owned();
    simulator.add_fault(Fault::new(ITEMS, FaultKind::Redirect { location, status: None }).times(1));
    let response = admin.send(Method::GET, path, None).await;
    assert_eq!(
        (response.status(), response.headers()["location"].to_str().unwrap()),
        (StatusCode::FOUND, "https://evil.example/")
    );
}

#[tokio::test]
async fn slow_and_never() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    simulator.add_fault(Fault::new(ITEMS, FaultKind::Delay { milliseconds: 200 }).times(1));
    let begun = Instant::now();
    assert_eq!(admin.get(ITEMS).await.0, StatusCode::OK);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    simulator.add_fault(Fault::new(ITEMS, FaultKind::Hang).times(1));
    let never = tokio::time::timeout(Duration::from_millis(300), admin.get(ITEMS)).await;
    assert!(never.is_err());
}

#[tokio::test]
async fn the_journal_and_the_counters() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    simulator.add_fault(Fault::new(ITEMS, FaultKind::Delay { milliseconds: 200 }));
    let both = [admin.get("/api/v1/items?limit=5"), admin.get("/api/v1/items?limit=6")];
    let [one, two] = both;
    let ((first, _), (second, _)) = tokio::join!(one, two);
    assert_eq!((first, second), (StatusCode::OK, StatusCode::OK));
    assert_eq!(simulator.counters().max_in_flight, 2);
    assert_eq!(simulator.counters().rows, 11);
    let requests = simulator.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|one| one.status == 200 && one.user == Some(simulator.user_id(0))));
    simulator.clear_requests();
    assert!(simulator.requests().is_empty());
}

#[tokio::test]
async fn the_control_plane_does_the_same_over_http() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let url = format!("{}/__sim/faults", simulator.base_url());
    let fault = json!({"path": ITEMS, "times": 1, "kind": "too-many-requests", "retryAfter": 7});
    let answer = http("").post(&url).body(fault.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let response = admin.send(Method::GET, ITEMS, None).await;
    assert_eq!(response.headers()["retry-after"], "7");
    let wrong = json!({"path": ITEMS, "kind": "hang", "time": 1});
    let answer = http("").post(&url).body(wrong.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "a misspelt member is refused");
}
