//! PKCS#12 files whose password is no text at all, which is another thing than a text of no length: their keys are derived from
//! nothing, instead of from the two zero bytes at which every text ends. Both are seen where somebody exported without a
//! password. The library can only read the second, so this reads the first, with the parts that the library is made of.

use super::{
    Parts,
    pbe::{self, Password},
};
use aws_lc_rs::hmac;
use pkcs8::der::{
    Decode, Encode,
    asn1::{ContextSpecific, ObjectIdentifier, OctetString},
};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs12::{
    AuthenticatedSafe, CertBag, MacData, PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID,
    PKCS_12_PKCS8_KEY_BAG_OID, Pfx,
    cms::{
        cert::x509::spki::AlgorithmIdentifierOwned, content_info::ContentInfo, encrypted_data::EncryptedData,
    },
    kdf::{Pkcs12KeyType, derive_key},
    pbe_params::EncryptedPrivateKeyInfo,
    safe_bag::{PrivateKeyInfo, SafeContents},
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

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
    let rounds = pbe::rounds(mac.iterations)?;
    let absent = Password::absent();
    let password = absent.as_bytes();
    let salt = mac.mac_salt.as_bytes();
    let kind = Pkcs12KeyType::Mac;
    let (algorithm, key) = match mac.mac.algorithm.oid {
        SHA1 => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derive_key::<Sha1>(password, salt, kind, rounds, 20)),
        SHA256 => (hmac::HMAC_SHA256, derive_key::<Sha256>(password, salt, kind, rounds, 32)),
        SHA384 => (hmac::HMAC_SHA384, derive_key::<Sha384>(password, salt, kind, rounds, 48)),
        SHA512 => (hmac::HMAC_SHA512, derive_key::<Sha512>(password, salt, kind, rounds, 64)),
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
    if pbe::reads(algorithm.oid) {
        return pbe::decrypted(algorithm, data, &Password::absent());
    }
    // PBES2 knows no difference between no text and one of no length.
    let der = algorithm.to_der().ok()?;
    let scheme = EncryptionScheme::try_from(der.as_slice()).ok()?;
    scheme.decrypt("", data).ok().map(Zeroizing::new)
}
