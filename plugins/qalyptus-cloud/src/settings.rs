//! The settings of a connection: the form, and the help beside it.

use crate::client::PRODUCT;
use jackfield_plugin::{Origin, Secret, schemars};
use jackfield_qalyptus::Product;
use schemars::JsonSchema;
use serde::Deserialize;

/// What has to be set up beforehand.
pub(crate) const HELP: &str = "\
Everything here is set up in Qalyptus Cloud, by an administrator of the tenant, before the connection is made.

API keys. They are off in every tenant: open Administration, then Settings, the section API keys, choose \"Enable API keys\", \
then whether all users may have them or those of chosen groups, set the maximum lifetime (at most 365 days), and save.

The key. Signed in as the user that Jackfield is to act as, open Profile, then API keys, and click \"Generate key\". Give a name, \
an expiration date and the organization: the key reaches only what belongs to that organization. Copy it at once: it is shown only \
this time. It has exactly the rights of its owner, so use an administrator of the organization. When it has expired, make a new \
one and paste it here.

Qlik Sense. The test also asks whether the tenant is connected to a Qlik Sense tenant. That is set up under Administration, \
Settings, Qlik Sense Integration: the Qlik Sense tenant's hostname, the Web Integration Id, and either \"Qlik credentials\" (every \
user keeps their own in the profile; only for tenants without an identity provider of their own) or \"Qlik Sense API key\" (one \
key for all; only Qlik Sense SaaS Enterprise with JWT authorization). Users need the same email address on both sides.

Web Integration Id. Copy the \"Tenant hostname\" under Administration, Settings in Qalyptus Cloud. In Qlik Sense, open the \
management console, then Web, \"Create new\", give any name, add that hostname as an origin, and click \"Create\". Paste the Id \
that is made into Qalyptus Cloud.

Address. Give the tenant's hostname: it is shown under Administration, Settings.";

/// The settings of a connection to a Qalyptus Cloud tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub(crate) struct Settings {
    #[schemars(
        title = "Server URL",
        description = "The tenant's address, as a host name or an https URL.",
        extend("x-order" = 1, "x-placeholder" = "https://your-tenant.qalyptus.net")
    )]
    pub(crate) server_url: Origin,

    #[schemars(
        title = "API Key",
        description = "Made in Qalyptus Cloud: Profile, API keys, \"Generate key\", for the organization to connect. Without the word Bearer.",
        extend("x-order" = 2, "x-credential" = "api_key")
    )]
    pub(crate) api_key: Secret,

    #[serde(default)]
    #[schemars(
        title = "Endpoint map",
        description = "Only if the tenant answers elsewhere than the built-in map says: a JSON object with the entries to replace. The log of a refresh shows the map in use.",
        extend(
            "x-order" = 3,
            "x-widget" = "multiline",
            "x-placeholder" = "{\"checks\": {\"qlik.status\": {\"mode\": \"skip\"}}}"
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
