//! A replacement of the key, killed before each change that it makes to a file. Every secret opens afterwards, for a process
//! that was running all the time and for one that starts then; the next attempt finishes; nothing else is left.

use crate::{
    many::{self, Eyes},
    steps::{self, Before},
    support::with_connection,
};
use jackfield::secrets::{KeyRing, KeySource};
use jackfield_tests::Host;
use std::{collections::BTreeSet, fs};

/// More than are sealed anew at once.
const MANY: usize = 230;

const REKEY: [&str; 2] = ["secret", "rekey"];

/// The keys in the key file, the newest first.
pub(crate) fn keys_of(host: &Host) -> Vec<String> {
    let ring = KeyRing::load(&KeySource::File(host.data().join("key"))).unwrap().unwrap();
    ring.keys().iter().map(jackfield::secrets::KeyEncryptionKey::id).collect()
}

/// The files of the data folder that hold keys, or that a crash may have left.
pub(crate) fn key_files(host: &Host) -> Vec<String> {
    let entries = fs::read_dir(host.data()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains("key")).collect();
    names.sort();
    names
}

#[test]
fn killed_before_any_step_it_loses_nothing_and_can_be_finished() {
    let base = with_connection("T");
    many::add(&base, "T", MANY);
    let old = keys_of(&base).remove(0);
    let mut seen = BTreeSet::new();
    for step in 1.. {
        let host = base.copy();
        let running = Eyes::open(&host);
        let killed = steps::start(&host, &REKEY, Before::Kill(step)).finish();
        let what = format!("killed before step {step}, {}", steps::steps(&host).pop().unwrap_or_default());
        assert_eq!(running.read_all(), MANY, "{what}");
        assert_eq!(Eyes::open(&host).read_all(), MANY, "{what}");
        if killed.code() == 0 {
            println!("it takes {} steps", step - 1);
            break;
        }
        assert_eq!(killed.code(), 137, "{what}: {}", killed.all());
        let sealed = many::sealed_by(&host);
        println!("{what}: keys {:?} in the file, {:?} seal", keys_of(&host), sealed);
        seen.insert((keys_of(&host).len(), sealed.len()));
        finish(&host, &running, &old, &what);
    }
    // One key and then two in the file, two that seal between two pages, and one again.
    assert_eq!(seen, BTreeSet::from([(1, 1), (2, 1), (2, 2)]));
}

/// The next attempt finishes.
fn finish(host: &Host, running: &Eyes, old: &str, what: &str) {
    host.run(REKEY).expect_success();
    let keys = keys_of(host);
    assert!(keys.len() == 1 && keys[0] != old, "{what}: {keys:?}");
    assert_eq!(running.read_all(), MANY, "{what}");
    assert_eq!(Eyes::open(host).read_all(), MANY, "{what}");
    let sealed = many::sealed_by(host);
    assert_eq!(sealed.keys().collect::<Vec<_>>(), [&keys[0]], "{what}");
    assert_eq!(key_files(host), ["key".to_owned(), format!("key.{old}")], "{what}");
}
