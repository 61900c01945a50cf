//! Reading the value of a secret: from a file, the environment, standard input or a person. A client certificate may be a file
//! of bytes, or two files of PEM.

use super::connection_input::{ask_secret, ask_text};
use crate::{
    model::{
        secret::SecretValue,
        settings::{Field, Form},
    },
    secrets::identity,
};
use jackfield_plugin::contract::Failure;
use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// The largest file that can be a secret or a certificate.
const LARGEST: u64 = 1024 * 1024;

/// Reads the value for a field from where the person says.
pub(super) fn read(field: &Field, source: &str) -> Result<SecretValue, Failure> {
    let key = field.id.as_str();
    let bytes = if let Some(path) = source.strip_prefix('@') {
        read_bytes(Path::new(path), key)?
    } else if let Some(variable) = source.strip_prefix("env:") {
        let text = std::env::var(variable)
            .map_err(|_| Failure::you(format!("{key}: the variable {variable} is not set")).field(key))?;
        Zeroizing::new(text.into_bytes())
    } else if source == "-" && std::io::stdin().is_terminal() {
        match field.tls_identity {
            Some(_) => return ask_file(field),
            None => Zeroizing::new(ask_secret(key)?.into_bytes()),
        }
    } else if source == "-" {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = std::io::stdin().take(LARGEST).read_to_end(&mut bytes);
        read.map_err(|error| {
            Failure::you(format!("{key}: standard input cannot be read: {error}")).field(key)
        })?;
        bytes
    } else {
        return Err(Failure::you(format!(
            "{key}: a secret is not given on the command line, where others can see it"
        ))
        .field(key)
        .remedy(format!(
            "use --secret {key}=@FILE, --secret {key}=env:VARIABLE or --secret {key}=- (standard input)"
        )));
    };
    if field.tls_identity.is_some() {
        return Ok(identity::entered(&bytes));
    }
    let text = text(&bytes)
        .ok_or_else(|| Failure::you(format!("{key}: what {source} holds is not text")).field(key))?;
    // Editors of some systems put a mark before the text, which is no part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(SecretValue::new(text))
}

/// Puts the files of one client certificate together; no other secret is given twice.
pub(super) fn together(
    field: &Field,
    before: &SecretValue,
    value: &SecretValue,
) -> Result<SecretValue, Failure> {
    let key = &field.id;
    if field.tls_identity.is_none() {
        return Err(Failure::you(format!("{key} is given twice")).field(key));
    }
    identity::together(before, value).ok_or_else(|| {
        Failure::you(format!("{key} is given twice, and one of the files is not PEM"))
            .field(key)
            .remedy("give either one .pfx or .p12 file, or the PEM of the certificate and that of its key")
    })
}

/// Asks for the password of a client certificate, if it has one that was not given.
pub(super) fn ask_password(
    form: &Form,
    field: &Field,
    secrets: &mut BTreeMap<String, SecretValue>,
) -> Result<(), Failure> {
    let password = field.tls_identity.as_ref().and_then(|identity| identity.password.as_deref());
    let Some(password) = password.and_then(|id| form.field(id).ok()) else { return Ok(()) };
    let closed = secrets.get(&field.id).is_some_and(identity::is_closed);
    if closed && !secrets.contains_key(&password.id) {
        secrets.insert(password.id.clone(), SecretValue::new(ask_secret(&password.title)?));
    }
    Ok(())
}

/// Asks for the file of a client certificate, and for that of its key if it is apart.
pub(super) fn ask_file(field: &Field) -> Result<SecretValue, Failure> {
    let ask = |what: String| {
        let path = ask_text(&what)?;
        read_bytes(Path::new(path.trim()), &field.id).map(|bytes| identity::entered(&bytes))
    };
    let value = ask(format!("{}: file (.pfx, .p12, or .pem)", field.title))?;
    if !identity::lacks_key(&value) {
        return Ok(value);
    }
    let key = ask("The file of its private key (.pem)".to_owned())?;
    together(field, &value, &key)
}

/// A file of text.
pub(super) fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = read_bytes(path, what)?;
    let text = text(&bytes).map(str::to_owned);
    text.ok_or_else(|| Failure::you(format!("{what}: the file {} is not text", path.display())).field(what))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn read_bytes(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wrong = |why: String| Failure::you(format!("{what}: the file {} {why}", path.display())).field(what);
    let size = fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?.len();
    if size > LARGEST {
        return Err(wrong(format!("is too large ({size} bytes)")));
    }
    let bytes = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    Ok(Zeroizing::new(bytes))
}
