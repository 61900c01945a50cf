//! Where the key-encryption key comes from, and what is there: a [`KeyRing`] of one key, or of two while one takes the
//! other's place.

use super::{
    Error, key_file,
    keys::{DataKey, KeyEncryptionKey, checked_by, sealed_under},
};
use std::{
    fmt, fs,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where the key-encryption key is. Two keys may stand there, the newer one first, parted by space or a line's end: while one
/// takes the other's place, both are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file that only its owner may read.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A systemd credential, by its name in `$CREDENTIALS_DIRECTORY`.
    SystemdCredential(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::File(path) => write!(f, "the file {}", path.display()),
            KeySource::Environment(variable) => write!(f, "the environment variable {variable}"),
            KeySource::SystemdCredential(name) => write!(f, "the systemd credential {name}"),
        }
    }
}

impl KeySource {
    /// The text that is there, if anything is.
    fn text(&self) -> Result<Option<Zeroizing<String>>, Error> {
        match self {
            KeySource::File(path) => self.read(path, true),
            // systemd keeps its directory from others; where it grants access by ACL, the mode bits mislead.
            KeySource::SystemdCredential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(directory) => self.read(&Path::new(&directory).join(name), false),
                None => Ok(None),
            },
            KeySource::Environment(variable) => match std::env::var_os(variable) {
                None => Ok(None),
                Some(value) => match value.into_string() {
                    Ok(text) => Ok(Some(Zeroizing::new(text))),
                    Err(_) => Err(Error::KeyMalformed { r#source: self.clone() }),
                },
            },
        }
    }

    /// Where a copy of the key of this id is kept, if it is.
    pub fn kept(&self, id: &str) -> Option<PathBuf> {
        match self {
            KeySource::File(path) => key_file::kept(path, id),
            KeySource::Environment(_) | KeySource::SystemdCredential(_) => None,
        }
    }

    fn read(&self, path: &Path, only_owner: bool) -> Result<Option<Zeroizing<String>>, Error> {
        let unreadable = |error| Error::KeyUnreadable { r#source: self.clone(), error };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let facts = file.metadata().map_err(unreadable)?;
        if facts.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let mode = facts.permissions().mode() & 0o7777;
        if only_owner && mode & 0o077 != 0 {
            return Err(Error::KeyMode { path: path.to_owned(), mode });
        }
        // No key is longer than this, and with room from the start no copy of it is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        file.take(256).read_to_end(&mut bytes).map_err(unreadable)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
            Err(_) => Err(Error::KeyMalformed { r#source: self.clone() }),
        }
    }
}

/// The keys that stand in one place, the newest first.
#[derive(Clone, Debug)]
pub struct KeyRing {
    r#source: KeySource,
    keys: Vec<KeyEncryptionKey>,
}

impl KeyRing {
    /// Reads the keys; `None` if there is nothing.
    pub fn load(from: &KeySource) -> Result<Option<Self>, Error> {
        let Some(text) = from.text()? else { return Ok(None) };
        let malformed = || Error::KeyMalformed { r#source: from.clone() };
        let keys: Option<Vec<_>> = text.split_whitespace().map(KeyEncryptionKey::parse).collect();
        match keys.ok_or_else(malformed)? {
            keys if keys.is_empty() || keys.len() > 2 => Err(malformed()),
            keys if keys.len() == 2 && keys[0].id() == keys[1].id() => Err(malformed()),
            keys => Ok(Some(KeyRing { r#source: from.clone(), keys })),
        }
    }

    /// A ring of a single key.
    pub fn of(r#source: KeySource, key: KeyEncryptionKey) -> Self {
        KeyRing { r#source, keys: vec![key] }
    }

    /// Where they stand.
    pub fn source(&self) -> &KeySource {
        &self.r#source
    }

    /// The keys, the newest first; one at least.
    pub fn keys(&self) -> &[KeyEncryptionKey] {
        &self.keys
    }

    /// The key of an id.
    pub fn key(&self, id: &str) -> Option<&KeyEncryptionKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// The one that made a database's check value.
    pub fn current(&self, install: &str, check: &str) -> Result<&KeyEncryptionKey, Error> {
        let expected = checked_by(check)?;
        let key = self.key(expected).ok_or_else(|| self.wrong(expected))?;
        key.verify(install, check).map(|()| key)
    }

    /// Opens the data key of a connection with the key that its header names.
    pub fn unwrap(&self, install: &str, connection: &str, wrapped: &[u8]) -> Result<DataKey, Error> {
        let under =
            sealed_under(wrapped).ok_or_else(|| Error::DataKey { connection: connection.to_owned() })?;
        let key = self.key(&under).ok_or_else(|| self.wrong(&under))?;
        DataKey::unwrap(key, install, connection, wrapped)
    }

    /// Adds those keys of another ring that are not here, behind its own: what is known is not forgotten.
    #[must_use]
    pub fn joined(&self, newer: KeyRing) -> KeyRing {
        let older = self.keys.iter().filter(|key| newer.key(&key.id()).is_none());
        let keys = newer.keys.iter().chain(older).cloned().collect();
        KeyRing { keys, ..newer }
    }

    fn wrong(&self, expected: &str) -> Error {
        Error::WrongKey {
            r#source: self.r#source.clone(),
            given: self.ids(),
            expected: expected.to_owned(),
            kept: self.r#source.kept(expected),
        }
    }

    /// The ids of the keys, for a message.
    pub fn ids(&self) -> String {
        self.keys.iter().map(KeyEncryptionKey::id).collect::<Vec<_>>().join(" and ")
    }
}
