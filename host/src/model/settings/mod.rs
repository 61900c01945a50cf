//! Settings: from a connector's JSON Schema to fields, and from what a person gave to what is stored.
//!
//! One reading of the schema serves the command line, the form and the check, so they cannot disagree. The annotations are
//! those of [`annotations`](jackfield_plugin::contract::description::annotations).

mod origin;
mod schema;

use super::text::{is_one_line, one_line, printable, quoted};
use jackfield_plugin::contract::{Failure, Stage};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt};
use url::Url;

/// The fields of a connector's settings, in the order in which they are shown.
#[derive(Clone, Debug, Serialize)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    /// The fields in which no two connections may agree altogether.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<String>,
    #[serde(skip)]
    schema: Value,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its key in the settings.
    pub id: String,
    /// Its label.
    pub title: String,
    /// What it is and where its value comes from.
    pub help: String,
    /// What its value is.
    pub kind: FieldKind,
    /// Whether its value is sealed and never shown.
    pub secret: bool,
    /// The kinds of private key that it may be, if it is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_key: Vec<String>,
    /// It is a client certificate with its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_identity: Option<TlsIdentity>,
    /// Its value is made and kept by the host; nobody is asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// It is the email address of the person to act for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subject: bool,
    /// The credential that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The schemes that its value may have, if it is the address of the remote system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Vec<String>>,
    /// The port that a host name by itself means there, if it is not the scheme's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_port: Option<u16>,
    /// A host name by itself will not do there: the scheme has to be written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub origin_whole: bool,
    /// The origin field of which it is a further port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_of: Option<String>,
    /// It matters only if each of these fields has one of the values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<(String, Vec<Value>)>,
    /// It must be given when it matters.
    pub required: bool,
    /// An example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Its value may be several lines.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub multiline: bool,
    /// The values that it can have, if they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    #[serde(skip)]
    order: i64,
}

/// What belongs to a client certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TlsIdentity {
    /// The secret field of its password.
    pub password: Option<String>,
}

/// What the host makes for a secret that nobody is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// An RSA private key followed by its self-signed certificate, both PEM.
    RsaKeyPair,
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// Anything else, as JSON.
    Json,
}

/// One value of a field that has few.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// Its label.
    pub label: String,
}

/// Something wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The field's id.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl Problem {
    fn new(field: &str, message: impl Into<String>) -> Self {
        Problem { field: field.to_owned(), message: message.into() }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::you(problem.to_string()).at(Stage::Settings).field(problem.field)
    }
}

impl Form {
    /// Reads a connector's settings schema.
    pub fn of(schema: &Value) -> Form {
        Form { fields: schema::fields(schema), unique: schema::unique(schema), schema: schema.clone() }
    }

    /// The field of an id.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub fn field(&self, id: &str) -> Result<&Field, Problem> {
        self.fields.iter().find(|field| field.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.fields.iter().map(|field| field.id.as_str()).collect();
            Problem::new(
                &one_line(id),
                format!("there is no such setting; the settings are {}", known.join(", ")),
            )
        })
    }

    /// Whether a field matters, given the values of the others (defaults count).
    pub fn applies(&self, field: &Field, settings: &Map<String, Value>) -> bool {
        field.when.iter().all(|(other, values)| {
            let default =
                self.fields.iter().find(|field| field.id == *other).and_then(|field| field.default.as_ref());
            settings.get(other).or(default).is_some_and(|value| values.contains(value))
        })
    }

    /// Checks settings and brings them into the form in which they are kept. `secrets` are the ids of the secret fields
    /// that have a value.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the fields.
    pub fn check(
        &self,
        given: &Map<String, Value>,
        secrets: &BTreeSet<String>,
    ) -> Result<Map<String, Value>, Vec<Problem>> {
        let mut problems: Vec<Problem> =
            given.keys().chain(secrets).filter_map(|id| self.field(id).err()).collect();
        let mut kept = Map::new();
        for field in &self.fields {
            let value = given.get(&field.id).filter(|value| !is_blank(value));
            let present = value.is_some() || (field.secret && secrets.contains(&field.id));
            if !self.applies(field, given) {
                if present {
                    problems.push(Problem::new(
                        &field.id,
                        format!("does not apply here: {}", self.condition(field)),
                    ));
                }
                continue;
            }
            match value {
                Some(_) if field.secret => problems.push(Problem::new(
                    &field.id,
                    "is a secret; give it with --secret, so that it does not stand in the shell's history",
                )),
                Some(value) => match field.normalise(value) {
                    Ok(value) => drop(kept.insert(field.id.clone(), value)),
                    Err(problem) => problems.push(problem),
                },
                None if present => {}
                None => match &field.default {
                    Some(default) if !default.is_null() => {
                        drop(kept.insert(field.id.clone(), default.clone()))
                    }
                    _ if field.required => {
                        problems.push(Problem::new(&field.id, format!("is missing ({})", field.title)));
                    }
                    _ => {}
                },
            }
        }
        if problems.is_empty() {
            problems = self.against_schema(&kept, secrets);
        }
        if problems.is_empty() { Ok(kept) } else { Err(problems) }
    }

    /// What JSON Schema itself has to say, once our own rules are content.
    fn against_schema(&self, kept: &Map<String, Value>, secrets: &BTreeSet<String>) -> Vec<Problem> {
        let mut instance = kept.clone();
        for field in self.fields.iter().filter(|field| field.secret && secrets.contains(&field.id)) {
            instance.insert(field.id.clone(), Value::from("given"));
        }
        let validator = match jsonschema::validator_for(&self.schema) {
            Ok(validator) => validator,
            Err(error) => {
                return vec![Problem::new("", format!("the connector's schema is not valid: {error}"))];
            }
        };
        validator
            .iter_errors(&Value::Object(instance))
            .map(|error| {
                let path = error.instance_path().to_string();
                Problem::new(path.trim_start_matches('/'), error.to_string())
            })
            .collect()
    }

    /// The origins that settings name: field, URL, and its further ports.
    pub fn origins(&self, settings: &Map<String, Value>) -> Vec<(String, Url, Vec<u16>)> {
        let of = |field: &Field| {
            let url = Url::parse(settings.get(&field.id)?.as_str()?).ok()?;
            let ports =
                self.fields.iter().filter(|other| other.port_of.as_deref() == Some(field.id.as_str()));
            let ports =
                ports.filter_map(|other| u16::try_from(settings.get(&other.id)?.as_u64()?).ok()).collect();
            Some((field.id.clone(), url, ports))
        };
        self.fields.iter().filter(|field| field.origin.is_some()).filter_map(of).collect()
    }

    /// Whether two connections would be in each other's way: their settings agree in all fields that must not.
    pub fn collide(&self, one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
        let agree = |field: &String| match (one.get(field), other.get(field)) {
            (Some(Value::String(one)), Some(Value::String(other))) => {
                one.to_lowercase() == other.to_lowercase()
            }
            (Some(one), Some(other)) => one == other,
            _ => false,
        };
        !self.unique.is_empty() && self.unique.iter().all(agree)
    }

    /// The email address of the person to act for, if the settings name one.
    pub fn subject(&self, settings: &Map<String, Value>) -> Option<String> {
        let applies = |field: &&Field| field.subject && self.applies(field, settings);
        let field = self.fields.iter().find(applies)?;
        settings.get(&field.id)?.as_str().map(str::to_owned)
    }

    /// The address to show for a connection: its first origin.
    pub fn address(&self, settings: &Map<String, Value>) -> Option<String> {
        let field = self.fields.iter().find(|field| field.origin.is_some())?;
        settings.get(&field.id)?.as_str().map(str::to_owned)
    }

    /// When a field matters, in words; nothing for one that always does.
    pub fn condition(&self, field: &Field) -> String {
        let one = |(other, values): &(String, Vec<Value>)| {
            let values: Vec<String> = values.iter().map(plain).collect();
            format!("only when {other} is {}", values.join(" or "))
        };
        field.when.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

impl Field {
    /// Turns what was typed into a value.
    ///
    /// # Errors
    /// It is none of this field's kind.
    pub fn parse(&self, text: &str) -> Result<Value, Problem> {
        let wrong = |what: &str| Problem::new(&self.id, format!("{} is not {what}", quoted(text)));
        match self.kind {
            FieldKind::Text => Ok(Value::from(text)),
            FieldKind::Integer => {
                text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number"))
            }
            FieldKind::Number => text.trim().parse::<f64>().map(Value::from).map_err(|_| wrong("a number")),
            FieldKind::Boolean => match text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(Value::from(true)),
                "false" | "no" | "off" | "0" => Ok(Value::from(false)),
                _ => Err(wrong("yes or no")),
            },
            FieldKind::Json => serde_json::from_str(text).map_err(|_| wrong("JSON")),
        }
    }

    /// Whether a text can stand in the field: it is stored, sent and shown as it is.
    fn is_writable(&self, text: &str) -> bool {
        match self.multiline {
            true => text.lines().all(|line| printable(line) == line),
            false => is_one_line(text),
        }
    }

    /// The form in which a value is kept.
    fn normalise(&self, value: &Value) -> Result<Value, Problem> {
        if value.as_str().is_some_and(|text| !self.is_writable(text.trim())) {
            let what = if self.multiline {
                "a control character"
            } else {
                "a line break or another control character"
            };
            return Err(Problem::new(&self.id, format!("holds {what}, which does not belong there")));
        }
        if let (Some(schemes), Some(text)) = (&self.origin, value.as_str()) {
            if self.origin_whole && !text.contains("://") {
                let example = format!("{}://{}", schemes[0], text.trim());
                let message = format!("{} must be a whole URL, such as {example}", quoted(text));
                return Err(Problem::new(&self.id, message));
            }
            return origin::origin(text, schemes, self.origin_port)
                .map(Value::from)
                .map_err(|message| Problem::new(&self.id, message));
        }
        if let (false, Some(text)) = (self.choices.is_empty(), value.as_str())
            && !self.choices.iter().any(|choice| choice.value == text)
        {
            let known: Vec<&str> = self.choices.iter().map(|choice| choice.value.as_str()).collect();
            return Err(Problem::new(
                &self.id,
                format!("{} is not one of {}", quoted(text), known.join(", ")),
            ));
        }
        Ok(match value.as_str() {
            Some(text) => Value::from(text.trim()),
            None => value.clone(),
        })
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
