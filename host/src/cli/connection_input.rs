//! What is given for a connection on the command line, and what is asked for at a terminal.

use super::private_key_prompt::{self, Answer};
use crate::model::{
    connection::TlsTrust,
    secret::SecretValue,
    settings::{Field, FieldKind, Form},
    text::{is_fit_to_repeat, is_variable_name},
};
use clap::Args;
use dialoguer::{Confirm, Input, Password, Select};
use jackfield_plugin::contract::Failure;
use rustix::termios::{OptionalActions, Termios};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    env::VarError,
    fs,
    io::{IsTerminal, Read},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The largest file that can be a secret or a certificate.
const LARGEST: u64 = 1024 * 1024;

/// Flags that `add` and `edit` share.
#[derive(Args)]
pub(super) struct Given {
    /// A setting, as key=value; may be repeated. `jackfield plugin show` names the keys
    #[arg(long = "set", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    settings: Vec<String>,
    /// A secret: key=@FILE from a file, key=env:VARIABLE from the environment, key=- from standard input; may be repeated
    #[arg(long = "secret", value_name = "KEY=SOURCE", allow_hyphen_values = true)]
    secrets: Vec<String>,
    /// Max parallel executions: HTTP requests in flight for this connection, at least 1
    #[arg(long, value_name = "NUMBER")]
    pub(super) max_parallel: Option<u32>,
    /// Certificates (PEM) to trust besides the system's; empty to trust only those again
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    tls_ca: Option<String>,
    /// The name that the server's certificate must carry, where it is not the host name; empty for the host name again
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    tls_server_name: Option<String>,
    /// SHA-256 of the one certificate to accept, whatever it says of itself; empty for none again. A refused certificate's
    /// is shown: compare it with that on the server first
    #[arg(long, value_name = "SHA256", allow_hyphen_values = true)]
    tls_pin: Option<String>,
    /// Accept the hosts that the connector must reach besides the settings'
    #[arg(long)]
    pub(super) accept_hosts: bool,
}

/// Settings and secrets, read.
#[derive(Default)]
pub(super) struct Values {
    pub(super) settings: Map<String, Value>,
    pub(super) secrets: BTreeMap<String, SecretValue>,
}

impl Values {
    /// Takes settings back to their defaults.
    pub(super) fn unset(mut self, form: &Form, keys: &[String]) -> Result<Self, Failure> {
        for key in keys {
            let field = form.field(key)?;
            if field.secret {
                return Err(Failure::you(format!("{key} is a secret, and a secret has no default"))
                    .field(key)
                    .remedy("give another with --secret, or change the setting that makes it apply"));
            }
            self.settings.insert(field.id.clone(), Value::Null);
        }
        Ok(self)
    }
}

impl Given {
    /// Whether neither a setting nor a secret was given.
    pub(super) fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.secrets.is_empty()
    }

    /// Reads the settings and secrets that were given.
    pub(super) fn values(&self, form: &Form) -> Result<Values, Failure> {
        let mut values = Values::default();
        for text in &self.settings {
            let (key, value) = split(text, "--set")?;
            let field = form.field(key)?;
            values.settings.insert(field.id.clone(), field.parse(value)?);
        }
        let mut from_input = None;
        for text in &self.secrets {
            let (key, source) = split(text, "--secret")?;
            let field = form.field(key)?;
            if !field.secret {
                return Err(Failure::you(format!("{key} is not a secret; give it with --set")).field(key));
            }
            if source == "-" && from_input.replace(key).is_some() {
                return Err(Failure::you("only one secret can be read from standard input").field(key));
            }
            values.secrets.insert(field.id.clone(), read_secret(field, source)?);
        }
        Ok(values)
    }

    /// Whom to trust, if that was given; an empty value takes one part back.
    pub(super) fn tls(&self, old: &TlsTrust) -> Result<Option<TlsTrust>, Failure> {
        if self.tls_ca.is_none() && self.tls_server_name.is_none() && self.tls_pin.is_none() {
            return Ok(None);
        }
        let mut tls = old.clone();
        if let Some(path) = &self.tls_ca {
            tls.ca_pem = match path.is_empty() {
                true => None,
                false => Some(read_file(&PathBuf::from(path), "--tls-ca")?),
            };
        }
        if let Some(name) = &self.tls_server_name {
            tls.server_name = (!name.is_empty()).then(|| name.clone());
        }
        if let Some(text) = &self.tls_pin {
            let pin = TlsTrust::fingerprint(text);
            if pin.is_none() && !text.is_empty() {
                let what =
                    if is_fit_to_repeat(text) { format!("\"{text}\"") } else { "what was given".to_owned() };
                return Err(Failure::you(format!("--tls-pin: {what} is no SHA-256 (64 hexadecimal digits)"))
                    .field("pin_sha256"));
            }
            tls.pin_sha256 = pin;
        }
        Ok(Some(tls))
    }
}

fn split<'a>(text: &'a str, flag: &str) -> Result<(&'a str, &'a str), Failure> {
    // The text may be a secret that was typed in the wrong place, and that of many ends with a "=".
    match text.split_once('=') {
        Some((key, value)) if is_fit_to_repeat(key) => Ok((key, value)),
        None if is_fit_to_repeat(text) => {
            let key: String =
                text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').take(32).collect();
            Err(Failure::you(format!("{flag} {key}… has no \"=\"; it takes KEY=VALUE")))
        }
        _ => Err(Failure::you(format!(
            "what follows {flag} does not begin with the name of a setting and \"=\""
        ))
        .remedy(format!("write {flag} KEY=…; `jackfield plugin show` names the keys"))),
    }
}

fn read_secret(field: &Field, source: &str) -> Result<SecretValue, Failure> {
    let key = field.id.as_str();
    let text = if let Some(path) = source.strip_prefix('@') {
        read_file(&PathBuf::from(path), key)?
    } else if let Some(variable) = source.strip_prefix("env:") {
        read_variable(key, variable)?
    } else if source == "-" && std::io::stdin().is_terminal() {
        ask_secret(field, key)?
    } else if source == "-" {
        let mut text = String::new();
        let read = std::io::stdin().take(LARGEST).read_to_string(&mut text);
        read.map_err(|error| {
            Failure::you(format!("{key}: standard input cannot be read: {error}")).field(key)
        })?;
        text
    } else {
        return Err(Failure::you(format!(
            "{key}: a secret is not given on the command line, where others can see it"
        ))
        .field(key)
        .remedy(format!(
            "use --secret {key}=@FILE, --secret {key}=env:VARIABLE or --secret {key}=- (standard input)"
        )));
    };
    Ok(without_end(&text))
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

fn read_file(path: &PathBuf, what: &str) -> Result<String, Failure> {
    let text = path.to_string_lossy();
    // A folder that is there is no secret, however odd its name; the root is there for every text that begins with "/".
    let in_folder = path.parent().is_some_and(|folder| folder.parent().is_some() && folder.is_dir());
    let named = path.file_name().is_some_and(|name| is_fit_to_repeat(&name.to_string_lossy()));
    let wrong = |why: String| {
        if is_fit_to_repeat(&text) || path.is_file() || (in_folder && named) {
            return Failure::you(format!("{what}: the file {text} {why}")).field(what);
        }
        Failure::you(format!("{what}: what was given as a file's name {why}")).field(what).remedy(
            "give the name of a file, without a dollar sign where the variable holds the content: the shell puts that in the name's place",
        )
    };
    let size = fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?.len();
    if size > LARGEST {
        return Err(wrong(format!("is too large ({size} bytes)")));
    }
    let bytes = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| wrong("is not text".to_owned()))
}

/// Asks at the terminal for what must be given and is missing.
pub(super) fn ask(form: &Form, values: &mut Values) -> Result<(), Failure> {
    for field in &form.fields {
        let given = values.settings.contains_key(&field.id) || values.secrets.contains_key(&field.id);
        if given || !field.required || field.default.is_some() || !form.applies(field, &values.settings) {
            continue;
        }
        if let Some(line) = field.help.lines().next() {
            eprintln!("{line}");
        }
        if field.secret {
            let text = ask_secret(field, &field.title)?;
            values.secrets.insert(field.id.clone(), without_end(&text));
        } else {
            let value = ask_one(field)?;
            values.settings.insert(field.id.clone(), value);
        }
    }
    Ok(())
}

fn ask_one(field: &Field) -> Result<Value, Failure> {
    if !field.choices.is_empty() {
        let labels: Vec<&str> = field.choices.iter().map(|choice| choice.label.as_str()).collect();
        let _asking = Asking::begin();
        let at = Select::new()
            .with_prompt(&field.title)
            .items(&labels)
            .default(0)
            .interact()
            .map_err(no_answer)?;
        return Ok(Value::from(field.choices[at].value.clone()));
    }
    if field.kind == FieldKind::Boolean {
        return confirm(&field.title).map(Value::from);
    }
    let prompt = match &field.placeholder {
        Some(example) => format!("{} (such as {example})", field.title),
        None => field.title.clone(),
    };
    let _asking = Asking::begin();
    let text: String = Input::new().with_prompt(prompt).interact_text().map_err(no_answer)?;
    Ok(field.parse(&text)?)
}

/// Asks yes or no; no unless told otherwise.
pub(super) fn confirm(question: &str) -> Result<bool, Failure> {
    let _asking = Asking::begin();
    Confirm::new().with_prompt(question).default(false).interact().map_err(no_answer)
}

fn ask_secret(field: &Field, prompt: &str) -> Result<String, Failure> {
    let _asking = Asking::begin();
    if !field.private_key.is_empty() {
        return match private_key_prompt::ask(prompt)? {
            Answer::Text(text) => Ok(text),
            Answer::File(path) => read_file(&PathBuf::from(path), &field.id),
        };
    }
    let text = Password::new().with_prompt(prompt).interact().map_err(no_answer)?;
    if text.contains("-----BEGIN ") {
        // The rest of it would be the shell's next commands.
        private_key_prompt::drain();
    }
    Ok(text)
}

/// The terminal as it was, while a question stands on it.
static ASKING: Mutex<Option<Termios>> = Mutex::new(None);

/// A question stands on the terminal until this is dropped.
struct Asking;

impl Asking {
    fn begin() -> Self {
        *asking() = rustix::termios::tcgetattr(std::io::stdin()).ok();
        Asking
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        *asking() = None;
    }
}

fn asking() -> MutexGuard<'static, Option<Termios>> {
    ASKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a question stands on the terminal.
pub(super) fn is_asking() -> bool {
    asking().is_some()
}

/// Gives the terminal back as it was before the question: with its echo and its cursor.
pub(super) fn restore_terminal() {
    if let Some(before) = asking().as_ref() {
        // A terminal that is gone needs nothing back.
        let _ = rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        eprintln!("\x1b[?25h");
    }
}

fn no_answer(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(cause) = &error;
    if cause.kind() == std::io::ErrorKind::Interrupted {
        return Failure::cancelled();
    }
    Failure::you(format!("no answer was given: {error}"))
}
