//! The registry: the plugin files in the configured folders.

use crate::{model::text::quoted, worker::child::digest_of};
use jackfield_plugin::{
    contract::{Failure, manifest::Manifest},
    loader::{LoadError, MAX_FILE, parse_manifest},
};
use serde::Serialize;
use std::{
    cmp::Ordering,
    fs, io,
    path::{Path, PathBuf},
};

/// A plugin file that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugin {
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256, hexadecimal.
    pub digest: String,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl Plugin {
    /// What it is called in messages and logs: id, version, and the digest's beginning.
    pub fn title(&self) -> String {
        let digest = self.digest.get(..12).unwrap_or(&self.digest);
        format!("{} {} (sha256 {digest})", self.manifest.id, self.manifest.version)
    }
}

/// A file that looked like a plugin.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What it is, or why it cannot be used.
    pub plugin: Result<Plugin, String>,
    /// The file that is used instead, because it holds a newer version of the same connector.
    pub superseded_by: Option<PathBuf>,
}

/// The plugin files in the configured folders.
#[derive(Clone, Debug)]
pub struct Registry {
    folders: Vec<PathBuf>,
    found: Vec<Found>,
}

impl Registry {
    /// Looks through the folders. Those that do not exist hold nothing; nothing is executed.
    pub fn scan(folders: Vec<PathBuf>) -> Registry {
        let mut found: Vec<Found> = folders.iter().flat_map(|folder| files(folder)).map(look_at).collect();
        supersede(&mut found);
        Registry { folders, found }
    }

    /// Every file that looked like a plugin.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The folders that were looked through.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The plugins in use: one for each connector.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.found
            .iter()
            .filter(|found| found.superseded_by.is_none())
            .filter_map(|found| found.plugin.as_ref().ok())
    }

    /// The plugin of a connector.
    ///
    /// # Errors
    /// There is none; the failure says which there are, where was looked, and which files could not be used.
    pub fn plugin(&self, connector: &str) -> Result<&Plugin, Failure> {
        self.plugins().find(|plugin| plugin.manifest.id == connector).ok_or_else(|| self.missing(connector))
    }

    fn missing(&self, connector: &str) -> Failure {
        let known: Vec<&str> = self.plugins().map(|plugin| plugin.manifest.id.as_str()).collect();
        let known = if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        let folders: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        let unusable: Vec<&str> =
            self.found.iter().filter_map(|found| found.plugin.as_ref().err()).map(String::as_str).collect();
        let unusable = if unusable.is_empty() {
            String::new()
        } else {
            format!(". Not usable: {}", unusable.join("; "))
        };
        Failure::you(format!(
            "there is no plugin for the connector {} ({known}){unusable}",
            quoted(connector)
        ))
        .remedy(format!("put its plugin file into {}", folders.join(" or ")))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(folder = %folder.display(), %error, "a plugin folder cannot be read");
            }
            return Vec::new();
        }
    };
    let suffix = std::env::consts::DLL_EXTENSION;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == suffix) && path.is_file())
        .collect();
    files.sort();
    files
}

fn look_at(path: PathBuf) -> Found {
    let path = std::path::absolute(&path).unwrap_or(path);
    let plugin = read(&path).and_then(|bytes| {
        let manifest = parse_manifest(&bytes, &path)?;
        Ok(Plugin { path: path.clone(), digest: digest_of(&bytes), manifest })
    });
    let plugin = plugin.map_err(|error| error.to_string());
    Found { path, plugin, superseded_by: None }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE {
        return Err(LoadError::TooLarge { path: path.to_owned(), bytes });
    }
    fs::read(path).map_err(unreadable)
}

/// Of several files for one connector the newest version is used; of equal versions the one found first.
fn supersede(found: &mut [Found]) {
    for at in 0..found.len() {
        let Ok(plugin) = &found[at].plugin else { continue };
        let better = found.iter().enumerate().filter_map(|(other, one)| {
            let other_plugin =
                one.plugin.as_ref().ok().filter(|other| other.manifest.id == plugin.manifest.id)?;
            let order = compare(&other_plugin.manifest.version, &plugin.manifest.version);
            let wins = order == Ordering::Greater || (order == Ordering::Equal && other < at);
            wins.then_some((other_plugin, other))
        });
        let best = better.max_by(|(a, at_a), (b, at_b)| {
            compare(&a.manifest.version, &b.manifest.version).then(at_b.cmp(at_a))
        });
        found[at].superseded_by = best.map(|(plugin, _)| plugin.path.clone());
    }
}

/// Compares versions: numbers by value, and a pre-release before its release.
fn compare(one: &str, other: &str) -> Ordering {
    let parts = |version: &str| {
        let version = version.split('+').next().unwrap_or_default().to_owned();
        let (release, pre) =
            version.split_once('-').map_or((version.as_str(), None), |(a, b)| (a, Some(b.to_owned())));
        let numbers: Vec<u64> = release.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        (numbers, pre.is_none(), pre)
    };
    parts(one).cmp(&parts(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (newer, older) in
            [("0.10.0", "0.9.9"), ("1.0.0", "1.0.0-rc.1"), ("2.0", "1.99.99"), ("1.0.1", "1.0.0")]
        {
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
        }
        assert_eq!(compare("1.2.3", "1.2.3+build5"), Ordering::Equal);
    }
}
