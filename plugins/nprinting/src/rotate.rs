//! The key pair, and how it is renewed.
//!
//! *Assisted*: the host makes the new pair, a person pastes the new certificate into NPrinting, a test proves it. NPrinting
//! holds one certificate at a time, so the old key stops to work the moment the new certificate is saved.

use jackfield_plugin::{
    contract::{description::RotationMode, http::Place},
    sdk::DescriptionBuilder,
};

/// The credential: the private half of the pair.
pub(crate) const JWT_KEY: &str = "jwt_key";

/// Adds the credential to the description. The key is never sent: it signs inside the host.
pub(crate) fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    description.credential(
        JWT_KEY,
        "JWT key pair",
        RotationMode::Assisted,
        [("private_key", Place::Signature, "*")],
    )
}
