//! The settings of a connection: the form, and the help beside it.

use crate::client::PRODUCT;
use jackfield_plugin::{Origin, Secret, schemars};
use jackfield_qalyptus::Product;
use schemars::JsonSchema;
use serde::Deserialize;

/// What has to be set up beforehand.
pub(crate) const HELP: &str = "\
Everything here is set up in Qalyptus Server, by an administrator, before the connection is made.

API keys. They are off unless somebody turned them on: open Administration, then Settings, API Keys, enable them, set the \
expiration period (1 to 365 days; 30 to 90 are advised), and save.

Who makes the key. A user whose role includes the permission to create API keys. The key has exactly the rights of its owner, \
and a refresh finds only what the owner may see: use an administrator, or a user whose roles may see organizations, projects, \
connections, filters, reports, tasks, users, groups and roles.

The key. Signed in as that user, open the user profile, then API Keys, and click \"Generate Key\". Give a name and an \
expiration date. Copy the key at once: it is shown only this time. When it has expired, make a new one and paste it here.

Address. Give the server's address with its port, as in https://qalyptus.example.com:3994. Plain http is accepted if you write \
it, but then whoever is on the way can read the key. If the server's certificate comes from a CA of your own, the connection has \
to be told to trust that CA.

Behind a reverse proxy that puts Qalyptus below a path, give that path in the field \"Endpoint map\", as in \
{\"base_path\": \"/qalyptus/api/v1\"}.";

/// The settings of a connection to a Qalyptus Server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub(crate) struct Settings {
    #[schemars(
        title = "Server URL",
        description = "The server's address, as a host name or a URL, with its port. https unless you write http://.",
        extend(
            "x-order" = 1,
            "x-placeholder" = "https://qalyptus.example.com:3994",
            "x-origin" = { "schemes": ["https", "http"] }
        )
    )]
    pub(crate) server_url: Origin,

    #[schemars(
        title = "API Key",
        description = "Made in Qalyptus Server: user profile, API Keys, \"Generate Key\". Without the word Bearer.",
        extend("x-order" = 2, "x-credential" = "api_key")
    )]
    pub(crate) api_key: Secret,

    #[serde(default)]
    #[schemars(
        title = "Endpoint map",
        description = "Only if the server answers elsewhere than the built-in map says: a JSON object with the entries to replace. The log of a refresh shows the map in use.",
        extend(
            "x-order" = 3,
            "x-widget" = "multiline",
            "x-placeholder" = "{\"operations\": {\"roles.list\": {\"try\": [\"/security-roles\"]}}}"
        )
    )]
    pub(crate) endpoint_map: Option<String>,
}

impl jackfield_qalyptus::Settings for Settings {
    const PRODUCT: &'static Product = &PRODUCT;

    fn server(&self) -> &Origin {
        &self.server_url
    }

    fn key(&self) -> &Secret {
        &self.api_key
    }

    fn endpoint_map(&self) -> Option<&str> {
        self.endpoint_map.as_deref()
    }
}
