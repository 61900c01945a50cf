//! Plugins that misbehave: each ends its own run, with the right blame and a reason, and nothing else.

use crate::support::{
    misbehave, newest_log, newest_run, no_worker_left, refresh, set, snapshots, things, with_connection,
};
use jackfield_tests::Host;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How a mode ends: exit code, blame, words of the message.
type Case = (&'static str, i32, &'static str, &'static [&'static str]);

const REFRESHES: &[Case] = &[
    ("panic", 6, "plugin", &["hostile 0.1.0 (sha256 ", "panicked in its hook \"refresh\": as requested"]),
    ("panic_in_poll", 6, "plugin", &["hostile 0.1.0 (sha256 ", "as requested, after an await"]),
    ("panic_in_drop", 6, "plugin", &["hostile 0.1.0 (sha256 ", "signal 6", "panic in a destructor"]),
    ("abort", 6, "plugin", &["hostile 0.1.0 (sha256 ", "aborted (signal 6)"]),
    ("exit", 6, "plugin", &["hostile 0.1.0 (sha256 ", "ended with status 0"]),
    ("segfault", 6, "plugin", &["hostile 0.1.0 (sha256 ", "signal", "overflowed its stack"]),
    ("huge", 6, "plugin", &["hostile 0.1.0 (sha256 ", "longer than the limit"]),
    ("lie_kind", 6, "plugin", &["hostile 0.1.0 (sha256 ", "the kind \"unicorn\""]),
    ("bad_attributes", 6, "plugin", &["hostile 0.1.0 (sha256 ", "\"thing-0\"", "not a JSON object"]),
    ("unknown_capability", 6, "plugin", &["hostile 0.1.0 (sha256 ", "universe.teleport", "contract 1."]),
    ("slot_elsewhere", 6, "plugin", &["hostile 0.1.0 (sha256 ", "secret \"token\"", "x-leak"]),
    (
        "leak",
        6,
        "plugin",
        &["hostile 0.1.0 (sha256 ", "https://elsewhere.example", "not part of this connection"],
    ),
    ("fail", 4, "remote", &["the server is tired"]),
    ("nonsense", 2, "you", &["there is no mode \"nonsense\""]),
];

/// Those that only a time limit ends.
const ENDLESS: &[&str] = &["spin", "hang", "flood"];

#[track_caller]
fn failed_as(run: &Value, (mode, _, blame, words): &Case) {
    assert_eq!(run["state"], "failed", "{mode}: {run:#}");
    assert_eq!(run["failure"]["blame"], *blame, "{mode}: {run:#}");
    let message = run["failure"]["message"].as_str().unwrap();
    for word in *words {
        assert!(message.contains(word), "{mode}: {message}");
    }
    assert!(message.len() < 1000, "{mode}: {message}");
}

/// The connection works as before: its catalog stands, and the next refresh does.
#[track_caller]
fn works_again(host: &Host, name: &str, mode: &str) {
    assert_eq!(things(host, name), 250, "{mode}: the catalog stands");
    no_worker_left(host);
    misbehave(host, name, "ok");
    refresh(host, name).expect_success();
    assert_eq!(things(host, name), 250, "{mode}");
}

#[test]
fn a_mode_ends_its_own_refresh_and_nothing_else() {
    let host = with_connection("A");
    let mut told = String::new();
    for case in REFRESHES {
        let (mode, code, ..) = case;
        misbehave(&host, "A", mode);
        let before = host.json(["connection", "show", "A"])["connection"]["last_refresh_at"].clone();
        let refreshed = refresh(&host, "A");
        assert_eq!(refreshed.code(), *code, "{mode}: {}", refreshed.all());
        failed_as(&newest_run(&host), case);
        let log = newest_log(&host, "A");
        let last = log.lines().last().unwrap();
        assert!(last.contains("Ended: failed") && last.contains(case.3[0]), "{mode}: {log}");
        let shown = host.json(["connection", "show", "A"]);
        assert_eq!(shown["state"], "last refresh failed", "{mode}");
        assert_eq!(shown["connection"]["last_refresh_at"], before, "{mode}: only a success moves it");
        if !["panic_in_drop", "segfault"].contains(mode) {
            told += &format!("{mode}\n{}\n", refreshed.stderr);
        }
        works_again(&host, "A", mode);
    }
    snapshots(&host).bind(|| insta::assert_snapshot!("refreshes", told));
}

#[test]
fn a_mode_fails_its_own_test_and_nothing_else() {
    let host = with_connection("A");
    for case in REFRESHES {
        let (mode, code, ..) = *case;
        let mut expected = *case;
        match mode {
            // Their refresh puts things; a test has no catalog to put them into.
            "huge" | "lie_kind" | "bad_attributes" if mode != "huge" => {
                expected.3 = &["hostile 0.1.0 (sha256 ", "only a refresh has a catalog"];
            }
            "panic" => expected.3 = &["hostile 0.1.0 (sha256 ", "panicked in its hook \"test\""],
            _ => {}
        }
        misbehave(&host, "A", mode);
        let tested = host.run(["connection", "test", "A"]);
        assert_eq!(tested.code(), code, "{mode}: {}", tested.all());
        failed_as(&newest_run(&host), &expected);
        no_worker_left(&host);
    }
    misbehave(&host, "A", "lie_check");
    let tested = host.run(["connection", "test", "A"]);
    assert_eq!(tested.code(), 6, "{}", tested.all());
    failed_as(&newest_run(&host), &("lie_check", 6, "plugin", &["hostile 0.1.0 (sha256 ", "World peace"]));
    works_again(&host, "A", "lie_check");
}

#[test]
fn what_never_ends_is_ended_by_the_limit() {
    let mut host = with_connection("A");
    host.set("JACKFIELD_RUN__REFRESH_LIMIT_SECONDS", "1");
    host.set("JACKFIELD_RUN__TEST_LIMIT_SECONDS", "1");
    for mode in ENDLESS {
        for (hook, key) in [("refresh", "run.refresh_limit_seconds"), ("test", "run.test_limit_seconds")] {
            if *mode == "flood" && hook == "test" {
                continue;
            }
            misbehave(&host, "A", mode);
            let began = Instant::now();
            let ended = host.run(["connection", hook, "A"]);
            assert!(began.elapsed() < Duration::from_secs(6), "{mode}: {:?}", began.elapsed());
            assert_eq!(ended.code(), 6, "{mode}: {}", ended.all());
            assert!(ended.stderr.contains("within its limit of 1 s"), "{mode}: {}", ended.stderr);
            assert!(ended.stderr.contains(key), "{mode}: {}", ended.stderr);
            let run = newest_run(&host);
            assert_eq!((&run["state"], &run["hook"]), (&json!("failed"), &json!(hook)), "{mode}");
            if hook == "refresh" {
                let log = newest_log(&host, "A");
                assert!(log.lines().last().unwrap().contains("within its limit of 1 s"), "{mode}: {log}");
            }
            no_worker_left(&host);
        }
        assert_eq!(things(&host, "A"), 250, "{mode}");
    }
    host.set("JACKFIELD_RUN__REFRESH_LIMIT_SECONDS", "60");
    works_again(&host, "A", "flood");
}

#[test]
fn what_a_plugin_prints_lands_in_the_log_and_nowhere_else() {
    let host = with_connection("A");
    misbehave(&host, "A", "stdout");
    let refreshed = refresh(&host, "A").expect_success();
    assert!(!refreshed.all().contains("belong"), "{}", refreshed.all());
    let log = newest_log(&host, "A");
    assert!(log.contains("the plugin printed: 0: this line does not belong on the standard output"), "{log}");
    assert!(log.contains("the plugin printed: 0: nor does this one belong here"), "{log}");
    assert!(log.contains("prints too much; the rest is left out"), "{log}");
    assert!(log.lines().count() < 1100, "{} lines", log.lines().count());
}

/// The most memory that a process has had so far, in kilobytes; 0 when it has ended.
fn most_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[test]
fn what_a_plugin_asks_for_at_once_does_not_fill_the_memory() {
    let host = with_connection("A");
    misbehave(&host, "A", "flood_calls");
    let mut started = host.start(["connection", "refresh", "A"]);
    let mut most = 0;
    while started.is_running() {
        most = most.max(most_memory(started.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    started.finish().expect_success();
    // The plugin sends 400 MB; the host holds 128 MB of them and reads one more, which is there twice while it is decoded.
    assert!((10_000..280_000).contains(&most), "{most} kB");
}

#[test]
fn what_a_plugin_logs_does_not_fill_the_disk() {
    let host = with_connection("A");
    misbehave(&host, "A", "flood_log");
    let refreshed = refresh(&host, "A");
    assert_eq!(refreshed.code(), 4);
    let log = newest_log(&host, "A");
    assert!(log.contains("ääää…\n"), "the long lines are cut");
    assert!(log.contains(" line 19000\n") && !log.contains(" line 20500\n"), "the many lines end");
    assert_eq!(log.matches("logs too much; the rest is left out").count(), 1);
    assert!(log.len() < 2_000_000, "{} bytes", log.len());
    assert!(refreshed.all().len() < 2_000_000, "{} bytes", refreshed.all().len());
    let run = host.json(["run", "show", newest_run(&host)["id"].as_str().unwrap()]);
    assert!(run.to_string().len() < 200_000, "{} bytes", run.to_string().len());
}

#[test]
fn of_two_objects_with_one_id_the_last_counts_and_a_warning_says_so() {
    let host = with_connection("A");
    misbehave(&host, "A", "duplicate");
    let refreshed = refresh(&host, "A").expect_success();
    assert!(
        refreshed
            .stderr
            .contains("warning: the list of \"thing\" held the same ids more than once (thing-7)")
    );
    assert_eq!(things(&host, "A"), 1);
    assert!(newest_log(&host, "A").contains(" 1 warnings,"));
    let events = host.json(["run", "show", newest_run(&host)["id"].as_str().unwrap()]);
    assert!(events["events"].as_array().unwrap().iter().any(|event| event["level"] == "warning"), "{events}");
}

#[test]
fn the_difference_to_the_catalog_before_is_counted() {
    let host = with_connection("A");
    set(&host, "A", json!({ "count": 300 }));
    let refreshed = refresh(&host, "A").expect_success();
    snapshots(&host).bind(|| insta::assert_snapshot!("difference", refreshed.all()));
    let kinds = &newest_run(&host)["result"]["kinds"][0];
    assert_eq!((&kinds["added"], &kinds["changed"], &kinds["removed"]), (&json!(50), &json!(0), &json!(0)));
    set(&host, "A", json!({ "count": 10 }));
    refresh(&host, "A").expect_success();
    let kinds = &newest_run(&host)["result"]["kinds"][0];
    assert_eq!((&kinds["count"], &kinds["removed"]), (&json!(10), &json!(290)));
    assert_eq!(newest_run(&host)["result"]["totals"]["rows"], 10);
}

#[test]
fn a_worker_that_cannot_be_started_is_not_the_plugins_fault() {
    let mut host = with_connection("A");
    host.set("JACKFIELD_WORKER", "/nowhere/jackfield");
    let refreshed = refresh(&host, "A");
    assert_eq!(refreshed.code(), 1, "{}", refreshed.all());
    assert!(
        refreshed.stderr.contains("the worker /nowhere/jackfield cannot be started"),
        "{}",
        refreshed.stderr
    );
    // It is a program, but it speaks no frames.
    host.set("JACKFIELD_WORKER", "/bin/echo");
    let refreshed = refresh(&host, "A");
    assert_ne!(refreshed.code(), 0, "{}", refreshed.all());
    assert_eq!(newest_run(&host)["state"], "failed");
    assert_eq!(things(&host, "A"), 250);
}

#[test]
fn a_hook_that_fails_on_its_own_keeps_the_servers_words() {
    let host = with_connection("A");
    misbehave(&host, "A", "fail");
    let refreshed = host.run(["connection", "refresh", "A", "--json"]);
    let run: Value = serde_json::from_str(&refreshed.stdout).unwrap();
    let failure = &run["failure"];
    assert_eq!(failure["reference"], "HOSTILE-1");
    assert_eq!(failure["remedy"], "let it sleep");
    assert_eq!(failure["status"], 503);
    assert_eq!(refreshed.stderr, "");
}
