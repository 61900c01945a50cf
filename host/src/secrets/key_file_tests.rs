//! The key file: replaced as a whole, private, and with copies that are found again.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

struct Folder(tempfile::TempDir);

impl Folder {
    fn with_key() -> (Folder, PathBuf, KeyEncryptionKey) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = create(&path).unwrap();
        (Folder(folder), path, key)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn ids(path: &Path) -> Vec<String> {
    let ring = KeyRing::load(&KeySource::File(path.to_owned())).unwrap().unwrap();
    ring.keys().iter().map(KeyEncryptionKey::id).collect()
}

#[test]
fn replaced_keys_stand_in_their_order_and_nobody_else_reads_them() {
    let (folder, path, old) = Folder::with_key();
    // What a crash left is not in the way, and does not stay.
    fs::write(folder.0.path().join(".key.new"), "half a key").unwrap();
    let new = KeyEncryptionKey::generate();
    replace(&path, &[&new, &old]).unwrap();
    assert_eq!(ids(&path), [new.id(), old.id()]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    replace(&path, &[&new]).unwrap();
    assert_eq!((ids(&path), folder.names()), (vec![new.id()], vec!["key".to_owned()]));
}

#[test]
fn a_link_stays_a_link() {
    let (folder, path, _) = Folder::with_key();
    let (elsewhere, new) = (tempfile::tempdir().unwrap(), KeyEncryptionKey::generate());
    let link = elsewhere.path().join("link");
    symlink(&path, &link).unwrap();
    replace(&link, &[&new]).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((ids(&path), ids(&link)), (vec![new.id()], vec![new.id()]));
    // Copies are where the file is, and the same lock serves both names.
    assert_eq!(
        keep(&link, &new).unwrap(),
        path.canonicalize().unwrap().with_file_name(format!("key.{}", new.id()))
    );
    assert_eq!(super::folder(&link), super::folder(&path));
    assert_eq!(folder.names().len(), 2);
}

#[test]
fn a_copy_is_kept_once_found_and_forgotten() {
    let (folder, path, key) = Folder::with_key();
    assert_eq!(kept(&path, &key.id()), None);
    let copy = keep(&path, &key).unwrap();
    assert_eq!(keep(&path, &key).unwrap(), copy);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!((ids(&copy), kept(&path, &key.id())), (vec![key.id()], Some(copy.clone())));
    forget_copy(&path, &key.id()).unwrap();
    forget_copy(&path, &key.id()).unwrap();
    assert_eq!(folder.names(), ["key"]);
    // Another file of that name is not overwritten, and is not taken for the copy.
    fs::write(&copy, "precious").unwrap();
    assert!(matches!(keep(&path, &key), Err(Error::KeyExists { .. })));
    assert_eq!((fs::read_to_string(&copy).unwrap().as_str(), kept(&path, &key.id())), ("precious", None));
}

#[test]
fn a_key_file_that_is_gone_is_not_made_by_replacing_it() {
    let (folder, path, key) = Folder::with_key();
    fs::remove_file(&path).unwrap();
    assert!(matches!(replace(&path, &[&key]), Err(Error::KeyUnwritable { .. })));
    assert!(folder.names().is_empty());
}
