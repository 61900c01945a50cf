//! Configuration: where values come from, what is refused, and the key and folder that a host cannot do without.

use crate::support::{adding, hostile_host, snapshots, with_connection};
use jackfield_tests::{Finished, Host};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};

const PROXY: &str = "JACKFIELD_HTTP__PROXY";

/// A key's value and source, as `config show` has it.
fn shown(host: &Host, key: &str, flags: &[&str]) -> (Value, String) {
    let settings = host.json([&["config", "show"], flags].concat());
    let setting = settings.as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    (setting["value"].clone(), setting["source"].as_str().unwrap().to_owned())
}

fn refused(host: &Host, arguments: &[&str]) -> Finished {
    let refused = host.run(arguments);
    assert_eq!(refused.code(), 2, "{arguments:?}: {}", refused.all());
    assert_eq!(refused.stdout, "");
    refused
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let mut host = Host::with_plugins(&[]);
    assert_eq!(shown(&host, "log.level", &[]), (json!("warn"), "default".to_owned()));
    host.file("jackfield.toml", "[log]\nlevel = \"error\"\nprefix = \"Mine\"\n");
    let (level, source) = shown(&host, "log.level", &[]);
    assert_eq!(level, "error");
    assert!(source.ends_with("jackfield.toml"), "{source}");
    host.set("JACKFIELD_LOG__LEVEL", "debug");
    assert_eq!(shown(&host, "log.level", &[]), (json!("debug"), "JACKFIELD_LOG__LEVEL".to_owned()));
    let flag = ["--log-level", "trace"];
    assert_eq!(shown(&host, "log.level", &flag), (json!("trace"), "flag".to_owned()));
    assert_eq!(shown(&host, "log.prefix", &flag).0, "Mine", "a neighbour in the section stays");

    let other = host.file("other.toml", "[log]\nprefix = \"Other\"\n");
    let named = ["--config", other.to_str().unwrap()];
    assert_eq!(shown(&host, "log.prefix", &named).0, "Other");
    host.set("JACKFIELD_CONFIG", other.to_str().unwrap());
    assert_eq!(shown(&host, "log.prefix", &[]).0, "Other");
}

#[test]
fn every_key_is_shown_with_its_source() {
    let mut host = Host::with_plugins(&[]);
    host.file("jackfield.toml", "plugin_dirs = [\"one\", \"two\"]\n[run]\nkeep = 7\n");
    host.set(PROXY, "http://somebody:proxy-password@proxy.example:3128");
    let table = host.run(["config", "show", "--log-level", "info"]).expect_success().stdout;
    assert!(!table.contains("proxy-password"), "{table}");
    let shown = host.run(["config", "show", "--json"]).expect_success().stdout;
    assert!(!shown.contains("proxy-password"), "{shown}");
    snapshots(&host).bind(|| insta::assert_snapshot!("shown", table));
}

#[test]
fn of_a_proxy_whatever_stands_before_the_host_is_hidden() {
    for (written, expected) in [
        ("http://proxy.example:3128", json!("http://proxy.example:3128/")),
        ("https://somebody:password@proxy.example", json!("https://***@proxy.example/")),
        ("http://a-token@proxy.example:3128", json!("http://***@proxy.example:3128/")),
        ("http://:password@proxy.example:3128", json!("http://***@proxy.example:3128/")),
        ("", Value::Null),
    ] {
        let mut host = Host::with_plugins(&[]);
        host.file("jackfield.toml", "[http]\nproxy = \"http://of.the.file:1\"\n");
        host.set(PROXY, written);
        assert_eq!(shown(&host, "http.proxy", &[]), (expected, PROXY.to_owned()), "{written}");
    }
}

#[test]
fn what_cannot_be_read_names_the_key_and_where_it_stands() {
    let mut told = String::new();
    for (file, variable) in [
        ("colour = 1", None),
        ("[log]\ncolour = 1", None),
        ("[colours]\nred = 1", None),
        ("[log]\nlevel = 7", None),
        ("[log]\nformat = \"xml\"", None),
        ("[log]\nprefix = \"../up\"", None),
        ("[log]\nprefix = \"\"", None),
        ("[log]\nprefix = \"a\\nb\"", None),
        ("[log]\nlevel = \"jackfield=loud\"", None),
        ("[run]\nkeep = \"many\"", None),
        ("log = \"debug\"", None),
        ("[http]\nmax_attempts = 0", None),
        ("[http]\nproxy = \"not a url\"", None),
        ("[key]\nfile = \"a\"\nvariable = \"B\"", None),
        ("[log\nlevel", None),
        ("", Some(("JACKFIELD_COLOUR", "red"))),
        ("", Some(("JACKFIELD_LOG__COLOUR", "red"))),
        ("", Some(("JACKFIELD_RUN__KEEP", "many"))),
        ("", Some(("JACKFIELD_KEY", "a-key-in-the-wrong-place"))),
        ("log = \"in-the-wrong-place", None),
        ("[http]\nproxy = \"http://user:in-the-wrong-place@h:1", None),
        ("[http]\nproxy = \"user:in-the-wrong-place@h:1\"", None),
        ("[http]\nproxy = { url = \"http://user:in-the-wrong-place@h:1\" }", None),
        ("", Some((PROXY, "ftp://h:21"))),
        ("", Some((PROXY, "socks5://user:in-the-wrong-place@h:1080"))),
        ("", Some((PROXY, "user:in-the-wrong-place@127.0.0.1:4610"))),
        ("", Some((PROXY, "127.0.0.1:80/in-the-wrong-place"))),
        ("", Some((PROXY, "http://user:12/in-the-wrong-place@h:1"))),
        ("", Some((PROXY, "http://user:in-the-wrong-place@"))),
        ("", Some((PROXY, "3128"))),
    ] {
        let mut host = Host::with_plugins(&[]);
        host.file("jackfield.toml", file);
        if let Some((name, value)) = variable {
            host.set(name, value);
        }
        let refused = refused(&host, &["connection", "list"]);
        assert!(!refused.stderr.contains("in-the-wrong-place"), "{}", refused.stderr);
        assert!(!host.data().join("jackfield.db").exists(), "nothing was begun");
        let about =
            variable.map_or_else(|| file.replace('\n', " "), |(name, value)| format!("{name}={value}"));
        told += &format!("{about}\n{}\n", refused.stderr);
    }
    insta::assert_snapshot!("refused", told);
    let host = Host::with_plugins(&[]);
    let missing = refused(&host, &["config", "show", "--config", "nowhere.toml"]);
    assert!(missing.stderr.contains("nowhere.toml does not exist"), "{}", missing.stderr);
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let mut host = Host::with_plugins(&[]);
    host.file("file", "in the way");
    for folder in ["file/data", "/proc/jackfield-data"] {
        host.set("JACKFIELD_DATA_DIR", folder);
        let refused = refused(&host, &["connection", "list"]);
        assert!(
            refused.stderr.contains(&format!("the data folder {folder} cannot be used")),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("--data-dir"), "{}", refused.stderr);
        // These two help to find out why.
        host.run(["config", "show"]).expect_success();
        host.run(["plugin", "list"]).expect_success();
    }
}

#[test]
fn a_database_that_is_none_is_refused_and_left_alone() {
    let host = hostile_host();
    let database = host.data().join("jackfield.db");
    let text = "this is no database, however long one looks at it; ".repeat(40);
    fs::write(&database, &text).unwrap();
    let refused = host.run(["connection", "list"]);
    assert_ne!(refused.code(), 0);
    assert!(refused.stderr.contains("jackfield.db"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&database).unwrap(), text);
}

#[test]
fn the_data_folder_is_nobody_elses() {
    let mut host = hostile_host();
    let folder = host.work().join("fresh");
    host.set("JACKFIELD_DATA_DIR", folder.to_str().unwrap());
    host.run(["connection", "list"]).expect_success();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in ["jackfield.db", "key"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_key_that_is_wrong_or_missing_or_open_to_others_is_a_clear_error() {
    let mut host = with_connection("A");
    let key = host.data().join("key");
    let good = fs::read(&key).unwrap();
    let mut told = String::new();
    let mut tell = |host: &Host, what: &str, code: i32| {
        let refused = host.run(["connection", "test", "A"]);
        assert_eq!(refused.code(), code, "{what}: {}", refused.all());
        told += &format!("{what}\n{}\n", refused.stderr);
    };
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    tell(&host, "readable by others", 2);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "too short").unwrap();
    tell(&host, "malformed", 2);
    fs::write(&key, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n").unwrap();
    tell(&host, "another one", 2);
    fs::remove_file(&key).unwrap();
    tell(&host, "missing", 2);
    assert!(!key.exists(), "no new key is made for a database that has one");
    host.set("JACKFIELD_KEY__VARIABLE", "MASTER");
    tell(&host, "a variable that is not set", 2);
    host.set("MASTER", String::from_utf8(good).unwrap());
    host.run(["connection", "test", "A"]).expect_success();
    snapshots(&host).bind(|| insta::assert_snapshot!("keys", told));
}

#[test]
fn two_folders_are_two_projects() {
    let mut host = with_connection("A");
    host.set("JACKFIELD_DATA_DIR", host.work().join("other").to_str().unwrap());
    fs::create_dir_all(host.work().join("other")).unwrap();
    assert_eq!(host.json(["connection", "list"]), json!([]));
    let elsewhere = ["--plugin-dir", "data/plugins"].map(str::to_owned);
    host.run([adding("A"), elsewhere.to_vec()].concat()).expect_success();
    let first = host.data();
    assert_eq!(
        host.json(["run", "list", "--data-dir", first.to_str().unwrap()]).as_array().unwrap().len(),
        2
    );
}
