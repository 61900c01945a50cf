//! The sources of yesterday are as they were, and a plugin built from them has nothing of today in it.

use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("yesterday")
}

/// The frozen versions: `1.0`, …
fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let versions = entries.filter(|entry| entry.path().is_dir());
    versions.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Every file below a folder with its SHA-256, as `sha256sum` would list them.
fn digests(below: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let digest = Sha256::digest(fs::read(&path).unwrap());
            let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            found.insert(path.strip_prefix(below.parent().unwrap()).unwrap().display().to_string(), digest);
        }
    }
    found
}

#[test]
fn they_are_as_they_were() {
    let versions = versions();
    assert!(versions.contains(&"1.0".to_owned()), "{versions:?}");
    for version in versions {
        let sdk = folder().join(&version).join("sdk");
        let list = fs::read_to_string(sdk.join("SHA256SUMS")).unwrap();
        let entry =
            |line: &str| line.split_once("  ").map(|(digest, file)| (file.to_owned(), digest.to_owned()));
        let frozen: BTreeMap<String, String> = list.lines().filter_map(entry).collect();
        let found = digests(&sdk.join("src"));
        let all: BTreeSet<&String> = frozen.keys().chain(found.keys()).collect();
        let changed: Vec<_> = all.into_iter().filter(|file| frozen.get(*file) != found.get(*file)).collect();
        assert!(
            changed.is_empty() && frozen.len() > 20,
            "tests/yesterday/{version}/sdk is what vendors have built their plugins from, and no longer what it was: {changed:?}. \
             Take that back (git checkout -- tests/yesterday). If a plugin from yesterday does not run any more, it is \
             plugin-api or the host that must be mended; a grown contract gets a folder of its own (tests/yesterday/README.md)."
        );
    }
}

#[test]
fn no_plugin_from_yesterday_is_linked_with_what_is_of_today() {
    let lock = fs::read_to_string(folder().join("../../Cargo.lock")).unwrap();
    let packages: BTreeMap<&str, Vec<&str>> = lock.split("[[package]]").filter_map(package).collect();
    for version in versions() {
        let (sdk, plugin) =
            (version.replace('.', "-"), format!("jackfield-yesterday-{}", version.replace('.', "-")));
        let mut reached = BTreeSet::new();
        let mut open = vec![plugin.as_str()];
        while let Some(name) = open.pop() {
            if reached.insert(name) {
                open.extend(packages.get(name).unwrap_or_else(|| panic!("{name} is in Cargo.lock")));
            }
        }
        let ours: Vec<_> = reached.into_iter().filter(|name| name.starts_with("jackfield")).collect();
        assert_eq!(ours, [&format!("jackfield-plugin-{sdk}"), &plugin]);
    }
}

/// A package of the lock file, with the names of those it depends on.
fn package(text: &str) -> Option<(&str, Vec<&str>)> {
    let name = text.split_once("name = \"")?.1.split('"').next()?;
    let dependencies = text.split_once("dependencies = [").map_or("", |(_, rest)| rest);
    // A name is followed by a version where there are several.
    let names = dependencies.split('"').skip(1).step_by(2).filter_map(|name| name.split(' ').next());
    Some((name, names.collect()))
}
