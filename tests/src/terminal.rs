//! A command at a terminal: a real pseudo-terminal, on which a test reads and types as a person does.

use crate::{Host, wait_for};
use rustix::termios::{LocalModes, tcgetattr};
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// A command that runs at a terminal of its own. Killed when dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Up to where the screen has been read.
    read: usize,
}

impl Terminal {
    /// Starts a command of a host at a terminal.
    ///
    /// # Panics
    /// There is no pseudo-terminal, or the command cannot be started.
    pub fn start<S: AsRef<OsStr>>(host: &Host, arguments: impl IntoIterator<Item = S>) -> Terminal {
        Terminal::of(host.command(arguments))
    }

    /// Starts a command of a host at the terminal of a shell, which reads a line when the command has ended, and shows it as
    /// `next: …`.
    ///
    /// # Panics
    /// There is no pseudo-terminal, or the shell cannot be started.
    pub fn in_shell<S: AsRef<OsStr>>(host: &Host, arguments: impl IntoIterator<Item = S>) -> Terminal {
        let inner = host.command(arguments);
        let mut shell = Command::new("sh");
        shell.args(["-c", "\"$0\" \"$@\"; echo ended: $?; IFS= read -r next; echo \"next: $next\""]);
        shell.arg(inner.get_program()).args(inner.get_args()).env_clear();
        shell
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(host.work());
        Terminal::of(shell)
    }

    fn of(mut command: Command) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are pseudo-terminals");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a pseudo-terminal can be used");
        let name = ptsname(&ours, Vec::new()).expect("a pseudo-terminal has a name");
        let mut theirs = OpenOptions::new();
        theirs.read(true).write(true).custom_flags(OFlags::NOCTTY.bits().cast_signed());
        let theirs = theirs.open(name.to_str().expect("its name is text")).expect("it can be opened");
        let copy = || theirs.try_clone().expect("a descriptor can be copied");
        command.env("TERM", "xterm").stdin(copy()).stdout(copy()).stderr(copy());
        let child = command.spawn().expect("the executable can be started");
        drop((command, theirs));
        let (keyboard, screen) = (File::from(ours), Arc::<Mutex<Vec<u8>>>::default());
        let (mut reader, shown) = (keyboard.try_clone().expect("a descriptor can be copied"), screen.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal that nobody uses any more cannot be read.
            while let Ok(length) = reader.read(&mut bytes) {
                shown.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..length]);
                if length == 0 {
                    break;
                }
            }
        });
        Terminal { child, keyboard, screen, read: 0 }
    }

    /// Waits until the screen shows a text, behind what was waited for before.
    ///
    /// # Panics
    /// It never does.
    pub fn shows(&mut self, text: &str) {
        let from = self.read;
        let screen = || self.screen();
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(text, || screen().get(from..)?.find(text).map(|at| from + at + text.len()))
        }));
        self.read = end.unwrap_or_else(|_| panic!("\"{text}\" is not on the screen:\n{}", screen()));
    }

    /// Types a text.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal is there");
    }

    /// Types a text where it is not shown, as soon as that is so: what is typed before is thrown away.
    ///
    /// # Panics
    /// The terminal goes on showing what is typed, or is gone.
    pub fn types_hidden(&mut self, text: &str) {
        wait_for("the terminal to hide what is typed", || {
            let modes = tcgetattr(&self.keyboard).expect("a terminal has modes").local_modes;
            (!modes.contains(LocalModes::ECHO)).then_some(())
        });
        self.types(text);
    }

    /// Everything that the screen has shown.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end; yields it with everything that was shown, as a person reads it: without the sequences that colour it
    /// or move the cursor.
    ///
    /// # Panics
    /// It does not end.
    pub fn finish(mut self) -> (ExitStatus, String) {
        let status = wait_for("the command's end", || self.child.try_wait().expect("a child can be asked"));
        // What it has shown last may still be on its way.
        let mut before = usize::MAX;
        wait_for("the end of what is shown", || {
            let length = self.screen().len();
            std::mem::replace(&mut before, length).eq(&length).then_some(())
        });
        (status, plain(&self.screen()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A text without escape sequences, each line as it stood in the end.
fn plain(screen: &str) -> String {
    let mut text = String::new();
    let mut rest = screen.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                // `ESC [ … letter`, which is all that is used here.
                rest.find(|c| c.is_ascii_alphabetic());
            }
            '\r' => {}
            c => text.push(c),
        }
    }
    text
}
