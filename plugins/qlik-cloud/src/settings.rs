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
permission \"Use webhooks\". Scopes only take rights away; a scope never gives more than the roles do. If something is then \
missing, the message names it: add that, do not go back to Tenant Admin.

Web integration. Under Integrations, then Web, create an integration and add the exact origin under which Jackfield is \
reached, such as https://jackfield.example.com, with the port unless it is 443. Wildcards are not supported. Copy its ID. It \
is no part of signing in: it lets a browser load Qlik content from that origin.

API key (instead of an OAuth client). The user who makes it needs the permission \"Manage API keys\" (formerly: the role \
Developer, and the tenant's switch \"Enable API keys\"). Click the avatar, then Profile settings, API keys, \"Generate new \
key\". Choose a life of at least 3 days; short is safer. The key carries all rights of its user: it cannot be narrowed by \
scopes.";

/// The credential of the sign-in by OAuth: client id and client secret.
pub(crate) const OAUTH_CLIENT: &str = "oauth_client";
/// The credential of the sign-in by API key.
pub(crate) const API_KEY: &str = "api_key";

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
        description = "How Jackfield shows the tenant who it is.",
        extend(
            "x-order" = 2,
            "x-widget" = "select",
            "x-labels" = { "oauth": "OAuth machine-to-machine", "api_key": "API key" }
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
        title = "API key",
        description = "Avatar, Profile settings, API keys, \"Generate new key\". The user needs the permission \"Manage API keys\". At least 3 days of life; short is safer.",
        extend(
            "x-order" = 5,
            "x-when" = { "sign_in": ["api_key"] },
            "x-required" = true,
            "x-credential" = "api_key"
        )
    )]
    pub(crate) api_key: Option<Secret>,

    #[schemars(
        title = "Web integration ID",
        description = "Administration activity center, Integrations, Web: an integration with the exact origin under which Jackfield is reached, with the port unless it is 443, without wildcards. Not needed for signing in: it lets a browser load Qlik content for reports.",
        extend("x-order" = 6, "x-placeholder" = "32 characters")
    )]
    #[expect(dead_code, reason = "reports will be rendered with it; the form asks for it today")]
    pub(crate) web_integration_id: Option<String>,
}

// Comments on the variants would turn the schema's plain enum into a list of alternatives.
/// How to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignIn {
    #[default]
    Oauth,
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
            "API key",
            "Web integration ID",
        ];
        assert_eq!(titles, expected);
        assert_eq!(properties["sign_in"]["enum"], serde_json::json!(["oauth", "api_key"]));
        assert_eq!(properties["sign_in"]["default"], "oauth");
        assert_eq!(schema["required"], serde_json::json!(["tenant_url"]));
        for secret in ["client_secret", "api_key"] {
            assert_eq!(properties[secret][annotations::SECRET], true, "{secret}");
        }
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
