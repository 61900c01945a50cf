//! The rules of the house, as tests: who leans on whom, which room alone does what, and what every file has.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The top of the house.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where the sources of former contracts are kept as they were: their rules were those of their day.
const FROZEN: &str = "tests/yesterday";

/// The Rust files below a folder, with their path from the top and their text. What is frozen is not among them.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![top().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let frozen = path.starts_with(top().join(FROZEN)) && path.ends_with("sdk");
            if path.is_dir() && !frozen && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(top()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds sources");
    found
}

fn all_sources() -> Vec<(String, String)> {
    ["host", "plugin-api", "plugins", "tests"].into_iter().flat_map(sources).collect()
}

/// The code of a file without its comments, so that a word in a sentence breaks no rule.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms of the host that a text names by `crate::`, grouped imports included.
fn named_rooms(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => drop(rooms.insert(word(rest))),
            Some(group) => {
                let mut depth = 0;
                let mut begins = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        c if begins && depth == 0 && c.is_alphabetic() => {
                            rooms.insert(word(&group[at..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The room that a file of the host belongs to: a folder, or a file of its own.
fn room(name: &str) -> &str {
    let inside = name.strip_prefix("host/src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Whom each room may lean on, itself and what is outside of the house aside. Arrows point down.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("worker", &["model"]),
    ("http", &["failpoint", "model"]),
    ("secrets", &["model"]),
    ("store", &["failpoint", "model"]),
    ("failpoint", &[]),
    ("config", &["http", "model", "secrets"]),
    ("plugins", &["model", "store", "worker"]),
    ("keys", &["model", "secrets", "store"]),
    ("connections", &["app", "model", "secrets", "store"]),
    ("migrations", &["app", "connections", "model"]),
    ("rotation", &["app", "connections", "http", "model", "secrets", "store"]),
    ("runs", &["app", "connections", "http", "model", "plugins", "rotation", "secrets", "store", "worker"]),
    ("app", &["config", "keys", "model", "plugins", "secrets", "store"]),
    (
        "cli",
        &[
            "app",
            "config",
            "connections",
            "keys",
            "migrations",
            "model",
            "plugins",
            "rotation",
            "runs",
            "secrets",
            "worker",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

#[test]
fn groups_of_imports_are_read() {
    let text = "use crate::{\n    app::App,\n    // crate::nowhere\n    model::{id::X, run::{Y, Z}},\n    store,\n};\nlet x = crate::http::y();";
    let rooms: Vec<_> = named_rooms(text).into_iter().collect();
    assert_eq!(rooms, ["app", "http", "model", "store"]);
}

#[test]
fn arrows_point_down() {
    // A test introduces a hand to whatever it needs, as the corridor does.
    let is_test = |name: &str| name.contains("/tests/") || name.ends_with("tests.rs");
    for (name, text) in sources("host/src").into_iter().filter(|(name, _)| !is_test(name)) {
        let own = room(&name);
        let (_, allowed) =
            ARROWS.iter().find(|(room, _)| *room == own).unwrap_or_else(|| panic!("{own} is a new room"));
        for other in named_rooms(&text) {
            let fine = other == own || allowed.contains(&other.as_str());
            assert!(fine, "{name} leans on {other}; {own} may lean on {allowed:?}");
        }
    }
}

/// That a word stands only in files whose path begins with one of these.
#[track_caller]
fn only_in(word: &str, folders: &[&str], places: &[&str]) {
    let mut seen = false;
    for (name, text) in folders.iter().flat_map(|folder| sources(folder)) {
        let there = code(&text).contains(word);
        let allowed = places.iter().any(|place| name.starts_with(place));
        assert!(!there || allowed, "{name} says {word:?}; only {places:?} may");
        seen |= there && allowed;
    }
    assert!(seen, "nobody says {word:?}: the rule is about nothing");
}

#[test]
fn each_thing_is_done_in_one_room() {
    only_in("sqlx", &["host"], &["host/src/store/"]);
    only_in("reqwest", &["host", "plugin-api", "plugins"], &["host/src/http/"]);
    only_in(
        "abi_stable",
        &["host", "plugin-api", "plugins"],
        &["plugin-api/src/abi/", "plugin-api/tests/fixtures/"],
    );
    only_in("libloading", &["host", "plugin-api", "plugins"], &["plugin-api/src/abi/"]);
    only_in("clap", &["host"], &["host/src/cli/"]);
    for printing in ["println!", "print!("] {
        let places: Vec<String> = sources("host/src")
            .into_iter()
            .filter(|(_, text)| code(text).contains(printing))
            .map(|(name, _)| name)
            .collect();
        assert!(
            places.iter().all(|name| name.starts_with("host/src/cli/") || name == "host/src/main.rs"),
            "{places:?}"
        );
    }
}

#[test]
fn plugins_touch_nothing_but_the_contract() {
    for (name, text) in sources("plugins") {
        let code = code(&text);
        for outside in
            ["std::net", "std::fs", "std::thread", "std::process", "std::env::var", "tokio", "reqwest"]
        {
            assert!(!code.contains(outside), "{name} says {outside}");
        }
    }
}

#[test]
fn every_plugin_is_built_alike() {
    const FILES: [&str; 6] = ["client", "lib", "refresh", "rotate", "settings", "test"];
    for plugin in ["nprinting", "qalyptus-server", "qalyptus-cloud", "qlik-onprem", "qlik-cloud"] {
        let folder = top().join("plugins").join(plugin);
        let names = fs::read_dir(folder.join("src")).unwrap().map(|entry| entry.unwrap().path());
        let code = names.filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"));
        let stems: BTreeSet<String> =
            code.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let scenarios = "scenarios".to_owned();
        let wanted: BTreeSet<String> = FILES.map(str::to_owned).into_iter().chain([scenarios]).collect();
        assert_eq!(stems, wanted, "{plugin}");
        let manifest: String = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let needs = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in needs.lines().filter(|line| !line.is_empty()) {
            let name = line.split(['.', ' ']).next().unwrap();
            let without_io = ["jackfield-plugin", "jackfield-qalyptus", "serde", "serde_json"];
            assert!(without_io.contains(&name), "{plugin} needs {name}: does that do I/O?");
        }
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        for chapter in ["## Settings", "## Rights", "## What a refresh does", "## Limits"] {
            assert!(readme.contains(chapter), "{plugin}/README.md has no {chapter}");
        }
    }
}

#[test]
fn unsafe_code_stays_behind_the_fence() {
    for (name, text) in all_sources() {
        let fence =
            ["plugin-api/src/abi/", "plugin-api/src/loader/", "plugin-api/tests/", "tests/it/house.rs"];
        let code = code(&text);
        let says =
            ["unsafe {", "unsafe fn", "unsafe impl", "#[unsafe("].iter().any(|word| code.contains(word));
        assert!(!says || fence.iter().any(|place| name.starts_with(place)), "{name} holds unsafe code");
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for (name, text) in all_sources() {
        assert!(text.starts_with("//! "), "{name} does not begin with a sentence about itself");
        let lines = text.lines().count();
        assert!(lines <= 600, "{name} has {lines} lines");
    }
}

#[test]
fn nothing_is_left_undone_or_passed_over() {
    for (name, text) in all_sources().into_iter().filter(|(name, _)| name != "tests/it/house.rs") {
        for word in ["#[ignore", "todo!(", "unimplemented!(", "dbg!(", "#[allow("] {
            assert!(!code(&text).contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn the_top_level_is_as_designed() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(top()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else { return };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let found: BTreeSet<&str> = listed
        .lines()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let designed = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "host",
        "plugin-api",
        "plugins",
        "rust-toolchain.toml",
        "tests",
    ];
    assert_eq!(found, BTreeSet::from(designed));
}
