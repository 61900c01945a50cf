//! PKCS#12 files whose password is no text at all, which is another thing than a text of no length: their keys are derived from
//! nothing, instead of from the two zero bytes at which every text ends. Both are seen where somebody exported without a
//! password. The library can only read the second, so this reads the first, with the parts that the library is made of.

use super::Parts;
use aws_lc_rs::hmac;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use des::TdesEde3;
use pkcs8::der::{
    Decode, Encode,
    asn1::{ContextSpecific, ObjectIdentifier, OctetString},
};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs12::{
    AuthenticatedSafe, CertBag, MacData, PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID,
    PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC,
    PKCS_12_PKCS8_KEY_BAG_OID, Pfx,
    cms::{
        cert::x509::spki::AlgorithmIdentifierOwned, content_info::ContentInfo, encrypted_data::EncryptedData,
    },
    kdf::{Pkcs12KeyType, derive_key},
    pbe_params::{EncryptedPrivateKeyInfo, Pkcs12PbeParams},
    safe_bag::{PrivateKeyInfo, SafeContents},
};
use rc2::Rc2;
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// As many rounds as the library makes.
const MOST_ROUNDS: i32 = 1_000_000;

/// The certificates and keys of a file, if its password is no text at all.
pub(super) fn parts(file: &Pfx) -> Option<Parts> {
    verify(file.mac_data.as_ref()?, file.auth_safe.content.value())?;
    let safes = OctetString::from_der(&file.auth_safe.content.to_der().ok()?).ok()?;
    let mut parts = Parts::default();
    for safe in AuthenticatedSafe::from_der(safes.as_bytes()).ok()? {
        add(&mut parts, &content(&safe)?)?;
    }
    Some(parts)
}

/// Checks the checksum that is made with the password.
fn verify(mac: &MacData, data: &[u8]) -> Option<()> {
    let rounds = Some(mac.iterations).filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
    let salt = mac.mac_salt.as_bytes();
    let kind = Pkcs12KeyType::Mac;
    let (algorithm, key) = match mac.mac.algorithm.oid {
        SHA1 => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derive_key::<Sha1>(&[], salt, kind, rounds, 20)),
        SHA256 => (hmac::HMAC_SHA256, derive_key::<Sha256>(&[], salt, kind, rounds, 32)),
        SHA384 => (hmac::HMAC_SHA384, derive_key::<Sha384>(&[], salt, kind, rounds, 48)),
        SHA512 => (hmac::HMAC_SHA512, derive_key::<Sha512>(&[], salt, kind, rounds, 64)),
        _ => return None,
    };
    hmac::verify(&hmac::Key::new(algorithm, &key), data, mac.mac.digest.as_bytes()).ok()
}

/// What is in one of the file's parts, decrypted.
fn content(safe: &ContentInfo) -> Option<Zeroizing<Vec<u8>>> {
    let der = safe.content.to_der().ok()?;
    if safe.content_type == DATA {
        return Some(Zeroizing::new(OctetString::from_der(&der).ok()?.into_bytes().to_vec()));
    }
    let info = EncryptedData::from_der(&der).ok()?.enc_content_info;
    decrypted(&info.content_enc_alg, info.encrypted_content?.as_bytes())
}

/// Adds the certificates and keys of a part; whatever else is in it is left out.
fn add(parts: &mut Parts, bags: &[u8]) -> Option<()> {
    for bag in SafeContents::from_der(bags).ok()? {
        let value = bag.bag_value.as_slice();
        let key = match bag.bag_id {
            PKCS_12_CERT_BAG_OID => {
                let bag = ContextSpecific::<CertBag>::from_der(value).ok()?.value;
                parts.certificates.push(bag.cert_value.as_bytes().to_vec().into());
                continue;
            }
            PKCS_12_KEY_BAG_OID => {
                ContextSpecific::<PrivateKeyInfo>::from_der(value).ok()?.value.to_der().ok()?
            }
            PKCS_12_PKCS8_KEY_BAG_OID => {
                let bag = ContextSpecific::<EncryptedPrivateKeyInfo>::from_der(value).ok()?.value;
                decrypted(&bag.encryption_algorithm, bag.encrypted_data.as_bytes())?.to_vec()
            }
            _ => continue,
        };
        parts.keys.push(PrivatePkcs8KeyDer::from(key).into());
    }
    Some(())
}

fn decrypted(algorithm: &AlgorithmIdentifierOwned, data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let parameters = algorithm.parameters.as_ref()?.to_der().ok()?;
    match algorithm.oid {
        PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => {
            let (key, iv) = derived(&parameters, 24)?;
            let cipher = cbc::Decryptor::<TdesEde3>::new_from_slices(&key, &iv).ok()?;
            cipher.decrypt_padded_vec::<Pkcs7>(data).ok().map(Zeroizing::new)
        }
        PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            let (key, iv) = derived(&parameters, 5)?;
            let cipher = cbc::Decryptor::<Rc2>::new_from_slices(&key, &iv).ok()?;
            cipher.decrypt_padded_vec::<Pkcs7>(data).ok().map(Zeroizing::new)
        }
        // PBES2 knows no difference between no text and one of no length.
        _ => {
            let der = algorithm.to_der().ok()?;
            let scheme = EncryptionScheme::try_from(der.as_slice()).ok()?;
            scheme.decrypt("", data).ok().map(Zeroizing::new)
        }
    }
}

fn derived(parameters: &[u8], length: usize) -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
    let Pkcs12PbeParams { salt, iterations } = Pkcs12PbeParams::from_der(parameters).ok()?;
    let rounds = Some(iterations).filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
    let key = derive_key::<Sha1>(&[], salt.as_bytes(), Pkcs12KeyType::EncryptionKey, rounds, length);
    let iv = derive_key::<Sha1>(&[], salt.as_bytes(), Pkcs12KeyType::Iv, rounds, 8);
    Some((Zeroizing::new(key), iv))
}
