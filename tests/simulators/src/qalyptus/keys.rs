//! API keys: random texts that are shown once. Why one is refused, its holder does not learn.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;
use uuid::Uuid;

use crate::kit::clock;
use crate::qalyptus::config::{KeyRules, Product};

const DAY: i64 = 86_400_000;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Name.
    pub name: String,
    /// Index of the user whose rights it has: 0 is an administrator, 1 a developer, 2 a mere user.
    pub owner: u64,
    /// Index of the one organization that it reaches (cloud product); a server's key reaches what its owner reaches.
    pub organization: u64,
    /// How long it lives.
    pub life: Duration,
}

impl Default for NewKey {
    fn default() -> Self {
        Self {
            name: "connector".to_owned(),
            owner: 0,
            organization: 0,
            life: Duration::from_secs(30 * 86_400),
        }
    }
}

/// A key as its owner sees it, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedKey {
    /// By which it is known afterwards.
    pub id: String,
    /// What is sent.
    pub key: String,
}

/// A key as the system knows it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Name.
    pub(crate) name: String,
    /// Index of the owner.
    pub(crate) owner: u64,
    /// Index of the organization that it reaches; all when there is none.
    pub(crate) organization: Option<u64>,
    /// Milliseconds since 1970.
    pub(crate) expires: i64,
    /// Revoked by an administrator.
    pub(crate) revoked: bool,
    value: String,
}

/// Every key, by id.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<String, Key>);

impl Keys {
    /// Makes a key.
    pub(crate) fn make(
        &mut self,
        product: Product,
        rules: &KeyRules,
        new: &NewKey,
    ) -> anyhow::Result<IssuedKey> {
        let life = i64::try_from(new.life.as_millis()).unwrap_or(i64::MAX);
        ensure!(rules.enabled, "API keys are switched off");
        ensure!(!new.name.trim().is_empty(), "a key needs a name");
        ensure!(life <= i64::from(rules.max_days) * DAY, "a key lives {} days at most", rules.max_days);
        let held = self.0.values().filter(|key| key.owner == new.owner).count();
        ensure!(held < rules.per_user as usize, "the user has {held} keys already");
        let (id, value) = (Uuid::new_v4().to_string(), value(product));
        let key = Key {
            name: new.name.clone(),
            owner: new.owner,
            organization: (product == Product::Cloud).then_some(new.organization),
            expires: clock::now_ms() + life,
            revoked: false,
            value: value.clone(),
        };
        self.0.insert(id.clone(), key);
        Ok(IssuedKey { id, key: value })
    }

    /// The key that somebody sends, if it is valid now.
    pub(crate) fn valid(&self, value: &str) -> Option<&Key> {
        let key = self.0.values().find(|key| key.value == value)?;
        (!key.revoked && key.expires > clock::now_ms()).then_some(key)
    }

    /// A key by its id.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.0.get_mut(id)
    }

    /// Deletes a key.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }

    /// Every key with its id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Key)> {
        self.0.iter()
    }
}

/// A text that says whose key it is, which nobody outside knows to be so; what matters is that it is nobody else's.
fn value(product: Product) -> String {
    let prefix = match product {
        Product::Server => "qs",
        Product::Cloud => "qc",
    };
    format!("{prefix}_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
