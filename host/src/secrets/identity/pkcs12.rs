//! PKCS#12, the format of `.pfx` and `.p12` files.

use super::{Parts, Trouble, absent};
use p12_keystore::{Pkcs12Archive, error::Error};
use pkcs8::der::Decode;
use pkcs12::Pfx;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// How a file of bytes begins that is a sequence of unstated length.
const INDEFINITE: [u8; 2] = [0x30, 0x80];
/// How a Java keystore of the old kind begins.
const JAVA: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

/// The certificates and keys of a file.
pub(super) fn parts(der: &[u8], password: Option<&str>) -> Result<Parts, Trouble> {
    let file = Pfx::from_der(der).map_err(|_| instead(der))?;
    let closed = file.mac_data.is_some();
    let trouble = match Pkcs12Archive::from_pkcs12(der, password.unwrap_or_default()) {
        // Without a checksum, any password opens what is not encrypted.
        Ok(_) if password.is_some() && !closed && Pkcs12Archive::from_pkcs12(der, "").is_ok() => {
            return Err(Trouble::NeedlessPassword);
        }
        Ok(archive) => return Ok(archive.into()),
        Err(error) => meaning(&error, closed, password.unwrap_or_default()),
    };
    match (trouble, password) {
        (Trouble::WrongPassword, None) => absent::parts(&file).ok_or(Trouble::NoPassword),
        (Trouble::WrongPassword, Some(_)) => {
            let open = Pkcs12Archive::from_pkcs12(der, "").is_ok() || absent::parts(&file).is_some();
            Err(if open { Trouble::NeedlessPassword } else { Trouble::WrongPassword })
        }
        (trouble, _) => Err(trouble),
    }
}

impl From<Pkcs12Archive> for Parts {
    fn from(archive: Pkcs12Archive) -> Self {
        let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec().into());
        let keys = archive.keys.iter().map(|bag| PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into());
        Parts { certificates: certificates.collect(), keys: keys.collect() }
    }
}

/// What it is if it is not PKCS#12.
fn instead(der: &[u8]) -> Trouble {
    if x509_parser::parse_x509_certificate(der).is_ok() {
        Trouble::CertificateAlone
    } else if der.starts_with(&JAVA) {
        Trouble::JavaKeystore
    } else if der.starts_with(&INDEFINITE) {
        Trouble::LooseEncoding
    } else if is_cut_off(der) {
        Trouble::Damaged
    } else {
        Trouble::NoCertificateFile
    }
}

/// Whether it is a sequence of two bytes of length that is longer than what is there.
fn is_cut_off(der: &[u8]) -> bool {
    matches!(der, [0x30, 0x82, high, low, rest @ ..] if rest.len() < usize::from(u16::from_be_bytes([*high, *low])))
}

/// What an error means. `closed` says whether a checksum proves the password: if there is one and it was right, then whatever
/// cannot be read is damaged; without one, a wrong password and damage look alike.
fn meaning(error: &Error, closed: bool, password: &str) -> Trouble {
    match error {
        Error::MacError(_) => Trouble::WrongPassword,
        // The format has no way to write it.
        _ if password.chars().any(|c| u32::from(c) > 0xffff) => Trouble::WrongPassword,
        Error::UnsupportedEncryptionScheme
        | Error::UnsupportedMacAlgorithm
        | Error::UnsupportedContentType
        | Error::UnsupportedCertificateType
        | Error::InvalidVersion
        | Error::InvalidParameters => Trouble::Unsupported,
        Error::Pkcs5Error(_) if closed => Trouble::Unsupported,
        Error::UnpadError | Error::Pkcs5Error(_) if !closed => Trouble::WrongPassword,
        _ => Trouble::Damaged,
    }
}
