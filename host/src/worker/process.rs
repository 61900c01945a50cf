//! The host's end: the life of one worker process.

use super::{
    Capabilities,
    frames::{self, Frame},
};
use jackfield_plugin::contract::{Blame, Failure, description::Description, wire};
use std::{
    collections::VecDeque,
    io,
    os::{fd::AsFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
};
use tokio_util::task::AbortOnDropHandle;

/// How long a worker may take to open its plugin and to describe it: neither does any I/O of its own.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many bytes the pipes to and from a worker hold, if the system allows it (1 MiB is what it allows everybody).
const PIPE: usize = 1024 * 1024;

/// How many bytes of a plugin's messages the host holds at once; past this the plugin waits in the pipe. A single frame is
/// always less.
const HELD: usize = 128 * 1024 * 1024;

/// How many calls a plugin may have under way; past this, too, it waits in the pipe.
const MOST_CALLS: usize = 256;

/// How much a plugin may print in one line before the rest is dropped.
const LONGEST_LINE: u64 = 4096;

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// The executable that has the subcommand `worker`: this one, unless a test says otherwise.
    pub executable: PathBuf,
    /// The plugin file.
    pub plugin: PathBuf,
    /// Its SHA-256, hexadecimal.
    pub digest: String,
    /// What it is called in messages: `id version (digest)`.
    pub name: String,
}

/// Takes what a plugin prints, line by line.
pub type Printed = Arc<dyn Fn(&str) + Send + Sync>;

/// A worker process with its plugin open. Dropping it kills the process.
pub struct Worker {
    name: String,
    child: Child,
    input: Outbound,
    output: Arc<tokio::sync::Mutex<Inbound>>,
    last_words: LastWords,
    listening: JoinHandle<()>,
    calls: u64,
}

/// What the plugin printed last, to be told when its worker dies.
type LastWords = Arc<Mutex<VecDeque<String>>>;

/// Frames from the worker, read by a task of their own: reading a frame must not be broken off half-way.
type Inbound = mpsc::Receiver<io::Result<Held>>;

/// Encoded frames to the worker, written by a task of their own, as writing one must not be broken off either.
type Outbound = mpsc::Sender<Vec<u8>>;

/// A frame, and the room it takes until whoever has it is done with it.
type Held = (Frame, OwnedSemaphorePermit);

impl Worker {
    /// Starts a worker and has it open its plugin.
    ///
    /// # Errors
    /// The process cannot be started, or the file is no plugin for this host.
    pub async fn start(spawn: &Spawn, printed: Printed) -> Result<Worker, Failure> {
        let mut child = command(spawn).spawn().map_err(|error| {
            Failure::jackfield(format!(
                "the worker {} cannot be started: {error}",
                spawn.executable.display()
            ))
        })?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::jackfield("the worker was started without its pipes"));
        };
        // A page of a list is larger than what a pipe holds by default. Where the system allows no more, it holds that.
        for pipe in [input.as_fd(), output.as_fd()] {
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE);
        }
        let last_words = LastWords::default();
        let listening = listen(errors, printed, last_words.clone());
        let (name, input) = (spawn.name.clone(), post(input));
        let output = Arc::new(tokio::sync::Mutex::new(receive(output)));
        let mut worker = Worker { name, child, input, output, last_words, listening, calls: 0 };
        let open = Frame::Open { path: spawn.plugin.clone(), digest: spawn.digest.clone() };
        worker.send(&open).await?;
        match worker.patiently("open").await?.0 {
            Frame::Opened { error: None } => Ok(worker),
            Frame::Opened { error: Some(error) } => Err(Failure::plugin(error)),
            other => Err(worker.out_of_turn(&other)),
        }
    }

    /// Asks the plugin what it is.
    ///
    /// # Errors
    /// It panics, hangs, dies, or contradicts its manifest.
    pub async fn describe(&mut self) -> Result<Description, Failure> {
        self.calls += 1;
        self.send(&Frame::Describe { call: self.calls }).await?;
        match self.patiently("describe itself").await?.0 {
            Frame::Ended { error: Some(error), .. } => Err(Failure::plugin(error)),
            Frame::Ended { answer, .. } => wire::decode(&answer, "describe", Blame::Plugin),
            other => Err(self.out_of_turn(&other)),
        }
    }

    /// Runs a hook, answering the plugin's calls meanwhile. The answer is an encoded `Result<answer, Failure>`.
    ///
    /// # Errors
    /// The worker dies or breaks the protocol.
    pub async fn invoke(
        &mut self,
        hook: &str,
        message: Vec<u8>,
        capabilities: Capabilities,
    ) -> Result<Vec<u8>, Failure> {
        self.calls += 1;
        self.send(&Frame::Invoke { call: self.calls, hook: hook.to_owned(), message }).await?;
        // In a task: the thread that sees a frame arrive goes on with it, where whoever waits for a task is woken on another.
        let answering = tokio::spawn(answer(self.output.clone(), self.input.clone(), capabilities));
        let last = AbortOnDropHandle::new(answering).await;
        let last = last.unwrap_or_else(|panic| Last::Broken(format!("a task of the host failed: {panic}")));
        match last {
            Last::Broken(what) => Err(Failure::jackfield(what)),
            Last::Unheard => Err(self.obituary().await),
            Last::Frame(frame) => match self.expect(frame).await?.0 {
                Frame::Ended { call, error: None, answer } if call == self.calls => Ok(answer),
                Frame::Ended { error: Some(error), .. } => Err(self.blame(error)),
                other => Err(self.out_of_turn(&other)),
            },
        }
    }

    /// The process's id, while it lives.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the process and waits for its end.
    pub async fn stop(mut self) {
        // It may have ended already, which is just as well.
        let _ = self.child.kill().await;
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), Failure> {
        let bytes = frames::encode(frame).map_err(|error| Failure::jackfield(error.to_string()))?;
        match self.input.send(bytes).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.obituary().await),
        }
    }

    async fn patiently(&mut self, doing: &str) -> Result<Held, Failure> {
        match tokio::time::timeout(PATIENCE, async { self.output.lock().await.recv().await }).await {
            Ok(frame) => self.expect(frame).await,
            Err(_) => Err(self.blame(format!("did not {doing} within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn expect(&mut self, frame: Option<io::Result<Held>>) -> Result<Held, Failure> {
        match frame {
            Some(Ok(frame)) => Ok(frame),
            Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.blame(format!("sent what is no message: {error}")))
            }
            Some(Err(_)) | None => Err(self.obituary().await),
        }
    }

    fn out_of_turn(&self, frame: &Frame) -> Failure {
        let name = format!("{frame:?}");
        let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        self.blame(format!("sent \"{name}\" out of turn"))
    }

    fn blame(&self, what: impl AsRef<str>) -> Failure {
        Failure::plugin(format!("the plugin {}: {}", self.name, what.as_ref()))
            .remedy("this is a defect of the plugin; report it to its vendor with the run's log")
    }

    /// The failure for a worker that has died: how, and what it printed last.
    async fn obituary(&mut self) -> Failure {
        let status = match tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await {
            Ok(Ok(status)) => how(status),
            Ok(Err(error)) => format!("ended, nobody knows how ({error})"),
            Err(_) => "closed its pipe without ending".to_owned(),
        };
        // What it printed last may still be in the pipe.
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut self.listening).await;
        let words =
            self.last_words.lock().unwrap_or_else(PoisonError::into_inner).make_contiguous().join(" | ");
        let words = if words.is_empty() { words } else { format!("; it printed last: {words}") };
        Failure::plugin(format!("the worker of the plugin {} {status}{words}", self.name)).remedy(
            "nothing was changed; if it happens again, report it to the plugin's vendor with the run's log",
        )
    }
}

fn command(spawn: &Spawn) -> Command {
    let mut command = Command::new(&spawn.executable);
    command
        .arg("worker")
        // Nothing of the host's environment is the plugin's business, secrets in variables least of all.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C at a terminal goes to the whole group; the host alone decides what it means.
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// What ends the answering of a plugin's calls.
enum Last {
    /// A frame that is none, or the end of the stream.
    Frame(Option<io::Result<Held>>),
    /// The worker does not read any more.
    Unheard,
    /// The host failed.
    Broken(String),
}

/// Answers the plugin's calls until something else arrives. Those under way end with it.
async fn answer(
    output: Arc<tokio::sync::Mutex<Inbound>>,
    input: Outbound,
    capabilities: Capabilities,
) -> Last {
    let mut output = output.lock().await;
    let mut answering = JoinSet::new();
    loop {
        tokio::select! {
            Some(answered) = answering.join_next(), if !answering.is_empty() => match answered {
                Ok(None) => {}
                Ok(Some(last)) => return last,
                Err(panic) => return Last::Broken(format!("a capability of the host failed: {panic}")),
            },
            frame = output.recv(), if answering.len() < MOST_CALLS => match frame {
                Some(Ok((Frame::Call { call, capability, message }, room))) => {
                    let (answer, input) = (capabilities(capability, message), input.clone());
                    answering.spawn(async move {
                        let message = answer.await;
                        drop(room);
                        match frames::encode(&Frame::Answer { call, message }) {
                            Ok(bytes) => input.send(bytes).await.is_err().then_some(Last::Unheard),
                            Err(error) => Some(Last::Broken(error.to_string())),
                        }
                    });
                }
                other => return Last::Frame(other),
            }
        }
    }
}

fn post(mut input: ChildStdin) -> Outbound {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(16);
    tokio::spawn(async move {
        while let Some(bytes) = receiver.recv().await {
            if input.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    sender
}

fn receive(output: ChildStdout) -> Inbound {
    let (sender, receiver) = mpsc::channel(16);
    let rooms = Arc::new(Semaphore::new(HELD));
    tokio::spawn(async move {
        let mut output = BufReader::with_capacity(64 * 1024, output);
        loop {
            let Some(frame) = frames::read(&mut output).await.transpose() else { return };
            let held = match frame {
                Ok(frame) => hold(frame, &rooms).await,
                Err(error) => Err(error),
            };
            let last = held.is_err();
            if sender.send(held).await.is_err() || last {
                return;
            }
        }
    });
    receiver
}

/// Waits until there is room for a frame. The next one is not read before that.
async fn hold(frame: Frame, rooms: &Arc<Semaphore>) -> io::Result<Held> {
    let bytes = u32::try_from(frame.weight()).map_err(io::Error::other)?;
    let room = rooms.clone().acquire_many_owned(bytes).await.map_err(io::Error::other)?;
    Ok((frame, room))
}

fn listen(errors: ChildStderr, printed: Printed, last_words: LastWords) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut errors = BufReader::new(errors);
        loop {
            let mut line = Vec::new();
            match (&mut errors).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if line.len() as u64 == LONGEST_LINE
                && !line.ends_with(b"\n")
                && skip_line(&mut errors).await.is_err()
            {
                return;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            printed(&line);
            let mut words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
            words.push_back(line);
            if words.len() > 3 {
                words.pop_front();
            }
        }
    })
}

/// Drops the rest of a line, however long.
async fn skip_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf().await?;
        let (length, ended) = match memchr::memchr(b'\n', bytes) {
            Some(at) => (at + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        reader.consume(length);
        if ended {
            return Ok(());
        }
    }
}

/// How a process ended, in words.
fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(9)) => "was killed (signal 9)".to_owned(),
        (None, Some(6)) => "aborted (signal 6)".to_owned(),
        (None, Some(11)) => "crashed (signal 11, invalid memory access)".to_owned(),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
