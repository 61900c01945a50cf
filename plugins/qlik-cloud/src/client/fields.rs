//! The members of a JSON object, as they stand in the body of an answer.
//!
//! A tenant may have 100,000 apps on 1,000 pages. So nothing is copied before it is wanted, and one piece of code reads every
//! list: a struct for each kind of row costs a plugin more than everything else in it together.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The members of an object.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// A member as it stands; `path` goes on into objects by slashes. Nothing if it is absent, or says nothing.
    pub(crate) fn raw(&self, path: &str) -> Option<&'a str> {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let raw = self.0.iter().find(|(member, _)| member == name)?.1.get();
        match rest {
            Some(rest) => object(raw)?.raw(rest),
            None if matches!(raw, "null" | "\"\"" | "[]" | "{}") => None,
            None => Some(raw),
        }
    }

    /// A member as a text. A number counts as its digits; nothing of any other type is a text.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        text(self.raw(path)?)
    }

    /// The texts in a member that is an array.
    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        let raw = self.raw(path).and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw).ok());
        raw.unwrap_or_default().into_iter().filter_map(|raw| text(raw.get())).map(Cow::into_owned).collect()
    }

    /// The objects in a member that is an array.
    pub(crate) fn objects(&self, path: &str) -> Vec<Fields<'a>> {
        self.raw(path).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }
}

/// An object, as it stands.
fn object(raw: &str) -> Option<Fields<'_>> {
    serde_json::from_str(raw).ok()
}

/// A text or a number, as it stands.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => match raw.get(1..raw.len() - 1) {
            Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
            _ => serde_json::from_str(raw).ok().map(Cow::Owned),
        },
        b'0'..=b'9' | b'-' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Fields(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// The name of a member, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_whatever_their_type_is() {
        let body = r#"{"a":"x","b":"caf\u00e9","c":7,"d":-7,"e":null,"f":true,"g":"","h":{"i":{"j":"deep"}},"k\u006c":"kl","m":[{"n":1},{}]}"#;
        let fields: Fields<'_> = serde_json::from_str(body).unwrap();
        for (path, expected) in [
            ("a", Some("x")),
            ("b", Some("café")),
            ("c", Some("7")),
            ("d", Some("-7")),
            ("e", None),
            ("f", None),
            ("g", None),
            ("h", None),
            ("h/i/j", Some("deep")),
            ("h/x/j", None),
            ("a/x", None),
            ("kl", Some("kl")),
            ("m", None),
            ("z", None),
        ] {
            assert_eq!(fields.text(path).as_deref(), expected, "{path}");
        }
        assert_eq!(fields.raw("f"), Some("true"));
        assert_eq!(fields.objects("m").len(), 2);
        assert!(fields.objects("a").is_empty());
    }
}
