//! Signing in at the proxy: which virtual proxy a path leads to, and who comes there — by session, ticket, token or header.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::qlik_onprem::call::text;
use crate::qlik_onprem::caller::of_row;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::jwt;
use crate::qlik_onprem::problem::Problem;
use crate::qlik_onprem::proxies;
use crate::qlik_onprem::query::Query;
use crate::qlik_onprem::rights::Caller;
use crate::qlik_onprem::sessions::{Opening, Session};
use crate::qlik_onprem::store::Action;
use crate::qlik_onprem::world::World;
use crate::qlik_onprem::writes;

/// Where a path of the proxy leads.
pub(crate) struct Entrance {
    /// The virtual proxy.
    pub(crate) proxy: Row,
    /// The path behind its prefix.
    pub(crate) path: String,
}

/// Whoever was let in.
pub(crate) struct Admission {
    /// Who.
    pub(crate) caller: Caller,
    /// The cookie of a session that was opened for this request.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Finds the virtual proxy of a path: the linked one whose prefix it begins with, or the default one.
pub(crate) fn entrance(world: &World, path: &str) -> Option<Entrance> {
    let store = world.store();
    let linked = proxies::linked(&store);
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let prefixed = linked.iter().find(|row| {
        let prefix = row.text("prefix");
        !prefix.is_empty() && prefix.eq_ignore_ascii_case(first)
    });
    if let Some(proxy) = prefixed {
        let rest = &path.trim_start_matches('/')[first.len()..];
        let path = if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
        return Some(Entrance { proxy: (*proxy).clone(), path });
    }
    let default = linked.into_iter().find(|row| row.flag("defaultVirtualProxy"))?;
    Some(Entrance { proxy: default.clone(), path: path.to_owned() })
}

/// Lets somebody in, or tells how to sign in.
pub(crate) fn admit(
    world: &World,
    entrance: &Entrance,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Admission, Box<Response>> {
    let proxy = &entrance.proxy;
    let id = proxy.id("id").unwrap_or_default();
    // Sessions are unlocked again before anything else is locked.
    let cookie = cookie(headers, proxy.text("sessionCookieHeaderName"));
    let session = cookie.and_then(|cookie| world.sessions().touch(id, &cookie));
    if let Some(session) = session
        && let Ok(caller) = caller(world, &session.directory, &session.user)
    {
        return Ok(Admission { caller, cookie: None });
    }
    let opening = match query.get("qlikticket") {
        Some(ticket) => {
            let opening = world.sessions().redeem(ticket).filter(|opening| opening.proxy == id);
            opening.ok_or_else(|| away(world, proxy))?
        }
        None => by_method(world, proxy, headers)?,
    };
    let caller = caller(world, &opening.directory, &opening.user).map_err(refusal)?;
    let session = open(world, opening, None).map_err(refusal)?;
    let name = proxy.text("sessionCookieHeaderName");
    let secure = if proxy.flag("hasSecureAttributeHttps") { "; Secure" } else { "" };
    let cookie = format!("{name}={}; Path=/; HttpOnly{secure}", session.id);
    Ok(Admission { caller, cookie: HeaderValue::from_str(&cookie).ok() })
}

/// Opens a session, if the user may have another.
pub(crate) fn open(world: &World, opening: Opening, id: Option<String>) -> Result<Session, Problem> {
    let session = world.sessions().open(opening, id, world.config.sessions_per_user);
    session.ok_or_else(|| Problem::new(403, "OnMaxParallelSessionsExceeded"))
}

/// What a virtual proxy's sessions are like.
pub(crate) fn opening(proxy: &Row, directory: String, user: String, attributes: Value) -> Opening {
    let minutes = proxy.number("sessionInactivityTimeout").unwrap_or(30);
    let life = Duration::from_secs(minutes.unsigned_abs() * 60);
    Opening { proxy: proxy.id("id").unwrap_or_default(), directory, user, attributes, life }
}

fn refusal(problem: Problem) -> Box<Response> {
    Box::new(problem.into_response())
}

fn by_method(world: &World, proxy: &Row, headers: &HeaderMap) -> Result<Opening, Box<Response>> {
    let method = proxy.number("authenticationMethod").unwrap_or_default();
    let named = match method {
        1 | 2 => by_header(proxy, method, headers),
        4 => {
            let refused = |why: &str| refusal(Problem::new(world.config.jwt_refusal, format!("JWT: {why}")));
            let bearer = text(headers, "authorization").and_then(|value| value.split_once(' '));
            let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let Some((_, token)) = bearer else { return Err(refusal(Problem::new(401, "Unauthorized"))) };
            let named = jwt::check(proxy, token.trim()).map_err(refused)?;
            return Ok(opening(proxy, named.directory, named.user, named.attributes));
        }
        _ => None,
    };
    let (directory, user) = named.ok_or_else(|| away(world, proxy))?;
    Ok(opening(proxy, directory, user, json!([])))
}

/// The user in the header that the virtual proxy trusts.
fn by_header(proxy: &Row, method: i64, headers: &HeaderMap) -> Option<(String, String)> {
    let name = Some(proxy.text("headerAuthenticationHeaderName")).filter(|name| !name.is_empty())?;
    let value = headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())?;
    if method == 1 {
        return Some((proxy.text("headerAuthenticationStaticUserDirectory").to_owned(), value.to_owned()));
    }
    let (directory, user) = value.split_once('\\')?;
    Some((directory.to_owned(), user.to_owned()))
}

/// To the page where a browser signs in.
fn away(world: &World, proxy: &Row) -> Box<Response> {
    let host = &world.config.server_name;
    let target = Uuid::new_v4();
    let location = match proxy.text("authenticationModuleRedirectUri") {
        "" => format!("https://{host}:4244/windows_authentication/?targetId={target}"),
        module => format!("{module}?targetId={target}"),
    };
    Box::new((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// The user of a session. Whom the site has not seen yet is made: that is how users come who are in no directory.
fn caller(world: &World, directory: &str, user: &str) -> Result<Caller, Problem> {
    let mut store = world.store();
    let row = match world.user(&store, directory, user) {
        Some(row) => row,
        None => {
            drop(store);
            let row = newcomer(world, directory, user);
            store = world.editing();
            let id = row.id("id").unwrap_or_default();
            store.make(Kind::User, id, row.clone());
            world.note(&mut store, &Caller::administrator(), Action::Created, (Kind::User, id), Vec::new());
            row
        }
    };
    if row.flag("blacklisted") || row.flag("inactive") {
        return Err(Problem::forbidden());
    }
    Ok(of_row(&row))
}

fn newcomer(world: &World, directory: &str, user: &str) -> Row {
    let mut row = writes::blank(world, Kind::User);
    let stamp = world.stamp(0);
    let members = json!({"userId": user, "userDirectory": directory, "userDirectoryConnectorName": directory, "name": user});
    if let Value::Object(members) = members {
        row.take(Row::from_json(members));
    }
    row.set("id", Uuid::new_v4());
    row.set("createdDate", Cell::Time(stamp));
    row.set("modifiedDate", Cell::Time(stamp));
    row.set("modifiedByUserName", r"INTERNAL\sa_proxy");
    row
}

/// The value of a cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}

/// A session as the proxy's own API tells it.
pub(crate) fn told(session: &Session) -> Value {
    let mut told = Map::new();
    told.insert("UserDirectory".to_owned(), session.directory.clone().into());
    told.insert("UserId".to_owned(), session.user.clone().into());
    told.insert("Attributes".to_owned(), session.attributes.clone());
    told.insert("SessionId".to_owned(), session.id.clone().into());
    told.insert("NewUser".to_owned(), false.into());
    told.insert("UserName".to_owned(), session.user.clone().into());
    Value::Object(told)
}
