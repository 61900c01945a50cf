//! Whole hooks against scripted answers of a site.

mod refreshing;
mod signing_in;
mod virtual_proxy;

use crate::QlikOnprem;
use jackfield_plugin::{
    contract::{
        hooks::{Check, TestReport},
        run::Level,
        secrets::{CertificateFacts, SecretFacts},
    },
    testkit::{Answer, Refresh, TestKit},
};
use serde_json::{Value, json};

const QRS: &str = "https://qlik.example.com:4242/qrs";

fn site() -> TestKit<QlikOnprem> {
    TestKit::new(json!({
        "server_url": "https://qlik.example.com",
        "user_directory": "EXAMPLE",
        "service_user": "svc",
        "repository_port": 4242,
        "proxy_prefix": "jackfield",
    }))
    .secret("client_certificate")
}

fn at(path: &str) -> String {
    format!("{QRS}/{path}")
}

fn about() -> Answer {
    Answer::json(200, json!({ "buildVersion": "38.22.0.0", "nodeType": 1, "schemaPath": "About" }))
}

fn account(changes: Value) -> Answer {
    let mut user = json!({ "id": "u1", "userId": "SVC", "userDirectory": "Example", "name": "Service",
        "roles": ["RootAdmin"], "inactive": false, "removedExternally": false, "blacklisted": false });
    user.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Answer::json(200, json!([user]))
}

/// The site knows the service account and lets it do everything.
fn open(kit: &TestKit<QlikOnprem>) {
    kit.on("GET", &at("about"), about()).on("GET", &at("user/full"), account(json!({})));
}

/// A certificate that ends so many seconds after the kit's time.
fn ending(seconds: i64) -> SecretFacts {
    let certificate = CertificateFacts { not_after: 1_767_225_600 + seconds, ..CertificateFacts::default() };
    SecretFacts { present: true, certificate: Some(certificate), ..SecretFacts::default() }
}

/// The checks as a person reads them.
fn lines(report: &TestReport) -> String {
    let line = |check: &Check| {
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

/// The lines that matter of a test: those of one check.
fn line_of(report: &TestReport, name: &str) -> String {
    let checks = report.checks.iter().filter(|check| check.name == name).cloned().collect();
    lines(&TestReport { checks })
}

/// The log of a refresh, but for what only those read who write plugins.
fn log(refresh: &Refresh) -> String {
    let log = refresh.log.iter().filter(|line| line.level != Level::Debug);
    log.map(|line| format!("{:?}: {}\n", line.level, line.message)).collect()
}
