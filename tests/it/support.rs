//! What the tests of the host share: a hostile connection, runs and processes to look at, and what snapshots leave out.

use jackfield::store::Store;
use jackfield_tests::{Finished, Host, Started, artifacts, wait_for};
use serde_json::{Map, Value, json};
use std::{fs, future::Future};

/// The secret that hostile connections have.
pub(crate) const TOKEN: &str = "tok-6f1c2a9d77";

/// A host with the hostile plugin and a file `token`.
pub(crate) fn hostile_host() -> Host {
    let host = Host::with_plugins(&["hostile"]);
    host.file("token", TOKEN);
    host
}

/// The arguments that add a hostile connection which behaves.
pub(crate) fn adding(name: &str) -> Vec<String> {
    let fixed = ["connection", "add", "hostile", name, "--set", "server_url=https://hostile.example"];
    let rest = ["--set", "mode=ok", "--secret", "token=@token"];
    fixed.iter().chain(&rest).map(|&argument| argument.to_owned()).collect()
}

/// A host with a hostile connection, refreshed with 250 things.
pub(crate) fn with_connection(name: &str) -> Host {
    let host = hostile_host();
    host.run(adding(name)).expect_success();
    host
}

/// Works on the host's database, as another process would.
pub(crate) fn with_store<T, F: Future<Output = T>>(host: &Host, work: impl FnOnce(Store) -> F) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&host.data().join("jackfield.db")).await.unwrap();
        let done = work(store.clone()).await;
        store.close().await;
        done
    })
}

/// Changes settings without a test, which most modes would not pass.
pub(crate) fn set(host: &Host, name: &str, settings: Value) {
    with_store(host, async |store| {
        let mut connection = store.connection_by_name(name).await.unwrap().unwrap();
        let settings: Map<String, Value> = serde_json::from_value(settings).unwrap();
        connection.settings.extend(settings);
        store.update_connection(&connection).await.unwrap();
    });
}

/// Sets the mode of a hostile connection.
pub(crate) fn misbehave(host: &Host, name: &str, mode: &str) {
    set(host, name, json!({ "mode": mode }));
}

/// Refreshes a connection.
pub(crate) fn refresh(host: &Host, name: &str) -> Finished {
    host.run(["connection", "refresh", name])
}

/// The newest run, as `run show` has it.
pub(crate) fn newest_run(host: &Host) -> Value {
    let runs = host.json(["run", "list", "--limit", "1"]);
    let id = runs[0]["id"].as_str().expect("there is a run");
    host.json(["run", "show", id])["run"].take()
}

/// How many things the catalog of a connection holds.
pub(crate) fn things(host: &Host, name: &str) -> u64 {
    let kinds = host.json(["catalog", "kinds", name]);
    kinds.as_array().unwrap().iter().map(|kind| kind["count"].as_u64().unwrap()).sum()
}

/// The text of the newest refresh log.
pub(crate) fn newest_log(host: &Host, name: &str) -> String {
    let path = host.run(["connection", "log", name, "--path"]).expect_success().stdout;
    fs::read_to_string(path.trim()).unwrap()
}

/// The worker processes that have a plugin of this host open, whoever their parent is.
pub(crate) fn workers(host: &Host) -> Vec<u32> {
    let folder = host.data().display().to_string();
    let ours = |process: &u32| {
        let read = |what: &str| fs::read(format!("/proc/{process}/{what}")).unwrap_or_default();
        read("cmdline").ends_with(b"\0worker\0") && String::from_utf8_lossy(&read("maps")).contains(&folder)
    };
    let processes = fs::read_dir("/proc").unwrap();
    processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok()).filter(ours).collect()
}

/// Waits until no worker of this host is left.
pub(crate) fn no_worker_left(host: &Host) {
    wait_for("the workers' end", || workers(host).is_empty().then_some(()));
}

/// Waits until no worker is left whose host is gone, whether it has opened its plugin already or not. The workers of other
/// tests have theirs.
pub(crate) fn no_orphan_left() {
    let executable = artifacts().jackfield();
    let runs_ours =
        |process: &str| fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|exe| exe == executable);
    let orphan = |process: &String| {
        let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
        let is_worker = arguments.ends_with(b"\0worker\0") && runs_ours(process);
        is_worker && parent.is_some_and(|parent| !runs_ours(parent))
    };
    wait_for("the end of workers without a host", || {
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut numbers = processes.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        (!numbers.any(|process| orphan(&process))).then_some(())
    });
}

/// Starts a slow refresh, and waits until it has put things; answers it with the id of its run.
pub(crate) fn start_slow_refresh(host: &Host, name: &str) -> (Started, String) {
    set(host, name, json!({ "mode": "slow", "seconds": 60 }));
    let started = host.start(["connection", "refresh", name]);
    let run = wait_until_running(host, "refresh");
    (started, run)
}

/// Waits until the newest run is one of this hook and its worker is there; answers its id.
pub(crate) fn wait_until_running(host: &Host, hook: &str) -> String {
    wait_for("a running hook", || {
        let run = newest_run(host);
        let running = run["hook"] == hook && run["state"] == "running" && !workers(host).is_empty();
        running.then(|| run["id"].as_str().unwrap().to_owned())
    })
}

/// Snapshot settings that leave out what differs from run to run.
pub(crate) fn snapshots(host: &Host) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    let folder = host.work().display().to_string();
    settings.add_filter(&folder.replace('.', r"\."), "[FOLDER]");
    settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[MOMENT]");
    settings.add_filter(r"\d{4}-\d\d-\d\d", "[DAY]");
    settings.add_filter(r" \+0[12]:00,", " [OFFSET],");
    settings.add_filter(r"_\d{8}_\d{6}(_\d+)?\.", "_[MOMENT].");
    settings.add_filter(r"(?m)^\d\d:\d\d:\d\d\.\d{3}", "[TIME]");
    settings.add_filter(r"sha256 [0-9a-f]{12}", "sha256 [DIGEST]");
    settings.add_filter(r"\b[0-9a-f]{16}\b", "[ID]");
    settings.add_filter(r"\b\d+ ms\b", "[N] ms");
    settings.add_filter(r"\b\d+\.\d s\b", "[N] s");
    settings.add_filter(r"by \S+ process \d+", "by [HOST]");
    settings.add_filter(r"(?m)(\S) {2,}", "$1  ");
    settings
}
