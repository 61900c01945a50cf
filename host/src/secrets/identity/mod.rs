//! Client certificates: what a person has (a `.pfx` or `.p12` file, or PEM), and what TLS needs of it.
//!
//! What is kept is what was given: PEM as it is, a file of bytes as base64. It is opened with its password for each run, and at
//! entry, so that whatever is wrong with it is said before anything is sent. Whether it is valid now is judged at both times.

mod absent;
mod pbe;
mod pem;
mod pkcs12;
mod trouble;

pub use trouble::Trouble;

use super::inspect;
use crate::model::{self, secret::SecretValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use x509_parser::{prelude::FromDer, x509::SubjectPublicKeyInfo};
use zeroize::Zeroizing;

/// How every file of PEM begins.
const PEM: &str = "-----BEGIN ";

/// What was found in a file.
#[derive(Default)]
struct Parts {
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
}

/// The value that is kept for what a person gave: the text of PEM or of base64 as it is, and of a file its bytes in base64.
pub fn entered(bytes: &[u8]) -> SecretValue {
    match std::str::from_utf8(bytes) {
        Ok(text) => SecretValue::new(text.trim_start_matches('\u{feff}').trim()),
        Err(_) => SecretValue::new(BASE64_STANDARD.encode(bytes)),
    }
}

/// Two files of PEM as one value: a certificate and its key. Nothing if one of them is something else.
pub fn together(one: &SecretValue, other: &SecretValue) -> Option<SecretValue> {
    let both = [one.reveal(), other.reveal()];
    both.iter().all(|text| text.contains(PEM)).then(|| SecretValue::new(both.join("\n")))
}

/// Opens a client certificate: its PEM with the certificate of the key first, those of its issuers, and the key, unencrypted.
/// No password and an empty one are the same.
///
/// # Errors
/// It cannot be used; the trouble says why, and nothing of the value.
pub fn open(value: &SecretValue, password: Option<&SecretValue>) -> Result<SecretValue, Trouble> {
    let password = password.map(SecretValue::reveal).filter(|password| !password.is_empty());
    let text = value.reveal().trim();
    let parts = if text.contains(PEM) {
        pem::parts(text, password)?
    } else {
        pkcs12::parts(&bytes(text)?, password)?
    };
    let (chain, key) = joined(parts)?;
    Ok(written(&chain, &key))
}

/// Checks that what was opened is valid now, in seconds since 1970.
///
/// # Errors
/// It has expired, or is not valid yet.
pub fn check_time(opened: &SecretValue, now: i64) -> Result<(), Trouble> {
    let Some(facts) = inspect(opened).certificate else { return Err(Trouble::Damaged) };
    let subject = facts.subject;
    match now {
        now if now > facts.not_after => Err(Trouble::Expired { subject, moment: facts.not_after }),
        now if now < facts.not_before => Err(Trouble::NotYet { subject, moment: facts.not_before }),
        _ => Ok(()),
    }
}

/// Whether it is closed with this password, or without one: a person at a terminal is asked for one only then.
pub fn is_closed(value: &SecretValue, password: Option<&SecretValue>) -> bool {
    matches!(open(value, password), Err(Trouble::NoPassword | Trouble::WrongPassword))
}

/// Whether it is PEM without a key: a person at a terminal is asked for the file of the key then.
pub fn lacks_key(value: &SecretValue) -> bool {
    value.reveal().contains(PEM) && !value.reveal().contains("PRIVATE KEY-----")
}

fn bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let joined: Zeroizing<String> = Zeroizing::new(text.split_ascii_whitespace().collect());
    match BASE64_STANDARD.decode(joined.as_bytes()) {
        Ok(bytes) if !bytes.is_empty() => Ok(Zeroizing::new(bytes)),
        _ if looks_like_a_path(text) => Err(Trouble::Path),
        _ => Err(Trouble::NoCertificateFile),
    }
}

fn looks_like_a_path(text: &str) -> bool {
    let name = text.to_lowercase();
    let ends = [".pfx", ".p12", ".pem", ".crt", ".cer", ".key"].iter().any(|ending| name.ends_with(ending));
    !text.contains('\n') && text.len() < 300 && ends
}

/// The one key, and the chain that begins with its certificate.
fn joined(parts: Parts) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Trouble> {
    let Parts { mut certificates, mut keys } = parts;
    keys.dedup_by(|one, other| one.secret_der() == other.secret_der());
    let first = certificates.first().map(|certificate| subject(certificate)).transpose()?;
    let key = match (keys.len(), first) {
        (0, None) => return Err(Trouble::Empty),
        (0, Some(subject)) => return Err(Trouble::NoKey { subject }),
        (_, None) => return Err(Trouble::KeyAlone),
        (1, Some(_)) => keys.remove(0),
        (count, Some(_)) => return Err(Trouble::MoreKeys { count }),
    };
    let public = public_key(&key)?;
    let mut own = None;
    for (at, certificate) in certificates.iter().enumerate() {
        if read(certificate)?.public_key().subject_public_key.data == public {
            own = own.or(Some(at));
        }
    }
    let Some(own) = own else {
        return Err(Trouble::OtherKey { subject: subject(&certificates[0])? });
    };
    let leaf = certificates.remove(own);
    certificates.retain(|other| *other != leaf);
    certificates.insert(0, leaf);
    Ok((certificates, key))
}

/// The bits of the public half of a key.
fn public_key(key: &PrivateKeyDer<'_>) -> Result<Vec<u8>, Trouble> {
    let signing = any_supported_type(key).map_err(|_| Trouble::UnusableKey)?;
    let public = signing.public_key().ok_or(Trouble::UnusableKey)?;
    let (_, public) = SubjectPublicKeyInfo::from_der(&public).map_err(|_| Trouble::UnusableKey)?;
    Ok(public.subject_public_key.data.into_owned())
}

fn read<'a>(der: &'a CertificateDer<'_>) -> Result<x509_parser::certificate::X509Certificate<'a>, Trouble> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| Trouble::Damaged)?;
    Ok(certificate)
}

fn subject(der: &CertificateDer<'_>) -> Result<String, Trouble> {
    Ok(read(der)?.subject().to_string())
}

fn written(chain: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> SecretValue {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let mut text = Zeroizing::new(String::new());
    for certificate in chain {
        text.push_str(&model::pem::written("CERTIFICATE", certificate));
    }
    text.push_str(&model::pem::written(label, key.secret_der()));
    SecretValue::new(text.as_str())
}

#[cfg(test)]
#[path = "../identity_tests.rs"]
mod tests;
