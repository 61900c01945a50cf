//! Ids: short random texts that a person can copy.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new one: 16 hexadecimal digits, 64 random bits.
            pub fn random() -> Self {
                let mut text = uuid::Uuid::new_v4().simple().to_string();
                // A version-4 UUID has fixed bits in its third group; its last 16 digits begin with the variant, so take
                // the random 12 at the end and 4 of the beginning.
                let tail = text.split_off(20);
                text.truncate(4);
                $name(text + &tail)
            }

            /// One that is stored somewhere.
            pub fn stored(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A connection's id.
    ConnectionId
}

id! {
    /// A migration's id.
    MigrationId
}

id! {
    /// A run's id.
    RunId
}

id! {
    /// The id of a rotation: of one attempt to give a credential a new version.
    RotationId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_differ() {
        let (one, other) = (RunId::random(), RunId::random());
        assert_eq!(one.as_str().len(), 16);
        assert!(one.as_str().chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }
}
