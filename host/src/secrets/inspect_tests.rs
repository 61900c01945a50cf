//! Public facts, and garbage.

use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

fn token(header: &str, claims: &str) -> SecretValue {
    let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    SecretValue::new(format!("{header}.{claims}.c2lnbmF0dXJl"))
}

#[test]
fn reads_the_claims_of_any_jwt() {
    let claims = r#"{"jti":"k-1","sub":"me","iss":"https://idp","exp":1900000000,"more":[1]}"#;
    for header in [r#"{"alg":"ES384","typ":"JWT"}"#, r#"{"alg":"none"}"#, r#"{"alg":"new"}"#, ""] {
        let facts = inspect(&token(header, claims)).jwt.unwrap();
        assert_eq!((facts.id.as_deref(), facts.subject.as_deref()), (Some("k-1"), Some("me")));
        assert_eq!((facts.issuer.as_deref(), facts.expires), (Some("https://idp"), Some(1_900_000_000)));
    }
}

#[test]
fn tolerates_odd_claims() {
    let expires = |exp| inspect(&token("{}", &format!(r#"{{"exp":{exp}}}"#))).jwt.unwrap().expires;
    assert_eq!(expires("1900000000.5"), Some(1_900_000_000));
    assert_eq!(expires("\"1900000000\""), Some(1_900_000_000));
    assert_eq!(expires("1e300"), Some(i64::MAX));
    assert_eq!(expires("null"), None);
    assert_eq!(expires("\"soon\""), None);
    assert_eq!(inspect(&token("{}", r#"{"sub":7}"#)).jwt, Some(JwtFacts::default()));
    assert_eq!(inspect(&token("{}", "[]")).jwt, None);
    let token = token("{}", r#"{"sub":"me"}"#);
    assert!(inspect(&SecretValue::new(format!(" {}\n", token.reveal()))).jwt.is_some());
}

#[test]
fn reads_the_first_certificate_wherever_it_stands() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["server.example".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "server.example");
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2035, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let text = format!("Bag Attributes\r\n{}{}", key.serialize_pem(), certificate.pem());
    let facts = inspect(&SecretValue::new(text)).certificate.unwrap();
    assert_eq!((facts.subject.as_str(), facts.issuer.as_str()), ("CN=server.example", "CN=server.example"));
    assert_eq!((facts.not_before, facts.not_after), (1_735_689_600, 2_051_222_400));
    assert_eq!(facts.sha256, hex(&Sha256::digest(certificate.der())));
    assert_eq!(
        facts.pem.unwrap(),
        certificate.pem().replace("\r\n", "\n"),
        "the certificate, and nothing of the key"
    );
    assert_eq!(inspect(&SecretValue::new(key.serialize_pem())).certificate, None);
}

#[test]
fn says_whether_there_is_a_value() {
    assert!(!inspect(&SecretValue::new("")).present);
    assert!(inspect(&SecretValue::new("plain")).present);
}

#[test]
fn garbage_has_no_facts_and_does_no_harm() {
    let mut bytes = vec![0; 300];
    for round in 0..2000 {
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let random = String::from_utf8_lossy(&bytes[..round % 300]).into_owned();
        let encoded = URL_SAFE_NO_PAD.encode(&bytes[..round % 300]);
        let (begin, end) = ("-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n");
        for garbage in [
            random.clone(),
            format!("{random}.{encoded}.{random}"),
            format!("{begin}{random}"),
            format!(
                "{begin}{}{end}",
                base64::engine::general_purpose::STANDARD.encode(&bytes[..round % 300])
            ),
            format!("{begin}{random}{end}"),
        ] {
            let facts = inspect(&SecretValue::new(garbage));
            assert!(facts.jwt.is_none() && facts.certificate.is_none());
        }
    }
}

#[test]
fn a_damaged_certificate_does_no_harm() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["server.example".to_owned()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    for at in 0..der.len() {
        for byte in [0, 0x30, 0x7f, 0x80, 0xff] {
            let mut damaged = der.clone();
            damaged[at] = byte;
            let body = base64::engine::general_purpose::STANDARD.encode(&damaged);
            inspect(&SecretValue::new(format!(
                "-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
            )));
        }
    }
}
