//! Private keys at entry: whether what was given can sign, and what it is if it cannot. Whoever pastes the wrong half of a pair
//! is told so before anything is sent.

use super::inspect;
use crate::model::secret::SecretValue;
use jackfield_plugin::contract::{Failure, Stage};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

/// Checks that a value is a private key (PEM) of one of these kinds: `rsa`, `ec`. `field` and `title` are for the message.
///
/// # Errors
/// It is none; the failure says what was seen instead, and nothing of the value.
pub fn check_private_key(
    field: &str,
    title: &str,
    value: &SecretValue,
    kinds: &[String],
) -> Result<(), Failure> {
    let text = value.reveal().trim();
    if kinds.iter().any(|kind| signs(kind, text)) {
        return Ok(());
    }
    let wanted: Vec<&str> = kinds.iter().map(|kind| if kind == "ec" { "EC" } else { "RSA" }).collect();
    let wanted = wanted.join(" or ");
    Err(Failure::you(format!("\"{title}\" has to be an {wanted} private key; what was given {}", seen(value, text)))
        .at(Stage::Settings)
        .field(field)
        .remedy(format!(
            "give the {wanted} private key as PEM, not encrypted: its first line is -----BEGIN PRIVATE KEY-----, or one that names its kind"
        )))
}

/// Whether it signs: the only proof that nothing is missing.
fn signs(kind: &str, text: &str) -> bool {
    let (key, algorithms): (_, &[Algorithm]) = match kind {
        "rsa" => (EncodingKey::from_rsa_pem(text.as_bytes()), &[Algorithm::RS256]),
        "ec" => (EncodingKey::from_ec_pem(text.as_bytes()), &[Algorithm::ES256, Algorithm::ES384]),
        _ => return false,
    };
    let Ok(key) = key else { return false };
    let claims = serde_json::json!({});
    algorithms.iter().any(|algorithm| jsonwebtoken::encode(&Header::new(*algorithm), &claims, &key).is_ok())
}

/// What was given, in words that follow "what was given".
fn seen(value: &SecretValue, text: &str) -> String {
    let has = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
    let begins = text.matches("-----BEGIN ").count();
    if has("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return "is an encrypted private key: without its password nobody can sign with it (`openssl pkey -in FILE` takes it away)".to_owned();
    }
    if has("OPENSSH PRIVATE KEY") {
        return "is a private key in the format of OpenSSH (`ssh-keygen -p -m PEM -f FILE` makes PEM of a copy)".to_owned();
    }
    if !text.contains("PRIVATE KEY-----") {
        if let Some(certificate) = inspect(value).certificate {
            let subject = certificate.subject;
            return format!(
                "is a certificate ({subject}), the public half of the pair, which the remote system gets"
            );
        }
        if has("CERTIFICATE") {
            return "is a certificate, and a damaged one: it would be the public half of the pair".to_owned();
        }
        if has("PUBLIC KEY") || has("RSA PUBLIC KEY") {
            return "is a public key, the other half of the pair".to_owned();
        }
        if begins > 0 {
            return "is PEM, but no key".to_owned();
        }
        return match looks_like_a_path(text) {
            true => "is the name of a file and not what is in it (give it as @FILE)".to_owned(),
            false => "is not PEM: the lines that begin with ----- belong to it".to_owned(),
        };
    }
    if begins == 0 || text.matches("-----END ").count() < begins {
        return "is a part of a private key: its first or its last line is missing".to_owned();
    }
    if begins > 1 {
        return "holds more than a private key: it has to stand alone".to_owned();
    }
    if signs("ec", text) || has("EC PRIVATE KEY") {
        return "is an EC private key".to_owned();
    }
    if signs("rsa", text) {
        return "is an RSA private key".to_owned();
    }
    "looks like a private key, but cannot sign: it is damaged, of another kind, or too short (2048 bits are the least)".to_owned()
}

fn looks_like_a_path(text: &str) -> bool {
    !text.contains('\n')
        && text.len() < 300
        && (text.contains(".pem") || text.contains(".key") || text.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::generate::jwt_key_pair;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    fn told(value: &str, kinds: &[&str]) -> String {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        match check_private_key("private_key", "JWT Private key", &SecretValue::new(value), &kinds) {
            Ok(()) => "fine".to_owned(),
            Err(failure) => {
                assert_eq!(failure.field.as_deref(), Some("private_key"));
                format!("{}\n  remedy: {}", failure.message, failure.remedy.unwrap())
            }
        }
    }

    #[test]
    fn what_was_given_instead_of_a_key_is_named() {
        let pair = jwt_key_pair("Jackfield", 2048, 30).unwrap();
        let rsa = pair.private_key.reveal();
        let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let public = elliptic.public_key_pem();
        let (elliptic, p384) = (
            elliptic.serialize_pem(),
            KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem(),
        );
        let body: String = rsa.lines().filter(|line| !line.starts_with('-')).collect();
        let lines: Vec<&str> = rsa.lines().collect();
        // As OpenSSL wrote it once; of the body nothing can be read without the password.
        let unread = lines[2..lines.len() - 1].join("\n");
        let sealed = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{unread}\n-----END RSA PRIVATE KEY-----"
        );
        for key in [rsa.to_owned(), format!("\n  {rsa}\n\n"), rsa.replace('\n', "\r\n")] {
            assert_eq!(told(&key, &["rsa"]), "fine");
        }
        assert_eq!(
            (told(&elliptic, &["ec"]), told(&p384, &["rsa", "ec"])),
            ("fine".to_owned(), "fine".to_owned())
        );
        let mut all = String::new();
        for (what, value, kinds) in [
            ("the certificate", pair.certificate.clone(), &["rsa"][..]),
            ("a damaged certificate", pair.certificate[..300].to_owned(), &["rsa"]),
            ("a public key", public, &["rsa"]),
            ("an encrypted key", rsa.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), &["rsa"]),
            ("an encrypted key of old", sealed, &["rsa"]),
            ("an OpenSSH key", rsa.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"), &["rsa"]),
            ("an EC key", elliptic.clone(), &["rsa"]),
            ("an RSA key for EC", rsa.to_owned(), &["ec"]),
            ("without its end", lines[..lines.len() - 1].join("\n"), &["rsa"]),
            ("without its beginning", lines[1..].join("\n"), &["rsa"]),
            ("without its middle", [&lines[..5], &lines[9..]].concat().join("\n"), &["rsa"]),
            ("a bare body", body, &["rsa"]),
            ("a key and its certificate", format!("{elliptic}{}", pair.certificate), &["rsa"]),
            ("a file's name", "/home/anna/key.pem".to_owned(), &["rsa"]),
            ("a password", "hunter2-hunter2".to_owned(), &["rsa", "ec"]),
        ] {
            let words = told(&value, kinds);
            assert!(
                value.lines().all(|line| line.len() < 15 || line.starts_with('-') || !words.contains(line))
            );
            all += &format!("{what}\n{words}\n\n");
        }
        insta::assert_snapshot!(all);
    }
}
