//! What this process keeps to itself: its memory, which holds secrets, and what a panic of its own would say.

use crate::{config::Config, model::secret::SecretValue, secrets::Scrubber};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{backtrace::Backtrace, io::Write, panic};

/// No crash of this process, or of one that it starts, leaves a file with its memory.
pub(super) fn leave_no_core() {
    // Whoever may not even lower a limit has a system that decides about such files in its own way.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// No other process of the same user reads the memory of this one, nor its environment; and what the system itself does with
/// crashes leaves it out. Workers need none of that: they hold no secret.
pub(super) fn close_memory() {
    #[cfg(target_os = "linux")]
    {
        let closed = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
        if let Err(error) = closed {
            tracing::debug!(%error, "the memory of this process could not be closed to others");
        }
    }
}

/// What the configuration holds of secrets is kept out of whatever is written.
pub(super) fn learn(config: &Config, scrubber: &Scrubber) {
    let Some(proxy) = &config.http.proxy else { return };
    // A user name that stands alone is a token.
    let secret = proxy.password().unwrap_or_else(|| proxy.username());
    if secret.is_empty() {
        return;
    }
    scrubber.learn(&SecretValue::new(secret));
    let decoded = percent_encoding::percent_decode_str(secret).decode_utf8_lossy();
    scrubber.learn(&SecretValue::new(decoded));
}

/// A panic of ours is told like any other failure, scrubbed: what it says may hold anything.
pub(super) fn tell_panics(scrubber: Scrubber) {
    panic::set_hook(Box::new(move |panic| {
        let text = scrubber.scrub_text(&told(panic)).into_owned();
        // Nobody may be listening any more.
        let _ = writeln!(std::io::stderr(), "{text}");
    }));
}

fn told(panic: &panic::PanicHookInfo<'_>) -> String {
    let backtrace = match Backtrace::capture() {
        trace if trace.status() == std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    format!(
        "error (Jackfield): {panic}\n  remedy: this is a defect of Jackfield; report it with this text{backtrace}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_without_secrets() {
        let scrubber = Scrubber::new();
        scrubber.learn(&SecretValue::new("hunter2-hunter2"));
        let (sender, receiver) = std::sync::mpsc::channel();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let _ = sender.send(scrubber.scrub_text(&told(panic)).into_owned());
        }));
        let ended = std::thread::spawn(|| panic!("cannot read \"hunter2-hunter2\"")).join();
        panic::set_hook(before);
        assert!(ended.is_err());
        let text = receiver.recv().unwrap();
        assert!(text.starts_with("error (Jackfield): panicked at host/src/cli/privacy.rs"), "{text}");
        assert!(text.contains("cannot read \"«secret»\"") && text.contains("report it"), "{text}");
    }
}
