//! A plugin from yesterday: built from the frozen sources of contract 1.0, run by today's executable.

use crate::{
    almanac::{Almanac, PIN, SECRET},
    support::{newest_log, newest_run, refresh, snapshots},
};
use jackfield_tests::{Finished, Host};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

/// An Almanac, and a host that has the plugin from yesterday.
struct Yesterday {
    host: Host,
    almanac: Almanac,
}

impl Yesterday {
    fn new() -> Yesterday {
        let (host, almanac) = (Host::with_plugins(&["yesterday-1-0"]), Almanac::start());
        host.file("secret", SECRET);
        host.file("pin", PIN);
        host.run(["key", "generate", "--private-key", "key.pem"]).expect_success();
        Yesterday { host, almanac }
    }

    fn add(&self) -> Finished {
        let server = format!("server=http://{}", self.almanac.address);
        let fixed = ["connection", "add", "almanac", "A", "--accept-hosts", "--set", &server, "--secret"];
        let secrets = ["client_secret=@secret", "--secret", "pin=@pin", "--secret", "private_key=@key.pem"];
        self.host.run([&fixed[..], &secrets[..]].concat())
    }

    fn items(&self) -> BTreeMap<String, String> {
        let items = self.host.json(["catalog", "list", "A", "item"]);
        let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
        items.as_array().unwrap().iter().map(|item| (text(item, "id"), text(item, "name"))).collect()
    }

    fn reads(&self, name: &str, text: &str) {
        let mut settings = snapshots(&self.host);
        settings.add_filter(&self.almanac.address.to_string(), "[ALMANAC]");
        settings.add_filter(r"\d+ bytes", "[N] bytes");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

fn names<const N: usize>(items: [(&str, &str); N]) -> BTreeMap<String, String> {
    items.map(|(id, name)| (id.to_owned(), name.to_owned())).into()
}

#[test]
fn it_is_listed_shown_added_and_tested() {
    let yesterday = Yesterday::new();
    let listed = yesterday.host.json(["plugin", "list"]);
    let manifest = &listed[0]["plugin"]["manifest"];
    assert_eq!((&manifest["id"], &manifest["needs"]), (&json!("almanac"), &json!("1.0")), "{listed:#}");
    let shown = yesterday.host.run(["plugin", "show", "almanac"]).expect_success();
    yesterday.reads("shown", &shown.stdout);

    let added = yesterday.add().expect_success();
    yesterday.reads("added", &added.stdout);
    let all_once = [
        "GET /api/items?limit=2 200",
        "GET /api/items?limit=2&page=2 200",
        "GET /api/me 200",
        "GET /api/try/basic 200",
        "GET /api/try/header?q=a+b%26c 200",
        "GET /api/try/show 200",
        "GET /api/try/signed 200",
        "GET /api/users 200",
        "POST /api/try/json 200",
        "POST /api/try/ticket 201",
        "POST /token 200",
        "PUT /api/try/bytes?as=is 200",
    ];
    assert_eq!(yesterday.almanac.asked(), all_once, "the session of the test serves the refresh");
    yesterday.host.run(["connection", "test", "A"]).expect_success();
    assert!(!yesterday.almanac.asked().iter().any(|line| line.contains("/token")), "and every later run");
}

#[test]
fn it_refreshes_and_then_only_what_changed() {
    let yesterday = Yesterday::new();
    yesterday.add().expect_success();
    assert_eq!(yesterday.items(), names([("i1", "One"), ("i2", "Two"), ("i3", "Three")]));
    let item = yesterday.host.json(["catalog", "show", "A", "item", "i1"]);
    yesterday.reads("item", &serde_json::to_string_pretty(&item).unwrap());
    yesterday.reads("log", &newest_log(&yesterday.host, "A"));

    yesterday.almanac.asked();
    yesterday.almanac.change(|world| (world.changed, world.users_hidden) = (true, true));
    refresh(&yesterday.host, "A").expect_success();
    assert_eq!(yesterday.items(), names([("i2", "Two again"), ("i3", "Three"), ("i4", "Four")]));
    assert_eq!(yesterday.almanac.asked(), ["GET /api/items?limit=2&since=7 200", "GET /api/users 403"]);
    let kinds = yesterday.host.run(["catalog", "kinds", "A"]).expect_success();
    yesterday.reads("kinds", &kinds.stdout);
    assert!(newest_log(&yesterday.host, "A").contains("run 2: 2 items, 0 users"));

    // The mark of the second run is where the third begins.
    refresh(&yesterday.host, "A").expect_success();
    assert_eq!(yesterday.almanac.asked()[0], "GET /api/items?limit=2&since=8 200");
}

#[test]
fn what_it_remembers_of_one_system_is_not_asked_of_another() {
    let yesterday = Yesterday::new();
    yesterday.add().expect_success();
    let other = Almanac::start();
    let server = format!("server=http://{}", other.address);
    let edit = ["connection", "edit", "A", "--set", &server, "--secret", "client_secret=@secret"];
    let rest = ["--secret", "pin=@pin", "--secret", "private_key=@key.pem"];
    yesterday.host.run([&edit[..], &rest].concat()).expect_success();
    other.asked();
    refresh(&yesterday.host, "A").expect_success();
    assert_eq!(other.asked()[0], "GET /api/items?limit=2 200", "its mark is that of the first system");
    assert_eq!(yesterday.items().len(), 3);
}

#[test]
fn its_failures_say_what_they_said() {
    let yesterday = Yesterday::new();
    yesterday.add().expect_success();
    yesterday.almanac.change(|world| world.broken = true);
    let failed = refresh(&yesterday.host, "A");
    assert_eq!(failed.code(), 4, "{}", failed.all());
    yesterday.reads("failed_refresh", &failed.stderr);
    let failure = newest_run(&yesterday.host)["failure"].take();
    assert_eq!((&failure["status"], &failure["reference"]), (&json!(500), &json!("B-12")), "{failure:#}");
    assert_eq!(yesterday.items().len(), 3, "the catalog stands");

    yesterday.host.file("secret", "another-secret-0000");
    let edited = yesterday.host.run(["connection", "edit", "A", "--secret", "client_secret=@secret"]);
    assert_eq!(edited.code(), 5, "{}", edited.all());
    yesterday.reads("failed_test", &edited.stdout);
}

#[test]
fn nothing_of_it_tells_a_secret() {
    let yesterday = Yesterday::new();
    let printed = yesterday.add().expect_success().all() + &newest_log(&yesterday.host, "A");
    assert!(printed.contains("«secret»"), "what the server echoes is replaced: {printed}");
    let database = fs::read(yesterday.host.data().join("jackfield.db")).unwrap();
    for secret in [SECRET, PIN, "token-of-ada", "T-1-header", "T-1/cookie", "BEGIN PRIVATE KEY"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
        assert!(memchr::memmem::find(&database, secret.as_bytes()).is_none(), "{secret}");
    }
}
