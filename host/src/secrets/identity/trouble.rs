//! What can be wrong with a client certificate, in words: the thing, the field to look at, and the remedy.

use crate::model::{settings::Field, settings::Form, text::printable};
use jackfield_plugin::contract::{Failure, Stage};

/// Why a client certificate cannot be used. Nothing of the value is in it but the certificate's public name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is neither PKCS#12 nor PEM.
    NoCertificateFile,
    /// It is the name of a file.
    Path,
    /// It is a certificate by itself, in DER.
    CertificateAlone,
    /// It is a Java keystore of the old kind.
    JavaKeystore,
    /// It is PKCS#12 in an encoding that is not read.
    LooseEncoding,
    /// A section of PEM is damaged.
    DamagedPem,
    /// There is a password on it, and none was given.
    NoPassword,
    /// The password does not open it.
    WrongPassword,
    /// A password was given, and there is none on it.
    NeedlessPassword,
    /// It is encrypted in a way that is not read.
    Unsupported,
    /// The key of PEM is encrypted in a way that is not read.
    UnsupportedKey,
    /// The key is encrypted as OpenSSL did long ago.
    OldEncryption,
    /// The password is right, and what is in it cannot be read.
    Damaged,
    /// There is nothing in it.
    Empty,
    /// There is no key in it.
    NoKey {
        /// Whom the certificate names.
        subject: String,
    },
    /// There is a key in it, and no certificate.
    KeyAlone,
    /// There are several keys in it.
    MoreKeys {
        /// How many.
        count: usize,
    },
    /// The key is that of another certificate.
    OtherKey {
        /// Whom the certificate names.
        subject: String,
    },
    /// The key is of a kind that TLS does not use.
    UnusableKey,
    /// It is not valid any more.
    Expired {
        /// Whom it names.
        subject: String,
        /// Since when, in seconds since 1970.
        moment: i64,
    },
    /// It is not valid yet.
    NotYet {
        /// Whom it names.
        subject: String,
        /// From when on, in seconds since 1970.
        moment: i64,
    },
}

impl Trouble {
    /// In words, with the remedy. `field` is the client certificate's.
    pub fn failure(&self, form: &Form, field: &Field) -> Failure {
        let password = field.tls_identity.as_ref().and_then(|identity| identity.password.as_deref());
        let password = password.and_then(|id| form.field(id).ok());
        let (what, remedy) = self.in_words(password);
        let about_password =
            matches!(self, Trouble::NoPassword | Trouble::WrongPassword | Trouble::NeedlessPassword);
        let named = match password {
            Some(password) if about_password => &password.id,
            _ => &field.id,
        };
        Failure::you(format!("\"{}\" {what}", field.title)).at(Stage::Settings).field(named).remedy(remedy)
    }

    /// What follows the field's title, and what to do.
    fn in_words(&self, password: Option<&Field>) -> (String, String) {
        let title = password.map_or("its password".to_owned(), |field| format!("\"{}\"", field.title));
        let both = "give the client certificate together with its private key: a .pfx or .p12 file, or the PEM of both \
                    (client.pem and client_key.pem)";
        let (what, remedy): (&str, String) = match self {
            Trouble::NoCertificateFile => ("is neither a PKCS#12 file (.pfx, .p12) nor PEM", both.to_owned()),
            Trouble::Path => {
                ("is the name of a file and not what is in it", "give it as @FILE".to_owned())
            }
            Trouble::CertificateAlone => {
                ("is a certificate by itself (.cer, .crt): its private key is missing", both.to_owned())
            }
            Trouble::JavaKeystore => (
                "is a Java keystore, not a PKCS#12 file",
                "convert it: `keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12`"
                    .to_owned(),
            ),
            Trouble::LooseEncoding => (
                "is written in a way (BER) that is not read here, though it may be PKCS#12",
                rewrite(),
            ),
            Trouble::DamagedPem => (
                "is damaged PEM: a section of it has no end, or is not base64",
                "copy the whole file, from the first ----- to the last".to_owned(),
            ),
            Trouble::NoPassword => match password {
                Some(_) => (
                    "is protected by a password, and none is given",
                    format!("give the password that was chosen at its export as {title}"),
                ),
                None => (
                    "is protected by a password, and this connector asks for none",
                    "export it again without a password".to_owned(),
                ),
            },
            Trouble::WrongPassword => {
                return (
                    format!("is not opened by {title}: it is another password, or the file is damaged"),
                    "give the password that was chosen at its export; upper and lower case matter. If it is lost, export \
                     the certificate again with a new one"
                        .to_owned(),
                );
            }
            Trouble::NeedlessPassword => {
                let id = password.map_or("", |field| &field.id);
                return (
                    format!("has no password, but {title} is given, or kept from before"),
                    format!("say that there is none: leave it out of a new connection, or --unset {id} at an edit"),
                );
            }
            Trouble::Unsupported => {
                ("is encrypted in a way that is not supported here", rewrite())
            }
            Trouble::UnsupportedKey => (
                "has a private key that is encrypted in a way that is not supported here",
                "encrypt it in today's way: `openssl pkcs8 -topk8 -provider legacy -provider default -in OLD_KEY -out NEW_KEY`"
                    .to_owned(),
            ),
            Trouble::OldEncryption => (
                "has a private key that is encrypted in OpenSSL's old way (Proc-Type: 4,ENCRYPTED)",
                "encrypt it in today's way: `openssl pkcs8 -topk8 -in OLD_KEY -out NEW_KEY`".to_owned(),
            ),
            Trouble::Damaged => (
                "is damaged: what is in it cannot be read",
                "copy the file again from where it was exported, in binary, or export it again".to_owned(),
            ),
            Trouble::Empty => ("holds neither a certificate nor a private key", both.to_owned()),
            Trouble::NoKey { subject } => {
                return (
                    format!("holds the certificate \"{}\" without its private key", printable(subject)),
                    format!("{both}; in an export, the private key has to be included"),
                );
            }
            Trouble::KeyAlone => ("holds a private key without its certificate", both.to_owned()),
            Trouble::MoreKeys { count } => {
                return (
                    format!("holds {count} private keys, and only one can be shown"),
                    "export the one client certificate with its key by itself".to_owned(),
                );
            }
            Trouble::OtherKey { subject } => {
                return (
                    format!(
                        "holds the certificate \"{}\" and a private key that belongs to another one",
                        printable(subject)
                    ),
                    "give the certificate and the key of the same export".to_owned(),
                );
            }
            Trouble::UnusableKey => (
                "has a private key of a kind that TLS does not use",
                "export a certificate with an RSA key of 2048 bits or more, or with an EC key (P-256, P-384)".to_owned(),
            ),
            Trouble::Expired { subject, moment } => {
                return (
                    format!("is the certificate \"{}\", which expired on {}", printable(subject), day(*moment)),
                    "export a new client certificate from the remote system; check this machine's clock too".to_owned(),
                );
            }
            Trouble::NotYet { subject, moment } => {
                return (
                    format!(
                        "is the certificate \"{}\", which is valid only from {} on",
                        printable(subject),
                        day(*moment)
                    ),
                    "check this machine's clock, or wait until then".to_owned(),
                );
            }
        };
        (what.to_owned(), remedy)
    }
}

/// How to make a file that is read of one that is not.
fn rewrite() -> String {
    "export it again with AES-256 or 3DES; or rewrite it: `openssl pkcs12 -legacy -in OLD.pfx -nodes -out ALL.pem`, then \
     `openssl pkcs12 -export -in ALL.pem -out NEW.pfx`, and delete ALL.pem"
        .to_owned()
}

fn day(moment: i64) -> String {
    match jiff::Timestamp::from_second(moment) {
        Ok(moment) => moment.strftime("%Y-%m-%d").to_string(),
        Err(_) => "an unknown day".to_owned(),
    }
}
