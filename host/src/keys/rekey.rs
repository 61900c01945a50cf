//! Putting a new key-encryption key in the old one's place, while everything goes on.
//!
//! 1. The new key is written into the key file, before the old one; copies of both are kept beside, lest
//!    somebody puts a backup of the key file back meanwhile.
//! 2. One transaction makes the new key the one that seals, and notes that the old one retires. From here on the store takes
//!    no data key that the old one seals.
//! 3. The data keys are sealed anew, a page at a time, each only if it is still what was read.
//! 4. When none is left, the key file gets the new one alone. The copy of the old key stays: backups need it.
//! 5. The note of the old key is deleted.
//!
//! After each step, and between any two, everything can be opened with what the key file holds; whoever comes next goes on
//! where the note and the key file say. Where the host cannot write the key (the environment, systemd), the operator does the
//! first step and the fourth.

use super::{Keys, PAGE};
use crate::{
    model::id::ConnectionId,
    secrets::{
        self, KeyEncryptionKey, KeyRing, KeySource, key_file,
        keys::{checked_by, sealed_under},
    },
    store::{Replacement, Store},
};
use jackfield_plugin::contract::Failure;
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};
use tokio_util::sync::CancellationToken;

/// What was done.
#[derive(Debug)]
pub struct Rekeyed {
    /// The id of the key that seals now.
    pub key: String,
    /// The id of the one that did before.
    pub retired: String,
    /// Connections whose data key was sealed anew this time.
    pub connections: u64,
    /// Whether an earlier one had been interrupted.
    pub resumed: bool,
    /// Where the key is.
    pub r#source: KeySource,
    /// Where a copy of the retired one is.
    pub kept: Option<PathBuf>,
}

/// How things stand and how to be told so: data keys that were seen, of how many.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// One key taking another's place.
struct Change {
    new: KeyEncryptionKey,
    old_id: String,
    /// None when it is gone from the key file, and nothing needs it any more.
    old: Option<KeyEncryptionKey>,
    /// Whether both stand where the key is.
    is_written: bool,
    /// Whether the database has it that the new one seals.
    is_noted: bool,
}

/// Replaces the key, or finishes what an interrupted replacement left. `given` is where the new key is to be read; without it
/// a random one is made. `places` is the folder whose lock keeps others out where the key is in no file.
///
/// # Errors
/// Somebody else is at it, the keys are not such that it can be done, a data key cannot be opened, or a file or the database
/// cannot be written. It can be done again then, and goes on.
pub async fn rekey(
    keys: &Keys,
    store: &Store,
    places: &Path,
    given: Option<&KeySource>,
    cancel: &CancellationToken,
    progress: Progress<'_>,
) -> Result<Rekeyed, Failure> {
    let _alone = alone(&keys.source, places)?;
    let change = plan(keys, store, given).await?;
    begin(keys, store, &change).await?;
    let mut connections = 0;
    let broken = loop {
        let pass = seal_anew(keys, store, &change.new, cancel, progress).await?;
        connections += pass.replaced;
        // What another host did at the same time is looked at again.
        if pass.tried == 0 {
            break pass.broken;
        }
    };
    if !broken.is_empty() {
        return Err(unopened(store, &change, broken).await?);
    }
    let kept = retire(&keys.source, &change)?;
    store.forget_retiring_key().await?;
    Ok(Rekeyed {
        key: change.new.id(),
        retired: change.old_id,
        connections,
        resumed: change.is_noted,
        r#source: keys.source.clone(),
        kept,
    })
}

/// Waits for nobody: of two that replace a key at once, one is told.
fn alone(r#source: &KeySource, places: &Path) -> Result<File, Failure> {
    let folder = match r#source {
        KeySource::File(path) => key_file::folder(path),
        KeySource::Environment(_) | KeySource::SystemdCredential(_) => places.to_owned(),
    };
    let failed = |error| Failure::you(format!("{} cannot be locked: {error}", folder.display()));
    let file = File::open(&folder).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::you(format!(
            "another `jackfield secret rekey` is replacing the key in {source} at this moment"
        ))
        .remedy("wait for it; it does all that there is to do")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Finds out what is to be done from where the keys are and what the database says.
async fn plan(keys: &Keys, store: &Store, given: Option<&KeySource>) -> Result<Change, Failure> {
    let ring = keys.look_again()?;
    let check = store.key_check().await?.unwrap_or_default();
    let current = ring.current(store.install_id(), &check)?;
    let change = match (store.key_retiring().await?, ring.keys()) {
        (Some(retiring), _) => {
            let old_id = checked_by(&retiring)?.to_owned();
            let old = ring.key(&old_id).cloned();
            Change { new: current.clone(), is_written: true, is_noted: true, old, old_id }
        }
        (None, [new, old]) if old.id() == current.id() => Change {
            new: new.clone(),
            old_id: old.id(),
            old: Some(old.clone()),
            is_written: true,
            is_noted: false,
        },
        (None, [_]) => Change {
            new: new_key(&ring, given)?,
            old_id: current.id(),
            old: Some(current.clone()),
            is_written: false,
            is_noted: false,
        },
        (None, _) => return Err(left_over(&ring)),
    };
    match given {
        Some(given) if change.is_written && read_given(given)?.id() != change.new.id() => {
            Err(Failure::you(format!(
                "{} holds another key than {}, which is replacing {}",
                given,
                change.new.id(),
                change.old_id
            ))
            .remedy("leave --new-key out to finish that; then run it again with --new-key"))
        }
        _ => Ok(change),
    }
}

/// The key that is to take over from the only one that there is.
fn new_key(ring: &KeyRing, given: Option<&KeySource>) -> Result<KeyEncryptionKey, Failure> {
    let KeySource::File(_) = ring.source() else {
        return Err(not_ours_to_write(ring.source(), given.is_some()));
    };
    let Some(given) = given else { return Ok(KeyEncryptionKey::generate()) };
    let key = read_given(given)?;
    match ring.key(&key.id()) {
        Some(_) => Err(Failure::you(format!("{given} holds the key that is in use already ({})", key.id()))
            .remedy("give another, such as `openssl rand -base64 32` prints, or leave --new-key out to have one made")),
        None => Ok(key),
    }
}

fn read_given(given: &KeySource) -> Result<KeyEncryptionKey, Failure> {
    let ring = KeyRing::load(given)?;
    match ring.as_ref().map(KeyRing::keys) {
        Some([key]) => Ok(key.clone()),
        Some(_) => Err(Failure::you(format!("{given} holds two keys, and --new-key takes one"))),
        None => Err(Failure::you(format!("there is no key in {given}"))
            .remedy("name a file by --new-key @FILE, or a variable by --new-key env:NAME")),
    }
}

/// What an operator does where Jackfield can only read.
fn not_ours_to_write(r#source: &KeySource, is_given: bool) -> Failure {
    let how = match r#source {
        KeySource::Environment(name) => format!("{name}=\"$(openssl rand -base64 32) ${name}\""),
        _ => "two lines, the new one such as `openssl rand -base64 32` prints".to_owned(),
    };
    let alone = match is_given {
        true => ", and a new one that is only given to this command would shut out whatever else runs",
        false => "",
    };
    Failure::you(format!("the key is in {source}, which Jackfield cannot write{alone}")).remedy(format!(
        "put both keys there, the new one first ({how}); start anew whatever runs with the old one; then run \
         `jackfield secret rekey` again, and when it has ended take the old one out"
    ))
}

fn left_over(ring: &KeyRing) -> Failure {
    let ids: Vec<_> = ring.keys().iter().map(KeyEncryptionKey::id).collect();
    Failure::you(format!(
        "{} holds two keys, and the first ({}) is the one that seals everything already: nothing needs the second",
        ring.source(),
        ids.first().map(String::as_str).unwrap_or_default()
    ))
    .remedy("take the second out; to replace the key, put a new one before the first, or run this again with one key")
}

/// Writes the new key where everybody finds it, and only then lets it seal.
async fn begin(keys: &Keys, store: &Store, change: &Change) -> Result<(), Failure> {
    let (Some(old), false) = (&change.old, change.is_noted) else { return Ok(()) };
    if let KeySource::File(path) = &keys.source {
        if !change.is_written {
            key_file::replace(path, &[&change.new, old]).map_err(by_hand)?;
            keys.look_again()?;
        }
        for key in [&change.new, old] {
            match key_file::keep(path, key) {
                // Whoever wrote both keys there by hand may have had to, and has them.
                Err(error) if !change.is_written => return Err(error.into()),
                _ => {}
            }
        }
    }
    let install = store.install_id();
    if store.change_key_check(&old.check_value(install), &change.new.check_value(install)).await? {
        return Ok(());
    }
    Err(Failure::you("another host has replaced the key of this database at this moment")
        .remedy("bring the key here that it uses now"))
}

fn by_hand(error: secrets::Error) -> Failure {
    Failure::from(error)
        .remedy("or put both keys into the file yourself, a line each, the new one first, and run this again")
}

/// One walk over all data keys.
#[derive(Default)]
struct Pass {
    /// How many were to be sealed anew.
    tried: u64,
    /// How many were.
    replaced: u64,
    /// Those that no key opens, and why.
    broken: Vec<(ConnectionId, secrets::Error)>,
}

async fn seal_anew(
    keys: &Keys,
    store: &Store,
    new: &KeyEncryptionKey,
    cancel: &CancellationToken,
    progress: Progress<'_>,
) -> Result<Pass, Failure> {
    let (ring, install, id) = (keys.known(), store.install_id(), new.id());
    let total = store.count_data_keys().await?;
    let (mut pass, mut seen, mut behind) = (Pass::default(), 0, String::new());
    loop {
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let page = store.data_keys_after(&behind, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(pass) };
        last.as_str().clone_into(&mut behind);
        seen += page.len() as u64;
        let mut replacements = Vec::new();
        for (connection, before) in page {
            if sealed_under(&before).as_ref() == Some(&id) {
                continue;
            }
            match ring.unwrap(install, connection.as_str(), &before) {
                Ok(key) => {
                    let after = key.wrap(new, install, connection.as_str());
                    replacements.push(Replacement { connection, before, after });
                }
                Err(error) => pass.broken.push((connection, error)),
            }
        }
        if !replacements.is_empty() {
            pass.tried += replacements.len() as u64;
            pass.replaced += store.replace_data_keys(&replacements).await?;
        }
        progress(seen, total.max(seen));
    }
}

/// Names the connections whose data keys no key opens. The old key stays: perhaps a backup brings them back.
async fn unopened(
    store: &Store,
    change: &Change,
    broken: Vec<(ConnectionId, secrets::Error)>,
) -> Result<Failure, Failure> {
    let mut lines = String::new();
    for (id, error) in &broken {
        let name = store.connection(id).await?.map(|connection| connection.name).unwrap_or_default();
        let why = match error {
            secrets::Error::WrongKey { expected, .. } => {
                format!("sealed under {expected}, which is not there")
            }
            _ => "moved, altered or cut off".to_owned(),
        };
        lines += &format!("\n  \"{name}\" ({id}): {why}");
    }
    Ok(Failure::jackfield(format!(
        "the key {} seals all that can be opened, but {} stays, because {} cannot be opened:{lines}",
        change.new.id(),
        change.old_id,
        match broken.len() {
            1 => "the data key of a connection".to_owned(),
            many => format!("the data keys of {many} connections"),
        },
    ))
    .remedy("restore the database from a backup, or delete what is named and add it again; then run `jackfield secret rekey` again"))
}

/// Takes the old key out of the key file, where that is one.
fn retire(r#source: &KeySource, change: &Change) -> Result<Option<PathBuf>, Failure> {
    let KeySource::File(path) = r#source else { return Ok(None) };
    let unfinished = |error: secrets::Error| {
        Failure::from(error).context("every secret is sealed under the new key, but the old one is still in the key file")
            .remedy("let this user write there, or take the second line out of the file; then run `jackfield secret rekey` again")
    };
    let kept = match &change.old {
        Some(old) => {
            let kept = key_file::keep(path, old).map_err(unfinished)?;
            key_file::replace(path, &[&change.new]).map_err(unfinished)?;
            Some(kept)
        }
        None => key_file::kept(path, &change.old_id),
    };
    key_file::forget_copy(path, &change.new.id()).map_err(unfinished)?;
    Ok(kept)
}
