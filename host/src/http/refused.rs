//! Refused certificates: what a person needs to know of one to understand why, and what to do.

use crate::model::certificate::ServerCertificate;
use rustls::{CertificateError, pki_types::CertificateDer};
use std::fmt;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A server certificate that was refused, with what a person needs to know of it.
#[derive(Debug)]
pub(super) struct RefusedCertificate {
    /// Why.
    pub(super) cause: CertificateError,
    /// The name that it should have had.
    pub(super) asked: String,
    /// SHA-256 of the only one that is accepted, hexadecimal.
    pub(super) pinned: Option<String>,
    /// Nothing is trusted at all: the system has no roots.
    pub(super) no_roots: bool,
    /// SHA-256 of the certificate, hexadecimal.
    pub(super) sha256: String,
    /// The certificate, if it could be read.
    pub(super) leaf: Option<LeafFacts>,
}

impl fmt::Display for RefusedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)
    }
}

impl std::error::Error for RefusedCertificate {}

/// What a server's certificate says of itself.
#[derive(Debug)]
pub(super) struct LeafFacts {
    /// Whom it names.
    pub(super) subject: String,
    /// Who signed it.
    pub(super) issuer: String,
    /// The names it is valid for.
    pub(super) names: Vec<String>,
    /// It is marked as a CA's.
    pub(super) is_ca: bool,
    /// Until when it is valid, in seconds since 1970.
    pub(super) not_after: i64,
    /// From when it is valid, in seconds since 1970.
    pub(super) not_before: i64,
}

impl LeafFacts {
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let alternative = parsed.subject_alternative_name().ok().flatten();
        let names = alternative.map(|extension| &extension.value.general_names).into_iter().flatten();
        Some(LeafFacts {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            names: names.filter_map(name_text).collect(),
            is_ca: parsed.is_ca(),
            not_after: parsed.validity().not_after.timestamp(),
            not_before: parsed.validity().not_before.timestamp(),
        })
    }

    /// It signed itself.
    pub(super) fn self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

impl RefusedCertificate {
    /// What a person judges it by.
    pub(super) fn shown_by(&self, server: &str) -> ServerCertificate {
        let unreadable = || "unreadable".to_owned();
        let leaf = self.leaf.as_ref();
        ServerCertificate {
            server: server.to_owned(),
            subject: leaf.map_or_else(unreadable, |leaf| leaf.subject.clone()),
            issuer: leaf.map_or_else(unreadable, |leaf| leaf.issuer.clone()),
            names: leaf.map(|leaf| leaf.names.clone()).unwrap_or_default(),
            not_before: leaf.map_or(0, |leaf| leaf.not_before),
            not_after: leaf.map_or(0, |leaf| leaf.not_after),
            sha256: self.sha256.clone(),
            pinned: self.pinned.clone(),
        }
    }

    /// What of the connection's TLS trust can be changed about it.
    pub(super) fn field(&self) -> Option<&'static str> {
        match &self.cause {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Some("server_name")
            }
            CertificateError::ApplicationVerificationFailure => Some("pin_sha256"),
            cause if !is_foreign(cause) => None,
            _ if self.is_self_signed() && !self.no_roots => Some("pin_sha256"),
            _ => Some("ca_pem"),
        }
    }

    fn is_self_signed(&self) -> bool {
        self.leaf.as_ref().is_some_and(LeafFacts::self_signed)
    }

    /// What is wrong with the certificate, and what to do.
    pub(super) fn in_words(&self) -> (String, String) {
        let leaf = self.leaf.as_ref();
        let subject = leaf.map_or("of an unreadable name", |leaf| leaf.subject.as_str());
        match &self.cause {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let names = match leaf.map(|leaf| leaf.names.join(", ")) {
                    Some(names) if !names.is_empty() => format!("it is for {names}"),
                    _ => format!("it names no host at all ({subject})"),
                };
                (
                    format!("the certificate is not for {}; {names}", self.asked),
                    "use a name that the certificate carries, or set the connection's TLS server name to one; or compare \
                     the certificate's SHA-256 with that on the server, and pin it"
                        .to_owned(),
                )
            }
            CertificateError::ApplicationVerificationFailure => (
                format!(
                    "the certificate ({subject}) is not the one that this connection has pinned: that has the SHA-256 {}, \
                     and this one {}",
                    self.pinned.as_deref().unwrap_or_default(),
                    self.sha256
                ),
                "find out why the server has another certificate: it may have been renewed, or somebody else may be \
                 answering; if it is right, pin the new one"
                    .to_owned(),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                format!("the certificate expired{}", day(" on ", leaf.map(|leaf| leaf.not_after))),
                "the remote system needs a new certificate; check this machine's clock too".to_owned(),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                format!(
                    "the certificate is not valid yet{}",
                    day(", only from ", leaf.map(|leaf| leaf.not_before))
                ),
                "check this machine's clock".to_owned(),
            ),
            CertificateError::UnknownIssuer if self.no_roots => (
                "nothing is trusted here: this system has no root certificates".to_owned(),
                "install the system's root certificates, or give the connection its own CA".to_owned(),
            ),
            // Some trusted CA may happen to have the same name.
            cause if is_foreign(cause) && self.is_self_signed() => (
                format!("the certificate is self-signed ({subject}) and not trusted here"),
                "compare its SHA-256 with that on the server, and pin it if it is the right one".to_owned(),
            ),
            CertificateError::UnknownIssuer => (
                format!(
                    "the certificate was issued by somebody who is not trusted here ({})",
                    leaf.map_or("unreadable", |leaf| leaf.issuer.as_str())
                ),
                "add the issuer's certificate as the connection's own CA".to_owned(),
            ),
            cause if is_foreign(cause) => (
                format!(
                    "the certificate ({subject}) was signed by another key than that of the trusted {}",
                    leaf.map_or("CA", |leaf| leaf.issuer.as_str())
                ),
                "the issuer may have renewed its key: add its newest certificate as the connection's own CA"
                    .to_owned(),
            ),
            CertificateError::Other(_) if leaf.is_some_and(|leaf| leaf.is_ca) => (
                format!("the server shows a CA's certificate as its own ({subject}), which is not accepted"),
                "give the remote system a certificate of its own; or compare the SHA-256 of this one with that on the \
                 server, and pin it"
                    .to_owned(),
            ),
            other => (
                format!("the certificate ({subject}) cannot be accepted: {other}"),
                "the remote system needs another certificate".to_owned(),
            ),
        }
    }
}

/// Nobody who is trusted has signed it, whoever it names as its issuer: nobody has that name, or whoever has it has another
/// key, perhaps of another kind.
fn is_foreign(cause: &CertificateError) -> bool {
    use CertificateError::{
        BadSignature, UnknownIssuer, UnsupportedSignatureAlgorithmForPublicKeyContext as OtherKindOfKey,
    };
    matches!(cause, UnknownIssuer | BadSignature | OtherKindOfKey { .. })
}

fn day(before: &str, moment: Option<i64>) -> String {
    match moment.and_then(|moment| jiff::Timestamp::from_second(moment).ok()) {
        Some(moment) => format!("{before}{}", moment.strftime("%Y-%m-%d")),
        None => String::new(),
    }
}
