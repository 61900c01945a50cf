//! The public facts of a secret: what a JWT or a certificate says of itself. Nothing is verified; garbage has no facts.

use super::keys::hex;
use crate::model::{pem::written, secret::SecretValue};
use jackfield_plugin::contract::secrets::{CertificateFacts, JwtFacts, SecretFacts};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

/// Reads the public facts of a secret. Never fails: a value that is neither a JWT nor PEM is only there or not.
pub fn inspect(secret: &SecretValue) -> SecretFacts {
    let text = secret.reveal().trim();
    SecretFacts { present: !text.is_empty(), jwt: jwt(text), certificate: certificate(text) }
}

/// The claims of a JWT, whatever its algorithm.
fn jwt(text: &str) -> Option<JwtFacts> {
    let claims: Map<String, Value> = jsonwebtoken::dangerous::insecure_decode_claims(text).ok()?;
    let word = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(JwtFacts {
        id: word("jti"),
        subject: word("sub"),
        issuer: word("iss"),
        expires: claims.get("exp").and_then(seconds),
    })
}

/// A time in seconds as issuers write it: a whole number, one with a fraction, or either in a text.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
    }
}

/// The first certificate of a PEM text, wherever in it it stands.
fn certificate(text: &str) -> Option<CertificateFacts> {
    let text = &text[text.find("-----BEGIN CERTIFICATE-----")?..];
    let pem = Pem::iter_from_buffer(text.as_bytes()).next()?.ok()?;
    let certificate = pem.parse_x509().ok()?;
    Some(CertificateFacts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        sha256: hex(&Sha256::digest(&pem.contents)),
        pem: Some(written("CERTIFICATE", &pem.contents).to_string()),
    })
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
