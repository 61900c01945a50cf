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
    insta::assert_snapshot!(lines(&report), @r#"
    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: its list of projects answers at /api/v1
    Authentication: Passed: the server accepts the API key and shows 1 project
    "#);
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
    insta::assert_snapshot!(report.checks[0].detail, @r#""qs.example.com:3994" answers; WARNING: over plain http, so whoever is on the way can read the API key: use https"#);
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
    insta::assert_snapshot!(told, @r#"
    Server reachable: Failed: connection refused
      Network, field -
      → -
    Qalyptus API: Skipped: not tried, because "Server reachable" failed
    Authentication: Skipped: not tried, because "Server reachable" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: "qs.example.com:3994" answers, but not as the API of Qalyptus Server (the answer is a web page (text/html): "Welcome")
      You, field server_url
      → check the server URL: it is the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: "qs.example.com:3994" answers, but not as the API of Qalyptus Server (the answer holds no list where the endpoint map says (data, data.items, data.results, data.value, items, results, value, $))
      You, field server_url
      → check the server URL: it is the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: "qs.example.com:3994" answers, but not as the API of Qalyptus Server (the answer (application/json) breaks off after 14 bytes)
      You, field server_url
      → check the server URL: it is the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: "qs.example.com:3994" answers, but not as the API of Qalyptus Server (GET /api/v1/projects: 404)
      You, field server_url
      → check the server URL: it is the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: "qs.example.com:3994" answers, but not as the API of Qalyptus Server (GET /api/v1/projects: 302)
      You, field server_url
      → check the server URL: it is the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: the server failed on its side (502 "a web page: Bad gateway")
      Remote, field -
      → try again later; if it lasts, look into the server's own log
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Failed: the server limits requests; it lifts the limit in 30 seconds (429 "slow down")
      Remote, field -
      → try again later, or lower Max parallel executions of the connection
    Authentication: Skipped: not tried, because "Qalyptus API" failed

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server asks for a good key (401) at /api/v1
    Authentication: Failed: the server refused the API key (401)
      Credential, field api_key
      → the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Server (Administration > Settings > API Keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server asks for a good key (401) at /api/v1
    Authentication: Failed: the server refused the API key (401 "Key not valid")
      Credential, field api_key
      → the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Server (Administration > Settings > API Keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server asks for a good key (401) at /api/v1
    Authentication: Failed: the server refused the API key (401 "a web page")
      Credential, field api_key
      → the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Server (Administration > Settings > API Keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server asks for a good key (417) at /api/v1
    Authentication: Failed: the server says that the API key has expired (417 "Expired")
      Credential, field api_key
      → make a new API key in Qalyptus Server and paste it here; if its expiration date has not passed, it may have been deleted, or its owner disabled

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server knows who asks (403) at /api/v1
    Authentication: Failed: GET /api/v1/projects: the API key is valid, but its owner lacks the permission (403 "Forbidden")
      Credential, field -
      → give the key's owner in Qalyptus Server a role that may see this, or use a key of another user

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server knows who asks (403) at /api/v1
    Authentication: Failed: GET /api/v1/projects: the API key is valid, but its owner lacks the permission (403 "not you")
      Credential, field -
      → give the key's owner in Qalyptus Server a role that may see this, or use a key of another user

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server knows who asks (403) at /api/v1
    Authentication: Failed: GET /api/v1/projects: the API key is valid, but its owner lacks the permission (403 "not you [2J either")
      Credential, field -
      → give the key's owner in Qalyptus Server a role that may see this, or use a key of another user

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server knows who asks (403) at /api/v1
    Authentication: Failed: GET /api/v1/projects: the API key is valid, but its owner lacks the permission (403 "no")
      Credential, field -
      → give the key's owner in Qalyptus Server a role that may see this, or use a key of another user

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server answers in its own form at /api/v1
    Authentication: Failed: the server answers 200, but says in the answer that it failed: database is away
      Remote, field -
      → try again; if it lasts, look into the server's own log

    Server reachable: Passed: "qs.example.com:3994" answers
    Qalyptus API: Passed: the server answers in its own form at /api/v1
    Authentication: Failed: the server answers 200, but says in the answer that it failed: it does not say why
      Remote, field -
      → try again; if it lasts, look into the server's own log
    "#);
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
    insta::assert_snapshot!(lines(&kit.test().unwrap()), @r#"
    Server reachable: Failed: the endpoint map of this connection is wrong: operations, "projects.list": try, entry 1: "https://evil.example/p" leads to an address of its own; only paths on this connection's server are asked
      You, field endpoint_map
      → correct that entry, or empty the field to use the built-in map
    Qalyptus API: Skipped: not tried, because "Server reachable" failed
    Authentication: Skipped: not tried, because "Server reachable" failed
    "#);
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
