//! A secret value: a text that is wiped when dropped and refuses to be printed.

use std::fmt;
use zeroize::Zeroizing;

/// The value of a secret. It has no `Display`, its `Debug` hides it, and it cannot be serialized; whoever needs the text
/// says so with [`reveal`](SecretValue::reveal), which a reader can search for.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Takes a value in.
    pub fn new(value: impl Into<String>) -> Self {
        SecretValue(Zeroizing::new(value.into()))
    }

    /// The value itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}
