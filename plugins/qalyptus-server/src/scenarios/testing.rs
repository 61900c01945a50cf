//! The test of a connection.

use super::*;
use jackfield_plugin::{Blame, Failure, Stage, contract::http::Place};

const PROBE: &str = "/api/v1/projects";

#[test]
fn a_good_server_passes_by_one_request_that_shows_the_key() {
    let kit = by(json!({}));
    kit.on("GET", PROBE, list(json!([{ "id": "p1", "name": "Sales" }])));
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(lines(&report), @"");
    let requests = kit.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].has_bearer("api_key"));
    assert_eq!(requests[0].headers, [("accept".to_owned(), "application/json".to_owned())]);
}

#[test]
fn plain_http_is_allowed_with_a_visible_warning() {
    let kit = by(json!({ "server_url": "http://qs.example.com:3994" }));
    kit.on("GET", PROBE, list(json!([])));
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(report.checks[0].detail, @"");
}

#[test]
fn every_form_of_a_list_is_read() {
    let row = json!({ "id": "p1" });
    for body in [
        json!({ "data": [row], "isSuccess": true, "error": null, "errorDetails": null }),
        json!({ "data": [row] }),
        json!([row]),
        json!({ "data": { "items": [row], "totalItems": 1 } }),
        json!({ "items": [row] }),
        json!({ "results": [row], "more": 7 }),
        json!({ "value": [row] }),
    ] {
        let kit = by(json!({}));
        kit.on("GET", PROBE, Answer::json(200, body.clone()));
        let report = kit.test().unwrap();
        assert_eq!(report.checks[2].detail, "the server accepts the API key and shows 1 project", "{body}");
    }
}

#[test]
fn whatever_is_answered_has_its_message() {
    let network = |stage| Answer::failure(Failure::new(Blame::Network, "connection refused").at(stage));
    let cases = [
        network(Stage::Connect),
        Answer::text(200, "text/html", "<html><title>Welcome</title></html>"),
        Answer::json(200, json!({ "hello": "world" })),
        Answer::text(200, "application/json", r#"{"data":[{"id""#),
        Answer::status(404),
        Answer::status(302).header("location", "/login"),
        Answer::text(502, "text/html", "<html><title>Bad gateway</title></html>"),
        error(429, "slow down").header("retry-after", "30"),
        Answer::status(401),
        error(401, "Key not valid"),
        Answer::text(401, "text/html", "<html>"),
        error(417, "Expired"),
        Answer::json(403, json!({ "title": "Forbidden", "status": 403, "traceId": "x" })),
        Answer::json(403, json!({ "error": { "message": "not you" } })),
        Answer::json(403, json!({ "errorDetails": "not you\n\u{1b}[2J either" })),
        Answer::json(403, json!({ "status": { "message": "no" } })),
        Answer::json(200, json!({ "data": null, "isSuccess": false, "error": "database is away" })),
        Answer::json(200, json!({ "data": [], "isSuccess": false })),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = by(json!({}));
            kit.on("GET", PROBE, answer);
            let report = kit.test().unwrap();
            assert!(!report.passed());
            assert_eq!(kit.requests().len(), 1, "nothing is tried again");
            let told = lines(&report);
            format!("{told}\n")
        })
        .concat();
    insta::assert_snapshot!(told, @"");
}

#[test]
fn the_map_of_the_connection_says_where_and_how_to_ask() {
    let over = json!({ "base_path": "/qalyptus/api/v2", "auth": { "header": "X-API-Key", "template": "{key}" },
        "operations": { "projects.list": { "try": ["/workspaces"] } } });
    let kit = by(json!({ "endpoint_map": over.to_string() }));
    kit.on("GET", "/qalyptus/api/v2/workspaces", list(json!([])));
    assert!(kit.test().unwrap().passed());
    let asked = kit.requests().remove(0);
    assert!(asked.has_slot("api_key", &Place::Header { name: "X-API-Key".to_owned() }));
    assert!(!asked.has_bearer("api_key"));
}

#[test]
fn a_wrong_map_is_a_failed_check_before_anything_is_sent() {
    let kit = by(
        json!({ "endpoint_map": r#"{ "operations": { "projects.list": { "try": ["https://evil.example/p"] } } }"# }),
    );
    insta::assert_snapshot!(lines(&kit.test().unwrap()), @"");
    assert!(kit.requests().is_empty());
}

#[test]
fn a_cancelled_test_is_no_failed_check() {
    let kit = by(json!({}));
    kit.on("GET", PROBE, Answer::failure(Failure::cancelled()));
    assert!(kit.test().unwrap_err().cancelled);
}

#[test]
fn the_description_is_what_the_form_shows() {
    let description = by(json!({})).describe().unwrap();
    assert!(description.roles.source && description.roles.target);
    let fields = description.settings["properties"].as_object().unwrap();
    let titles: Vec<_> = fields.values().map(|field| field["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), 3);
    for title in ["Server URL", "API Key", "Endpoint map"] {
        assert!(titles.contains(&title), "{title}");
    }
    assert_eq!(
        description.settings["properties"]["server_url"]["x-origin"],
        json!({ "schemes": ["https", "http"] })
    );
    for step in [
        "Administration",
        "API Keys",
        "1 to 365 days",
        "Generate Key",
        "only this time",
        "rights of its owner",
    ] {
        assert!(description.help.contains(step), "{step}");
    }
}
