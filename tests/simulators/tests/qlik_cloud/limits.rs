//! The rate limiter.

use std::time::Duration;

use jackfield_simulators::qlik_cloud::{Config, Limits, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::Client;

async fn limited(retry_after: bool) -> Simulator {
    // Ten reads and one write in two seconds.
    let limits = Limits { enabled: true, scale: 0.002, window: Duration::from_secs(2), retry_after };
    Simulator::start(Config { limits, ..Config::default() }).await.unwrap()
}

#[tokio::test]
async fn an_exhausted_tier_says_when_it_opens_and_opens() {
    let simulator = limited(true).await;
    let (admin, other) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 1));
    for _ in 0..10 {
        assert_eq!(admin.get("/api/v1/spaces").await.0, StatusCode::OK);
    }
    let response = admin.send(Method::GET, "/api/v1/items", None).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let detail = format!("You need to wait {wait} seconds until limit is lifted.");
    assert_eq!(
        body,
        json!({"errors": [{"code": "HTTP-429", "title": "API rate limit reached.", "detail": detail}]})
    );
    assert_eq!(other.get("/api/v1/spaces").await.0, StatusCode::OK, "another user has a budget of their own");
    assert_eq!(admin.get("/api/v1/audits").await.0, StatusCode::OK, "another tier is open");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(admin.get("/api/v1/spaces").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_header_can_be_missing() {
    let simulator = limited(false).await;
    let admin = Client::of_user(&simulator, 0);
    let mut last = None;
    for _ in 0..11 {
        last = Some(admin.send(Method::GET, "/api/v1/spaces", None).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(last.headers().get("retry-after").is_none());
    simulator.reset_limits();
    assert_eq!(admin.get("/api/v1/spaces").await.0, StatusCode::OK);
}
