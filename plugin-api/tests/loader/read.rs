//! Reading manifests: nothing is executed.

use crate::files::{Bench, c_manifest, example};
use jackfield_plugin::{
    Blame, Failure,
    contract::{VERSION, VERSION_TEXT, manifest::this_platform},
    loader::{LoadError, MAX_FILE, read_manifest},
};
use std::path::Path;

/// The error of a file that cannot be used, after looking at what all of them promise.
fn refused(path: &Path) -> LoadError {
    let error = read_manifest(path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "it names the file: {text}");
    assert_eq!(text, format!("{} — {}", error.message(), error.remedy()));
    assert_eq!(error.path(), path);
    error
}

#[test]
fn a_plugin_says_who_it_is() {
    let manifest = read_manifest(&example("paged")).unwrap();
    assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("paged", "Shelf"));
    assert_eq!(manifest.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest.panic, "unwind");
    assert_eq!(manifest.platform, this_platform());
}

#[test]
fn what_is_no_library_is_called_what_it_is() {
    let bench = Bench::new();
    for (path, found) in [
        (bench.write("empty.so", b""), "an empty file"),
        (bench.write("notes.so", b"#!/bin/sh\necho hello\n"), "a text file"),
        (bench.write("picture.so", b"\x89PNG\r\n\x1a\n\x00\xff\xfe"), "a file of another kind"),
        (std::env::temp_dir(), "a directory"),
        (Path::new("/dev/null").to_path_buf(), "no regular file"),
    ] {
        let error = refused(&path);
        assert!(matches!(&error, LoadError::NotALibrary { found: it, .. } if it == found), "{error}");
        assert_eq!(error.blame(), Blame::You);
    }
}

#[test]
fn an_object_file_is_not_linked() {
    let bench = Bench::new();
    let source = bench.write("part.c", b"int part;");
    let part = source.with_extension("o");
    let status =
        std::process::Command::new("cc").arg("-c").arg("-o").arg(&part).arg(&source).status().unwrap();
    assert!(status.success());
    assert!(refused(&part).to_string().contains("an object file that is not linked"));
}

#[test]
fn a_file_that_is_not_there() {
    let error = refused(Path::new("/nowhere/libplugin.so"));
    assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
}

#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let bench = Bench::new();
    let path = bench.write("sparse.so", b"");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
    let error = refused(&path);
    assert!(matches!(error, LoadError::TooLarge { bytes, .. } if bytes == MAX_FILE + 1), "{error}");
}

#[test]
fn an_incomplete_download_is_damaged_wherever_it_ends() {
    let bench = Bench::new();
    let whole = std::fs::read(example("paged")).unwrap();
    for length in [20, 64, 4096, whole.len() / 2, whole.len() - 1] {
        let error = refused(&bench.write("part.so", &whole[..length]));
        assert!(matches!(error, LoadError::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn no_damage_to_a_header_breaks_the_reader() {
    let bench = Bench::new();
    let library = bench.c_library(&c_manifest());
    let whole = std::fs::read(&library).unwrap();
    let sections = u64::from_le_bytes(whole[40..48].try_into().unwrap()) as usize;
    for at in (0..1024).chain(sections..whole.len()) {
        for value in [0, 0x7f, 0xff] {
            let mut content = whole.clone();
            content[at] = value;
            let _ = jackfield_plugin::loader::parse_manifest(&content, &library);
        }
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_library_for_another_architecture_names_both() {
    const AARCH64: u8 = 183;
    let bench = Bench::new();
    let mut with_manifest = std::fs::read(example("paged")).unwrap();
    with_manifest[18] = AARCH64;
    let mut without = std::fs::read(bench.c_library("int answer(void) { return 42; }")).unwrap();
    without[18] = AARCH64;
    for content in [with_manifest, without] {
        let error = refused(&bench.write("foreign.so", &content));
        let LoadError::WrongPlatform { found, expected, .. } = &error else { panic!("{error}") };
        assert!(found.starts_with("aarch64-"), "{found}");
        assert_eq!(*expected, this_platform());
    }
}

#[test]
fn the_manifest_may_name_another_system_though_the_architecture_is_right() {
    let bench = Bench::new();
    let there = this_platform();
    let elsewhere = there.replace('-', "_");
    let error = refused(&bench.patched(&there, &elsewhere));
    assert!(matches!(&error, LoadError::WrongPlatform { found, .. } if *found == elsewhere), "{error}");
}

#[test]
fn a_library_without_a_manifest_is_no_plugin() {
    let bench = Bench::new();
    let error = refused(&bench.c_library("int answer(void) { return 42; }"));
    assert!(matches!(error, LoadError::NotAPlugin { .. }), "{error}");
    assert!(error.to_string().contains("not a Jackfield plugin"));
}

#[test]
fn a_manifest_that_cannot_be_used() {
    let bench = Bench::new();
    let quoted = format!("\"{VERSION_TEXT}\"");
    for (from, to, words) in [
        ("JACKFIELD-PLUGIN", "jackfield-plugin", "does not begin"),
        ("{\"id\"", "{\"ID\"", "missing field `id`"),
        ("\"paged\"", "\"Paged\"", "not a connector id"),
        (quoted.as_str(), "\"one\"", "not a contract version"),
        ("\"Shelf\"", "\"  \\t \"", "its name cannot be shown"),
    ] {
        let error = refused(&bench.patched(from, to));
        assert!(
            matches!(&error, LoadError::BadManifest { detail, .. } if detail.contains(words)),
            "{to}: {error}"
        );
        assert_eq!(error.blame(), Blame::Plugin);
    }
}

#[test]
fn a_plugin_that_needs_more_than_there_is_says_so_with_both_versions() {
    let bench = Bench::new();
    for (needs, remedy) in
        [("1.9", "update Jackfield"), ("2.0", "update Jackfield"), ("0.9", "a newer plugin")]
    {
        let error = refused(
            &bench.patched(&format!("\"needs\":\"{VERSION_TEXT}\""), &format!("\"needs\":\"{needs}\"")),
        );
        assert!(matches!(error, LoadError::NeedsNewerContract { .. }), "{error}");
        let failure = Failure::from(error);
        assert!(failure.message.contains(&format!("needs version {needs} ")), "{failure}");
        assert!(failure.message.ends_with(&format!("offers {VERSION}")), "{failure}");
        assert!(failure.remedy.unwrap().contains(remedy));
    }
}

#[test]
fn a_plugin_that_aborts_on_panic_is_read_and_shows_it() {
    let manifest = read_manifest(&Bench::new().patched("\"unwind\"", "\"abort\" ")).unwrap();
    assert_eq!(manifest.panic, "abort");
}
