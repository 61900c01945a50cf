//! Reading a settings schema: JSON Schema as the SDK makes it, with our annotations.

use super::{Choice, Field, FieldKind, Generated, TlsIdentity};
use jackfield_plugin::contract::description::annotations as key;
use serde_json::Value;
use std::collections::BTreeSet;

/// The fields of a schema, in the order in which they are shown.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let required: BTreeSet<&str> = strings(&schema["required"]).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<Field> =
        properties.map(|(id, property)| field(id, property, required.contains(id.as_str()))).collect();
    fields.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    fields
}

/// The fields in which no two connections may agree altogether.
pub(super) fn unique(schema: &Value) -> Vec<String> {
    strings(&schema[key::UNIQUE]).map(str::to_owned).collect()
}

fn field(id: &str, property: &Value, required: bool) -> Field {
    let text = |key: &str| property[key].as_str().map(str::to_owned);
    let optional = is_optional(property);
    let marked = property[key::REQUIRED].as_bool().unwrap_or(false);
    let origin = &property[key::ORIGIN];
    let schemes: Vec<String> = strings(&origin["schemes"]).map(str::to_owned).collect();
    let schemes = if schemes.is_empty() { vec!["https".to_owned()] } else { schemes };
    Field {
        id: id.to_owned(),
        title: text("title").unwrap_or_else(|| id.replace('_', " ")),
        help: text("description").unwrap_or_default(),
        kind: kind(property),
        secret: property[key::SECRET].as_bool().unwrap_or(false),
        private_key: strings(&property[key::PRIVATE_KEY]).map(str::to_owned).collect(),
        tls_identity: tls_identity(&property[key::TLS_IDENTITY]),
        generated: generated(&property[key::GENERATED]),
        subject: property[key::SUBJECT].as_bool().unwrap_or(false),
        credential: text(key::CREDENTIAL),
        origin: (origin.is_object() || origin.as_bool() == Some(true)).then_some(schemes),
        origin_port: origin["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
        origin_whole: origin["whole"].as_bool().unwrap_or(false),
        port_of: text(key::PORT_OF),
        when: property[key::WHEN]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(other, values)| (other.clone(), values.as_array().cloned().unwrap_or_default()))
            .collect(),
        required: marked || (required && !optional),
        placeholder: text(key::PLACEHOLDER),
        default: property.get("default").cloned(),
        multiline: property[key::WIDGET] == "multiline",
        choices: choices(property),
        order: property[key::ORDER].as_i64().unwrap_or(i64::MAX),
    }
}

fn tls_identity(value: &Value) -> Option<TlsIdentity> {
    let stands = value.is_object() || value.as_bool() == Some(true);
    stands.then(|| TlsIdentity { password: value["password"].as_str().map(str::to_owned) })
}

/// A kind that is not known is asked for like any other secret.
fn generated(value: &Value) -> Option<Generated> {
    (value["kind"] == "rsa_key_pair").then_some(Generated::RsaKeyPair)
}

fn is_optional(property: &Value) -> bool {
    strings(&property["type"]).any(|kind| kind == "null")
}

fn kind(property: &Value) -> FieldKind {
    let one = property["type"].as_str();
    let kind = one.or_else(|| strings(&property["type"]).find(|kind| *kind != "null"));
    match kind {
        Some("string") => FieldKind::Text,
        Some("integer") => FieldKind::Integer,
        Some("number") => FieldKind::Number,
        Some("boolean") => FieldKind::Boolean,
        None if !choices(property).is_empty() => FieldKind::Text,
        _ => FieldKind::Json,
    }
}

/// The values of an enum, whether written as `enum` or as `oneOf` constants (which is how variants with help come out).
fn choices(property: &Value) -> Vec<Choice> {
    let constants =
        property["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
    let nested = property["oneOf"].as_array().into_iter().flatten().flat_map(|one| strings(&one["enum"]));
    strings(&property["enum"])
        .chain(constants)
        .chain(nested)
        .map(|value| Choice {
            value: value.to_owned(),
            label: property[key::LABELS][value].as_str().unwrap_or(value).to_owned(),
        })
        .collect()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
