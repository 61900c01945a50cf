//! Addresses, as people give them and as they are kept.

use crate::model::text::quoted;
use url::{Host, Url};

/// The origin that a person meant: a host name or a URL, kept as `scheme://host[:port]`. A host name without a port means the
/// usual one, if there is one.
///
/// # Errors
/// A message that says what is wrong with it.
pub(super) fn origin(text: &str, schemes: &[String], usual_port: Option<u16>) -> Result<String, String> {
    let text = text.trim();
    let wanted = || schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ");
    let whole = if text.contains("://") { text.to_owned() } else { format!("{}://{text}", schemes[0]) };
    let mut url =
        Url::parse(&whole).map_err(|error| format!("{} is not an address: {error}", quoted(text)))?;
    if !schemes.iter().any(|scheme| scheme == url.scheme()) {
        return Err(format!("{} must begin with {}", quoted(text), wanted()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "an address must not hold a user name or password; give them in their own fields".to_owned()
        );
    }
    match url.host() {
        None => return Err(format!("{} names no host", quoted(text))),
        Some(Host::Domain(name)) if name.contains("..") || name.contains('_') && !name.contains('.') => {
            return Err(format!("{} is not a host name", quoted(name)));
        }
        Some(_) => {}
    }
    if let (Some(port), true) = (usual_port, is_bare(text))
        && url.set_port(Some(port)).is_err()
    {
        return Err(format!("{} can have no port", quoted(text)));
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether a text is a host by itself, without scheme and without port.
fn is_bare(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let port = match authority.rsplit_once(']') {
        Some((_, behind)) => behind.strip_prefix(':'),
        None => authority.rsplit_once(':').map(|(_, port)| port),
    };
    !text.contains("://") && port.is_none_or(str::is_empty)
}
