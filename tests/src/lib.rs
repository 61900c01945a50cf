//! What the inspectors share: the built artefacts, a data folder with the real binary, and waiting for a state.
//!
//! Tests, demo and benches all drive the program as its users do: the real executable, real plugin files, real worker
//! processes, a real database, and simulators over real sockets.

pub mod artifacts;
pub mod host;
pub mod terminal;

pub use artifacts::{Artifacts, artifacts};
pub use host::{Finished, Host, Started};
pub use terminal::Terminal;

use std::time::{Duration, Instant};

/// How long a test waits for a state before it gives up. Generous: machines are busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `look` yields something, for at most [`PATIENCE`].
///
/// # Panics
/// It never does; `what` says what was waited for.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
