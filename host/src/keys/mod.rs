//! Keys: which key-encryption keys this process knows, the data keys that they open, and putting a new one in the old one's
//! place.
//!
//! The database says by its *key check* which key seals data keys now. Usually there is one key, and it is that one. While
//! [`rekey`] is at work there are two, the new one first, where the operator keeps the key; a data key says in its header
//! which of them opens it. A process that meets a key that it does not know looks again where the keys are, so that those that
//! were started long ago go on through any number of changes.

pub mod rekey;

use crate::{
    model::id::ConnectionId,
    secrets::{
        self, DataKey, HalfReplaced, KeyEncryptionKey, KeyRing, KeySource, key_file,
        keys::{checked_by, sealed_under},
    },
    store::Store,
};
use jackfield_plugin::contract::Failure;
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

/// How many data keys are read, and sealed anew, at once: short enough to be in nobody's way.
const PAGE: i64 = 200;

/// The keys that this process knows.
#[derive(Clone, Debug)]
pub struct Keys {
    r#source: KeySource,
    known: Arc<RwLock<KeyRing>>,
}

impl Keys {
    /// The keys of a database: one is made with a new database, and from then on it is the one that belongs to it.
    ///
    /// # Errors
    /// There is none, it is another's, or one of two is missing.
    pub async fn open(r#source: KeySource, store: &Store) -> Result<Keys, Failure> {
        let mut read = store.key_check().await?;
        loop {
            // In this order: who changes the check has written the key before.
            let ring = load(&r#source, read.is_none())?;
            let first = ring.keys().first().map(|key| key.check_value(store.install_id()));
            // Two processes that start on a new folder at once agree on the first one's value.
            let current = store.set_key_check_once(&first.unwrap_or_default()).await?;
            let checked = check(&ring, store, &current).await;
            if checked.is_err() {
                let now = store.key_check().await?;
                if now != read {
                    read = now;
                    continue;
                }
            }
            return checked.map(|()| Keys { r#source, known: Arc::new(RwLock::new(ring)) });
        }
    }

    /// A connection's data key, made when it is first asked for.
    ///
    /// # Errors
    /// The store failed, or the stored key cannot be opened.
    pub async fn data_key(&self, store: &Store, connection: &ConnectionId) -> Result<DataKey, Failure> {
        let mut unknown = None;
        loop {
            let Some(wrapped) = store.data_key(connection).await? else {
                return self.make(store, connection).await;
            };
            match self.known().unwrap(store.install_id(), connection.as_str(), &wrapped) {
                Err(secrets::Error::WrongKey { .. }) if unknown.as_ref() != Some(&wrapped) => {
                    self.look_again()?;
                    unknown = Some(wrapped);
                }
                Err(secrets::Error::WrongKey { .. }) => return Err(self.unknown(store, connection).await?),
                opened => return Ok(opened?),
            }
        }
    }

    /// Why a data key names a key that is nowhere: the keys of this process are not the database's any more, or what it names
    /// was altered.
    async fn unknown(&self, store: &Store, connection: &ConnectionId) -> Result<Failure, Failure> {
        let now = store.key_check().await?.unwrap_or_default();
        let checked = check(&self.known(), store, &now).await;
        Ok(checked
            .err()
            .unwrap_or_else(|| secrets::Error::DataKey { connection: connection.to_string() }.into()))
    }

    async fn make(&self, store: &Store, connection: &ConnectionId) -> Result<DataKey, Failure> {
        let made = DataKey::generate();
        let mut before = None;
        loop {
            let check = store.key_check().await?.unwrap_or_default();
            if self.known().key(checked_by(&check)?).is_none() {
                self.look_again()?;
            }
            let known = self.known();
            let key = known.current(store.install_id(), &check)?;
            let wrapped = made.wrap(key, store.install_id(), connection.as_str());
            if store.put_data_key(connection, &wrapped, &check).await? {
                return Ok(made);
            }
            // The check was changed in between, which happens once in a long while.
            if before.as_ref() == Some(&check) {
                return Err(Failure::jackfield("the data key of a connection could not be saved"));
            }
            before = Some(check);
        }
    }

    /// The keys as they are known now.
    fn known(&self) -> KeyRing {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys again. What is known is not forgotten: somebody may have read a data key just before it was replaced.
    fn look_again(&self) -> Result<KeyRing, Failure> {
        let newer = load(&self.r#source, false)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = known.joined(newer.clone());
        Ok(newer)
    }
}

/// Reads the keys, or makes the first one where that is a file's to have.
fn load(r#source: &KeySource, is_new: bool) -> Result<KeyRing, Failure> {
    match (KeyRing::load(r#source)?, r#source) {
        (Some(ring), _) => Ok(ring),
        (None, KeySource::File(path)) if is_new => {
            let made = made_or_found(path)?;
            made.map_or_else(|| load(r#source, false), |key| Ok(KeyRing::of(r#source.clone(), key)))
        }
        (None, _) => Err(secrets::Error::KeyMissing { r#source: r#source.clone() }.into()),
    }
}

/// A new key; none if another process made one in this very moment.
fn made_or_found(path: &Path) -> Result<Option<KeyEncryptionKey>, Failure> {
    match key_file::create(path) {
        Err(secrets::Error::KeyExists { .. }) => Ok(None),
        made => Ok(Some(made?)),
    }
}

/// Whether everything can be opened with these keys: what the current one seals, and what one that is being replaced does.
async fn check(ring: &KeyRing, store: &Store, check: &str) -> Result<(), Failure> {
    let current = ring.current(store.install_id(), check);
    let Some(retiring) = store.key_retiring().await? else { return Ok(current.map(drop)?) };
    let (new, old) = (checked_by(check)?, checked_by(&retiring)?);
    let missing = match (current, ring.key(old)) {
        (Ok(_), Some(_)) => return Ok(()),
        (Ok(_), None) if !is_any_sealed_under_another(store, new).await? => return Ok(()),
        (Ok(_), None) => old,
        (Err(secrets::Error::WrongKey { .. }), Some(_)) => new,
        (Err(error), _) => return Err(error.into()),
    };
    let half = HalfReplaced {
        r#source: ring.source().clone(),
        given: ring.ids(),
        missing: missing.to_owned(),
        kept: ring.source().kept(missing),
        old: old.to_owned(),
        new: new.to_owned(),
    };
    Err(secrets::Error::HalfReplaced(Box::new(half)).into())
}

/// Whether a data key is left that another key seals than this one.
async fn is_any_sealed_under_another(store: &Store, id: &str) -> Result<bool, Failure> {
    let mut behind = String::new();
    loop {
        let page = store.data_keys_after(&behind, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(false) };
        if page.iter().any(|(_, wrapped)| sealed_under(wrapped).as_deref() != Some(id)) {
            return Ok(true);
        }
        last.as_str().clone_into(&mut behind);
    }
}
