//! Certificates of a simulator: an authority made at start and a leaf for `localhost`, `127.0.0.1` and further names.

use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The authority's certificate for clients and the server's side of TLS.
pub(crate) struct Identity {
    /// The authority's certificate as PEM.
    pub(crate) ca_pem: String,
    /// The server's own certificate as DER.
    pub(crate) leaf: Vec<u8>,
    /// The server's configuration.
    pub(crate) server: Arc<ServerConfig>,
}

/// Makes an authority and a leaf for loopback and the given names.
pub(crate) fn identity(names: &[String]) -> anyhow::Result<Identity> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    ca.distinguished_name.push(DnType::CommonName, "Jackfield simulators");
    let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let mut subjects = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    subjects.extend(names.iter().cloned());
    let mut leaf = CertificateParams::new(subjects)?;
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?;

    serve(issuer.pem(), &certificate, &key)
}

/// Makes a certificate that is its own issuer, as appliances do at installation: the parameters say what it claims.
pub(crate) fn self_made(params: CertificateParams) -> anyhow::Result<Identity> {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    let certificate = params.self_signed(&key)?;
    serve(certificate.pem(), &certificate, &key)
}

fn serve(ca_pem: String, certificate: &Certificate, key: &KeyPair) -> anyhow::Result<Identity> {
    let leaf = certificate.der().to_vec();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .context("the simulator's own certificate")?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity { ca_pem, leaf, server: Arc::new(server) })
}
