//! Keys: the key-encryption key and where it comes from, and the data key of each connection.

use super::{
    Error,
    envelope::{self, Key, KeyId},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{
    fmt, fs,
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where the key-encryption key is.
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

    fn read(&self, path: &Path, only_owner: bool) -> Result<Option<Zeroizing<String>>, Error> {
        let unreadable = |error| Error::KeyUnreadable { r#source: self.clone(), error };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
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

/// The key under which the data keys are sealed. One for a host, wherever its database lives.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    key: Key,
    id: KeyId,
}

impl KeyEncryptionKey {
    /// Reads the key; `None` if there is none.
    pub fn load(from: &KeySource) -> Result<Option<Self>, Error> {
        let Some(text) = from.text()? else { return Ok(None) };
        match decode(&text) {
            Some(key) => Ok(Some(Self::new(key))),
            None => Err(Error::KeyMalformed { r#source: from.clone() }),
        }
    }

    /// Makes a new random key and writes it to a file that only this user may read. The file is complete or not there,
    /// also after a crash; one that is there is never overwritten.
    pub fn create_file(path: &Path) -> Result<Self, Error> {
        let unwritable = |error| Error::KeyUnwritable { path: path.to_owned(), error };
        let key = random();
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = directory.join(format!(".key-{}", uuid::Uuid::new_v4().simple()));
        let written = write_new(&draft, &key).and_then(|()| fs::hard_link(&draft, path));
        let removed = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::KeyExists { path: path.to_owned() });
            }
            written => written.and(removed).map_err(unwritable)?,
        }
        fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(unwritable)?;
        Ok(Self::new(key))
    }

    fn new(key: Key) -> Self {
        let id = id_of(&key);
        KeyEncryptionKey { key, id }
    }

    /// Its public id, 16 hexadecimal digits.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// What a database keeps to recognise its key by: `v1:id:proof`. Not secret.
    pub fn check_value(&self, install: &str) -> String {
        format!("v1:{}:{}", self.id(), STANDARD.encode(self.proof(install)))
    }

    /// Whether this is the key that made the check value.
    pub fn verify(&self, install: &str, check: &str) -> Result<(), Error> {
        let altered = || Error::Sealed { what: "the key check of this database".to_owned() };
        let (expected, proof) =
            check.strip_prefix("v1:").and_then(|rest| rest.split_once(':')).ok_or_else(altered)?;
        if expected != self.id() {
            return Err(Error::WrongKey { given: self.id(), expected: expected.to_owned() });
        }
        let proof = STANDARD.decode(proof).map_err(|_| altered())?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&proof, self.proof(install).as_ref())
            .map_err(|_| altered())
    }

    fn proof(&self, install: &str) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key[..]);
        hmac::sign(&key, &[b"jackfield key check\0", install.as_bytes()].concat())
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey({}, …)", self.id())
    }
}

/// The key under which one connection's values are sealed.
#[derive(Clone)]
pub struct DataKey {
    pub(super) key: Key,
    pub(super) id: KeyId,
}

impl DataKey {
    /// A new random one.
    pub fn generate() -> Self {
        Self::new(random())
    }

    fn new(key: Key) -> Self {
        let id = id_of(&key);
        DataKey { key, id }
    }

    /// Seals it for one connection of one install.
    pub fn wrap(&self, under: &KeyEncryptionKey, install: &str, connection: &str) -> Vec<u8> {
        envelope::seal(&under.key, under.id, &wrapped_parts(install, connection), &self.key[..])
    }

    /// Opens what [`wrap`](DataKey::wrap) sealed. One that another key sealed is [`Error::WrongKey`].
    pub fn unwrap(
        under: &KeyEncryptionKey,
        install: &str,
        connection: &str,
        wrapped: &[u8],
    ) -> Result<Self, Error> {
        if let Some(id) = envelope::key_id(wrapped).filter(|id| *id != under.id) {
            return Err(Error::WrongKey { given: under.id(), expected: hex(&id) });
        }
        envelope::open(&under.key, under.id, &wrapped_parts(install, connection), wrapped)
            .and_then(|bytes| exactly(&bytes))
            .map(Self::new)
            .ok_or_else(|| Error::Sealed { what: format!("the data key of connection {connection}") })
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, …)", hex(&self.id))
    }
}

fn wrapped_parts<'a>(install: &'a str, connection: &'a str) -> [&'a [u8]; 3] {
    [b"jackfield data key", install.as_bytes(), connection.as_bytes()]
}

fn random() -> Key {
    let mut key = Zeroizing::new([0; 32]);
    // Fails only without a source of randomness, and then no key may be made.
    aws_lc_rs::rand::fill(&mut key[..]).expect("the system gives randomness");
    key
}

/// The first bytes of the key's SHA-256: names the key, tells nothing of it.
fn id_of(key: &Key) -> KeyId {
    let mut id = KeyId::default();
    id.copy_from_slice(&Sha256::digest(&key[..])[..8]);
    id
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str) -> Option<Key> {
    exactly(&Zeroizing::new(STANDARD.decode(text.trim()).ok()?))
}

fn exactly(bytes: &[u8]) -> Option<Key> {
    let mut key = Zeroizing::new([0; 32]);
    (bytes.len() == key.len()).then(|| key.copy_from_slice(bytes))?;
    Some(key)
}

/// Writes the key to a file that must not be there yet, down to the disk.
fn write_new(path: &Path, key: &Key) -> io::Result<()> {
    let text = Zeroizing::new(STANDARD.encode(&key[..]) + "\n");
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
