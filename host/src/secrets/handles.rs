//! The handles of one run: which secret may go where.
//!
//! A plugin never has a value. It names a secret and a place in a request, and here it is decided whether that place is
//! one that the description declares, for the operator to have seen before the plugin ever ran. A captured value (a
//! token, a session id) belongs to the origin that gave it and goes nowhere else.

use super::{Scrubber, identity, inspect, sign::sign};
use crate::model::{secret::SecretValue, settings::Form};
use jackfield_plugin::contract::{
    Blame, Failure,
    description::{Description, SecretUse, annotations},
    http::{Place, Slot},
    secrets::{SecretFacts, SecretRef, SignJwt},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Where a request goes, after its URL was parsed and checked.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The method.
    pub method: &'a str,
    /// The name of the origin, as a person knows it: a settings field or a fixed host. For messages.
    pub origin_name: &'a str,
    /// The origin itself, such as `https://tenant.example.com`, always spelled the same way.
    pub origin: &'a str,
    /// The path of the URL, dot segments resolved; what follows a `?` is not looked at.
    pub path: &'a str,
}

impl Destination<'_> {
    fn path(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }
}

/// The secrets of one run.
pub struct Handles {
    fields: HashMap<String, Field>,
    settings: HashMap<String, SecretValue>,
    identities: HashMap<String, Identity>,
    captured: Mutex<HashMap<String, (SecretValue, String)>>,
    scrubber: Scrubber,
}

/// A client certificate, opened: for its facts, and for requests if it can be shown now.
#[derive(Default)]
struct Identity {
    opened: Option<SecretValue>,
    refused: Option<Failure>,
}

/// What the description says of a secret field.
#[derive(Default)]
struct Field {
    title: Option<String>,
    uses: Vec<SecretUse>,
}

impl Handles {
    /// The handles of a run with these secret settings. They are made known to the scrubber.
    pub fn new(
        description: &Description,
        settings_secrets: Vec<(String, SecretValue)>,
        scrubber: Scrubber,
    ) -> Self {
        let mut fields = secret_fields(description);
        let mut settings = HashMap::new();
        for (field, secret) in settings_secrets {
            scrubber.learn(&secret);
            fields.entry(field.clone()).or_default();
            // An empty text is what a form sends for "not given".
            if !secret.reveal().is_empty() {
                settings.insert(field, secret);
            }
        }
        let identities = identities(&Form::of(&description.settings), &settings, &scrubber);
        Handles { fields, settings, identities, captured: Mutex::default(), scrubber }
    }

    /// The value for a slot of a request that goes to `destination`, if it may go there.
    pub fn reveal(&self, slot: &Slot, destination: &Destination<'_>) -> Result<SecretValue, Failure> {
        match &slot.secret {
            SecretRef::Setting(field) => self.reveal_setting(field, &slot.place, destination),
            SecretRef::Captured(name) => self.reveal_captured(name, &slot.place, destination),
        }
    }

    fn reveal_setting(
        &self,
        id: &str,
        place: &Place,
        destination: &Destination<'_>,
    ) -> Result<SecretValue, Failure> {
        let field = self.field(id)?;
        if !field.uses.iter().any(|allowed| allows(allowed, place, destination.path())) {
            let attempt = attempt(place, destination);
            return Err(Failure::plugin(match field.uses.as_slice() {
                [] => format!(
                    "the plugin puts the secret \"{id}\" into {attempt}; its description allows it nowhere"
                ),
                uses => {
                    let uses: Vec<_> = uses.iter().map(allowed_words).collect();
                    format!(
                        "the plugin puts the secret \"{id}\" into {attempt}; its description allows only {}",
                        uses.join(", or ")
                    )
                }
            })
            .remedy("report this to the plugin's vendor; the secret was not sent"));
        }
        match self.identities.get(id) {
            Some(Identity { refused: Some(failure), .. }) => Err(failure.clone()),
            Some(Identity { opened, .. }) => opened.clone().ok_or_else(|| absent(id, field)),
            None => self.settings.get(id).cloned().ok_or_else(|| absent(id, field)),
        }
    }

    fn reveal_captured(
        &self,
        name: &str,
        place: &Place,
        destination: &Destination<'_>,
    ) -> Result<SecretValue, Failure> {
        let attempt = attempt(place, destination);
        let Some((secret, origin)) = self.captured(name) else {
            return Err(Failure::plugin(format!(
                "the plugin puts \"{name}\" into {attempt}, but nothing of that name was captured"
            )));
        };
        if matches!(place, Place::TlsIdentity | Place::Signature | Place::Other) {
            return Err(Failure::plugin(format!(
                "the plugin puts the captured \"{name}\" into {attempt}, where captured values never go"
            )));
        }
        if origin != destination.origin {
            return Err(Failure::plugin(format!(
                "the plugin puts the captured \"{name}\" into {attempt} ({}); it came from {origin} and goes nowhere else",
                destination.origin
            )));
        }
        Ok(secret)
    }

    /// Signs a JWT with a secret setting, if its description lets it sign, and keeps the result as captured for `origin`.
    /// `now` is in seconds since 1970.
    pub fn sign(&self, request: &SignJwt, origin: &str, now: i64) -> Result<(), Failure> {
        let field = self.field(&request.key)?;
        if !field.uses.iter().any(|allowed| allowed.place == Place::Signature) {
            return Err(Failure::plugin(format!(
                "the plugin signs with the secret \"{}\", which its description does not allow",
                request.key
            )));
        }
        let key = self.settings.get(&request.key).ok_or_else(|| absent(&request.key, field))?;
        self.capture(&request.name, sign(key, request, now)?, origin);
        Ok(())
    }

    /// The public facts of a secret setting.
    pub fn facts(&self, id: &str) -> Result<SecretFacts, Failure> {
        self.field(id)?;
        let opened = self.identities.get(id).and_then(|identity| identity.opened.as_ref());
        Ok(opened.or_else(|| self.settings.get(id)).map(inspect).unwrap_or_default())
    }

    /// Keeps a captured value, in place of an earlier one of the same name, and makes it known to the scrubber.
    pub fn capture(&self, name: &str, secret: SecretValue, origin: &str) {
        self.scrubber.learn(&secret);
        self.captures().insert(name.to_owned(), (secret, origin.to_owned()));
    }

    /// A captured value and the origin that it came from.
    pub fn captured(&self, name: &str) -> Option<(SecretValue, String)> {
        self.captures().get(name).cloned()
    }

    /// Every captured value, by name.
    pub fn all_captured(&self) -> BTreeMap<String, SecretValue> {
        self.captures().iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect()
    }

    /// Drops a captured value.
    pub fn forget(&self, name: &str) {
        self.captures().remove(name);
    }

    fn captures(&self) -> MutexGuard<'_, HashMap<String, (SecretValue, String)>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn field(&self, id: &str) -> Result<&Field, Failure> {
        self.fields.get(id).ok_or_else(|| {
            Failure::plugin(format!(
                "the plugin asks for the secret \"{id}\", which its description does not have"
            ))
        })
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handles(…)")
    }
}

/// The secret fields of the settings schema and of the declared uses.
fn secret_fields(description: &Description) -> HashMap<String, Field> {
    let mut fields = HashMap::<String, Field>::new();
    let properties = description.settings.get("properties").and_then(|properties| properties.as_object());
    for (id, schema) in properties.into_iter().flatten() {
        if schema.get(annotations::SECRET).and_then(|secret| secret.as_bool()) == Some(true) {
            let title = schema.get("title").and_then(|title| title.as_str()).map(str::to_owned);
            fields.entry(id.clone()).or_default().title = title;
        }
    }
    for allowed in description.credentials.iter().flat_map(|credential| &credential.uses) {
        fields.entry(allowed.field.clone()).or_default().uses.push(allowed.clone());
    }
    fields
}

/// Opens the client certificates. What is wrong with one is told to the request that would show it.
fn identities(
    form: &Form,
    settings: &HashMap<String, SecretValue>,
    scrubber: &Scrubber,
) -> HashMap<String, Identity> {
    let now = jiff::Timestamp::now().as_second();
    let mut identities = HashMap::new();
    for field in &form.fields {
        let (Some(identity), Some(value)) = (&field.tls_identity, settings.get(&field.id)) else { continue };
        let password = identity.password.as_ref().and_then(|id| settings.get(id));
        let opened = identity::open(value, password);
        if let Ok(opened) = &opened {
            scrubber.learn(opened);
        }
        let trouble = match &opened {
            Ok(opened) => identity::check_time(opened, now).err(),
            Err(trouble) => Some(trouble.clone()),
        };
        // It was fine when it was entered.
        let refused =
            trouble.map(|trouble| Failure { blame: Blame::Credential, ..trouble.failure(form, field) });
        identities.insert(field.id.clone(), Identity { opened: opened.ok(), refused });
    }
    identities
}

fn absent(id: &str, field: &Field) -> Failure {
    let title = field.title.as_deref().unwrap_or(id);
    Failure::you(format!("\"{title}\" is not given"))
        .at(jackfield_plugin::contract::Stage::Settings)
        .field(id)
        .remedy("enter it in the connection's settings")
}

/// Whether a declared use covers a place and path.
fn allows(allowed: &SecretUse, place: &Place, path: &str) -> bool {
    let placed = match (&allowed.place, place) {
        (Place::Other | Place::Signature, _) | (_, Place::Other | Place::Signature) => false,
        (Place::Basic { user }, Place::Basic { user: given }) => user.is_empty() || user == given,
        (Place::Header { name }, Place::Header { name: given }) => name.eq_ignore_ascii_case(given),
        (declared, given) => declared == given,
    };
    placed
        && match allowed.path.strip_suffix('*') {
            Some(beginning) => path.strip_prefix(beginning).is_some_and(stays_below),
            None => path == allowed.path,
        }
}

/// Whether the rest of a path does not lead up again for a server that decodes before it resolves (`..%2f`).
fn stays_below(rest: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(rest).collect::<Vec<_>>();
    !decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| segment == b"..")
}

fn attempt(place: &Place, destination: &Destination<'_>) -> String {
    let Destination { method, origin_name, .. } = destination;
    format!("{} at {method} {} of {origin_name}", place_words(place), destination.path())
}

fn allowed_words(allowed: &SecretUse) -> String {
    format!("{} at {}", place_words(&allowed.place), allowed.path)
}

fn place_words(place: &Place) -> String {
    match place {
        Place::Bearer => "the bearer header".to_owned(),
        Place::Basic { user } if user.is_empty() => "the password of HTTP Basic".to_owned(),
        Place::Basic { user } => format!("the password of HTTP Basic for \"{user}\""),
        Place::Header { name } => format!("the header \"{name}\""),
        Place::Form { field } => format!("the form field \"{field}\""),
        Place::Json { pointer } => format!("the JSON member \"{pointer}\""),
        Place::TlsIdentity => "the TLS identity".to_owned(),
        Place::Signature => "a signature".to_owned(),
        _ => "a place that this Jackfield does not know".to_owned(),
    }
}

#[cfg(test)]
#[path = "handles_tests.rs"]
mod tests;
