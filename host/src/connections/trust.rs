//! Whom a connection trusts, checked before anything of it is kept: it is stored and shown as it stands.

use super::check_no_secret;
use crate::model::{
    connection::TlsTrust,
    secret::SecretValue,
    trust::{as_pem, certificates, server_name},
};
use jackfield_plugin::contract::Failure;
use std::collections::BTreeMap;

/// What is kept of what was given: of a CA only its certificates, whatever else stands in its file.
///
/// # Errors
/// It cannot be used, or there is a private key or the value of a secret in it.
pub(super) fn checked(given: TlsTrust, secrets: &BTreeMap<String, SecretValue>) -> Result<TlsTrust, Failure> {
    let ca = given.ca_pem.as_deref().map(certificates).transpose()?;
    let names = [("server_name", &given.server_name), ("pin_sha256", &given.pin_sha256)];
    check_no_secret(names.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?))), secrets)?;
    // A client certificate may well come with the CA's own, which is no secret.
    let mut others = secrets.clone();
    others.retain(|_, value| !value.reveal().contains("-----BEGIN CERTIFICATE-----"));
    check_no_secret(given.ca_pem.iter().map(|text| ("ca_pem", text.as_str())), &others)?;
    given.server_name.as_deref().map(server_name).transpose()?;
    Ok(TlsTrust { ca_pem: ca.map(|ca| as_pem(&ca)), ..given })
}
