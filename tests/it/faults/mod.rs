//! The fault catalogue: what can go wrong between here and a remote system, as rows of a table, each run with each connector.
//!
//! A row runs on a connection that has been refreshed, whose remote system has changed since. The fault is injected, the
//! connection refreshed, and, where nothing can be reached, tested too. Then the fault is over, and it is refreshed again:
//!
//! | the fault | has to show |
//! |---|---|
//! | ends the refresh | blame, stage, exit code and a remedy; the catalog as it was, counts and ages; new things once it is over |
//! | is got over | everything that is there: a refresh without the fault finds nothing more |
//! | keeps a kind | that kind as it was, with its age and the reason; everything else new |
//!
//! What a person reads is a snapshot for each connector.

mod catalogue;
mod elsewhere;
mod qalyptus;
mod qlik_onprem;
pub(crate) mod remote;

use crate::{nprinting::Server, qlik_cloud::Tenant, qlik_cloud::told, qlik_onprem::Site};
use catalogue::{Expected, Inject, Row, WANTED, rows};
use elsewhere::Elsewhere;
use jackfield_simulators::faults::FaultKind;
use jackfield_tests::{Finished, Started};
use remote::{CloudProduct, Qalyptus, Remote, ServerProduct};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// How many rows of a connector run at the same time: some of them wait.
const LANES: usize = 3;
/// Nobody waits longer than this for a fault to be told, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// The connectors that every row is run with.
const CONNECTORS: [&str; 5] = ["nprinting", "qalyptus-server", "qalyptus-cloud", "qlik-onprem", "qlik-cloud"];

#[test]
fn the_catalogue_has_every_fault_and_says_why_where_one_cannot_be() {
    let faults: Vec<_> = rows().iter().map(|row| row.fault).collect();
    let mut once = faults.clone();
    once.dedup();
    assert_eq!(once, WANTED, "every fault stands there, in the order of the list");
    let rows = rows();
    let names: BTreeSet<_> = rows.iter().map(|row| (row.fault, row.form)).collect();
    assert_eq!(names.len(), rows.len(), "every row has a name of its own");
    for fault in WANTED {
        for connector in CONNECTORS {
            let mut forms = rows.iter().filter(|row| row.fault == fault).map(|row| row.with(connector));
            let said = forms.all(|expected| !matches!(expected, Expected::Impossible("")));
            assert!(said, "{fault} with {connector}");
        }
    }
}

#[test]
fn faults_of_qlik_cloud() {
    holds::<Tenant>();
}

#[test]
fn faults_of_nprinting() {
    holds::<Server>();
}

#[test]
fn faults_of_qlik_onprem() {
    holds::<Site>();
}

#[test]
fn faults_of_qalyptus_server() {
    holds::<Qalyptus<ServerProduct>>();
}

#[test]
fn faults_of_qalyptus_cloud() {
    holds::<Qalyptus<CloudProduct>>();
}

/// Every row holds with a connector, and reads as it did.
fn holds<R: Remote>() {
    assert_reads(&R::FACTS.connector.replace('-', "_"), &run_all::<R>());
}

/// Runs the rows, some at a time, each lane on a remote system of its own; yields what a person reads, in their order.
fn run_all<R: Remote>() -> String {
    let (rows, next) = (rows(), AtomicUsize::new(0));
    let lane = || {
        let remote = R::connected();
        let claim = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < rows.len());
        let trial = |index| {
            let (row, revision) = (&rows[index], index as u32 + 1);
            let trial = Trial { remote: &remote, row, revision };
            // One row that does not hold must not hide the others.
            let outcome = catch_unwind(AssertUnwindSafe(|| trial.run(row.with(R::FACTS.connector))));
            remote.repair(&row.inject);
            (index, outcome.map_err(|_| trial.name()))
        };
        std::iter::from_fn(claim).map(trial).collect::<Vec<_>>()
    };
    let mut outcomes: Vec<_> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(!Elsewhere::get().was_called(), "something was sent to where nobody may be led");
    outcomes.sort_by_key(|(index, _)| *index);
    let (told, broken): (Vec<_>, Vec<_>) =
        outcomes.into_iter().map(|(_, outcome)| outcome).partition(Result::is_ok);
    let broken: Vec<String> = broken.into_iter().filter_map(Result::err).collect();
    assert!(broken.is_empty(), "{} rows do not hold: {}", broken.len(), broken.join("; "));
    told.into_iter().filter_map(Result::ok).collect()
}

/// One row on one remote system.
struct Trial<'a, R> {
    remote: &'a R,
    row: &'a Row,
    revision: u32,
}

impl<R: Remote> Trial<'_, R> {
    /// Yields what a person reads.
    fn run(&self, expected: Expected) -> String {
        let name = self.name();
        if let Expected::Impossible(why) = expected {
            return format!("=== {name}\nnot with this connector: {why}\n\n");
        }
        let before = self.catalog();
        self.remote.change(self.revision);
        let injected = self.remote.spoil(&self.row.inject);
        let refreshed = self.refresh(expected, &before);
        let mut text = format!("=== {name}\ninjected: {injected}\n--- refresh\n{}", said(&refreshed));
        if let (Expected::Fails { blame, stage, .. }, true) = (expected, self.row.inject.is_on_the_way()) {
            let (tested, run) = self.jackfield("test");
            self.failed(&run, &tested, blame, stage);
            text += &format!("--- test\n{}", said(&tested));
        }
        self.remote.repair(&self.row.inject);
        self.recovers(expected);
        format!("{}\n", self.remote.anonymous(&text))
    }

    fn name(&self) -> String {
        match self.row.form {
            "" => self.row.fault.to_owned(),
            form => format!("{}, {form}", self.row.fault),
        }
    }

    /// Refreshes while there is the fault.
    fn refresh(&self, expected: Expected, before: &Map<String, Value>) -> Finished {
        let (name, began) = (self.name(), Instant::now());
        let (refreshed, run) = self.jackfield("refresh");
        assert!(began.elapsed() < PATIENCE, "{name} takes {:?}", began.elapsed());
        let hits = match expected {
            Expected::Fails { blame, stage, hits } => {
                self.failed(&run, &refreshed, blame, stage);
                assert_eq!(self.catalog(), *before, "{name}: the catalog stands");
                hits
            }
            Expected::GotOver { hits } => {
                self.succeeded(&run, &refreshed, R::FACTS.second_page.kind);
                hits
            }
            Expected::Kept { status } => {
                self.succeeded(&run, &refreshed, R::FACTS.untouched);
                self.kept(before, status);
                1
            }
            Expected::Impossible(_) => unreachable!("it was sent home before"),
        };
        // The next page is asked for before the rows of this one are looked at: the request may arrive, or be called back.
        let ahead = u64::from(matches!(self.row.inject, Inject::SecondPage(FaultKind::RepeatPage, _)));
        let struck = self.remote.strikes();
        assert!((hits..=hits + ahead).contains(&struck), "{name}: {struck} requests were hit, not {hits}");
        refreshed
    }

    /// Runs a command on the connection while there is the fault; yields what it said, and its run.
    fn jackfield(&self, verb: &str) -> (Finished, Value) {
        let host = self.remote.host();
        let mut command = host.command(["connection", verb, R::FACTS.connection]);
        command.env("JACKFIELD_HTTP__MAX_ANSWER_MIB", "1");
        if matches!(self.row.inject, Inject::Line(_)) {
            // Nothing connects, so no machine is too busy for it.
            command.env("JACKFIELD_HTTP__CONNECT_SECONDS", "1");
        }
        let finished = Started::of(command).finish();
        (finished, host.json(["run", "list", "--limit", "1"])[0].take())
    }

    /// What `catalog kinds` shows, by kind: counts, ages, reasons.
    fn catalog(&self) -> Map<String, Value> {
        let kinds = self.remote.host().json(["catalog", "kinds", R::FACTS.connection]);
        let kinds = kinds.as_array().unwrap().iter();
        kinds.map(|kind| (kind["kind"].as_str().unwrap().to_owned(), kind.clone())).collect()
    }

    fn failed(&self, run: &Value, finished: &Finished, blame: &str, stage: &str) {
        let (name, failure) = (self.name(), &run["failure"]);
        assert_eq!(finished.code(), exit_code(blame), "{name}: {}", finished.all());
        let told = (failure["blame"].as_str(), failure["stage"].as_str());
        assert_eq!(told, (Some(blame), Some(stage)), "{name}: {failure}");
        let remedy = failure["remedy"].as_str().unwrap_or_else(|| panic!("{name}: no remedy: {failure}"));
        assert!(finished.all().contains(remedy), "{name}: the remedy is not shown: {}", finished.all());
    }

    /// It succeeded, and found what is new.
    fn succeeded(&self, run: &Value, refreshed: &Finished, kind: &str) {
        let name = self.name();
        assert_eq!(refreshed.code(), 0, "{name}: {}", refreshed.all());
        assert!(sum(run, &[kind]) > 0, "{name}: nothing new of {kind}: {run}");
    }

    fn kept(&self, before: &Map<String, Value>, status: &str) {
        let (name, kind, after) = (self.name(), R::FACTS.users.kind, self.catalog());
        let reason = after[kind]["kept_reason"].as_str().unwrap_or_else(|| panic!("{name}: {}", after[kind]));
        assert!(reason.contains(status), "{name}: {reason}");
        for member in ["count", "refreshed_at"] {
            assert_eq!(after[kind][member], before[kind][member], "{name}: {member} of what is kept");
        }
        let age = |of: &Map<String, Value>| of[R::FACTS.untouched]["refreshed_at"].clone();
        assert_ne!(age(&after), age(before), "{name}: what is not kept is new");
    }

    /// The fault is over: what it hid is found, and what it did not hide was found already.
    fn recovers(&self, expected: Expected) {
        let name = self.name();
        let run = self.remote.host().json(["connection", "refresh", R::FACTS.connection]);
        match expected {
            Expected::GotOver { .. } => assert_eq!(sum(&run, &[]), 0, "{name} hid something: {run}"),
            Expected::Kept { .. } => {
                assert!(sum(&run, &[R::FACTS.users.kind]) > 0, "{name}, afterwards: {run}")
            }
            _ => assert!(sum(&run, &[R::FACTS.second_page.kind]) > 0, "{name}, afterwards: {run}"),
        }
        let kept = changes(&run).iter().find(|change| change["kept_reason"].is_string());
        assert_eq!(kept, None, "{name}, afterwards");
    }
}

impl Inject {
    /// It stands on the way there: a test meets it, too.
    fn is_on_the_way(&self) -> bool {
        matches!(self, Inject::Address(_) | Inject::Line(_) | Inject::Certificate(_))
    }
}

/// The documented exit code.
fn exit_code(blame: &str) -> i32 {
    match blame {
        "network" => 3,
        "remote" => 4,
        "credential" => 5,
        other => panic!("no fault here is that of {other}"),
    }
}

/// What a refresh changed, by kind.
fn changes(run: &Value) -> &Vec<Value> {
    run["result"]["kinds"].as_array().unwrap_or_else(|| panic!("it is no refresh: {run}"))
}

/// How many objects of these kinds, or of all, a refresh added, changed or removed.
fn sum(run: &Value, kinds: &[&str]) -> u64 {
    let wanted = changes(run)
        .iter()
        .filter(|change| kinds.is_empty() || kinds.iter().any(|kind| change["kind"] == *kind));
    let counts = |change: &Value| ["added", "changed", "removed"].map(|what| change[what].as_u64());
    wanted.flat_map(counts).flatten().sum()
}

/// What a person reads. Of a success only the notes: the numbers are compared elsewhere.
fn said(finished: &Finished) -> String {
    match finished.code() {
        0 => {
            let notes = finished.stdout.lines().filter_map(|line| line.split_once("kept: "));
            let notes: String = notes.map(|(_, reason)| format!("kept: {}\n", reason.trim())).collect();
            format!("exit code 0\n{notes}")
        }
        _ => told(finished),
    }
}

fn assert_reads(connector: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    for (found, shown) in [
        (r"\btrace [0-9a-f]{32}", "trace [TRACE]"),
        (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
        (r"\d{4,} bytes", "[N] bytes"),
        // A system may have more ports than that of its address.
        (r"(localhost|127\.0\.0\.1|127\.255\.255\.255):\d{5}\b", "$1:[PORT]"),
        (r"wait \d+ seconds", "wait [N] seconds"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[TIME]"),
        (r"Log: \S+/logs/Jackfield_\d{8}_\d{6}(_\d+)?\.txt", "Log: [DATA]/logs/[LOG]"),
        // What the name service says is its own.
        (r"(no-such-host\.invalid is unknown) \([^)]*\)", "$1 (…)"),
        (r"[ \t]+\n", "\n"),
    ] {
        settings.add_filter(found, shown);
    }
    settings.bind(|| insta::assert_snapshot!(format!("faults_of_{connector}"), text));
}
