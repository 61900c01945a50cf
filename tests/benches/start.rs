//! Starting: what a person at a terminal waits for besides the remote system.
//!
//! `cargo bench -p jackfield-tests --bench start`. `JACKFIELD_BENCH_STARTS` sets how often each is measured (20).

mod support;

use jackfield_tests::{Host, artifacts};
use std::time::Instant;
use support::{
    CONNECTION, floor,
    remote::{self, Remote, Tenant},
    table, watch,
};

fn main() {
    remote::be_the_tenant_if_asked();
    let times = support::number("JACKFIELD_BENCH_STARTS", 20);
    artifacts();
    let remote = Remote::start(100);
    let host = support::connected(&remote.tenant);
    println!("Starting, {times} times each");
    table::machine();
    let raw = measure(times, || raw(&remote.tenant));
    let mut rows = Vec::new();
    let mut line = |name: &str, millis: &[f64], beyond: Option<&[f64]>| {
        let cell = |millis: f64| format!("{millis:.1}");
        let beyond = beyond.map(|raw| cell(median(millis) - median(raw))).unwrap_or_default();
        rows.push(vec![name.to_owned(), cell(millis[0]), cell(median(millis)), beyond]);
    };
    line("the three requests of a test, with their TLS handshake", &raw, None);
    line("connection test", &cli(&host, times, &["connection", "test", CONNECTION, "--json"]), Some(&raw));
    line("plugin list", &cli(&host, times, &["plugin", "list"]), None);
    line("connection list", &cli(&host, times, &["connection", "list"]), None);
    line("--version", &cli(&host, times, &["--version"]), None);
    table::print(&["what", "best ms", "median ms", "beyond the requests"], &rows);
    sizes();
}

/// Milliseconds of each, the best first.
fn measure(times: u64, mut what: impl FnMut() -> f64) -> Vec<f64> {
    let mut all: Vec<f64> = (0..times).map(|_| what() * 1000.0).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn cli(host: &Host, times: u64, arguments: &[&str]) -> Vec<f64> {
    measure(times, || watch::time(&mut host.command(arguments)))
}

/// What the test of a connection asks the tenant, asked by nobody in particular.
fn raw(tenant: &Tenant) -> f64 {
    let runtime = support::runtime();
    let began = Instant::now();
    runtime.block_on(async {
        let client = floor::client(tenant);
        let base = &tenant.base_url;
        floor::fetch(&client, "", &format!("{base}/.well-known/oauth-authorization-server")).await;
        let token = floor::sign_in(&client, tenant).await;
        floor::fetch(&client, &token, &format!("{base}/api/v1/users/me")).await;
    });
    began.elapsed().as_secs_f64()
}

fn sizes() {
    let files = [artifacts().jackfield(), artifacts().plugin("qlik-cloud"), artifacts().plugin("hostile")];
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|file| {
            let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            vec![name, format!("{:.2}", bytes as f64 / 1e6)]
        })
        .collect();
    table::print(&["file", "MB"], &rows);
}
