//! Everything that nobody outside has seen, in each of its forms: paths, envelopes, errors, paging, rows.

use std::collections::HashSet;

use jackfield_simulators::qalyptus::{
    Config, Envelope, ErrorBody, ErrorDetails, Paging, Serving, Shape, Simulator, Switches,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, http, read, start, switch};

#[tokio::test]
async fn operations_move_to_their_other_paths() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    for (name, serving, path) in [
        ("roles.list", Serving::Candidate(0), Some("roles")),
        ("roles.list", Serving::Candidate(1), Some("security-roles")),
        ("apps.list", Serving::Candidate(0), Some("qlik-apps")),
        ("apps.list", Serving::Candidate(1), Some("apps")),
        ("qlik.status", Serving::Candidate(0), Some("settings/qlik-sense-integration")),
        ("qlik.status", Serving::Candidate(1), Some("qlik-sense/status")),
        ("qlik.status", Serving::Candidate(2), Some("tenant/qlik-sense")),
        ("recipients.list", Serving::Candidate(0), Some("recipients")),
        ("organizations.list", Serving::Path("/orgs/all".to_owned()), Some("orgs/all")),
        ("organizations.list", Serving::Absent, None),
        ("roles.list", Serving::Absent, None),
    ] {
        let serving = [(name.to_owned(), serving)].into_iter().collect();
        switch(&simulator, Switches { serving, ..Switches::default() });
        let paths = [
            "roles",
            "security-roles",
            "qlik-apps",
            "apps",
            "settings/qlik-sense-integration",
            "qlik-sense/status",
            "tenant/qlik-sense",
            "recipients",
            "organizations",
            "orgs/all",
        ];
        let of = |path: &str| match name.split('.').next().unwrap() {
            "roles" => path.contains("roles"),
            "apps" => path.contains("apps"),
            "qlik" => path.contains("qlik-sense"),
            "recipients" => path == "recipients",
            _ => path.starts_with("org"),
        };
        for candidate in paths.into_iter().filter(|path| of(path)) {
            let expected = if Some(candidate) == path { 200 } else { 404 };
            assert_eq!(client.status(candidate).await, expected, "{name}: {candidate}");
        }
    }
    let recipients = client.rows("recipients").await;
    assert!(!recipients.is_empty() && recipients.iter().all(|row| row["type"] == "Recipient"));
    for (name, serving) in [
        ("colours.list", Serving::Absent),
        ("roles.list", Serving::Candidate(2)),
        ("roles.list", Serving::Path("roles".to_owned())),
    ] {
        let serving = [(name.to_owned(), serving)].into_iter().collect();
        assert!(simulator.switch(Switches { serving, ..Switches::default() }).is_err(), "{name}");
    }
}

#[tokio::test]
async fn the_base_path_and_a_folder_in_front_of_it() {
    let config =
        Config { mount: "/qalyptus".to_owned(), base_path: "/api/v2".to_owned(), ..Config::server() };
    let simulator = start(config).await;
    let client = Client::of_user(&simulator, 0);
    assert!(simulator.base_url().ends_with("/qalyptus"));
    assert_eq!(client.status("/api/v2/projects").await, 200);
    assert_eq!(client.status("/api/v1/projects").await, 404);
    let outside = Client { base: simulator.origin().to_owned(), ..client };
    assert_eq!(outside.status("/api/v2/projects").await, 404);
}

#[tokio::test]
async fn envelopes() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let full = client.get("projects").await.1;
    let rows = full["data"].clone();
    assert_eq!(full, json!({"data": rows, "isSuccess": true, "error": null, "errorDetails": null}));
    let me = client.get("users/me").await.1["data"].clone();
    for (envelope, list, detail) in [
        (Envelope::Data, json!({"data": rows}), json!({"data": me})),
        (Envelope::Items, json!({"data": {"items": rows}}), json!({"data": me})),
        (Envelope::Bare, rows.clone(), me.clone()),
    ] {
        switch(&simulator, Switches { envelope: Some(envelope), ..Switches::default() });
        assert_eq!(client.get("projects").await.1, list, "{envelope:?}");
        assert_eq!(client.get("users/me").await.1, detail, "{envelope:?}");
    }
    let server = start(Config::server()).await;
    let body = Client::of_user(&server, 0).get("projects").await.1;
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["data"], "a server has data alone");
}

#[tokio::test]
async fn bodies_of_errors() {
    let simulator = start(Config::cloud()).await;
    let nobody = Client::new(&simulator, Vec::new());
    let envelope = |details: Value| json!({"data": null, "isSuccess": false, "error": "Unauthorized", "errorDetails": details});
    let object = json!({"code": 401, "description": "Unauthorized"});
    for (body, details, expected) in [
        (ErrorBody::Envelope, ErrorDetails::Null, envelope(Value::Null)),
        (ErrorBody::Envelope, ErrorDetails::Text, envelope(json!("Unauthorized: see the log of the server"))),
        (ErrorBody::Envelope, ErrorDetails::Object, envelope(object.clone())),
        (ErrorBody::Envelope, ErrorDetails::List, envelope(json!([object]))),
        (ErrorBody::Message, ErrorDetails::Null, json!({"message": "Unauthorized"})),
        (ErrorBody::Status, ErrorDetails::Null, json!({"data": null, "status": {"message": "Unauthorized"}})),
        (ErrorBody::Empty, ErrorDetails::Null, Value::Null),
        (ErrorBody::Html, ErrorDetails::Null, Value::Null),
    ] {
        let switches =
            Switches { error_body: Some(body), error_details: Some(details), ..Switches::default() };
        switch(&simulator, switches);
        assert_eq!(nobody.get("projects").await, (StatusCode::UNAUTHORIZED, expected), "{body:?}");
    }
    switch(&simulator, Switches { error_body: Some(ErrorBody::Problem), ..Switches::default() });
    let response = nobody.send(Method::GET, "projects", None).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json; charset=utf-8");
    let (_, problem) = read(response).await;
    assert_eq!((&problem["title"], &problem["status"]), (&json!("Unauthorized"), &json!(401)));
}

/// Reads a list to its end in the way that its paging asks for.
async fn walk(simulator: &Simulator, client: &Client, paging: Paging) -> (Vec<Value>, usize) {
    switch(simulator, Switches { paging: Some(paging), ..Switches::default() });
    let (mut rows, mut requests, mut next) = (Vec::new(), 0, "tasks".to_owned());
    loop {
        let (status, mut body) = client.get(next.strip_prefix(&client.base).unwrap_or(&next)).await;
        assert_eq!(status, StatusCode::OK, "{next}: {body}");
        requests += 1;
        let page = body["data"].as_array_mut().unwrap();
        let last = page.is_empty();
        rows.append(page);
        let total = body["totalItems"].as_u64().unwrap() as usize;
        next = match paging {
            Paging::Offset { .. } => format!("tasks?offset={}&limit=100", rows.len()),
            Paging::Page { .. } => format!("tasks?page={}", requests + 1),
            _ => body["links"]["next"]["href"].as_str().unwrap_or_default().to_owned(),
        };
        if last || rows.len() >= total {
            return (rows, requests);
        }
    }
}

#[tokio::test]
async fn ways_to_page() {
    let simulator = start(Config::server()).await;
    let client = Client::of_user(&simulator, 0);
    let all = client.rows("tasks").await;
    assert_eq!(client.rows("tasks?offset=7&limit=3").await, all, "without paging parameters mean nothing");
    assert!(client.get("tasks").await.1.get("totalItems").is_none());
    for (paging, requests) in [
        (Paging::Offset { usual: 20, most: 30 }, 3),
        (Paging::Page { usual: 20, most: 30 }, 4),
        (Paging::Link { size: 20 }, 4),
    ] {
        assert_eq!(walk(&simulator, &client, paging).await, (all.clone(), requests), "{paging:?}");
    }
    switch(&simulator, Switches { paging: Some(Paging::CutShort { rows: 5 }), ..Switches::default() });
    let (_, body) = client.get("tasks?offset=5").await;
    assert_eq!(body["data"], json!(all[..5]), "a list that is cut short stays so");
    assert_eq!(body["totalItems"], all.len());
    let paging = Paging::Offset { usual: 20, most: 30 };
    let bare = Switches { paging: Some(paging), envelope: Some(Envelope::Bare), ..Switches::default() };
    switch(&simulator, bare);
    let response = client.send(Method::GET, "tasks", None).await;
    assert_eq!(response.headers()["x-total-count"], all.len().to_string().as_str());
    assert_eq!(client.status("tasks?offset=x").await, 400);
}

#[tokio::test]
async fn shapes_of_rows() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let plain = client.rows("tasks").await;
    let set = |shape: Shape| switch(&simulator, Switches { shape: Some(shape), ..Switches::default() });
    set(Shape { nulls: true, ..Shape::default() });
    let blank =
        |row: &Value| row.as_object().unwrap().iter().all(|(key, value)| key == "id" || value.is_null());
    for path in ["tasks", "users", "reports", "projects", "connections", "qlik-apps"] {
        let rows = client.rows(path).await;
        assert!(rows.iter().any(blank) && !rows.iter().all(blank), "{path}");
    }
    set(Shape { unknown_members: true, ..Shape::default() });
    assert!(client.rows("filters").await.iter().all(|row| row["xNobodyKnowsThis"]["since"] == 2027));
    set(Shape { odd_names: true, ..Shape::default() });
    assert!(client.rows("reports").await.iter().any(|row| row["name"].as_str().unwrap().contains('📊')));
    set(Shape { duplicates: true, ..Shape::default() });
    let rows = client.rows("tasks").await;
    assert_eq!((rows.len(), rows.last()), (plain.len() + 1, plain.first()));
    let ids: HashSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids.len(), plain.len());
    set(Shape { roles_as_texts: true, ..Shape::default() });
    assert_eq!(client.get("users/me").await.1["data"]["organizationRoles"][0], "Administrator");
    set(Shape::default());
    assert_eq!(client.get("users/me").await.1["data"]["organizationRoles"][0]["role"], "Administrator");
}

#[tokio::test]
async fn connections_may_need_a_project() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    assert_eq!(client.status("connections").await, 200);
    switch(&simulator, Switches { connections_need_project: Some(true), ..Switches::default() });
    assert_eq!(client.status("connections").await, 400);
    let path = format!("connections?projectId={}", simulator.project_id(0));
    assert!(!client.rows(&path).await.is_empty());
}

#[tokio::test]
async fn switches_are_thrown_over_http() {
    let simulator = start(Config::cloud()).await;
    let client = Client::of_user(&simulator, 0);
    let put = async |body: Value| {
        let request = http("").put(format!("{}/__sim/switches", simulator.origin()));
        read(request.body(body.to_string()).send().await.unwrap()).await.0
    };
    let switches = json!({
        "envelope": "bare", "paging": {"mode": "offset", "usual": 3, "most": 10}, "errorBody": "message",
        "serving": {"roles.list": {"candidate": 1}, "organizations.list": "absent"},
        "integration": {"disconnected": "why"}, "shape": {"nulls": true}, "consoleEverywhere": true,
    });
    assert_eq!(put(switches).await, StatusCode::NO_CONTENT);
    assert_eq!(client.get("projects").await.1.as_array().unwrap().len(), 3);
    assert_eq!((client.status("roles").await, client.status("security-roles").await), (404, 200));
    assert_eq!(client.get("organizations").await.1, json!({"message": "Not found"}));
    for wrong in [
        json!({"colour": 1}),
        json!({"envelope": "paper"}),
        json!({"serving": {"colours.list": "absent"}}),
        json!({"shape": {"round": true}}),
    ] {
        assert_eq!(put(wrong.clone()).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
