//! Keys: where they come from, what is refused, and what a wrapped one is bound to.

use super::*;
use crate::secrets::{KeyRing, KeySource, key_file};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn load(path: &Path) -> Result<Option<KeyEncryptionKey>, Error> {
    let ring = KeyRing::load(&KeySource::File(path.to_owned()))?;
    Ok(ring.map(|ring| ring.keys()[0].clone()))
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_key_file_is_private_complete_and_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = key_file::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(load(&path).unwrap().unwrap().id(), made.id());
    assert_eq!(made.id().len(), 16);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_key_file_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    write(&path, "precious", 0o600);
    assert!(matches!(key_file::create(&path), Err(Error::KeyExists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no draft is left");
}

#[test]
fn of_many_that_make_a_key_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| key_file::create(&path))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect()
    });
    assert_eq!(made.len(), 1);
    assert_eq!(load(&path).unwrap().unwrap().id(), made[0].id());
}

#[test]
fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = key_file::create(&directory.path().join("no/key")).unwrap_err();
    assert!(matches!(error, Error::KeyUnwritable { .. }), "{error}");
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let text = STANDARD.encode([7; 32]);
    for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
        write(&path, &text, mode);
        let error = load(&path).unwrap_err();
        assert!(matches!(error, Error::KeyMode { .. }));
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    for mode in [0o600, 0o400] {
        write(&path, &text, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(load(&path).unwrap().is_some());
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_is_not_a_key_is_refused_and_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let short = STANDARD.encode([7; 31]);
    let long = STANDARD.encode([7; 33]);
    let key = |byte: u8| STANDARD.encode([byte; 32]);
    let twice = format!("{0}\n{0}", key(7));
    let three = format!("{}\n{}\n{}", key(7), key(8), key(9));
    let second = format!("{}\nhunter2-hunter2", key(7));
    let many = "A".repeat(10_000);
    for text in ["", "\n", "hunter2-hunter2", &"0f".repeat(32), &short, &long, &twice, &three, &second, &many]
    {
        write(&path, text, 0o600);
        let error = load(&path).unwrap_err();
        assert!(matches!(error, Error::KeyMalformed { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    write(&path, &format!("  {}\r\n", STANDARD.encode([7; 32])), 0o600);
    assert!(load(&path).unwrap().is_some(), "space around a key is no part of it");
}

#[test]
fn a_key_that_is_not_there_is_none() {
    assert!(load(Path::new("/nonexistent/key")).unwrap().is_none());
    let variable = KeySource::Environment("JACKFIELD_NO_SUCH_KEY".to_owned());
    assert!(KeyRing::load(&variable).unwrap().is_none());
    let path = KeySource::Environment("PATH".to_owned());
    assert!(matches!(KeyRing::load(&path), Err(Error::KeyMalformed { .. })));
    let error = Error::KeyMissing { r#source: variable }.to_string();
    assert!(error.contains("the environment variable JACKFIELD_NO_SUCH_KEY"), "{error}");
}

#[test]
fn the_check_value_tells_the_key_the_install_and_damage_apart() {
    let (key, other) = (KeyEncryptionKey::new(random()), KeyEncryptionKey::new(random()));
    let check = key.check_value("install-1");
    assert!(key.verify("install-1", &check).is_ok());
    let ring = |key| KeyRing::of(KeySource::Environment("KEY".to_owned()), key);
    assert_eq!(ring(key.clone()).current("install-1", &check).unwrap().id(), key.id());
    let wrong = ring(other.clone()).current("install-1", &check).unwrap_err();
    assert!(
        matches!(&wrong, Error::WrongKey { given, expected, .. } if *given == other.id() && *expected == key.id())
    );
    assert!(matches!(key.verify("install-2", &check), Err(Error::Sealed { .. })));
    for damaged in ["", "v1:", "v2:a:b", &check[..check.len() - 4], &format!("v1:{}:", key.id())] {
        assert!(matches!(key.verify("install-1", damaged), Err(Error::Sealed { .. })), "{damaged}");
    }
}

#[test]
fn a_data_key_opens_only_for_its_connection_and_key() {
    let (key, other) = (KeyEncryptionKey::new(random()), KeyEncryptionKey::new(random()));
    let data = DataKey::generate();
    let wrapped = data.wrap(&key, "install-1", "c1");
    assert_eq!(DataKey::unwrap(&key, "install-1", "c1", &wrapped).unwrap().key, data.key);
    for (install, connection) in
        [("install-1", "c2"), ("install-2", "c1"), ("install-1c", "1"), ("", "install-1c1")]
    {
        let moved = DataKey::unwrap(&key, install, connection, &wrapped);
        assert!(matches!(moved, Err(Error::DataKey { .. })));
    }
    assert!(matches!(DataKey::unwrap(&other, "install-1", "c1", &wrapped), Err(Error::DataKey { .. })));
    let ring = KeyRing::of(KeySource::Environment("KEY".to_owned()), other.clone());
    let wrong = ring.unwrap("install-1", "c1", &wrapped).unwrap_err();
    assert!(matches!(&wrong, Error::WrongKey { expected, .. } if *expected == key.id()));
    // With both, whichever sealed it is the one that is taken.
    let both = ring.joined(KeyRing::of(KeySource::Environment("KEY".to_owned()), key));
    for under in both.keys() {
        let wrapped = data.wrap(under, "install-1", "c1");
        assert_eq!(both.unwrap("install-1", "c1", &wrapped).unwrap().key, data.key);
    }
}

/// Every pair of places, of keys that seal and of keys that are sealed.
#[test]
fn of_all_wrapped_keys_each_opens_in_its_own_place_alone() {
    let keys = [KeyEncryptionKey::generate(), KeyEncryptionKey::generate()];
    let both = KeyRing::of(KeySource::Environment("KEY".to_owned()), keys[0].clone());
    let both = both.joined(KeyRing::of(KeySource::Environment("KEY".to_owned()), keys[1].clone()));
    let mut places = Vec::new();
    for key in &keys {
        for install in ["install-1", "install-1c", ""] {
            for connection in ["c1", "1", "", "c1c1", "install-1", "c2", "c3", "c4"] {
                let data = DataKey::generate();
                places.push((key, install, connection, data.wrap(key, install, connection), data));
            }
        }
    }
    let mut moves = 0;
    for (at, (key, install, connection, ..)) in places.iter().enumerate() {
        for (from, (sealer, .., wrapped, data)) in places.iter().enumerate() {
            let opened = DataKey::unwrap(key, install, connection, wrapped).ok();
            assert_eq!(opened.map(|key| key.key), (at == from).then(|| data.key.clone()), "{from} at {at}");
            // A ring takes the key that the header names, so what it seals in the right place opens, and nothing else.
            let home = (install, connection) == (&places[from].1, &places[from].2);
            let with_both = both.unwrap(install, connection, wrapped).is_ok();
            assert_eq!(with_both, home, "{from} at {at}, by {}", sealer.id());
            moves += usize::from(at != from);
        }
    }
    assert_eq!(moves, 48 * 47);
}

#[test]
fn a_sealed_value_is_no_data_key_and_a_data_key_no_value() {
    use crate::secrets::Binding;
    let (key, data) = (KeyEncryptionKey::generate(), DataKey::generate());
    let home = Binding {
        install: "install-1",
        connection: "c1",
        subject: "",
        credential: "token",
        field: "token",
        version: 1,
        purpose: "value",
    };
    let value = data.seal(&home, &[7; 32]);
    let wrapped = data.wrap(&key, "install-1", "c1");
    // Even if one key sealed both.
    let same = KeyEncryptionKey::new(data.key.clone());
    assert!(DataKey::unwrap(&same, "install-1", "c1", &value).is_err());
    assert!(data.open(&home, &DataKey::generate().wrap(&same, "install-1", "c1")).is_err());
    assert!(data.open(&home, &wrapped).is_err() && data.open(&home, &value).is_ok());
}

#[test]
fn every_bit_of_a_wrapped_key_counts() {
    let key = KeyEncryptionKey::new(random());
    let wrapped = DataKey::generate().wrap(&key, "install-1", "c1");
    for bit in 0..wrapped.len() * 8 {
        let mut flipped = wrapped.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(DataKey::unwrap(&key, "install-1", "c1", &flipped).is_err(), "bit {bit}");
        assert!(DataKey::unwrap(&key, "install-1", "c1", &wrapped[..bit / 8]).is_err());
    }
}

#[test]
fn keys_do_not_print() {
    let key = KeyEncryptionKey::new(Zeroizing::new([7; 32]));
    assert_eq!(format!("{key:?}"), format!("KeyEncryptionKey({}, …)", key.id()));
    assert!(format!("{:?}", DataKey::generate()).starts_with("DataKey("));
}
