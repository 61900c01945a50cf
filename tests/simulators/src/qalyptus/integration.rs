//! The link of the cloud product to a Qlik Sense tenant. That the question can be asked at all is a guess, as is the form
//! of the answer.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::qalyptus::problem::Problem;

/// In which state the link is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integration {
    /// It works.
    Connected,
    /// It works, and the answer says only that it is configured.
    Unstated,
    /// Nobody set one up.
    NotConfigured,
    /// It was set up and is broken, for this reason.
    Disconnected(String),
    /// The owner of the key may not know.
    Forbidden,
    /// There is no such question.
    Missing,
}

impl Integration {
    /// What the question gets.
    pub(crate) fn answer(&self) -> Result<Value, Problem> {
        let mut status = json!({
            "isConfigured": true, "isConnected": true, "authenticationType": "ApiKey",
            "tenantHostname": "acme.eu.qlikcloud.com", "webIntegrationId": "q3VRZ4YMixRaLKEPhkZWMXMIDN7cO8fA",
            "apiKeyExpiresAt": "2027-12-01T00:00:00Z", "lastError": null,
        });
        match self {
            Self::Connected => {}
            Self::Unstated => drop(status.as_object_mut().map(|members| members.remove("isConnected"))),
            Self::NotConfigured => {
                status = json!({
                    "isConfigured": false, "isConnected": false, "authenticationType": null, "tenantHostname": "",
                    "webIntegrationId": null, "apiKeyExpiresAt": null, "lastError": null,
                });
            }
            Self::Disconnected(reason) => {
                status["isConnected"] = json!(false);
                status["lastError"] = json!(reason);
            }
            Self::Forbidden => return Err(Problem::forbidden()),
            Self::Missing => return Err(Problem::not_found()),
        }
        Ok(status)
    }

    /// Are there apps? A tenant that was never connected has none.
    pub(crate) fn has_apps(&self) -> bool {
        *self != Self::NotConfigured
    }
}
