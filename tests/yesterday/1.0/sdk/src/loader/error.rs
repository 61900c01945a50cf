//! Every way in which a plugin file can be wrong.

use crate::contract::{Blame, Failure, Version};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a file cannot be used as a plugin. `Display` names the file, whose fault it is and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is greater than any plugin can be.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The file is no dynamic library of any system.
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The file begins like a dynamic library, but does not hold together.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The file was built for another architecture or system.
    WrongPlatform {
        /// The file.
        path: PathBuf,
        /// What it was built for.
        found: String,
        /// What this host is.
        expected: String,
    },
    /// A dynamic library, but no plugin: there is no manifest in it.
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// The manifest cannot be read, or says what cannot be.
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The plugin needs a contract that this host does not offer.
    NeedsNewerContract {
        /// The file.
        path: PathBuf,
        /// What the plugin needs.
        needs: Version,
        /// What this host offers.
        offers: Version,
    },
    /// The dynamic linker refuses the file: a symbol or a library that it depends on is missing.
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// The linker's words.
        detail: String,
    },
    /// The library has a manifest, but no door.
    NoRootModule {
        /// The file.
        path: PathBuf,
    },
    /// The door of the library has a version that this host does not know.
    DoorVersion {
        /// The file.
        path: PathBuf,
        /// What this host speaks.
        expected: String,
        /// What the library speaks.
        found: String,
    },
    /// A type at the door is laid out differently on the two sides.
    Layout {
        /// The file.
        path: PathBuf,
        /// The type that differs.
        name: String,
        /// What this host expects.
        expected: String,
        /// What the library has.
        found: String,
    },
    /// The library could not make its module.
    Constructor {
        /// The file.
        path: PathBuf,
        /// Its words.
        detail: String,
    },
    /// The plugin could not describe itself: it panicked, or answered what cannot be read.
    Describe {
        /// The file.
        path: PathBuf,
        /// What it answered.
        failure: Box<Failure>,
    },
    /// The description and the manifest disagree.
    Disagrees {
        /// The file.
        path: PathBuf,
        /// On what.
        on: &'static str,
        /// What the manifest says.
        manifest: String,
        /// What the description says.
        description: String,
    },
    /// A panic came out of a hook.
    Panicked {
        /// The file.
        path: PathBuf,
        /// The hook.
        hook: String,
        /// The panic's message.
        message: String,
    },
}

impl LoadError {
    /// The file that it is about.
    pub fn path(&self) -> &Path {
        match self {
            LoadError::Unreadable { path, .. }
            | LoadError::TooLarge { path, .. }
            | LoadError::NotALibrary { path, .. }
            | LoadError::Damaged { path, .. }
            | LoadError::WrongPlatform { path, .. }
            | LoadError::NotAPlugin { path }
            | LoadError::BadManifest { path, .. }
            | LoadError::NeedsNewerContract { path, .. }
            | LoadError::CannotOpen { path, .. }
            | LoadError::NoRootModule { path }
            | LoadError::DoorVersion { path, .. }
            | LoadError::Layout { path, .. }
            | LoadError::Constructor { path, .. }
            | LoadError::Describe { path, .. }
            | LoadError::Disagrees { path, .. }
            | LoadError::Panicked { path, .. } => path,
        }
    }

    /// Whose fault it is: the person's, who named a file that is no plugin for this host, or the plugin's.
    pub fn blame(&self) -> Blame {
        match self {
            LoadError::Unreadable { .. }
            | LoadError::TooLarge { .. }
            | LoadError::NotALibrary { .. }
            | LoadError::Damaged { .. }
            | LoadError::WrongPlatform { .. }
            | LoadError::NotAPlugin { .. }
            | LoadError::NeedsNewerContract { .. }
            | LoadError::CannotOpen { .. } => Blame::You,
            _ => Blame::Plugin,
        }
    }

    /// What is wrong, without the remedy.
    pub fn message(&self) -> String {
        let file = self.path().display();
        match self {
            LoadError::Unreadable { error, .. } => format!("{file} cannot be read: {error}"),
            LoadError::TooLarge { bytes, .. } => {
                format!("{file} has {bytes} bytes, more than the {} that a plugin may have", super::MAX_FILE)
            }
            LoadError::NotALibrary { found, .. } => format!("{file} is not a dynamic library, but {found}"),
            LoadError::Damaged { detail, .. } => format!("{file} is damaged or incomplete: {detail}"),
            LoadError::WrongPlatform { found, expected, .. } => {
                format!("{file} was built for {found}, and this is {expected}")
            }
            LoadError::NotAPlugin { .. } => {
                format!("{file} is a dynamic library, but not a Jackfield plugin: it has no manifest")
            }
            LoadError::BadManifest { detail, .. } => {
                format!("the manifest in {file} cannot be used: {detail}")
            }
            LoadError::NeedsNewerContract { needs, offers, .. } => {
                format!(
                    "{file} needs version {needs} of the plugin contract, and this Jackfield offers {offers}"
                )
            }
            LoadError::CannotOpen { detail, .. } => {
                format!("{file} cannot be opened: {detail}")
            }
            LoadError::NoRootModule { .. } => {
                format!("{file} has a manifest, but does not export a connector")
            }
            LoadError::DoorVersion { expected, found, .. } => {
                format!("{file} speaks another binary interface: expected {expected}, found {found}")
            }
            LoadError::Layout { name, expected, found, .. } => {
                format!("{file} lays out a type differently: {name}: expected {expected}, found {found}")
            }
            LoadError::Constructor { detail, .. } => format!("{file} could not start: {detail}"),
            LoadError::Describe { failure, .. } => {
                format!("{file} could not describe itself: {}", failure.message)
            }
            LoadError::Disagrees { on, manifest, description, .. } => format!(
                "{file} contradicts itself: the {on} is \"{manifest}\" in its manifest, \
                 but \"{description}\" in its description"
            ),
            LoadError::Panicked { hook, message, .. } => {
                format!("the plugin {file} panicked in its hook \"{hook}\": {message}")
            }
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            LoadError::Unreadable { .. } => "check the path and the file's permissions",
            LoadError::TooLarge { .. } | LoadError::NotALibrary { .. } | LoadError::NotAPlugin { .. } => {
                "name the file that the connector's vendor ships"
            }
            LoadError::Damaged { .. } => "fetch the file again",
            LoadError::WrongPlatform { .. } => "ask the vendor for a build for this platform",
            LoadError::NeedsNewerContract { needs, offers, .. } if needs.major < offers.major => {
                "ask the vendor for a newer plugin"
            }
            LoadError::NeedsNewerContract { .. } => "update Jackfield, or use an older version of the plugin",
            LoadError::CannotOpen { .. } => {
                "if something is missing, install it, or ask the vendor for a build for this system"
            }
            LoadError::DoorVersion { .. } | LoadError::Layout { .. } => {
                "the vendor must build the plugin again with a jackfield-plugin 1.x"
            }
            LoadError::BadManifest { .. }
            | LoadError::NoRootModule { .. }
            | LoadError::Constructor { .. }
            | LoadError::Describe { .. }
            | LoadError::Disagrees { .. }
            | LoadError::Panicked { .. } => "this is a defect of the plugin; report it to its vendor",
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} — {}", self.message(), self.remedy())
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::Unreadable { error, .. } => Some(error),
            LoadError::Describe { failure, .. } => Some(failure.as_ref()),
            _ => None,
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Failure::new(error.blame(), error.message()).remedy(error.remedy())
    }
}
