//! Redirects, followed by hand: every hop passes the policy again, and credentials stay with the origin they were meant for.

use super::{
    address,
    policy::{Admitted, Policy, origin_text},
};
use jackfield_plugin::contract::Failure;
use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, LOCATION},
};
use std::net::IpAddr;
use url::{Host, Url};

/// One request on the way to the answer.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    /// The method.
    pub(super) method: Method,
    /// Where to.
    pub(super) to: Admitted,
    /// With secrets and the plugin's headers: it is still the origin that the plugin asked for.
    pub(super) trusted: bool,
    /// With the body.
    pub(super) body: bool,
}

/// The next hop, if an answer is a redirect.
pub(super) fn next(
    hop: &Hop,
    status: StatusCode,
    headers: &HeaderMap,
    policy: &Policy,
) -> Result<Option<Hop>, Failure> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else { return Ok(None) };
    let from = origin_text(&hop.to.url);
    let unusable = || {
        Failure::remote(format!("{from} redirects to an address that is none"))
            .remedy("find out what in the remote system, or in front of it, redirects so: its own address may be set wrongly there")
            .field(&hop.to.name)
            .status(status.as_u16())
    };
    let url = location.to_str().ok().and_then(|text| hop.to.url.join(text).ok()).ok_or_else(unusable)?;
    let Some(admitted) = policy.admit(&url) else {
        return Err(elsewhere(hop, &url).status(status.as_u16()));
    };
    let to = admitted.map_err(|failure| failure.context(format!("{from} redirects")))?;
    let trusted = hop.trusted && to.url.origin() == hop.to.url.origin();
    let becomes_get = match status.as_u16() {
        303 => hop.method != Method::HEAD,
        301 | 302 => hop.method == Method::POST,
        _ => false,
    };
    let method = if becomes_get { Method::GET } else { hop.method.clone() };
    Ok(Some(Hop { method, to, trusted, body: hop.body && !becomes_get }))
}

fn elsewhere(hop: &Hop, url: &Url) -> Failure {
    let from = &hop.to.url;
    let named = !url.username().is_empty() || url.password().is_some();
    let what = match forbidden(url) {
        Some(what) => what,
        None if named => "with a user name in it, which no redirect may bring",
        None => "which is not part of this connection",
    };
    let message = format!("{} redirects to {}, {what}", origin_text(from), origin_text(url));
    let sign_in = ["login", "signin", "sign-in", "auth", "saml", "oauth", "sso"];
    let path = url.path().to_ascii_lowercase();
    let remedy = if forbidden(url).is_some() {
        "nothing was sent there; no honest system redirects so: find out what in the remote system, or in front of it, does"
            .to_owned()
    } else if named {
        "nothing was sent there; find out what in the remote system, or in front of it, puts a user name or a password there"
            .to_owned()
    } else if from.host() == url.host() && from.scheme() == "http" && url.scheme() == "https" {
        format!("the remote system wants https: enter {} as its address", origin_text(url))
    } else if sign_in.iter().any(|word| path.contains(word)) {
        "that looks like a sign-in page: check the credential, and that the address is the one for programs"
            .to_owned()
    } else {
        "nothing was sent there; if the remote system has moved, change its address in the settings, else find out who redirects"
            .to_owned()
    };
    Failure::remote(message).remedy(remedy).field(&hop.to.name)
}

/// What an address is to which nobody may be led.
fn forbidden(url: &Url) -> Option<&'static str> {
    let address = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
        Host::Domain(_) => return None,
    };
    match address::judge(address) {
        address::Verdict::Never(what) => Some(what),
        _ => None,
    }
}
