//! Making key pairs: a private key, and a self-signed certificate for its public half, as systems want it that check JWTs.

use crate::model::secret::SecretValue;
use jackfield_plugin::contract::Failure;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::time::{Duration, SystemTime};

/// A key pair.
#[derive(Clone, Debug)]
pub struct JwtKeyPair {
    /// The certificate (PEM): to be registered with the remote system.
    pub certificate: String,
    /// The private key (PEM, PKCS#8): to be kept.
    pub private_key: SecretValue,
}

/// The sizes of an RSA key that are offered, in bits.
pub const SIZES: [u16; 3] = [2048, 3072, 4096];

/// The most characters that a name in a certificate may have (RFC 5280).
const LONGEST_NAME: usize = 64;

/// Makes an RSA key pair with a certificate that names `common_name` and is valid for so many days from now.
///
/// # Errors
/// The size is not offered, the name is none, or the system has no randomness.
pub fn jwt_key_pair(common_name: &str, bits: u16, days: u32) -> Result<JwtKeyPair, Failure> {
    let length = common_name.chars().count();
    if common_name.trim().is_empty() || length > LONGEST_NAME || common_name.contains(char::is_control) {
        return Err(Failure::you(format!(
            "the name in the certificate must have 1 to {LONGEST_NAME} characters that can be seen"
        ))
        .remedy("say with --common-name who will sign in with it"));
    }
    let size = match bits {
        2048 => RsaKeySize::_2048,
        3072 => RsaKeySize::_3072,
        4096 => RsaKeySize::_4096,
        _ => {
            return Err(Failure::you(format!(
                "an RSA key of {bits} bits is not offered; it is 2048, 3072 or 4096"
            )));
        }
    };
    let failed = |error: rcgen::Error| Failure::jackfield(format!("the key pair could not be made: {error}"));
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // The other clock may be behind.
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_secs(24 * 60 * 60)).into();
    params.not_after = (now + Duration::from_secs(u64::from(days) * 24 * 60 * 60)).into();
    let certificate = params.self_signed(&pair).map_err(failed)?;
    Ok(JwtKeyPair { certificate: certificate.pem(), private_key: SecretValue::new(pair.serialize_pem()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::inspect;

    #[test]
    fn the_certificate_says_what_was_asked_for() {
        let pair = jwt_key_pair("Jackfield", 2048, 365).unwrap();
        let facts = inspect(&SecretValue::new(pair.certificate.as_str())).certificate.unwrap();
        assert_eq!(facts.subject, "CN=Jackfield");
        assert_eq!(facts.issuer, facts.subject);
        assert_eq!((facts.not_after - facts.not_before) / 86_400, 366);
        assert!(pair.private_key.reveal().starts_with("-----BEGIN PRIVATE KEY-----"));
    }

    #[test]
    fn a_small_key_is_not_made() {
        assert!(jwt_key_pair("Jackfield", 1024, 365).is_err());
    }
}
