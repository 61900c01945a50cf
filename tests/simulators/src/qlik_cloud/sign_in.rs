//! How people sign in to the tenant apart from keys and OAuth: what an administrator of the tenant, or the vendor, has
//! switched on. Nothing says how a tenant without JWT authorization refuses, so that is a choice, too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The tenant's ways to sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct SignIn {
    /// Is JWT authorization there?
    pub jwt: JwtAuthorization,
    /// How a tenant without it refuses an identity provider for tokens.
    pub refusal: JwtRefusal,
    /// The tenant's own interactive identity provider; without one people sign in with a Qlik account.
    pub own_provider: Option<OwnProvider>,
    /// What a token does whose subject is unknown and whose email is somebody's.
    pub known_email: KnownEmail,
    /// How long a session lives without being used (unpublished).
    pub session_life: Duration,
    /// Where people with a Qlik account are sent.
    pub qlik_login: String,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            jwt: JwtAuthorization::Inactive,
            refusal: JwtRefusal::Forbidden,
            own_provider: None,
            known_email: KnownEmail::Duplicate,
            session_life: Duration::from_secs(20 * 60),
            qlik_login: "https://login.qlik.com/authorize".to_owned(),
        }
    }
}

impl SignIn {
    /// Can tokens sign in?
    pub(crate) fn accepts_tokens(&self) -> bool {
        self.jwt == JwtAuthorization::Active
    }
}

/// Is JWT authorization there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JwtAuthorization {
    /// The vendor activated it.
    Active,
    /// Not activated, as every tenant starts.
    Inactive,
    /// The licence is none of Qlik Sense Enterprise, so it cannot be activated; the licence says so.
    NotEnterprise,
}

/// How a tenant without JWT authorization refuses `POST /api/v1/identity-providers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JwtRefusal {
    /// 403.
    Forbidden,
    /// 400.
    Invalid,
    /// It does not; only the sign-in itself is refused.
    AtLogin,
}

/// The tenant's own interactive identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnProvider {
    /// `okta`, `azureAD`, `generic`, …
    pub provider: String,
    /// Where people are sent to sign in.
    pub authorize_url: String,
}

impl Default for OwnProvider {
    fn default() -> Self {
        let authorize_url = "https://idp.example.com/oauth2/v1/authorize".to_owned();
        Self { provider: "okta".to_owned(), authorize_url }
    }
}

/// What a token does whose subject is unknown and whose email is somebody's: a tenant knows people by their subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownEmail {
    /// A second user with that email comes into being.
    Duplicate,
    /// The sign-in is refused as a conflict.
    Refused,
}
