//! The settings of a connection: the form, and the help beside it.

use jackfield_plugin::{Origin, Secret, schemars};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an administrator of the tenant has to set up beforehand.
pub(crate) const HELP: &str = "\
Everything here is set up in Qlik Cloud, by an administrator of the tenant, before the connection is made.

OAuth client. In the Administration activity center go to Integrations, then OAuth, and create a client of the type Web: \
machine-to-machine is a mode of that type. Turn on \"Machine-to-machine\", leave \"M2M user impersonation\" off, and leave \
the authentication method at \"Client secret\". Choose the scopes admin.apps:read, admin.spaces:read, apps.report:export and \
webhooks instead of the suggested ones. After \"Create\", copy client ID and client secret at once: the secret is not shown \
again.

Consent. In the menu of the new client choose \"Change consent method\" and then \"Trusted\". This is easy to miss, and \
without it the client cannot sign in, because nobody is there to consent.

Bot user. The first sign-in makes a hidden user with the client's name, whose role is Tenant Admin. Narrow it down: under \
Manage users, All users, open that user's roles and replace Tenant Admin by Analytics Admin and by a custom role that has the \
permission \"Use webhooks\". Analytics Admin reads every app in the shared and managed spaces; it administers no users and does \
not open personal spaces. Scopes only take rights away; a scope never gives more than the roles do. If something is then \
missing, the message names it: add that, do not go back to Tenant Admin.

Web integration. Under Integrations, then Web, create an integration and add the exact origin under which Jackfield is \
reached, such as https://jackfield.example.com, with the port unless it is 443. Wildcards are not supported. Copy its ID. It \
is no part of signing in: it lets a browser load Qlik content from that origin.

API keys (instead of an OAuth client). The user who makes one needs the permission \"Manage API keys\" (formerly: the role \
Developer, and the tenant's switch \"Enable API keys\" under Settings). Click the avatar, then Profile settings, and under \
Management API keys, \"Generate new key\". Give it a description and a life of at least 3 days; short is safer. Copy the key at \
once. It carries all rights of its user: scopes cannot narrow it. Make and enter a new one a day before the old one ends.

\"API key\" acts as the user who made it. \"Qlik Sense API key\" acts as the user with the given email, who sees here what that \
user sees in Qlik Sense: its owner needs the role Tenant Admin, with which Jackfield looks that user up and registers a key of \
its own once, in a test that you start (Administration activity center, Identity provider). Nobody has to register a password.

JWT authorization (for \"Qlik Sense API key\"). It comes with Qlik Sense Enterprise only, and is off by default. To see whether \
it is on, look whether Identity provider, \"Create new\" offers the type JWT in the Administration activity center. If not, ask \
your account manager at Qlik to activate the JWT capability for embedded analytics and reporting. The email must be the same \
here and in Qlik Sense, and belong to exactly one active user.";

/// What stays in the tenant when a connection is deleted.
pub(crate) const REMAINS: &str = "\
If the connection acted as a user (Qlik Sense API key), the identity provider that Jackfield made in the tenant stays there: \
delete it in the Administration activity center (Identity provider; its description begins with \"Jackfield\").";

/// The credential of the sign-in by OAuth: client id and client secret.
pub(crate) const OAUTH_CLIENT: &str = "oauth_client";
/// The credential of the sign-in by API key.
pub(crate) const API_KEY: &str = "api_key";
/// The credential of the sign-in as a user, and its field.
pub(crate) const QLIK_SENSE_API_KEY: &str = "qlik_sense_api_key";
/// The credential of the key pair that signs users in, and its field.
pub(crate) const SIGNING_KEY: &str = "signing_key";
/// The field of the email of the user to act as.
pub(crate) const USER_EMAIL: &str = "user_email";

/// The settings of a connection to a Qlik Cloud tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub(crate) struct Settings {
    #[schemars(
        title = "Tenant URL",
        description = "The tenant's address, as a host name or an https URL. Both the name that Qlik made and the tenant's alias will do.",
        extend("x-order" = 1, "x-placeholder" = "https://your-tenant.eu.qlikcloud.com")
    )]
    pub(crate) tenant_url: Origin,

    #[serde(default)]
    #[schemars(
        title = "Sign-in",
        description = "How Jackfield signs in. OAuth machine-to-machine acts as a user of its own; Qlik Sense API key as the user whose email is given; API key as the user who made the key.",
        extend(
            "x-order" = 2,
            "x-widget" = "select",
            "x-labels" = { "oauth": "OAuth machine-to-machine", "qlik_sense_api_key": "Qlik Sense API key", "api_key": "API key" }
        )
    )]
    pub(crate) sign_in: SignIn,

    #[schemars(
        title = "OAuth client ID",
        description = "Administration activity center, Integrations, OAuth: a client of the type Web with \"Machine-to-machine\" on, impersonation off, and its consent method changed to Trusted.",
        extend(
            "x-order" = 3,
            "x-when" = { "sign_in": ["oauth"] },
            "x-required" = true,
            "x-credential" = "oauth_client",
            "x-placeholder" = "32 hexadecimal characters"
        )
    )]
    pub(crate) client_id: Option<String>,

    #[schemars(
        title = "OAuth client secret",
        description = "Shown once when the client is created. Its scopes: admin.apps:read, admin.spaces:read, apps.report:export, webhooks.",
        extend(
            "x-order" = 4,
            "x-when" = { "sign_in": ["oauth"] },
            "x-required" = true,
            "x-credential" = "oauth_client"
        )
    )]
    pub(crate) client_secret: Option<Secret>,

    #[schemars(
        title = "Qlik Sense API key",
        description = "Avatar, Profile settings, API keys, \"Generate new key\". Its user needs the permission \"Manage API keys\" and the role Tenant Admin. At least 3 days of life; short is safer; to be renewed a day before its end. Works where JWT authorization is active: Qlik Sense Enterprise only, off by default.",
        extend(
            "x-order" = 5,
            "x-when" = { "sign_in": ["qlik_sense_api_key"] },
            "x-required" = true,
            "x-credential" = "qlik_sense_api_key"
        )
    )]
    pub(crate) qlik_sense_api_key: Option<Secret>,

    #[schemars(
        title = "User email",
        description = "The email of the user to act as. The same as in Qlik Sense, of exactly one active user there.",
        extend(
            "x-order" = 6,
            "x-when" = { "sign_in": ["qlik_sense_api_key"] },
            "x-required" = true,
            "x-subject" = true,
            "x-placeholder" = "ada@example.com"
        )
    )]
    pub(crate) user_email: Option<String>,

    #[schemars(
        title = "API key",
        description = "Avatar, Profile settings, API keys, \"Generate new key\". Its user, as whom Jackfield then acts, needs the permission \"Manage API keys\". At least 3 days of life; short is safer; to be renewed a day before its end.",
        extend(
            "x-order" = 7,
            "x-when" = { "sign_in": ["api_key"] },
            "x-required" = true,
            "x-credential" = "api_key"
        )
    )]
    pub(crate) api_key: Option<Secret>,

    #[schemars(
        title = "Web integration ID",
        description = "Administration activity center, Integrations, Web: an integration with the exact origin under which Jackfield is reached, with the port unless it is 443, without wildcards. Not needed for signing in: it lets a browser load Qlik content for reports.",
        extend("x-order" = 8, "x-placeholder" = "32 characters")
    )]
    #[expect(dead_code, reason = "reports will be rendered with it; the form asks for it today")]
    pub(crate) web_integration_id: Option<String>,

    #[schemars(
        title = "Signing key pair",
        description = "The key pair with which Jackfield signs users in: an RSA private key and its certificate as PEM, one behind the other.",
        extend(
            "x-order" = 9,
            "x-widget" = "multiline",
            "x-when" = { "sign_in": ["qlik_sense_api_key"] },
            "x-credential" = "signing_key",
            "x-generated" = { "kind": "rsa_key_pair" }
        )
    )]
    pub(crate) signing_key: Option<Secret>,
}

// Comments on the variants would turn the schema's plain enum into a list of alternatives.
// A fourth way has its place here, between the API keys and the user's email: `qlik_credentials`, by which each user signs in with
// an email and a password of Qlik's own, where the tenant has no identity provider of its own. Nothing offers it yet.
/// How to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignIn {
    #[default]
    Oauth,
    QlikSenseApiKey,
    ApiKey,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::{Connector, contract::description::annotations};

    #[test]
    fn the_form_is_asked_for_in_the_documents_order() {
        let schema = crate::QlikCloud::describe().settings;
        let properties = schema["properties"].as_object().unwrap();
        let mut fields: Vec<_> = properties
            .values()
            .map(|field| (field[annotations::ORDER].as_u64().unwrap(), field["title"].as_str().unwrap()))
            .collect();
        fields.sort_unstable();
        let titles: Vec<_> = fields.into_iter().map(|(_, title)| title).collect();
        let expected = [
            "Tenant URL",
            "Sign-in",
            "OAuth client ID",
            "OAuth client secret",
            "Qlik Sense API key",
            "User email",
            "API key",
            "Web integration ID",
            "Signing key pair",
        ];
        assert_eq!(titles, expected);
        assert_eq!(
            properties["sign_in"]["enum"],
            serde_json::json!(["oauth", "qlik_sense_api_key", "api_key"])
        );
        assert_eq!(properties["sign_in"]["default"], "oauth");
        assert_eq!(schema["required"], serde_json::json!(["tenant_url"]));
        for secret in ["client_secret", QLIK_SENSE_API_KEY, "api_key", SIGNING_KEY] {
            assert_eq!(properties[secret][annotations::SECRET], true, "{secret}");
        }
        assert_eq!(properties[SIGNING_KEY][annotations::GENERATED]["kind"], "rsa_key_pair");
        assert_eq!(properties[USER_EMAIL][annotations::SUBJECT], true);
        assert!(
            properties["web_integration_id"].get(annotations::WHEN).is_none(),
            "it stands in every sign-in"
        );
    }

    #[test]
    fn absent_and_unknown_fields_are_tolerated() {
        let settings: Settings = serde_json::from_value(
            serde_json::json!({ "tenant_url": "https://t.eu.qlikcloud.com", "new": 1 }),
        )
        .unwrap();
        assert_eq!(settings.sign_in, SignIn::Oauth);
        assert!(settings.client_secret.is_none());
    }
}
