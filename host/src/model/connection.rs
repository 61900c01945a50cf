//! A connection: one configured system.

use super::{Millis, id::ConnectionId, id::RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One configured system. Its secrets are not in here; see [`credential`](super::credential).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name, unique among ready connections without regard to case.
    pub name: String,
    /// Notes.
    pub description: String,
    /// The id of its connector.
    pub connector: String,
    /// The settings without the secrets, as validated and normalised.
    pub settings: Map<String, Value>,
    /// *Max parallel executions*: how many HTTP requests may be in flight for it at once.
    pub max_parallel: u32,
    /// Whom to trust when it speaks TLS.
    pub tls: TlsTrust,
    /// Origins outside the settings that the operator has accepted, because the connector must reach them.
    #[serde(default)]
    pub accepted_hosts: Vec<String>,
    /// Whether it is in use or still being tried.
    pub state: ConnectionState,
    /// For a draft, the connection that it would change.
    pub draft_of: Option<ConnectionId>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// When its catalog was last refreshed with success. Only a successful refresh moves it.
    pub last_refresh_at: Option<Millis>,
    /// The newest refresh, whatever became of it.
    pub last_refresh_run: Option<RunId>,
}

/// Whether a connection is in use or still being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Being tested before it is saved; hidden, and swept after a day.
    Draft,
    /// Saved.
    Ready,
}

impl ConnectionState {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionState::Draft => "draft",
            ConnectionState::Ready => "ready",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        [ConnectionState::Draft, ConnectionState::Ready].into_iter().find(|state| state.as_str() == text)
    }
}

/// Whom to trust when a connection speaks TLS. System roots unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsTrust {
    /// Certificates (PEM) to trust besides the system's roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// The name that the server's certificate must carry, where it is not the host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// SHA-256 (hexadecimal) of the one certificate to accept, whatever it says of itself. Nothing else is trusted then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_sha256: Option<String>,
}

impl TlsTrust {
    /// Whether anything differs from trusting the system's roots.
    pub fn is_own(&self) -> bool {
        *self != TlsTrust::default()
    }

    /// The SHA-256 that a person gave, in the form in which it is kept: 64 lower-case digits without separators.
    pub fn fingerprint(text: &str) -> Option<String> {
        let digits: String =
            text.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect::<String>().to_lowercase();
        (digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit())).then_some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_print_it() {
        let digits = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(TlsTrust::fingerprint(&colons), Some(digits.clone()));
        assert_eq!(TlsTrust::fingerprint(&digits), Some(digits.clone()));
        assert_eq!(TlsTrust::fingerprint(&digits[1..]), None);
        assert_eq!(TlsTrust::fingerprint(&digits.replace('a', "g")), None);
    }
}
