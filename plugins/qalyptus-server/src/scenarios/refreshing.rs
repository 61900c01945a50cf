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
    insta::assert_snapshot!(refresh.report.summary, @"read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 group, 1 organization, 1 role");
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
    insta::assert_snapshot!(told, @r#"
    c1 "c1" in "p1" project=project:p1 
    f1 "Region" in "p1" project=project:p1 
    g1 "All" in "o1" organization=organization:o1 {"organization":"Qalyptus"}
    o1 "Qalyptus" in "-"  {"is_default":true}
    p1 "Sales" in "-"  
    p2 "HR" in "-"  
    r1 "Margin" in "p1" project=project:p1 {"output_formats":["Xlsx"],"type":"Excel"}
    r2 "Staff" in "p2" project=project:p2 
    ro1 "Administrators" in "-"  {"is_default":true}
    t1 "Daily" in "p1" project=project:p1 {"is_active":true}
    t1/x1 "Anna" in "t1" task=task:t1 {"email":"anna@example.com","recipient_id":"u1","remote_id":"x1"}
    t1/tr1 "Margin" in "t1" task=task:t1 report=report:r1 {"format":"Xlsx","remote_id":"tr1"}
    t1/tg1 "Daily" in "t1" task=task:t1 {"app_id":{"any":1},"at_hour":7,"frequency":"Daily","remote_id":"tg1"}
    u1 "Anna" in "-"  {"email":"anna@example.com"}
    "#);
}

#[test]
fn the_log_shows_the_endpoint_map() {
    let kit = by(json!({}));
    server(&kit);
    insta::assert_snapshot!(said(&kit.refresh().unwrap(), Level::Info), @r#"
    endpoint map of qalyptus-server (built in), below /api/v1
    endpoint map: the API key goes into Authorization: Bearer {key} (concluded, not proven)
    endpoint map: envelope of answers (in the vendor's published code), meaning of statuses (concluded, not proven)
    endpoint map: further pages by offset and limit (A GUESS)
    endpoint map: connections.list (optional): GET /connections?projectId={id} (in the vendor's published code)
    endpoint map: filters.list (optional): GET /filters (concluded, not proven)
    endpoint map: groups.list (optional): GET /groups (concluded, not proven)
    endpoint map: organizations.list (optional): GET /organizations (A GUESS); else made of the rows of groups.list (A GUESS)
    endpoint map: projects.list (required): GET /projects (in the vendor's published code)
    endpoint map: reports.list (required): GET /reports?projectId={id} (in the vendor's published code)
    endpoint map: roles.list (optional): GET /roles (A GUESS), else GET /security-roles (A GUESS)
    endpoint map: tasks.list (optional): GET /tasks (concluded, not proven)
    endpoint map: tasks.recipients (optional): GET /tasks/{id}/recipients (A GUESS)
    endpoint map: tasks.reports (optional): GET /tasks/{id}/reports (A GUESS)
    endpoint map: tasks.triggers (optional): GET /tasks/{id}/triggers (A GUESS)
    endpoint map: users.list (optional): GET /users (concluded, not proven)
    endpoint map: version (optional): GET /version (A GUESS)
    Qalyptus Server 5.2
    "#);
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
    insta::assert_snapshot!(told, @r#"
    user: the API key is valid, but its owner lacks the permission (403 "Forbidden")
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 group, 1 organization, 1 role; skipped users
    project: the API key is valid, but its owner lacks the permission (403 "Forbidden")
        read 1 filter, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 group, 1 organization, 1 role; skipped projects, connections, reports
    report: project p2: the API key is valid, but its owner lacks the permission (403 "Forbidden")
        read 2 projects, 1 connection, 1 filter, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 group, 1 organization, 1 role; skipped reports
    task_trigger: task t1: the API key is valid, but its owner lacks the permission (403 "Forbidden")
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 user, 1 group, 1 organization, 1 role; skipped triggers of tasks
    task_trigger: this server does not offer it (GET /api/v1/tasks/{id}/triggers: 404)
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 user, 1 group, 1 organization, 1 role; skipped triggers of tasks
    group: the server failed on its side (500)
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 organization, 1 role; skipped groups
    group: the answer is a web page (text/html): "Qalyptus"
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 organization, 1 role; skipped groups
    group: the server answers 200, but says in the answer that it failed: no
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 organization, 1 role; skipped groups
    group: the answer holds no list where the endpoint map says (data, data.items, data.results, data.value, items, results, value, $)
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 organization, 1 role; skipped groups
    group: a row of the list is no object: invalid type: integer `1`, expected an object at line 1 column 2
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 organization, 1 role; skipped groups
    filter: no answer in time
        read 2 projects, 1 connection, 2 reports, 1 task, 1 recipient of a task, 1 report of a task, 1 trigger of a task, 1 user, 1 group, 1 organization, 1 role; skipped filters
    task_report: the tasks, for each of which it is asked, were not read
        read 2 projects, 1 connection, 1 filter, 2 reports, 1 user, 1 group, 1 organization, 1 role; skipped tasks, recipients of tasks, reports of tasks, triggers of tasks
    "#);
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
    insta::assert_snapshot!(told, @r#"
    /api/v1/users
        Credential users: the server refused the API key (401 "Unauthorized") — the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Server (Administration > Settings > API Keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer
    /api/v1/tasks/t1/reports
        Credential reports of tasks: task t1: the server says that the API key has expired (417) — make a new API key in Qalyptus Server and paste it here; if its expiration date has not passed, it may have been deleted, or its owner disabled
    /api/v1/version
        Credential the server refused the API key (401) — the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Server (Administration > Settings > API Keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer
    /api/v1/version
        Network connection refused
    /api/v1/users
        Network users: connection refused
    /api/v1/projects
        Remote projects: this server does not have this list, which every server should (GET /api/v1/projects: 404) — test the connection; if this version of the product has the list elsewhere, give its path in the endpoint map of the connection
    /api/v1/projects
        Remote projects: the server failed on its side (500) — try again later; if it lasts, look into the server's own log
    /api/v1/projects
        Remote projects: the answer is a web page (text/html): <html> — try again; if it lasts, find out what answers in the place of the remote system: a page to sign in, a notice of maintenance, a proxy
    /api/v1/reports?projectId=p1
        Remote reports: project p1: the answer (application/json) breaks off after 10 bytes — try again; if it lasts, something between here and the remote system may change its answers
    /api/v1/users
        You the run was cancelled
    "#);
}

#[test]
fn nothing_at_all_is_no_success() {
    let kit = by(json!({}));
    for path in ["version", "organizations", "projects", "filters", "tasks", "users", "groups", "roles"] {
        kit.on("GET", &format!("/api/v1/{path}"), Answer::status(403));
    }
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @"nothing could be read; projects: the API key is valid, but its owner lacks the permission (403) — give the key's owner in Qalyptus Server a role that may see what is to be read, or use a key of another user");
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
    insta::assert_snapshot!(kept(&kit.refresh().unwrap(), "organization"), @"this server does not offer it (GET /api/v1/organizations: 404)");
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
    insta::assert_snapshot!(said(&refresh, Level::Warning), @"recipients of tasks: 1 of 2 were not there any more (GET /api/v1/tasks/{id}/recipients: 404)");
}

#[test]
fn what_is_nowhere_is_not_asked_for_thousands_of_times() {
    let kit = by(json!({}));
    let tasks: Vec<_> = (0..500).map(|task| json!({ "id": format!("t{task}"), "name": "x" })).collect();
    kit.on("GET", "/api/v1/tasks", list(json!(tasks)));
    for (task, of) in (0..500).flat_map(|task| ["recipients", "reports", "triggers"].map(|of| (task, of))) {
        kit.on("GET", &format!("/api/v1/tasks/t{task}/{of}"), Answer::status(404));
    }
    server(&kit);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(kept(&refresh, "task_trigger"), @"this server does not offer it (GET /api/v1/tasks/{id}/triggers: 404)");
    let asked = kit.requests().iter().filter(|asked| asked.line().ends_with("/triggers")).count();
    assert!((20..=28).contains(&asked), "{asked}");
}

#[test]
fn a_list_that_counts_more_than_it_shows_is_read_on_or_not_believed() {
    let page = |ids: &[&str], total: u64| {
        let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id, "name": id })).collect();
        Answer::json(200, json!({ "data": rows, "totalItems": total }))
    };
    let from = |offset: u64| format!("/api/v1/users?offset={offset}&limit=100");
    let kit = but("/api/v1/users", page(&["a", "b"], 3));
    kit.on("GET", &from(2), page(&["c"], 3));
    assert_eq!(kit.refresh().unwrap().ids("user"), ["a", "b", "c"]);

    // What is shown behind the first two of five, or of three.
    let cases = [
        (5, page(&["a", "b"], 5)),
        (3, page(&["a", "b"], 3)),
        (3, page(&["b"], 3)),
        (4, page(&["b", "c"], 4)),
        (5, page(&[], 5)),
        (5, list(json!([]))),
        (5, Answer::status(404)),
    ];
    let told: String = cases
        .map(|(total, answer)| {
            let kit = but("/api/v1/users", page(&["a", "b"], total));
            kit.on("GET", &from(2), answer);
            format!("{}\n", kept(&kit.refresh().unwrap(), "user"))
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    the list repeats a page, so the rows behind it cannot be read
    the list repeats a page, so the rows behind it cannot be read
    the list repeats a page, so the rows behind it cannot be read
    the server counts 4, but its pages show 3 that differ
    the server counts 5 but shows 2, and the page behind them is empty
    the server counts 5 but shows 2, and the page behind them is empty
    the server does not do what was asked (404)
    "#);

    let kit = but("/api/v1/projects", page(&["p1", "p2"], 5));
    kit.on("GET", "/api/v1/projects?offset=2&limit=100", page(&["p1", "p2"], 5));
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @r#"projects: the list repeats a page, so the rows behind it cannot be read — how further pages are asked for is a guess: correct "paging" in the endpoint map of the connection"#);
    // A later page need not count again.
    let kit = but("/api/v1/users", page(&["a", "b"], 5));
    kit.on("GET", &from(2), list(json!([{ "id": "c" }]))).on(
        "GET",
        &from(3),
        list(json!([{ "id": "d" }, { "id": "e" }])),
    );
    assert_eq!(kit.refresh().unwrap().ids("user"), ["a", "b", "c", "d", "e"]);
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
    insta::assert_snapshot!(kept(&refresh, "user"), @r#"not supported: the endpoint map has no "users.list""#);
}

#[test]
fn odd_rows_are_left_out_and_counted() {
    let rows = json!([{ "id": "u1", "name": null, "email": null, "extra": { "x": 1 } }, { "id": null, "name": "x" }, { "id": "u1" }, { "id": 7, "name": "\u{5e9}\u{5dc}\u{5d5}\u{5dd}" }]);
    let refresh = but("/api/v1/users", list(rows)).refresh().unwrap();
    assert_eq!(refresh.ids("user"), ["u1", "7"]);
    assert_eq!(refresh.object("user", "u1").unwrap().name, "u1");
    insta::assert_snapshot!(said(&refresh, Level::Warning), @r#"
    users: rows without an id were left out: 1
    users: rows with an id that was there already were left out: 1
    "#);
}

#[test]
fn rows_of_which_none_has_an_id_remove_nothing() {
    let nameless = || list(json!([{ "name": "a" }, { "name": "b" }]));
    let refresh = but("/api/v1/users", nameless()).refresh().unwrap();
    insta::assert_snapshot!(kept(&refresh, "user"), @"none of the 2 rows shown has an id, so nobody knows what they are");
    let failure = but("/api/v1/projects", nameless()).refresh().unwrap_err();
    assert!(failure.message.contains("none of the 2 rows shown has an id"), "{failure}");
    assert!(failure.remedy.unwrap().contains("Endpoint map"));
}

#[test]
fn relations_to_nothing_are_told() {
    let refresh = but(
        "/api/v1/tasks/t1/reports",
        list(json!([{ "id": "a", "reportID": "r9" }, { "id": "b", "reportID": "r1" }])),
    )
    .refresh()
    .unwrap();
    insta::assert_snapshot!(said(&refresh, Level::Warning), @r#"reports of tasks: the "report" of some is not among the reports: 1 in all, such as r9"#);
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
    insta::assert_snapshot!(said(&kit.refresh().unwrap(), Level::Warning), @"the server URL is plain http: whoever is on the way can read the API key and all that is read");
}
