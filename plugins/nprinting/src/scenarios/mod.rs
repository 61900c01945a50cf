//! Whole hooks against scripted answers of a server.

mod refreshing;
mod signing_in;

use crate::NPrinting;
use jackfield_plugin::{
    contract::{hooks::TestReport, http::Place, run::Level},
    testkit::{Answer, Refresh, TestKit},
};
use serde_json::{Value, json};

const APPS: &str = "/api/v1/apps";
const PROBE: &str = "/api/v1/apps?limit=1";
const EMAIL: &str = "anna@example.com";

fn by(more: Value) -> TestKit<NPrinting> {
    let mut settings = json!({ "server_url": "https://np.example.com:4993", "email": EMAIL });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    TestKit::new(settings).secret("private_key")
}

/// A connection whose server asks strangers for a sign-in.
fn server() -> TestKit<NPrinting> {
    let kit = by(json!({}));
    kit.on("GET", PROBE, Answer::status(401));
    kit
}

/// A page of a list that has so many rows.
fn part(rows: Value, total: u64) -> Answer {
    Answer::json(200, json!({ "data": { "items": rows, "totalItems": total, "offset": 0, "limit": 200 } }))
}

/// The only page of a list.
fn page(rows: Value) -> Answer {
    let total = rows.as_array().unwrap().len() as u64;
    part(rows, total)
}

/// The server shows the caller and its role, which has all actions on all apps or not.
fn caller(kit: &TestKit<NPrinting>, admin: bool) {
    let user = json!({ "id": "u1", "userName": "Anna", "email": "Anna@Example.com" });
    let role = json!({ "id": "R1", "name": "Role", "hasAllActions": admin, "hasAllApps": true });
    kit.on("GET", "/api/v1/users?email=anna@example.com&limit=50", page(json!([user])))
        .on("GET", "/api/v1/users/u1/roles", page(json!(["r1"])))
        .on("GET", "/api/v1/roles", page(json!([role])));
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, json!({ "result": null, "code": status, "message": message }))
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
