//! The site's own certificates, shaped like those read from real sites: an authority, the server's certificate and the
//! client's, all RSA; no key usages, one alternative name on the server's alone, and a private extension that says what
//! each is for. Clients get them as PEM with CRLF and PKCS #1 keys, or as PKCS #12 in the encryptions seen in the wild.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, anyhow};
use p12_keystore::{
    Certificate as StoredCertificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};
use pkcs8::LineEnding;
use pkcs8::der::pem;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    PKCS_RSA_SHA256,
};
use rustls::pki_types::CertificateDer;
use rustls::version;
use time::{Duration, OffsetDateTime};

use crate::kit::tls::{self, Identity};

/// The extension by which Qlik tells its certificates apart.
const PURPOSE: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 13, 3];
/// Every client certificate of every site has this common name.
const CLIENT: &str = "QlikClient";

/// How a PKCS #12 file is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkcs12 {
    /// Certificates with RC2 of 40 bits, the key with 3DES, MAC with SHA-1: older Windows, .NET and BouncyCastle.
    /// OpenSSL 3 does not read it without its legacy provider.
    Rc2,
    /// 3DES for both, MAC with SHA-1: newer Windows by default.
    TripleDes,
    /// PBES2 with AES-256, MAC with SHA-256: the other choice of newer Windows, and OpenSSL 3.
    Aes256,
}

impl Pkcs12 {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rc2, Self::TripleDes, Self::Aes256];
}

/// From when to when a certificate is valid, in days from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first day.
    pub from: i64,
    /// The last.
    pub until: i64,
}

impl Default for Validity {
    /// As Qlik does: from a week ago for five years and a week.
    fn default() -> Self {
        Self { from: -7, until: 5 * 365 + 1 }
    }
}

impl Validity {
    /// It ended yesterday.
    pub const EXPIRED: Self = Self { from: -400, until: -1 };
}

/// A client certificate as an administrator exports it.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// `client.pem`: one certificate, CRLF.
    pub certificate_pem: String,
    /// `client_key.pem`: PKCS #1, CRLF.
    pub key_pem: String,
    /// The same key as PKCS #8, which Qlik does not write but people make of it.
    pub pkcs8_key_pem: String,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl ClientCertificate {
    /// `client.pfx` in an encryption.
    pub fn pfx(&self, encryption: Pkcs12, password: &str) -> anyhow::Result<Vec<u8>> {
        let (cipher, mac) = match encryption {
            Pkcs12::Rc2 => {
                let file = p12::PFX::new(&self.certificate, &self.key, None, password, CLIENT);
                return Ok(file.context("the file could not be made")?.to_der());
            }
            Pkcs12::TripleDes => (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
            Pkcs12::Aes256 => (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
        };
        let chain = PrivateKeyChain::new("1", PrivateKey::from_der(&self.key)?, [self.stored()?]);
        write(KeyStoreEntry::PrivateKeyChain(chain), password, cipher, mac)
    }

    /// The file that an export without the private key gives: useless as a client's identity.
    pub fn pfx_without_key(&self, password: &str) -> anyhow::Result<Vec<u8>> {
        let entry = KeyStoreEntry::Certificate(self.stored()?);
        write(entry, password, EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
    }

    fn stored(&self) -> anyhow::Result<StoredCertificate> {
        Ok(StoredCertificate::from_der(&self.certificate)?)
    }
}

fn write(
    entry: KeyStoreEntry,
    password: &str,
    cipher: EncryptionAlgorithm,
    mac: MacAlgorithm,
) -> anyhow::Result<Vec<u8>> {
    let mut store = KeyStore::new();
    store.add_entry(CLIENT, entry);
    let writer = store.writer(password).encryption_algorithm(cipher).mac_algorithm(mac);
    // As many rounds as Windows makes.
    Ok(writer.encryption_iterations(2000).mac_iterations(2000).write()?)
}

/// The authority of one site and the server's certificate.
pub(crate) struct Authority {
    issuer: tls::Authority,
    server: CertificateDer<'static>,
    tls12_only: bool,
}

impl Authority {
    /// Makes both. The authority's key is new for each site; the keys of servers and clients are made once for a process,
    /// because RSA keys take their time and nobody trusts a key without its certificate.
    pub(crate) fn new(server_name: &str, tls12_only: bool) -> anyhow::Result<Self> {
        let host = server_name.split('.').next().unwrap_or_default().to_uppercase();
        let mut root = params(&format!("{host}-CA"), "Root", Validity::default());
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = Arc::new(CertifiedIssuer::self_signed(root, KeyPair::generate_for(&PKCS_RSA_SHA256)?)?);
        let mut leaf = params(server_name, "Service", Validity::default());
        leaf.subject_alt_names = CertificateParams::new([server_name.to_owned()])?.subject_alt_names;
        let server = leaf.signed_by(&key(Holder::Server)?, issuer.as_ref())?.der().clone();
        Ok(Self { issuer, server, tls12_only })
    }

    /// `root.pem`.
    pub(crate) fn root_pem(&self) -> anyhow::Result<String> {
        pem_text("CERTIFICATE", self.issuer.der())
    }

    /// Issues a client certificate.
    pub(crate) fn issue(&self, validity: Validity) -> anyhow::Result<ClientCertificate> {
        let key = key(Holder::Client)?;
        let certificate =
            params(CLIENT, "Client", validity).signed_by(&key, self.issuer.as_ref())?.der().to_vec();
        let key = key.serialize_der();
        let inner = pkcs8::PrivateKeyInfoRef::try_from(key.as_slice())
            .map_err(|error| anyhow!("the key cannot be read: {error}"))?;
        Ok(ClientCertificate {
            certificate_pem: pem_text("CERTIFICATE", &certificate)?,
            key_pem: pem_text("RSA PRIVATE KEY", inner.private_key.as_bytes())?,
            pkcs8_key_pem: pem_text("PRIVATE KEY", &key)?,
            certificate,
            key,
        })
    }

    /// The server's side of TLS, for whoever comes or only for holders of a certificate of the site.
    pub(crate) fn identity(&self, mutual: bool) -> anyhow::Result<Identity> {
        let versions = if self.tls12_only { &[&version::TLS12][..] } else { rustls::ALL_VERSIONS };
        tls::issued(&self.issuer, (&self.server, &key(Holder::Server)?), mutual, versions)
    }
}

fn params(name: &str, purpose: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::now_utc() + Duration::days(validity.from);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(validity.until);
    // A UTF8String.
    let mut content = vec![0x0C, purpose.len() as u8];
    content.extend_from_slice(purpose.as_bytes());
    params.custom_extensions = vec![CustomExtension::from_oid_content(&PURPOSE, content)];
    params
}

#[derive(Debug, Clone, Copy)]
enum Holder {
    Server,
    Client,
}

fn key(holder: Holder) -> anyhow::Result<KeyPair> {
    static KEYS: [OnceLock<Vec<u8>>; 2] = [const { OnceLock::new() }; 2];
    let kept = &KEYS[holder as usize];
    if let Some(der) = kept.get() {
        return Ok(KeyPair::try_from(der.as_slice())?);
    }
    let made = KeyPair::generate_for(&PKCS_RSA_SHA256)?.serialize_der();
    Ok(KeyPair::try_from(kept.get_or_init(|| made).as_slice())?)
}

fn pem_text(label: &str, der: &[u8]) -> anyhow::Result<String> {
    pem::encode_string(label, LineEnding::CRLF, der).map_err(|error| anyhow!("no PEM: {error}"))
}
