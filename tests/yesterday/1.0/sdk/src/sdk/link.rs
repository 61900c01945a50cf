//! Next-links: absolute URLs that remote systems hand out, turned into paths on the origin that the operator set.

use crate::contract::Failure;

/// The path and query of a link, if it leads to one of `authorities` (host, with port where it has one) or names none.
///
/// A link to anywhere else is refused: it would carry the credential there.
///
/// # Errors
/// It leads elsewhere, or is not a link.
pub fn path_of<'a>(link: &str, authorities: impl IntoIterator<Item = &'a str>) -> Result<String, Failure> {
    if link.starts_with('/') && !link.starts_with("//") {
        return Ok(link.to_owned());
    }
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let beginning = link.get(..scheme.len())?;
        beginning.eq_ignore_ascii_case(scheme).then(|| &link[scheme.len()..])
    });
    let Some(rest) = rest else {
        return Err(Failure::remote(format!("the link to the next page is no web address: {}", shown(link))));
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !authorities.into_iter().any(|known| known.eq_ignore_ascii_case(authority)) {
        return Err(Failure::remote(format!(
            "the link to the next page leads to \"{authority}\", which is not this system"
        ))
        .remedy(
            "nothing was sent there; if the system answers under several names, use the one its links carry",
        ));
    }
    match path.chars().next() {
        Some('/') => Ok(path.to_owned()),
        None => Ok("/".to_owned()),
        Some('?') => Ok(format!("/{path}")),
        Some(_) => Err(Failure::remote(format!("the link to the next page cannot be read: {}", shown(link)))),
    }
}

fn shown(link: &str) -> String {
    link.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_re_rooted_or_refused() {
        let known = ["tenant.eu.qlikcloud.com", "localhost:8443"];
        for (link, path) in [
            ("https://tenant.eu.qlikcloud.com/api/v1/items?next=a%2Fb", Some("/api/v1/items?next=a%2Fb")),
            ("HTTPS://Tenant.EU.qlikcloud.com/x", Some("/x")),
            ("https://localhost:8443?page=2", Some("/?page=2")),
            ("/api/v1/items?next=b", Some("/api/v1/items?next=b")),
            ("https://localhost/x", None),
            ("https://evil.example/api/v1/items", None),
            ("https://tenant.eu.qlikcloud.com@evil.example/x", None),
            ("https://tenant.eu.qlikcloud.com.evil.example/x", None),
            ("https://evil.example\\@tenant.eu.qlikcloud.com/x", None),
            ("//evil.example/x", None),
            ("javascript:alert(1)", None),
            ("", None),
        ] {
            assert_eq!(path_of(link, known).ok().as_deref(), path, "{link}");
        }
    }
}
