//! The resolver: resolves a name once, judges the addresses, and hands over only those that passed, so that the address that
//! was checked is the one that is connected to. A name cannot answer one thing to the check and another to the connection.
//!
//! It is never asked about IP literals; the policy has judged those. With a configured proxy it is asked about the proxy
//! alone: the names of remote systems are then resolved by the proxy, and only the policy stands before them.

use super::address::{Verdict, judge};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    collections::HashSet,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// Why a name led nowhere.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// Nobody knows the name, or nobody could be asked.
    Unknown {
        /// The name.
        name: String,
        /// What the system's resolver said; nothing if it found no address.
        cause: Option<io::Error>,
    },
    /// Nobody answered the question in time.
    Silent {
        /// The name.
        name: String,
        /// The time.
        limit: Duration,
    },
    /// The name is known, and leads where a connection must not go.
    Refused {
        /// The name.
        name: String,
        /// Where it leads.
        address: IpAddr,
        /// What that is.
        what: &'static str,
        /// It could be allowed, if the operator's own setting named it.
        private: bool,
    },
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::Unknown { name, .. } | Unresolved::Silent { name, .. } => {
                write!(f, "the name {name} could not be resolved")
            }
            Unresolved::Refused { name, address, what, .. } => {
                write!(f, "the name {name} leads to {address}, {what}")
            }
        }
    }
}

impl std::error::Error for Unresolved {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Unresolved::Unknown { cause: Some(cause), .. } => Some(cause),
            _ => None,
        }
    }
}

/// Resolves and judges.
#[derive(Debug)]
pub(super) struct Resolver {
    /// Names that may lead to private addresses.
    trusted: Arc<HashSet<String>>,
    /// How long the name service may take.
    limit: Duration,
}

impl Resolver {
    /// A resolver that lets these names lead to private addresses. It gives up a little earlier than whoever wants to
    /// connect would: only it knows that there was nobody yet to be connected to.
    pub(super) fn new(trusted: HashSet<String>, connect_timeout: Duration) -> Self {
        Resolver { trusted: Arc::new(trusted), limit: connect_timeout.mul_f64(0.8) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (trusted, limit) = (Arc::clone(&self.trusted), self.limit);
        Box::pin(async move {
            let name = name.as_str();
            let found = within(limit, name, tokio::net::lookup_host((name, 0))).await?;
            let passed = passed(name, found, trusted.contains(name))?;
            Ok(Box::new(passed.into_iter()) as Addrs)
        })
    }
}

/// What a question for a name is answered with, in time.
async fn within<T>(
    limit: Duration,
    name: &str,
    asking: impl Future<Output = io::Result<T>>,
) -> Result<T, Unresolved> {
    match tokio::time::timeout(limit, asking).await {
        Ok(answer) => {
            answer.map_err(|cause| Unresolved::Unknown { name: name.to_owned(), cause: Some(cause) })
        }
        Err(_) => Err(Unresolved::Silent { name: name.to_owned(), limit }),
    }
}

/// The addresses that may be connected to; if there is none, why.
fn passed(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    trusted: bool,
) -> Result<Vec<SocketAddr>, Unresolved> {
    let mut passed = Vec::new();
    let mut refused = None;
    for socket in found {
        match judge(socket.ip()) {
            Verdict::Public => passed.push(socket),
            Verdict::Private(_) if trusted => passed.push(socket),
            Verdict::Private(what) => refused = Some((socket.ip(), what, true)),
            Verdict::Never(what) => refused = Some((socket.ip(), what, false)),
        }
    }
    let name = name.to_owned();
    match refused {
        _ if !passed.is_empty() => Ok(passed),
        Some((address, what, private)) => Err(Unresolved::Refused { name, address, what, private }),
        None => Err(Unresolved::Unknown { name, cause: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(addresses: &[&str], trusted: bool) -> String {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        match passed("it.example", found, trusted) {
            Ok(passed) => passed.iter().map(|socket| socket.ip().to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_name_service_that_says_nothing_is_not_waited_for() {
        let limit = Duration::from_millis(20);
        let silent = within(limit, "it.example", std::future::pending::<io::Result<()>>()).await;
        assert!(
            matches!(silent, Err(Unresolved::Silent { name, limit: told }) if name == "it.example" && told == limit)
        );
        let unknown =
            within(limit, "it.example", async { Err::<(), _>(io::Error::other("no such name")) }).await;
        assert!(matches!(unknown, Err(Unresolved::Unknown { cause: Some(_), .. })));
    }

    #[test]
    fn only_judged_addresses_are_handed_over() {
        let table: [(&[&str], bool, &str); 7] = [
            (&["93.184.215.14"], false, "93.184.215.14"),
            (&["10.0.0.1"], true, "10.0.0.1"),
            (&["10.0.0.1"], false, "the name it.example leads to 10.0.0.1, a private address"),
            (&["10.0.0.1", "93.184.215.14"], false, "93.184.215.14"),
            (&["169.254.169.254", "127.0.0.1"], true, "127.0.0.1"),
            (
                &["169.254.169.254"],
                true,
                "the name it.example leads to 169.254.169.254, the address of a cloud's metadata service",
            ),
            (&[], true, "the name it.example could not be resolved"),
        ];
        for (addresses, trusted, expected) in table {
            assert_eq!(outcome(addresses, trusted), expected, "{addresses:?}");
        }
    }
}
