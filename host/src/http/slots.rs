//! Slots: the places of a request that are filled with secrets, after the destination has been checked.

use super::{capture::KeptFacts, prepare::is_host_header};
use crate::model::secret::SecretValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::{
    Failure,
    failure::Stage,
    http::{Body, Capture, Place, Slot},
    secrets::SecretRef,
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

/// Where a secret would go, for whoever decides whether it may.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The method.
    pub method: &'a str,
    /// Name of the origin: the settings field, or the fixed host.
    pub origin_name: &'a str,
    /// Scheme, host and port that will be connected to, with path `/`.
    pub origin: &'a Url,
    /// The path as it will be sent, without the query.
    pub path: &'a str,
}

/// Whoever has the secrets. This room asks for them one by one and forgets them with the request.
pub trait SlotSource: Send + Sync {
    /// The value for a slot. Asked after the destination has been checked, anew for every attempt and every redirect.
    ///
    /// # Errors
    /// There is no such value, or the connector's description does not let it go there.
    fn reveal(&self, slot: &Slot, destination: &Destination<'_>) -> Result<SecretValue, Failure>;

    /// Scrubs a value from now on.
    fn learn(&self, value: &SecretValue);

    /// Keeps a captured value, and from then on scrubs it.
    fn capture(
        &self,
        capture: &Capture,
        value: SecretValue,
        origin: &Url,
        kept: Option<KeptFacts>,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    /// A request that showed this captured value was answered with 401. Meanwhile the name may have a newer value.
    fn refused(&self, name: &str, value: &SecretValue) -> BoxFuture<'_, ()>;

    /// Replaces every known secret value.
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8>;

    /// Replaces every known secret value in a body: what was JSON stays JSON.
    fn scrub_body(&self, bytes: Vec<u8>) -> Vec<u8>;

    /// Replaces every known secret value in a JSON value from elsewhere.
    fn scrub_json(&self, value: &Value) -> Value;
}

/// What filling the slots yields besides a filled request.
#[derive(Default)]
pub(super) struct Filled {
    /// The client certificate, which belongs to the connection and not to the request.
    pub(super) identity: Option<SecretValue>,
    /// The captured values that are shown, by name.
    pub(super) shown: Vec<(String, SecretValue)>,
}

/// Fills every slot.
pub(super) fn fill(
    source: &dyn SlotSource,
    slots: &[Slot],
    destination: &Destination<'_>,
    headers: &mut HeaderMap,
    body: &mut Body,
) -> Result<Filled, Failure> {
    let mut filled = Filled::default();
    for slot in slots {
        let value = source.reveal(slot, destination)?;
        if let SecretRef::Captured(name) = &slot.secret {
            filled.shown.push((name.clone(), value.clone()));
        }
        match &slot.place {
            Place::Bearer => {
                let text = Zeroizing::new(format!("Bearer {}", value.reveal()));
                put_header(headers, AUTHORIZATION, &text, slot)?;
            }
            Place::Basic { user } => {
                let pair = Zeroizing::new(format!("{}:{}", basic_user(user)?, value.reveal()));
                let text = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())));
                put_header(headers, AUTHORIZATION, &text, slot)?;
            }
            Place::Header { name } => put_header(headers, header_name(name)?, value.reveal(), slot)?,
            Place::Form { field } => put_form(body, field, &value)?,
            Place::Json { pointer } => put_json(body, pointer, &value)?,
            Place::TlsIdentity => {
                if filled.identity.replace(value).is_some() {
                    return Err(Failure::plugin("the plugin put two client certificates into one request"));
                }
            }
            _ => {
                return Err(Failure::plugin(
                    "the plugin put a secret into a place that this host does not know",
                ));
            }
        }
    }
    Ok(filled)
}

fn basic_user(user: &str) -> Result<&str, Failure> {
    if user.contains(':') || user.chars().any(char::is_control) {
        let message = format!("the user name {user:?} cannot be used: it has a colon or a control character");
        return Err(Failure::you(message).at(Stage::Settings));
    }
    Ok(user)
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) if name == AUTHORIZATION || !is_host_header(&name) => Ok(name),
        Ok(name) => Err(Failure::plugin(format!(
            "the plugin put a secret into the header {name}, which is the host's"
        ))),
        Err(_) => {
            Err(Failure::plugin(format!("the plugin put a secret into {name:?}, which is no header name")))
        }
    }
}

fn put_header(headers: &mut HeaderMap, name: HeaderName, text: &str, slot: &Slot) -> Result<(), Failure> {
    let Ok(mut value) = HeaderValue::from_str(text) else {
        let what = match &slot.secret {
            SecretRef::Setting(field) => format!("the secret in \"{field}\""),
            SecretRef::Captured(name) => format!("the captured \"{name}\""),
        };
        let message = format!("{what} has a character that cannot be sent in a header, such as a line break");
        let failure = Failure::you(message).at(Stage::Settings).remedy("enter it again, without line breaks");
        return Err(match &slot.secret {
            SecretRef::Setting(field) => failure.field(field),
            SecretRef::Captured(_) => failure,
        });
    };
    value.set_sensitive(true);
    if headers.contains_key(&name) {
        return Err(Failure::plugin(format!("the plugin filled the header {name} twice")));
    }
    headers.insert(name, value);
    Ok(())
}

fn put_form(body: &mut Body, field: &str, value: &SecretValue) -> Result<(), Failure> {
    let Body::Form(fields) = body else {
        return Err(Failure::plugin(format!(
            "the plugin put a secret into the form field {field:?} of no form"
        )));
    };
    fields.retain(|(name, _)| name != field);
    fields.push((field.to_owned(), value.reveal().to_owned()));
    Ok(())
}

fn put_json(body: &mut Body, pointer: &str, value: &SecretValue) -> Result<(), Failure> {
    let refuse = |why: &str| {
        Err(Failure::plugin(format!("the plugin put a secret at {pointer:?} of the JSON body, {why}")))
    };
    let Body::Json(json) = body else { return refuse("but there is none") };
    let Some((parent, member)) = pointer.rsplit_once('/') else { return refuse("which is no place in it") };
    let text = Value::String(value.reveal().to_owned());
    match json.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.insert(member.replace("~1", "/").replace("~0", "~"), text);
            Ok(())
        }
        Some(Value::Array(items)) => {
            match member.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => {
                    *item = text;
                    Ok(())
                }
                None => refuse("where nothing stands"),
            }
        }
        _ => refuse("whose parent is not there"),
    }
}
