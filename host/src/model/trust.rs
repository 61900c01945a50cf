//! What a person gives to say whom a connection trusts, read: before anything of it is kept, and again where it is used.

use super::{pem::written, text::is_fit_to_repeat};
use jackfield_plugin::contract::{Failure, failure::Stage};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, ServerName, pem, pem::PemObject},
};

/// The certificates of a connection's own CA, which is a PEM text. Each can be trusted.
///
/// # Errors
/// There is none, one is malformed, or there is a private key beside them. The failure holds nothing of the text.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let refuse = |why: &str, remedy: &str| {
        Failure::you(format!("the connection's own CA cannot be used: {why}"))
            .at(Stage::Settings)
            .field("ca_pem")
            .remedy(remedy)
    };
    if pem.contains("PRIVATE KEY-----") {
        return Err(refuse(
            "there is a private key in it, and whom to trust is stored and shown as it stands",
            "give only the certificate(s): the parts from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
        ));
    }
    let wanted = "give the CA's certificate as PEM: a text that begins with -----BEGIN CERTIFICATE-----";
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| refuse(pem_problem(&error), wanted))?;
        let readable = RootCertStore::empty().add(certificate.clone());
        readable.map_err(|_| refuse("one of its certificates is malformed", wanted))?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(refuse("there is no certificate in it", wanted));
    }
    Ok(found)
}

/// Certificates as a PEM text, with nothing else in it.
pub fn as_pem(certificates: &[CertificateDer<'_>]) -> String {
    let one = |certificate: &CertificateDer<'_>| written("CERTIFICATE", certificate).to_string();
    certificates.iter().map(one).collect()
}

/// The name that a server's certificate must carry.
///
/// # Errors
/// No certificate could carry it.
pub fn server_name(name: &str) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let what = if is_fit_to_repeat(name) { format!("{name:?}") } else { "what was given".to_owned() };
        Failure::you(format!("{what} is no name that a server certificate could carry"))
            .at(Stage::Settings)
            .field("server_name")
            .remedy("give a host name or an IP address, without https:// and without a port")
    })
}

/// What is wrong with a PEM text, in words and without anything of the text itself.
pub fn pem_problem(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no end",
        pem::Error::IllegalSectionStart { .. } => "a PEM section begins wrongly",
        pem::Error::Base64Decode(_) => "a PEM section is not base64",
        pem::Error::NoItemsFound => "there is nothing in it",
        _ => "it is not PEM",
    }
}
