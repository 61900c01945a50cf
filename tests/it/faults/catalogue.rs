//! The catalogue: every fault, what is injected, and what each connector has to make of it. Data, and nothing that runs.

use super::elsewhere::ELSEWHERE;
use jackfield_simulators::{
    faults::{BodyKind, FaultKind},
    way::{Certificate, Line},
};

/// The faults that have to be here.
pub(super) const WANTED: [&str; 25] = [
    "unreachable host",
    "unknown name",
    "refused port",
    "slow connect",
    "TLS name mismatch",
    "self-signed certificate",
    "expired certificate",
    "wrong content type",
    "truncated JSON",
    "HTML error page",
    "empty body",
    "redirect to another host",
    "redirect to a metadata address",
    "endless body",
    "gzip bomb",
    "list that repeats a page",
    "next-link that leaves the origin",
    "401 in the middle",
    "403 on one list",
    "429 with Retry-After",
    "429 without Retry-After",
    "500 then recovery",
    "connection reset in the middle of a body",
    "404 in the middle",
    "slow answer",
];

/// A fault in one of its forms.
pub(super) struct Row {
    /// Its name in the list.
    pub(super) fault: &'static str,
    /// Which form of it.
    pub(super) form: &'static str,
    /// What is injected.
    pub(super) inject: Inject,
    /// What comes of it with most connectors.
    usually: Expected,
    /// What comes of it with others.
    but: Vec<(&'static str, Expected)>,
}

impl Row {
    /// What comes of it with a connector.
    pub(super) fn with(&self, connector: &str) -> Expected {
        let other = self.but.iter().find(|(name, _)| *name == connector);
        other.map_or(self.usually, |(_, expected)| *expected)
    }

    /// The same row, with another outcome for some connectors.
    fn except(mut self, connectors: &[&'static str], expected: Expected) -> Row {
        self.but.extend(connectors.iter().map(|connector| (*connector, expected)));
        self
    }
}

/// What is injected, and where.
#[derive(Clone, Debug)]
pub(crate) enum Inject {
    /// The remote system is moved to this address.
    Address(&'static str),
    /// Calls to its port.
    Line(Line),
    /// Its certificate.
    Certificate(Certificate),
    /// The second page of a long list: every time it is asked for, or only so many times.
    SecondPage(FaultKind, Option<u32>),
    /// The first page of the list of users.
    Users(FaultKind),
    /// Whatever a refresh asks for first, when nothing else is under way.
    First(FaultKind),
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    /// The refresh fails, and the catalog stands.
    Fails {
        /// Whose fault it is.
        blame: &'static str,
        /// How far things had come.
        stage: &'static str,
        /// How many requests are hit: more than one means that it was tried again.
        hits: u64,
    },
    /// The refresh succeeds, with everything that is there.
    GotOver {
        /// How many requests are hit.
        hits: u64,
    },
    /// The refresh succeeds, and of this kind the objects of before stay.
    Kept {
        /// The status that the reason names.
        status: &'static str,
    },
    /// It cannot be had with this connector, for this reason.
    Impossible(&'static str),
}

use Expected::{Fails, GotOver, Impossible, Kept};
use Inject::{First, SecondPage, Users};

/// On the way there: there is no request yet to be hit.
const fn network(stage: &'static str) -> Expected {
    Fails { blame: "network", stage, hits: 0 }
}

/// An answer that nobody could use.
const fn remote(hits: u64) -> Expected {
    Fails { blame: "remote", stage: "answer", hits }
}

const NO_LINKS: Expected = Impossible("its lists have no links: they are asked for by offset and limit");
/// They sign in with each request: there is nothing to sign in anew for.
const NO_SESSION: &[&str] = &["qalyptus-server", "qalyptus-cloud", "qlik-onprem"];
/// Their API is not published, and a list of it that is not required never fails a refresh.
const GUESSED: &[&str] = &["qalyptus-server", "qalyptus-cloud"];
/// `Retry-After` of an hour is longer than anybody waits.
const HOUR: u64 = 3600;

fn status(status: u16, body: BodyKind) -> FaultKind {
    FaultKind::Status { status, body }
}

fn too_many(retry_after: Option<u64>) -> FaultKind {
    FaultKind::TooManyRequests { retry_after }
}

fn redirect(location: &str, status: Option<u16>) -> FaultKind {
    FaultKind::Redirect { location: location.to_owned(), status }
}

/// A row with its usual outcome.
fn row(fault: &'static str, form: &'static str, inject: Inject, usually: Expected) -> Row {
    Row { fault, form, inject, usually, but: Vec::new() }
}

/// The rows.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = the_way_there();
    rows.extend(answers());
    rows.extend(refusals());
    rows
}

fn the_way_there() -> Vec<Row> {
    use Inject::{Address, Certificate as Shown, Line as Called};
    vec![
        // The kernel lets nobody connect to a broadcast address, and loopback has one on every machine.
        row("unreachable host", "", Address("https://127.255.255.255:8443"), network("connect")),
        row("unknown name", "", Address("https://no-such-host.invalid:8443"), network("name")),
        row("refused port", "", Called(Line::Refusing), network("connect")),
        row("slow connect", "nobody answers the call", Called(Line::Deaf), network("connect")),
        row("slow connect", "nobody says a word", Called(Line::Silent), network("connect")),
        row("TLS name mismatch", "", Shown(Certificate::OtherName), network("tls")),
        row("self-signed certificate", "", Shown(Certificate::SelfSigned), network("tls")),
        row("expired certificate", "", Shown(Certificate::Expired), network("tls")),
    ]
}

fn answers() -> Vec<Row> {
    let page = |kind| SecondPage(kind, None);
    let wrong_type = FaultKind::WrongContentType { content_type: "text/plain".to_owned() };
    let astray = FaultKind::NextLinkOrigin { origin: ELSEWHERE.to_owned() };
    let html = "HTML error page";
    vec![
        row("wrong content type", "of a good list", SecondPage(wrong_type, Some(1)), GotOver { hits: 1 }),
        row("truncated JSON", "", page(FaultKind::TruncatedJson), remote(1)),
        row(html, "that is no error", page(status(200, BodyKind::Html)), remote(1)),
        row(html, "that is one", page(status(502, BodyKind::Html)), remote(2)),
        row(html, "once", SecondPage(status(503, BodyKind::Html), Some(1)), GotOver { hits: 1 }),
        row("empty body", "of a success", page(status(200, BodyKind::Empty)), remote(1)),
        row("empty body", "of an error", page(status(503, BodyKind::Empty)), remote(2)),
        row("redirect to another host", "", page(redirect(ELSEWHERE, None)), remote(1)),
        row(
            "redirect to another host",
            "that keeps the method",
            page(redirect(ELSEWHERE, Some(307))),
            remote(1),
        ),
        row(
            "redirect to another host",
            "to sign in",
            page(redirect(&format!("{ELSEWHERE}/login"), None)),
            remote(1),
        ),
        row(
            "redirect to a metadata address",
            "",
            page(redirect("http://169.254.169.254/latest/meta-data/iam/security-credentials/", None)),
            remote(1),
        ),
        row(
            "redirect to a metadata address",
            "in another spelling",
            page(redirect("https://[::ffff:a9fe:a9fe]/latest/meta-data/", None)),
            remote(1),
        ),
        row("endless body", "", page(FaultKind::EndlessBody), remote(1)),
        row("gzip bomb", "", page(FaultKind::GzipBomb { megabytes: 200 }), remote(1)),
        row("list that repeats a page", "", page(FaultKind::RepeatPage), remote(1)),
        row("next-link that leaves the origin", "", page(astray), NO_LINKS)
            .except(&["qlik-cloud"], remote(1)),
    ]
}

fn refusals() -> Vec<Row> {
    let once = |kind| SecondPage(kind, Some(1));
    let always = |kind| SecondPage(kind, None);
    let refused = Fails { blame: "credential", stage: "sign_in", hits: 2 };
    let refused_at_once = Fails { blame: "credential", stage: "sign_in", hits: 1 };
    let reset = "connection reset in the middle of a body";
    vec![
        row("401 in the middle", "once", once(status(401, BodyKind::Envelope)), GotOver { hits: 1 })
            .except(NO_SESSION, refused_at_once),
        row("401 in the middle", "for good", always(status(401, BodyKind::Envelope)), refused)
            .except(NO_SESSION, refused_at_once),
        row("403 on one list", "", Users(status(403, BodyKind::Bare)), Kept { status: "403" }),
        // Neither a right nor a list that is not there: the page is not the remote system's.
        row("403 on one list", "of a firewall", Users(status(403, BodyKind::Html)), remote(1))
            .except(GUESSED, Kept { status: "403" }),
        row(
            "403 on one list",
            "of a proxy that wants a sign-in",
            Users(status(407, BodyKind::Html)),
            remote(1),
        )
        .except(GUESSED, Kept { status: "407" }),
        row("403 on one list", "that a web page calls a 404", Users(status(404, BodyKind::Html)), remote(1))
            .except(GUESSED, Kept { status: "404" }),
        row("429 with Retry-After", "once", once(too_many(Some(1))), GotOver { hits: 1 }),
        row("429 with Retry-After", "for good", always(too_many(Some(0))), remote(2)),
        // In the middle of a refresh it would be told of whichever list asks next.
        row("429 with Retry-After", "for an hour", First(too_many(Some(HOUR))), remote(1)),
        row("429 without Retry-After", "once", once(too_many(None)), GotOver { hits: 1 }),
        row("429 without Retry-After", "for good", always(too_many(None)), remote(2)),
        row("500 then recovery", "", once(status(500, BodyKind::Envelope)), GotOver { hits: 1 }),
        row("500 then recovery", "that does not come", always(status(500, BodyKind::Envelope)), remote(2)),
        row(reset, "once", once(FaultKind::ResetMidBody), GotOver { hits: 1 }),
        row(
            reset,
            "every time",
            always(FaultKind::ResetMidBody),
            Fails { blame: "network", stage: "answer", hits: 2 },
        ),
        // Without apps a tenant's catalog is nothing; a server may well have no list of users.
        row("404 in the middle", "", always(status(404, BodyKind::Envelope)), remote(1))
            .except(&["nprinting", "qlik-onprem"], Kept { status: "404" }),
        row("slow answer", "", once(FaultKind::Delay { milliseconds: 300 }), GotOver { hits: 1 }),
    ]
}
