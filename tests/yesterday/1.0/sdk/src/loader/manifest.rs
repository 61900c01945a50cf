//! Reading who a plugin file is, as data: nothing of it is executed.

use super::LoadError;
use crate::contract::{
    VERSION,
    manifest::{MAGIC, Manifest, SECTION, SECTION_MACHO, is_connector_id, this_platform},
};
use object::{Architecture, BinaryFormat, File, FileKind, Object, ObjectKind, ObjectSection};
use std::{io::Read, path::Path};

/// The greatest file that is looked at, in bytes.
pub const MAX_FILE: u64 = 256 * 1024 * 1024;

/// The greatest manifest, in bytes.
const MAX_MANIFEST: u64 = 64 * 1024;

/// Reads the manifest of a plugin file, and refuses what cannot run in this host.
///
/// # Errors
/// The file is no plugin for this platform and this contract.
pub fn read_manifest(path: &Path) -> Result<Manifest, LoadError> {
    parse_manifest(&read(path)?, path)
}

/// [`read_manifest`] for a file's content; `path` is for the words of an error.
///
/// # Errors
/// The content is no plugin for this platform and this contract.
pub fn parse_manifest(content: &[u8], path: &Path) -> Result<Manifest, LoadError> {
    let file = parse_object(content, path)?;
    check_machine(&file, path)?;
    let section = section(&file, path)?;
    let manifest =
        parse_section(section).map_err(|detail| LoadError::BadManifest { path: path.into(), detail })?;
    if manifest.platform != this_platform() {
        return Err(wrong_platform(path, manifest.platform));
    }
    if !VERSION.satisfies(manifest.needs) {
        return Err(LoadError::NeedsNewerContract {
            path: path.into(),
            needs: manifest.needs,
            offers: VERSION,
        });
    }
    Ok(manifest)
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.into(), error };
    let not_a_file = |found: &str| LoadError::NotALibrary { path: path.into(), found: found.to_owned() };
    // Asked first, because opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(not_a_file("a directory"));
    }
    if !metadata.is_file() {
        return Err(not_a_file("no regular file"));
    }
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.into(), bytes: metadata.len() });
    }
    Ok(content)
}

fn parse_object<'a>(content: &'a [u8], path: &Path) -> Result<File<'a>, LoadError> {
    let not_a_library = |found: &str| LoadError::NotALibrary { path: path.into(), found: found.to_owned() };
    if content.is_empty() {
        return Err(not_a_library("an empty file"));
    }
    if FileKind::parse(content).is_err() {
        let text = std::str::from_utf8(content).is_ok();
        return Err(not_a_library(if text { "a text file" } else { "a file of another kind" }));
    }
    let file = File::parse(content)
        .map_err(|error| LoadError::Damaged { path: path.into(), detail: error.to_string() })?;
    match file.kind() {
        ObjectKind::Dynamic => Ok(file),
        ObjectKind::Executable => Err(not_a_library("a program")),
        ObjectKind::Relocatable => Err(not_a_library("an object file that is not linked")),
        _ => Err(not_a_library("an object file of another kind")),
    }
}

/// What the file itself says of the machine it is for; that holds for libraries without a manifest, too.
fn check_machine(file: &File<'_>, path: &Path) -> Result<(), LoadError> {
    let here = if cfg!(windows) {
        BinaryFormat::Pe
    } else if cfg!(target_vendor = "apple") {
        BinaryFormat::MachO
    } else {
        BinaryFormat::Elf
    };
    let format = file.format();
    let architecture = architecture(file.architecture());
    if format == here && architecture == std::env::consts::ARCH {
        return Ok(());
    }
    let system = match format {
        _ if format == here => std::env::consts::OS,
        BinaryFormat::Pe => "windows",
        BinaryFormat::MachO => "macos",
        _ => "another system",
    };
    Err(wrong_platform(path, format!("{architecture}-{system}")))
}

/// The name that Rust gives an architecture.
fn architecture(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x86_64".to_owned(),
        Architecture::I386 => "x86".to_owned(),
        Architecture::Aarch64 => "aarch64".to_owned(),
        Architecture::PowerPc64 => "powerpc64".to_owned(),
        other => format!("{other:?}").to_ascii_lowercase(),
    }
}

fn wrong_platform(path: &Path, found: String) -> LoadError {
    LoadError::WrongPlatform { path: path.into(), found, expected: this_platform() }
}

fn section<'a>(file: &File<'a>, path: &Path) -> Result<&'a [u8], LoadError> {
    let name = match file.format() {
        BinaryFormat::MachO => SECTION_MACHO.split_once(',').map_or(SECTION_MACHO, |(_, section)| section),
        _ => SECTION,
    };
    let section = file.section_by_name(name).ok_or_else(|| LoadError::NotAPlugin { path: path.into() })?;
    if section.size() > MAX_MANIFEST {
        let detail = format!("it has {} bytes, more than {MAX_MANIFEST}", section.size());
        return Err(LoadError::BadManifest { path: path.into(), detail });
    }
    section.data().map_err(|error| LoadError::Damaged { path: path.into(), detail: error.to_string() })
}

fn parse_section(section: &[u8]) -> Result<Manifest, String> {
    let Some(json) = section.strip_prefix(MAGIC) else {
        return Err("it does not begin as a manifest does".to_owned());
    };
    // Linkers fill sections up with zeros.
    let end = json.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let manifest: Manifest = serde_json::from_slice(&json[..end]).map_err(|error| error.to_string())?;
    if !is_connector_id(&manifest.id) {
        return Err(format!(
            "{:?} is not a connector id: lower-case letters, digits and hyphens",
            manifest.id
        ));
    }
    for (what, text) in [("name", &manifest.name), ("version", &manifest.version)] {
        if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            return Err(format!("its {what} cannot be shown: {text:?}"));
        }
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section_of(json: &str) -> Vec<u8> {
        [MAGIC, json.as_bytes()].concat()
    }

    #[test]
    fn a_manifest_may_say_more_than_is_known_and_be_followed_by_zeros() {
        let json =
            r#"{"id":"a","name":"A","version":"1","needs":"1.0","panic":"unwind","platform":"p","new":[1]}"#;
        let mut section = section_of(json);
        section.extend([0; 5]);
        assert_eq!(parse_section(&section).unwrap().id, "a");
    }

    #[test]
    fn what_a_manifest_cannot_say() {
        let with = |id: &str, name: &str, needs: &str| {
            format!(
                r#"{{"id":{id:?},"name":{name:?},"version":"1","needs":{needs:?},"panic":"unwind","platform":"p"}}"#
            )
        };
        for (json, words) in [
            (with("Qlik", "A", "1.0"), "not a connector id"),
            (with("../up", "A", "1.0"), "not a connector id"),
            (with("a", " ", "1.0"), "its name"),
            (with("a", "red", "1"), "not a contract version"),
            ("{}".to_owned(), "missing field"),
            (String::new(), "EOF"),
        ] {
            let error = parse_section(&section_of(&json)).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
        let escape = section_of(&with("a", "X", "1.0").replace('X', "\\u001b[31m"));
        assert!(parse_section(&escape).unwrap_err().contains("its name"));
        assert!(parse_section(b"something else").unwrap_err().contains("begin"));
    }
}
