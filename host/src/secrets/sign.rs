//! Signing JWTs with a private key that never leaves the host.

use crate::model::secret::SecretValue;
use jackfield_plugin::contract::{Failure, Stage, secrets::SignJwt};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;

/// The algorithms that are offered. Those with a shared secret are not: nobody could keep both halves apart.
const OFFERED: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// Signs the claims. `now` is in seconds since 1970.
///
/// # Errors
/// The algorithm is not offered (the plugin's fault), or the key is none that fits it (the person's).
pub(super) fn sign(key: &SecretValue, request: &SignJwt, now: i64) -> Result<SecretValue, Failure> {
    let algorithm = OFFERED.into_iter().find(|offered| format!("{offered:?}") == request.algorithm);
    let algorithm = algorithm.ok_or_else(|| {
        Failure::plugin(format!("this host does not sign with the algorithm \"{}\"", request.algorithm))
    })?;
    let mut header = Header::new(algorithm);
    header.kid.clone_from(&request.key_id);
    let mut claims = request.claims.clone();
    claims.insert("iat".to_owned(), Value::from(now));
    claims.insert("nbf".to_owned(), Value::from(now - i64::from(request.backdate_seconds)));
    claims.insert("exp".to_owned(), Value::from(now + i64::from(request.lifetime_seconds)));
    let pem = private_key(key.reveal()).as_bytes();
    let key = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem),
        _ => EncodingKey::from_rsa_pem(pem),
    };
    let signed = key.and_then(|key| jsonwebtoken::encode(&header, &claims, &key));
    signed.map(SecretValue::new).map_err(|_| unfit(request))
}

/// The text from its first private key on: only the first block of PEM is read, and a certificate may stand before the key.
fn private_key(pem: &str) -> &str {
    let is_key = |at: &usize| pem[*at..].lines().next().is_some_and(|line| line.contains("PRIVATE KEY-----"));
    let begin = pem.match_indices("-----BEGIN ").map(|(at, _)| at).find(is_key);
    pem[begin.unwrap_or(0)..].trim()
}

fn unfit(request: &SignJwt) -> Failure {
    let kind = if request.algorithm.starts_with("ES") { "an EC" } else { "an RSA" };
    Failure::you(format!("the private key is not {kind} key that {} can sign with", request.algorithm))
        .at(Stage::Settings)
        .field(request.key.clone())
        .remedy("give the private key as PEM, unencrypted: it begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData};

    fn request(algorithm: &str) -> SignJwt {
        SignJwt {
            key: "private_key".to_owned(),
            algorithm: algorithm.to_owned(),
            key_id: Some("k1".to_owned()),
            claims: serde_json::Map::from_iter([("email".to_owned(), Value::from("a@example.com"))]),
            backdate_seconds: 60,
            lifetime_seconds: 300,
            origin: "server_url".to_owned(),
            name: "jwt".to_owned(),
        }
    }

    #[test]
    fn what_is_signed_is_verified_by_the_public_half() {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let now = jsonwebtoken::get_current_timestamp().cast_signed();
        let key = SecretValue::new(pair.serialize_pem());
        for algorithm in ["RS256", "RS384", "RS512", "PS256"] {
            let token = sign(&key, &request(algorithm), now).unwrap();
            let public = DecodingKey::from_rsa_der(pair.der_bytes());
            let mut validation = Validation::new(algorithm.parse().unwrap());
            validation.validate_nbf = true;
            let read = jsonwebtoken::decode::<Value>(token.reveal(), &public, &validation).unwrap();
            assert_eq!(read.claims["email"], "a@example.com");
            assert_eq!(read.claims["exp"], now + 300);
            assert_eq!(read.claims["nbf"], now - 60);
            assert_eq!(read.header.kid.as_deref(), Some("k1"));
        }
    }

    #[test]
    fn a_key_signs_with_its_certificate_before_or_behind_it() {
        let pair = crate::secrets::generate::jwt_key_pair("Jackfield", 2048, 1).unwrap();
        let (key, certificate) = (pair.private_key.reveal(), pair.certificate.as_str());
        let now = jsonwebtoken::get_current_timestamp().cast_signed();
        let x509 = certificate.as_bytes();
        let public = x509_parser::pem::Pem::iter_from_buffer(x509).next().unwrap().unwrap();
        let public = public.parse_x509().unwrap().public_key().subject_public_key.data.to_vec();
        for text in [
            format!("{key}{certificate}"),
            format!("{certificate}{key}"),
            format!("{key}\r\n\r\n{certificate}"),
        ] {
            let token = sign(&SecretValue::new(text), &request("RS256"), now).unwrap();
            let key = DecodingKey::from_rsa_der(&public);
            let validation = Validation::new(Algorithm::RS256);
            jsonwebtoken::decode::<Value>(token.reveal(), &key, &validation).unwrap();
        }
    }

    #[test]
    fn a_key_that_does_not_fit_is_named_without_its_value() {
        let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        for (key, algorithm) in [("hunter2-hunter2", "RS256"), (elliptic.as_str(), "RS256"), ("", "ES256")] {
            let failure = sign(&SecretValue::new(key), &request(algorithm), 0).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some("private_key"));
            assert!(key.is_empty() || !failure.to_string().contains(key), "{failure}");
        }
    }

    #[test]
    fn shared_secrets_and_nothing_are_not_offered() {
        for algorithm in ["HS256", "none", "", "rs256"] {
            let failure = sign(&SecretValue::new("key"), &request(algorithm), 0).unwrap_err();
            assert_eq!(failure.blame, jackfield_plugin::contract::Blame::Plugin, "{algorithm}");
        }
    }
}
