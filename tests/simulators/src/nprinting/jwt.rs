//! Tokens: the certificate that an administrator pastes into the console, and what is checked with it. Only the
//! signature, `exp` and `nbf` matter; every other registered claim is ignored, as documented.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use serde_json::Value;
use x509_parser::pem::Pem;

use crate::kit::clock;

/// What the server accepts; everything else (HS*, ES*, PS*, `none`) is refused.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
const OID_RSA: &str = "1.2.840.113549.1.1.1";

/// Checks tokens with the registered certificate.
pub(crate) struct Verifier(DecodingKey);

impl Verifier {
    /// Reads a certificate (a bare public key is none) with an RSA key.
    pub(crate) fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let block = Pem::iter_from_buffer(pem.as_bytes()).next().context("this is no PEM")??;
        if block.label != "CERTIFICATE" {
            bail!("the JWT certificate must be an X.509 certificate, not a {}", block.label);
        }
        let certificate = block.parse_x509().context("this is no X.509 certificate")?;
        let key = certificate.public_key();
        if key.algorithm.algorithm.to_id_string() != OID_RSA {
            bail!("the certificate must hold an RSA key");
        }
        Ok(Self(DecodingKey::from_rsa_der(&key.subject_public_key.data)))
    }

    /// The claims of a token that is valid now.
    pub(crate) fn claims(&self, token: &str, skew: i64) -> Option<Value> {
        let algorithm = jsonwebtoken::decode_header(token).ok()?.alg;
        if !ALGORITHMS.contains(&algorithm) {
            return None;
        }
        // The library's own decoding looks at claims that the server does not look at.
        let (signed, signature) = token.rsplit_once('.')?;
        if !jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &self.0, algorithm).ok()? {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let now = clock::now_ms() as f64 / 1000.0;
        let skew = skew as f64;
        let in_time = |name: &str, good: fn(f64, f64) -> bool, leeway: f64| match claims.get(name) {
            None | Some(Value::Null) => true,
            Some(time) => time.as_f64().is_some_and(|time| good(now, time + leeway)),
        };
        let valid =
            in_time("exp", |now, exp| now < exp, skew) && in_time("nbf", |now, nbf| now >= nbf, -skew);
        (valid && claims.is_object()).then_some(claims)
    }
}

/// A key pair as the server ships one for tests: a certificate to register and a private key to sign with.
#[derive(Debug, Clone)]
pub struct JwtPair {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PKCS #8 in PEM.
    pub private_key_pem: String,
}

impl JwtPair {
    /// Makes a pair with an RSA key of 2048 bits.
    pub fn generate() -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Jackfield simulators JWT");
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate_pem: certificate.pem(), private_key_pem: key.serialize_pem() })
    }

    /// Signs claims with RS256.
    pub fn token(&self, claims: &Value) -> anyhow::Result<String> {
        let key = EncodingKey::from_rsa_pem(self.private_key_pem.as_bytes())?;
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key)?)
    }
}
