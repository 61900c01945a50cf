//! TLS: whom a connection trusts, and what it shows of itself.
//!
//! Every certificate is verified by the library's own verifier, wrapped in one of ours: it can ask for another name than the
//! host's, and when a certificate is refused it remembers what a person needs to understand why. Where one certificate is
//! pinned, that one is accepted and no other, whatever it says of itself: systems that make their own (NPrinting by default)
//! make them in ways that no verifier accepts. The handshake still proves that the server has the key.

use super::refused::{LeafFacts, RefusedCertificate};
use crate::model::{
    connection::TlsTrust,
    secret::SecretValue,
    trust::{certificates, pem_problem, server_name},
};
use jackfield_plugin::contract::{Failure, failure::Stage};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        ResolvesClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem, pem::PemObject},
    sign::CertifiedKey,
};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// A client certificate to show, and whether anybody has asked for it yet.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    /// PEM: the chain and the key.
    pub(super) pem: &'a SecretValue,
    /// Set as soon as a server asks for a certificate.
    pub(super) asked: &'a Arc<AtomicBool>,
}

/// A TLS configuration for one connection, with its client certificate if it has one.
pub(super) fn config(trust: &TlsTrust, identity: Option<Shown<'_>>) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(trust, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::jackfield(format!("TLS could not be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = read_identity(identity.pem.reveal().as_bytes())?;
            let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| {
                bad_identity(format!("the client certificate and its key cannot be used: {error}"))
            })?;
            let asked = Arc::clone(identity.asked);
            builder.with_client_cert_resolver(Arc::new(Answer { key: Arc::new(key), asked }))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Shows the certificate to whoever asks, and remembers that somebody did.
#[derive(Debug)]
struct Answer {
    key: Arc<CertifiedKey>,
    asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for Answer {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Which issuers the server names is not looked at: it knows best whether it takes this one, and says so.
        self.asked.store(true, Ordering::Relaxed);
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The system's roots, read once.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the system's trusted certificates could not be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots
    })
}

fn roots(trust: &TlsTrust) -> Result<RootCertStore, Failure> {
    let mut roots = system_roots().clone();
    let Some(pem) = &trust.ca_pem else { return Ok(roots) };
    for certificate in certificates(pem)? {
        roots
            .add(certificate)
            .map_err(|error| Failure::jackfield(format!("TLS could not be set up: {error}")))?;
    }
    Ok(roots)
}

fn read_identity(pem: &[u8]) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| {
        bad_identity(format!("the client certificate is unreadable: {}", pem_problem(&error)))
    })?;
    if chain.is_empty() {
        return Err(bad_identity("the client certificate is missing: there is none in the PEM"));
    }
    let encrypted = memchr::memmem::find(pem, b"BEGIN ENCRYPTED PRIVATE KEY").is_some();
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound if encrypted => bad_identity("the client certificate's key is encrypted"),
        pem::Error::NoItemsFound => bad_identity("the client certificate has no private key in the PEM"),
        error => bad_identity(format!("the client certificate's key is unreadable: {}", pem_problem(&error))),
    })?;
    Ok((chain, key))
}

fn bad_identity(message: impl Into<String>) -> Failure {
    Failure::you(message).at(Stage::Settings).remedy(
        "the client certificate is needed as PEM: the certificate chain, and its private key without a password",
    )
}

/// The library's verifier, with a name of ours and a memory for what it refused.
#[derive(Debug)]
struct Verifier {
    /// Nothing if there is no root at all to trust.
    inner: Option<Arc<WebPkiServerVerifier>>,
    /// The name to ask for, if it is not the host's.
    name: Option<ServerName<'static>>,
    /// SHA-256 of the one certificate to accept.
    pin: Option<String>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: &TlsTrust, provider: Arc<CryptoProvider>) -> Result<Self, Failure> {
        let name = trust.server_name.as_deref().map(server_name).transpose()?;
        let roots = roots(trust)?;
        let inner = if roots.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
            Some(built.map_err(|error| Failure::jackfield(format!("TLS could not be set up: {error}")))?)
        };
        Ok(Verifier { inner, name, pin: trust.pin_sha256.clone(), provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let asked = self.name.as_ref().unwrap_or(server_name);
        let outcome = match (&self.pin, &self.inner) {
            (Some(pin), _) if *pin == fingerprint(end_entity) => Ok(ServerCertVerified::assertion()),
            (Some(_), _) => Err(CertificateError::ApplicationVerificationFailure.into()),
            (None, Some(inner)) => {
                inner.verify_server_cert(end_entity, intermediates, asked, ocsp_response, now)
            }
            (None, None) => Err(CertificateError::UnknownIssuer.into()),
        };
        outcome.map_err(|error| match error {
            Error::InvalidCertificate(cause) => {
                let refused = RefusedCertificate {
                    cause,
                    asked: asked.to_str().into_owned(),
                    pinned: self.pin.clone(),
                    no_roots: self.inner.is_none(),
                    sha256: fingerprint(end_entity),
                    leaf: LeafFacts::read(end_entity),
                };
                CertificateError::Other(OtherError(Arc::new(refused))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// SHA-256 of a certificate, hexadecimal.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
