//! A refresh of many apps beside a floor: a program that fetches and reads the same pages and stores them in SQLite, with
//! neither plugin nor worker nor anything else that makes a connector host of it.
//!
//! `cargo bench -p jackfield-tests --bench refresh`. `JACKFIELD_BENCH_APPS` sets the number of apps (100,000),
//! `JACKFIELD_BENCH_ROUNDS` how often each is measured (2). The best round counts, because whatever else the machine does
//! only adds; quote the ratios, not the seconds.
//!
//! Each line is a process from its start to its end. The tenant is another one, whose processor time stands beside them.

mod support;

use jackfield::{
    connections,
    model::run::{Hook, RunState},
    runs::{driver, notice, orders::Orders, request},
};
use jackfield_tests::{Host, artifacts};
use std::{path::Path, process::Command};
use support::{
    CONNECTION,
    remote::{self, Remote},
    table,
    watch::{Taken, best, cpu, watch},
};
use tokio_util::sync::CancellationToken;

/// The argument that makes this program refresh a data folder with the plugin in this very process.
const IN_PROCESS: &str = "--in-process";
/// The argument that makes this program the floor.
const FLOOR: &str = "--floor";

fn main() {
    remote::be_the_tenant_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [IN_PROCESS, data] => in_process(Path::new(data)),
        [FLOOR, tenant, database] => {
            let tenant = std::fs::read_to_string(tenant).expect("the tenant was written down");
            let tenant = serde_json::from_str(&tenant).expect("the tenant was written down");
            support::runtime().block_on(support::floor::run(&tenant, Path::new(database)));
        }
        _ => compare(),
    }
}

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Floor,
    InProcess,
    Worker,
    InProcessAgain,
    WorkerAgain,
}

const ALL: [(What, &str); 5] = [
    (What::Floor, "floor"),
    (What::InProcess, "first, in-process"),
    (What::Worker, "first, worker"),
    (What::InProcessAgain, "second with 1 % changes, in-process"),
    (What::WorkerAgain, "second with 1 % changes, worker"),
];

fn compare() {
    let apps = support::number("JACKFIELD_BENCH_APPS", 100_000);
    let rounds = support::number("JACKFIELD_BENCH_ROUNDS", 2);
    artifacts();
    let mut remote = Remote::start(apps);
    let mut results: Vec<(Vec<Taken>, f64)> = ALL.iter().map(|_| (Vec::new(), f64::INFINITY)).collect();
    println!("Refresh of {apps} apps, the best of {rounds} rounds");
    table::machine();
    for _ in 0..rounds {
        remote.revise(0);
        let [local, isolated] = [(); 2].map(|()| support::connected(&remote.tenant));
        for (what, result) in ALL.iter().map(|all| all.0).zip(&mut results) {
            if what == What::InProcessAgain {
                remote.revise(1);
            }
            let before = cpu(remote.id()).unwrap_or_default();
            let taken = watch(&mut command(what, &remote, &local, &isolated));
            result.1 = result.1.min(cpu(remote.id()).unwrap_or_default() - before);
            result.0.push(taken);
        }
        // A revision adds about as many as it removes.
        let stored = [&local, &isolated].map(stored);
        assert_eq!(stored[0], stored[1], "both stored the same");
        assert!(stored[0].abs_diff(apps) <= apps / 100 + 10, "{} of {apps} apps are stored", stored[0]);
    }
    show(&results, apps);
}

fn command(what: What, remote: &Remote, local: &Host, isolated: &Host) -> Command {
    let mut own = Command::new(std::env::current_exe().expect("a running program has a path"));
    // What it needs is built: asking cargo for it again took 0.2 s of what is measured.
    own.env("JACKFIELD_PREBUILT", "1");
    match what {
        What::Floor => {
            let tenant = serde_json::to_string(&remote.tenant).expect("texts have a JSON form");
            own.arg(FLOOR).arg(local.file("tenant.json", tenant)).arg(local.work().join("floor.db"));
        }
        What::InProcess | What::InProcessAgain => {
            own.arg(IN_PROCESS).arg(local.data());
        }
        What::Worker | What::WorkerAgain => {
            return isolated.command(["connection", "refresh", CONNECTION, "--json"]);
        }
    }
    own
}

/// How many apps a host has.
fn stored(host: &Host) -> u64 {
    support::runtime().block_on(async {
        let app = support::open(&host.data()).await;
        let connection = connections::find(&app, CONNECTION).await.expect("the connection is there");
        let kinds = app.store.kinds(&connection.id).await.expect("the catalog can be read");
        let apps = kinds.iter().find(|kind| kind.kind == "app").expect("apps were refreshed");
        u64::try_from(apps.count).unwrap_or_default()
    })
}

fn in_process(data: &Path) {
    support::runtime().block_on(async {
        let app = support::open(data).await;
        let connection = connections::find(&app, CONNECTION).await.expect("the connection is there");
        let run = request::request(&app, &connection, Hook::Refresh).await.expect("a run can be asked for");
        let orders =
            Orders { in_process: true, ..Orders::interactive(notice::nobody(), CancellationToken::new()) };
        let run = driver::drive(&app, &run.id, &orders).await.expect("a run can be driven");
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.failure);
        app.store.close().await;
    });
}

fn show(results: &[(Vec<Taken>, f64)], apps: u64) {
    let of = |what: What| &results[ALL.iter().position(|all| all.0 == what).unwrap_or_default()].0;
    let seconds = |what: What| best(of(what), |taken| taken.seconds);
    let cpu = |what: What| best(of(what), |taken| taken.cpu);
    let rows: Vec<Vec<String>> = ALL
        .iter()
        .zip(results)
        .map(|((what, name), (taken, remote))| {
            let highest = |of: fn(&Taken) -> f64| taken.iter().map(of).fold(0.0, f64::max);
            let (host, worker) = (highest(|taken| taken.peak), highest(|taken| taken.peak_of_children));
            vec![
                (*name).to_owned(),
                format!("{:.2}", seconds(*what)),
                format!("{:.2}", seconds(*what) / seconds(What::Floor)),
                format!("{:.2}", cpu(*what)),
                format!("{:.2}", cpu(*what) / cpu(What::Floor)),
                format!("{remote:.2}"),
                format!("{:.0}", apps as f64 / seconds(*what)),
                format!("{host:.1}"),
                format!("{worker:.1}"),
                format!("{:.1}", host + worker),
            ]
        })
        .collect();
    let head = [
        "refresh",
        "seconds",
        "× floor",
        "CPU s",
        "× floor",
        "CPU s of the tenant",
        "rows/s",
        "peak MB",
        "of worker",
        "together",
    ];
    table::print(&head, &rows);
    let ratio = |upper: What, lower: What| seconds(upper) / seconds(lower);
    println!("worker / in-process: {:.2}", ratio(What::Worker, What::InProcess));
    println!("second / first: {:.2}", ratio(What::WorkerAgain, What::Worker));
}
