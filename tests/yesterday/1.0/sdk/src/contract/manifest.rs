//! The manifest: who a plugin is, readable in its file without executing a byte of it.
//!
//! The export macro places it as JSON in a section of the object file of its own, behind [`MAGIC`].

use super::Version;
use serde::{Deserialize, Serialize};

/// Name of the section that holds the manifest (ELF and PE).
pub const SECTION: &str = ".jackfield";

/// Name of the section in Mach-O, where it is "segment,section".
pub const SECTION_MACHO: &str = "__DATA,__jackfield";

/// First bytes of the section; what follows is one JSON object.
pub const MAGIC: &[u8] = b"JACKFIELD-PLUGIN\n";

/// What a plugin file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The connector's id, such as `qlik-cloud`.
    pub id: String,
    /// Its name for a person.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The contract version that it needs.
    pub needs: Version,
    /// What a panic does in it: `unwind`, or `abort`, which ends the worker.
    pub panic: String,
    /// The platform it was built for, `architecture-system`.
    pub platform: String,
}

/// The platform that this code was built for, as it stands in a manifest.
pub fn this_platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Whether `id` is a connector id: lower-case letters, digits and hyphens, beginning with a letter, at most 64.
pub fn is_connector_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.len() <= 64 && id.chars().all(plain)
}
