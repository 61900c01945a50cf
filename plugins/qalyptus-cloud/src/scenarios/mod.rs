//! Whole hooks against scripted answers of a tenant. What it shares with Qalyptus Server is tried there.

use crate::QalyptusCloud;
use jackfield_plugin::{
    Blame, Failure, Stage,
    contract::{catalog::How, hooks::TestReport, run::Level},
    testkit::{Answer, Refresh, TestKit},
};
use serde_json::{Value, json};

const PROBE: &str = "/api/v1/projects";
const STATUS: [&str; 3] =
    ["/api/v1/settings/qlik-sense-integration", "/api/v1/qlik-sense/status", "/api/v1/tenant/qlik-sense"];

fn by(more: Value) -> TestKit<QalyptusCloud> {
    let mut settings = json!({ "server_url": "https://acme.qalyptus.net" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    TestKit::new(settings).secret("api_key")
}

fn data(data: Value) -> Answer {
    Answer::json(200, json!({ "data": data, "isSuccess": true, "error": null, "errorDetails": null }))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, json!({ "data": null, "isSuccess": false, "error": message, "errorDetails": null }))
}

/// A tenant that accepts the key and shows a project.
fn tenant() -> TestKit<QalyptusCloud> {
    let kit = by(json!({}));
    kit.on("GET", PROBE, data(json!([{ "id": "p1", "name": "Sales" }])));
    kit
}

/// Nothing at all candidates of the status, and these at those of the apps.
fn without_status(apps: [Answer; 2]) -> TestKit<QalyptusCloud> {
    let kit = tenant();
    for path in STATUS {
        kit.on("GET", path, Answer::status(404));
    }
    let [first, second] = apps;
    kit.on("GET", "/api/v1/qlik-apps", first).on("GET", "/api/v1/apps", second);
    kit
}

/// The checks as a person reads them.
fn lines(report: &TestReport) -> String {
    let line = |check: &jackfield_plugin::contract::hooks::Check| {
        let mut line = format!("{}: {:?}: {}\n", check.name, check.status, check.detail);
        if let Some(failure) = &check.failure {
            let field = failure.field.as_deref().unwrap_or("-");
            line.push_str(&format!("  {:?}, field {field}\n", failure.blame));
            line.push_str(&format!("  → {}\n", failure.remedy.as_deref().unwrap_or("-")));
        }
        line
    };
    report.checks.iter().map(line).collect()
}

fn said(refresh: &Refresh, level: Level) -> String {
    let lines = refresh.log.iter().filter(|line| line.level >= level);
    lines.map(|line| format!("{}\n", line.message)).collect()
}

#[test]
fn both_checks_pass() {
    let kit = tenant();
    kit.on(
        "GET",
        STATUS[0],
        data(json!({ "isConfigured": true, "isConnected": true, "tenantHostname": "acme.eu.qlikcloud.com" })),
    );
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(lines(&report), @r#"
    Authentication: Passed: the server accepts the API key and shows 1 project
    Qlik Sense connected: Passed: connected to "acme.eu.qlikcloud.com"
    "#);
    assert!(kit.requests().iter().all(|asked| asked.method == "GET" && asked.has_bearer("api_key")));
    assert_eq!(kit.requests().len(), 2);
}

#[test]
fn what_keeps_the_tenant_from_being_reached_is_told_inside_the_first() {
    let network = |stage| Answer::failure(Failure::new(Blame::Network, "connection refused").at(stage));
    let cases = [
        network(Stage::Connect),
        network(Stage::Tls),
        Answer::text(200, "text/html", "<html><title>Welcome</title></html>"),
        Answer::status(404),
        Answer::status(503),
        error(401, "Unauthorized"),
        error(417, "Expired"),
        error(403, "Forbidden"),
        error(200, "organization is locked"),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = by(json!({}));
            kit.on("GET", PROBE, answer);
            let report = kit.test().unwrap();
            assert!(!report.passed());
            format!("{}\n", lines(&report))
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Failed: connection refused
      Network, field -
      → -
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: connection refused
      Network, field -
      → -
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: "acme.qalyptus.net" answers, but not as the API of Qalyptus Cloud (the answer is a web page (text/html): "Welcome")
      You, field server_url
      → check the server URL: it is the address of the Qalyptus Cloud tenant, as in https://your-tenant.qalyptus.net (Administration > Settings shows its hostname)
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: "acme.qalyptus.net" answers, but not as the API of Qalyptus Cloud (GET /api/v1/projects: 404)
      You, field server_url
      → check the server URL: it is the address of the Qalyptus Cloud tenant, as in https://your-tenant.qalyptus.net (Administration > Settings shows its hostname)
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: the server failed on its side (503)
      Remote, field -
      → try again later; if it lasts, look into the server's own log
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: the server refused the API key (401 "Unauthorized")
      Credential, field api_key
      → the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Cloud (Administration > Settings > API keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: the server says that the API key has expired (417 "Expired")
      Credential, field api_key
      → make a new API key in Qalyptus Cloud and paste it here; if its expiration date has not passed, it may have been deleted, or its owner disabled
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: GET /api/v1/projects: the API key is valid, but its owner lacks the permission (403 "Forbidden")
      Credential, field -
      → give the key's owner in Qalyptus Cloud a role that may see this, or use a key of another user
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed

    Authentication: Failed: the server answers 200, but says in the answer that it failed: organization is locked
      Remote, field -
      → try again; if it lasts, look into the server's own log
    Qlik Sense connected: Skipped: not tried, because "Authentication" failed
    "#);
}

#[test]
fn the_link_to_qlik_sense_has_a_message_for_each_state() {
    let answers = [
        data(json!({ "isConfigured": true, "isConnected": true })),
        data(json!({ "isConfigured": true, "isConnected": null, "tenantHostname": "acme.eu.qlikcloud.com" })),
        data(json!({ "isConfigured": true, "tenantHostname": "" })),
        data(json!({ "isConfigured": false, "isConnected": false })),
        data(json!({ "isConfigured": false })),
        data(
            json!({ "isConfigured": true, "isConnected": false, "tenantHostname": "acme.eu.qlikcloud.com", "lastError": "API key expired" }),
        ),
        data(json!({ "isConnected": false })),
        data(json!({ "isConnected": "true" })),
        data(json!({ "other": 1 })),
        data(json!(null)),
        error(200, "not now"),
        Answer::text(200, "text/html", "<html><title>Qalyptus</title></html>"),
        Answer::status(500),
        error(403, "Forbidden"),
        error(401, "Unauthorized"),
        Answer::failure(Failure::new(Blame::Network, "no answer in time").at(Stage::Answer)),
    ];
    let told: String = answers
        .map(|answer| {
            let kit = tenant();
            kit.on("GET", STATUS[0], answer);
            lines(&kit.test().unwrap()).lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Qlik Sense connected: Passed: the tenant is connected to a Qlik Sense tenant
    Qlik Sense connected: Passed: connected to "acme.eu.qlikcloud.com"
    Qlik Sense connected: Failed: the link is set up, but Qalyptus Cloud reports it as not connected: it does not say why
      Remote, field -
      → look under Administration > Settings > Qlik Sense Integration: the hostname, the Web Integration Id (its origin has to be the hostname of the Qalyptus Cloud tenant), and the Qlik Sense API key
    Qlik Sense connected: Failed: no Qlik Sense tenant is set up in this Qalyptus Cloud tenant
      Remote, field -
      → set it up in Qalyptus Cloud under Administration > Settings > Qlik Sense Integration
    Qlik Sense connected: Failed: no Qlik Sense tenant is set up in this Qalyptus Cloud tenant
      Remote, field -
      → set it up in Qalyptus Cloud under Administration > Settings > Qlik Sense Integration
    Qlik Sense connected: Failed: the link to "acme.eu.qlikcloud.com" is set up, but Qalyptus Cloud reports it as not connected: API key expired
      Remote, field -
      → look under Administration > Settings > Qlik Sense Integration: the hostname, the Web Integration Id (its origin has to be the hostname of the Qalyptus Cloud tenant), and the Qlik Sense API key
    Qlik Sense connected: Failed: the link is set up, but Qalyptus Cloud reports it as not connected: it does not say why
      Remote, field -
      → look under Administration > Settings > Qlik Sense Integration: the hostname, the Web Integration Id (its origin has to be the hostname of the Qalyptus Cloud tenant), and the Qlik Sense API key
    Qlik Sense connected: Failed: the link is set up, but Qalyptus Cloud reports it as not connected: it does not say why
      Remote, field -
      → look under Administration > Settings > Qlik Sense Integration: the hostname, the Web Integration Id (its origin has to be the hostname of the Qalyptus Cloud tenant), and the Qlik Sense API key
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: the answer (200) has none of the members that the endpoint map looks at
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: the answer (200) has none of the members that the endpoint map looks at
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: the server answers 200, but says in the answer that it failed: not now
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: the answer is a web page (text/html): "Qalyptus"
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: the server failed on its side (500)
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: whether it is connected (qlik.status) is not shown: the API key is valid, but its owner lacks the permission (403 "Forbidden")
      Credential, field -
      → give the key's owner in Qalyptus Cloud a role that may see this, or use a key of another user
    Qlik Sense connected: Failed: the server refused the API key (401 "Unauthorized")
      Credential, field api_key
      → the server does not say which of these it is: the key has expired; it was deleted; API keys were turned off in Qalyptus Cloud (Administration > Settings > API keys); its owner may not use API keys any more; its owner was disabled. Also make sure that it was pasted whole, and without the word Bearer
    Qlik Sense connected: Failed: no answer in time
      Network, field -
      → -
    "#);
}

#[test]
fn a_later_candidate_will_do() {
    let kit = tenant();
    kit.on("GET", STATUS[0], Answer::status(404)).on("GET", STATUS[1], data(json!({ "isConnected": true })));
    assert!(kit.test().unwrap().passed());
    let asked: Vec<_> = kit.requests().iter().map(|asked| asked.line()).collect();
    assert_eq!(asked, [PROBE, STATUS[0], STATUS[1]].map(|path| format!("GET {path}")));
}

#[test]
fn without_a_status_the_list_of_apps_stands_for_it() {
    let cases = [
        [data(json!([{ "id": "a1" }])), Answer::status(404)],
        [Answer::status(404), data(json!([{ "id": "a1" }, { "id": "a2" }]))],
        [data(json!([])), Answer::status(404)],
        [Answer::status(404), Answer::status(405)],
        [error(403, "Forbidden"), Answer::status(404)],
        [Answer::text(200, "text/html", "<html>"), Answer::status(404)],
    ];
    let told: String = cases
        .map(|apps| {
            let report = without_status(apps).test().unwrap();
            lines(&report).lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Qlik Sense connected: Passed: inferred from the list of Qlik apps, which has 1; the tenant does not tell its status
    Qlik Sense connected: Passed: inferred from the list of Qlik apps, which has 2; the tenant does not tell its status
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: GET /api/v1/settings/qlik-sense-integration: 404, GET /api/v1/qlik-sense/status: 404, GET /api/v1/tenant/qlik-sense: 404; apps.list is empty
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: GET /api/v1/settings/qlik-sense-integration: 404, GET /api/v1/qlik-sense/status: 404, GET /api/v1/tenant/qlik-sense: 404, GET /api/v1/qlik-apps: 404, GET /api/v1/apps: 405
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: GET /api/v1/settings/qlik-sense-integration: 404, GET /api/v1/qlik-sense/status: 404, GET /api/v1/tenant/qlik-sense: 404; apps.list: the API key is valid, but its owner lacks the permission (403 "Forbidden")
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    Qlik Sense connected: Failed: it cannot be found out whether the tenant is connected to Qlik Sense: GET /api/v1/settings/qlik-sense-integration: 404, GET /api/v1/qlik-sense/status: 404, GET /api/v1/tenant/qlik-sense: 404; apps.list: the answer is a web page (text/html): <html>
      Remote, field -
      → how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, "qlik.status" in the endpoint map of the connection, or turn the check off there with {"checks": {"qlik.status": {"mode": "skip"}}}
    "#);
}

#[test]
fn an_administrator_can_turn_the_second_check_off() {
    let kit = by(json!({ "endpoint_map": r#"{ "checks": { "qlik.status": { "mode": "skip" } } }"# }));
    kit.on("GET", PROBE, data(json!([])));
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(lines(&report), @r#"
    Authentication: Passed: the server accepts the API key and shows no project: its owner may see none, or it is a key for something else
    Qlik Sense connected: Skipped: turned off in the endpoint map of this connection (qlik.status, mode "skip"): it is not known
    "#);
    assert_eq!(kit.requests().len(), 1);
}

#[test]
fn without_an_entry_the_second_check_cannot_pass() {
    let kit = by(json!({ "endpoint_map": r#"{ "checks": null }"# }));
    kit.on("GET", PROBE, data(json!([])));
    let report = kit.test().unwrap();
    assert!(!report.passed());
    insta::assert_snapshot!(report.checks[1].detail, @r#"it cannot be found out whether the tenant is connected to Qlik Sense: the endpoint map has no "qlik.status""#);
}

/// A tenant with something of everything, as the recorded shapes are.
fn full() -> TestKit<QalyptusCloud> {
    let kit = tenant();
    let nodes = json!({ "nodes": [{ "name": "Table", "type": "table", "icon": "table.svg", "objects": [
        { "id": "o1", "itemID": "i1", "title": "Sheet A", "type": "Sheet", "objects": [
            { "id": "o2", "itemID": "i2", "title": "Sales", "type": "StraightTable", "objects": null, "columns": [{ "id": "c1", "name": "Amount" }] }] }] }] });
    kit.on("GET", "/api/v1/version", Answer::status(404))
        .on("GET", "/api/v1/organizations", data(json!([{ "id": "o1", "name": "Qalyptus" }])))
        .on("GET", "/api/v1/connections", data(json!([{ "id": "c1", "name": "Sales app", "projectId": "p1", "appId": "a1" }])))
        .on("GET", "/api/v1/filters", data(json!([{ "id": "f1", "name": "Region", "project": { "id": "p1" } }])))
        .on("GET", "/api/v1/reports", data(json!([{ "id": "r1", "name": "Margin", "project": { "id": "p1" } }])))
        .on("GET", "/api/v1/filters/report/r1", data(json!([{ "id": "f1", "name": "Region" }])))
        .on("GET", "/api/v1/reports/r1/template-items", data(nodes))
        .on("GET", "/api/v1/tasks", data(json!([{ "id": "t1", "name": "Daily", "project": { "id": "p1" } }])))
        .on("GET", "/api/v1/tasks/t1/recipients", data(json!([{ "id": "x1", "name": "Anna" }])))
        .on("GET", "/api/v1/tasks/t1/reports", data(json!([{ "id": "tr1", "name": "Margin", "reportID": "r1" }])))
        .on("GET", "/api/v1/tasks/t1/triggers", data(json!([])))
        .on("GET", "/api/v1/users", data(json!([
            { "id": "u1", "name": "Anna", "tenantAdminRole": "Creator", "organizationRoles": [{ "role": "Administrator" }] },
            { "id": "u2", "name": "Ben", "tenantAdminRole": null, "organizationRoles": ["Viewer"] },
        ])))
        .on("GET", "/api/v1/groups", data(json!([{ "id": "g1", "name": "All", "organizationID": "o1", "organization": "Qalyptus" }])))
        .on("GET", "/api/v1/roles", Answer::status(404))
        .on("GET", "/api/v1/qlik-apps", Answer::status(404))
        .on("GET", "/api/v1/apps", data(json!([{ "id": "a1", "name": "Sales", "space": "Shared" }])));
    kit
}

#[test]
fn a_refresh_brings_everything() {
    let kit = full();
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(refresh.report.summary, @"read 1 project, 1 connection, 1 filter, 1 report, 1 filter of a report, 3 template items, 1 task, 1 recipient of a task, 1 report of a task, 0 triggers of tasks, 2 users, 1 group, 1 organization, 3 roles, 1 Qlik app");
    assert_eq!(kit.unasked(), [""; 0]);
    assert_eq!(said(&refresh, Level::Warning), "");
    let told = |kind: &str| -> String {
        let line = |object: &jackfield_plugin::Object| {
            format!(
                "{} \"{}\" in {} {}\n",
                object.id,
                object.name,
                object.parent.as_deref().unwrap_or("-"),
                object.attributes
            )
        };
        refresh.objects[kind].iter().map(line).collect()
    };
    insta::assert_snapshot!(["template_item", "report_filter", "app", "role", "connection"].map(told).concat(), @r#"
    r1/Table "Table" in r1 {"type":"table"}
    r1/Table/o1 "Sheet A" in r1/Table {"item_id":"i1","remote_id":"o1","type":"Sheet"}
    r1/Table/o1/o2 "Sales" in r1/Table/o1 {"columns":[{"id":"c1","name":"Amount"}],"item_id":"i2","remote_id":"o2","type":"StraightTable"}
    r1/f1 "Region" in r1 {"remote_id":"f1"}
    a1 "Sales" in - {"space":"Shared"}
    Administrator "Administrator" in - 
    Creator "Creator" in - 
    Viewer "Viewer" in - 
    c1 "Sales app" in p1 {"app_id":"a1"}
    "#);
    assert!(refresh.ends.values().all(|how| *how == How::Complete));
}

#[test]
fn the_log_shows_the_endpoint_map() {
    insta::assert_snapshot!(said(&full().refresh().unwrap(), Level::Info), @r#"
    endpoint map of qalyptus-cloud (built in), below /api/v1
    endpoint map: the API key goes into Authorization: Bearer {key} (seen on a live tenant)
    endpoint map: envelope of answers (seen on a live tenant), meaning of statuses (concluded, not proven)
    endpoint map: further pages by offset and limit (A GUESS)
    endpoint map: apps.list (optional): GET /qlik-apps (A GUESS), else GET /apps (A GUESS)
    endpoint map: connections.list (optional): GET /connections (A GUESS), else GET /connections?projectId={id} (A GUESS)
    endpoint map: filters.list (required): GET /filters (seen on a live tenant)
    endpoint map: groups.list (optional): GET /groups (seen on a live tenant)
    endpoint map: organizations.list (optional): GET /organizations (A GUESS); else made of the rows of groups.list (concluded, not proven)
    endpoint map: projects.list (required): GET /projects (seen on a live tenant)
    endpoint map: reports.filters (optional): GET /filters/report/{id} (seen on a live tenant)
    endpoint map: reports.list (required): GET /reports (seen on a live tenant)
    endpoint map: reports.templateItems (optional): GET /reports/{id}/template-items (seen on a live tenant)
    endpoint map: roles.list (optional): GET /roles (A GUESS); else made of the rows of users.list (A GUESS)
    endpoint map: tasks.list (required): GET /tasks (seen on a live tenant)
    endpoint map: tasks.recipients (optional): GET /tasks/{id}/recipients (seen on a live tenant)
    endpoint map: tasks.reports (optional): GET /tasks/{id}/reports (seen on a live tenant)
    endpoint map: tasks.triggers (optional): GET /tasks/{id}/triggers (seen on a live tenant)
    endpoint map: users.list (optional): GET /users (seen on a live tenant)
    endpoint map: version (optional): GET /version (A GUESS)
    endpoint map: qlik.status (check): GET /settings/qlik-sense-integration (A GUESS), else GET /qlik-sense/status (A GUESS), else GET /tenant/qlik-sense (A GUESS); its members: A GUESS
    the server does not tell its version
    roles: the server has no such list (GET /api/v1/roles: 404); made of the rows of users.list
    "#);
}

#[test]
fn connections_are_asked_by_project_if_not_at_once() {
    let over = json!({ "operations": { "version": null, "organizations.list": null, "filters.list": null, "reports.list": null,
        "reports.filters": null, "reports.templateItems": null, "tasks.list": null, "tasks.recipients": null, "tasks.reports": null,
        "tasks.triggers": null, "users.list": null, "groups.list": null, "roles.list": null, "apps.list": null }, "checks": null });
    let kit = by(json!({ "endpoint_map": over.to_string() }));
    kit.on("GET", PROBE, data(json!([{ "id": "p1", "name": "Sales" }])))
        .on("GET", "/api/v1/connections?projectId=p1", data(json!([{ "id": "c9", "name": "x" }])))
        .on("GET", "/api/v1/connections", Answer::status(404));
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.object("connection", "c9").unwrap().parent.as_deref(), Some("p1"));
}

#[test]
fn a_report_without_template_items_is_no_failure() {
    for nothing in [json!({ "nodes": [] }), json!({}), json!(null)] {
        let kit = by(json!({}));
        kit.on("GET", PROBE, data(json!([{ "id": "p1" }]))).on(
            "GET",
            "/api/v1/reports/r1/template-items",
            data(nothing),
        );
        for path in [
            "version",
            "organizations",
            "connections",
            "filters",
            "tasks",
            "users",
            "groups",
            "roles",
            "qlik-apps",
            "apps",
        ] {
            kit.on("GET", &format!("/api/v1/{path}"), data(json!([])));
        }
        kit.on("GET", "/api/v1/reports", data(json!([{ "id": "r1", "name": "Margin" }]))).on(
            "GET",
            "/api/v1/filters/report/r1",
            data(json!([])),
        );
        assert_eq!(kit.refresh().unwrap().ends["template_item"], How::Complete);
    }
}

#[test]
fn the_description_is_what_the_form_shows() {
    let description = by(json!({})).describe().unwrap();
    assert!(!description.roles.source && description.roles.target);
    let fields = &description.settings["properties"];
    for (field, title) in
        [("server_url", "Server URL"), ("api_key", "API Key"), ("endpoint_map", "Endpoint map")]
    {
        assert_eq!(fields[field]["title"], title);
    }
    assert_eq!(fields["server_url"]["x-origin"], json!({ "schemes": ["https"] }), "never plain http");
    for step in [
        "Enable API keys",
        "365 days",
        "Generate key",
        "the organization",
        "Qlik Sense Integration",
        "Web Integration Id",
    ] {
        assert!(description.help.contains(step), "{step}");
    }
}
