//! Certificates of a simulator: an authority made at start and a leaf for `localhost`, `127.0.0.1` and further names; and on
//! request others that a client should not accept.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::kit::way::Certificate;

/// The authority's certificate for clients and the server's side of TLS.
pub(crate) struct Identity {
    /// The authority's certificate as PEM.
    pub(crate) ca_pem: String,
    /// The server's own certificate as DER.
    pub(crate) leaf: Vec<u8>,
    /// The server's configuration.
    pub(crate) server: Arc<ServerConfig>,
    issuer: Option<Authority>,
    own: Arc<CertifiedKey>,
    shown: Arc<Shown>,
}

/// Who signs; several listeners of one system may have the same.
pub(crate) type Authority = Arc<CertifiedIssuer<'static, KeyPair>>;

/// What new connections are shown.
#[derive(Debug)]
struct Shown(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Identity {
    /// Shows another certificate to new connections.
    pub(crate) fn show(&self, which: Certificate) -> anyhow::Result<()> {
        let issuer = self.issuer.as_ref();
        let key = match which {
            Certificate::Own => Arc::clone(&self.own),
            Certificate::OtherName => made(leaf(vec!["other.example".to_owned()])?, issuer)?,
            Certificate::SelfSigned => made(leaf(vec!["localhost".to_owned()])?, None)?,
            Certificate::Expired => {
                let mut params = leaf(vec!["localhost".to_owned()])?;
                (params.not_before, params.not_after) =
                    (date_time_ymd(2024, 1, 1), date_time_ymd(2024, 12, 31));
                made(params, issuer)?
            }
        };
        *self.shown.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }
}

/// Makes an authority and a leaf for loopback and the given names.
pub(crate) fn identity(names: &[String]) -> anyhow::Result<Identity> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    ca.distinguished_name.push(DnType::CommonName, "Jackfield simulators");
    let issuer = Arc::new(CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?);

    let mut subjects = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    subjects.extend(names.iter().cloned());
    let own = made(leaf(subjects)?, Some(&issuer))?;
    serve(issuer.pem(), own, Some(issuer))
}

/// Certificates that a system issues itself: the server's, by an authority that clients' may have to be from, too.
pub(crate) fn issued(
    issuer: &Authority,
    own: (&CertificateDer<'static>, &KeyPair),
    mutual: bool,
    versions: &[&'static SupportedProtocolVersion],
) -> anyhow::Result<Identity> {
    let provider = Arc::new(provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
    let builder = if mutual {
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let own = certified(own.0, own.1)?;
    let shown = Arc::new(Shown(Mutex::new(Arc::clone(&own))));
    let mut server = builder.with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(identity_of(issuer.pem(), server, Some(Arc::clone(issuer)), own, shown))
}

/// Makes a certificate that is its own issuer, as appliances do at installation: the parameters say what it claims.
pub(crate) fn self_made(params: CertificateParams) -> anyhow::Result<Identity> {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    let certificate = params.self_signed(&key)?;
    serve(certificate.pem(), certified(certificate.der(), &key)?, None)
}

/// A server's certificate for such names.
fn leaf(names: Vec<String>) -> anyhow::Result<CertificateParams> {
    let common_name = names.first().cloned().unwrap_or_default();
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name.push(DnType::CommonName, common_name);
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    Ok(leaf)
}

fn made(params: CertificateParams, issuer: Option<&Authority>) -> anyhow::Result<Arc<CertifiedKey>> {
    let key = KeyPair::generate()?;
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer.as_ref())?,
        None => params.self_signed(&key)?,
    };
    certified(certificate.der(), &key)
}

fn certified(certificate: &CertificateDer<'static>, key: &KeyPair) -> anyhow::Result<Arc<CertifiedKey>> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider().key_provider.load_private_key(key).context("the simulator's own key")?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)))
}

fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

fn serve(ca_pem: String, own: Arc<CertifiedKey>, issuer: Option<Authority>) -> anyhow::Result<Identity> {
    let shown = Arc::new(Shown(Mutex::new(Arc::clone(&own))));
    let mut server = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(identity_of(ca_pem, server, issuer, own, shown))
}

fn identity_of(
    ca_pem: String,
    server: ServerConfig,
    issuer: Option<Authority>,
    own: Arc<CertifiedKey>,
    shown: Arc<Shown>,
) -> Identity {
    let leaf = own.cert.first().map(|leaf| leaf.to_vec()).unwrap_or_default();
    Identity { ca_pem, leaf, server: Arc::new(server), issuer, own, shown }
}
