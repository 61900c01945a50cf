//! What can go wrong on a way on which a client certificate is shown, or would have to be.

use super::failure::Way;
use jackfield_plugin::contract::{
    Failure,
    failure::{Blame, Stage},
};
use rustls::AlertDescription;

/// What a connection that just ends may mean.
pub(super) const OR_REFUSES: &str = "or it refuses the client certificate: some servers close the connection instead of \
                                     saying so, so check that the certificate is from an issuer that it trusts";

impl Way {
    /// Whether an alert says something of a client certificate.
    pub(super) fn is_about_identity(&self, alert: AlertDescription) -> bool {
        use AlertDescription::{
            AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
            CertificateUnknown, DecryptError, UnknownCA, UnsupportedCertificate,
        };
        matches!(
            alert,
            AccessDenied
                | BadCertificate
                | CertificateExpired
                | CertificateRequired
                | CertificateRevoked
                | CertificateUnknown
                | DecryptError
                | UnknownCA
                | UnsupportedCertificate
        )
    }

    /// A client certificate was refused, or missed.
    pub(super) fn refused_identity(&self, alert: AlertDescription) -> Failure {
        use AlertDescription::{
            AccessDenied, CertificateExpired, CertificateRequired, CertificateRevoked, UnknownCA,
            UnsupportedCertificate,
        };
        let named = self.named();
        let (message, remedy) = match (alert, &self.identity) {
            (CertificateRequired, None) => (
                format!("{named} wants a client certificate"),
                "give the connection a client certificate that the remote system trusts",
            ),
            (CertificateRequired | UnsupportedCertificate, Some(_)) => (
                format!(
                    "{named} wants a client certificate, and this one's kind of key is not among those that it takes"
                ),
                "use a client certificate that the remote system itself has issued",
            ),
            (UnknownCA, _) => (
                format!("{named} refused the client certificate: it does not know its issuer"),
                "export the client certificate anew from this very system: it may be from another one, or from before its \
                 certificates were renewed",
            ),
            (CertificateExpired, _) => (
                format!(
                    "{named} refused the client certificate: it has expired by the clock of the remote system"
                ),
                "export a new one, or check the clocks of both machines",
            ),
            (CertificateRevoked, _) => (
                format!("{named} refused the client certificate: it was revoked"),
                "export a new one from the remote system",
            ),
            (AccessDenied, _) => (
                format!("{named} knows the client certificate, and gives it no access"),
                "ask whoever runs the remote system which certificate may sign in there",
            ),
            _ => (
                format!("{named} refused the client certificate ({alert:?})"),
                "check that it is the right client certificate, still valid, and from an issuer that the remote system trusts",
            ),
        };
        self.about_identity(Failure::new(Blame::Credential, message).at(Stage::Tls).remedy(remedy))
    }

    /// The server let everybody in without asking who it is.
    pub(super) fn not_asked(&self) -> Failure {
        Failure::remote(format!(
            "{} does not ask for the client certificate, so it cannot know who is asking; its answer was thrown away",
            self.named()
        ))
        .at(Stage::Tls)
        .field(&self.field)
        .remedy(
            "check the address and the port: another service of the same system may answer there, or a proxy in between \
             that opens TLS",
        )
    }

    /// There is no TLS on which a certificate could be shown.
    pub(super) fn no_tls(&self) -> Failure {
        Failure::you(format!(
            "{} is not reached by https, and a client certificate is shown only there",
            self.named()
        ))
        .at(Stage::Settings)
        .field(&self.field)
        .remedy("give an address that begins with https://")
    }

    fn about_identity(&self, failure: Failure) -> Failure {
        match &self.identity {
            Some(field) => failure.field(field),
            None => failure,
        }
    }
}
