//! A plugin that is open: its code runs in this process.

use super::{LoadError, read_manifest};
use crate::{
    abi::{Door, HostObject, guard::guard, open::DoorError},
    contract::{Blame, Failure, description::Description, manifest::Manifest, wire::decode},
};
use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
};

/// An opened plugin. It is never closed: a new version of a file needs a new process.
pub struct Plugin {
    path: PathBuf,
    manifest: Manifest,
    door: Door,
}

impl Plugin {
    /// Reads the file's manifest, and opens it if that allows it. Runs the file's code.
    ///
    /// # Errors
    /// The file is no plugin for this host, or cannot be opened.
    pub fn open(path: &Path) -> Result<Plugin, LoadError> {
        let manifest = read_manifest(path)?;
        // A name without a slash would be looked for in the linker's own directories.
        let path =
            std::path::absolute(path).map_err(|error| LoadError::Unreadable { path: path.into(), error })?;
        match Door::open(&path) {
            Ok(door) => Ok(Plugin { path, manifest, door }),
            Err(error) => Err(explain(error, path)),
        }
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The manifest of the file.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Asks the connector what it is.
    ///
    /// # Errors
    /// It panics, answers what cannot be read, or contradicts the manifest.
    pub fn describe(&self) -> Result<Description, LoadError> {
        let wrong = |failure| LoadError::Describe { path: self.path.clone(), failure: Box::new(failure) };
        let answer = guard(|| self.door.describe()).map_err(|panic| wrong(Failure::plugin(panic)))?;
        let description: Description = decode::<Result<_, Failure>>(&answer, "describe", Blame::Plugin)
            .and_then(|inner| inner)
            .map_err(wrong)?;
        let manifest = &self.manifest;
        for (on, ours, theirs) in [
            ("id", &manifest.id, &description.id),
            ("version", &manifest.version, &description.version),
            ("needed contract", &manifest.needs.to_string(), &description.needs.to_string()),
        ] {
            if ours != theirs {
                let (manifest, description) = (ours.clone(), theirs.clone());
                return Err(LoadError::Disagrees { path: self.path.clone(), on, manifest, description });
            }
        }
        Ok(description)
    }

    /// Runs a hook with an encoded [`Invocation`](crate::contract::hooks::Invocation); the answer is an encoded
    /// `Result<answer, Failure>`.
    ///
    /// # Errors
    /// (Of the future) a panic came out of the plugin, which the SDK would have caught.
    pub fn invoke(
        &self,
        hook: &str,
        message: Vec<u8>,
        host: HostObject,
    ) -> impl Future<Output = Result<Vec<u8>, LoadError>> + Send + use<> {
        let answer = self.door.invoke(hook, message, host);
        let (path, hook) = (self.path.clone(), hook.to_owned());
        async move { answer.await.map_err(|message| LoadError::Panicked { path, hook, message }) }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("path", &self.path)
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

fn explain(error: DoorError, path: PathBuf) -> LoadError {
    match error {
        DoorError::Open(detail) => LoadError::CannotOpen { path, detail },
        DoorError::NoRootModule => LoadError::NoRootModule { path },
        DoorError::Version { expected, found } => LoadError::DoorVersion { path, expected, found },
        DoorError::Layout { name, expected, found } => LoadError::Layout { path, name, expected, found },
        DoorError::Constructor(detail) => LoadError::Constructor { path, detail },
    }
}
