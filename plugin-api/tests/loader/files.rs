//! Making files: built examples, patched copies of them, and small C libraries.

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A library that was built from an example of this package.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let file = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = profile.join("examples").join(file);
    assert!(path.is_file(), "{} is built by `cargo test` and by `cargo build --examples`", path.display());
    path
}

/// A place for files that are gone after the test.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Bench(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A copy of the example `paged`, with `from` replaced by `to` (of the same length) in its manifest.
    pub(crate) fn patched(&self, from: &str, to: &str) -> PathBuf {
        let mut content = std::fs::read(example("paged")).unwrap();
        let manifest =
            find(&content, b"JACKFIELD-PLUGIN\n{\"id\":").expect("the manifest stands in the file as it is");
        let at = manifest + find(&content[manifest..manifest + 300], from.as_bytes()).expect(from);
        assert_eq!(from.len(), to.len(), "nothing else may move");
        content[at..at + to.len()].copy_from_slice(to.as_bytes());
        self.write("patched.so", &content)
    }

    /// A library made of C.
    pub(crate) fn c_library(&self, source: &str) -> PathBuf {
        let source = self.write("library.c", source.as_bytes());
        let library = self.0.path().join("library.so");
        let status =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap();
        assert!(status.success(), "cc makes a library");
        library
    }
}

/// C source of a manifest for this platform.
pub(crate) fn c_manifest() -> String {
    let platform = jackfield_plugin::contract::manifest::this_platform();
    format!(
        r#"__attribute__((section(".jackfield"), used)) static const char manifest[] = "JACKFIELD-PLUGIN\n"
        "{{\"id\":\"c\",\"name\":\"C\",\"version\":\"1\",\"needs\":\"1.0\",\"panic\":\"abort\","
        "\"platform\":\"{platform}\"}}";
        "#
    )
}

pub(crate) fn find(content: &[u8], what: &[u8]) -> Option<usize> {
    content.windows(what.len()).position(|window| window == what)
}
