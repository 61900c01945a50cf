//! Types for settings: a secret that cannot be read, and the address of the remote system.

use crate::contract::description::annotations;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// A secret setting: a handle. There is no way to read the value; requests name the place where the host is to put it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Secret {
    field: String,
}

/// How a handle stands in the settings that a hook gets: an object, so that no text can pass for one.
#[derive(Serialize, Deserialize)]
struct Handle {
    #[serde(rename = "$secret")]
    field: String,
}

impl Secret {
    /// The id of the settings field that it is.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The handle of a field, as it stands in the settings of a hook.
    pub fn handle(field: &str) -> serde_json::Value {
        serde_json::json!({ "$secret": field })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Handle::deserialize(deserializer).map(|handle| Secret { field: handle.field })
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "writeOnly": true, annotations::SECRET: true })
    }
}

/// The address of the remote system, kept by the host as an origin such as `https://tenant.eu.qlikcloud.com`. The operator
/// may give a host name or a URL; only `https` is accepted unless the field's schema says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// The origin, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host name with its port, if it has one.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or(self.0.as_str(), |(_, authority)| authority)
    }
}

impl JsonSchema for Origin {
    fn schema_name() -> Cow<'static, str> {
        "Origin".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, annotations::ORIGIN: { "schemes": ["https"] } })
    }
}
