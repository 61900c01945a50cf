//! Connections: added and changed by way of a passed test, found, shown, deleted.

use crate::support::{
    TOKEN, adding, hostile_host, misbehave, newest_run, refresh, set, snapshots, things, with_connection,
    with_store,
};
use jackfield::model::{
    connection::ConnectionState,
    id::{ConnectionId, RunId},
    run::{Hook, Run, RunState},
};
use jackfield_tests::{Finished, Host};
use serde_json::{Value, json};
use std::{io::Write, process::Stdio};

fn names(host: &Host, search: &[&str]) -> Vec<String> {
    let listed = host.json([&["connection", "list"], search].concat());
    let name = |one: &Value| one["connection"]["name"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

fn shown(host: &Host, name: &str) -> Value {
    host.json(["connection", "show", name])
}

fn edit(host: &Host, arguments: &[&str]) -> Finished {
    host.run([&["connection", "edit"], arguments].concat())
}

fn runs(host: &Host) -> usize {
    host.json(["run", "list"]).as_array().unwrap().len()
}

fn all_connections(host: &Host) -> usize {
    let drafts = with_store(host, async |store| store.drafts_older_than(i64::MAX).await.unwrap().len());
    drafts + names(host, &[]).len()
}

#[test]
fn adding_tests_saves_and_refreshes() {
    let host = hostile_host();
    let added = host.run(adding("Café")).expect_success();
    snapshots(&host).bind(|| insta::assert_snapshot!("added", added.all()));
    let shown = shown(&host, "café");
    assert_eq!(shown["connection"]["name"], "Café");
    assert_eq!(shown["url"], "https://hostile.example");
    assert_eq!(shown["state"], "ready");
    assert_eq!(shown["secrets"], json!(["token"]));
    assert!(shown["connection"]["last_refresh_at"].is_i64());
    assert!(!shown.to_string().contains(TOKEN));
    let hooks: Vec<_> =
        host.json(["run", "list"]).as_array().unwrap().iter().map(|run| run["hook"].clone()).collect();
    assert_eq!(hooks, ["refresh", "test"]);

    let mut with_json = adding("In JSON");
    with_json.extend(["--json", "--description", "for a program", "--max-parallel", "7"].map(str::to_owned));
    let added = host.run(with_json).expect_success();
    let printed: Value = serde_json::from_str(&added.stdout).unwrap();
    assert_eq!(added.stderr, "");
    assert_eq!(printed["refresh"]["state"], "succeeded");
    assert_eq!(printed["connection"]["connection"]["description"], "for a program");
    assert_eq!(printed["connection"]["connection"]["max_parallel"], 7);
}

#[test]
fn every_problem_names_its_field_and_saves_nothing() {
    let host = hostile_host();
    let mut told = String::new();
    for (more, field) in [
        (&["--set", "server_url=ftp://hostile.example"][..], "server_url"),
        (&["--set", "server_url=https://user:pass@hostile.example"], "server_url"),
        (&["--set", "server_url=http://[::1"], "server_url"),
        (&["--set", "server_url="], "server_url"),
        (&["--set", "count=many"], "count"),
        (&["--set", "count=-1"], "count"),
        (&["--set", "colour=red"], "colour"),
        (&["--set", "token=typed-in-the-open"], "token"),
        (&["--secret", "mode=@token"], "mode"),
        (&["--secret", "token=typed-in-the-open"], "token"),
        (&["--secret", "token=@nowhere"], "token"),
        (&["--secret", "token=env:NOWHERE"], "token"),
        (&["--max-parallel", "0"], "max_parallel"),
        (&["--max-parallel", "257"], "max_parallel"),
    ] {
        let arguments = adding("A").into_iter().chain(more.iter().map(|&one| one.to_owned()));
        let refused = host.run(arguments.clone());
        assert_eq!(refused.code(), 2, "{more:?}: {}", refused.all());
        assert!(!refused.all().contains("typed-in-the-open"), "{more:?}: {}", refused.all());
        let in_json = host.run(arguments.chain(["--json".to_owned()]));
        let error: Value = serde_json::from_str(&in_json.stderr).unwrap();
        assert_eq!(error["error"]["field"], field, "{more:?}: {error}");
        told += &format!("{}\n{}\n", more.join(" "), refused.stderr);
    }
    let nothing = host.run(["connection", "add", "hostile", "A"]);
    assert_eq!(nothing.code(), 2);
    told += &format!("nothing given\n{}\n", nothing.stderr);
    for name in ["", "  ", "two\nlines", &"x".repeat(201)] {
        let refused = host.run(adding(name));
        assert_eq!(refused.code(), 2, "{name:?}");
        assert!(refused.stderr.contains("the name must"), "{name:?}: {}", refused.stderr);
    }
    snapshots(&host).bind(|| insta::assert_snapshot!("problems", told));
    assert_eq!((all_connections(&host), runs(&host)), (0, 0));
}

#[test]
fn a_taken_name_asks_for_another() {
    let host = with_connection("Zürich");
    for name in ["Zürich", "ZÜRICH", " zürich "] {
        let refused = host.run(adding(name));
        assert_eq!(refused.code(), 2, "{name}");
        assert!(refused.stderr.contains("the name \"Zürich\" is already used"), "{}", refused.stderr);
        assert!(refused.stderr.contains("choose another name"), "{}", refused.stderr);
    }
    host.run(adding("Bern")).expect_success();
    let refused = edit(&host, &["Bern", "--name", "zÜrich"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.contains("choose another name"), "{}", refused.stderr);
    edit(&host, &["Bern", "--name", "BERN"]).expect_success();
    assert_eq!(names(&host, &[]), ["BERN", "Zürich"]);
}

#[test]
fn a_failed_test_saves_nothing_and_leaves_no_draft() {
    let host = hostile_host();
    for (mode, code) in [("fail", 4), ("panic", 6), ("abort", 6), ("lie_check", 6)] {
        let mode = format!("mode={mode}");
        let refused = host.run(adding("A").into_iter().chain(["--set".to_owned(), mode.clone()]));
        assert_eq!(refused.code(), code, "{mode}: {}", refused.all());
        assert!(
            refused.stdout.contains("Not saved, because its test did not pass."),
            "{mode}: {}",
            refused.stdout
        );
        assert_eq!(all_connections(&host), 0, "{mode}");
    }
    assert_eq!(runs(&host), 4, "the tests stay as history");
    assert_eq!(host.run(["connection", "show", "A"]).code(), 2);
}

#[test]
fn a_failed_first_refresh_keeps_the_connection_and_says_how_to_repeat_it() {
    let mut host = hostile_host();
    host.set("JACKFIELD_RUN__REFRESH_LIMIT_SECONDS", "1");
    let more = ["--set".to_owned(), "count=1000000000".to_owned()];
    let added = host.run(adding("It's new").into_iter().chain(more));
    assert_eq!(added.code(), 6, "{}", added.all());
    snapshots(&host).bind(|| insta::assert_snapshot!("first_refresh", added.all()));
    let shown = shown(&host, "It's new");
    assert_eq!(shown["state"], "last refresh failed");
    assert!(shown["connection"]["last_refresh_at"].is_null());
    let log = host.logs().pop().unwrap().display().to_string();
    assert!(added.stdout.contains(&format!("log: {log}")), "{}", added.stdout);
}

#[test]
fn connections_are_listed_searched_and_shown() {
    let host = hostile_host();
    let empty = host.run(["connection", "list"]).expect_success().stdout;
    assert!(empty.contains("There are no connections"), "{empty}");
    for name in ["North 100%", "north_west", "ÖSTERREICH"] {
        host.run(adding(name)).expect_success();
    }
    assert_eq!(names(&host, &[]), ["North 100%", "north_west", "ÖSTERREICH"]);
    for (search, found) in [
        ("NORTH", &["North 100%", "north_west"][..]),
        ("öst", &["ÖSTERREICH"]),
        ("%", &["North 100%"]),
        ("_", &["north_west"]),
        ("south", &[]),
    ] {
        assert_eq!(names(&host, &["--search", search]), found, "{search}");
    }
    let none = host.run(["connection", "list", "--search", "south"]).expect_success().stdout;
    assert!(none.contains("No connection's name contains \"south\"."), "{none}");
    misbehave(&host, "north_west", "fail");
    assert_eq!(refresh(&host, "north_west").code(), 4);
    let table = host.run(["connection", "list"]).expect_success().stdout;
    let shown = host.run(["connection", "show", "north_west"]).expect_success().stdout;
    snapshots(&host).bind(|| insta::assert_snapshot!("listed", format!("{table}\n{shown}")));
}

#[test]
fn name_description_and_cap_change_without_a_test() {
    let host = with_connection("A");
    // No test would pass.
    misbehave(&host, "A", "fail");
    let before = runs(&host);
    edit(&host, &["A", "--name", "B", "--description", "renamed", "--max-parallel", "9"]).expect_success();
    let shown = shown(&host, "B");
    assert_eq!(shown["connection"]["description"], "renamed");
    assert_eq!(shown["connection"]["max_parallel"], 9);
    assert_eq!(runs(&host), before);
    assert_eq!(host.run(["connection", "show", "A"]).code(), 2);
    assert_eq!(things(&host, "B"), 250, "its catalog is its own under the new name");
}

#[test]
fn a_setting_changes_only_by_a_passed_test_and_never_refreshes() {
    let host = with_connection("A");
    let before = shown(&host, "A");
    let refused = edit(&host, &["A", "--set", "mode=fail", "--name", "B"]);
    assert_eq!(refused.code(), 4, "{}", refused.all());
    assert!(refused.stdout.contains("Not saved; the connection is as it was."), "{}", refused.stdout);
    assert_eq!(shown(&host, "A"), before);
    assert_eq!(all_connections(&host), 1, "no draft is left");

    let tests = runs(&host);
    let edited = edit(&host, &["A", "--set", "count=3", "--description", "fewer"]).expect_success();
    assert!(edited.stdout.contains("passed  Server reachable"), "{}", edited.stdout);
    assert!(
        edited.stdout.contains("`jackfield connection refresh` brings it up to date"),
        "{}",
        edited.stdout
    );
    assert_eq!(runs(&host), tests + 1);
    assert_eq!(newest_run(&host)["hook"], "test");
    let after = shown(&host, "A");
    assert_eq!(after["connection"]["settings"]["count"], 3);
    assert_eq!(after["connection"]["description"], "fewer");
    assert_eq!(after["connection"]["last_refresh_at"], before["connection"]["last_refresh_at"]);
    assert_eq!(after["connection"]["id"], before["connection"]["id"]);
    assert_eq!(things(&host, "A"), 250);
    refresh(&host, "A").expect_success();
    assert_eq!(things(&host, "A"), 3);

    edit(&host, &["A", "--unset", "count"]).expect_success();
    let both = edit(&host, &["A", "--set", "count=7", "--unset", "count"]);
    assert_eq!(both.code(), 2, "{}", both.all());
    assert!(both.stderr.contains("count is given and taken back at once"), "{}", both.stderr);
    assert_eq!(shown(&host, "A")["connection"]["settings"]["count"], 250);
    for (unset, words) in [
        ("server_url", "server_url: is missing"),
        ("colour", "no such setting"),
        ("token", "token (\"Token\") is always needed"),
    ] {
        let refused = edit(&host, &["A", "--unset", unset]);
        assert_eq!(refused.code(), 2, "{unset}: {}", refused.all());
        assert!(refused.stderr.contains(words), "{unset}: {}", refused.stderr);
    }
}

#[test]
fn a_blank_secret_keeps_the_one_of_before() {
    let host = with_connection("A");
    host.file("blank", "\n");
    let version = |host: &Host| shown(host, "A")["credentials"][0]["version"].clone();
    assert_eq!(version(&host), 1);
    edit(&host, &["A", "--secret", "token=@blank"]).expect_success();
    assert_eq!(version(&host), 1);
    edit(&host, &["A", "--set", "count=4", "--secret", "token=@blank"]).expect_success();
    assert_eq!((version(&host), &shown(&host, "A")["secrets"]), (json!(1), &json!(["token"])));
    edit(&host, &["A", "--secret", "token=@token"]).expect_success();
    assert_eq!(version(&host), 1, "the same value is no change");
    host.file("another", "tok-another-5512");
    edit(&host, &["A", "--secret", "token=@another"]).expect_success();
    assert_eq!(version(&host), 2);
    refresh(&host, "A").expect_success();
}

#[test]
fn a_blank_secret_of_a_new_connection_is_missing() {
    let host = hostile_host();
    host.file("token", "\n");
    let refused = host.run(adding("A"));
    assert_eq!(refused.code(), 2, "{}", refused.all());
    assert!(refused.stderr.contains("token: is missing"), "{}", refused.stderr);
}

#[test]
fn secrets_come_from_files_variables_and_standard_input() {
    let mut host = hostile_host();
    host.set("A_TOKEN", TOKEN);
    let with = |name: &str, source: &str| {
        let mut arguments = adding(name);
        *arguments.last_mut().unwrap() = format!("token={source}");
        arguments
    };
    host.run(with("Variable", "env:A_TOKEN")).expect_success();
    let mut command = host.command(with("Input", "-"));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{TOKEN}\r\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    // All three hold the same value: giving it from a file again changes nothing.
    for name in ["Variable", "Input"] {
        edit(&host, &[name, "--secret", "token=@token"]).expect_success();
        assert_eq!(shown(&host, name)["credentials"][0]["version"], 1, "{name}");
    }
}

#[test]
fn an_address_at_another_system_demands_the_secret_again() {
    let host = with_connection("A");
    let moved = ["A", "--set", "server_url=https://elsewhere.example"];
    let refused = edit(&host, &moved);
    assert_eq!(refused.code(), 2, "{}", refused.all());
    snapshots(&host).bind(|| insta::assert_snapshot!("moved", refused.stderr));
    assert_eq!(shown(&host, "A")["url"], "https://hostile.example");
    host.file("blank", "");
    assert_eq!(
        edit(&host, &[&moved[..], &["--secret", "token=@blank"]].concat()).code(),
        2,
        "blank is not again"
    );
    for port in ["https://hostile.example:8443", "http://hostile.example"] {
        let other = edit(&host, &["A", "--set", &format!("server_url={port}")]);
        assert_eq!(other.code(), 2, "{port} is another origin: {}", other.all());
    }
    edit(&host, &["A", "--set", "server_url=HTTPS://Hostile.Example:443/ignored/path"]).expect_success();
    assert_eq!(shown(&host, "A")["url"], "https://hostile.example", "the same origin, otherwise written");
    edit(&host, &[&moved[..], &["--secret", "token=@token"]].concat()).expect_success();
    assert_eq!(shown(&host, "A")["url"], "https://elsewhere.example");
    assert_eq!(all_connections(&host), 1);
}

#[test]
fn deleting_asks_or_is_told_yes() {
    let host = with_connection("A");
    let refused = host.run(["connection", "delete", "A"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
    assert_eq!(names(&host, &[]), ["A"]);
    host.run(["connection", "delete", "a", "--yes"]).expect_success();
    assert_eq!(names(&host, &[]), Vec::<String>::new());
    let history = host.json(["run", "list"]);
    assert_eq!(history[0]["connection_name"], "A", "its runs stay as history");
    host.run(["run", "show", history[0]["id"].as_str().unwrap()]).expect_success();
    host.run(adding("A")).expect_success();
    assert_eq!(host.json(["connection", "delete", "A", "--yes"]), json!({ "deleted": "A" }));
}

#[test]
fn the_log_of_what_was_never_refreshed_says_to_refresh_first() {
    let host = with_connection("A");
    with_store(&host, async |store| {
        let mut connection = store.connection_by_name("A").await.unwrap().unwrap();
        connection.id = ConnectionId::random();
        connection.name = "Fresh one".to_owned();
        (connection.last_refresh_at, connection.last_refresh_run) = (None, None);
        store.insert_connection(&connection).await.unwrap();
    });
    let refused = host.run(["connection", "log", "Fresh one"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.contains("has not been refreshed yet"), "{}", refused.stderr);
    assert!(refused.stderr.contains("jackfield connection refresh 'Fresh one'"), "{}", refused.stderr);
    let kinds = host.run(["catalog", "kinds", "Fresh one"]).expect_success().stdout;
    assert!(kinds.contains("has not been refreshed yet"), "{kinds}");
    assert_eq!(shown(&host, "Fresh one")["state"], "not refreshed yet");
}

#[test]
fn drafts_that_nobody_came_back_to_are_swept() {
    let host = with_connection("A");
    with_store(&host, async |store| {
        let mut draft = store.connection_by_name("A").await.unwrap().unwrap();
        draft.state = ConnectionState::Draft;
        for (created_at, active) in [(0, false), (0, true), (store.now().await.unwrap(), false)] {
            draft.id = ConnectionId::random();
            draft.created_at = created_at;
            store.insert_connection(&draft).await.unwrap();
            if active {
                // Its process ended between asking for the test and taking it up.
                store.insert_run(&queued(draft.id.clone(), Hook::Test)).await.unwrap();
            }
        }
    });
    assert_eq!(names(&host, &[]), ["A"], "drafts are hidden");
    assert_eq!(all_connections(&host), 2, "the young draft stays");
}

fn queued(connection: ConnectionId, hook: Hook) -> Run {
    Run {
        id: RunId::random(),
        connection,
        connection_name: "A".to_owned(),
        connector: "hostile".to_owned(),
        hook,
        state: RunState::Queued,
        attempt: 0,
        owner: None,
        cancel_requested: false,
        queued_at: 0,
        started_at: None,
        finished_at: None,
        result: None,
        failure: None,
        log: None,
        plugin: None,
    }
}

#[test]
fn the_catalog_is_listed_and_shown() {
    let host = with_connection("A");
    let list =
        |more: &[&str]| host.run([&["catalog", "list", "A", "thing"], more].concat()).expect_success().stdout;
    assert!(list(&[]).ends_with("50 of 250\n"));
    let table = list(&["--search", "THING 24", "--limit", "3", "--offset", "2"]);
    let kinds = host.run(["catalog", "kinds", "A"]).expect_success().stdout;
    let object = host.run(["catalog", "show", "A", "thing", "thing-7"]).expect_success().stdout;
    snapshots(&host).bind(|| insta::assert_snapshot!("catalog", format!("{kinds}\n{table}\n{object}")));
    for (arguments, words) in [
        (&["list", "A", "unicorn"][..], "there are: thing"),
        (&["show", "A", "thing", "thing-999"], "there is no thing \"thing-999\""),
        (&["kinds", "B"], "there are: A"),
    ] {
        let refused = host.run([&["catalog"], arguments].concat());
        assert_eq!(refused.code(), 2, "{arguments:?}");
        assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.stderr);
    }
}

#[test]
fn old_runs_are_forgotten_with_their_logs() {
    let mut host = with_connection("A");
    host.set("JACKFIELD_RUN__KEEP", "2");
    set(&host, "A", json!({ "count": 1 }));
    for _ in 0..3 {
        refresh(&host, "A").expect_success();
    }
    let kept = host.json(["run", "list"]);
    assert_eq!(kept.as_array().unwrap().len(), 2);
    let mut named: Vec<_> = kept.as_array().unwrap().iter().map(|run| run["log"].as_str().unwrap()).collect();
    named.sort_unstable();
    let files: Vec<_> =
        host.logs().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files, named);
}

#[test]
fn the_hosts_own_fields_need_no_plugin() {
    let host = with_connection("A");
    std::fs::remove_dir_all(host.data().join("plugins")).unwrap();
    edit(&host, &["A", "--name", "B", "--description", "kept", "--max-parallel", "7"]).expect_success();
    let shown = shown(&host, "B");
    assert_eq!(
        (shown["connection"]["max_parallel"].as_u64(), shown["state"].as_str()),
        (Some(7), Some("plugin missing"))
    );
    assert_eq!(shown["url"], "https://hostile.example");
}

#[test]
fn a_change_does_not_undo_another_that_was_saved_meanwhile() {
    let host = with_connection("A");
    set(&host, "A", json!({ "seconds": 2 }));
    let slow = host.start(["connection", "edit", "A", "--set", "mode=slow"]);
    jackfield_tests::wait_for("the change to be tested", || (all_connections(&host) == 2).then_some(()));
    edit(&host, &["A", "--name", "B", "--max-parallel", "9"]).expect_success();
    let refused = slow.finish();
    assert_eq!(refused.code(), 2, "{}", refused.all());
    assert!(refused.stderr.contains("changed by somebody else meanwhile"), "{}", refused.stderr);
    assert_eq!(shown(&host, "B")["connection"]["max_parallel"], 9);
    assert_eq!(all_connections(&host), 1, "the draft is gone");
}

#[test]
fn what_waits_for_nobody_does_not_keep_a_connection() {
    let host = with_connection("A");
    with_store(&host, async |store| {
        let connection = store.connection_by_name("A").await.unwrap().unwrap();
        store.insert_run(&queued(connection.id, Hook::Refresh)).await.unwrap();
    });
    assert_eq!(shown(&host, "A")["connection"]["name"], "A");
    host.run(["connection", "delete", "A", "--yes"]).expect_success();
    assert_eq!(host.json(["connection", "list"]), json!([]));
}
