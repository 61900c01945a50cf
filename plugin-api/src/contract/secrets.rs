//! Secrets: handles, what may be known of them, and sessions that outlive a run.

use super::{Call, Done};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A reference to a secret value that only the host has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// A secret field of the settings, by its id.
    Setting(String),
    /// A captured value, by the name of its capture.
    Captured(String),
}

/// Asks for the session of a name: a captured value that is kept across runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOpen {
    /// The name under which it was, or will be, captured.
    pub name: String,
    /// The credential that it is got with.
    pub credential: String,
    /// The turn that this caller was given and comes back from: if nothing was captured in it, that is a failure.
    #[serde(default)]
    pub turn: u64,
}

impl Call for SessionOpen {
    const NAME: &'static str = "session.open";
    type Answer = SessionState;
}

/// Whether there is a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionState {
    /// There is one; use it. Otherwise this caller, and no other meanwhile, is to get one: either by a request that
    /// captures it, or by giving up with [`SessionClose`].
    pub ready: bool,
    /// What was remembered with it: JSON pointer → value.
    #[serde(default)]
    pub facts: Value,
    /// This caller's turn of getting it, if it is not ready: for [`SessionOpen::turn`].
    #[serde(default)]
    pub turn: u64,
}

/// Ends the turn of getting a session, or throws the session away if nobody is getting it: the captured value, and what was
/// kept across runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClose {
    /// The session's name.
    pub name: String,
}

impl Call for SessionClose {
    const NAME: &'static str = "session.close";
    type Answer = Done;
}

/// Asks what may be known of a secret setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInspect {
    /// The setting's id.
    pub field: String,
}

impl Call for SecretInspect {
    const NAME: &'static str = "secret.inspect";
    type Answer = SecretFacts;
}

/// The public facts of a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SecretFacts {
    /// There is a value.
    pub present: bool,
    /// The claims, if it is a JWT; not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtFacts>,
    /// The first certificate in it, if it is PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFacts>,
}

/// What a JWT says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtFacts {
    /// Its id (`jti`).
    #[serde(default)]
    pub id: Option<String>,
    /// Its subject (`sub`).
    #[serde(default)]
    pub subject: Option<String>,
    /// Its issuer (`iss`).
    #[serde(default)]
    pub issuer: Option<String>,
    /// When it ends (`exp`), in seconds since 1970.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// What a certificate says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of the certificate, hexadecimal.
    pub sha256: String,
    /// The certificate itself, PEM: it is public, so that it can be registered with the remote system. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
}

/// Signs a JWT with a secret setting that is a private key (PEM). The result becomes a captured value of the name, for the one
/// origin; the plugin never sees it. The description must declare the key's use as [`Place::Signature`](super::http::Place).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignJwt {
    /// The setting that is the key.
    pub key: String,
    /// `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256` or `ES384`.
    pub algorithm: String,
    /// The key's id in the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The claims. The host adds `iat`, `nbf` and `exp` by its own clock; those given here are replaced.
    pub claims: serde_json::Map<String, Value>,
    /// How far `nbf` lies in the past, in seconds: the other clock may be behind.
    pub backdate_seconds: u32,
    /// How long it is valid from now, in seconds.
    pub lifetime_seconds: u32,
    /// The settings field that is the origin at which it may be shown.
    pub origin: String,
    /// The name of the captured value.
    pub name: String,
}

impl Call for SignJwt {
    const NAME: &'static str = "secret.sign_jwt";
    type Answer = Done;
}
