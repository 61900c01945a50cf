//! Users, groups, roles, organizations.

use crate::qalyptus::call::Call;
use crate::qalyptus::data::Kind;
use crate::qalyptus::envelope;
use crate::qalyptus::problem::Answer;

/// Users, among them those who only receive mail; or these alone.
pub(crate) fn users(call: &Call, recipients: bool) -> Answer {
    let (world, catalog) = (&call.world, call.world.catalog());
    let rows = world.rows(Kind::User, call.caller()?.organization, None);
    let kept: Vec<u64> =
        rows.iter().copied().filter(|user| !recipients || catalog.is_recipient(*user)).collect();
    envelope::list(call, &kept, |user, out| catalog.write_user(user, world.is_active(user), out))
}

pub(crate) fn me(call: &Call) -> Answer {
    let user = call.caller()?.user;
    Ok(envelope::detail(call, |out| {
        call.world.catalog().write_user(user, call.world.is_active(user), out);
    }))
}

/// Groups, roles or organizations.
pub(crate) fn list(call: &Call, kind: Kind) -> Answer {
    let catalog = call.world.catalog();
    let rows = call.world.rows(kind, call.caller()?.organization, None);
    envelope::list(call, &rows, |row, out| match kind {
        Kind::Group => catalog.write_group(row, out),
        Kind::Role => catalog.write_role(row, out),
        _ => catalog.write_organization(row, out),
    })
}
