//! Tokens: access tokens and API keys are JWTs signed with ES384 by a key made at start, and are really verified.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::clock;

/// Issuer of API keys.
pub(crate) const API_KEYS: &str = "qlik.api/api-keys";
/// Issuer of access tokens.
pub(crate) const ACCESS: &str = "qlik.api.internal";
/// Verified tokens remembered, because checking a signature costs more than writing a page.
const REMEMBERED: usize = 1000;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    /// Issuer.
    pub(crate) iss: String,
    /// Audience.
    pub(crate) aud: String,
    /// User id.
    pub(crate) sub: String,
    /// `user`.
    pub(crate) sub_type: String,
    /// Tenant.
    pub(crate) tenant_id: String,
    /// Id of the token; of an API key, the key's id.
    pub(crate) jti: String,
    /// Seconds since 1970.
    pub(crate) iat: i64,
    /// Seconds since 1970.
    pub(crate) exp: i64,
    /// OAuth client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) client_id: Option<String>,
    /// Granted scopes, space separated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) scope: Option<String>,
}

/// The tenant's signing key.
pub(crate) struct Signer {
    kid: String,
    private: EncodingKey,
    public: DecodingKey,
    verified: Mutex<HashMap<String, Claims>>,
}

impl Signer {
    /// Makes a key.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?;
        Ok(Self {
            kid: uuid::Uuid::new_v4().to_string(),
            private: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes())?,
            public: DecodingKey::from_ec_pem(pair.public_key_pem().as_bytes())?,
            verified: Mutex::default(),
        })
    }

    /// Signs claims.
    pub(crate) fn sign(&self, claims: &Claims) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(Algorithm::ES384);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.private)
    }

    /// Verifies signature and expiry.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let claims = self.remembered(token).or_else(|| self.check(token))?;
        (claims.exp > clock::now_seconds()).then_some(claims)
    }

    fn remembered(&self, token: &str) -> Option<Claims> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn check(&self, token: &str) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::ES384);
        rules.set_audience(&["qlik.api"]);
        rules.leeway = 0;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.public, &rules).ok()?.claims;
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(token.to_owned(), claims.clone());
        Some(claims)
    }

    /// The public key as a key set.
    pub(crate) fn key_set(&self) -> Value {
        let Ok(key) = Jwk::from_encoding_key(&self.private, Algorithm::ES384) else { return json!({"keys": []}) };
        let mut key = json!(key);
        key["kid"] = json!(self.kid);
        key["use"] = json!("sig");
        json!({"keys": [key]})
    }
}

/// The claims of a client's assertion (RFC 7523), verified with one of its registered public keys.
pub(crate) fn verify_assertion(assertion: &str, keys: &[Value], audience: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Assertion {
        iss: String,
        sub: String,
        iat: i64,
        exp: i64,
        jti: String,
    }
    let header = jsonwebtoken::decode_header(assertion).ok()?;
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::RS512 | Algorithm::ES384) {
        return None;
    }
    let key = keys.iter().find(|key| key["kid"].as_str() == header.kid.as_deref())?;
    let key = DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(key.clone()).ok()?).ok()?;
    let mut rules = Validation::new(header.alg);
    rules.set_audience(&[audience]);
    let claims = jsonwebtoken::decode::<Assertion>(assertion, &key, &rules).ok()?.claims;
    let honest = claims.iss == claims.sub && claims.exp - claims.iat <= 300 && !claims.jti.is_empty();
    honest.then_some(claims.sub)
}

/// Whose assertion it claims to be, before any check.
pub(crate) fn asserted_client(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    jsonwebtoken::dangerous::insecure_decode::<Subject>(assertion).ok().map(|data| data.claims.sub)
}
