//! The credentials, and how they are renewed.
//!
//! *API keys*, automatic: a user may have several, so a new one is made with the old one, proven by a test, put in use, and the old
//! one deleted. *OAuth client secret*, automatic in the same way where the client may manage its own secrets; a person brings it otherwise.
//! *Signing key pair*, assisted: the host makes and keeps it; the next interactive test registers the new one in the tenant.

use crate::{
    client::{self, Client, Renewal},
    settings::{API_KEY, OAUTH_CLIENT, QLIK_SENSE_API_KEY, SIGNING_KEY, Settings},
};
use jackfield_plugin::{
    Context, Failure,
    contract::{
        description::RotationMode,
        hooks::{Expiry, Staged, Swept},
        http::Place,
    },
    sdk::DescriptionBuilder,
};

/// Adds the credentials to the description, with the only places where their secrets may go.
pub(crate) fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .credential(
            OAUTH_CLIENT,
            "OAuth client secret",
            RotationMode::Automatic,
            [(
                "client_secret",
                Place::Json { pointer: client::SECRET_POINTER.to_owned() },
                client::TOKEN_PATH,
            )],
        )
        .credential(
            QLIK_SENSE_API_KEY,
            "Qlik Sense API key",
            RotationMode::Automatic,
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
            RotationMode::Automatic,
            [("api_key", Place::Bearer, client::API_PATHS)],
        )
}

/// The key that a rotation is about.
fn renewal(context: &Context<Settings>) -> Result<Renewal<'_>, Failure> {
    let (settings, credential) = (context.settings(), context.rotation()?.credential.as_str());
    let key = match credential {
        API_KEY => settings.api_key.as_ref(),
        QLIK_SENSE_API_KEY => settings.qlik_sense_api_key.as_ref(),
        _ => {
            return Err(Failure::plugin(format!("this connector does not renew \"{credential}\" by itself")));
        }
    };
    let key = key.ok_or_else(|| Failure::you("there is no key to be renewed").field(credential))?;
    Ok(Renewal::new(context, key))
}

/// Whether a rotation is about the secret of the OAuth client.
fn is_client(context: &Context<Settings>) -> Result<bool, Failure> {
    Ok(context.rotation()?.credential == OAUTH_CLIENT)
}

pub(crate) async fn expiry(context: &Context<Settings>) -> Result<Expiry, Failure> {
    match is_client(context)? {
        true => Client::new(context)?.secret_expiry().await,
        false => renewal(context)?.expiry().await,
    }
}

pub(crate) async fn stage(context: &Context<Settings>) -> Result<Staged, Failure> {
    match is_client(context)? {
        true => Client::new(context)?.stage_secret().await,
        false => renewal(context)?.stage().await,
    }
}

pub(crate) async fn retire(context: &Context<Settings>) -> Result<(), Failure> {
    match is_client(context)? {
        true => Client::new(context)?.retire_secret().await,
        false => renewal(context)?.retire().await,
    }
}

pub(crate) async fn sweep(context: &Context<Settings>) -> Result<Swept, Failure> {
    match is_client(context)? {
        true => Client::new(context)?.sweep_secrets().await,
        false => renewal(context)?.sweep().await,
    }
}
