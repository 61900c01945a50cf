//! Conformance: clients that nobody here wrote use the simulators as their users would, and see what is there. A simulator
//! and a connector could share a misunderstanding; these clients were tried with the real systems.
//!
//! `tests/conformance` has a script for each client and installs them. Where they cannot be had, the tests say `SKIPPED`.

mod qlik_cloud;
mod qlik_onprem;

use jackfield_tests::artifacts::target;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// How long a script may take: it makes some hundred calls, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the installer ends with where there is no client to be had.
const SKIPPED: i32 = 77;

/// What a client is written in.
#[derive(Clone, Copy, Debug)]
enum Language {
    JavaScript,
    Python,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }

    /// The folder that its clients are installed in; if there are none, the installer's words about that.
    fn clients(self) -> &'static Result<PathBuf, String> {
        static JAVASCRIPT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match self {
            Language::JavaScript => JAVASCRIPT.get_or_init(|| install(self)),
            Language::Python => PYTHON.get_or_init(|| install(self)),
        }
    }

    /// The command that runs a script.
    fn command(self, clients: &Path, script: &str) -> Command {
        let source = sources().join(self.name()).join(script);
        match self {
            // Node looks for packages beside the script.
            Language::JavaScript => {
                let copy = clients.join(script);
                fs::copy(source, &copy).unwrap();
                let mut command = Command::new("node");
                // Older ones take the first address of `localhost`, and nobody listens at `::1`.
                command.arg("--dns-result-order=ipv4first").arg(copy);
                command
            }
            Language::Python => {
                let mut command = Command::new(clients.join("bin/python"));
                // Warnings of the clients are about themselves.
                command.args(["-B", "-W", "ignore"]).arg(source);
                command
            }
        }
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn install(language: Language) -> Result<PathBuf, String> {
    let folder = target().join("conformance");
    let mut installer = Command::new(sources().join("install"));
    let done = installer.arg(&folder).arg(language.name()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    match done.status.code() {
        Some(0) => Ok(folder.join(language.name())),
        Some(SKIPPED) => {
            Err(said.lines().find(|line| line.starts_with("SKIPPED")).unwrap_or(&said).to_owned())
        }
        _ => panic!("the clients could not be installed:\n{said}"),
    }
}

/// What a client saw of a site that its script was told about; it trusts this authority, if any (PEM). Nothing where the
/// client cannot be had: that is printed.
fn seen(language: Language, script: &str, site: &Value, authority: &str) -> Option<Seen> {
    let clients = match language.clients() {
        Ok(clients) => clients,
        Err(why) => {
            // Straight to the terminal: what a passing test prints is kept from it.
            std::io::stderr().write_all(format!("{script}: {why}\n").as_bytes()).unwrap();
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("site.json");
    fs::write(&told, site.to_string()).unwrap();
    let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
    let mut command = language.command(clients, script);
    // Nothing of our environment: no proxy, no configuration of a person.
    command.arg(told).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder.path()).stdin(Stdio::null());
    if !authority.is_empty() {
        let file = folder.path().join("ca.pem");
        fs::write(&file, authority).unwrap();
        command.env("NODE_EXTRA_CA_CERTS", file);
    }
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let status = finish(&mut command, script);
    let (stdout, stderr) = (fs::read_to_string(stdout).unwrap(), fs::read_to_string(stderr).unwrap());
    assert!(status.success(), "{script}: {status}\n{stdout}\n{stderr}");
    let seen = serde_json::from_str(&stdout);
    Some(Seen(seen.unwrap_or_else(|error| panic!("{script} printed no JSON: {error}\n{stdout}\n{stderr}"))))
}

/// Runs a command to its end, or ends it.
fn finish(command: &mut Command, script: &str) -> ExitStatus {
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{script} cannot be started: {error}"));
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{script} did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a client saw: parts, each with what it found by name.
struct Seen(Value);

impl Seen {
    /// Compares everything in a part with what is expected; tells every difference at once. What is seen and not expected
    /// is one, too.
    #[track_caller]
    fn assert(&self, part: &str, expected: Value) {
        let (seen, wanted) = (members(&self.0[part]), members(&expected));
        let names: BTreeSet<&String> = seen.keys().chain(wanted.keys()).collect();
        let differences: Vec<String> = names
            .into_iter()
            .filter(|name| seen.get(*name) != wanted.get(*name))
            .map(|name| {
                let told = |side: &serde_json::Map<String, Value>| {
                    side.get(name).map_or("nothing".to_owned(), Value::to_string)
                };
                format!("{part}.{name}\n    saw      {}\n    expected {}", told(&seen), told(&wanted))
            })
            .collect();
        assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    }

    /// That these are all parts.
    #[track_caller]
    fn assert_parts(&self, parts: &[&str]) {
        let seen: BTreeSet<String> = members(&self.0).keys().cloned().collect();
        assert_eq!(seen, parts.iter().map(|&part| part.to_owned()).collect());
    }
}

fn members(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
