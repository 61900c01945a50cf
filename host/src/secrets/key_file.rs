//! The key file: made once, later replaced as a whole, at no moment readable by others, and complete after any crash.

use super::{Error, KeyRing, KeySource, keys::KeyEncryptionKey};
use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Makes a new random key in a file that only this user may read. The file is complete or not there, also after a crash; one
/// that is there is never overwritten.
pub fn create(path: &Path) -> Result<KeyEncryptionKey, Error> {
    let key = KeyEncryptionKey::generate();
    // Others may be making one at this moment.
    let draft = folder_of(path).join(format!(".key-{}", uuid::Uuid::new_v4().simple()));
    match put(path, &draft, &key) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Error::KeyExists { path: path.to_owned() })
        }
        put => put.map(|()| key).map_err(|error| Error::KeyUnwritable { path: path.to_owned(), error }),
    }
}

/// Puts other keys, the newest first, into a key file that is there. Whoever reads it sees the former ones or these.
///
/// The file keeps its owner, so that a key that an administrator replaced can still be read by the service that uses it. What
/// a symbolic link names is replaced, not the link.
pub fn replace(path: &Path, keys: &[&KeyEncryptionKey]) -> Result<(), Error> {
    let replaced = || {
        let path = path.canonicalize()?;
        let draft = new_draft(&path)?;
        let file = write_new(&draft, keys)?;
        let (before, now) = (fs::metadata(&path)?, file.metadata()?);
        if (before.uid(), before.gid()) != (now.uid(), now.gid()) {
            fchown(&file, Some(before.uid()), Some(before.gid()))?;
        }
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        sync_folder(&path)
    };
    replaced().map_err(|error| Error::KeyUnwritable { path: path.to_owned(), error })
}

/// Keeps a copy of a key in a file of its own, beside its key file and named by its id, and answers where. A copy that is
/// there already is left alone.
pub fn keep(path: &Path, key: &KeyEncryptionKey) -> Result<PathBuf, Error> {
    let copy = copy_of(path, &key.id());
    let put = new_draft(&copy).and_then(|draft| put(&copy, &draft, key));
    match put {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match kept(path, &key.id()) {
            Some(copy) => Ok(copy),
            None => Err(Error::KeyExists { path: copy }),
        },
        put => put.map(|()| copy.clone()).map_err(|error| Error::KeyUnwritable { path: copy, error }),
    }
}

/// Removes the copy of a key that is safe elsewhere.
pub fn forget_copy(path: &Path, id: &str) -> Result<(), Error> {
    let copy = copy_of(path, id);
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::KeyUnwritable { path: copy, error })
        }
        _ => Ok(()),
    }
}

/// Where a copy of the key of this id is kept, if it is.
pub fn kept(path: &Path, id: &str) -> Option<PathBuf> {
    let copy = copy_of(path, id);
    let there = KeyRing::load(&KeySource::File(copy.clone())).ok().flatten();
    there.filter(|ring| ring.key(id).is_some()).map(|_| copy)
}

fn copy_of(path: &Path, id: &str) -> PathBuf {
    beside(&real(path), "", &format!(".{id}"))
}

/// The file that a path names, be it by a symbolic link.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The folder of a key file: whoever holds a lock on it is alone in replacing keys.
pub fn folder(path: &Path) -> PathBuf {
    folder_of(&real(path)).to_owned()
}

/// Writes one key to a file that is not there yet, by way of a draft beside it: complete or not at all.
fn put(path: &Path, draft: &Path, key: &KeyEncryptionKey) -> io::Result<()> {
    let written = write_new(draft, &[key]).and_then(|file| {
        file.sync_all()?;
        fs::hard_link(draft, path)
    });
    let removed = fs::remove_file(draft);
    written.and(removed)?;
    sync_folder(path)
}

/// The draft of a file, with what a crash left of it removed: who replaces keys does so alone, so one name will do, and
/// nothing stays.
fn new_draft(path: &Path) -> io::Result<PathBuf> {
    let draft = beside(path, ".", ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(draft),
    }
}

/// Writes keys to a file that must not be there yet.
fn write_new(path: &Path, keys: &[&KeyEncryptionKey]) -> io::Result<fs::File> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut text = Zeroizing::new(String::with_capacity(64 * keys.len()));
    for key in keys {
        text.push_str(&key.text());
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the entry of a file in its folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
#[path = "key_file_tests.rs"]
mod tests;
