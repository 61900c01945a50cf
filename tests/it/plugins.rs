//! Plugin files, as an operator meets them.

use crate::support::{
    TOKEN, adding, newest_run, no_worker_left, refresh, snapshots, things, with_connection, with_store,
    workers,
};
use jackfield::model::id::ConnectionId;
use jackfield_plugin::contract::VERSION_TEXT;
use jackfield_plugin::contract::manifest::this_platform;
use jackfield_tests::{Host, artifacts, wait_for};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Runs cargo in the workspace; it is the one that builds these tests.
fn cargo(arguments: &[&str], target: &Path) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("build").arg("--quiet").args(arguments).arg("--target-dir").arg(target);
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "cargo build {arguments:?}");
}

fn target() -> PathBuf {
    artifacts().folder.parent().unwrap().to_owned()
}

/// Plugins that are wrong in ways which cannot be patched into a right one.
fn fixture(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let of = ["--package", "jackfield-plugin", "--example", "misfit", "--example", "stillborn"];
        cargo(&[&of[..], &["--example", "speechless"]].concat(), &target());
        target().join("debug/examples")
    });
    folder.join(format!("lib{name}.so"))
}

/// The hostile plugin as a vendor would build it: a target folder of its own, optimised.
fn built_separately() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = target().join("separate");
        cargo(&["--release", "--package", "jackfield-hostile"], &folder);
        folder.join("release")
    });
    folder.join("libjackfield_hostile.so")
}

/// Puts a file into the plugin folder.
fn put(host: &Host, name: &str, content: &[u8]) -> PathBuf {
    let path = host.data().join("plugins").join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Makes a C library in the plugin folder.
fn put_c(host: &Host, name: &str, source: &str) {
    let source = host.file(&format!("{name}.c"), source);
    let library = host.data().join("plugins").join(name);
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(source).status().unwrap();
    assert!(made.success(), "cc makes {name}");
}

/// C source of a manifest.
fn c_manifest(id: &str) -> String {
    let platform = this_platform();
    format!(
        r#"__attribute__((section(".jackfield"), used)) static const char manifest[] = "JACKFIELD-PLUGIN\n"
        "{{\"id\":\"{id}\",\"name\":\"C\",\"version\":\"1\",\"needs\":\"1.0\",\"panic\":\"abort\","
        "\"platform\":\"{platform}\"}}";
        "#
    )
}

/// The hostile plugin's bytes with every `from` replaced by `to`.
fn patched(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "nothing else may move");
    let mut content = fs::read(artifacts().plugin("hostile")).unwrap();
    let places: Vec<usize> =
        (0..content.len() - from.len()).filter(|&at| content[at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from} stands in the file");
    for at in places {
        content[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    content
}

/// A file whose constructor leaves a mark.
fn put_marking(host: &Host) -> PathBuf {
    let mark = host.work().join("executed");
    let source = format!(
        "#include <stdio.h>\n{}\n__attribute__((constructor)) static void run(void) \
         {{ FILE *mark = fopen(\"{}\", \"w\"); if (mark) fclose(mark); }}",
        c_manifest("marking"),
        mark.display()
    );
    put_c(host, "marking.so", &source);
    mark
}

#[test]
fn a_dropped_file_is_listed() {
    let host = Host::with_plugins(&["qlik-cloud", "hostile"]);
    let listed = host.json(["plugin", "list"]);
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["plugin"]["manifest"]["id"]).collect();
    assert_eq!(ids, ["hostile", "qlik-cloud"]);
    let digest = listed[0]["plugin"]["digest"].as_str().unwrap();
    let counted = Command::new("sha256sum").arg(artifacts().plugin("hostile")).output().unwrap();
    assert_eq!(digest, String::from_utf8_lossy(&counted.stdout).split(' ').next().unwrap());
}

#[test]
fn no_folder_and_no_file_say_where_to_put_one() {
    let host = Host::with_plugins(&[]);
    let empty = host.run(["plugin", "list"]).expect_success().stdout;
    assert!(empty.contains(&host.data().join("plugins").display().to_string()), "{empty}");
    fs::remove_dir(host.data().join("plugins")).unwrap();
    assert_eq!(host.run(["plugin", "list"]).expect_success().stdout, empty);
    let missing = host.run(["plugin", "show", "nprinting"]);
    assert_eq!(missing.code(), 2);
    snapshots(&host).bind(|| insta::assert_snapshot!("missing", missing.stderr));
}

#[test]
fn every_file_that_is_wrong_says_so_and_the_rest_stays_usable() {
    let host = Host::with_plugins(&["hostile"]);
    let good = fs::read(artifacts().plugin("hostile")).unwrap();
    let mut foreign = good.clone();
    foreign[18] = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    put(&host, "empty.so", b"");
    put(&host, "text.so", b"hello, I am not a library\n");
    put(&host, "picture.so", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    put(&host, "truncated.so", &good[..good.len() / 2]);
    put(&host, "foreign.so", &foreign);
    put(&host, "newer.so", &patched(&format!("\"needs\":\"{VERSION_TEXT}\""), "\"needs\":\"1.9\""));
    put(&host, "unnamed.so", &patched("{\"id\":\"hostile\"", "{\"id\":\"Hostile\""));
    put_c(&host, "bare.so", "int answer(void) { return 42; }");
    let huge = fs::File::create(host.data().join("plugins/huge.so")).unwrap();
    huge.set_len(257 * 1024 * 1024).unwrap();
    fs::create_dir(host.data().join("plugins/folder.so")).unwrap();
    std::os::unix::fs::symlink("nowhere", host.data().join("plugins/dangling.so")).unwrap();
    put(&host, "README.txt", b"not looked at");

    let listed = host.run(["plugin", "list"]).expect_success();
    snapshots(&host).bind(|| insta::assert_snapshot!("wrong_files", listed.stdout));
    assert_eq!(listed.stderr, "");
    let listed = host.json(["plugin", "list"]);
    let wrong = listed.as_array().unwrap().iter().filter(|one| one["error"].is_string()).count();
    assert_eq!(wrong, 9, "{listed}");

    host.file("token", TOKEN);
    host.run(adding("Still works")).expect_success();
    let missing = host.run(["plugin", "show", "nprinting"]);
    assert_eq!(missing.code(), 2);
    assert!(
        missing.stderr.contains("text.so is not a dynamic library, but a text file"),
        "{}",
        missing.stderr
    );
}

#[test]
fn what_is_wrong_behind_the_manifest_is_told_by_the_worker_that_opens_it() {
    let host = Host::with_plugins(&["hostile"]);
    for name in ["misfit", "stillborn", "speechless"] {
        host.install(&fixture(name));
    }
    put(&host, "waged.so", &patched("{\"id\":\"hostile\"", "{\"id\":\"hastile\""));
    put_c(&host, "hollow.so", &c_manifest("hollow"));
    let missing = "int missing_thing(void); int call(void) { return missing_thing(); }";
    put_c(&host, "lacking.so", &format!("{}\n{missing}", c_manifest("lacking")));
    let fatal = "#include <stdlib.h>\n__attribute__((constructor)) static void run(void) { abort(); }";
    put_c(&host, "fatal.so", &format!("{}\n{fatal}", c_manifest("fatal")));

    let listed = host.json(["plugin", "list"]);
    assert!(listed.as_array().unwrap().iter().all(|one| one["error"].is_null()), "{listed}");
    let mut told = String::new();
    for connector in ["misfit", "stillborn", "speechless", "hastile", "hollow", "lacking", "fatal"] {
        let shown = host.run(["plugin", "show", connector]);
        assert_eq!(shown.code(), 6, "{connector}: {}", shown.all());
        told += &format!("{connector}\n{}\n", shown.stderr);
    }
    snapshots(&host).bind(|| insta::assert_snapshot!("wrong_behind_the_manifest", told));
    host.run(["plugin", "show", "hostile"]).expect_success();
}

#[test]
fn looking_at_files_executes_nothing_of_them() {
    let host = with_connection("A");
    let mark = put_marking(&host);
    for looking in [
        &["plugin", "list"][..],
        &["plugin", "list", "--json"],
        &["plugin", "show", "hostile"],
        &["connection", "list"],
        &["connection", "show", "A"],
        &["connection", "refresh", "A"],
        &["run", "list"],
        &["config", "show"],
    ] {
        host.run(looking).expect_success();
        assert!(!mark.exists(), "{looking:?} executed it");
    }
    // The worker does, and only it: this shows that the mark works.
    assert_eq!(host.run(["plugin", "show", "marking"]).code(), 6);
    assert!(mark.exists());
}

#[test]
fn ctrl_c_ends_the_wait_for_a_plugin_that_hangs_while_it_is_opened() {
    let host = with_connection("A");
    let sleeps = "#include <unistd.h>\n__attribute__((constructor)) static void run(void) { sleep(300); }";
    put_c(&host, "sleepy.so", &format!("{}\n{sleeps}", c_manifest("sleepy")));
    with_store(&host, async |store| {
        let mut connection = store.connection_by_name("A").await.unwrap().unwrap();
        connection.id = ConnectionId::random();
        (connection.name, connection.connector) = ("Sleepy".to_owned(), "sleepy".to_owned());
        store.insert_connection(&connection).await.unwrap();
    });
    for arguments in [
        &["plugin", "show", "sleepy"][..],
        &["connection", "add", "sleepy", "B"],
        &["migration", "add", "M", "--source", "Sleepy", "--target", "A"],
    ] {
        let started = host.start(arguments);
        wait_for("the worker", || (!workers(&host).is_empty()).then_some(()));
        let began = Instant::now();
        started.signal("INT");
        let ended = started.finish();
        assert!(began.elapsed() < Duration::from_millis(1500), "{arguments:?}: {:?}", began.elapsed());
        assert_eq!(ended.code(), 130, "{arguments:?}: {}", ended.all());
        no_worker_left(&host);
    }
}

#[test]
fn a_plugin_that_was_built_separately_runs() {
    let host = Host::with_plugins(&[]);
    host.file("token", TOKEN);
    host.install(&built_separately());
    host.run(adding("Separate")).expect_success();
    assert_eq!(things(&host, "Separate"), 250);
    let ours = fs::read(artifacts().plugin("hostile")).unwrap();
    assert_ne!(fs::read(built_separately()).unwrap(), ours, "it is another build");
}

#[test]
fn the_newer_of_two_versions_is_used() {
    let host = with_connection("A");
    assert!(newest_run(&host)["plugin"].as_str().unwrap().starts_with("hostile 0.1.0 "));
    let newer = put(&host, "a-newer.so", &patched("0.1.0", "0.2.0"));
    let listed = host.json(["plugin", "list"]);
    assert_eq!(listed[0]["superseded_by"], serde_json::Value::Null, "{listed}");
    assert_eq!(listed[1]["superseded_by"], newer.display().to_string(), "{listed}");
    let table = host.run(["plugin", "list"]).expect_success().stdout;
    snapshots(&host).bind(|| insta::assert_snapshot!("two_versions", table));

    refresh(&host, "A").expect_success();
    assert!(newest_run(&host)["plugin"].as_str().unwrap().starts_with("hostile 0.2.0 "));
    fs::remove_file(newer).unwrap();
    refresh(&host, "A").expect_success();
    assert!(newest_run(&host)["plugin"].as_str().unwrap().starts_with("hostile 0.1.0 "));
}

#[test]
fn a_connection_outlives_its_plugin() {
    let host = with_connection("A");
    fs::remove_file(host.data().join("plugins/libjackfield_hostile.so")).unwrap();
    let listed = host.json(["connection", "list"]);
    assert_eq!(listed[0]["state"], "plugin missing");
    assert_eq!(things(&host, "A"), 250);
    let refreshed = refresh(&host, "A");
    assert_eq!(refreshed.code(), 2);
    assert!(
        refreshed.stderr.contains("there is no plugin for the connector \"hostile\""),
        "{}",
        refreshed.stderr
    );
    assert_eq!(newest_run(&host)["state"], "failed");
    assert_eq!(things(&host, "A"), 250);
}

#[test]
fn further_plugin_folders_are_looked_through() {
    let host = Host::with_plugins(&[]);
    let folder = host.work().join("more");
    fs::create_dir(&folder).unwrap();
    fs::copy(artifacts().plugin("hostile"), folder.join("hostile.so")).unwrap();
    let listed = host.json(["plugin", "list", "--plugin-dir", "more"]);
    assert_eq!(listed[0]["plugin"]["path"], folder.join("hostile.so").display().to_string());
    let shown = host.run(["plugin", "show", "hostile", "--plugin-dir", "more"]).expect_success();
    snapshots(&host).bind(|| insta::assert_snapshot!("show", shown.stdout));
}
