//! Client certificates in every form in which they are exported, and everything that a person may give instead.

use super::*;
use crate::model::settings::Form;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use serde_json::json;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "Qlik-Expört 7%";
const NOW: i64 = 1_800_000_000;

/// The files that `make.py` made.
fn file(name: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secrets/identity_files").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(file(name)).unwrap()
}

fn pem(names: &[&str]) -> SecretValue {
    let files: Vec<String> = names.iter().map(|name| text(name)).collect();
    entered(files.concat().as_bytes())
}

fn open_with(value: &SecretValue, password: Option<&str>) -> Result<SecretValue, Trouble> {
    open(value, password.map(SecretValue::new).as_ref())
}

/// The key that every file holds, as PKCS#8.
fn key() -> Vec<u8> {
    x509_parser::pem::Pem::iter_from_buffer(&file("client_key_pkcs8.pem")).next().unwrap().unwrap().contents
}

#[test]
fn every_form_of_export_gives_the_same_identity() {
    let leaf = x509_parser::pem::Pem::iter_from_buffer(&file("client.pem")).next().unwrap().unwrap().contents;
    let bytes = |name: &str| entered(&file(name));
    let both = |one: &str, other: &str| together(&bytes(one), &bytes(other)).unwrap();
    let password = Some(PASSWORD);
    for (what, value, password) in [
        ("RC2-40 and 3DES", bytes("rc2.pfx"), password),
        ("3DES", bytes("des3.pfx"), password),
        ("AES-256", bytes("aes.pfx"), password),
        ("RC2-40, password of no length", bytes("empty_rc2.pfx"), None),
        ("3DES, password of no length", bytes("empty_des3.pfx"), None),
        ("AES-256, password of no length", bytes("empty_aes.pfx"), None),
        ("the same, an empty one given", bytes("empty_aes.pfx"), Some("")),
        ("RC2-40, no password", bytes("absent_rc2.pfx"), None),
        ("AES-256, no password", bytes("absent_aes.pfx"), None),
        ("not encrypted", bytes("bare.pfx"), None),
        ("as base64", entered(format!("\n{}\n", bytes("aes.pfx").reveal()).as_bytes()), password),
        ("PEM, PKCS#1", both("client.pem", "client_key.pem"), None),
        ("PEM, the key first", both("client_key.pem", "client.pem"), None),
        ("PEM, PKCS#8", both("client.pem", "client_key_pkcs8.pem"), None),
        ("PEM, encrypted", both("client.pem", "client_key_encrypted.pem"), password),
        ("PEM, encrypted as PKCS#12 does, 3DES", both("client.pem", "client_key_pbe_3des.pem"), password),
        ("PEM, encrypted as PKCS#12 does, RC2-40", both("client_key_pbe_rc2.pem", "client.pem"), password),
        ("PEM with the authority first", both("root.pem", "client_key.pem"), None),
        (
            "PEM with a mark before it",
            entered(
                &[&b"\xef\xbb\xbf"[..], both("client.pem", "client_key.pem").reveal().as_bytes()].concat(),
            ),
            None,
        ),
        ("PEM without a line's end", pem_without_end(), None),
    ] {
        let value = match what {
            "PEM with the authority first" => together(&value, &bytes("client.pem")).unwrap(),
            _ => value,
        };
        let opened = open_with(&value, password).unwrap_or_else(|trouble| panic!("{what}: {trouble:?}"));
        let chain: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(opened.reveal().as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(chain[0].contents, leaf, "{what}");
        let last = chain.last().unwrap();
        let expected = if last.label == "RSA PRIVATE KEY" { inner(&key()) } else { key() };
        assert_eq!(last.contents, expected, "{what}");
        assert_eq!(check_time(&opened, NOW), Ok(()), "{what}");
        assert_eq!(inspect(&opened).certificate.unwrap().subject, "CN=QlikClient", "{what}");
    }
}

/// Two files that were put together by hand.
fn pem_without_end() -> SecretValue {
    SecretValue::new(format!("{}{}", text("client.pem").trim(), text("client_key.pem").trim()))
}

/// The PKCS#1 key in a PKCS#8 one.
fn inner(key: &[u8]) -> Vec<u8> {
    pkcs8::PrivateKeyInfoRef::try_from(key).unwrap().private_key.as_bytes().to_vec()
}

fn form() -> Form {
    Form::of(&json!({ "properties": {
        "certificate": { "type": "string", "title": "Client certificate", "x-secret": true,
                         "x-tls-identity": { "password": "certificate_password" } },
        "certificate_password": { "type": "string", "title": "Certificate password", "x-secret": true },
    }}))
}

/// What a person is told.
fn told(value: &SecretValue, password: Option<&str>) -> String {
    let checked = open_with(value, password).and_then(|opened| check_time(&opened, NOW));
    let Err(trouble) = checked else { return "fine".to_owned() };
    let form = form();
    let failure = trouble.failure(&form, form.field("certificate").unwrap());
    let words = format!("{}\n  remedy: {}", failure.message, failure.remedy.unwrap());
    assert!(!words.contains(PASSWORD));
    format!("{words}\n  field: {}", failure.field.unwrap())
}

#[test]
fn whatever_is_wrong_has_its_own_words() {
    let password = Some(PASSWORD);
    let bytes = |name: &str| entered(&file(name));
    let other = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Somebody");
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(2090, 2, 3), rcgen::date_time_ymd(2091, 1, 1));
    let early = params.self_signed(&other).unwrap().pem() + &other.serialize_pem();
    let odd = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let leaf = x509_parser::pem::Pem::iter_from_buffer(&file("client.pem")).next().unwrap().unwrap().contents;
    let mut damaged = file("bare.pfx");
    let at = memchr::memmem::find(&damaged, &leaf).unwrap();
    damaged[at + 8..at + 40].fill(0);
    let with = |name: &str, more: &str| SecretValue::new(text(name) + more);
    let mut words = String::new();
    for (what, value, password) in [
        ("a wrong password", bytes("aes.pfx"), Some("qlik-expört 7%")),
        ("a wrong password, 3DES", bytes("des3.pfx"), Some("wrong")),
        ("a password that the format cannot have", bytes("rc2.pfx"), Some("\u{1f511}")),
        ("no password", bytes("rc2.pfx"), None),
        ("a password that is not needed", bytes("empty_rc2.pfx"), password),
        ("a password that is not needed, the other way", bytes("absent_aes.pfx"), password),
        ("a text", SecretValue::new("hello, this is not a certificate"), None),
        ("a picture", entered(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), None),
        ("nothing", SecretValue::new(""), None),
        ("a file's name", SecretValue::new("/home/anna/client.pfx"), None),
        ("a certificate by itself, DER", entered(&leaf), None),
        ("a certificate by itself, PEM", pem(&["client.pem"]), None),
        ("an export without the key", bytes("without_key.pfx"), password),
        ("a key by itself", pem(&["client_key.pem"]), None),
        ("a Java keystore", entered(b"\xfe\xed\xfe\xed\0\0\0\x02\0\0"), None),
        ("BER", entered(&[&[0x30, 0x80][..], &file("aes.pfx")[4..]].concat()), password),
        ("cut off", entered(&file("aes.pfx")[..900]), password),
        ("damaged", entered(&damaged), None),
        ("damaged PEM", SecretValue::new(&text("client.pem")[..500]), None),
        ("RC4", bytes("rc4.pfx"), password),
        ("PEM with a key of old", pem(&["client.pem", "client_key_dek.pem"]), password),
        ("PEM with an encrypted key and no password", pem(&["client.pem", "client_key_encrypted.pem"]), None),
        (
            "PEM with an encrypted key and a wrong password",
            pem(&["client.pem", "client_key_encrypted.pem"]),
            Some("x"),
        ),
        (
            "the same, encrypted as PKCS#12 does, no password",
            pem(&["client.pem", "client_key_pbe_3des.pem"]),
            None,
        ),
        ("a wrong password, 3DES", pem(&["client.pem", "client_key_pbe_3des.pem"]), Some("x")),
        (
            "a wrong password that yields good padding by chance",
            pem(&["client.pem", "client_key_pbe_3des.pem"]),
            Some("wrong-98"),
        ),
        ("a wrong password, RC2", pem(&["client.pem", "client_key_pbe_rc2.pem"]), Some("qlik-Expört 7%")),
        ("PEM with a key encrypted by MD5 and DES", pem(&["client.pem", "client_key_pbe_md5.pem"]), password),
        ("a password that PEM does not need", pem(&["client.pem", "client_key.pem"]), password),
        ("a password that is not needed, nothing encrypted", bytes("bare.pfx"), password),
        ("a needless password, and no key", pem(&["client.pem"]), password),
        ("two keys", with("client.pem", &(text("client_key.pem") + &other.serialize_pem())), None),
        ("another one's key", with("client.pem", &other.serialize_pem()), None),
        (
            "only a request to sign",
            SecretValue::new("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"),
            None,
        ),
        ("expired", bytes("expired.pfx"), password),
        ("not valid yet", SecretValue::new(early), None),
    ] {
        words += &format!("{what}\n{}\n\n", told(&value, password));
    }
    // It is of use for TLS in general.
    let ed = params.self_signed(&odd).unwrap().pem() + &odd.serialize_pem();
    assert!(told(&SecretValue::new(ed), None).contains("valid only from"));
    insta::assert_snapshot!(words);
}

#[test]
fn several_keys_in_one_file_are_counted() {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let mut store = KeyStore::new();
    for name in ["one", "two"] {
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
        let key = PrivateKey::from_der(&pair.serialize_der()).unwrap();
        let chain = PrivateKeyChain::new(name, key, [Certificate::from_der(certificate.der()).unwrap()]);
        store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    }
    let value = entered(&store.writer("pw").write().unwrap());
    assert_eq!(open_with(&value, Some("pw")), Err(Trouble::MoreKeys { count: 2 }));
}

#[test]
fn a_person_is_asked_only_for_what_is_missing() {
    for (name, closed) in
        [("aes.pfx", true), ("empty_aes.pfx", false), ("absent_rc2.pfx", false), ("rc4.pfx", true)]
    {
        assert_eq!(is_closed(&entered(&file(name)), None), closed, "{name}");
        assert!(!lacks_key(&entered(&file(name))), "{name}");
    }
    assert!(lacks_key(&pem(&["client.pem"])) && !lacks_key(&pem(&["client.pem", "client_key.pem"])));
    assert!(is_closed(&pem(&["client.pem", "client_key_encrypted.pem"]), None));
    for (password, closed) in [(PASSWORD, false), ("another", true)] {
        assert_eq!(is_closed(&entered(&file("aes.pfx")), Some(&SecretValue::new(password))), closed);
    }
    assert_eq!(together(&pem(&["client.pem"]), &entered(&file("aes.pfx"))), None);
}

#[test]
fn damage_does_no_harm() {
    for name in ["bare.pfx", "absent_rc2.pfx"] {
        let good = file(name);
        for at in (0..good.len()).step_by(if name == "bare.pfx" { 3 } else { 41 }) {
            for byte in [0, 0x30, 0x80, 0xff] {
                let mut damaged = good.clone();
                damaged[at] = byte;
                // Whatever it is: never a panic.
                let _ = open_with(&entered(&damaged), None);
            }
        }
    }
    let sections = file("client_key_pbe_rc2.pem");
    let good = x509_parser::pem::Pem::iter_from_buffer(&sections).next().unwrap().unwrap().contents;
    for at in (0..60).chain((60..good.len()).step_by(97)) {
        for byte in [0, 0x30, 0x80, 0xff] {
            let mut damaged = good.clone();
            damaged[at] = byte;
            let key = crate::model::pem::written("ENCRYPTED PRIVATE KEY", &damaged);
            let opened = open_with(&SecretValue::new(text("client.pem") + &key), Some(PASSWORD));
            assert!(damaged == good || opened.is_err(), "byte {at} as {byte:#x}");
        }
    }
}
