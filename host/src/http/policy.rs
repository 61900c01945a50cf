//! The policy: which origins a connection may reach. It stands before everything else: nothing is resolved, opened or filled
//! in for a destination that it refuses.
//!
//! What is compared is the *parsed* URL, because that is what will be connected to: the parser turns `0x7f.1` and `2130706433`
//! into `127.0.0.1`, drops tabs, and takes `\` for `/`. Texts that need such repairs are refused as they stand.

use super::address::{Verdict, judge};
use jackfield_plugin::contract::{
    Failure,
    failure::{Blame, Stage},
    http::Target,
};
use std::{collections::HashSet, net::IpAddr};
use url::{Host, Url};

/// An origin that a connection may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// The settings field that holds it, or the name of the fixed host. Requests refer to it by this name.
    pub name: String,
    /// Scheme, host and port.
    pub origin: Url,
    /// More ports of the same host, reached with the same scheme.
    pub further_ports: Vec<u16>,
    /// The operator's own setting names the host, so it may lie in a private network or on this machine.
    pub named_by_operator: bool,
}

impl AllowedOrigin {
    fn covers(&self, url: &Url) -> bool {
        self.origin.scheme() == url.scheme()
            && self.origin.host() == url.host()
            && url.port_or_known_default().is_some_and(|port| {
                self.origin.port_or_known_default() == Some(port) || self.further_ports.contains(&port)
            })
    }
}

/// The origins that a connection may reach.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    origins: Vec<AllowedOrigin>,
}

/// A destination that has passed the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    /// Name of the origin that allows it.
    pub(super) name: String,
    /// Where to; without user information and fragment.
    pub(super) url: Url,
}

impl Policy {
    /// A policy that allows these and nothing else.
    pub fn new(origins: Vec<AllowedOrigin>) -> Self {
        Policy { origins }
    }

    /// Finds out where a request wants to go, and whether it may.
    pub(super) fn resolve(&self, target: &Target) -> Result<Admitted, Failure> {
        match target {
            Target::Path { origin, path } => self.resolve_path(origin, path),
            Target::Url { url } => self.resolve_url(url),
        }
    }

    fn resolve_path(&self, name: &str, path: &str) -> Result<Admitted, Failure> {
        let Some(allowed) = self.origins.iter().find(|allowed| allowed.name == name) else {
            let known: Vec<_> = self.origins.iter().map(|allowed| allowed.name.as_str()).collect();
            return Err(Failure::plugin(format!(
                "the plugin asked for a path on \"{name}\", which is no address of this connection (there {})",
                list("is", "are", &known)
            )));
        };
        let refuse = |why: &str| {
            Err(Failure::plugin(format!("the plugin asked for the path {path:?} on \"{name}\", which {why}")))
        };
        if !path.starts_with('/') {
            return refuse("does not begin with \"/\"");
        }
        if path.starts_with("//") {
            return refuse("begins with \"//\", as another host would");
        }
        if let Some(why) = malformed(path) {
            return refuse(why);
        }
        if path.contains('#') {
            return refuse("has a \"#\", behind which nothing is sent (encode it as %23)");
        }
        match allowed.origin.join(path) {
            Ok(url) if url.origin() == allowed.origin.origin() => self.checked(allowed, url),
            _ => refuse("leads elsewhere"),
        }
    }

    fn resolve_url(&self, text: &str) -> Result<Admitted, Failure> {
        if let Some(why) = malformed(text) {
            return Err(Failure::plugin(format!("the plugin asked for a URL that {why}")));
        }
        let url = Url::parse(text)
            .map_err(|error| Failure::plugin(format!("the plugin asked for a URL that is none: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::plugin("the plugin asked for a URL with a user name or password in it"));
        }
        match self.find(&url) {
            Some(allowed) => self.checked(allowed, url),
            None => Err(Failure::plugin(format!(
                "the plugin asked for {}, which is not part of this connection (allowed {})",
                origin_text(&url),
                list("is", "are", &self.origin_texts())
            ))
            .remedy(
                "if the remote system itself gave this address, for its next page for example, it knows itself by another \
                 name than the settings do: use that one in the settings",
            )),
        }
    }

    /// Checks where a redirect leads; `None` if that is not part of the connection.
    pub(super) fn admit(&self, url: &Url) -> Option<Result<Admitted, Failure>> {
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        self.find(url).map(|allowed| self.checked(allowed, url.clone()))
    }

    fn find(&self, url: &Url) -> Option<&AllowedOrigin> {
        self.origins.iter().find(|allowed| allowed.covers(url))
    }

    fn checked(&self, allowed: &AllowedOrigin, mut url: Url) -> Result<Admitted, Failure> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::you(format!("{} is neither http nor https", origin_text(&url)))
                .at(Stage::Settings)
                .field(&allowed.name));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = address {
            check_literal(allowed, address, self.is_named_by_operator(&url))?;
        }
        url.set_fragment(None);
        Ok(Admitted { name: allowed.name.clone(), url })
    }

    fn is_named_by_operator(&self, url: &Url) -> bool {
        self.origins.iter().any(|allowed| allowed.named_by_operator && allowed.origin.host() == url.host())
    }

    fn origin_texts(&self) -> Vec<String> {
        self.origins.iter().map(|allowed| origin_text(&allowed.origin)).collect()
    }

    /// The host names that the operator's own settings name, for the resolver.
    pub(super) fn trusted_names(&self) -> HashSet<String> {
        let trusted = self.origins.iter().filter(|allowed| allowed.named_by_operator);
        trusted.filter_map(|allowed| allowed.origin.host_str().map(str::to_owned)).collect()
    }
}

fn check_literal(allowed: &AllowedOrigin, address: IpAddr, named: bool) -> Result<(), Failure> {
    let failure = match judge(address) {
        Verdict::Public => return Ok(()),
        Verdict::Private(_) if named => return Ok(()),
        Verdict::Private(what) => {
            let message = format!("{address} is {what}, which only the operator's own settings may name");
            Failure::new(Blame::Plugin, message)
        }
        Verdict::Never(what) => Failure::you(format!("{address} is {what}; Jackfield never connects there"))
            .remedy("enter the address of the remote system itself"),
    };
    Err(failure.at(Stage::Settings).field(&allowed.name))
}

/// Why a text cannot be a part of a URL as it stands.
fn malformed(text: &str) -> Option<&'static str> {
    if text.contains('\\') {
        Some("contains a backslash")
    } else if text.chars().any(char::is_control) {
        Some("contains a control character")
    } else if text.starts_with(' ') || text.ends_with(' ') {
        Some("begins or ends with a space")
    } else {
        None
    }
}

/// Scheme, host, and port where it is not the scheme's own.
pub(super) fn origin_text(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

fn list(one: &str, many: &str, names: &[impl AsRef<str>]) -> String {
    let joined = names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => format!("{one} none"),
        1 => format!("{one} {joined}"),
        _ => format!("{many} {joined}"),
    }
}
