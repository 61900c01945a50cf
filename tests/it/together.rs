//! Several processes on one data folder: what each of them gets when another is at work.

use crate::support::{
    adding, hostile_host, misbehave, newest_log, no_worker_left, refresh, set, snapshots, start_slow_refresh,
    things, wait_until_running, with_connection, workers,
};
use jackfield_tests::{Finished, Host, host::signal};
use serde_json::json;

/// Adds "A", "B" and "C", each with as many things as it is said.
fn three(host: &Host) {
    for name in ["A", "B", "C"] {
        host.run(adding(name)).expect_success();
    }
}

#[test]
fn connections_are_refreshed_tested_and_added_at_once() {
    let host = hostile_host();
    three(&host);
    for (name, count) in [("A", 4000), ("B", 3000), ("C", 2000)] {
        set(&host, name, json!({ "count": count }));
    }
    let refreshes = ["A", "B", "C"].map(|name| host.start(["connection", "refresh", name]));
    let tests = ["A", "B", "C"].map(|name| host.start(["connection", "test", name]));
    let additions = ["D", "E"].map(|name| host.start(adding(name)));
    for started in refreshes.into_iter().chain(tests).chain(additions) {
        started.finish().expect_success();
    }
    for (name, count) in [("A", 4000), ("B", 3000), ("C", 2000), ("D", 250), ("E", 250)] {
        assert_eq!(things(&host, name), count, "{name}");
        assert!(newest_log(&host, name).trim_end().ends_with("Ended: succeeded"), "{name}");
    }
    assert_eq!(host.logs().len(), 8, "every refresh has a log of its own");
}

#[test]
fn of_two_tests_at_once_one_is_refused_naming_the_other() {
    let host = with_connection("A");
    misbehave(&host, "A", "slow");
    let started: Vec<_> = (0..3).map(|_| host.start(["connection", "test", "A"])).collect();
    let mut codes = Vec::new();
    for one in started {
        let finished = one.finish();
        let words = finished.stderr.contains("a test of \"A\" is under way already: run ");
        assert_eq!(finished.code() == 2, words, "{}", finished.all());
        codes.push(finished.code());
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 2, 2]);
}

#[test]
fn everything_has_an_outcome_while_a_connection_is_refreshed() {
    let host = hostile_host();
    three(&host);
    let (started, id) = start_slow_refresh(&host, "A");
    let mut told = String::new();
    let rows: [(&[&str], i32); 9] = [
        (&["connection", "refresh", "A"], 2),
        (&["connection", "delete", "A", "--yes"], 2),
        (&["connection", "edit", "A", "--description", "being refreshed"], 0),
        (&["connection", "edit", "A", "--name", "Alpha"], 0),
        (&["connection", "edit", "Alpha", "--name", "B"], 2),
        (&["connection", "refresh", "B"], 0),
        (&["connection", "delete", "C", "--yes"], 0),
        (&["catalog", "kinds", "Alpha"], 0),
        (&["run", "cancel", &id], 0),
    ];
    for (command, code) in rows {
        let finished = host.run(command);
        assert_eq!(finished.code(), code, "{command:?}: {}", finished.all());
        let command = command.join(" ").replace(&id, "RUN");
        told += &format!("--- {command}\n{}", printed(&finished));
    }
    snapshots(&host).bind(|| insta::assert_snapshot!("meanwhile", told));
    assert_eq!(started.finish().code(), 130);
    no_worker_left(&host);
    assert_eq!((things(&host, "Alpha"), things(&host, "B")), (250, 250));
}

/// What a person reads, without how far it had come meanwhile.
fn printed(finished: &Finished) -> String {
    let error = finished.stderr.lines().skip_while(|line| !line.starts_with("error"));
    error.fold(finished.stdout.clone(), |all, line| all + line + "\n")
}

/// Starts a refresh of "A" whose plugin stands still until `meanwhile` is done; answers how it ended.
fn refresh_during(host: &Host, meanwhile: impl FnOnce()) -> Finished {
    set(host, "A", json!({ "mode": "slow", "seconds": 2 }));
    let started = host.start(["connection", "refresh", "A"]);
    wait_until_running(host, "refresh");
    let worker = workers(host)[0];
    signal(worker, "STOP");
    meanwhile();
    signal(worker, "CONT");
    started.finish()
}

#[test]
fn a_refresh_survives_that_its_connection_is_changed() {
    let host = with_connection("A");
    let change = ["connection", "edit", "A", "--name", "Alpha", "--set", "mode=ok"];
    let ended = refresh_during(&host, || drop(host.run(change).expect_success()));
    assert_eq!(ended.code(), 0, "{}", ended.all());
    assert_eq!(things(&host, "Alpha"), 20, "one for each step");
}

#[test]
fn what_was_found_in_another_system_is_not_kept() {
    let host = with_connection("A");
    let moved = ["connection", "edit", "A", "--set", "server_url=https://elsewhere.example"];
    let rest = ["--secret", "token=@token", "--set", "mode=ok", "--set", "count=7"];
    let moved = [&moved[..], &rest].concat();
    let ended = refresh_during(&host, || drop(host.run(moved).expect_success()));
    assert_eq!(ended.code(), 2, "{}", ended.all());
    snapshots(&host).bind(|| insta::assert_snapshot!("moved", printed(&ended)));
    assert_eq!(things(&host, "A"), 250, "the catalog is as it was");
    assert!(newest_log(&host, "A").contains("was moved to another system"), "{}", newest_log(&host, "A"));
    refresh(&host, "A").expect_success();
    assert_eq!(things(&host, "A"), 7);
}
