//! Reading the value of a secret: from a file, the environment, standard input or a person. A client certificate may be a file
//! of bytes, or two files of PEM.

use super::{connection_input::Values, private_key_prompt::Answer, terminal};
use crate::{
    model::{
        secret::SecretValue,
        settings::{Field, Form},
        text::{is_fit_to_repeat, is_variable_name, one_line},
    },
    secrets::identity,
};
use jackfield_plugin::contract::Failure;
use std::{
    collections::BTreeMap,
    env::VarError,
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
        Zeroizing::new(read_variable(key, variable)?.into_bytes())
    } else if source == "-" && std::io::stdin().is_terminal() {
        return ask(field, key);
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
    let wrong = |why: &str| {
        let what = source.strip_prefix('@').map(|path| named(Path::new(path)));
        let what = what.unwrap_or_else(|| "what was given".to_owned());
        Failure::you(format!("{key}: {what} {why}")).field(key)
    };
    match entered(field, &bytes) {
        // Blank keeps a text of before; whoever names the file of a certificate means another one.
        Some(value) if field.tls_identity.is_some() && value.reveal().is_empty() => Err(wrong("is empty")
            .remedy("export the client certificate again with its private key, and give the file that comes of it")),
        Some(value) => Ok(value),
        None => Err(wrong("is not text")),
    }
}

/// Asks a person for the value of a secret, or for the file that it stands in.
pub(super) fn ask(field: &Field, prompt: &str) -> Result<SecretValue, Failure> {
    if field.tls_identity.is_some() {
        return ask_file(field);
    }
    let text = match field.private_key.is_empty() {
        true => terminal::ask_hidden(prompt)?,
        false => match terminal::ask_private_key(prompt)? {
            Answer::Text(text) => text,
            Answer::File(path) => return read(field, &format!("@{path}")),
        },
    };
    Ok(without_end(&text))
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

/// Asks for the password of a client certificate that was given, unless one was given as well, or the stored one opens it. A
/// blank answer keeps that.
pub(super) fn ask_password(
    form: &Form,
    field: &Field,
    values: &mut Values,
    stored: &BTreeMap<String, SecretValue>,
) -> Result<(), Failure> {
    let password = field.tls_identity.as_ref().and_then(|identity| identity.password.as_deref());
    let Some(password) = password.and_then(|id| form.field(id).ok()) else { return Ok(()) };
    let said = values.secrets.contains_key(&password.id) || values.settings.contains_key(&password.id);
    let stored = stored.get(&password.id);
    let closed = values.secrets.get(&field.id).is_some_and(|value| identity::is_closed(value, stored));
    if closed && !said {
        let text = match stored {
            None => terminal::ask_hidden(&password.title)?,
            Some(_) => terminal::ask_hidden_or_blank(&format!(
                "{} (blank keeps the stored one, which does not open this file)",
                password.title
            ))?,
        };
        values.secrets.insert(password.id.clone(), without_end(&text));
    }
    Ok(())
}

/// A file of text.
pub(super) fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = read_bytes(path, what)?;
    let text = std::str::from_utf8(&bytes).map(str::to_owned);
    text.map_err(|_| Failure::you(format!("{what}: {} is not text", named(path))).field(what))
}

/// Asks for the file of a client certificate, and for that of its key if it is apart.
fn ask_file(field: &Field) -> Result<SecretValue, Failure> {
    let ask = |what: String| read(field, &format!("@{}", terminal::ask_text(&what)?.trim()));
    let value = ask(format!("{}: file (.pfx, .p12, or .pem)", field.title))?;
    if !identity::lacks_key(&value) {
        return Ok(value);
    }
    let key = ask("The file of its private key (.pem)".to_owned())?;
    together(field, &value, &key)
}

/// The value that was given as bytes; nothing if it must be text and is not.
fn entered(field: &Field, bytes: &[u8]) -> Option<SecretValue> {
    match field.tls_identity {
        Some(_) => Some(identity::entered(bytes)),
        None => std::str::from_utf8(bytes).ok().map(without_end),
    }
}

/// A value without what editors put around it.
fn without_end(text: &str) -> SecretValue {
    // Editors of some systems put a mark before the text, which is no part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    SecretValue::new(text)
}

fn read_variable(key: &str, variable: &str) -> Result<String, Failure> {
    std::env::var(variable).map_err(|error| match error {
        VarError::NotUnicode(_) => {
            Failure::you(format!("{key}: the variable {variable} is not text")).field(key)
        }
        VarError::NotPresent if is_variable_name(variable) => {
            Failure::you(format!("{key}: the variable {variable} is not set")).field(key)
        }
        // A shell has put the secret itself there.
        VarError::NotPresent => Failure::you(format!(
            "{key}: what stands behind \"env:\" is not the name of a variable that is set"
        ))
        .field(key)
        .remedy(format!(
            "write --secret {key}=env:NAME, without a dollar sign: with one, the shell puts the value in the name's place"
        )),
    })
}

fn read_bytes(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wrong = |why: String| {
        let failure = Failure::you(format!("{what}: {} {why}", named(path))).field(what);
        match is_nameable(path) {
            true => failure,
            false => failure.remedy(
                "give the name of a file, without a dollar sign where the variable holds the content: the shell puts that in the name's place",
            ),
        }
    };
    let size = fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?.len();
    if size > LARGEST {
        return Err(wrong(format!("is too large ({size} bytes)")));
    }
    let bytes = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    Ok(Zeroizing::new(bytes))
}

fn named(path: &Path) -> String {
    match is_nameable(path) {
        true => format!("the file {}", one_line(&path.display().to_string())),
        false => "what was given as a file's name".to_owned(),
    }
}

/// Whether what was given as a file's name may be repeated: it can be the secret itself.
fn is_nameable(path: &Path) -> bool {
    // A folder that is there is no secret, however odd its name; the root is there for every text that begins with "/".
    let in_folder = path.parent().is_some_and(|folder| folder.parent().is_some() && folder.is_dir());
    let fit = path.file_name().is_some_and(|name| is_fit_to_repeat(&name.to_string_lossy()));
    is_fit_to_repeat(&path.to_string_lossy()) || path.is_file() || (in_folder && fit)
}
