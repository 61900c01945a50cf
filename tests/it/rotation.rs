//! Credentials that are given new versions: what is in use, what the remote system has, and what is told.

use crate::{
    database, nprinting,
    qlik_cloud::{SCOPES, Tenant, small, told},
    qlik_onprem::{self, Site},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::{Config, NewClient},
};
use jackfield_tests::{Host, wait_for};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);

/// A tenant with a connection that signs in with an API key of its first user.
fn with_key() -> Tenant {
    let tenant = Tenant::new(Config { max_api_key_expiry: "P30D".to_owned(), ..small() });
    let key = tenant.key_of(0, 7 * DAY);
    tenant.add_key(&key).expect_success();
    tenant
}

fn keys(tenant: &Tenant) -> BTreeSet<String> {
    tenant.simulator.active_api_keys(&tenant.simulator.user_id(0)).into_iter().collect()
}

/// Version, state and remote id of each version of the only credential, newest first.
fn versions(host: &Host, name: &str) -> Vec<(i64, String, String)> {
    let history = host.json(["credential", "history", name]);
    let text = |version: &Value, key: &str| version[key].as_str().unwrap_or_default().to_owned();
    let of = |version: &Value| {
        (version["version"].as_i64().unwrap(), text(version, "state"), text(version, "remote_id"))
    };
    history["versions"].as_array().unwrap().iter().map(of).collect()
}

/// Version and state of each version, newest first.
fn states(host: &Host, name: &str) -> Vec<(i64, String)> {
    versions(host, name).into_iter().map(|(version, state, _)| (version, state)).collect()
}

fn state(version: i64, state: &str) -> (i64, String) {
    (version, state.to_owned())
}

/// A text as a person reads it, without what differs from run to run.
fn assert_reads(name: &str, text: &str) {
    let filters = [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[MOMENT]"),
        (r"\b[0-9a-f]{32}\b", "[REMOTE ID]"),
        (r"\b[0-9a-f]{16}\b", "[ATTEMPT]"),
        (r"-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----", "[CERTIFICATE]"),
        (r":\d{4,5}\b", ":[PORT]"),
        (r"[ \t]+\n", "\n"),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(name, text) });
}

#[test]
fn an_api_key_is_renewed_proven_and_the_old_one_deleted_after_a_while() {
    let tenant = with_key();
    let before = keys(&tenant);
    let run = |arguments: &[&str]| tenant.host.run(arguments);
    let mut all = String::new();
    for arguments in [
        &["credential", "list"][..],
        &["credential", "rotate", "T"],
        &["credential", "list"],
        &["credential", "history", "T"],
        &["credential", "renew", "--due"],
    ] {
        let done = run(arguments).expect_success();
        all += &format!("$ jackfield {}\n{}\n", arguments.join(" "), done.all());
    }
    assert_reads("renewed", &all);
    assert_eq!(keys(&tenant).len(), 2, "the old one still works");
    assert!(keys(&tenant).is_superset(&before));
    assert_eq!(states(&tenant.host, "T"), [state(2, "current"), state(1, "previous")]);
    tenant.test().expect_success();

    run(&["credential", "rotate", "T", "api_key"]).expect_success();
    assert!(keys(&tenant).is_disjoint(&before), "the first one is gone");
    assert_eq!(keys(&tenant).len(), 2);
    assert_eq!(states(&tenant.host, "T"), [state(3, "current"), state(2, "previous"), state(1, "retired")]);

    // An hour later.
    database::execute(&tenant.host, "UPDATE rotations SET next_at = 1 WHERE ended_at IS NULL");
    run(&["credential", "renew", "--due"]).expect_success();
    assert_eq!(keys(&tenant).len(), 1);
    assert_eq!(run(&["credential", "renew", "--due"]).expect_success().stdout, "Nothing is due.\n");
    tenant.test().expect_success();
    tenant.refresh().expect_success();
}

#[test]
fn a_key_that_ends_within_a_day_is_due() {
    let tenant = with_key();
    assert_eq!(
        tenant.host.run(["credential", "renew", "--due"]).expect_success().stdout,
        "Nothing is due.\n"
    );
    let hour = "UPDATE credential_versions SET expires_at = CAST(unixepoch() AS INTEGER) * 1000 + 86000000";
    database::execute(&tenant.host, hour);
    let listed = tenant.host.json(["credential", "list"]);
    assert_eq!(listed[0]["due"], true, "{listed}");
    tenant.host.run(["credential", "renew", "--due"]).expect_success();
    assert_eq!(states(&tenant.host, "T"), [state(2, "current"), state(1, "previous")]);
    tenant.test().expect_success();
}

#[test]
fn what_cannot_be_renewed_says_why_and_changes_nothing() {
    let mut all = String::new();
    let mut tell = |what: &str, tenant: &Tenant| {
        let before = keys(tenant);
        let done = tenant.host.run(["credential", "rotate", "T"]);
        all += &format!("## {what}: {}\n{}\n", done.code(), done.all());
        assert_eq!(keys(tenant), before, "{what}");
        assert_eq!(states(&tenant.host, "T"), [state(1, "current")], "{what}");
    };
    let tenant = Tenant::new(small());
    tenant.add_key(&tenant.key_of(0, 7 * DAY)).expect_success();
    tell("the tenant lets keys live for a day", &tenant);

    let tenant = with_key();
    for _ in 0..4 {
        tenant.key_of(0, DAY);
    }
    tell("the user has as many keys as it may", &tenant);

    let narrow = Tenant::with(small(), &NewClient::scoped("Jackfield", &SCOPES));
    narrow.add(&[]).expect_success();
    let bot = narrow.simulator.bot_user_of(&narrow.client.client_id);
    narrow.simulator.set_roles(&bot, &["AnalyticsAdmin"]).unwrap();
    tell("a client that was narrowed down", &narrow);
    assert!(!all.contains("Tenant Admin"), "{all}");
    assert_reads("refused", &all);
}

#[test]
fn a_client_secret_is_renewed_where_the_client_may() {
    let mut tenant = Tenant::connected(small());
    tenant.host.set("JACKFIELD_ROTATION__GRACE_MINUTES", "0");
    let before = tenant.simulator.client_secret_hints(&tenant.client.client_id);
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    let after = tenant.simulator.client_secret_hints(&tenant.client.client_id);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after, "the old one is deleted");
    assert_eq!(states(&tenant.host, "T"), [state(2, "current"), state(1, "retired")]);
    tenant.test().expect_success();
}

#[test]
fn a_new_key_whose_test_fails_is_not_put_in_use_and_can_be_given_up() {
    let tenant = with_key();
    let before = keys(&tenant);
    tenant.simulator.fail_next("/api/v1/users/me", 503, 9);
    let failed = tenant.host.run(["credential", "rotate", "T"]);
    assert_ne!(failed.code(), 0);
    let mut all = failed.all();
    assert_eq!(states(&tenant.host, "T"), [state(2, "staged"), state(1, "current")]);
    tenant.simulator.clear_faults();
    all += &tenant.host.run(["credential", "list"]).expect_success().all();
    all += &tenant.host.run(["credential", "rotate", "T", "--give-up"]).expect_success().all();
    assert_reads("given_up", &all);
    assert_eq!(keys(&tenant), before, "the new one is deleted, the old one is not");
    assert_eq!(states(&tenant.host, "T"), [state(2, "retired"), state(1, "current")]);
    tenant.test().expect_success();
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    assert_eq!(states(&tenant.host, "T")[0], state(3, "current"));
}

#[test]
fn one_who_brings_a_key_meanwhile_is_not_overruled() {
    let tenant = with_key();
    tenant.simulator.fail_next("/api/v1/users/me", 503, 9);
    assert_ne!(tenant.host.run(["credential", "rotate", "T"]).code(), 0);
    tenant.simulator.clear_faults();
    let brought = tenant.key_of(0, 9 * DAY);
    tenant.host.file("brought", &brought.token);
    let supplied =
        tenant.host.run(["credential", "rotate", "T", "--secret", "api_key=@brought"]).expect_success();
    assert!(supplied.stdout.contains("version 3 is in use, and not version 1"), "{}", supplied.all());
    tenant.host.run(["credential", "renew", "--due"]).expect_success();
    assert_eq!(states(&tenant.host, "T")[0], state(3, "current"));
    assert_eq!(states(&tenant.host, "T")[1], state(2, "retired"));
    assert_eq!(keys(&tenant).len(), 2, "the one before and the one that was brought: {:?}", keys(&tenant));
    tenant.test().expect_success();
}

#[test]
fn two_who_rotate_at_once_make_one_key() {
    let tenant = with_key();
    let started: Vec<_> = (0..2).map(|_| tenant.host.start(["credential", "rotate", "T"])).collect();
    let codes: Vec<i32> = started.into_iter().map(|one| one.finish().code()).collect();
    assert!(codes.contains(&0), "{codes:?}");
    let made = versions(&tenant.host, "T");
    let current = &made.iter().find(|(_, state, _)| state == "current").unwrap().2;
    assert!(keys(&tenant).contains(current));
    assert!(made.len() <= 3 && keys(&tenant).len() <= 2, "{made:?}");
    tenant.test().expect_success();
}

#[test]
fn a_person_registers_the_certificate_of_a_new_pair() {
    let server = nprinting::Server::new(nprinting::small());
    server.add(&[]).expect_success();
    let run = |arguments: &[&str]| server.host.run(arguments);
    let offered = run(&["credential", "rotate", "N"]).expect_success();
    let mut all = format!("$ jackfield credential rotate N\n{}\n", offered.all());
    let early = run(&["credential", "confirm", "N"]);
    all += &format!("$ jackfield credential confirm N ({})\n{}\n", early.code(), early.all());
    run(&["connection", "test", "N"]).expect_success();
    assert_eq!(states(&server.host, "N"), [state(2, "staged"), state(1, "current")]);

    let from = offered.stdout.find("-----BEGIN CERTIFICATE-----").unwrap();
    let to = offered.stdout.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----".len();
    server.simulator.register_jwt_certificate(&offered.stdout[from..to]).unwrap();
    let confirmed = run(&["credential", "confirm", "N"]).expect_success();
    all += &format!("$ jackfield credential confirm N\n{}\n", confirmed.all());
    assert_reads("registered", &all);
    assert_eq!(states(&server.host, "N"), [state(2, "current"), state(1, "previous")]);
    run(&["connection", "test", "N"]).expect_success();
    assert!(!all.contains("PRIVATE KEY"));
}

#[test]
fn the_key_of_the_virtual_proxy_is_renewed_by_itself() {
    let site = Site::new(qlik_onprem::small());
    site.add().expect_success();
    let before = qlik_onprem::registered(&site);
    let rotated = site.host.run(["credential", "rotate", "Q", "proxy_key"]).expect_success();
    assert_ne!(qlik_onprem::registered(&site), before, "{}", rotated.all());
    let tested = site.host.run(["connection", "test", "Q"]).expect_success();
    assert!(tested.stdout.contains("is as it should be"), "{}", tested.all());
    let supplied = site.host.run(["credential", "rotate", "Q", "client_certificate"]);
    assert_reads("supplied", &supplied.all());
}

#[test]
fn nothing_of_a_secret_is_told() {
    let tenant = with_key();
    let rotated = tenant.host.run(["credential", "rotate", "T"]).expect_success();
    for arguments in [&["credential", "history", "T"][..], &["credential", "list"], &["run", "list"]] {
        for form in [&[][..], &["--json"]] {
            let shown = tenant.host.run([arguments, form].concat()).expect_success();
            assert!(!shown.all().contains("eyJ"), "{}", shown.all());
        }
    }
    assert!(!told(&rotated).contains("eyJ"));
}

/// A rotation whose cleanup is to come, and the keys that live then.
fn in_grace() -> (Tenant, BTreeSet<String>) {
    let tenant = with_key();
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    let alive = keys(&tenant);
    (tenant, alive)
}

fn an_hour_later(tenant: &Tenant) {
    database::execute(&tenant.host, "UPDATE rotations SET next_at = 1 WHERE ended_at IS NULL");
}

#[test]
fn a_key_that_somebody_put_back_is_not_deleted() {
    let (tenant, alive) = in_grace();
    tenant.host.run(["connection", "edit", "T", "--secret", "api_key=@api_key"]).expect_success();
    an_hour_later(&tenant);
    tenant.host.run(["credential", "renew", "--due"]).expect_success();
    assert!(keys(&tenant).is_subset(&alive));
    tenant.test().expect_success();
}

#[test]
fn a_key_that_another_connection_uses_is_not_deleted() {
    let tenant = with_key();
    let mut other = vec!["connection", "add", "qlik-cloud", "U", "--tls-ca", "ca.pem"];
    let url = format!("tenant_url={}", tenant.simulator.base_url());
    other.extend(["--set", &url, "--set", "sign_in=api_key", "--secret", "api_key=@api_key"]);
    tenant.host.run(other).expect_success();
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    an_hour_later(&tenant);
    tenant.host.run(["credential", "renew", "--due"]).expect_success();
    let history = tenant.host.run(["credential", "history", "T"]).expect_success().stdout;
    assert!(history.contains("\"U\" uses it too"), "{history}");
    tenant.host.run(["connection", "test", "U"]).expect_success();
    tenant.test().expect_success();
}

#[test]
fn an_edit_that_began_before_a_rotation_does_not_bring_the_old_key_back() {
    let tenant = with_key();
    tenant.simulator.add_fault(Fault {
        method: None,
        path: "/api/v1/users/me".to_owned(),
        query: None,
        skip: 0,
        times: Some(1),
        kind: FaultKind::Delay { milliseconds: 4_000 },
    });
    let edit = tenant.host.start(["connection", "edit", "T", "--tls-ca", "ca.pem"]);
    wait_for("the edit's test", || (tenant.simulator.strikes() > 0).then_some(()));
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    let edited = edit.finish();
    assert_eq!(edited.code(), 2, "{}", edited.all());
    assert!(edited.all().contains("was changed by somebody else meanwhile"), "{}", edited.all());
    an_hour_later(&tenant);
    tenant.host.run(["credential", "renew", "--due"]).expect_success();
    tenant.test().expect_success();
}

#[test]
fn a_connection_does_not_move_away_from_an_open_rotation() {
    let (tenant, _) = in_grace();
    let client = format!("client_id={}", tenant.client.client_id);
    let oauth = ["--set", "sign_in=oauth", "--set", &client, "--secret", "client_secret=@client_secret"];
    let elsewhere = ["--set", "tenant_url=https://127.0.0.1:1", "--secret", "api_key=@api_key"];
    let mut all = String::new();
    for change in [&oauth[..], &elsewhere] {
        let refused = tenant.host.run([&["connection", "edit", "T"][..], change].concat());
        assert_eq!(refused.code(), 2, "{}", refused.all());
        all += &refused.all();
    }
    all += &tenant.host.run(["credential", "renew", "--due", "--at-once"]).expect_success().all();
    tenant.host.run([&["connection", "edit", "T"][..], &oauth].concat()).expect_success();
    assert_reads("moving", &all);
}

#[test]
fn an_answer_that_cannot_be_read_is_swept_and_asked_for_anew() {
    let tenant = with_key();
    tenant.simulator.add_fault(Fault {
        method: Some("POST".to_owned()),
        path: "/api/v1/api-keys".to_owned(),
        query: None,
        skip: 0,
        times: Some(1),
        kind: FaultKind::TruncatedJson,
    });
    tenant.host.run(["credential", "rotate", "T"]).expect_success();
    assert_eq!(keys(&tenant).len(), 2);
    tenant.test().expect_success();
}

#[test]
fn one_connection_does_not_keep_the_others_from_being_renewed() {
    let tenant = with_key();
    let url = format!("tenant_url={}", tenant.simulator.base_url());
    tenant.host.file("second", &tenant.key_of(1, 7 * DAY).token);
    let add = [
        "connection",
        "add",
        "qlik-cloud",
        "A",
        "--tls-ca",
        "ca.pem",
        "--set",
        &url,
        "--set",
        "sign_in=api_key",
    ];
    tenant.host.run([&add[..], &["--secret", "api_key=@second"]].concat()).expect_success();
    let soon = "UPDATE credential_versions SET expires_at = CAST(unixepoch() AS INTEGER) * 1000 + 86000000";
    database::execute(&tenant.host, soon);
    tenant.simulator.set_user_status(&tenant.simulator.user_id(1), "disabled");
    let renewed = tenant.host.run(["credential", "renew", "--due"]);
    assert_ne!(renewed.code(), 0, "{}", renewed.all());
    assert_eq!(states(&tenant.host, "T")[0], state(2, "current"), "{}", renewed.all());
    let listed = tenant.host.run(["credential", "list", "A"]).expect_success().stdout;
    assert!(listed.contains("needs attention"), "{listed}");
    assert_eq!(
        tenant.host.run(["credential", "renew", "--due"]).expect_success().stdout,
        "Nothing is due.\n"
    );
}
