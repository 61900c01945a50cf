//! Who calls: the key against forged requests, and the user that a certificate's holder speaks for.

use axum::http::HeaderMap;

use crate::qlik_onprem::call::text;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::config::MissingUser;
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::query::Query;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::world::World;

/// The header with the key.
const KEY: &str = "x-qlik-xrfkey";

/// The key must be in the query and in a header, the same, sixteen letters and digits.
pub(crate) fn check_key(query: &Query, headers: &HeaderMap) -> Result<(), Problem> {
    let key = query.get("xrfkey").unwrap_or_default();
    let shaped = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if shaped && text(headers, KEY) == Some(key) {
        return Ok(());
    }
    Err(Problem::new(403, "XSRF prevention check failed. Possible XSRF discovered."))
}

/// The user whom the holder of a certificate names in `X-Qlik-User`.
pub(crate) fn by_certificate(world: &World, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(header) = text(headers, "x-qlik-user") else {
        return match world.config.missing_user {
            MissingUser::Refused => Err(Problem::forbidden()),
            MissingUser::Administrator => Ok(Caller::administrator()),
        };
    };
    let (directory, id) = parse(header).ok_or_else(Problem::forbidden)?;
    named(world, &directory, &id)?.ok_or_else(Problem::forbidden)
}

/// A user of the site by directory and id; `None` for an unknown one where those are refused. Who is blocked, inactive or
/// gone from the directory is refused anyway.
pub(crate) fn named(world: &World, directory: &str, id: &str) -> Result<Option<Caller>, Problem> {
    let Some(row) = world.user(&world.store(), directory, id) else {
        let nobody =
            Caller { id: None, account: format!("{directory}\\{id}"), roles: Vec::new(), internal: false };
        return Ok((!world.config.refuse_unknown_users).then_some(nobody));
    };
    if row.flag("blacklisted") || row.flag("inactive") || row.flag("removedExternally") {
        return Err(Problem::forbidden());
    }
    Ok(Some(of_row(&row)))
}

/// The caller that a user's row describes.
pub(crate) fn of_row(row: &Row) -> Caller {
    let role = |cell: &Cell| match cell {
        Cell::Text(role) => Some(role.to_string()),
        _ => None,
    };
    let (directory, id) = (row.text("userDirectory"), row.text("userId"));
    Caller {
        id: row.id("id"),
        account: format!("{directory}\\{id}"),
        roles: row.list("roles").iter().filter_map(role).collect(),
        internal: directory.eq_ignore_ascii_case("INTERNAL") && id.to_ascii_lowercase().starts_with("sa_"),
    }
}

/// `UserDirectory=<directory>; UserId=<id>`, with or without the space.
fn parse(header: &str) -> Option<(String, String)> {
    let part = |name: &str| {
        let mut parts = header.split(';').filter_map(|part| part.split_once('='));
        let found = parts.find(|(own, _)| own.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    Some((part("UserDirectory")?, part("UserId")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_in_several_spellings() {
        let ada = Some(("DIR".to_owned(), "ada".to_owned()));
        for (header, expected) in [
            ("UserDirectory=DIR; UserId=ada", &ada),
            ("UserDirectory=DIR;UserId=ada", &ada),
            ("userid=ada ; userdirectory= DIR", &ada),
            ("UserDirectory=DIR", &None),
            ("UserDirectory=;UserId=ada", &None),
            (r"DIR\ada", &None),
        ] {
            assert_eq!(parse(header), *expected, "{header}");
        }
    }
}
