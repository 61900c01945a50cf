//! PEM: certificates and a key, in one text or in several that were put together.

use super::{
    Parts, Trouble,
    pbe::{self, Password},
};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, der::Decode, pkcs5};
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

/// The certificates and keys of a text; whatever else stands in it is left out.
pub(super) fn parts(text: &str, password: Option<&str>) -> Result<Parts, Trouble> {
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Trouble::OldEncryption);
    }
    // The beginning of a section counts only at the beginning of a line.
    let text = Zeroizing::new(text.replace("----------BEGIN ", "-----\n-----BEGIN "));
    let mut parts = Parts::default();
    let mut encrypted = false;
    for section in Pem::iter_from_buffer(text.as_bytes()) {
        let section = section.map_err(|_| Trouble::DamagedPem)?;
        let der = section.contents;
        match section.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => parts.certificates.push(der.into()),
            "RSA PRIVATE KEY" => parts.keys.push(PrivatePkcs1KeyDer::from(der).into()),
            "EC PRIVATE KEY" => parts.keys.push(PrivateSec1KeyDer::from(der).into()),
            "PRIVATE KEY" => parts.keys.push(PrivatePkcs8KeyDer::from(der).into()),
            "ENCRYPTED PRIVATE KEY" => {
                encrypted = true;
                parts.keys.push(opened(&der, password)?);
            }
            _ => {}
        }
    }
    // What lacks a key or a certificate has a worse trouble.
    let whole = !parts.keys.is_empty() && !parts.certificates.is_empty();
    if whole && !encrypted && password.is_some() {
        return Err(Trouble::NeedlessPassword);
    }
    Ok(parts)
}

fn opened(der: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Trouble> {
    let info = EncryptedPrivateKeyInfo::from_der(der).map_err(|_| Trouble::Damaged)?;
    // Some programs encrypt with a password of no length.
    let trouble = if password.is_some() { Trouble::WrongPassword } else { Trouble::NoPassword };
    let password = password.unwrap_or_default();
    let (algorithm, data) = (&info.encryption_algorithm, info.encrypted_data.as_bytes());
    let key = match pbe::reads(algorithm.oid) {
        true => pbe::decrypted(algorithm, data, &Password::of(password)).ok_or(trouble.clone())?,
        false => decrypted(der, password, &trouble)?,
    };
    // A wrong password can yield what is well padded by chance.
    match PrivateKeyInfoRef::try_from(key.as_slice()) {
        Ok(_) => Ok(PrivatePkcs8KeyDer::from(key.to_vec()).into()),
        Err(_) => Err(trouble),
    }
}

/// What the library can decrypt.
fn decrypted(der: &[u8], password: &str, otherwise: &Trouble) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Trouble::UnsupportedKey)?;
    info.decrypt(password).map(|key| key.to_bytes()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::NoPbes1CryptSupport
            | pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::AlgorithmParametersInvalid { .. },
        ) => Trouble::UnsupportedKey,
        _ => otherwise.clone(),
    })
}
