//! The API key, and how it is renewed.
//!
//! *Supplied*: no API makes keys. Its owner makes a new one before the old one ends, pastes it, tests, and deletes the old one.

use jackfield_plugin::sdk::DescriptionBuilder;

/// Adds the credential to the description.
pub(crate) fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    jackfield_qalyptus::credentials(description)
}
