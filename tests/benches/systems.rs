//! A refresh of a large Qlik Sense site, and of a Qalyptus tenant with many tasks, each beside a floor that fetches and reads
//! the same lists and stores their rows in SQLite.
//!
//! `cargo bench -p jackfield-tests --bench systems`. `JACKFIELD_BENCH_APPS` sets the number of apps (100,000),
//! `JACKFIELD_BENCH_TASKS` that of tasks (5,000), `JACKFIELD_BENCH_ROUNDS` how often each is measured (2); the best round counts.

mod support;

use jackfield_simulators::{qalyptus, qlik_onprem};
use jackfield_tests::{Host, artifacts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use support::{
    CONNECTION, lists, table,
    watch::{Taken, best, watch},
};

/// The argument that makes this program a remote system.
const SYSTEM: &str = "--be-the-system";
/// The argument that makes it the floor.
const FLOOR: &str = "--floor";

/// How to reach a remote system.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Remote {
    Site { url: String, repository: String, ca: String, certificate: String, account: (String, String) },
    Tenant { url: String, ca: String, key: String },
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SYSTEM, what, size] => be(what, size.parse().expect("a number")),
        [FLOOR, remote, database] => floor(remote, Path::new(database)),
        _ => compare(),
    }
}

/// Is a remote system until nobody reads from it any more.
fn be(what: &str, size: u64) {
    let (remote, _simulator): (Remote, Box<dyn std::any::Any>) = match what {
        "site" => {
            let few = qlik_onprem::Population::of(20);
            let population = qlik_onprem::Population { apps: size, ..few };
            let config = qlik_onprem::Config { population, ..qlik_onprem::Config::default() };
            let site = qlik_onprem::Simulator::start_blocking(config).expect("the site starts");
            let client = site.client_certificate();
            let remote = Remote::Site {
                url: site.proxy_url().to_owned(),
                repository: site.repository_url().to_owned(),
                ca: site.root_pem().to_owned(),
                certificate: format!("{}{}", client.certificate_pem, client.pkcs8_key_pem),
                account: site.user(0),
            };
            (remote, Box::new(site))
        }
        _ => {
            let population = qalyptus::Population::of(size);
            let config = qalyptus::Config { population, ..qalyptus::Config::cloud() };
            let tenant = qalyptus::Simulator::start_blocking(config).expect("the tenant starts");
            let key = tenant.create_api_key(&qalyptus::NewKey::default()).expect("a key can be made");
            let (url, ca) = (tenant.origin().to_owned(), tenant.ca_pem().to_owned());
            (Remote::Tenant { url, ca, key: key.key }, Box::new(tenant))
        }
    };
    println!("{}", serde_json::to_string(&remote).expect("texts have a JSON form"));
    std::io::stdin().lines().for_each(drop);
}

/// A remote system in a process of its own. Ends when dropped.
struct Running(Child, Remote);

impl Running {
    fn start(what: &str, size: u64) -> Running {
        let mut command = Command::new(std::env::current_exe().expect("a running program has a path"));
        command.args([SYSTEM, what, &size.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a bench can be started again");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line).expect("it speaks");
        Running(child, serde_json::from_str(&line).expect("it introduces itself"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A host with a tested connection to it. Every round is another installation, which needs a virtual proxy of its own.
fn connected(remote: &Remote, round: u64) -> Host {
    match remote {
        Remote::Site { url, repository, ca, certificate, account: (directory, user) } => {
            let port: u16 = repository.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            let settings = json!({
                "server_url": url, "repository_port": port, "user_directory": directory, "service_user": user,
                "proxy_prefix": format!("round-{round}"),
            });
            support::saved("qlik-onprem", settings, &[("client_certificate", certificate)], ca)
        }
        Remote::Tenant { url, ca, key } => {
            support::saved("qalyptus-cloud", json!({ "server_url": url }), &[("api_key", key)], ca)
        }
    }
}

fn floor(remote: &str, database: &Path) {
    let remote = std::fs::read_to_string(remote).expect("it was written down");
    let remote: Remote = serde_json::from_str(&remote).expect("it was written down");
    support::runtime().block_on(async {
        match &remote {
            Remote::Site { repository, ca, certificate, account, .. } => {
                lists::site(repository, ca, certificate, account, database).await;
            }
            Remote::Tenant { url, ca, key } => lists::tenant(url, ca, key, database).await,
        }
    });
}

fn compare() {
    let sizes = [
        ("site", support::number("JACKFIELD_BENCH_APPS", 100_000), "apps of a Qlik Sense site"),
        ("tenant", support::number("JACKFIELD_BENCH_TASKS", 5000), "tasks of a Qalyptus Cloud tenant"),
    ];
    let rounds = support::number("JACKFIELD_BENCH_ROUNDS", 2);
    artifacts();
    println!("Refreshes of other systems, the best of {rounds} rounds");
    table::machine();
    let mut rows = Vec::new();
    for (what, size, name) in sizes {
        let remote = Running::start(what, size);
        let (mut floors, mut refreshes) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let host = connected(&remote.1, round);
            let written =
                host.file("remote.json", serde_json::to_string(&remote.1).expect("texts have a JSON form"));
            let mut floor = Command::new(std::env::current_exe().expect("a running program has a path"));
            floor.arg(FLOOR).arg(written).arg(host.work().join("floor.db"));
            floors.push(watch(&mut floor));
            refreshes.push(watch(&mut host.command(["connection", "refresh", CONNECTION, "--json"])));
        }
        for (kind, taken) in [("floor", &floors), ("refresh through a worker", &refreshes)] {
            rows.push(line(&format!("{size} {name}: {kind}"), taken, &floors));
        }
    }
    let head = ["what", "seconds", "× floor", "CPU s", "× floor", "host + worker peak MB"];
    table::print(&head, &rows);
}

fn line(name: &str, taken: &[Taken], floors: &[Taken]) -> Vec<String> {
    let seconds = best(taken, |taken| taken.seconds);
    let cpu = best(taken, |taken| taken.cpu);
    let peak = taken.iter().map(|taken| taken.peak + taken.peak_of_children).fold(0.0, f64::max);
    vec![
        name.to_owned(),
        format!("{seconds:.2}"),
        format!("{:.2}", seconds / best(floors, |taken| taken.seconds)),
        format!("{cpu:.2}"),
        format!("{:.2}", cpu / best(floors, |taken| taken.cpu)),
        format!("{peak:.1}"),
    ]
}
