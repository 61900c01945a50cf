//! Secrets that nobody is asked for: made here when a connection is drafted, and kept like any other.

use crate::{
    model::{
        secret::SecretValue,
        settings::{Field, Form, Generated},
    },
    secrets::generate::jwt_key_pair,
};
use jackfield_plugin::contract::{Failure, Stage};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The name in the certificate of a key pair that is made here.
const NAME: &str = "Jackfield";
/// The size of its key.
const BITS: u16 = 2048;
/// How long its certificate is valid. The remote system knows the key by it and nobody renews it by hand.
const DAYS: u32 = 3650;

/// Refuses values for secrets that are made here.
pub(super) fn none_given(form: &Form, given: &BTreeMap<String, SecretValue>) -> Result<(), Failure> {
    let Some(field) =
        form.fields.iter().find(|field| field.generated.is_some() && given.contains_key(&field.id))
    else {
        return Ok(());
    };
    Err(Failure::you(format!("{}: Jackfield makes it, so it cannot be given ({})", field.id, field.title))
        .at(Stage::Settings)
        .field(field.id.clone())
        .remedy(format!("leave it out; `jackfield connection edit NAME --unset {}` makes another", field.id)))
}

/// Makes what applies and is missing; yields the fields of what was made.
pub(super) async fn complete<'a>(
    form: &'a Form,
    settings: &Map<String, Value>,
    secrets: &mut BTreeMap<String, SecretValue>,
) -> Result<Vec<&'a Field>, Failure> {
    let mut fields = Vec::new();
    for field in &form.fields {
        let Some(kind) = field.generated else { continue };
        if secrets.contains_key(&field.id) || !form.applies(field, settings) {
            continue;
        }
        let made = tokio::task::spawn_blocking(move || make(kind)).await;
        let made =
            made.map_err(|error| Failure::jackfield(format!("{} could not be made: {error}", field.id)))?;
        secrets.insert(field.id.clone(), made?);
        fields.push(field);
    }
    Ok(fields)
}

/// A new key pair: the private key followed by its certificate, both PEM.
///
/// # Errors
/// The system has no randomness.
pub async fn key_pair() -> Result<SecretValue, Failure> {
    let made = tokio::task::spawn_blocking(|| make(Generated::RsaKeyPair)).await;
    made.map_err(|error| Failure::jackfield(format!("the key pair could not be made: {error}")))?
}

fn make(kind: Generated) -> Result<SecretValue, Failure> {
    match kind {
        Generated::RsaKeyPair => {
            let pair = jwt_key_pair(NAME, BITS, DAYS)?;
            Ok(SecretValue::new(format!("{}{}", pair.private_key.reveal(), pair.certificate)))
        }
    }
}
