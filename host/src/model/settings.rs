//! Settings: from a connector's JSON Schema to fields, and from what a person gave to what is stored.
//!
//! One reading of the schema serves the command line, the form and the check, so they cannot disagree. The annotations are
//! those of [`annotations`](jackfield_plugin::contract::description::annotations).

use jackfield_plugin::contract::{Failure, Stage, description::annotations as key};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt};
use url::{Host, Url};

/// The fields of a connector's settings, in the order in which they are shown.
#[derive(Clone, Debug, Serialize)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
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
    /// The credential that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The schemes that its value may have, if it is the address of the remote system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Vec<String>>,
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
    /// The values that it can have, if they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    #[serde(skip)]
    order: i64,
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
        let required: BTreeSet<&str> = strings(&schema["required"]).collect();
        let mut fields: Vec<Field> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, property)| field(id, property, required.contains(id.as_str())))
            .collect();
        fields.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        Form { fields, schema: schema.clone() }
    }

    /// The field of an id.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub fn field(&self, id: &str) -> Result<&Field, Problem> {
        self.fields.iter().find(|field| field.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.fields.iter().map(|field| field.id.as_str()).collect();
            Problem::new(id, format!("there is no such setting; the settings are {}", known.join(", ")))
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

    /// The address to show for a connection: its first origin.
    pub fn address(&self, settings: &Map<String, Value>) -> Option<String> {
        let field = self.fields.iter().find(|field| field.origin.is_some())?;
        settings.get(&field.id)?.as_str().map(str::to_owned)
    }

    fn condition(&self, field: &Field) -> String {
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
        let wrong = |what: &str| Problem::new(&self.id, format!("\"{text}\" is not {what}"));
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

    /// The form in which a value is kept.
    fn normalise(&self, value: &Value) -> Result<Value, Problem> {
        if let (Some(schemes), Some(text)) = (&self.origin, value.as_str()) {
            return origin(text, schemes).map(Value::from).map_err(|message| Problem::new(&self.id, message));
        }
        if let (false, Some(text)) = (self.choices.is_empty(), value.as_str())
            && !self.choices.iter().any(|choice| choice.value == text)
        {
            let known: Vec<&str> = self.choices.iter().map(|choice| choice.value.as_str()).collect();
            return Err(Problem::new(&self.id, format!("\"{text}\" is not one of {}", known.join(", "))));
        }
        Ok(match value.as_str() {
            Some(text) => Value::from(text.trim()),
            None => value.clone(),
        })
    }
}

/// The origin that a person meant: a host name or a URL, kept as `scheme://host[:port]`.
///
/// # Errors
/// A message that says what is wrong with it.
pub fn origin(text: &str, schemes: &[String]) -> Result<String, String> {
    let text = text.trim();
    let wanted = || schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ");
    let whole = if text.contains("://") { text.to_owned() } else { format!("{}://{text}", schemes[0]) };
    let url = Url::parse(&whole).map_err(|error| format!("\"{text}\" is not an address: {error}"))?;
    if !schemes.iter().any(|scheme| scheme == url.scheme()) {
        return Err(format!("\"{text}\" must begin with {}", wanted()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "an address must not hold a user name or password; give them in their own fields".to_owned()
        );
    }
    match url.host() {
        None => return Err(format!("\"{text}\" names no host")),
        Some(Host::Domain(name)) if name.contains("..") || name.contains('_') && !name.contains('.') => {
            return Err(format!("\"{name}\" is not a host name"));
        }
        Some(_) => {}
    }
    Ok(url.origin().ascii_serialization())
}

fn field(id: &str, property: &Value, required: bool) -> Field {
    let text = |key: &str| property[key].as_str().map(str::to_owned);
    let optional = is_optional(property);
    let marked = property[key::REQUIRED].as_bool().unwrap_or(false);
    let origin = &property[key::ORIGIN];
    let schemes: Vec<String> = strings(&origin["schemes"]).map(str::to_owned).collect();
    let schemes = if schemes.is_empty() { vec!["https".to_owned()] } else { schemes };
    Field {
        id: id.to_owned(),
        title: text("title").unwrap_or_else(|| id.replace('_', " ")),
        help: text("description").unwrap_or_default(),
        kind: kind(property),
        secret: property[key::SECRET].as_bool().unwrap_or(false),
        credential: text(key::CREDENTIAL),
        origin: (origin.is_object() || origin.as_bool() == Some(true)).then_some(schemes),
        port_of: text(key::PORT_OF),
        when: property[key::WHEN]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(other, values)| (other.clone(), values.as_array().cloned().unwrap_or_default()))
            .collect(),
        required: marked || (required && !optional),
        placeholder: text(key::PLACEHOLDER),
        default: property.get("default").cloned(),
        choices: choices(property),
        order: property[key::ORDER].as_i64().unwrap_or(i64::MAX),
    }
}

fn is_optional(property: &Value) -> bool {
    strings(&property["type"]).any(|kind| kind == "null")
}

fn kind(property: &Value) -> FieldKind {
    let one = property["type"].as_str();
    let kind = one.or_else(|| strings(&property["type"]).find(|kind| *kind != "null"));
    match kind {
        Some("string") => FieldKind::Text,
        Some("integer") => FieldKind::Integer,
        Some("number") => FieldKind::Number,
        Some("boolean") => FieldKind::Boolean,
        None if !choices(property).is_empty() => FieldKind::Text,
        _ => FieldKind::Json,
    }
}

/// The values of an enum, whether written as `enum` or as `oneOf` constants (which is how variants with help come out).
fn choices(property: &Value) -> Vec<Choice> {
    let constants =
        property["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
    let nested = property["oneOf"].as_array().into_iter().flatten().flat_map(|one| strings(&one["enum"]));
    strings(&property["enum"])
        .chain(constants)
        .chain(nested)
        .map(|value| Choice {
            value: value.to_owned(),
            label: property[key::LABELS][value].as_str().unwrap_or(value).to_owned(),
        })
        .collect()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Form {
        Form::of(&json!({
            "type": "object",
            "required": ["url", "sign_in"],
            "properties": {
                "url": { "title": "Tenant URL", "type": "string", "x-origin": {"schemes": ["https"]}, "x-order": 1 },
                "port": { "type": ["integer", "null"], "minimum": 1, "maximum": 65535, "x-port-of": "url" },
                "sign_in": { "enum": ["oauth", "api_key"], "default": "oauth", "x-order": 2 },
                "secret": { "title": "Client secret", "type": ["string", "null"], "x-secret": true, "x-required": true,
                            "x-when": {"sign_in": ["oauth"]}, "x-order": 3 },
            }
        }))
    }

    fn check(given: Value, secrets: &[&str]) -> Result<Value, String> {
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let problems =
            |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        form().check(given.as_object().unwrap(), &secrets).map(Value::Object).map_err(problems)
    }

    #[test]
    fn what_is_given_is_normalised_and_defaults_are_filled() {
        let kept = check(json!({"url": " Tenant.EU.qlikcloud.com "}), &["secret"]);
        assert_eq!(kept, Ok(json!({"url": "https://tenant.eu.qlikcloud.com", "sign_in": "oauth"})));
    }

    #[test]
    fn every_problem_is_told_with_its_field() {
        for (given, secrets, expected) in [
            (json!({}), &["secret"][..], "url: is missing (Tenant URL)"),
            (json!({"url": "x.example"}), &[], "secret: is missing (Client secret)"),
            (
                json!({"url": "http://x.example"}),
                &["secret"],
                "url: \"http://x.example\" must begin with https://",
            ),
            (
                json!({"url": "https://u:p@x.example"}),
                &["secret"],
                "url: an address must not hold a user name or password; give them in their own fields",
            ),
            (
                json!({"url": "x.example", "sign_in": "magic"}),
                &[],
                "sign_in: \"magic\" is not one of oauth, api_key",
            ),
            (
                json!({"url": "x.example", "sign_in": "api_key"}),
                &["secret"],
                "secret: does not apply here: only when sign_in is oauth",
            ),
            (
                json!({"url": "x.example", "secret": "s3cret"}),
                &[],
                "secret: is a secret; give it with --secret, so that it does not stand in the shell's history",
            ),
            (
                json!({"url": "x.example", "port": 70000}),
                &["secret"],
                "port: 70000 is greater than the maximum of 65535",
            ),
            (
                json!({"url": "x.example", "colour": "red"}),
                &["secret"],
                "colour: there is no such setting; the settings are url, sign_in, secret, port",
            ),
        ] {
            assert_eq!(check(given, secrets).unwrap_err(), expected);
        }
    }

    #[test]
    fn origins_come_with_their_further_ports() {
        let settings = json!({"url": "https://x.example", "port": 4242});
        let origins = form().origins(settings.as_object().unwrap());
        assert_eq!(origins, vec![("url".to_owned(), "https://x.example".parse().unwrap(), vec![4242])]);
    }
}
