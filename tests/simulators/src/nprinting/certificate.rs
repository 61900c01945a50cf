//! The certificate of the listener: a proper one, or what the server makes itself at installation.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyUsagePurpose};

use crate::kit::tls::{self, Identity};
use crate::nprinting::config::Tls;

/// The identity for a choice; `None` for plain HTTP.
pub(crate) fn identity(tls: Tls) -> anyhow::Result<Option<Identity>> {
    Ok(match tls {
        Tls::Off => None,
        Tls::Authority => Some(tls::identity(&[])?),
        Tls::SelfMade => Some(tls::self_made(own_issuer()?)?),
        Tls::CommonNameOnly => Some(tls::self_made(named(Vec::new())?)?),
    })
}

fn named(names: Vec<String>) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    Ok(params)
}

fn own_issuer() -> anyhow::Result<CertificateParams> {
    let mut params = named(vec!["localhost".to_owned()])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    Ok(params)
}
