//! Notices: what whoever waits for a run is told while it goes on.

use crate::model::certificate::ServerCertificate;
use jackfield_plugin::contract::run::Level;
use std::sync::Arc;

/// Something to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The plugin is running.
    Started {
        /// What it is called.
        plugin: String,
    },
    /// So many objects of a kind have been staged.
    Objects {
        /// The kind.
        kind: String,
        /// How many.
        staged: u64,
    },
    /// The plugin said how much there is to do.
    Step {
        /// The kind, or a few words.
        step: String,
        /// How much is done, by the plugin's own count.
        done: u64,
        /// Of how much.
        total: Option<u64>,
    },
    /// A kind is done.
    Ended {
        /// The kind.
        kind: String,
        /// Why the objects of before are kept, if they are.
        kept: Option<String>,
    },
    /// A server's certificate was refused.
    Refused {
        /// The certificate.
        certificate: ServerCertificate,
    },
    /// A line of the log that a person may want to see now.
    Line {
        /// How serious it is.
        level: Level,
        /// The line.
        message: String,
    },
}

/// Whoever wants to know.
pub type Watcher = Arc<dyn Fn(Notice) + Send + Sync>;

/// Nobody.
pub fn nobody() -> Watcher {
    Arc::new(|_| {})
}
