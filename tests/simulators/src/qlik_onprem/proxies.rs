//! Virtual proxies and the proxy that they are linked to: what a virtual proxy must be like, and when the proxy starts
//! anew. The default virtual proxy is the one that people use; nobody removes it here.

use std::time::Duration;

use uuid::Uuid;

use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::store::{Action, Store};
use crate::qlik_onprem::world::World;

/// Shortest and longest text of a member.
const LENGTHS: &[(&str, usize, usize)] = &[
    ("prefix", 0, 100),
    ("description", 0, 500),
    ("sessionCookieHeaderName", 1, 256),
    ("windowsAuthenticationEnabledDevicePattern", 1, 256),
    ("headerAuthenticationHeaderName", 0, 256),
    ("headerAuthenticationStaticUserDirectory", 0, 256),
    ("headerAuthenticationDynamicUserDirectory", 0, 256),
    ("authenticationModuleRedirectUri", 0, 1024),
    ("additionalResponseHeaders", 0, 1024),
    ("jwtPublicKeyCertificate", 0, 100_000),
    ("samlMetadataIdP", 0, 100_000),
];
/// Smallest and largest number of a member.
const RANGES: &[(&str, i64, i64)] =
    &[("sessionInactivityTimeout", 1, 71_582), ("authenticationMethod", 0, 5), ("anonymousAccessMode", 0, 2)];
/// How long an answer through the proxy itself is waited for before the proxy goes.
const FAREWELL: Duration = Duration::from_millis(50);

/// Is a virtual proxy as it must be?
pub(crate) fn check(row: &Row, old: Option<&Row>) -> Result<(), Problem> {
    let invalid = |member: &str| Problem::invalid(format!("Invalid value for the property '{member}'"));
    for (member, least, most) in LENGTHS {
        if !(*least..=*most).contains(&row.text(member).chars().count()) {
            return Err(invalid(member));
        }
    }
    for (member, least, most) in RANGES {
        if !row.number(member).is_some_and(|number| (*least..=*most).contains(&number)) {
            return Err(invalid(member));
        }
    }
    if row.text("prefix").contains(['/', '\\', ' ', '?', '#']) {
        return Err(invalid("prefix"));
    }
    // There is one default, the one without a prefix, and it stays that.
    let was_default = old.is_some_and(|old| old.flag("defaultVirtualProxy"));
    if row.flag("defaultVirtualProxy") != was_default || row.text("prefix").is_empty() != was_default {
        return Err(invalid("defaultVirtualProxy"));
    }
    Ok(())
}

/// May a proxy be linked so? Every virtual proxy must be there, and the default one among them.
pub(crate) fn check_links(store: &Store, old: &Row, body: &Row) -> Result<(), Problem> {
    let Some(settings) = body.row("settings") else { return Ok(()) };
    if settings.get("virtualProxies").is_none() {
        return Ok(());
    }
    let wanted: Vec<Uuid> = links(settings);
    if wanted.len() != settings.list("virtualProxies").len()
        || wanted.iter().any(|id| store.row(Kind::VirtualProxy, *id).is_none())
    {
        return Err(Problem::invalid("The property 'virtualProxies' refers to an unknown item"));
    }
    let is_default =
        |id: &Uuid| store.row(Kind::VirtualProxy, *id).is_some_and(|row| row.flag("defaultVirtualProxy"));
    let had = old.row("settings").is_some_and(|settings| links(settings).iter().any(is_default));
    if had && !wanted.iter().any(is_default) {
        return Err(Problem::invalid("The default virtual proxy cannot be unlinked"));
    }
    Ok(())
}

/// The virtual proxies of a proxy's settings.
fn links(settings: &Row) -> Vec<Uuid> {
    let reference = |cell: &Cell| match cell {
        Cell::Row(row) => row.id("id"),
        _ => None,
    };
    settings.list("virtualProxies").iter().filter_map(reference).collect()
}

/// The virtual proxies that are linked to a proxy.
pub(crate) fn linked(store: &Store) -> Vec<&Row> {
    let settings = store.made_rows(Kind::ProxyService).filter_map(|proxy| proxy.row("settings"));
    settings.flat_map(links).filter_map(|id| store.row(Kind::VirtualProxy, id)).collect()
}

/// Is a row a proxy, or a virtual proxy that one uses?
pub(crate) fn concerns_a_proxy(store: &Store, kind: Kind, id: Uuid) -> bool {
    match kind {
        Kind::ProxyService => true,
        Kind::VirtualProxy => linked(store).iter().any(|row| row.id("id") == Some(id)),
        _ => false,
    }
}

/// The proxy starts anew: it is away for a while and loses its sessions.
pub(crate) fn restart(world: &World, store: &mut Store, caller: &Caller, proxied: bool) {
    let proxy = store.made(Kind::ProxyService).first().copied().unwrap_or_default();
    world.note(store, caller, Action::Restarted, (Kind::ProxyService, proxy), Vec::new());
    world.sessions().close_all();
    let (door, away) = (world.proxy.door().clone(), world.config.restart);
    if !proxied {
        return door.shut(away);
    }
    // Whoever wrote through the proxy itself still gets the answer.
    tokio::spawn(async move {
        tokio::time::sleep(FAREWELL).await;
        door.shut(away);
    });
}
