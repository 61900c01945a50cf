//! Steps: each change that a command makes to the files of a data folder, counted and told by a library beneath the program
//! (`steps.c`), which can kill or stop it before any of them.

use jackfield_tests::{Host, Started};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// What happens before a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before {
    /// The process is killed before the step of this number, counted from 1.
    Kill(usize),
    /// It is stopped there.
    Stop(usize),
    /// Nothing does.
    Nothing,
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/it/steps.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&path).arg(source).arg("-ldl");
        assert!(cc.status().unwrap().success(), "cc makes the library of steps");
        (folder, path)
    });
    path
}

/// Starts a command that is killed, stopped or merely watched.
pub(crate) fn start(host: &Host, command: &[&str], before: Before) -> Started {
    let mut ready = host.command(command);
    ready.env("LD_PRELOAD", library()).env("STEPS_FOLDER", host.data()).env("STEPS_TOLD", told(host));
    match before {
        Before::Kill(step) => ready.env("STEPS_KILL", step.to_string()),
        Before::Stop(step) => ready.env("STEPS_STOP", step.to_string()),
        Before::Nothing => &mut ready,
    };
    Started::of(ready)
}

fn told(host: &Host) -> PathBuf {
    host.work().join("steps")
}

/// The steps that were begun on a host, one a line: what was done, and the name of the file.
pub(crate) fn steps(host: &Host) -> Vec<String> {
    let told = fs::read_to_string(told(host)).unwrap_or_default();
    told.lines().map(str::to_owned).collect()
}
