//! A host under test: a data folder of its own, and the real executable run on it.

use crate::{PATIENCE, artifacts};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};
use tempfile::TempDir;

/// A data folder with plugins, and the executable to run on it. Gone when dropped.
pub struct Host {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

/// A command that is running. Killed when dropped.
pub struct Started {
    child: Child,
}

impl Host {
    /// A new data folder with these plugins (see [`Artifacts::plugin`](crate::Artifacts::plugin)).
    ///
    /// # Panics
    /// It cannot be made.
    pub fn with_plugins(plugins: &[&str]) -> Host {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let host = Host { folder, environment: Vec::new() };
        fs::create_dir_all(host.data().join("plugins")).expect("the plugin folder can be made");
        for plugin in plugins {
            host.install(&artifacts().plugin(plugin));
        }
        host
    }

    /// Another host with a copy of everything that this one has. No process may be at work on it.
    ///
    /// # Panics
    /// It cannot be copied.
    #[must_use]
    pub fn copy(&self) -> Host {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        copy_folder(self.work(), folder.path()).expect("a data folder can be copied");
        Host { folder, environment: self.environment.clone() }
    }

    /// Copies a plugin file into the data folder.
    ///
    /// # Panics
    /// It cannot be copied.
    pub fn install(&self, file: &Path) -> PathBuf {
        let to = self.data().join("plugins").join(file.file_name().expect("a plugin file has a name"));
        fs::copy(file, &to).unwrap_or_else(|error| panic!("{} cannot be copied: {error}", file.display()));
        to
    }

    /// Sets a variable for every command from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside the data folder, for files that are given to commands. It is the commands' working folder.
    pub fn work(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the working folder.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, content).expect("the working folder can be written");
        path
    }

    /// The executable, ready to be run on the data folder with nothing of our environment but PATH.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(artifacts().jackfield());
        command.args(arguments).current_dir(self.work()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.work()).env("TZ", "Europe/Berlin").env("JACKFIELD_DATA_DIR", self.data());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// It cannot be started, or does not end within [`PATIENCE`].
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Finished {
        self.start(arguments).finish()
    }

    /// Starts a command.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Started {
        Started::of(self.command(arguments))
    }

    /// Runs a command that must succeed, and yields its JSON.
    ///
    /// # Panics
    /// It fails, or prints no JSON.
    pub fn json<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Value {
        let mut all: Vec<std::ffi::OsString> =
            arguments.into_iter().map(|one| one.as_ref().to_owned()).collect();
        all.push("--json".into());
        let finished = self.run(all).expect_success();
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {}", finished.stdout))
    }

    /// The refresh logs, oldest first.
    ///
    /// # Panics
    /// The folder cannot be read.
    pub fn logs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.data().join("logs")) else { return Vec::new() };
        let mut logs: Vec<PathBuf> =
            entries.map(|entry| entry.expect("the logs can be listed").path()).collect();
        logs.sort();
        logs
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to)?;
            fs::set_permissions(&to, fs::metadata(&from)?.permissions())?;
            copy_folder(&from, &to)?;
        } else if !(is_plugin(&from) && fs::hard_link(&from, &to).is_ok()) {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Plugin files are large, and never written to.
fn is_plugin(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
}

impl Started {
    /// Starts a command that was made ready by [`Host::command`].
    ///
    /// # Panics
    /// It cannot be started.
    pub fn of(mut command: Command) -> Started {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Started { child: command.spawn().expect("the executable can be started") }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by name: `INT`, `KILL`, `TERM`, `STOP`.
    ///
    /// # Panics
    /// `kill` cannot be run.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Whether it is still running.
    ///
    /// # Panics
    /// Nobody knows.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It does not end within [`PATIENCE`].
    pub fn finish(mut self) -> Finished {
        let read = |stream: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                if let Some(mut stream) = stream {
                    // A pipe that breaks has said what it had to say.
                    let _ = stream.read_to_end(&mut text);
                }
                String::from_utf8_lossy(&text).into_owned()
            })
        };
        let stdout = read(self.child.stdout.take().map(|stream| Box::new(stream) as _));
        let stderr = read(self.child.stderr.take().map(|stream| Box::new(stream) as _));
        let deadline = Instant::now() + 4 * PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                break status;
            }
            assert!(Instant::now() < deadline, "the command does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("reading does not panic");
        Finished { status, stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Its exit code; 128 and more for a signal, as shells have it.
    pub fn code(&self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
    }

    /// Itself, if it succeeded.
    ///
    /// # Panics
    /// It did not.
    pub fn expect_success(self) -> Finished {
        assert!(self.status.success(), "failed with {}\n{}\n{}", self.code(), self.stdout, self.stderr);
        self
    }

    /// Everything it printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Sends a signal to a process.
///
/// # Panics
/// `kill` cannot be run.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(status.expect("kill can be run").success(), "process {process} cannot be sent {name}");
}
