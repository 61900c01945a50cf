//! A server's certificate, as a person judges it.

/// A certificate that a server has shown and that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Who showed it: host and port.
    pub server: String,
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts it is valid for.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
    /// SHA-256 of the one that the connection has pinned, if it has.
    pub pinned: Option<String>,
}

impl ServerCertificate {
    /// A SHA-256 as tools print it, to be compared by eye: capitals in pairs.
    pub fn in_pairs(sha256: &str) -> String {
        let pairs: Vec<&str> = (0..sha256.len()).step_by(2).filter_map(|at| sha256.get(at..at + 2)).collect();
        pairs.join(":").to_uppercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::TlsTrust;

    #[test]
    fn what_is_shown_can_be_given_back() {
        let sha256 = "0a".repeat(32);
        let shown = ServerCertificate::in_pairs(&sha256);
        assert!(shown.starts_with("0A:0A:") && shown.len() == 95, "{shown}");
        assert_eq!(TlsTrust::fingerprint(&shown), Some(sha256));
    }
}
