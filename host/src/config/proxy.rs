//! The proxy: what can be one, and how it is shown. It may hold a password, so nothing here repeats what was written.

use serde::{Deserialize, Deserializer, de::Error};
use url::{ParseError, Url};

/// What an operator does about a proxy that cannot be used.
pub(super) const REMEDY: &str = "write http://HOST:PORT or https://HOST:PORT, with a password \
    http://USER:PASSWORD@HOST:PORT, in which /, ? and # are written %2F, %3F and %23; nothing at all for no proxy";

/// Reads a proxy. Nothing, and an empty text, mean none.
///
/// # Errors
/// It is none that requests could go through: they would go past it, and nobody would know.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => usable(text).map(Some).map_err(D::Error::custom),
    }
}

fn usable(text: &str) -> Result<Url, String> {
    const SCHEME: &str =
        "does not begin with http:// or https://, and Jackfield can use no other kind of proxy";
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(ParseError::RelativeUrlWithoutBase) => return Err(SCHEME.to_owned()),
        // The reason is one of a few fixed texts.
        Err(error) => return Err(format!("cannot be read as an address: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(SCHEME.to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("names no host".to_owned());
    }
    // Behind an unescaped slash the rest of a password would be shown as a path.
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("has more behind its host and port, where nothing belongs".to_owned());
    }
    Ok(url)
}

/// A URL without the user name and the password that it may hold; a lone user name may be a token.
pub(super) fn masked(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut shown = url.clone();
    shown.set_password(None).and_then(|()| shown.set_username("***")).ok()?;
    Some(shown.into())
}
