//! Log files and `tracing`: what a refresh leaves for a person, and what it tells a program.

use crate::support::{misbehave, newest_log, newest_run, refresh, set, snapshots, with_connection};
use jackfield_simulators::qlik_cloud::{Config, Limits, Population, Simulator};
use jackfield_tests::Host;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// A host with a connection to a simulated tenant; the API key stands in the variable `QLIK_KEY`.
fn with_tenant(config: Config, more: &[&str]) -> (Simulator, Host) {
    let tenant = Simulator::start_blocking(config).unwrap();
    let mut host = Host::with_plugins(&["qlik-cloud"]);
    let key = tenant.create_api_key(&tenant.user_id(0), Duration::from_secs(20 * 86_400)).unwrap();
    host.set("QLIK_KEY", key.token);
    let ca = host.file("ca.pem", tenant.ca_pem());
    let url = format!("tenant_url={}", tenant.base_url());
    let fixed = ["connection", "add", "qlik-cloud", "Tenant", "--set", &url, "--set", "sign_in=api_key"];
    let rest = ["--secret", "api_key=env:QLIK_KEY", "--tls-ca", ca.to_str().unwrap()];
    host.run([&fixed[..], &rest, more].concat()).expect_success();
    (tenant, host)
}

fn small() -> Config {
    Config { tls: true, population: Population::of(20), limits: Limits::off(), ..Config::default() }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The moment in a log's name, if the name is `<prefix>_YYYYMMDD_HHMMSS<rest>`.
fn moment<'a>(name: &'a str, prefix: &str, rest: &str) -> Option<&'a str> {
    let moment = name.strip_prefix(prefix)?.strip_prefix('_')?.strip_suffix(rest)?;
    let fits = |(at, c): (usize, char)| if at == 8 { c == '_' } else { c.is_ascii_digit() };
    (moment.len() == 15 && moment.chars().enumerate().all(fits)).then_some(moment)
}

#[test]
fn a_log_is_named_by_prefix_and_local_time() {
    let mut host = with_connection("A");
    assert!(moment(name(&host.logs()[0]), "Jackfield", ".txt").is_some(), "{:?}", host.logs());
    host.set("JACKFIELD_LOG__PREFIX", "QalyptusMigrationTool");
    refresh(&host, "A").expect_success();
    let logs = host.logs();
    let named = moment(name(&logs[1]), "QalyptusMigrationTool", ".txt").expect("the documents' own pattern");
    let log = newest_log(&host, "A");
    let first = log.lines().next().unwrap();
    assert!(first.starts_with("Jackfield 0.1.0 refresh log, "), "{first}");
    // Berlin, summer or winter.
    assert!(first.contains(" +01:00,") || first.contains(" +02:00,"), "{first}");
    let digits: String =
        first.chars().skip_while(|c| *c != ',').filter(char::is_ascii_digit).take(14).collect();
    assert_eq!(named.replace('_', ""), digits, "name and first line tell the same time");
}

#[test]
fn logs_of_one_second_are_told_apart() {
    let host = with_connection("A");
    set(&host, "A", json!({ "count": 0 }));
    // However slow the machine is: one of the names is taken before it is asked for.
    for _ in 0..20 {
        refresh(&host, "A").expect_success();
        let logs = host.logs();
        let second = logs.iter().find_map(|path| moment(name(path), "Jackfield", "_2.txt"));
        if let Some(second) = second {
            assert!(
                logs.iter().any(|path| moment(name(path), "Jackfield", ".txt") == Some(second)),
                "{logs:?}"
            );
            return;
        }
    }
    panic!("no two refreshes began in one second: {:?}", host.logs());
}

#[test]
fn a_log_tells_who_what_and_how_much() {
    let (tenant, host) = with_tenant(small(), &[]);
    let log = newest_log(&host, "Tenant");
    let mut settings = snapshots(&host);
    settings.add_filter(r"localhost:\d+", "[TENANT]");
    settings.add_filter(r"\d+ bytes", "[N] bytes");
    // What was asked for first is not certain, because much is asked for at once.
    let (mut operations, mut rest): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in log.lines() {
        match line.split_once(" GET ").or_else(|| line.split_once(" POST ")) {
            Some((_, operation)) => operations.push(operation.to_owned()),
            None => rest.push(line),
        }
    }
    operations.sort();
    settings
        .bind(|| insta::assert_snapshot!("log", format!("{}\n\n{}", rest.join("\n"), operations.join("\n"))));
    let shown = host.run(["connection", "log", "Tenant"]).expect_success().stdout;
    assert_eq!(shown.trim_end(), log.trim_end());
    let in_json = host.json(["connection", "log", "Tenant"]);
    assert_eq!(in_json["lines"].as_array().unwrap().len(), log.lines().count());
    // What the log says of the rows is what the catalog holds.
    let totals = &newest_run(&host)["result"]["totals"];
    assert!(
        log.contains(&format!("Totals: {} requests, {} rows", totals["requests"], totals["rows"])),
        "{log}"
    );
    let kinds = host.json(["catalog", "kinds", "Tenant"]);
    let objects: u64 = kinds.as_array().unwrap().iter().map(|kind| kind["count"].as_u64().unwrap()).sum();
    assert!(totals["rows"].as_u64().unwrap() >= objects, "{totals} {objects}");
    drop(tenant);
}

#[test]
fn waiting_for_the_cap_is_told() {
    let (_tenant, host) = with_tenant(small(), &["--max-parallel", "1"]);
    let log = newest_log(&host, "Tenant");
    assert!(log.contains("Max parallel executions: 1"), "{log}");
    let waited = log.lines().find(|line| line.contains("Waited ")).unwrap();
    assert!(waited.contains(" s for the cap of 1; 0 answers 429, 0 timeouts"), "{waited}");
    let totals = &newest_run(&host)["result"]["totals"];
    assert!(totals["waited_ms"].is_u64() && totals["throttled"] == 0, "{totals}");
}

#[test]
fn a_failed_refresh_ends_its_log_with_the_reason() {
    let host = with_connection("A");
    misbehave(&host, "A", "fail");
    assert_eq!(refresh(&host, "A").code(), 4);
    let log = newest_log(&host, "A");
    snapshots(&host).bind(|| insta::assert_snapshot!("failed", log));
}

#[test]
fn tracing_is_json_line_by_line_if_asked_for() {
    let (_tenant, mut host) = with_tenant(small(), &[]);
    host.set("JACKFIELD_LOG__FORMAT", "json");
    let refreshed =
        host.run(["connection", "refresh", "Tenant", "--json", "--log-level", "debug"]).expect_success();
    let lines: Vec<Value> =
        refreshed.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let operations = lines.iter().filter(|line| line["fields"]["message"] == "operation");
    let apps =
        |line: &&Value| line["fields"]["path"].as_str().is_some_and(|path| path.contains("/api/v1/items"));
    let app = operations.clone().find(apps).expect("the apps were asked for");
    assert_eq!((&app["fields"]["status"], &app["fields"]["method"]), (&json!(200), &json!("GET")));
    assert!(app["timestamp"].is_string() && app["level"] == "DEBUG", "{app}");
    let totals = &newest_run(&host)["result"]["totals"];
    assert_eq!(operations.count() as u64, totals["requests"].as_u64().unwrap(), "the same facts as the log");
    let key = host
        .command(["x"])
        .get_envs()
        .find_map(|(name, value)| (name == "QLIK_KEY").then(|| value.unwrap().to_owned()));
    assert!(!refreshed.all().contains(key.unwrap().to_str().unwrap()));

    host.set("JACKFIELD_LOG__FORMAT", "text");
    let text =
        host.run(["connection", "refresh", "Tenant", "--log-level", "jackfield=debug"]).expect_success();
    assert!(text.stderr.contains("DEBUG") && text.stderr.contains("operation"), "{}", text.stderr);
    let quiet = host.run(["connection", "refresh", "Tenant"]).expect_success();
    assert!(!quiet.stderr.contains("DEBUG"), "{}", quiet.stderr);
}
