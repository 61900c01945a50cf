//! Kills: the host dies by SIGKILL in the middle of everything that it does. Afterwards nobody sees half of anything, no worker
//! is left, and what was under way is taken up again or has failed as soon as its lease has ended.
//!
//! Moments are chosen by what the remote system has been asked: it answers so many requests and lets the next one hang. Those
//! after the last request are chosen at random; the seed is printed.

use crate::{
    database::{active_runs, picture},
    nprinting::Server,
    qlik_cloud::{Tenant, small},
    support::{newest_log, no_orphan_left, workers},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    journal::Counters,
    nprinting, qlik_cloud,
};
use jackfield_tests::{Host, host::signal, wait_for};
use serde_json::Value;
use std::{
    fmt::Debug,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long a lease lasts (`runs::outcome::LEASE`), in milliseconds.
const LEASE: i64 = 15_000;

/// A simulated system, whichever it is.
trait Remote {
    fn counters(&self) -> Counters;
    fn add_fault(&self, fault: Fault);
    fn clear(&self);
    fn revise(&self, revision: u32);
}

macro_rules! remote {
    ($system:ident) => {
        impl Remote for $system::Simulator {
            fn counters(&self) -> Counters {
                $system::Simulator::counters(self)
            }

            fn add_fault(&self, fault: Fault) {
                $system::Simulator::add_fault(self, fault);
            }

            fn clear(&self) {
                self.clear_faults();
                wait_for("the end of requests whose client is gone", || {
                    (Remote::counters(self).in_flight == 0).then_some(())
                });
                self.clear_requests();
            }

            fn revise(&self, revision: u32) {
                self.change($system::Changes { percent: 20.0, revision });
            }
        }
    };
}

remote!(qlik_cloud);
remote!(nprinting);

/// A command, how many requests it makes, and how long it takes from beginning to end and after the last of them.
struct Measured {
    requests: u64,
    whole: Duration,
    tail: Duration,
}

/// Runs a command to its end and looks when its last request was answered.
fn measure(host: &Host, remote: &dyn Remote, command: &[&str]) -> Measured {
    remote.clear();
    let began = Instant::now();
    let mut started = host.start(command);
    let (mut seen, mut last) = (0, began);
    while started.is_running() {
        let counters = remote.counters();
        if counters.requests > seen || counters.in_flight > 0 {
            (seen, last) = (counters.requests, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let measured =
        Measured { requests: remote.counters().requests, whole: began.elapsed(), tail: last.elapsed() };
    started.finish().expect_success();
    measured
}

/// When a command is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So many requests are answered, and the next hangs.
    Answered(u64),
    /// So long after its start.
    After(Duration),
    /// So long after its last request was answered.
    Behind(u64, Duration),
}

/// Starts a command and kills it at a moment. Of what it began nothing goes on.
fn kill(host: &Host, remote: &dyn Remote, command: &[&str], moment: Moment) {
    remote.clear();
    if let Moment::Answered(requests) = moment {
        let requests = u32::try_from(requests).unwrap();
        remote.add_fault(Fault::new("/", FaultKind::Hang).after(requests));
    }
    let mut started = host.start(command);
    let wait = match moment {
        Moment::Answered(requests) => {
            let reached = || remote.counters().requests > requests;
            wait_for("the request that hangs", || (reached() || !started.is_running()).then_some(()));
            assert!(reached(), "{command:?} ended before request {requests}");
            Duration::ZERO
        }
        Moment::After(wait) => wait,
        Moment::Behind(requests, wait) => {
            wait_for("the last answer", || {
                let counters = remote.counters();
                (counters.requests >= requests && counters.in_flight == 0 || !started.is_running())
                    .then_some(())
            });
            wait
        }
    };
    std::thread::sleep(wait);
    if started.is_running() {
        started.signal("KILL");
    }
    started.finish();
    no_orphan_left();
    remote.clear();
}

/// Moments spread over a command: some by its requests, some at random.
fn moments(measured: &Measured, by_request: u64, at_random: u64) -> Vec<Moment> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("the seed of the random moments is {seed}");
    let mut state = seed;
    // SplitMix64: a few numbers that differ from run to run are all that is wanted.
    let mut random = move |below: Duration| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        below.mul_f64((z >> 11) as f64 / (1_u64 << 53) as f64)
    };
    let mut moments: Vec<Moment> = (0..by_request.min(measured.requests))
        .map(|number| Moment::Answered(number * measured.requests / by_request.min(measured.requests)))
        .collect();
    for number in 0..at_random {
        moments.push(match number % 3 {
            0 => Moment::After(random(measured.whole.mul_f64(1.1))),
            _ => Moment::Behind(measured.requests, random(measured.tail)),
        });
    }
    moments
}

/// Waits until the lease of what was killed has ended, and looks what the next command makes of it. Answers the run, if there
/// was one under way.
pub(crate) fn settled(host: &Host, moment: &dyn Debug) -> Option<Value> {
    let (id, _, state, lease) = active_runs(host).pop()?;
    if state == "running" {
        assert!(lease <= LEASE, "{moment:?}: a lease of {lease} ms");
        wait_for("the lease's end", || active_runs(host).iter().all(|(.., lease)| *lease < 0).then_some(()));
    }
    Some(host.json(["run", "show", &id])["run"].take())
}

/// Refreshes of copies of one host that were killed on the way to a new state of the remote system.
struct Killed {
    name: &'static str,
    new: String,
    hosts: Vec<(Host, Moment, String)>,
}

impl Killed {
    fn refreshes(
        base: &Host,
        remote: &dyn Remote,
        name: &'static str,
        by_request: u64,
        at_random: u64,
    ) -> Killed {
        let refresh = ["connection", "refresh", name];
        remote.revise(1);
        let whole = base.copy();
        let (old, measured) = (picture(base), measure(&whole, remote, &refresh));
        let new = picture(&whole);
        assert_ne!(old, new);
        println!("{} requests in {:?}, then {:?}", measured.requests, measured.whole, measured.tail);
        let mut hosts = Vec::new();
        for moment in moments(&measured, by_request, at_random) {
            let host = base.copy();
            kill(&host, remote, &refresh, moment);
            let seen = picture(&host);
            assert!(
                seen == old || seen == new,
                "{moment:?}: neither the old catalog nor the new one\n{old}\n{seen}"
            );
            assert!(
                !matches!(moment, Moment::Answered(_)) || seen == old,
                "{moment:?}: half of it is visible"
            );
            host.run(["catalog", "kinds", name]).expect_success();
            hosts.push((host, moment, seen));
        }
        Killed { name, new, hosts }
    }

    /// Waits for the leases. Of the runs that are queued again, every third is seen to its end.
    fn settle(self) {
        for (number, (host, moment, seen)) in self.hosts.into_iter().enumerate() {
            let interrupted = settled(&host, &moment);
            assert_eq!(picture(&host), seen, "{moment:?}: looking after it changed the catalog");
            if let Some(run) = &interrupted {
                assert_eq!(run["state"], "queued", "{moment:?}: {run:#}");
            }
            if number % 3 == 0 {
                taken_up(&host, self.name, &self.new, interrupted.as_ref(), &moment);
            }
        }
    }
}

/// The next refresh is the one that was interrupted, and ends well.
fn taken_up(host: &Host, name: &str, new: &str, interrupted: Option<&Value>, moment: &Moment) {
    host.run(["connection", "refresh", name]).expect_success();
    assert_eq!(picture(host), new, "{moment:?}");
    let Some(run) = interrupted else { return };
    let id = run["id"].as_str().unwrap();
    let after = host.json(["run", "show", id])["run"].take();
    let attempts = run["attempt"].as_i64().unwrap() + 1;
    assert_eq!(
        (after["state"].as_str(), after["attempt"].as_i64()),
        (Some("succeeded"), Some(attempts)),
        "{moment:?}"
    );
    let log = newest_log(host, name);
    assert!(log.contains(&format!("Run: {id} attempt {attempts}")), "{moment:?}: {log}");
    // What the interrupted attempt had come to can be read above that.
    let begun = run["log"].is_string();
    assert_eq!(log.contains("was interrupted"), begun, "{moment:?}: {log}");
    assert_eq!(host.logs().len(), 2, "{moment:?}: the log of the first attempt is nobody's");
}

#[test]
fn a_refresh_is_killed_everywhere() {
    let tenant = Tenant::connected(small());
    let server = Server::new(crate::nprinting::small());
    server.add(&[]).expect_success();
    // All of them first, and then one wait for all their leases.
    let qlik_cloud = Killed::refreshes(&tenant.host, &tenant.simulator, "T", 13, 12);
    let nprinting = Killed::refreshes(&server.host, &server.simulator, "N", 12, 9);
    qlik_cloud.settle();
    nprinting.settle();
}

#[test]
fn a_test_and_an_addition_are_killed_everywhere() {
    let tenant = Tenant::connected(small());
    let tests = killed_tests(&tenant);
    let other = Tenant::new(small());
    let (additions, everything) = killed_additions(&other);
    for (host, moment) in tests {
        interrupted_test(&host, &moment);
        host.run(["connection", "test", "T"]).expect_success();
    }
    for (host, moment) in additions {
        settled(&host, &moment);
        host.run(["connection", "refresh", "T"]).expect_success();
        assert_eq!(picture(&host), everything, "{moment:?}");
    }
}

fn killed_tests(tenant: &Tenant) -> Vec<(Host, Moment)> {
    let (host, remote, test) = (&tenant.host, &tenant.simulator, ["connection", "test", "T"]);
    let measured = measure(&host.copy(), remote, &test);
    let before = host.json(["connection", "show", "T"]);
    let mut killed = Vec::new();
    for moment in moments(&measured, 4, 6) {
        let host = host.copy();
        kill(&host, remote, &test, moment);
        assert_eq!(host.json(["connection", "show", "T"]), before, "{moment:?}");
        killed.push((host, moment));
    }
    killed
}

fn interrupted_test(host: &Host, moment: &Moment) {
    let Some(run) = settled(host, moment) else { return };
    let words = run["failure"]["message"].as_str().unwrap_or_default();
    let failed = run["state"] == "failed" && words.contains("the test was interrupted: its driver");
    // One that nobody had taken up waits for whoever asks next.
    assert!(failed || run["state"] == "queued", "{moment:?}: {run:#}");
}

/// Those that had been saved when they were killed; the others are added again at once.
fn killed_additions(tenant: &Tenant) -> (Vec<(Host, Moment)>, String) {
    let remote = &tenant.simulator;
    let client = format!("client_id={}", tenant.client.client_id);
    let url = format!("tenant_url={}", remote.base_url());
    let secret = ["--secret", "client_secret=@client_secret", "--tls-ca", "ca.pem"];
    let add = ["connection", "add", "qlik-cloud", "T", "--set", &url, "--set", &client];
    let add = [&add[..], &secret].concat();
    let whole = tenant.host.copy();
    let measured = measure(&whole, remote, &add);
    tenant.host.json(["connection", "list"]);
    let (nothing, everything) = (picture(&tenant.host), picture(&whole));
    let mut saved = Vec::new();
    for moment in moments(&measured, 8, 6) {
        let host = tenant.host.copy();
        kill(&host, remote, &add, moment);
        let seen = picture(&host);
        assert!(seen == nothing || seen == everything, "{moment:?}: {seen}");
        match host.json(["connection", "list"]).as_array().unwrap().len() {
            0 => drop(host.run(&add).expect_success()),
            _ => saved.push((host, moment)),
        }
    }
    assert!((1..14).contains(&saved.len()), "killed before it was saved and after: {}", saved.len());
    (saved, everything)
}

#[test]
fn a_worker_is_killed_at_some_points() {
    let tenant = Tenant::connected(small());
    let (host, remote) = (&tenant.host, &tenant.simulator);
    remote.revise(1);
    let before = picture(host);
    for answered in [0, 4, 9] {
        Remote::clear(remote);
        remote.add_fault(Fault::new("/", FaultKind::Hang).after(answered));
        let started = host.start(["connection", "refresh", "T"]);
        wait_for("the request that hangs", || {
            (remote.counters().requests > u64::from(answered) && !workers(host).is_empty()).then_some(())
        });
        workers(host).into_iter().for_each(|worker| signal(worker, "KILL"));
        let ended = started.finish();
        assert_eq!(ended.code(), 6, "{answered}: {}", ended.all());
        assert!(ended.stderr.contains("was killed (signal 9)"), "{answered}: {}", ended.stderr);
        assert!(newest_log(host, "T").contains("was killed (signal 9)"), "{answered}");
        assert_eq!(picture(host), before, "{answered}");
    }
    Remote::clear(remote);
    tenant.refresh().expect_success();
    assert_ne!(picture(host), before);
}
