//! What is given for a connection on the command line, and what is asked for at a terminal.

use super::{connection_secret, terminal};
use crate::model::{
    connection::TlsTrust,
    secret::SecretValue,
    settings::{Field, FieldKind, Form},
    text::is_fit_to_repeat,
};
use clap::Args;
use jackfield_plugin::contract::Failure;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// Flags that `add` and `edit` share.
#[derive(Args, Default)]
pub(super) struct Given {
    /// A setting, as key=value; may be repeated. `jackfield plugin show` names the keys
    #[arg(long = "set", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    settings: Vec<String>,
    /// A secret: key=@FILE from a file, key=env:VARIABLE from the environment, key=- from standard input; may be
    /// repeated. A client certificate may be two files of PEM, the certificate and its key: name both
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
    /// Takes settings back to their defaults, and secrets away.
    pub(super) fn unset(mut self, form: &Form, keys: &[String]) -> Result<Self, Failure> {
        for key in keys {
            let field = form.field(key)?;
            let given = self.settings.get(&field.id).is_some_and(|value| !value.is_null());
            if given || self.secrets.contains_key(&field.id) {
                return Err(Failure::you(format!("{key} is given and taken back at once"))
                    .field(key)
                    .remedy("leave out --unset to change it, or the value to take it back to its default"));
            }
            self.settings.insert(field.id.clone(), Value::Null);
        }
        Ok(self)
    }
}

impl Given {
    /// Secrets and nothing else.
    pub(super) fn secrets(secrets: Vec<String>) -> Self {
        Given { secrets, ..Given::default() }
    }

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
            let value = connection_secret::read(field, source)?;
            let value = match values.secrets.remove(&field.id) {
                None => value,
                Some(before) => connection_secret::together(field, &before, &value)?,
            };
            values.secrets.insert(field.id.clone(), value);
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
                false => Some(connection_secret::read_text(Path::new(path), "--tls-ca")?),
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

/// Asks at the terminal for what must be given and is missing.
pub(super) fn ask(form: &Form, values: &mut Values) -> Result<(), Failure> {
    let nothing = BTreeMap::new();
    for field in &form.fields {
        if is_given(field, values) {
            connection_secret::ask_password(form, field, values, &nothing)?;
            continue;
        }
        let decides =
            !field.choices.is_empty() && form.fields.iter().any(|other| waits(form, other, field, values));
        if !decides && !is_missing(form, field, values) {
            continue;
        }
        if let Some(line) = field.help.lines().next() {
            eprintln!("{line}");
        }
        if field.secret {
            values.secrets.insert(field.id.clone(), connection_secret::ask(field, &field.title)?);
            connection_secret::ask_password(form, field, values, &nothing)?;
        } else {
            let value = ask_one(field)?;
            values.settings.insert(field.id.clone(), value);
        }
    }
    Ok(())
}

/// Asks at the terminal for the passwords of client certificates that were given, and that neither a given nor the stored
/// password opens.
pub(super) fn ask_passwords(
    form: &Form,
    values: &mut Values,
    stored: &BTreeMap<String, SecretValue>,
) -> Result<(), Failure> {
    form.fields.iter().try_for_each(|field| connection_secret::ask_password(form, field, values, stored))
}

fn is_given(field: &Field, values: &Values) -> bool {
    values.settings.contains_key(&field.id) || values.secrets.contains_key(&field.id)
}

/// Whether a field must be given and is not.
fn is_missing(form: &Form, field: &Field, values: &Values) -> bool {
    let needed = field.required && field.default.is_none() && form.applies(field, &values.settings);
    needed && !is_given(field, values)
}

/// Whether a person would be asked for a field that matters only because of how `choice` stands: the choice comes first then,
/// even where it has a default. Who has given everything for the default has chosen it.
fn waits(form: &Form, field: &Field, choice: &Field, values: &Values) -> bool {
    form.applies(choice, &values.settings)
        && field.when.iter().any(|(other, _)| *other == choice.id)
        && is_missing(form, field, values)
}

fn ask_one(field: &Field) -> Result<Value, Failure> {
    if !field.choices.is_empty() {
        let labels: Vec<&str> = field.choices.iter().map(|choice| choice.label.as_str()).collect();
        let usual =
            field.choices.iter().position(|choice| field.default == Some(Value::from(&*choice.value)));
        let at = terminal::ask_choice(&field.title, &labels, usual.unwrap_or(0))?;
        return Ok(Value::from(field.choices[at].value.clone()));
    }
    if field.kind == FieldKind::Boolean {
        return terminal::confirm(&field.title).map(Value::from);
    }
    let prompt = match &field.placeholder {
        Some(example) => format!("{} (such as {example})", field.title),
        None => field.title.clone(),
    };
    Ok(field.parse(&terminal::ask_text(&prompt)?)?)
}
