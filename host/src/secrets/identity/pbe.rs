//! The encryption that PKCS#12 brought along (RFC 7292, appendices B and C): in `.pfx` files of the old kind, and of PEM keys
//! that were encrypted in its way. The libraries read it only in whole files, so this puts their parts together.

use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use des::TdesEde3;
use pkcs8::der::{Decode, Encode, asn1::ObjectIdentifier};
use pkcs12::{
    PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC,
    cms::cert::x509::spki::AlgorithmIdentifierOwned,
    kdf::{Pkcs12KeyType, derive_key},
    pbe_params::Pkcs12PbeParams,
};
use rc2::Rc2;
use sha1::Sha1;
use zeroize::Zeroizing;

/// As many rounds as the library makes.
const MOST_ROUNDS: i32 = 1_000_000;

/// A password as keys are derived from it.
pub(super) struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// No text at all, which is another thing than a text of no length.
    pub(super) fn absent() -> Self {
        Password(Zeroizing::default())
    }

    /// A text: UTF-16, the high byte first, with a zero at the end.
    pub(super) fn of(text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        Password(Zeroizing::new(units.flat_map(u16::to_be_bytes).collect()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A number of rounds, if it is one that a file has for a reason.
pub(super) fn rounds(iterations: i32) -> Option<i32> {
    Some(iterations).filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))
}

/// Whether this decrypts what was encrypted so.
pub(super) fn reads(algorithm: ObjectIdentifier) -> bool {
    [PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC].contains(&algorithm)
}

/// Decrypts; nothing if the password is another one, what there is is damaged, or it was not encrypted so.
pub(super) fn decrypted(
    algorithm: &AlgorithmIdentifierOwned,
    data: &[u8],
    password: &Password,
) -> Option<Zeroizing<Vec<u8>>> {
    let parameters = algorithm.parameters.as_ref()?.to_der().ok()?;
    let Pkcs12PbeParams { salt, iterations } = Pkcs12PbeParams::from_der(&parameters).ok()?;
    let (rounds, salt) = (rounds(iterations)?, salt.as_bytes());
    let derived =
        |kind, length| Zeroizing::new(derive_key::<Sha1>(password.as_bytes(), salt, kind, rounds, length));
    let iv = derived(Pkcs12KeyType::Iv, 8);
    let key = |length| derived(Pkcs12KeyType::EncryptionKey, length);
    let plain = match algorithm.oid {
        PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => {
            let cipher = cbc::Decryptor::<TdesEde3>::new_from_slices(&key(24), &iv).ok()?;
            cipher.decrypt_padded_vec::<Pkcs7>(data)
        }
        PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            let cipher = cbc::Decryptor::<Rc2>::new_from_slices(&key(5), &iv).ok()?;
            cipher.decrypt_padded_vec::<Pkcs7>(data)
        }
        _ => return None,
    };
    plain.ok().map(Zeroizing::new)
}
