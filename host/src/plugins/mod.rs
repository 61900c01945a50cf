//! Plugins: which files there are, which one serves a connector, and what it says of itself.
//!
//! Looking at a file executes nothing: the manifest is read from a section of the object file. A description needs the
//! plugin's code, so it is made by a worker, once, and remembered under the file's digest.

mod registry;

pub use registry::{Found, Plugin, Registry};

use crate::{
    store::Store,
    worker::process::{Printed, Spawn, Worker},
};
use jackfield_plugin::contract::{Failure, description::Description};
use std::{path::Path, sync::Arc};

/// How to start a worker for a plugin.
pub fn spawn(executable: &Path, plugin: &Plugin) -> Spawn {
    Spawn {
        executable: executable.to_owned(),
        plugin: plugin.path.clone(),
        digest: plugin.digest.clone(),
        name: plugin.title(),
    }
}

/// What a plugin says of itself: remembered, or asked of a worker.
///
/// # Errors
/// The plugin cannot be opened or described, or the store failed.
pub async fn describe(store: &Store, executable: &Path, plugin: &Plugin) -> Result<Description, Failure> {
    // The executable is part of the key: a new host may understand more of the same file.
    let key = format!("{}/{}", env!("CARGO_PKG_VERSION"), plugin.digest);
    if let Some(known) = store.description(&key).await.map_err(Failure::from)?
        && let Ok(description) = serde_json::from_value(known)
    {
        return Ok(description);
    }
    let ignored: Printed = Arc::new(|_| {});
    let mut worker = Worker::start(&spawn(executable, plugin), ignored).await?;
    let described = worker.describe().await;
    worker.stop().await;
    let description = described?;
    let value = serde_json::to_value(&description)
        .map_err(|error| Failure::plugin(format!("{}'s description: {error}", plugin.title())))?;
    store.put_description(&key, &value).await.map_err(Failure::from)?;
    Ok(description)
}
