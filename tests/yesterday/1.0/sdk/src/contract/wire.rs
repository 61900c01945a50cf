//! The encoding: MessagePack with field names, so that both sides may know fewer fields than the other.

use super::{Blame, Failure};
use serde::{Serialize, de::DeserializeOwned};

/// Encodes a message.
///
/// # Panics
/// Never for the contract's own types: they hold only what MessagePack can say.
pub fn encode<T: Serialize + ?Sized>(message: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(message).expect("contract messages are made of plain data")
}

/// Decodes a message that the *other* side made; a message that cannot be read is that side's fault.
///
/// # Errors
/// A [`Failure`] with the given blame that names the message and what was wrong with it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], name: &str, blame: Blame) -> Result<T, Failure> {
    rmp_serde::from_slice(bytes)
        .map_err(|error| Failure::new(blame, format!("the message \"{name}\" could not be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::catalog::{CatalogEnd, How};
    use serde::{Deserialize, Serialize};

    #[test]
    fn a_message_from_tomorrow_is_read_without_what_it_adds() {
        #[derive(Serialize)]
        struct Tomorrow {
            kind: &'static str,
            how: &'static str,
            surprise: Vec<u8>,
        }
        let bytes = encode(&Tomorrow { kind: "app", how: "complete", surprise: vec![1, 2] });
        let read: CatalogEnd = decode(&bytes, "catalog.end", Blame::Plugin).unwrap();
        assert_eq!(read.how, How::Complete);
    }

    #[test]
    fn an_unknown_blame_is_other() {
        #[derive(Serialize, Deserialize)]
        struct Tomorrow {
            blame: &'static str,
            message: &'static str,
        }
        let bytes = encode(&Tomorrow { blame: "the_moon", message: "tides" });
        let read: Failure = decode(&bytes, "failure", Blame::Plugin).unwrap();
        assert_eq!(read.blame, Blame::Other);
    }
}
