//! Certificates of a simulator: an authority made at start and a leaf for `localhost`, `127.0.0.1` and further names; and on
//! request others that a client should not accept.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

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

type Authority = CertifiedIssuer<'static, KeyPair>;

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
    let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let mut subjects = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    subjects.extend(names.iter().cloned());
    let own = made(leaf(subjects)?, Some(&issuer))?;
    serve(issuer.pem(), own, Some(issuer))
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
        Some(issuer) => params.signed_by(&key, issuer)?,
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
    let leaf = own.cert.first().map(|leaf| leaf.to_vec()).unwrap_or_default();
    Ok(Identity { ca_pem, leaf, server: Arc::new(server), issuer, own, shown })
}
