//! Whole hooks against scripted answers of a tenant.

mod as_user;
mod refreshing;
mod signing_in;

use crate::QlikCloud;
use jackfield_plugin::{
    contract::{hooks::TestReport, run::Level},
    testkit::{Answer, Refresh, TestKit},
};
use serde_json::{Value, json};

const TENANT: &str = "https://acme.eu.qlikcloud.com";
const PROBE: &str = "/.well-known/oauth-authorization-server";
const TOKEN: &str = "/oauth/token";
const ME: &str = "/api/v1/users/me";
const FOUR_SCOPES: &str = "admin.apps:read admin.spaces:read apps.report:export webhooks";

fn oauth() -> TestKit<QlikCloud> {
    let settings = json!({ "tenant_url": TENANT, "client_id": "0123abcd", "web_integration_id": "w" });
    TestKit::new(settings).secret("client_secret")
}

fn api_key() -> TestKit<QlikCloud> {
    TestKit::new(json!({ "tenant_url": TENANT, "sign_in": "api_key" })).secret("api_key")
}

/// The tenant answers the probe.
fn tenant(kit: &TestKit<QlikCloud>) {
    kit.on(
        "GET",
        PROBE,
        Answer::json(200, json!({ "issuer": TENANT, "token_endpoint": format!("{TENANT}/oauth/token") })),
    );
}

/// The tenant gives tokens, and says that the caller has these roles.
fn caller(kit: &TestKit<QlikCloud>, scope: Option<&str>, roles: &[&str]) {
    kit.on("POST", TOKEN, token(scope));
    let roles: Vec<_> =
        roles.iter().map(|role| json!({ "id": role, "name": role, "level": "admin" })).collect();
    kit.on(
        "GET",
        ME,
        Answer::json(
            200,
            json!({ "id": "b0t", "name": "Jackfield", "status": "active", "assignedRoles": roles }),
        ),
    );
}

fn token(scope: Option<&str>) -> Answer {
    let mut body = json!({ "access_token": "eyJ", "token_type": "bearer", "expires_in": 21600 });
    if let Some(scope) = scope {
        body["scope"] = scope.into();
    }
    Answer::json(200, body)
}

fn error(status: u16, code: &str, title: &str) -> Answer {
    Answer::json(status, json!({ "errors": [{ "code": code, "title": title }], "traceId": "00ab" }))
}

/// The only page of a list.
fn page(rows: Value) -> Answer {
    Answer::json(200, json!({ "data": rows, "links": { "self": { "href": "x" } } }))
}

/// The checks as a person reads them.
fn lines(report: &TestReport) -> String {
    let line = |check: &jackfield_plugin::contract::hooks::Check| {
        let mut line = format!("{}: {:?}: {}\n", check.name, check.status, check.detail);
        if let Some(failure) = &check.failure {
            let field = failure.field.as_deref().unwrap_or("-");
            let reference = failure.reference.as_deref().unwrap_or("-");
            line.push_str(&format!("  {:?}, field {field}, reference {reference}\n", failure.blame));
            line.push_str(&format!("  → {}\n", failure.remedy.as_deref().unwrap_or("-")));
        }
        line
    };
    report.checks.iter().map(line).collect()
}

/// The warnings of a refresh.
fn warnings(refresh: &Refresh) -> String {
    let warnings = refresh.log.iter().filter(|line| line.level == Level::Warning);
    warnings.map(|line| format!("{}\n", line.message)).collect()
}
