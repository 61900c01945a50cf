//! The credentials, and how they are renewed.
//!
//! *Client certificate*, supplied: an administrator exports a new one from the Qlik Sense server before the old one ends. When the
//! site's certificates are recreated, its root changes too, and every exported copy is dead at once.
//!
//! *Virtual proxy key pair*, assisted: the host makes and keeps it; the next interactive test puts the new certificate into the
//! virtual proxy.

use crate::settings::{CERTIFICATE, PROXY_KEY};
use jackfield_plugin::{
    contract::{description::RotationMode, http::Place},
    sdk::DescriptionBuilder,
};

/// The credential of the certificate file and its password.
const CLIENT_CERTIFICATE: &str = "client_certificate";
/// The credential of the virtual proxy's key pair.
const PROXY_KEY_PAIR: &str = "proxy_key_pair";

/// Adds the credentials to the description. The key pair is never sent: it signs inside the host.
pub(crate) fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .credential(
            CLIENT_CERTIFICATE,
            "Client certificate",
            RotationMode::Supplied,
            [(CERTIFICATE, Place::TlsIdentity, "/qrs/*")],
        )
        .credential(
            PROXY_KEY_PAIR,
            "Virtual proxy key pair",
            RotationMode::Assisted,
            [(PROXY_KEY, Place::Signature, "*")],
        )
}
