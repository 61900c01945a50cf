//! Questions at the terminal, and giving it back as it was.

use super::private_key_prompt;
use dialoguer::{Confirm, Input, Password, Select};
use jackfield_plugin::contract::Failure;
use rustix::termios::{OptionalActions, Termios};
use std::{
    io::IsTerminal,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Asks for one of a few; the one at `usual` unless told otherwise. The answer is its place.
pub(super) fn ask_choice(prompt: &str, choices: &[&str], usual: usize) -> Result<usize, Failure> {
    let _asking = Asking::begin();
    Select::new().with_prompt(prompt).items(choices).default(usual).interact().map_err(no_answer)
}

/// Asks for a line of text.
pub(super) fn ask_text(prompt: &str) -> Result<String, Failure> {
    let _asking = Asking::begin();
    Input::new().with_prompt(prompt).interact_text().map_err(no_answer)
}

/// Asks yes or no; no unless told otherwise.
pub(super) fn confirm(question: &str) -> Result<bool, Failure> {
    let _asking = Asking::begin();
    Confirm::new().with_prompt(question).default(false).interact().map_err(no_answer)
}

/// Whether something is to be deleted: said already, or asked. Without a terminal nobody can be asked.
pub(super) fn is_deletion_confirmed(name: &str, question: &str, yes: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::you(format!("deleting \"{name}\" needs to be confirmed")).remedy("add --yes"));
    }
    confirm(question)
}

/// Asks for a line that is not shown.
pub(super) fn ask_hidden(prompt: &str) -> Result<String, Failure> {
    hidden(Password::new().with_prompt(prompt))
}

/// Asks for a line that is not shown, and that may be empty.
pub(super) fn ask_hidden_or_blank(prompt: &str) -> Result<String, Failure> {
    hidden(Password::new().with_prompt(prompt).allow_empty_password(true))
}

fn hidden(question: Password<'_>) -> Result<String, Failure> {
    let _asking = Asking::begin();
    let text = question.interact().map_err(no_answer)?;
    if text.contains("-----BEGIN ") {
        // The rest of it would be the shell's next commands.
        private_key_prompt::drain();
    }
    Ok(text)
}

/// Asks for a private key, which is many lines, or the file that it stands in.
pub(super) fn ask_private_key(prompt: &str) -> Result<private_key_prompt::Answer, Failure> {
    let _asking = Asking::begin();
    private_key_prompt::ask(prompt)
}

/// The terminal as it was, while a question stands on it.
static ASKING: Mutex<Option<Termios>> = Mutex::new(None);

/// A question stands on the terminal until this is dropped.
struct Asking;

impl Asking {
    fn begin() -> Self {
        *asking() = rustix::termios::tcgetattr(std::io::stdin()).ok();
        Asking
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        *asking() = None;
    }
}

fn asking() -> MutexGuard<'static, Option<Termios>> {
    ASKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a question stands on the terminal.
pub(super) fn is_asking() -> bool {
    asking().is_some()
}

/// Gives the terminal back as it was before the question: with its echo and its cursor.
pub(super) fn restore_terminal() {
    if let Some(before) = asking().as_ref() {
        // A terminal that is gone needs nothing back.
        let _ = rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        eprintln!("\x1b[?25h");
    }
}

fn no_answer(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(cause) = &error;
    if cause.kind() == std::io::ErrorKind::Interrupted {
        return Failure::cancelled();
    }
    Failure::you(format!("no answer was given: {error}"))
}
