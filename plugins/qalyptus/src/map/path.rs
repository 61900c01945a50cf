//! Dotted paths into JSON: `data.items`, `project.id`. Names and dots, nothing else: no filters, no functions.

use jackfield_plugin::sdk::Row;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// A dotted path. `$` is the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

impl Path {
    fn parse(text: &str) -> Option<Self> {
        if text == "$" {
            return Some(Path(Vec::new()));
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@'))
        };
        let names: Vec<_> = text.split('.').map(str::to_owned).collect();
        names.iter().all(|name| plain(name)).then_some(Path(names))
    }

    /// What stands there, if anything does; `null` is something.
    pub(crate) fn at<'a>(&self, raw: &'a RawValue) -> Option<&'a RawValue> {
        self.0.iter().try_fold(raw, |raw, name| member(raw, name))
    }

    /// The texts that stand there. An array on the way is entered: every element counts.
    pub(crate) fn texts(&self, row: &Row<'_>) -> Vec<String> {
        let Some((first, rest)) = self.0.split_first() else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(raw) = row.raw(first).and_then(|raw| serde_json::from_str(raw).ok()) {
            collect(raw, rest, &mut found);
        }
        found
    }

    /// What stands there, as it stands; nothing if it says nothing.
    pub(crate) fn raw<'a>(&self, row: &Row<'a>) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        let raw: &RawValue = serde_json::from_str(row.raw(first)?).ok()?;
        let found = rest.iter().try_fold(raw, |raw, name| member(raw, name))?.get();
        Some(found).filter(|raw| !matches!(*raw, "null" | "\"\"" | "[]" | "{}"))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.0.is_empty() { "$".to_owned() } else { self.0.join(".") })
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Path::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("\"{text}\" is no dotted path: names with dots between, or \"$\""))
        })
    }
}

/// A path or several; the first at which something stands counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnyOf(pub(crate) Vec<Path>);

impl AnyOf {
    /// The first text.
    pub(crate) fn text(&self, row: &Row<'_>) -> Option<String> {
        self.0.iter().find_map(|path| path.texts(row).into_iter().next())
    }

    /// What stands at the first that is there.
    pub(crate) fn raw<'a>(&self, row: &Row<'a>) -> Option<&'a str> {
        self.0.iter().find_map(|path| path.raw(row))
    }
}

impl<'de> Deserialize<'de> for AnyOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> de::Visitor<'de> for OneOrMore {
            type Value = AnyOf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dotted path, or an array of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyOf, E> {
                Path::deserialize(de::value::StrDeserializer::new(text)).map(|path| AnyOf(vec![path]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut paths: A) -> Result<AnyOf, A::Error> {
                let mut all = Vec::new();
                while let Some(path) = paths.next_element()? {
                    all.push(path);
                }
                Ok(AnyOf(all))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

/// A member of an object, by its exact name.
fn member<'a>(raw: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if !raw.get().starts_with('{') {
        return None;
    }
    serde_json::from_str::<BTreeMap<Cow<'a, str>, &'a RawValue>>(raw.get()).ok()?.remove(name)
}

fn collect(raw: &RawValue, names: &[String], found: &mut Vec<String>) {
    let text = raw.get();
    match (text.as_bytes().first(), names.split_first()) {
        (Some(b'['), _) => {
            let elements = serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
            elements.into_iter().for_each(|element| collect(element, names, found));
        }
        (Some(b'{'), Some((name, rest))) => {
            if let Some(raw) = member(raw, name) {
                collect(raw, rest, found);
            }
        }
        (Some(b'"'), None) => {
            found.extend(serde_json::from_str::<String>(text).ok().filter(|text| !text.is_empty()))
        }
        (Some(b'0'..=b'9' | b'-'), None) => found.push(text.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_path_is_names_and_dots() {
        for text in ["$", "data", "data.items", "a_b.c-d"] {
            assert_eq!(path(text).to_string(), text);
        }
        for text in ["", ".", "a.", "a..b", "a[*]", "a b", "a==b", "data/items"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn arrays_are_entered_for_texts_and_not_for_places() {
        let body = r#"{"id":"a","n":7,"roles":[{"role":"X"},{"role":"Y"},{}],"names":["p",null,"q"],"project":{"id":"p1"},"none":null,"empty":[]}"#;
        let row: Row<'_> = serde_json::from_str(body).unwrap();
        for (at, expected) in [
            ("id", vec!["a"]),
            ("n", vec!["7"]),
            ("roles.role", vec!["X", "Y"]),
            ("names", vec!["p", "q"]),
            ("project.id", vec!["p1"]),
            ("project", vec![]),
            ("none", vec![]),
            ("missing.id", vec![]),
        ] {
            assert_eq!(path(at).texts(&row), expected, "{at}");
        }
        let whole: &RawValue = serde_json::from_str(body).unwrap();
        assert_eq!(path("project.id").at(whole).unwrap().get(), "\"p1\"");
        assert_eq!(path("empty").at(whole).unwrap().get(), "[]");
        assert!(path("roles.role").at(whole).is_none() && path("x").at(whole).is_none());
        assert_eq!(path("project").raw(&row), Some(r#"{"id":"p1"}"#));
        assert_eq!(path("none").raw(&row), None);
    }
}
