//! The credentials, and how they are renewed.
//!
//! Contract 1.0 has no hook for rotation, so both are *supplied*: a person brings the new value, a test proves it. A tenant
//! lets more than one secret of a client, and more than one key of a user, be valid at a time, so nothing stops meanwhile:
//! make the new one, paste it, test, and delete the old one in the tenant.

use crate::{
    client,
    settings::{API_KEY, OAUTH_CLIENT},
};
use jackfield_plugin::{
    contract::{description::RotationMode, http::Place},
    sdk::DescriptionBuilder,
};

/// Adds the credentials to the description, with the only places where their secrets may go.
pub(crate) fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .credential(
            OAUTH_CLIENT,
            "OAuth client secret",
            RotationMode::Supplied,
            [(
                "client_secret",
                Place::Json { pointer: client::SECRET_POINTER.to_owned() },
                client::TOKEN_PATH,
            )],
        )
        .credential(
            API_KEY,
            "API key",
            RotationMode::Supplied,
            [("api_key", Place::Bearer, client::API_PATHS)],
        )
}
