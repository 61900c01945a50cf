//! The description: everything the host needs to know of a connector before it runs a hook. Static, made without I/O.

use super::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a connector is, needs and offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The connector's id, the same as in the manifest.
    pub id: String,
    /// Its name for a person.
    pub display_name: String,
    /// The plugin's own version.
    pub version: String,
    /// The contract version that it needs.
    pub needs: Version,
    /// One sentence on what it connects to.
    #[serde(default)]
    pub summary: String,
    /// Longer help: what has to be set up on the remote side, step by step. Plain text, paragraphs parted by blank lines.
    #[serde(default)]
    pub help: String,
    /// JSON Schema of the settings, with the annotations of [`annotations`].
    pub settings: Value,
    /// Whether it can be a source or a target of a migration.
    #[serde(default)]
    pub roles: Roles,
    /// The kinds of object that a refresh can find, in the order in which they are shown.
    #[serde(default)]
    pub objects: Vec<ObjectKind>,
    /// The checks of a test, in order. A test reports these and no others.
    #[serde(default)]
    pub checks: Vec<CheckInfo>,
    /// Words for the screen.
    #[serde(default)]
    pub words: Words,
    /// The credentials: named groups of settings, with where each secret may go.
    #[serde(default)]
    pub credentials: Vec<CredentialInfo>,
    /// Hosts outside the settings that the connector must reach; the operator accepts each of them.
    #[serde(default)]
    pub hosts: Vec<FixedHost>,
    /// Default of *Max parallel executions*.
    #[serde(default = "default_cap")]
    pub default_cap: u32,
}

fn default_cap() -> u32 {
    4
}

/// Keys that a settings schema may carry on a field, beyond JSON Schema itself.
pub mod annotations {
    /// `true`: the value is a secret. It is sealed, never shown, and the plugin gets a handle.
    pub const SECRET: &str = "x-secret";
    /// The secret is a private key in PEM, of one of these kinds: `["rsa"]`, `["ec"]` or both. The host refuses anything else when
    /// it is entered, and says what it is.
    pub const PRIVATE_KEY: &str = "x-private-key";
    /// The field is a client certificate with its private key, for [`Place::TlsIdentity`](crate::contract::http::Place): a
    /// `.pfx` or `.p12` file, or PEM. An object that names the secret field of its password, of the same credential:
    /// `{"password":"certificate_password"}`. The host opens it, and says at entry what is wrong with it.
    pub const TLS_IDENTITY: &str = "x-tls-identity";
    /// The value of the secret is made and kept by the host, and nobody is asked for it: `{"kind":"rsa_key_pair"}` is an RSA
    /// private key followed by its self-signed certificate, both PEM. Since 1.1; an older host asks for the value.
    pub const GENERATED: &str = "x-generated";
    /// `true`: the field is the email address of the person to act for. The host puts its value into
    /// [`Invocation::subject`](crate::contract::hooks::Invocation). Since 1.1; an older host leaves that empty.
    pub const SUBJECT: &str = "x-subject";
    /// The id of the credential that the field belongs to.
    pub const CREDENTIAL: &str = "x-credential";
    /// The field is the address of the remote system: an object with `schemes`, such as `{"schemes":["https"]}`. The host
    /// allows requests to that origin, and keeps the value as an origin (`https://name`, no path). With a `port` beside the
    /// schemes, a host name by itself means that port; a URL is taken as it is. With `"whole": true`, only a URL will do.
    pub const ORIGIN: &str = "x-origin";
    /// The field is a further port of the origin in the named field.
    pub const PORT_OF: &str = "x-port-of";
    /// The field matters only when another has one of the values: `{"sign_in":["oauth"]}`.
    pub const WHEN: &str = "x-when";
    /// `true`: the field must be given whenever it matters.
    pub const REQUIRED: &str = "x-required";
    /// An example of a value, shown greyed in an empty field.
    pub const PLACEHOLDER: &str = "x-placeholder";
    /// How to show the field: `multiline`, `file`, `select`.
    pub const WIDGET: &str = "x-widget";
    /// Position in the form; lower is earlier.
    pub const ORDER: &str = "x-order";
    /// Labels of an enum's values: an object from value to label.
    pub const LABELS: &str = "x-labels";
    /// On the schema itself, not on a field: fields in which no two connections of this connector may agree altogether, because
    /// each needs something of its own on the remote side: `["server_url","proxy_prefix"]`. The last is the one that a person is
    /// told to change. Texts that differ only in case agree. Since 1.1; an older host does not look.
    pub const UNIQUE: &str = "x-unique";
}

/// Which side of a migration a connector can be. Neither by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Things can be read from it into another system.
    #[serde(default)]
    pub source: bool,
    /// Things can be written to it from another system.
    #[serde(default)]
    pub target: bool,
}

/// A kind of object in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectKind {
    /// The kind's id, such as `app`.
    pub id: String,
    /// For one, such as "app".
    pub singular: String,
    /// For many, such as "apps".
    pub plural: String,
}

/// A check of the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInfo {
    /// Its name on the screen, such as "Server reachable".
    pub name: String,
    /// What it proves.
    #[serde(default)]
    pub help: String,
}

/// Words for the screen that differ between connectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Words {
    /// The action that refreshes the catalog: "Refresh metadata" unless said otherwise.
    pub refresh: String,
    /// What stays on the remote side when a connection is deleted, and how it is removed there: whole sentences, for whoever
    /// deletes one. Empty if nothing does. Since 1.1.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remains: String,
}

impl Default for Words {
    fn default() -> Self {
        Words { refresh: "Refresh metadata".to_owned(), remains: String::new() }
    }
}

/// A named group of fields that belong together, such as a client id and its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialInfo {
    /// The credential's id.
    pub id: String,
    /// Its name for a person.
    pub label: String,
    /// How it is rotated.
    pub mode: RotationMode,
    /// Where its secrets may go. A request that puts one elsewhere is refused.
    #[serde(default)]
    pub uses: Vec<SecretUse>,
}

/// Who makes the new value when a credential is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RotationMode {
    /// The remote system, asked by the plugin.
    Automatic,
    /// The host; a person registers the public half on the remote side.
    Assisted,
    /// A person brings it.
    Supplied,
    /// A mode that this side does not know yet.
    #[serde(other)]
    Other,
}

/// One place where one secret may be put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// The secret field's id in the settings.
    pub field: String,
    /// Where in the request; must equal the slot's place.
    pub place: super::http::Place,
    /// The request's path: exact, or a beginning followed by `*`.
    pub path: String,
}

/// A host outside the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedHost {
    /// The name by which requests refer to it.
    pub name: String,
    /// Its origin, such as `https://login.example.com`.
    pub origin: String,
    /// Why the connector must reach it.
    pub reason: String,
}
