//! Rows of lists, as they stand in the body of an answer.
//!
//! A list may have 100,000 rows. So nothing is copied before it is wanted, and one piece of code reads the rows of every
//! list: a struct for each kind of row costs a plugin more than everything else in it together.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The members of a JSON object, borrowed from the body.
///
/// A name is found as it is written or, failing that, in any letter case: releases of one system differ in it.
#[derive(Debug, Default)]
pub struct Row<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Row<'a> {
    /// A member as it stands; `path` goes on into objects by slashes. Nothing if it is absent, or says nothing: `null`, or an
    /// empty text, array or object.
    pub fn raw(&self, path: &str) -> Option<&'a str> {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let exact = self.0.iter().find(|(member, _)| member == name);
        let found = exact.or_else(|| self.0.iter().find(|(member, _)| member.eq_ignore_ascii_case(name)));
        let raw = found?.1.get();
        match rest {
            Some(rest) => serde_json::from_str::<Row<'a>>(raw).ok()?.raw(rest),
            None => Some(raw).filter(|raw| !matches!(*raw, "null" | "\"\"" | "[]" | "{}")),
        }
    }

    /// A member as a text. A number counts as its digits; nothing of any other type is a text.
    pub fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        text(self.raw(path)?)
    }

    /// The texts in a member that is an array.
    pub fn texts(&self, path: &str) -> Vec<String> {
        let raw = self.raw(path).and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw).ok());
        raw.unwrap_or_default().into_iter().filter_map(|raw| text(raw.get())).map(Cow::into_owned).collect()
    }

    /// The objects in a member that is an array of objects.
    pub fn rows(&self, name: &str) -> Vec<Row<'a>> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }

    /// The text of a JSON object with some of the members as they stand: `(name there, name here)`. Empty if there is none.
    pub fn pick(&self, members: &[(&str, &str)]) -> String {
        let mut object = String::new();
        for (there, here) in members {
            let Some(value) = self.raw(here) else { continue };
            object.push_str(if object.is_empty() { "{\"" } else { ",\"" });
            object.push_str(there);
            object.push_str("\":");
            object.push_str(value);
        }
        if !object.is_empty() {
            object.push('}');
        }
        object
    }
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

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Row(members))
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
    fn members_are_read_whatever_their_type_and_case_is() {
        let body = r#"{"a":"x","b":"caf\u00e9","c":7,"d":-7,"e":null,"f":true,"g":"","appid":"low","k\u006c":"kl","m":[{"n":1},{}],"o":[],"Two":1,"two":2,"h":{"i":{"j":"deep"}},"l":["x",7,{}]}"#;
        let row: Row<'_> = serde_json::from_str(body).unwrap();
        for (name, expected) in [
            ("a", Some("x")),
            ("b", Some("café")),
            ("c", Some("7")),
            ("d", Some("-7")),
            ("e", None),
            ("f", None),
            ("g", None),
            ("appId", Some("low")),
            ("kl", Some("kl")),
            ("m", None),
            ("two", Some("2")),
            ("h", None),
            ("h/i/j", Some("deep")),
            ("h/x/j", None),
            ("a/x", None),
            ("z", None),
        ] {
            assert_eq!(row.text(name).as_deref(), expected, "{name}");
        }
        assert_eq!(row.texts("l"), ["x", "7"]);
        assert_eq!(row.rows("m").len(), 2);
        assert!(row.rows("a").is_empty());
        assert_eq!(row.pick(&[("on", "f"), ("none", "o"), ("app", "appId")]), r#"{"on":true,"app":"low"}"#);
        assert_eq!(row.pick(&[("none", "o")]), "");
    }
}
