//! What went wrong, whose fault it is, and what to do about it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose fault a failure is. Decides the words, the exit code and who is asked to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Blame {
    /// The person: a setting that cannot be right.
    You,
    /// The way there: name, route, port, TLS, time.
    Network,
    /// The remote system: an answer that nobody could use.
    Remote,
    /// The credential that the remote system was shown: wrong, expired, or without the right.
    Credential,
    /// The plugin's code.
    Plugin,
    /// The host.
    Jackfield,
    /// A blame that this side does not know yet.
    #[serde(other)]
    Other,
}

impl Blame {
    /// The word for a person: "you", "the network", …
    pub fn noun(self) -> &'static str {
        match self {
            Blame::You => "your input",
            Blame::Network => "the network",
            Blame::Remote => "the remote system",
            Blame::Credential => "the credential",
            Blame::Plugin => "the plugin",
            Blame::Jackfield => "Jackfield",
            Blame::Other => "unknown",
        }
    }
}

/// How far an attempt had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Checking the settings, before anything was sent.
    Settings,
    /// Resolving the host name.
    Name,
    /// Opening the connection.
    Connect,
    /// Agreeing on TLS.
    Tls,
    /// Presenting the credential.
    SignIn,
    /// Being allowed to.
    Permission,
    /// Reading the answer.
    Answer,
    /// A stage that this side does not know yet.
    #[serde(other)]
    Other,
}

/// A failure that can be shown to a person as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it is.
    pub blame: Blame,
    /// How far it had come, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What happened, in one or two sentences, naming the thing.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The setting that is to be changed, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// HTTP status of the answer that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What support asks for: the remote system's own code and trace id, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The run was cancelled; nothing is wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

impl Failure {
    /// A failure with its blame and message; add the rest with the methods below.
    pub fn new(blame: Blame, message: impl Into<String>) -> Self {
        Failure {
            blame,
            stage: None,
            message: message.into(),
            remedy: None,
            field: None,
            status: None,
            reference: None,
            cancelled: false,
        }
    }

    /// A setting cannot be right.
    pub fn you(message: impl Into<String>) -> Self {
        Self::new(Blame::You, message)
    }

    /// The remote system answered what nobody could use.
    pub fn remote(message: impl Into<String>) -> Self {
        Self::new(Blame::Remote, message).at(Stage::Answer)
    }

    /// The credential was refused.
    pub fn credential(message: impl Into<String>) -> Self {
        Self::new(Blame::Credential, message).at(Stage::SignIn)
    }

    /// The plugin's code is wrong.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(Blame::Plugin, message)
    }

    /// The host is at fault.
    pub fn jackfield(message: impl Into<String>) -> Self {
        Self::new(Blame::Jackfield, message)
    }

    /// The run was cancelled.
    pub fn cancelled() -> Self {
        Failure { cancelled: true, ..Self::new(Blame::You, "the run was cancelled") }
    }

    /// Says how far it had come.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Names the setting to change, by its id.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds what support asks for.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Puts words in front of the message: what was being done.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(reference) = &self.reference {
            write!(f, " [{reference}]")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, " — {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
