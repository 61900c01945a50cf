//! A hook call and a capability call, in-process and through a worker: what the worker costs.
//!
//! `cargo bench -p jackfield-tests --bench hooks`. The plugin is the hostile one in its tame modes. The capabilities answer
//! at once, so that only the way there and back is measured; a refresh's capabilities are in `refresh.rs`.

mod support;

use divan::{Bencher, counter::ItemsCount};
use jackfield::worker::{
    Capabilities,
    child::digest_of,
    local::Local,
    process::{Printed, Spawn, Worker},
};
use jackfield_plugin::contract::{
    Done, Failure, VERSION,
    hooks::{Invocation, REFRESH, TEST},
    wire::encode,
};
use jackfield_tests::artifacts;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

fn main() {
    artifacts();
    support::table::machine();
    divan::main();
}

/// A hook that does nothing: the test hook, behaving.
mod hook {
    use super::{Bencher, TEST, isolated, local};

    #[divan::bench]
    fn in_process(bencher: Bencher<'_, '_>) {
        local(bencher, TEST, "ok", 0);
    }

    #[divan::bench]
    fn worker(bencher: Bencher<'_, '_>) {
        isolated(bencher, TEST, "ok", 0);
    }
}

/// 1000 small capability calls, one after the other: *progress* and *sleep* in turn.
mod thousand_calls {
    use super::*;

    #[divan::bench(sample_count = 30, sample_size = 1, counters = [ItemsCount::new(1000_usize)])]
    fn in_process(bencher: Bencher<'_, '_>) {
        local(bencher, TEST, "slow", 50);
    }

    #[divan::bench(sample_count = 30, sample_size = 1, counters = [ItemsCount::new(1000_usize)])]
    fn worker(bencher: Bencher<'_, '_>) {
        isolated(bencher, TEST, "slow", 50);
    }
}

/// 1000 pages of 100 small objects put into a catalog that swallows them.
mod thousand_pages {
    use super::*;

    #[divan::bench(sample_count = 10, sample_size = 1, counters = [ItemsCount::new(1000_usize)])]
    fn in_process(bencher: Bencher<'_, '_>) {
        local(bencher, REFRESH, "ok", 100_000);
    }

    #[divan::bench(sample_count = 10, sample_size = 1, counters = [ItemsCount::new(1000_usize)])]
    fn worker(bencher: Bencher<'_, '_>) {
        isolated(bencher, REFRESH, "ok", 100_000);
    }
}

/// A worker from its start until its plugin has described itself: spawn, read, check and open the file, ask.
#[divan::bench(args = ["hostile", "qlik-cloud"], sample_count = 30, sample_size = 1)]
fn worker_start(bencher: Bencher<'_, '_>, plugin: &str) {
    let (runtime, spawn) = (support::runtime(), spawn(plugin));
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut worker = start(&spawn).await;
            divan::black_box(worker.describe().await.expect("the plugin describes itself"));
            worker.stop().await;
        });
    });
}

/// Calls a hook of the plugin in this process.
fn local(bencher: Bencher<'_, '_>, hook: &str, mode: &str, much: u64) {
    let (runtime, message) = (support::runtime(), invocation(mode, much));
    let plugin = Local::open(&artifacts().plugin("hostile")).expect("the plugin can be opened");
    bencher.bench_local(|| {
        let answer = runtime.block_on(plugin.invoke(hook, message.clone(), swallow()));
        divan::black_box(answer.expect("the hook ends"))
    });
}

/// Calls a hook of the plugin in a worker that is there already.
fn isolated(bencher: Bencher<'_, '_>, hook: &str, mode: &str, much: u64) {
    let (runtime, message) = (support::runtime(), invocation(mode, much));
    let mut worker = runtime.block_on(start(&spawn("hostile")));
    bencher.bench_local(|| {
        let answer = runtime.block_on(worker.invoke(hook, message.clone(), swallow()));
        divan::black_box(answer.expect("the hook ends"))
    });
    runtime.block_on(worker.stop());
}

async fn start(spawn: &Spawn) -> Worker {
    let ignored: Printed = Arc::new(|_| {});
    Worker::start(spawn, ignored).await.expect("the worker starts")
}

fn spawn(name: &str) -> Spawn {
    let plugin: PathBuf = artifacts().plugin(name);
    let digest = digest_of(&std::fs::read(&plugin).expect("the plugin was built"));
    Spawn { executable: artifacts().jackfield(), plugin, digest, name: name.to_owned() }
}

/// What the hostile plugin is told: `much` objects for `ok`, twenty calls a second of `much` for `slow`.
fn invocation(mode: &str, much: u64) -> Vec<u8> {
    let settings: Value = json!({
        "server_url": "https://localhost", "token": jackfield_plugin::sdk::Secret::handle("token"),
        "mode": mode, "count": much, "seconds": much,
    });
    encode(&Invocation {
        contract: VERSION,
        run: "bench".to_owned(),
        settings,
        purpose: Default::default(),
        may_write: false,
        subject: None,
        installation: None,
        rotation: None,
    })
}

/// Answers every call at once.
fn swallow() -> Capabilities {
    Arc::new(|_, _| Box::pin(std::future::ready(encode(&Ok::<_, Failure>(Done {})))))
}
