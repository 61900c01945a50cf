//! Secrets at rest: what is sealed opens only where it was sealed, with the key that belongs to the database, and is gone
//! with what it was for.

use crate::{
    database,
    many::{self, Eyes},
    qlik_cloud::{Tenant, small, told},
    support::{snapshots, with_connection},
};
use jackfield_tests::Host;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

#[test]
fn a_failed_add_leaves_no_secret_behind() {
    let tenant = Tenant::new(small());
    tenant.simulator.fail_next("/api/v1/users/me", 403, 1000);
    assert_eq!(tenant.add(&[]).code(), 5);
    let key = tenant.key_of(1, Duration::ZERO);
    assert_eq!(tenant.add_key(&key).code(), 5);
    for table in [
        "connections",
        "data_keys",
        "credential_versions",
        "sealed_fields",
        "kept_sessions",
        "session_claims",
    ] {
        let query: &'static str = format!("SELECT COUNT(*) FROM {table}").leak();
        assert_eq!(database::number(&tenant.host, query), 0, "{table}");
    }
}

#[test]
fn what_was_moved_in_the_database_does_not_open() {
    let moves: [(&str, &[&str]); 9] = [
        (
            "between connections",
            &[
                "UPDATE sealed_fields SET sealed = (SELECT sealed FROM sealed_fields AS other WHERE other.connection_id <> sealed_fields.connection_id)",
            ],
        ),
        (
            "to another version",
            &[
                "PRAGMA foreign_keys = OFF",
                "UPDATE sealed_fields SET version = version + 1",
                "UPDATE credential_versions SET version = version + 1",
            ],
        ),
        ("to another field", &["UPDATE sealed_fields SET field = 'api_key'"]),
        (
            "data keys between connections",
            &[
                "UPDATE data_keys SET sealed = (SELECT sealed FROM data_keys AS other WHERE other.connection_id <> data_keys.connection_id)",
            ],
        ),
        ("to another purpose", &["UPDATE sealed_fields SET purpose = 'session'"]),
        (
            "a session in a secret's place",
            &[
                "UPDATE sealed_fields SET sealed = (SELECT sealed FROM kept_sessions AS other WHERE other.connection_id = sealed_fields.connection_id)",
            ],
        ),
        ("a data key cut short", &["UPDATE data_keys SET sealed = substr(sealed, 1, length(sealed) - 1)"]),
        (
            "a data key with another key's name on it",
            &[
                "UPDATE data_keys SET sealed = substr(sealed, 1, 6) || x'0123456789abcdef' || substr(sealed, 15)",
            ],
        ),
        ("cut short", &["UPDATE sealed_fields SET sealed = substr(sealed, 1, length(sealed) - 1)"]),
    ];
    let mut all = String::new();
    let mut shown = None;
    for (what, statements) in moves {
        let tenant = Tenant::connected(small());
        let url = format!("tenant_url={}", tenant.simulator.base_url());
        let client = format!("client_id={}", tenant.client.client_id);
        tenant
            .host
            .run([
                "connection",
                "add",
                "qlik-cloud",
                "U",
                "--set",
                &url,
                "--set",
                &client,
                "--tls-ca",
                "ca.pem",
                "--secret",
                "client_secret=@client_secret",
            ])
            .expect_success();
        database::execute_all(&tenant.host, statements);
        let refreshed = tenant.refresh();
        assert_eq!(refreshed.code(), 1, "{what}: {}", refreshed.all());
        let ended = tenant.host.json(["run", "list", "--limit", "1"]);
        assert_eq!(ended[0]["state"], "failed", "{what}: {ended}");
        all += &format!("--- {what}\n{}", told(&refreshed));
        shown = Some(tenant);
    }
    shown.unwrap().assert_reads("moved_ciphertext", &all);
}

#[test]
fn a_secret_that_does_not_open_can_be_entered_again() {
    let tenant = Tenant::connected(small());
    database::execute(&tenant.host, "UPDATE sealed_fields SET sealed = substr(sealed, 2)");
    assert_eq!(tenant.refresh().code(), 1);
    let kept = tenant.host.run(["connection", "edit", "T", "--unset", "web_integration_id"]);
    assert!(kept.code() == 2 && kept.stderr.contains("client_secret"), "{}", kept.all());
    let edit = ["connection", "edit", "T", "--secret", "client_secret=@client_secret"];
    tenant.host.run(edit).expect_success();
    tenant.refresh().expect_success();
}

#[test]
fn a_secret_that_is_not_in_use_and_does_not_open_can_be_forgotten() {
    let tenant = Tenant::connected(small());
    tenant.host.file("api_key", &tenant.key_of(0, Duration::from_secs(7 * 86_400)).token);
    let edit = |more: &[&str]| tenant.host.run([&["connection", "edit", "T"][..], more].concat());
    edit(&["--set", "sign_in=api_key", "--secret", "api_key=@api_key"]).expect_success();
    let broken = "UPDATE sealed_fields SET sealed = substr(sealed, 2) WHERE field = 'client_secret'";
    database::execute(&tenant.host, broken);
    assert_eq!(tenant.refresh().code(), 1);
    edit(&["--unset", "client_secret"]).expect_success();
    tenant.refresh().expect_success();
}

#[test]
fn a_session_that_was_moved_is_got_anew() {
    let tenant = Tenant::connected(small());
    database::execute(
        &tenant.host,
        "UPDATE kept_sessions SET sealed = substr(sealed, 1, length(sealed) - 1)",
    );
    tenant.refresh().expect_success();
    assert_eq!(tenant.asked("POST", "/oauth/token"), 1);
    tenant.refresh().expect_success();
    assert_eq!(tenant.asked("POST", "/oauth/token"), 1);
}

/// Writes a key file as it has to be.
fn write_key(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_wrong_key_is_told_at_the_start() {
    let tenant = Tenant::connected(small());
    let key = tenant.host.data().join("key");
    let right = fs::read(&key).unwrap();
    let other = Host::with_plugins(&[]);
    other.json(["connection", "list"]);
    let wrong = fs::read(other.data().join("key")).unwrap();
    let mut all = String::new();
    let rows: [(&str, Option<&[u8]>); 5] = [
        ("another key", Some(&wrong)),
        ("no key", None),
        ("not a key", Some(b"not a key")),
        ("half a key", Some(b"AQEBAQEBAQEBAQEBAQEBAQ==")),
        ("empty", Some(b"")),
    ];
    for (what, content) in rows {
        match content {
            Some(content) => write_key(&key, content),
            None => fs::remove_file(&key).unwrap(),
        }
        for command in [["connection", "refresh", "T"], ["connection", "show", "T"]] {
            let failed = tenant.host.run(command);
            assert_eq!(failed.code(), 2, "{what}: {}", failed.all());
            assert!(failed.stderr.contains("key"), "{what}: {}", failed.all());
            all += &format!("--- {what}: {}\n{}", command[1], told(&failed));
        }
        assert_eq!(key.exists(), content.is_some(), "a missing key is not made anew beside old secrets");
    }
    tenant.assert_reads("wrong_keys", &all);
    write_key(&key, &right);
    tenant.refresh().expect_success();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = tenant.host.run(["connection", "list"]);
    assert!(open.code() == 2 && open.stderr.contains("chmod 600"), "a key that all may read: {}", open.all());
}

#[test]
fn a_wrong_key_elsewhere_is_told_at_the_start() {
    const OTHER: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let base = with_connection("T");
    let mut all = String::new();
    let rows: [(&str, &[(&str, &str)]); 8] = [
        ("a variable that is not set", &[("JACKFIELD_KEY__VARIABLE", "MY_KEY")]),
        ("an empty one", &[("JACKFIELD_KEY__VARIABLE", "MY_KEY"), ("MY_KEY", "")]),
        ("no key in it", &[("JACKFIELD_KEY__VARIABLE", "MY_KEY"), ("MY_KEY", "hunter2-hunter2")]),
        ("another key in it", &[("JACKFIELD_KEY__VARIABLE", "MY_KEY"), ("MY_KEY", OTHER)]),
        ("systemd did not start it", &[("JACKFIELD_KEY__SYSTEMD_CREDENTIAL", "my-key")]),
        (
            "systemd has none of that name",
            &[("JACKFIELD_KEY__SYSTEMD_CREDENTIAL", "my-key"), ("CREDENTIALS_DIRECTORY", "/")],
        ),
        ("a file that is not there", &[("JACKFIELD_KEY__FILE", "/nowhere/key")]),
        ("a folder", &[("JACKFIELD_KEY__FILE", "/")]),
    ];
    for (what, variables) in rows {
        let mut host = base.copy();
        for (name, value) in variables {
            host.set(name, *value);
        }
        for command in [&["connection", "list"][..], &["secret", "rekey"]] {
            let failed = host.run(command);
            assert_eq!(failed.code(), 2, "{what}: {}", failed.all());
            assert!(!failed.all().contains("hunter2"), "{}", failed.all());
            let said = told(&failed);
            match command[0] {
                "connection" => all += &format!("--- {what}\n{said}"),
                _ => assert!(all.ends_with(&said), "{what}: {said}"),
            }
        }
    }
    snapshots(&base).bind(|| insta::assert_snapshot!("wrong_key_elsewhere", all));
}

#[test]
fn of_fifty_connections_no_secret_and_no_data_key_opens_in_anothers_place() {
    const FIFTY: usize = 50;
    let host = with_connection("T");
    many::add(&host, "T", FIFTY);
    let eyes = Eyes::open(&host);
    assert_eq!(eyes.read_all(), FIFTY);
    assert_eq!(eyes.opened_after_swaps("sealed_fields"), (FIFTY * (FIFTY - 1), 0));
    assert_eq!(eyes.opened_after_swaps("data_keys"), (FIFTY * (FIFTY - 1), 0));
    assert_eq!(eyes.read_all(), FIFTY);
}
