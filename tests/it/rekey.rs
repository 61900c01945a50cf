//! A new key in the old one's place: what is done and said, while others are at work, where Jackfield cannot write the key, and
//! with the wrong keys.

use crate::{
    database,
    disk::{Disk, Pretended},
    many::{self, Eyes},
    rekey_kills::{key_files, keys_of},
    steps::{self, Before},
    support::{adding, hostile_host, refresh, snapshots, with_connection},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jackfield_tests::{Finished, Host, Started, wait_for};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

const REKEY: [&str; 2] = ["secret", "rekey"];

/// A key as `openssl rand -base64 32` prints it; every byte is the same.
fn text_of(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn key_of(host: &Host) -> PathBuf {
    host.data().join("key")
}

fn write_private(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// What was said, with keys by their names.
fn said(finished: &Finished, names: &[(&str, &str)]) -> String {
    let mut text = format!("exit code {}\n{}", finished.code(), finished.all());
    for (id, name) in names {
        text = text.replace(id, name);
    }
    text
}

fn assert_said(host: &Host, name: &str, text: &str) {
    snapshots(host).bind(|| insta::assert_snapshot!(name, text));
}

/// Whether the connection's secret opens for a process that starts now.
fn expect_open(host: &Host) {
    refresh(host, "T").expect_success();
}

#[test]
fn a_new_key_takes_the_old_ones_place() {
    let host = with_connection("T");
    let running = Eyes::open(&host);
    many::add(&host, "T", 3);
    let (old, before) = (keys_of(&host).remove(0), fs::read(key_of(&host)).unwrap());
    let done = host.run(REKEY).expect_success();
    let new = keys_of(&host);
    assert_eq!(new.len(), 1);
    assert_said(&host, "replaced", &said(&done, &[(&old, "[OLD]"), (&new[0], "[NEW]")]));
    assert_eq!(many::sealed_by(&host), [(new[0].clone(), 4)].into());
    let copy = host.data().join(format!("key.{old}"));
    assert_eq!(
        (key_files(&host), fs::read(&copy).unwrap()),
        (vec!["key".to_owned(), format!("key.{old}")], before)
    );
    for file in [&copy, &key_of(&host)] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    // Whoever was there before reads what it knew, and what it makes others read.
    assert_eq!(running.read_all(), 3);
    database::execute(&host, "DELETE FROM data_keys WHERE connection_id = 'many-0000002'");
    running.make_data_key("many-0000002");
    assert_eq!(many::sealed_by(&host), [(new[0].clone(), 4)].into());
    expect_open(&host);

    let again = host.json(REKEY);
    assert_eq!(
        (&again["retired_key"], &again["key"]),
        (&new[0].as_str().into(), &keys_of(&host)[0].as_str().into())
    );
    assert_eq!((&again["connections"], &again["resumed"]), (&4.into(), &false.into()));
    let copy = host.data().join(format!("key.{}", new[0]));
    assert_eq!(again["retired_key_file"], copy.to_str().unwrap());
    running.make_data_key("many-0000001");
    expect_open(&host);
}

#[test]
fn nobody_who_reads_or_makes_secrets_meanwhile_fails() {
    let host = with_connection("T");
    many::add(&host, "T", 400);
    let is_over = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|reader| {
                let (host, is_over) = (&host, &is_over);
                scope.spawn(move || {
                    let running = Eyes::open(host);
                    let mut rounds = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        // One stays what it was since before, the other is a process that starts.
                        let fresh = (reader == 1).then(|| Eyes::open(host));
                        assert_eq!(fresh.as_ref().unwrap_or(&running).read_all(), 400);
                        running.make_new_connection("T");
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for _ in 0..4 {
            host.run(REKEY).expect_success();
            expect_open(&host);
        }
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>()
    });
    println!("{rounds} times everything was read");
    assert!(rounds >= 2);
    // What was made meanwhile is sealed by the newest key, whoever made it.
    let sealed = many::sealed_by(&host);
    assert_eq!(sealed.keys().collect::<Vec<_>>(), [&keys_of(&host)[0]]);
    assert!(sealed[&keys_of(&host)[0]] > 401);
}

/// The numbers of the steps of a replacement, that begin so.
fn numbers(host: &Host, beginning: &str) -> Vec<usize> {
    let watched = host.copy();
    steps::start(&watched, &REKEY, Before::Nothing).finish().expect_success();
    let all = steps::steps(&watched);
    (1..=all.len()).filter(|number| all[number - 1].starts_with(beginning)).collect()
}

/// A replacement that was stopped before a step.
fn stopped(host: &Host, step: usize) -> Started {
    let started = steps::start(host, &REKEY, Before::Stop(step));
    wait_for("the step", || is_stopped(started.id()).then_some(()));
    started
}

#[test]
fn of_two_at_once_one_does_it() {
    let host = with_connection("T");
    many::add(&host, "T", 230);
    // The last thing that is done to the key file.
    let mut first = stopped(&host, *numbers(&host, "rename key").last().unwrap());
    assert_said(&host, "one_at_a_time", &said(&host.run(REKEY), &[]));
    // What it has got done does not keep others from working.
    expect_open(&host);
    assert_eq!((keys_of(&host).len(), Eyes::open(&host).read_all()), (2, 230));
    assert!(first.is_running());
    first.signal("CONT");
    first.finish().expect_success();
    assert_eq!((keys_of(&host).len(), many::sealed_by(&host).len()), (1, 1));
    host.run(REKEY).expect_success();
}

fn is_stopped(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
}

#[test]
fn an_interrupted_one_says_how_it_goes_on() {
    let host = with_connection("T");
    many::add(&host, "T", 230);
    let old = keys_of(&host).remove(0);
    let copied = *numbers(&host, "write .key.").last().unwrap();
    let writes: Vec<_> =
        numbers(&host, "pwrite jackfield.db-wal").into_iter().filter(|one| *one < copied).collect();
    // While the first of two pages is written.
    let stopped = stopped(&host, writes[writes.len() - 8]);
    stopped.signal("INT");
    stopped.signal("CONT");
    let new = keys_of(&host).remove(0);
    let names = [(old.as_str(), "[OLD]"), (new.as_str(), "[NEW]")];
    let interrupted = stopped.finish();
    assert_eq!(interrupted.code(), 130, "{}", interrupted.all());
    assert_eq!(many::sealed_by(&host), [(new.clone(), 200), (old.clone(), 31)].into());
    let mut all = said(&interrupted, &names);

    // Whoever puts a backup of the key back, or takes one of the two out, is told what is needed.
    let both = fs::read_to_string(key_of(&host)).unwrap();
    let lines: Vec<&str> = both.lines().collect();
    for (what, text) in [("the old key alone", lines[1]), ("the new key alone", lines[0])] {
        write_private(&key_of(&host), text);
        for command in [&REKEY[..], &["connection", "list"]] {
            all += &format!("--- {what}: {}\n{}", command.join(" "), said(&host.run(command), &names));
        }
    }
    // The copy of the new key is there for that.
    let copy = fs::read_to_string(host.data().join(format!("key.{new}"))).unwrap();
    write_private(&key_of(&host), format!("{}{}", copy, lines[1]));
    expect_open(&host);
    // The first is sealed by the new key, the last by the old one.
    [0, 229].into_iter().for_each(|number| Eyes::open(&host).read_one(number));
    write_private(&host.work().join("other"), text_of(7));
    all += &format!(
        "--- another new key\n{}",
        said(&host.run(["secret", "rekey", "--new-key", "@other"]), &names)
    );
    all += &format!("--- again\n{}", said(&host.run(REKEY), &names));
    assert_said(&host, "interrupted", &all);
    assert_eq!((keys_of(&host), many::sealed_by(&host).len()), (vec![new], 1));
    expect_open(&host);
}

#[test]
fn a_data_key_that_does_not_open_keeps_the_old_key() {
    let host = with_connection("T");
    many::add(&host, "T", 3);
    let old = keys_of(&host).remove(0);
    database::execute(
        &host,
        "UPDATE data_keys SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE connection_id = 'many-0000001'",
    );
    let refused = host.run(REKEY);
    let new = keys_of(&host).remove(0);
    let names = [(old.as_str(), "[OLD]"), (new.as_str(), "[NEW]")];
    let mut all = said(&refused, &names);
    assert_eq!(keys_of(&host), [new.clone(), old.clone()]);
    assert_eq!(many::sealed_by(&host), [(new.clone(), 3), (old.clone(), 1)].into());
    expect_open(&host);
    host.run(["connection", "delete", "many-0000001", "--yes"]).expect_success();
    all += &format!("--- without it\n{}", said(&host.run(REKEY), &names));
    assert_said(&host, "broken", &all);
    assert_eq!((keys_of(&host), many::sealed_by(&host)), (vec![new.clone()], [(new, 3)].into()));
}

#[test]
fn a_key_can_be_brought_along() {
    let mut host = with_connection("T");
    write_private(&host.work().join("mine"), text_of(1));
    host.run(["secret", "rekey", "--new-key", "@mine"]).expect_success();
    assert_eq!(fs::read_to_string(key_of(&host)).unwrap().trim(), text_of(1));
    host.set("MY_KEY", text_of(2));
    host.run(["secret", "rekey", "--new-key", "env:MY_KEY"]).expect_success();
    assert_eq!(fs::read_to_string(key_of(&host)).unwrap().trim(), text_of(2));
    expect_open(&host);

    host.file("open", text_of(3));
    fs::set_permissions(host.work().join("open"), fs::Permissions::from_mode(0o644)).unwrap();
    write_private(&host.work().join("two"), format!("{}\n{}", text_of(3), text_of(4)));
    write_private(&host.work().join("short"), STANDARD.encode([3; 16]));
    let on_the_line = text_of(5);
    let rows = ["env:MY_KEY", "@absent", "env:ABSENT", "@open", "@two", "@short", &on_the_line, "env:a b"];
    let mut all = String::new();
    for given in rows {
        let refused = host.run(["secret", "rekey", "--new-key", given]);
        assert!(!refused.all().contains(&on_the_line), "{}", refused.all());
        all += &format!("--- {}\n{}", given.replace(&on_the_line, "the key itself"), said(&refused, &[]));
    }
    assert_said(&host, "brought_along", &all);
    assert_eq!(fs::read_to_string(key_of(&host)).unwrap().trim(), text_of(2));
    expect_open(&host);
}

/// A host whose key is where Jackfield cannot write it, and how to put keys there.
type Elsewhere = (&'static str, fn(&mut Host, &[u8]));

const ELSEWHERE: [Elsewhere; 2] = [
    ("variable", |host, keys| {
        let texts: Vec<String> = keys.iter().map(|byte| text_of(*byte)).collect();
        host.set("MY_KEY", texts.join(" "));
        host.set("JACKFIELD_KEY__VARIABLE", "MY_KEY");
    }),
    ("credential", |host, keys| {
        let texts: String = keys.iter().map(|byte| text_of(*byte) + "\n").collect();
        fs::create_dir_all(host.work().join("credentials")).unwrap();
        write_private(&host.work().join("credentials/my-key"), texts);
        host.set("CREDENTIALS_DIRECTORY", host.work().join("credentials").display().to_string());
        host.set("JACKFIELD_KEY__SYSTEMD_CREDENTIAL", "my-key");
    }),
];

#[test]
fn where_the_key_cannot_be_written_the_operator_puts_both_there() {
    for (place, put) in ELSEWHERE {
        let mut host = hostile_host();
        put(&mut host, &[1]);
        host.run(adding("T")).expect_success();
        write_private(&host.work().join("mine"), text_of(2));
        let mut all = String::new();
        let mut row = |host: &Host, what: &str, command: &[&str]| {
            all += &format!("--- {what}\n{}", said(&host.run(command), &[]));
        };
        row(&host, "one key", &REKEY);
        row(&host, "one key, and another given", &["secret", "rekey", "--new-key", "@mine"]);
        put(&mut host, &[1, 2]);
        row(&host, "the new key behind the old one", &REKEY);
        put(&mut host, &[2, 1]);
        expect_open(&host);
        row(&host, "the new key before the old one", &REKEY);
        expect_open(&host);
        row(&host, "the same again", &REKEY);
        put(&mut host, &[1]);
        row(&host, "the old key alone", &["connection", "list"]);
        put(&mut host, &[2]);
        expect_open(&host);
        assert_said(&host, &format!("elsewhere_{place}"), &all);
        assert_eq!(key_files(&host), Vec::<String>::new());
    }
}

#[test]
fn a_backup_from_before_opens_with_the_copy_of_its_key() {
    let host = with_connection("T");
    let backup = fs::read(host.data().join("jackfield.db")).unwrap();
    let old = keys_of(&host).remove(0);
    host.run(REKEY).expect_success();
    let new = keys_of(&host).remove(0);
    fs::write(host.data().join("jackfield.db"), backup).unwrap();
    let refused = host.run(["connection", "list"]);
    let names = [(old.as_str(), "[OLD]"), (new.as_str(), "[NEW]")];
    assert_said(&host, "backup", &said(&refused, &names));
    let copy = fs::read_to_string(host.data().join(format!("key.{old}"))).unwrap();
    let key = fs::read_to_string(key_of(&host)).unwrap();
    write_private(&key_of(&host), key + &copy);
    expect_open(&host);
    host.run(REKEY).expect_success();
    assert_eq!((keys_of(&host), many::sealed_by(&host)), (vec![new.clone()], [(new, 1)].into()));
    expect_open(&host);
}

#[test]
fn data_folders_that_share_a_key_file_follow_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    write_private(&shared, text_of(1));
    let hosts = [(); 3].map(|()| {
        let mut host = hostile_host();
        host.set("JACKFIELD_KEY__FILE", shared.display().to_string());
        host.run(adding("T")).expect_success();
        host
    });
    let old = hosts[0].json(REKEY)["retired_key"].as_str().unwrap().to_owned();
    let copy = folder.path().join(format!("shared.{old}"));
    for host in &hosts[1..] {
        let shut_out = host.run(["connection", "list"]);
        assert_eq!(shut_out.code(), 2, "{}", shut_out.all());
        assert!(shut_out.stderr.contains(copy.to_str().unwrap()), "{}", shut_out.stderr);
        let both = fs::read_to_string(&shared).unwrap() + &fs::read_to_string(&copy).unwrap();
        write_private(&shared, both);
        hosts.iter().take(2).for_each(expect_open);
        host.run(REKEY).expect_success();
    }
    hosts.iter().for_each(expect_open);
    assert_eq!(fs::read_to_string(&shared).unwrap().lines().count(), 1);
}

#[test]
fn where_the_key_file_cannot_be_written_the_operator_puts_both_there() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    write_private(&key, text_of(1));
    let mut host = hostile_host();
    host.set("JACKFIELD_KEY__FILE", key.display().to_string());
    host.run(adding("T")).expect_success();
    Pretended::below(&mut host).is_read_only();
    host.set("DISK_FOLDER", folder.path().display().to_string());
    let place = folder.path().display().to_string();
    let mut all = String::new();
    for (what, keys) in [("the old key", vec![1]), ("both keys", vec![2, 1]), ("the new key", vec![2])] {
        write_private(&key, keys.into_iter().map(|byte| text_of(byte) + "\n").collect::<String>());
        expect_open(&host);
        all += &format!("--- {what}\n{}", said(&host.run(REKEY), &[(&place, "[KEYS]")]));
        expect_open(&host);
    }
    assert_said(&host, "read_only", &all);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
