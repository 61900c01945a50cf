//! The hidden subcommand `worker`: the plugin's end of a worker process.

use crate::worker::child;
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    io, stdio,
};
use std::process::ExitCode;
use tokio::net::unix::pipe;

/// Serves the host at the other end of standard input and output, until it closes them.
pub(super) fn main() -> ExitCode {
    let served = take_pipes().map_err(std::io::Error::from).and_then(|(input, output)| {
        // The plugin has a thread of its own, so that one that never yields does not keep us from seeing the host go; and the
        // thread that sees a frame arrive reads it, where another would have to be woken for each.
        let plugin = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
        let frames =
            tokio::runtime::Builder::new_current_thread().max_blocking_threads(2).enable_io().build()?;
        frames.block_on(async {
            let input = tokio::io::BufReader::with_capacity(64 * 1024, pipe::Receiver::from_owned_fd(input)?);
            child::serve(input, pipe::Sender::from_owned_fd(output)?, plugin.handle()).await
        })?;
        // Without waiting for what the plugin still does: nobody wants it any more.
        std::process::exit(0);
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the worker cannot serve: {error}; `jackfield worker` is started by Jackfield itself");
            ExitCode::FAILURE
        }
    }
}

/// Moves the pipes away from descriptors 0 and 1 before any plugin code runs: what a plugin prints goes to standard error,
/// and what it reads is empty.
fn take_pipes() -> io::Result<(OwnedFd, OwnedFd)> {
    let input = io::fcntl_dupfd_cloexec(stdio::stdin(), 3)?;
    let output = io::fcntl_dupfd_cloexec(stdio::stdout(), 3)?;
    let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    stdio::dup2_stdin(nothing)?;
    stdio::dup2_stdout(stdio::stderr())?;
    Ok((input, output))
}
