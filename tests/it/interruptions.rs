//! Runs that are cut short: by a person, by a limit, by the death of a worker or of the host itself.

use crate::support::{
    adding, hostile_host, misbehave, newest_log, newest_run, no_worker_left, refresh, set,
    start_slow_refresh, things, with_connection, with_store, workers,
};
use jackfield::model::run::{Hook, Run, RunState};
use jackfield_tests::{Host, host::signal, wait_for};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};

/// A stop works within a second; the rest is for starting processes on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(1500);

fn run(host: &Host, id: &str) -> Value {
    host.json(["run", "show", id])["run"].take()
}

/// Everything is as it was before the slow refresh, and the next one works.
fn as_before(host: &Host, name: &str) {
    no_worker_left(host);
    assert_eq!(things(host, name), 250, "the catalog stands");
    misbehave(host, name, "ok");
    refresh(host, name).expect_success();
}

#[test]
fn ctrl_c_and_sigterm_stop_a_refresh_at_once() {
    let host = with_connection("A");
    for by in ["INT", "TERM"] {
        let (started, id) = start_slow_refresh(&host, "A");
        let began = Instant::now();
        started.signal(by);
        let ended = started.finish();
        assert!(began.elapsed() < AT_ONCE, "{by}: {:?}", began.elapsed());
        assert_eq!(ended.code(), 130, "{by}: {}", ended.all());
        assert!(ended.stdout.contains("Cancelled; everything is as it was."), "{}", ended.all());
        let run = run(&host, &id);
        assert_eq!((&run["state"], &run["failure"]), (&json!("cancelled"), &Value::Null));
        assert!(newest_log(&host, "A").trim_end().ends_with("the catalog is as it was"));
        assert_eq!(host.json(["connection", "show", "A"])["state"], "last refresh cancelled");
        as_before(&host, "A");
    }
}

/// Holds the database's write lock for a while, from a thread of its own; returns when it is held.
fn hold_the_lock(host: &Host, how_long: Duration) -> std::thread::JoinHandle<()> {
    let options = SqliteConnectOptions::new().filename(host.data().join("jackfield.db"));
    let options = options.busy_timeout(Duration::from_secs(10));
    let (held, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut database = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
            held.send(()).unwrap();
            tokio::time::sleep(how_long).await;
            sqlx::query("COMMIT").execute(&mut database).await.unwrap();
            database.close().await.unwrap();
        });
    });
    wait.recv().unwrap();
    thread
}

#[test]
fn ctrl_c_works_and_its_ending_is_kept_while_the_database_is_locked() {
    let host = with_connection("A");
    // In the second case a heartbeat waits for the lock, too: one is due every 5 s.
    for (held, cancelled_after) in [(2000, 300), (7500, 5500)] {
        let (started, id) = start_slow_refresh(&host, "A");
        let lock = hold_the_lock(&host, Duration::from_millis(held));
        std::thread::sleep(Duration::from_millis(cancelled_after));
        started.signal("INT");
        wait_for("the worker's end", || workers(&host).is_empty().then_some(()));
        assert!(!lock.is_finished(), "the work ends at once, whoever holds the lock");
        lock.join().unwrap();
        let began = Instant::now();
        let ended = started.finish();
        assert!(began.elapsed() < AT_ONCE, "{held}: {:?}", began.elapsed());
        assert_eq!(ended.code(), 130, "{held}: {}", ended.all());
        assert_eq!(run(&host, &id)["state"], "cancelled", "{held}");
        as_before(&host, "A");
    }
}

#[test]
fn ctrl_c_stops_a_test_and_saves_nothing() {
    let host = hostile_host();
    let more = ["--set", "mode=slow", "--set", "seconds=60"].map(str::to_owned);
    let started = host.start(adding("A").into_iter().chain(more));
    wait_for("the test", || (!workers(&host).is_empty() && newest_is_running(&host)).then_some(()));
    let began = Instant::now();
    started.signal("INT");
    let ended = started.finish();
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(ended.code(), 130, "{}", ended.all());
    assert_eq!(host.json(["connection", "list"]), json!([]));
    assert_eq!(newest_run(&host)["state"], "cancelled");
    no_worker_left(&host);
}

fn newest_is_running(host: &Host) -> bool {
    host.json(["run", "list"])[0]["state"] == "running"
}

#[test]
fn run_cancel_stops_what_another_process_drives() {
    let host = with_connection("A");
    let (started, id) = start_slow_refresh(&host, "A");
    let cancelled = host.run(["run", "cancel", &id[..8]]).expect_success();
    let began = Instant::now();
    assert!(cancelled.stdout.contains(&format!("Run {id} is being ended.")), "{}", cancelled.stdout);
    let ended = started.finish();
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(ended.code(), 130, "{}", ended.all());
    assert_eq!(run(&host, &id)["state"], "cancelled");
    let again = host.run(["run", "cancel", &id]);
    assert_eq!(again.code(), 2);
    assert!(again.stderr.contains("has ended already (cancelled)"), "{}", again.stderr);
    let none = host.run(["run", "cancel", "nothing-like-it"]);
    assert_eq!(none.code(), 2);
    as_before(&host, "A");
}

#[test]
fn a_second_refresh_is_refused_naming_the_first() {
    let host = with_connection("A");
    let (started, id) = start_slow_refresh(&host, "A");
    let second = refresh(&host, "A");
    assert_eq!(second.code(), 2, "{}", second.all());
    assert!(second.stderr.contains(&format!("run {id}")), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("process {}", started.id())), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("jackfield run cancel {id}")), "{}", second.stderr);
    let deleting = host.run(["connection", "delete", "A", "--yes"]);
    assert_eq!(deleting.code(), 2, "{}", deleting.all());
    assert!(deleting.stderr.contains(&id), "{}", deleting.stderr);
    // Readers and another hook are not kept from their work, and see the catalog of before.
    assert_eq!(things(&host, "A"), 250);
    assert_eq!(host.json(["connection", "list"])[0]["state"], "refreshing");
    set(&host, "A", json!({ "mode": "ok" }));
    host.run(["connection", "test", "A"]).expect_success();
    host.run(["run", "cancel", &id]).expect_success();
    assert_eq!(started.finish().code(), 130);
    as_before(&host, "A");
}

#[test]
fn a_killed_worker_fails_its_run_and_nothing_else() {
    let host = with_connection("A");
    let (started, id) = start_slow_refresh(&host, "A");
    signal(workers(&host)[0], "KILL");
    let ended = started.finish();
    assert_eq!(ended.code(), 6, "{}", ended.all());
    let run = run(&host, &id);
    assert_eq!((&run["state"], &run["failure"]["blame"]), (&json!("failed"), &json!("plugin")));
    let message = run["failure"]["message"].as_str().unwrap();
    for words in ["hostile 0.1.0 (sha256 ", "was killed (signal 9)"] {
        assert!(message.contains(words) && ended.stderr.contains(words), "{message}");
        assert!(newest_log(&host, "A").contains(words));
    }
    as_before(&host, "A");
}

#[test]
fn a_killed_host_takes_its_worker_with_it_and_its_refresh_is_taken_up_again() {
    let host = with_connection("A");
    let (started, id) = start_slow_refresh(&host, "A");
    let began = Instant::now();
    started.signal("KILL");
    assert_eq!(started.finish().code(), 137);
    no_worker_left(&host);
    assert!(began.elapsed() < Duration::from_secs(2), "the worker lived on for {:?}", began.elapsed());
    let early = refresh(&host, "A");
    assert_eq!(early.code(), 2, "its lease still holds: {}", early.all());
    assert_eq!(things(&host, "A"), 250);
    misbehave(&host, "A", "ok");
    let requeued = wait_for("the lease's end", || {
        Some(host.run(["run", "show", &id])).filter(|shown| shown.stdout.contains(": queued"))
    });
    assert!(began.elapsed() > Duration::from_secs(8), "not before the lease has ended");
    assert_eq!(run(&host, &id)["attempt"], 1);
    // Whoever comes by is told how it goes on.
    let how = "`jackfield connection refresh A` takes it up";
    assert!(requeued.stderr.contains(how) && requeued.stdout.contains(how), "{}", requeued.all());
    for words in [&["connection", "list"][..], &["connection", "show", "A"]] {
        let shown = host.run(words).expect_success();
        assert!(shown.stdout.contains(how), "{words:?}: {}", shown.all());
    }
    refresh(&host, "A").expect_success();
    let run = run(&host, &id);
    assert_eq!((&run["state"], &run["attempt"]), (&json!("succeeded"), &json!(2)), "it is the same run");
    assert!(newest_log(&host, "A").contains(&format!("Run: {id} attempt 2")));
}

#[test]
fn a_worker_that_spins_ends_with_its_host_too() {
    let host = with_connection("A");
    misbehave(&host, "A", "spin");
    let started = host.start(["connection", "refresh", "A"]);
    wait_for("the worker", || (!workers(&host).is_empty() && newest_is_running(&host)).then_some(()));
    started.signal("KILL");
    let began = Instant::now();
    no_worker_left(&host);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// A run that somebody drove and left: its lease has ended.
fn abandoned(host: &Host, hook: Hook, attempts: i64, cancelled: bool) -> String {
    with_store(host, async |store| {
        let connection = store.connection_by_name("A").await.unwrap().unwrap();
        let mut run: Run = serde_json::from_value(newest_run(host)).unwrap();
        run = Run { id: jackfield::model::id::RunId::random(), connection: connection.id, hook, ..run };
        run = Run {
            state: RunState::Queued,
            attempt: attempts - 1,
            finished_at: None,
            result: None,
            failure: None,
            cancel_requested: false,
            ..run
        };
        store.insert_run(&run).await.unwrap();
        store.claim_run(&run.id, "somebody process 1", Duration::ZERO).await.unwrap().unwrap();
        if cancelled {
            store.request_cancel(&run.id).await.unwrap();
        }
        let now = store.now().await.unwrap();
        while store.now().await.unwrap() == now {}
        run.id.to_string()
    })
}

#[test]
fn what_lost_its_driver_is_settled_at_the_next_start() {
    let host = with_connection("A");
    let mut last = String::new();
    for (hook, attempts, cancelled, state, words) in [
        (Hook::Test, 1, false, "failed", "the test was interrupted: its driver (somebody process 1)"),
        (Hook::Refresh, 2, false, "failed", "the refresh was interrupted: its driver (somebody process 1)"),
        (Hook::Refresh, 1, true, "cancelled", ""),
        (Hook::Test, 1, true, "cancelled", ""),
        (Hook::Refresh, 1, false, "queued", ""),
    ] {
        let id = abandoned(&host, hook, attempts, cancelled);
        let run = run(&host, &id);
        last = id;
        assert_eq!(run["state"], state, "{hook:?} {attempts} {cancelled}: {run:#}");
        let message = run["failure"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{message}");
        assert_eq!(words.is_empty(), run["failure"].is_null(), "{run:#}");
    }
    // The queued one waits for whoever asks next, or for nobody: then it can be cancelled.
    let cancelled = host.run(["run", "cancel", &last]).expect_success();
    assert!(cancelled.stdout.contains("is cancelled"), "{}", cancelled.stdout);
    assert_eq!(things(&host, "A"), 250);
    refresh(&host, "A").expect_success();
}

#[test]
fn a_long_clearing_away_does_not_change_how_a_refresh_ended() {
    let host = with_connection("A");
    set(&host, "A", json!({ "count": 60_000 }));
    refresh(&host, "A").expect_success();
    set(&host, "A", json!({ "count": 1 }));
    refresh(&host, "A").expect_success();
    assert!(newest_log(&host, "A").trim_end().ends_with("Ended: succeeded"), "{}", newest_log(&host, "A"));
}

#[test]
fn many_processes_on_one_fresh_folder_agree() {
    for _ in 0..3 {
        let mut host = hostile_host();
        host.set("JACKFIELD_LOG__LEVEL", "error");
        let start = |_| {
            let mut command = host.command(["connection", "list", "--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = (0..6).map(start).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[]");
        }
        host.run(adding("A")).expect_success();
    }
}

#[test]
fn of_two_that_add_one_name_at_once_one_wins() {
    let host = hostile_host();
    host.json(["connection", "list"]);
    let started: Vec<_> = (0..3).map(|_| host.start(adding("A"))).collect();
    let mut codes: Vec<i32> = started.into_iter().map(|one| one.finish().code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 2, 2]);
    assert_eq!(host.json(["connection", "list"]).as_array().unwrap().len(), 1);
}
