//! A plugin in this very process, through the same bytes: for benches and vendors' tests, never for the host's own work.

use super::{Capabilities, child::digest_of};
use jackfield_plugin::{
    abi::host_from_fn,
    contract::{Failure, description::Description, wire::encode},
    loader::Plugin,
};
use std::path::Path;
use tokio_util::task::AbortOnDropHandle;

/// A plugin that is open in this process.
pub struct Local {
    plugin: Plugin,
    digest: String,
}

impl Local {
    /// Opens a plugin file here.
    ///
    /// # Errors
    /// The file cannot be read or is no plugin for this host.
    pub fn open(path: &Path) -> Result<Local, Failure> {
        let bytes =
            std::fs::read(path).map_err(|error| Failure::plugin(format!("{}: {error}", path.display())))?;
        let plugin = Plugin::open(path).map_err(|error| Failure::plugin(error.to_string()))?;
        Ok(Local { plugin, digest: digest_of(&bytes) })
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the plugin says of itself.
    ///
    /// # Errors
    /// It panics, or contradicts its manifest.
    pub fn describe(&self) -> Result<Description, Failure> {
        self.plugin.describe().map_err(|error| Failure::plugin(error.to_string()))
    }

    /// Runs a hook; the answer is an encoded `Result<answer, Failure>`.
    ///
    /// # Errors
    /// A panic came out of the plugin.
    pub async fn invoke(
        &self,
        hook: &str,
        message: Vec<u8>,
        capabilities: Capabilities,
    ) -> Result<Vec<u8>, Failure> {
        // Each call is a task of its own, as it is for a worker.
        let host = host_from_fn(move |capability, message| {
            let answer = AbortOnDropHandle::new(tokio::spawn(capabilities(capability, message)));
            async move {
                answer.await.unwrap_or_else(|panic| {
                    encode(&Err::<(), _>(Failure::jackfield(format!(
                        "a capability of the host failed: {panic}"
                    ))))
                })
            }
        });
        self.plugin.invoke(hook, message, host).await.map_err(|error| Failure::plugin(error.to_string()))
    }
}
