//! The credentials, and how they are renewed.
//!
//! Contract 1.0 has no hook for rotation, so what the tenant makes is *supplied*: a person brings the new value, a test proves it.
//! A tenant lets more than one secret of a client, and more than one key of a user, be valid at a time, so nothing stops meanwhile:
//! make the new one, paste it, test, and delete the old one in the tenant.
//!
//! *Signing key pair*, assisted: the host makes and keeps it; the next interactive test registers the new one in the tenant.

use crate::{
    client,
    settings::{API_KEY, OAUTH_CLIENT, QLIK_SENSE_API_KEY, SIGNING_KEY},
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
            QLIK_SENSE_API_KEY,
            "Qlik Sense API key",
            RotationMode::Supplied,
            [("qlik_sense_api_key", Place::Bearer, client::API_PATHS)],
        )
        .credential(
            SIGNING_KEY,
            "Signing key pair",
            RotationMode::Assisted,
            [("signing_key", Place::Signature, "*")],
        )
        .credential(
            API_KEY,
            "API key",
            RotationMode::Supplied,
            [("api_key", Place::Bearer, client::API_PATHS)],
        )
}
