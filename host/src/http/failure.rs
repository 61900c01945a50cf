//! Failures: what the libraries' errors mean for a person. The chain of causes is walked and its members are recognised by
//! their types; their texts are nobody's interface.

use super::{identified::OR_REFUSES, refused::RefusedCertificate, resolver::Unresolved};
use crate::model::certificate::ServerCertificate;
use jackfield_plugin::contract::{
    Failure,
    failure::{Blame, Stage},
};
use rustls::CertificateError;
use std::{error::Error, io, time::Duration};
use url::Url;

/// What to do about an exchange that broke.
const BROKEN: &str = "try again; if it lasts, look at what stands in between, such as a firewall or a proxy that cuts long answers";

/// Something that went wrong on the way, and whether another attempt may help.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What to tell.
    pub(super) failure: Failure,
    /// It may have been bad luck.
    pub(super) passing: bool,
    /// Time ran out.
    pub(super) timed_out: bool,
    /// The certificate that was refused.
    pub(super) certificate: Option<Box<ServerCertificate>>,
}

impl Trouble {
    fn timed_out(self) -> Trouble {
        Trouble { timed_out: true, ..self }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble { failure, passing: false, timed_out: false, certificate: None }
    }
}

fn passing(failure: Failure) -> Trouble {
    Trouble { passing: true, ..failure.into() }
}

/// Which way was taken, for the message.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Host and port.
    pub(super) peer: String,
    /// Name of the origin: the setting to look at.
    pub(super) field: String,
    /// The proxy in between, if there is one.
    pub(super) proxy: Option<String>,
    /// It was a TLS connection.
    pub(super) tls: bool,
    /// The setting that is the client certificate, if one is shown.
    pub(super) identity: Option<String>,
    /// How long connecting may take.
    pub(super) connect_timeout: Duration,
}

impl Way {
    /// The way to a URL.
    pub(super) fn new(url: &Url, field: &str, proxy: Option<&Url>, connect_timeout: Duration) -> Self {
        Way {
            peer: peer(url),
            field: field.to_owned(),
            proxy: proxy.map(peer),
            tls: url.scheme() == "https",
            identity: None,
            connect_timeout,
        }
    }

    /// The way on which a client certificate is shown, which is that setting.
    pub(super) fn showing(self, field: &str) -> Self {
        Way { identity: Some(field.to_owned()), ..self }
    }

    /// The peer, and the proxy where there is one.
    pub(super) fn named(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{} (through the proxy {proxy})", self.peer),
            None => self.peer.clone(),
        }
    }

    fn network(&self, stage: Stage, message: String) -> Failure {
        Failure::new(Blame::Network, message).at(stage)
    }

    /// The answer did not come, or not to its end, in time.
    pub(super) fn too_slow(&self, limit: Duration, begun: bool) -> Trouble {
        let what = if begun { "the answer was not complete" } else { "there was no answer" };
        let failure =
            self.network(Stage::Answer, format!("{}: {what} after {}", self.named(), seconds(limit))).remedy(
                "the remote system is slow or overloaded; try again later, or with fewer parallel executions",
            );
        // Waiting as long once more for an answer that had begun would rarely help.
        let trouble = if begun { failure.into() } else { passing(failure) };
        trouble.timed_out()
    }

    /// The middle of the answer was silent for too long.
    pub(super) fn fell_silent(&self, limit: Duration) -> Trouble {
        passing(
            self.network(
                Stage::Answer,
                format!(
                    "{}: the answer stopped in the middle and nothing came for {}",
                    self.named(),
                    seconds(limit)
                ),
            )
            .remedy(BROKEN),
        )
        .timed_out()
    }

    /// The answer is larger than any should be.
    pub(super) fn too_large(&self, limit: u64) -> Trouble {
        let limit = if limit >= 1 << 20 { format!("{} MiB", limit >> 20) } else { format!("{limit} bytes") };
        Failure::remote(format!("{}: the answer is larger than {limit}, decompressed", self.named()))
            .remedy(
                "if it is right that it answers so much at once, raise http.max_answer_mib; else find out what answers in its place",
            )
            .into()
    }

    /// What an error of the HTTP library means.
    pub(super) fn explain(&self, error: &reqwest::Error, begun: bool) -> Trouble {
        let mut hyper = None;
        let mut io = None;
        for cause in chain(error) {
            if let Some(unresolved) = cause.downcast_ref::<Unresolved>() {
                let failure = self.unresolved(unresolved);
                // Whether the name is unknown or the name service is in trouble cannot be told apart.
                let refused = matches!(unresolved, Unresolved::Refused { .. });
                return if refused { failure.into() } else { passing(failure) };
            }
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return self.tls(tls);
            }
            hyper = hyper.or_else(|| cause.downcast_ref::<hyper::Error>());
            io = cause.downcast_ref::<io::Error>().or(io);
        }
        if error.is_connect() {
            return self.not_connected(error, io);
        }
        if hyper.is_some_and(|hyper| hyper.is_parse_too_large()) {
            return Failure::remote(format!("{}: the head of the answer is too large", self.named())).into();
        }
        if hyper.is_some_and(|hyper| hyper.is_parse()) {
            return Failure::remote(format!("{} answered with something that is not HTTP", self.named()))
                .remedy("check the port, and whether it is http or https")
                .field(&self.field)
                .into();
        }
        let cut = hyper.is_some_and(|hyper| hyper.is_incomplete_message() || hyper.is_closed())
            || io.is_some_and(|io| is_cut(io.kind()));
        if error.is_decode() && hyper.is_none() {
            return Failure::remote(format!("{}: the answer could not be decompressed", self.named()))
                .remedy(
                    "the answer is damaged; something between here and the remote system may have changed it",
                )
                .into();
        }
        let message = match (begun, cut) {
            (true, _) => format!("{}: the connection broke in the middle of the answer", self.named()),
            (false, true) => format!("{} closed the connection without an answer", self.named()),
            (false, false) => {
                format!("{}: the exchange broke off: {}", self.named(), innermost(error))
            }
        };
        let remedy = match &self.identity {
            Some(_) if !begun => format!("{BROKEN}; {OR_REFUSES}"),
            _ => BROKEN.to_owned(),
        };
        passing(self.network(Stage::Answer, message).remedy(remedy))
    }

    fn unresolved(&self, unresolved: &Unresolved) -> Failure {
        match unresolved {
            Unresolved::Unknown { name, cause } => {
                let why = match cause {
                    Some(cause) => format!(" ({})", innermost(cause)),
                    None => String::new(),
                };
                let whose = if self.proxy.is_some() { "the proxy's name" } else { "the name" };
                self.network(Stage::Name, format!("{whose} {name} is unknown{why}"))
                    .remedy("check its spelling, and that this machine's name service knows it")
                    .field(&self.field)
            }
            Unresolved::Silent { name, limit } => self
                .network(
                    Stage::Name,
                    format!(
                        "this machine's name service did not answer within {} to what {name} is",
                        seconds(*limit)
                    ),
                )
                .remedy("check which name servers this machine asks, and whether it reaches them"),
            Unresolved::Refused { private: true, .. } => Failure::new(
                Blame::Network,
                format!("{unresolved}, where only the operator's own settings may lead"),
            )
            .at(Stage::Name)
            .field(&self.field),
            Unresolved::Refused { .. } => {
                Failure::new(Blame::Network, format!("{unresolved}; Jackfield never connects there"))
                    .at(Stage::Name)
                    .remedy("check the name, and who answers for it in the name service")
                    .field(&self.field)
            }
        }
    }

    fn not_connected(&self, error: &reqwest::Error, io: Option<&io::Error>) -> Trouble {
        // With a proxy it is the proxy that is connected to, and no setting of the connection is to blame.
        let (peer, checked, whoever) = match &self.proxy {
            Some(proxy) => (
                format!("the proxy {proxy} (on the way to {})", self.peer),
                "its configured address",
                "the proxy",
            ),
            None => (self.peer.clone(), "the address and the port", "the remote system"),
        };
        let kind = io.map(io::Error::kind);
        let told = |message: String, remedy: String| {
            let failure = self.network(Stage::Connect, message).remedy(remedy);
            passing(if self.proxy.is_some() { failure } else { failure.field(&self.field) })
        };
        if error.is_timeout() || kind == Some(io::ErrorKind::TimedOut) {
            let limit = seconds(self.connect_timeout);
            let https = if self.tls && self.proxy.is_none() { ", whether it speaks https there" } else { "" };
            return told(
                format!("{peer} did not answer within {limit}"),
                format!("check whether {whoever} is up, {checked}{https}, and whether a firewall stands in between"),
            )
            .timed_out();
        }
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => told(
                format!("{peer} refused the connection"),
                format!("check whether {whoever} is running, and {checked}"),
            ),
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => told(
                format!("there is no route to {peer}"),
                format!("check this machine's network, and {checked}"),
            ),
            // The connection to the proxy is there; it is the answer to our wish for a tunnel that is not what it should be.
            None if self.proxy.is_some() => told(
                format!(
                    "the proxy {} opens no way to {}: {}",
                    self.proxy.as_deref().unwrap_or_default(),
                    self.peer,
                    innermost(error)
                ),
                "check that the proxy lets this machine through to that address and port, and whether it wants a user name \
                 and a password: http.proxy = \"http://USER:PASSWORD@HOST:PORT\""
                    .to_owned(),
            ),
            Some(kind) if is_cut(kind) && self.tls => told(
                format!("{peer} closed the connection while TLS was being agreed on"),
                match self.identity {
                    Some(_) => format!("check {checked}, and whether it speaks https there; {OR_REFUSES}"),
                    None => format!("check {checked}, and whether it speaks https there"),
                },
            ),
            _ => {
                told(format!("could not connect to {peer}: {}", innermost(error)), format!("check {checked}"))
            }
        }
    }

    fn tls(&self, error: &rustls::Error) -> Trouble {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                match other.0.downcast_ref::<RefusedCertificate>() {
                    Some(refused) => Trouble {
                        certificate: Some(Box::new(refused.shown_by(&self.peer))),
                        ..self.refused_certificate(refused).into()
                    },
                    None => self.bad_tls(error).into(),
                }
            }
            rustls::Error::AlertReceived(alert) if self.is_about_identity(*alert) => {
                self.refused_identity(*alert).into()
            }
            _ => self.bad_tls(error).into(),
        }
    }

    fn bad_tls(&self, error: &rustls::Error) -> Failure {
        if matches!(error, rustls::Error::InvalidMessage(_)) {
            return self
                .network(Stage::Tls, format!("{} does not speak TLS", self.named()))
                .remedy("check the port, and whether it is http rather than https")
                .field(&self.field);
        }
        let and = match self.identity {
            Some(_) => "trusts the issuer of the client certificate",
            None => "wants a client certificate",
        };
        self.network(Stage::Tls, format!("{}: TLS could not be agreed on: {error}", self.named())).remedy(format!(
            "check which TLS versions and ciphers the remote system accepts (TLS 1.2 and 1.3 are offered), and whether it {and}"
        ))
    }

    fn refused_certificate(&self, refused: &RefusedCertificate) -> Failure {
        let (what, remedy) = refused.in_words();
        let failure = self.network(Stage::Tls, format!("{}: {what}", self.named())).remedy(remedy);
        let failure = failure.reference(format!("certificate SHA-256 {}", refused.sha256));
        match refused.field() {
            Some(field) => failure.field(field),
            None => failure,
        }
    }
}

/// Host and port, the port always.
pub(super) fn peer(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A time as a person says it.
pub(super) fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 && time.as_secs() > 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut | UnexpectedEof)
}

/// An error and its causes. An I/O error that wraps another hides it from `source`, so it is asked in its own way.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// What the last cause says; the ones before repeat it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
