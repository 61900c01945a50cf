//! Certificates: their shape, their exports, and who gets in with which.

use jackfield_simulators::qlik_onprem::{ClientCertificate, Config, Pkcs12, Simulator, Validity};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use x509_parser::pem::Pem;
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};

use crate::client::{Client, http_as, site};

fn identity(certificate: &ClientCertificate) -> String {
    format!("{}{}", certificate.certificate_pem, certificate.key_pem)
}

fn block(pem: &str) -> Pem {
    Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap()
}

/// The text in the extension that says what a certificate is for, if there is one.
fn purpose(certificate: &X509Certificate<'_>) -> String {
    let found = certificate.extensions().iter().find(|one| one.oid.to_id_string() == "1.3.6.1.5.5.7.13.3");
    let value = found.unwrap().value;
    assert_eq!((value[0], usize::from(value[1])), (0x0C, value.len() - 2), "a UTF8String");
    String::from_utf8(value[2..].to_vec()).unwrap()
}

fn has(certificate: &X509Certificate<'_>, kind: fn(&ParsedExtension<'_>) -> bool) -> bool {
    certificate.extensions().iter().any(|extension| kind(extension.parsed_extension()))
}

#[tokio::test]
async fn certificates_are_shaped_like_real_ones() {
    let simulator = site().await;
    let root = block(simulator.root_pem());
    let client = block(&simulator.client_certificate().certificate_pem);
    for (pem, subject, named, authority) in
        [(&root, "CN=LOCALHOST-CA", "Root", true), (&client, "CN=QlikClient", "Client", false)]
    {
        let certificate = pem.parse_x509().unwrap();
        assert_eq!(certificate.subject().to_string(), subject);
        assert_eq!(certificate.issuer().to_string(), "CN=LOCALHOST-CA");
        assert_eq!(certificate.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.11");
        assert_eq!((purpose(&certificate).as_str(), certificate.is_ca()), (named, authority));
        assert!(!has(&certificate, |one| matches!(
            one,
            ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::SubjectAlternativeName(_)
        )));
        let days = (certificate.validity().not_after.timestamp()
            - certificate.validity().not_before.timestamp())
            / 86_400;
        assert_eq!(days, 5 * 365 + 8, "five years, a leap day and a week");
    }
}

#[tokio::test]
async fn the_server_has_one_name() {
    let simulator = site().await;
    // The proxy shows the same certificate as the repository, and asks for none.
    for (url, identity) in [
        (simulator.proxy_url(), None),
        (simulator.repository_url(), Some(identity(simulator.client_certificate()))),
    ] {
        let client = http_as(&simulator, identity.as_deref());
        let response = client.get(format!("{url}/hub")).send().await.unwrap();
        let info = response.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
        let der = info.peer_certificate().unwrap();
        let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names, [GeneralName::DNSName("localhost")], "{url}");
        assert_eq!(purpose(&certificate), "Service");
        assert_eq!(certificate.subject().to_string(), "CN=localhost");
    }
}

#[tokio::test]
async fn another_name_is_another_server() {
    let config = Config { server_name: "sense.example.com".to_owned(), ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let port = simulator.repository_url().rsplit_once(':').unwrap().1.to_owned();
    let client = http_as(&simulator, Some(&identity(simulator.client_certificate())));
    let refused = client.get(format!("https://localhost:{port}/qrs/about")).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("NotValidForName"), "{refused:?}");
}

#[tokio::test]
async fn who_gets_in() {
    let (simulator, other) = (site().await, site().await);
    let url = format!("{}/qrs/about", simulator.repository_url());
    let valid = simulator.client_certificate().clone();
    let expired = simulator.issue_client_certificate(Validity::EXPIRED).unwrap();
    let future = simulator.issue_client_certificate(Validity { from: 1, until: 2 }).unwrap();
    let converted = format!("{}{}", valid.certificate_pem, valid.pkcs8_key_pem);
    for (what, identity, enters) in [
        ("a valid one", Some(identity(&valid)), true),
        ("its key as PKCS #8", Some(converted), true),
        ("an expired one", Some(identity(&expired)), false),
        ("one that is not valid yet", Some(identity(&future)), false),
        ("one of another site", Some(identity(other.client_certificate())), false),
        ("none", None, false),
    ] {
        let answer = http_as(&simulator, identity.as_deref()).get(&url).send().await;
        // Inside, the key against forged requests is missing; outside there is no HTTP answer at all.
        assert_eq!(answer.ok().map(|answer| answer.status().as_u16()), enters.then_some(403), "{what}");
    }
}

#[tokio::test]
async fn old_servers_refuse_in_the_handshake() {
    let simulator = Simulator::start(Config { tls12_only: true, ..Config::default() }).await.unwrap();
    assert_eq!(Client::admin(&simulator).status("about").await, 200);
    let refused = http_as(&simulator, None).get(simulator.repository_url()).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
}

#[test]
fn exports_are_as_an_administrator_gets_them() {
    let simulator = Simulator::start_blocking(Config::default()).unwrap();
    let client = simulator.client_certificate();
    assert!(client.key_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\r\n"));
    assert!(client.pkcs8_key_pem.starts_with("-----BEGIN PRIVATE KEY-----\r\n"));
    for text in [&client.certificate_pem, &client.key_pem, simulator.root_pem()] {
        assert!(text.lines().count() > 10 && text.matches('\n').count() == text.matches("\r\n").count());
    }
    let certificate = block(&client.certificate_pem).contents;
    let key = block(&client.pkcs8_key_pem).contents;
    for encryption in Pkcs12::ALL {
        for password in ["", "secret", "pässwörd ✓"] {
            let file = client.pfx(encryption, password).unwrap();
            let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict).unwrap();
            let (_, chain) = store.private_key_chain().unwrap();
            assert_eq!(chain.certs()[0].as_der(), certificate, "{encryption:?} {password}");
            assert_eq!(chain.key().as_der(), key, "{encryption:?} {password}");
            assert!(KeyStore::from_pkcs12(&file, "wrong", Pkcs12ImportPolicy::Strict).is_err());
        }
    }
    let useless = client.pfx_without_key("secret").unwrap();
    let store = KeyStore::from_pkcs12(&useless, "secret", Pkcs12ImportPolicy::Strict).unwrap();
    assert!(store.private_key_chain().is_none() && store.entries_len() == 1);
}

#[test]
fn each_encryption_is_what_it_says() {
    let simulator = Simulator::start_blocking(Config::default()).unwrap();
    // Object identifiers as they stand in the file: RC2 with 40 bits, 3DES, PBES2.
    const RC2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01, 0x06];
    const TRIPLE_DES: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01, 0x03];
    const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D];
    for (encryption, expected) in [
        (Pkcs12::Rc2, [true, true, false]),
        (Pkcs12::TripleDes, [false, true, false]),
        (Pkcs12::Aes256, [false, false, true]),
    ] {
        let file = simulator.client_certificate().pfx(encryption, "x").unwrap();
        let holds = |oid: &[u8]| file.windows(oid.len()).any(|window| window == oid);
        assert_eq!([RC2, TRIPLE_DES, PBES2].map(holds), expected, "{encryption:?}");
    }
}
