//! Making OAuth clients: from a request of the API or from a test.

use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::directory::Client;

/// An OAuth client to be made. The default is what a machine needs: a web client with a trusted consent, the client
/// credentials grant and full scopes.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Name; the bot's name too.
    pub name: String,
    /// Allowed scopes.
    pub scopes: Vec<String>,
    /// Allowed grants.
    pub grant_types: Vec<String>,
    /// Allowed ways to sign in.
    pub auth_methods: Vec<String>,
    /// Public keys (JWK) for `private_key_jwt`.
    pub public_keys: Vec<Value>,
    /// Consent.
    pub consent: Consent,
}

impl Default for NewClient {
    fn default() -> Self {
        Self {
            name: "Connector".to_owned(),
            scopes: vec!["user_default".to_owned(), "admin_classic".to_owned()],
            grant_types: vec!["client_credentials".to_owned()],
            auth_methods: vec!["client_secret".to_owned()],
            public_keys: Vec::new(),
            consent: Consent::Trusted,
        }
    }
}

impl NewClient {
    /// A client of a name with exactly these scopes.
    #[must_use]
    pub fn scoped(name: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Self { name: name.to_owned(), scopes, ..Self::default() }
    }
}

/// Consent of an OAuth client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The tenant trusts the client; machines get tokens.
    Trusted,
    /// People must consent; machines get no token.
    Required,
}

/// What a client signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Client id.
    pub client_id: String,
    /// Secret.
    pub client_secret: String,
    /// Id of the secret.
    pub hint: String,
}

/// What an API request may set on a client.
pub(crate) const MEMBERS: [&str; 11] = [
    "clientName", "description", "clientUri", "logoUri", "redirectUris", "allowedOrigins", "allowedScopes",
    "allowedGrantTypes", "publicKeys", "allowedAuthMethods", "jwksUri",
];

/// A client as a request describes it, without a secret.
pub(crate) fn from_request(body: &Value) -> Client {
    let mut view = json!({
        "clientId": ids::random_hex(32), "appType": body["appType"], "createdAt": clock::text_ms(clock::now_ms()),
        "createdByType": "user", "allowedScopes": [], "allowedGrantTypes": [], "allowedAuthMethods": ["client_secret"],
        "redirectUris": [], "allowedOrigins": [],
    });
    for member in MEMBERS {
        if !body[member].is_null() {
            view[member] = body[member].clone();
        }
    }
    let trusted = body["connectionConfig"]["consentMethod"] == "trusted";
    Client { view, secrets: Vec::new(), trusted }
}

/// A client as a test describes it.
pub(crate) fn from_test(new: &NewClient) -> Client {
    let mut client = from_request(&json!({
        "appType": "web", "clientName": new.name, "allowedScopes": new.scopes, "allowedGrantTypes": new.grant_types,
        "allowedAuthMethods": new.auth_methods, "publicKeys": new.public_keys,
    }));
    client.trusted = new.consent == Consent::Trusted;
    client
}
