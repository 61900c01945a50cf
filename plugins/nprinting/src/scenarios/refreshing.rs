//! The refresh, against servers that help and servers that do not.

use super::*;
use jackfield_plugin::contract::catalog::How;

const A1: &str = "/api/v1/reports?appId=a1&sort=+created&offset=0&limit=200";
const A2: &str = "/api/v1/reports?appId=a2&sort=+created&offset=0&limit=200";
const PUBLISH: &str = "/api/v1/tasks?type=publish&sort=+created&offset=0&limit=200";
const IMPORT: &str = "/api/v1/tasks?type=import&sort=+created&offset=0&limit=200";

fn apps() -> Answer {
    page(json!([
        { "id": "a1", "name": "Sales", "enabled": true, "created": "2026-01-01T00:00:00.000+00:00", "lastUpdate": "2026-02-01T00:00:00Z" },
        { "id": "a2", "name": "Stock" },
    ]))
}

/// A server that answers every list, after what was scripted before.
fn full(kit: &TestKit<NPrinting>, admin: bool) {
    let row = |id: &str| json!([{ "id": id, "name": format!("the {id}"), "appId": "a1" }]);
    kit.on("GET", APPS, apps());
    caller(kit, admin);
    kit.on("GET", "/api/v1/connections", page(row("c1")))
        .on("GET", "/api/v1/filters", page(row("f1")))
        .on(
            "GET",
            A1,
            page(
                json!([{ "id": "r1", "title": "Weekly", "type": "Excel", "outputFormats": ["PDF", "xlsx"] }]),
            ),
        )
        .on("GET", A2, page(json!([{ "id": "r2", "title": "Daily" }])))
        .on("GET", PUBLISH, page(row("t1")))
        .on("GET", IMPORT, page(row("t2")))
        .on("GET", "/api/v1/users", page(json!([{ "id": "u1", "userName": "Anna" }])))
        .on("GET", "/api/v1/groups", page(row("g1")));
}

fn kept<'a>(refresh: &'a Refresh, kind: &str) -> Option<&'a str> {
    match &refresh.ends[kind] {
        How::Kept { reason } => Some(reason),
        _ => None,
    }
}

#[test]
fn an_administrator_gets_everything() {
    let kit = by(json!({}));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(refresh.report.summary, @"read 2 apps, 1 connection, 1 filter, 2 reports, 2 tasks, 1 user, 1 group, 1 role");
    insta::assert_snapshot!(said(&refresh, Level::Info), @r#"
    signed in as "anna@example.com", an administrator, who sees everything
    reports: NPrinting lists only those that are enabled, and enabled for On-Demand
    "#);
    assert!(refresh.ends.values().all(|how| *how == How::Complete), "{:?}", refresh.ends);
    assert_eq!(refresh.ends.len(), 9);
    let mut asked: Vec<_> = kit.requests().iter().map(|asked| asked.line()).collect();
    asked.sort();
    insta::assert_snapshot!(asked.join("\n"), @"
    GET /api/v1/apps?sort=+created&offset=0&limit=200
    GET /api/v1/connections?sort=+created&offset=0&limit=200
    GET /api/v1/filters?sort=+created&offset=0&limit=200
    GET /api/v1/groups?sort=+created&offset=0&limit=200
    GET /api/v1/reports?appId=a1&sort=+created&offset=0&limit=200
    GET /api/v1/reports?appId=a2&sort=+created&offset=0&limit=200
    GET /api/v1/roles?sort=+name&limit=200
    GET /api/v1/roles?sort=+name&offset=0&limit=200
    GET /api/v1/tasks?type=import&sort=+created&offset=0&limit=200
    GET /api/v1/tasks?type=publish&sort=+created&offset=0&limit=200
    GET /api/v1/users/u1/roles?limit=200
    GET /api/v1/users?email=anna@example.com&limit=50
    GET /api/v1/users?sort=+created&offset=0&limit=200
    ");
    assert_eq!(kit.signed().len(), 1);

    let app = refresh.object("app", "a1").unwrap();
    assert_eq!((app.name.as_str(), app.modified.as_deref()), ("Sales", Some("2026-02-01T00:00:00Z")));
    let report = refresh.object("report", "r2").unwrap();
    assert_eq!((report.name.as_str(), report.parent.as_deref()), ("Daily", Some("a2")));
    assert_eq!((report.links[0].relation.as_str(), report.links[0].id.as_str()), ("app", "a2"));
    assert_eq!(
        refresh.object("report", "r1").unwrap().attributes_value(),
        json!({ "type": "Excel", "output_formats": ["PDF", "xlsx"] })
    );
    assert_eq!(refresh.ids("task"), ["t1", "t2"]);
}

#[test]
fn what_is_refused_is_skipped_with_its_reason() {
    let kit = by(json!({}));
    kit.on("GET", "/api/v1/users", error(403, "Forbidden"))
        .on("GET", "/api/v1/groups", Answer::text(403, "text/plain", "No"))
        .on("GET", "/api/v1/filters", Answer::status(404))
        .on("GET", A2, Answer::status(403))
        .on("GET", IMPORT, error(400, "type"));
    full(&kit, false);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(refresh.report.summary, @"read 2 apps, 1 connection, 1 role; skipped filters, reports, tasks, users, groups");
    insta::assert_snapshot!(said(&refresh, Level::Warning), @r#"
    filters skipped: this server does not offer the list (404)
    reports skipped: app a2: the server refused (403): the user has no role in NPrinting that may see reports
    tasks skipped: this server does not understand the question (400 "type")
    users skipped: the server refused (403 "Forbidden"): the user has no role in NPrinting that may see users
    groups skipped: the server refused (403 "No"): the user has no role in NPrinting that may see groups
    "#);
    assert_eq!(refresh.ends["connection"], How::Complete);
    assert!(kept(&refresh, "task").is_some(), "import tasks must not look deleted");
}

#[test]
fn a_user_without_rights_does_not_empty_the_catalog() {
    let kit = by(json!({}));
    for list in ["connections", "filters", "tasks", "users", "groups"] {
        kit.on("GET", &format!("/api/v1/{list}"), page(json!([])));
    }
    kit.on("GET", APPS, page(json!([])));
    caller(&kit, false);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(refresh.report.summary, @"read 0 groups, 1 role; skipped apps, connections, filters, reports, tasks, users");
    insta::assert_snapshot!(said(&refresh, Level::Warning), @r#"
    apps skipped: the server showed none; the user "anna@example.com" may lack the right to see them
    connections skipped: the server showed none, and no apps were read
    filters skipped: the server showed none, and no apps were read
    reports skipped: they are listed app by app, and no apps were read
    tasks skipped: the server showed none, and no apps were read
    users skipped: the server showed none; the user "anna@example.com" may lack the right to see them
    groups: the server showed none; if there are some, the user "anna@example.com" lacks the right to see them
    "#);
    assert_eq!(refresh.ends["role"], How::Complete);
    assert_eq!(refresh.ends["execution"], How::Complete);
}

#[test]
fn an_empty_server_is_empty_for_an_administrator() {
    let kit = by(json!({}));
    for list in ["apps", "connections", "filters", "tasks", "groups"] {
        kit.on("GET", &format!("/api/v1/{list}"), page(json!([])));
    }
    kit.on("GET", "/api/v1/users", page(json!([{ "id": "u1", "userName": "Anna" }])));
    caller(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert!(refresh.ends.values().all(|how| *how == How::Complete), "{:?}", refresh.ends);
    assert_eq!(said(&refresh, Level::Warning), "");
}

#[test]
fn a_refresh_that_read_nothing_is_no_success() {
    let kit = by(json!({}));
    for list in ["apps", "connections", "filters", "tasks", "users", "groups", "roles"] {
        kit.on("GET", &format!("/api/v1/{list}"), error(403, "Forbidden"));
    }
    let failure = kit.refresh().unwrap_err();
    insta::assert_snapshot!(failure, @r#"nothing could be read; apps: the server refused (403 "Forbidden"): the user has no role in NPrinting that may see apps — give the user in NPrinting the role Administrator, or a role that may see what is to be read"#);
}

#[test]
fn pages_are_followed_by_what_the_server_gave() {
    let kit = by(json!({}));
    let users = |range: std::ops::Range<u32>| {
        Value::from(range.map(|n| json!({ "id": format!("n{n}"), "userName": "x" })).collect::<Vec<_>>())
    };
    let at = |offset: u32| format!("/api/v1/users?sort=+created&offset={offset}&limit=200");
    // The server gives 50 at most, whatever it is asked for; one row moved onto the next page meanwhile.
    kit.on("GET", &at(0), part(users(0..50), 120)).on("GET", &at(50), part(users(49..99), 120)).on(
        "GET",
        &at(100),
        part(users(99..119), 120),
    );
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("user").len(), 119);
    assert_eq!(kit.unasked(), ["GET /api/v1/users"]);
    let progress = refresh.progress.iter().rfind(|progress| progress.step == "user").unwrap();
    assert_eq!((progress.done, progress.total), (120, Some(120)));
}

#[test]
fn the_total_of_one_list_is_not_that_of_several() {
    let kit = by(json!({}));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    let told = |kind: &str| -> Vec<_> {
        let steps = refresh.progress.iter().filter(|progress| progress.step == kind);
        steps.map(|progress| (progress.done, progress.total)).collect()
    };
    assert_eq!(told("report"), [(1, None), (2, None)]);
    assert_eq!(told("task"), [(1, None), (2, None)]);
    assert_eq!(told("filter"), [(1, Some(1))]);
}

#[test]
fn every_end_of_a_list_is_an_end() {
    let at = |offset: u32| format!("/api/v1/groups?sort=+created&offset={offset}&limit=200");
    let row = json!([{ "id": "g1", "name": "G" }]);
    let no_total = |rows: Value| Answer::json(200, json!({ "data": { "items": rows } }));

    let kit = by(json!({}));
    kit.on("GET", &at(0), no_total(row.clone())).on("GET", &at(1), no_total(json!([])));
    full(&kit, true);
    assert_eq!(kit.refresh().unwrap().ids("group"), ["g1"]);

    let kit = by(json!({}));
    kit.on("GET", &at(0), part(row.clone(), 3)).on("GET", &at(1), part(json!([]), 3));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("group"), ["g1"]);
    insta::assert_snapshot!(said(&refresh, Level::Warning), @"groups: the server counts 3 but shows 1");

    let kit = by(json!({}));
    kit.on("GET", &at(0), part(row.clone(), 9)).on("GET", &at(1), part(row.clone(), 9));
    full(&kit, true);
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @"groups: the list repeats a page, so the rows behind it cannot be read — try again; if it lasts, look whether a proxy in front of the server drops the query (offset and limit)");
}

#[test]
fn a_repeated_page_is_no_end() {
    let at = |offset: u32| format!("/api/v1/groups?sort=+created&offset={offset}&limit=200");
    let row = json!([{ "id": "g1", "name": "G" }]);
    let kit = by(json!({}));
    // By their number these are all the rows there are.
    kit.on("GET", &at(0), part(row.clone(), 2)).on("GET", &at(1), part(row, 2));
    full(&kit, true);
    assert!(kit.refresh().unwrap_err().message.contains("repeats a page"));
}

#[test]
fn rows_that_move_up_while_others_are_deleted_are_not_overlooked() {
    let at = |offset: u32| format!("/api/v1/groups?sort=+created&offset={offset}&limit=200");
    let groups =
        |ids: &[&str]| Value::from(ids.iter().map(|id| json!({ "id": id, "name": id })).collect::<Vec<_>>());
    let kit = by(json!({}));
    // b is deleted after the first page; d moves onto it.
    kit.on("GET", &at(0), part(groups(&["a", "b", "c"]), 5)).on("GET", &at(3), part(groups(&["e"]), 4)).on(
        "GET",
        &at(2),
        part(groups(&["d", "e"]), 4),
    );
    full(&kit, true);
    assert_eq!(kit.refresh().unwrap().ids("group"), ["a", "b", "c", "e", "d"]);

    // A server that counts up and down is followed only so far.
    let kit = by(json!({}));
    kit.on("GET", &at(0), part(groups(&["a"]), 3)).on("GET", &at(1), part(groups(&[]), 2));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("group"), ["a"]);
    assert_eq!(said(&refresh, Level::Warning), "groups: the server counts 2 but shows 1\n");
}

#[test]
fn rows_without_an_id_and_strange_members_do_no_harm() {
    let kit = by(json!({}));
    let rows = json!([{ "name": "x" }, { "id": "g1", "name": "G", "new": { "deep": [1] } }, { "id": 7 }]);
    kit.on("GET", "/api/v1/groups", page(rows));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("group"), ["g1", "7"]);
    assert_eq!(said(&refresh, Level::Warning), "groups: rows without an id were left out: 1\n");
}

#[test]
fn what_breaks_ends_the_refresh() {
    let cases = [
        Answer::text(500, "text/html", "<html><title>Error</title></html>"),
        Answer::text(200, "text/html", "<html>Sign in</html>"),
        Answer::json(200, json!({ "data": {} })),
        Answer::text(200, "application/json", r#"{"data":{"items":[{"id":"g1"#),
        Answer::status(200),
        Answer::text(403, "text/html", "<title>Blocked</title>"),
        Answer::text(404, "text/html", "\u{feff}\n<!doctype html>"),
        Answer::text(418, "text/plain", "<html><title>No tea</title></html>"),
        Answer::text(407, "text/html", "<html><title>Proxy</title></html>"),
        Answer::status(407),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = by(json!({}));
            kit.on("GET", "/api/v1/groups", answer);
            full(&kit, true);
            format!("{}\n", kit.refresh().unwrap_err().message)
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    groups: the server failed on its side (500 "web page: Error")
    groups: the answer is a web page (text/html): <html>Sign in</html>
    groups: the answer is no list as expected: missing field `items` at line 1 column 10
    groups: the answer (application/json) breaks off after 27 bytes
    groups: the answer is empty
    groups: something between here and the remote system answered (403 "web page: Blocked")
    groups: something between here and the remote system answered (404 "web page")
    groups: something between here and the remote system answered (418 "web page: No tea")
    groups: a proxy between here and the remote system wants a user name and a password (407 "web page: Proxy")
    groups: a proxy between here and the remote system wants a user name and a password (407)
    "#);
}

#[test]
fn a_token_that_was_good_is_replaced_once() {
    let kit = by(json!({}));
    kit.on("GET", "/api/v1/groups", Answer::status(401));
    full(&kit, true);
    assert_eq!(kit.refresh().unwrap().ids("group"), ["g1"]);
    assert_eq!(kit.signed().len(), 2);

    let kit = by(json!({}));
    kit.on("GET", "/api/v1/groups", Answer::status(401)).on("GET", "/api/v1/groups", Answer::status(401));
    full(&kit, true);
    assert_eq!(kit.refresh().unwrap_err().field.as_deref(), Some("private_key"));

    let kit = by(json!({}));
    kit.on("GET", APPS, Answer::status(401));
    assert_eq!(kit.refresh().unwrap_err().blame, jackfield_plugin::Blame::Credential);
    assert_eq!(kit.requests().len(), 1);
}

#[test]
fn a_question_that_only_helps_may_be_refused_in_any_way() {
    let kit = by(json!({}));
    let asked = "/api/v1/users?email=anna@example.com&limit=50";
    kit.on("GET", asked, Answer::status(401)).on("GET", asked, Answer::status(401));
    full(&kit, true);
    kit.on("GET", "/api/v1/roles", page(json!([{ "id": "R1", "name": "Role" }])));
    assert_eq!(kit.refresh().unwrap().ids("role"), ["R1"]);
}

#[test]
fn newest_executions_are_read_when_wanted() {
    let newest = |task: &str| format!("/api/v1/tasks/{task}/executions?sort=-created&limit=1");
    let kit = by(json!({ "newest_executions": true }));
    full(&kit, true);
    let row = json!([{ "id": "e1", "created": "2026-03-01T00:00:00Z", "lastUpdate": "2026-03-01T00:01:00Z", "status": "Sleeping", "progress": 0.5, "completed": null }]);
    kit.on("GET", &newest("t1"), part(row, 70)).on("GET", &newest("t2"), Answer::status(404));
    let refresh = kit.refresh().unwrap();
    let execution = refresh.object("execution", "e1").unwrap();
    assert_eq!((execution.name.as_str(), execution.parent.as_deref()), ("2026-03-01T00:00:00Z", Some("t1")));
    assert_eq!(execution.attributes_value()["status"], "Sleeping");
    assert!(kit.requests().iter().all(|asked| asked.method == "GET"), "no task is ever started");

    let kit = by(json!({ "newest_executions": true }));
    full(&kit, false);
    kit.on("GET", &newest("t1"), page(json!([]))).on("GET", &newest("t2"), page(json!([])));
    assert_eq!(kit.refresh().unwrap().ends["execution"], How::Complete, "no task need ever have run");

    let kit = by(json!({ "newest_executions": true }));
    full(&kit, false);
    kit.on("GET", &newest("t1"), Answer::status(403));
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(kept(&refresh, "execution").unwrap(), @"the server refused (403): the user has no role in NPrinting that may see executions");
}

#[test]
fn an_app_that_went_away_meanwhile_has_no_reports() {
    let kit = by(json!({}));
    kit.on("GET", A2, Answer::status(404));
    full(&kit, true);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("report"), ["r1"]);
    assert_eq!(refresh.ends["report"], How::Complete);
}
