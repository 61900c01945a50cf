//! Replacing the key-encryption key of a database with many secrets, while somebody reads them.
//!
//! `cargo bench -p jackfield-tests --bench rekey`. `JACKFIELD_BENCH_SECRETS` sets how many there are (100,000, each of a
//! connection of its own: nothing is more work), `JACKFIELD_BENCH_ROUNDS` how often it is done (3).
//!
//! The floor opens and seals as many data keys in memory, and then writes them in one transaction, which keeps everybody else
//! from writing as long as it lasts. They are sealed under the same key, so nothing is different afterwards.

#![expect(clippy::unwrap_used, reason = "in what the tests share with it a panic is the message")]

#[path = "../it/database.rs"]
#[expect(dead_code, reason = "the tests look at more of a database")]
mod database;
#[path = "../it/many.rs"]
#[expect(dead_code, reason = "the tests do more with many connections")]
mod many;
mod support;

use jackfield::secrets::{DataKey, KeyRing, KeySource};
use jackfield_tests::{Host, artifacts};
use many::Eyes;
use sqlx::{Connection, Row};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use support::table;

fn main() {
    let secrets = support::number("JACKFIELD_BENCH_SECRETS", 100_000);
    let rounds = support::number("JACKFIELD_BENCH_ROUNDS", 3);
    artifacts();
    let secrets = usize::try_from(secrets).expect("so many fit into memory");
    let host = filled(secrets);
    println!("Replacing the key of {secrets} secrets");
    table::machine();
    let mut rows = Vec::new();
    for round in 1..=rounds {
        let (sealing, writing) = floor(&host);
        let floor = sealing + writing;
        let quiet = rekey(&host);
        let (watched, reads) = while_reading(&host, secrets, || rekey(&host));
        let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
        rows.push(vec![
            round.to_string(),
            seconds(sealing),
            seconds(writing),
            seconds(quiet),
            format!("{:.2}", quiet.as_secs_f64() / floor.as_secs_f64()),
            seconds(watched),
            reads.count.to_string(),
            format!("{:.1}", reads.slowest.as_secs_f64() * 1000.0),
        ]);
    }
    let head = [
        "round",
        "floor: seal s",
        "floor: write s",
        "rekey s",
        "of the floor",
        "rekey while read s",
        "reads",
        "slowest ms",
    ];
    table::print(&head, &rows);
}

/// A host with so many connections.
fn filled(secrets: usize) -> Host {
    let host = Host::with_plugins(&["hostile"]);
    host.file("token", "tok-6f1c2a9d77");
    let add = ["connection", "add", "hostile", "T", "--set", "server_url=https://hostile.example"];
    host.run(add.into_iter().chain(["--set", "mode=ok", "--secret", "token=@token"])).expect_success();
    many::add(&host, "T", secrets);
    host
}

/// The whole command, from its start to its end.
fn rekey(host: &Host) -> Duration {
    let began = Instant::now();
    host.run(["secret", "rekey"]).expect_success();
    began.elapsed()
}

/// What was read while something was done. A read that fails ends the bench.
struct Reads {
    count: usize,
    slowest: Duration,
}

fn while_reading(host: &Host, secrets: usize, work: impl FnOnce() -> Duration) -> (Duration, Reads) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let eyes = Eyes::open(host);
            let (mut count, mut slowest) = (0, Duration::ZERO);
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                eyes.read_one(count % secrets);
                slowest = slowest.max(began.elapsed());
                count += 1;
            }
            Reads { count, slowest }
        });
        let took = work();
        is_over.store(true, Ordering::Relaxed);
        (took, reader.join().expect("every read succeeds"))
    })
}

/// Opens and seals every data key, and writes what came of it in one transaction.
fn floor(host: &Host) -> (Duration, Duration) {
    let ring = KeyRing::load(&KeySource::File(host.data().join("key"))).ok().flatten();
    let ring = ring.expect("a key");
    database::with(host, async |database| {
        let install = sqlx::query("SELECT value FROM meta WHERE key = 'install'").fetch_one(&mut *database);
        let install: String = install.await.expect("an id").get(0);
        let all = sqlx::query_as("SELECT connection_id, sealed FROM data_keys").fetch_all(&mut *database);
        let all: Vec<(String, Vec<u8>)> = all.await.expect("data keys");
        let began = Instant::now();
        let anew = |(id, sealed): &(String, Vec<u8>)| {
            let key: DataKey = ring.unwrap(&install, id, sealed).expect("every data key opens");
            key.wrap(&ring.keys()[0], &install, id)
        };
        let sealed: Vec<Vec<u8>> = all.iter().map(anew).collect();
        let sealing = began.elapsed();
        let began = Instant::now();
        let mut tx = database.begin().await.expect("a transaction");
        for ((id, _), sealed) in all.iter().zip(sealed) {
            let update =
                sqlx::query("UPDATE data_keys SET sealed = $1 WHERE connection_id = $2").bind(sealed);
            update.bind(id).execute(&mut *tx).await.expect("a data key can be written");
        }
        tx.commit().await.expect("and kept");
        (sealing, began.elapsed())
    })
}
