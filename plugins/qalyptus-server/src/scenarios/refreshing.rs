//! The refresh of a connection.

use super::*;
use jackfield_plugin::{Blame, Failure, Stage, contract::catalog::How};

fn kept(refresh: &Refresh, kind: &str) -> String {
    match &refresh.ends[kind] {
        How::Kept { reason } => reason.clone(),
        other => panic!("{kind}: {other:?}"),
    }
}

/// A good server, but for one path.
fn but(path: &str, answer: Answer) -> TestKit<QalyptusServer> {
    let kit = by(json!({}));
    kit.on("GET", path, answer);
    server(&kit);
    kit
}

#[test]
fn a_refresh_brings_everything() {
    let kit = by(json!({}));
    server(&kit);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(refresh.report.summary, @"");
    assert_eq!(kit.unasked(), [""; 0]);
    assert!(kit.requests().iter().all(|asked| asked.method == "GET" && asked.has_bearer("api_key")));
    let told: String = refresh
        .objects
        .values()
        .flatten()
        .map(|object| {
            let links: Vec<_> = object
                .links
                .iter()
                .map(|link| format!("{}={}:{}", link.relation, link.kind, link.id))
                .collect();
            format!(
                "{} \"{}\" in {:?} {} {}\n",
                object.id,
                object.name,
                object.parent.as_deref().unwrap_or("-"),
                links.join(" "),
                object.attributes
            )
        })
        .collect();
    insta::assert_snapshot!(told, @"");
}

#[test]
fn the_log_shows_the_endpoint_map() {
    let kit = by(json!({}));
    server(&kit);
    insta::assert_snapshot!(said(&kit.refresh().unwrap(), Level::Info), @"");
}

#[test]
fn a_second_refresh_finds_the_same() {
    let kit = by(json!({}));
    server(&kit);
    let (first, second) = (kit.refresh().unwrap(), kit.refresh().unwrap());
    assert_eq!((first.objects, first.ends), (second.objects, second.ends));
}

#[test]
fn whatever_is_not_shown_keeps_what_it_had() {
    let network = |stage| Answer::failure(Failure::new(Blame::Network, "no answer in time").at(stage));
    let cases = [
        ("/api/v1/users", "user", error(403, "Forbidden")),
        ("/api/v1/projects", "project", error(403, "Forbidden")),
        ("/api/v1/reports?projectId=p2", "report", error(403, "Forbidden")),
        ("/api/v1/tasks/t1/triggers", "task_trigger", error(403, "Forbidden")),
        ("/api/v1/tasks/t1/triggers", "task_trigger", Answer::status(404)),
        ("/api/v1/groups", "group", Answer::status(500)),
        ("/api/v1/groups", "group", Answer::text(200, "text/html", "<html><title>Qalyptus</title></html>")),
        (
            "/api/v1/groups",
            "group",
            Answer::json(200, json!({ "data": null, "isSuccess": false, "error": "no" })),
        ),
        ("/api/v1/groups", "group", Answer::json(200, json!({ "data": { "a": 1 } }))),
        ("/api/v1/groups", "group", Answer::json(200, json!({ "data": [1, 2] }))),
        ("/api/v1/filters", "filter", network(Stage::Answer)),
        ("/api/v1/tasks", "task_report", Answer::status(405)),
    ];
    let told: String = cases
        .map(|(path, kind, answer)| {
            let kit = but(path, answer);
            let refresh = kit.refresh().unwrap();
            assert!(refresh.ids(kind).is_empty());
            format!("{kind}: {}\n    {}\n", kept(&refresh, kind), refresh.report.summary)
        })
        .concat();
    insta::assert_snapshot!(told, @"");
}

#[test]
fn what_has_no_second_chance_ends_the_refresh() {
    let network = |stage| Answer::failure(Failure::new(Blame::Network, "connection refused").at(stage));
    let cases = [
        ("/api/v1/users", error(401, "Unauthorized")),
        ("/api/v1/tasks/t1/reports", Answer::status(417)),
        ("/api/v1/version", Answer::status(401)),
        ("/api/v1/version", network(Stage::Connect)),
        ("/api/v1/users", network(Stage::Tls)),
        ("/api/v1/projects", Answer::status(404)),
        ("/api/v1/projects", Answer::status(500)),
        ("/api/v1/projects", Answer::text(200, "text/html", "<html>")),
        ("/api/v1/reports?projectId=p1", Answer::text(200, "application/json", r#"{"data":[{"#)),
        ("/api/v1/users", Answer::failure(Failure::cancelled())),
    ];
    let told: String = cases
        .map(|(path, answer)| {
            let failure = but(path, answer).refresh().unwrap_err();
            format!("{path}\n    {:?} {failure}\n", failure.blame)
        })
        .concat();
    insta::assert_snapshot!(told, @"");
}

#[test]
fn nothing_at_all_is_no_success() {
    let kit = by(json!({}));
    for path in ["version", "organizations", "projects", "filters", "tasks", "users", "groups", "roles"] {
        kit.on("GET", &format!("/api/v1/{path}"), Answer::status(403));
    }
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @"");
}

#[test]
fn an_empty_server_is_empty() {
    let kit = by(json!({}));
    for path in ["organizations", "projects", "filters", "tasks", "users", "groups", "roles"] {
        kit.on("GET", &format!("/api/v1/{path}"), list(json!([])));
    }
    kit.on("GET", "/api/v1/version", Answer::status(404));
    let refresh = kit.refresh().unwrap();
    assert!(refresh.objects.is_empty());
    assert!(refresh.ends.values().all(|how| *how == How::Complete), "{:?}", refresh.ends);
}

#[test]
fn the_next_candidate_is_asked_only_where_there_is_nothing_and_is_remembered() {
    let kit = but("/api/v1/roles", Answer::status(404));
    kit.on("GET", "/api/v1/security-roles", list(json!([{ "id": "s1", "name": "Users" }])));
    let asked = |kit: &TestKit<QalyptusServer>| {
        let lines = kit.requests().into_iter().map(|asked| asked.line());
        lines.filter(|line| line.contains("roles")).collect::<Vec<_>>()
    };
    assert_eq!(kit.refresh().unwrap().ids("role"), ["s1"]);
    assert_eq!(asked(&kit), ["GET /api/v1/roles", "GET /api/v1/security-roles"]);
    assert_eq!(kit.refresh().unwrap().ids("role"), ["s1"]);
    assert_eq!(asked(&kit), ["GET /api/v1/security-roles"], "the one that answered comes first");
    for answer in [Answer::status(403), Answer::status(500)] {
        let kit = but("/api/v1/roles", answer);
        kept(&kit.refresh().unwrap(), "role");
        assert_eq!(asked(&kit), ["GET /api/v1/roles"], "a refusal says that the path is there");
    }
}

#[test]
fn organizations_are_made_of_groups_if_there_is_no_such_list() {
    let kit = but("/api/v1/organizations", Answer::status(404));
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.object("organization", "o1").unwrap().name, "Qalyptus");
    assert!(said(&refresh, Level::Info).contains("organizations: the server has no such list (GET /api/v1/organizations: 404); made of the rows of groups.list"));
    let kit = by(json!({}));
    kit.on("GET", "/api/v1/organizations", Answer::status(404)).on(
        "GET",
        "/api/v1/groups",
        Answer::status(403),
    );
    server(&kit);
    insta::assert_snapshot!(kept(&kit.refresh().unwrap(), "organization"), @"");
}

#[test]
fn a_row_that_went_away_meanwhile_is_no_missing_list() {
    let kit = by(json!({}));
    kit.on("GET", "/api/v1/tasks", list(json!([{ "id": "t1", "name": "a" }, { "id": "t2", "name": "b" }])))
        .on("GET", "/api/v1/tasks/t2/recipients", Answer::status(404))
        .on("GET", "/api/v1/tasks/t2/reports", list(json!([])))
        .on("GET", "/api/v1/tasks/t2/triggers", list(json!([])));
    server(&kit);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("task_recipient"), ["t1/x1"]);
    assert_eq!(refresh.ends["task_recipient"], How::Complete);
    insta::assert_snapshot!(said(&refresh, Level::Warning), @"");
}

#[test]
fn a_list_that_counts_more_than_it_shows_is_read_on_or_not_believed() {
    let page = |ids: &[&str], total: u64| {
        let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id, "name": id })).collect();
        Answer::json(200, json!({ "data": rows, "totalItems": total }))
    };
    let kit = but("/api/v1/users", page(&["a", "b"], 3));
    kit.on("GET", "/api/v1/users?offset=2&limit=100", page(&["c"], 3));
    assert_eq!(kit.refresh().unwrap().ids("user"), ["a", "b", "c"]);
    let kit = but("/api/v1/users", page(&["a", "b"], 5));
    insta::assert_snapshot!(kept(&kit.refresh().unwrap(), "user"), @"");
    let kit = but("/api/v1/users", page(&["a", "b"], 5));
    kit.on("GET", "/api/v1/users?offset=2&limit=100", page(&[], 5));
    insta::assert_snapshot!(kept(&kit.refresh().unwrap(), "user"), @"");
    let kit = but("/api/v1/projects", page(&["p1", "p2"], 5));
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @"");
}

#[test]
fn pages_are_asked_for_from_the_beginning_if_the_map_says_so() {
    let none: serde_json::Map<_, _> = [
        "version",
        "organizations.list",
        "connections.list",
        "filters.list",
        "reports.list",
        "tasks.list",
        "tasks.recipients",
        "tasks.reports",
        "tasks.triggers",
        "users.list",
        "groups.list",
        "roles.list",
    ]
    .map(|name| (name.to_owned(), Value::Null))
    .into_iter()
    .collect();
    let paging = json!({ "mode": "offset", "offset_param": "skip", "limit_param": "take", "limit": 2 });
    let over = json!({ "paging": paging, "operations": none });
    let kit = by(json!({ "endpoint_map": over.to_string() }));
    kit.on("GET", "/api/v1/projects?skip=0&take=2", list(json!([{ "id": "a" }, { "id": "b" }]))).on(
        "GET",
        "/api/v1/projects?skip=2&take=2",
        list(json!([{ "id": "c" }])),
    );
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("project"), ["a", "b", "c"]);
    insta::assert_snapshot!(kept(&refresh, "user"), @"");
}

#[test]
fn odd_rows_are_left_out_and_counted() {
    let rows = json!([{ "id": "u1", "name": null, "email": null, "extra": { "x": 1 } }, { "id": null, "name": "x" }, { "id": "u1" }, { "id": 7, "name": "\u{5e9}\u{5dc}\u{5d5}\u{5dd}" }]);
    let refresh = but("/api/v1/users", list(rows)).refresh().unwrap();
    assert_eq!(refresh.ids("user"), ["u1", "7"]);
    assert_eq!(refresh.object("user", "u1").unwrap().name, "u1");
    insta::assert_snapshot!(said(&refresh, Level::Warning), @"");
}

#[test]
fn relations_to_nothing_are_told() {
    let refresh = but(
        "/api/v1/tasks/t1/reports",
        list(json!([{ "id": "a", "reportID": "r9" }, { "id": "b", "reportID": "r1" }])),
    )
    .refresh()
    .unwrap();
    insta::assert_snapshot!(said(&refresh, Level::Warning), @"");
}

#[test]
fn ids_from_answers_lead_nowhere_else() {
    let kit = by(json!({}));
    kit.on("GET", "/api/v1/tasks", list(json!([{ "id": "../users?x=", "name": "a" }])))
        .on("GET", "/api/v1/tasks/%2E%2E%2Fusers%3Fx%3D/recipients", list(json!([])))
        .on("GET", "/api/v1/tasks/%2E%2E%2Fusers%3Fx%3D/reports", list(json!([])))
        .on("GET", "/api/v1/tasks/%2E%2E%2Fusers%3Fx%3D/triggers", list(json!([])));
    server(&kit);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ends["task_recipient"], How::Complete);
}

#[test]
fn plain_http_is_a_warning_in_the_log() {
    let kit = by(json!({ "server_url": "http://qs.example.com:3994" }));
    server(&kit);
    insta::assert_snapshot!(said(&kit.refresh().unwrap(), Level::Warning), @"");
}
