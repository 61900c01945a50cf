//! What goes wrong on the way to a simulator, before any request is there to be hit: the line and the certificate. Data, as
//! the faults of requests are, so that a test or a person switches it at run time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What becomes of a call to the simulator's port. Connections that are open stay so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// It is answered.
    #[default]
    Open,
    /// It is refused: nobody listens. The port stays bound, so that nobody else is given it by chance.
    Refusing,
    /// It rings and rings: the queue of those who wait to be answered is full, as on a machine that has hung.
    Deaf,
    /// It is taken and nothing is said, not even for TLS.
    Silent,
}

/// The certificate that new connections are shown. All but its own are made when they are asked for, by the simulator's
/// authority where it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// The simulator's own.
    #[default]
    Own,
    /// One for `other.example` and no other name.
    OtherName,
    /// One that nobody else has signed.
    SelfSigned,
    /// One that was valid in 2024.
    Expired,
}

/// A line or a certificate, as it is written for the control plane. It is hard to switch a line back on through itself, so
/// it can be told for how long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order<T> {
    /// Which.
    pub(crate) kind: T,
    /// For how long; for good when absent.
    seconds: Option<u64>,
}

impl<T> Order<T> {
    /// For how long.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_data() -> anyhow::Result<()> {
        let line: Order<Line> = serde_json::from_str(r#"{"kind":"refusing","seconds":3}"#)?;
        assert_eq!((line.kind, line.time()), (Line::Refusing, Some(Duration::from_secs(3))));
        let certificate: Order<Certificate> = serde_json::from_str(r#"{"kind":"other-name"}"#)?;
        assert_eq!((certificate.kind, certificate.time()), (Certificate::OtherName, None));
        assert!(serde_json::from_str::<Order<Line>>(r#"{"kind":"open","second":1}"#).is_err());
        Ok(())
    }
}
