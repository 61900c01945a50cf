//! Orders: what whoever asks for a run tells its driver besides the run itself.

use super::notice::Watcher;
use jackfield_plugin::contract::hooks::Purpose;
use tokio_util::sync::CancellationToken;

/// What the driver is told besides the run.
#[derive(Clone)]
pub struct Orders {
    /// Why a test is run.
    pub purpose: Purpose,
    /// Whether the hook may create or change things on the remote side.
    pub may_write: bool,
    /// Who wants to know how it goes.
    pub watcher: Watcher,
    /// Ends the run, as Ctrl-C does.
    pub cancel: CancellationToken,
    /// Of the rotations, only that of this credential.
    pub credential: Option<String>,
    /// What could wait is done at once: an old credential is removed without its grace.
    pub at_once: bool,
    /// A rotation that has not put its new version in use is given up, and what it has made is removed.
    pub give_up: bool,
    /// Runs the plugin in this process: benches only.
    pub in_process: bool,
}

impl Orders {
    /// Orders for a run that a person waits for.
    pub fn interactive(watcher: Watcher, cancel: CancellationToken) -> Self {
        Orders {
            purpose: Purpose::Interactive,
            may_write: true,
            watcher,
            cancel,
            credential: None,
            at_once: false,
            give_up: false,
            in_process: false,
        }
    }
}
