//! PEM: certificates and a key, in one text or in several that were put together.

use super::{Parts, Trouble};
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use x509_parser::pem::Pem;

/// The certificates and keys of a text; whatever else stands in it is left out.
pub(super) fn parts(text: &str, password: Option<&str>) -> Result<Parts, Trouble> {
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Trouble::OldEncryption);
    }
    // The beginning of a section counts only at the beginning of a line.
    let text = zeroize::Zeroizing::new(text.replace("----------BEGIN ", "-----\n-----BEGIN "));
    let mut parts = Parts::default();
    for section in Pem::iter_from_buffer(text.as_bytes()) {
        let section = section.map_err(|_| Trouble::DamagedPem)?;
        let der = section.contents;
        match section.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => parts.certificates.push(der.into()),
            "RSA PRIVATE KEY" => parts.keys.push(PrivatePkcs1KeyDer::from(der).into()),
            "EC PRIVATE KEY" => parts.keys.push(PrivateSec1KeyDer::from(der).into()),
            "PRIVATE KEY" => parts.keys.push(PrivatePkcs8KeyDer::from(der).into()),
            "ENCRYPTED PRIVATE KEY" => parts.keys.push(opened(&der, password)?),
            _ => {}
        }
    }
    Ok(parts)
}

fn opened(der: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Trouble> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Trouble::Damaged)?;
    let Some(password) = password else { return Err(Trouble::NoPassword) };
    match info.decrypt(password) {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::NoPbes1CryptSupport
            | pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::AlgorithmParametersInvalid { .. },
        )) => Err(Trouble::Unsupported),
        Err(_) => Err(Trouble::WrongPassword),
    }
}
