//! Whole hooks against scripted answers of a server.

mod refreshing;
mod testing;

use crate::QalyptusServer;
use jackfield_plugin::{
    contract::{hooks::TestReport, run::Level},
    testkit::{Answer, Refresh, TestKit},
};
use serde_json::{Value, json};

fn by(more: Value) -> TestKit<QalyptusServer> {
    let mut settings = json!({ "server_url": "https://qs.example.com:3994" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    TestKit::new(settings).secret("api_key")
}

/// A list as the vendor's own client reads it.
fn list(rows: Value) -> Answer {
    Answer::json(200, json!({ "data": rows }))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, json!({ "data": null, "isSuccess": false, "error": message, "errorDetails": null }))
}

/// A server with something of everything.
fn server(kit: &TestKit<QalyptusServer>) {
    kit.on("GET", "/api/v1/version", Answer::json(200, json!({ "data": { "version": "5.2" } })))
        .on(
            "GET",
            "/api/v1/organizations",
            list(json!([{ "id": "o1", "name": "Qalyptus", "isDefault": true }])),
        )
        .on(
            "GET",
            "/api/v1/projects",
            list(json!([{ "id": "p1", "name": "Sales" }, { "id": "p2", "name": "HR" }])),
        )
        .on("GET", "/api/v1/connections?projectId=p1", list(json!([{ "id": "c1", "projectId": "p1" }])))
        .on("GET", "/api/v1/connections?projectId=p2", list(json!([])))
        .on(
            "GET",
            "/api/v1/filters",
            list(json!([{ "id": "f1", "name": "Region", "project": { "id": "p1", "name": "Sales" } }])),
        )
        .on(
            "GET",
            "/api/v1/reports?projectId=p1",
            list(json!([{ "id": "r1", "name": "Margin", "type": "Excel", "outputFormats": ["Xlsx"] }])),
        )
        .on(
            "GET",
            "/api/v1/reports?projectId=p2",
            list(json!([{ "id": "r2", "name": "Staff", "project": { "id": "p2" } }])),
        )
        .on(
            "GET",
            "/api/v1/tasks",
            list(json!([{ "id": "t1", "name": "Daily", "isActive": true, "project": { "id": "p1" } }])),
        )
        .on(
            "GET",
            "/api/v1/tasks/t1/recipients",
            list(json!([{ "id": "x1", "name": "Anna", "email": "anna@example.com", "recipientID": "u1" }])),
        )
        .on(
            "GET",
            "/api/v1/tasks/t1/reports",
            list(json!([{ "id": "tr1", "name": "Margin", "reportID": "r1", "format": "Xlsx" }])),
        )
        .on(
            "GET",
            "/api/v1/tasks/t1/triggers",
            list(json!([{ "id": "tg1", "frequency": "Daily", "atHour": 7, "appId": { "any": 1 } }])),
        )
        .on(
            "GET",
            "/api/v1/users",
            list(json!([{ "id": "u1", "name": "Anna", "email": "anna@example.com" }])),
        )
        .on(
            "GET",
            "/api/v1/groups",
            list(json!([{ "id": "g1", "name": "All", "organizationID": "o1", "organization": "Qalyptus" }])),
        )
        .on(
            "GET",
            "/api/v1/roles",
            list(json!([{ "id": "ro1", "name": "Administrators", "isDefault": true }])),
        );
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

/// What a refresh said, from a level on.
fn said(refresh: &Refresh, level: Level) -> String {
    let lines = refresh.log.iter().filter(|line| line.level >= level);
    lines.map(|line| format!("{}\n", line.message)).collect()
}
