//! What the host allows: where requests and secrets may go, and what may stand in the catalog.

use super::Asked;
use crate::contract::{
    Failure,
    catalog::CatalogPut,
    description::{Description, SecretUse, annotations},
    http::{Place, Slot, Target},
    secrets::SecretRef,
};
use serde_json::{Map, Value};

/// The settings field (or the fixed host) must be an origin; a whole URL must lead to one.
pub(super) fn destination(description: &Description, asked: &Asked) -> Result<(), Failure> {
    let origin = match &asked.0.target {
        Target::Path { origin, path } if path.starts_with('/') => origin,
        Target::Path { path, .. } => {
            return Err(Failure::plugin(format!("the path \"{path}\" does not begin with a slash")));
        }
        // The kit gives no origin a value of its own; whoever scripts the URL vouches for it.
        Target::Url { .. } => return Ok(()),
    };
    let field = &description.settings["properties"][origin.as_str()];
    let known = [annotations::ORIGIN, annotations::PORT_OF].iter().any(|key| !field[key].is_null());
    if known || description.hosts.iter().any(|host| host.name == *origin) {
        return Ok(());
    }
    Err(Failure::plugin(format!("{} goes to \"{origin}\", which is no origin in the settings", asked.line())))
}

/// A secret setting goes only where the description says.
pub(super) fn slot(description: &Description, asked: &Asked, slot: &Slot) -> Result<(), Failure> {
    let SecretRef::Setting(field) = &slot.secret else { return Ok(()) };
    let place = asked.place();
    let path = path_of(&place);
    let mut uses = description.credentials.iter().flat_map(|credential| &credential.uses);
    if uses.any(|allowed| allowed.field == *field && allows(allowed, &slot.place, path)) {
        return Ok(());
    }
    Err(Failure::plugin(format!(
        "the description does not allow the secret \"{field}\" in {:?} of {}",
        slot.place,
        asked.line()
    )))
}

/// A secret setting signs only if the description says so.
pub(super) fn signature(description: &Description, key: &str) -> Result<(), Failure> {
    let mut uses = description.credentials.iter().flat_map(|credential| &credential.uses);
    if uses.any(|allowed| allowed.field == key && allowed.place == Place::Signature) {
        return Ok(());
    }
    Err(Failure::plugin(format!("the description does not allow the secret \"{key}\" to sign")))
}

fn allows(allowed: &SecretUse, place: &Place, path: &str) -> bool {
    let placed = match (&allowed.place, place) {
        (Place::Basic { user: any }, Place::Basic { .. }) if any.is_empty() => true,
        (Place::Header { name: allowed }, Place::Header { name }) => allowed.eq_ignore_ascii_case(name),
        (Place::Other | Place::Signature, _) => false,
        (allowed, place) => allowed == place,
    };
    placed
        && match allowed.path.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == allowed.path,
        }
}

fn path_of(place: &str) -> &str {
    let place = place.split(['?', '#']).next().unwrap_or_default();
    match place.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => place,
    }
}

/// Objects are of a declared kind, have an id, and attributes that are a JSON object.
pub(super) fn objects(description: &Description, put: &CatalogPut) -> Result<(), Failure> {
    kind(description, &put.kind)?;
    for object in &put.objects {
        if object.id.is_empty() {
            return Err(Failure::plugin(format!("the {} \"{}\" has no id", put.kind, object.name)));
        }
        if !object.attributes.is_empty() {
            serde_json::from_str::<Map<String, Value>>(&object.attributes).map_err(|error| {
                Failure::plugin(format!("the attributes of \"{}\" are not a JSON object: {error}", object.id))
            })?;
        }
    }
    Ok(())
}

/// A kind is declared.
pub(super) fn kind(description: &Description, kind: &str) -> Result<(), Failure> {
    if description.objects.iter().any(|declared| declared.id == kind) {
        return Ok(());
    }
    Err(Failure::plugin(format!("the kind \"{kind}\" is not in the description")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_whole() {
        let bearer =
            |path: &str| SecretUse { field: "t".to_owned(), place: Place::Bearer, path: path.to_owned() };
        assert!(allows(&bearer("/api/*"), &Place::Bearer, "/api/v1"));
        assert!(!allows(&bearer("/api/*"), &Place::Bearer, "/apis"));
        assert!(!allows(&bearer("/api"), &Place::Bearer, "/api/v1"));
        assert!(!allows(&bearer("/*"), &Place::Header { name: "authorization".to_owned() }, "/"));
        assert_eq!(path_of("https://name.example/a/b?c=/d"), "/a/b");
        assert_eq!(path_of("https://name.example?c=/d"), "/");
    }
}
