//! HTTP, as a plugin writes it.

use super::{Host, Session};
use crate::contract::{
    Failure, Stage,
    http::{Body, Capture, HttpRequest, HttpResponse, Place, Slot, Target},
    secrets::SecretRef,
};
use crate::sdk::Secret;
use serde::{Deserialize, de::IgnoredAny};

/// Sends requests.
#[derive(Clone, Copy)]
pub struct Http<'a> {
    pub(crate) host: &'a Host,
}

impl<'a> Http<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Http { host }
    }

    /// Sends a request; every status is an answer.
    ///
    /// # Errors
    /// There was no answer: the destination is not allowed, the network failed, the answer was too large or too slow.
    pub async fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.host.call(&request.0).await.map(Response)
    }
}

/// A request, built step by step.
#[derive(Clone, Debug)]
pub struct Request(pub(crate) HttpRequest);

impl Request {
    /// A request with any method, to a path (with query) on the origin in a settings field.
    pub fn new(method: &str, origin: &str, path: impl Into<String>) -> Self {
        Request(HttpRequest {
            method: method.to_owned(),
            target: Target::Path { origin: origin.to_owned(), path: path.into() },
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            slots: Vec::new(),
            captures: Vec::new(),
            jar: None,
            repeatable: None,
            retry_on: None,
            list: false,
            step: None,
            timeout_ms: None,
        })
    }

    /// A request with any method, to a whole URL: for a further port of an origin. The host allows it if the settings do.
    pub fn url(method: &str, url: impl Into<String>) -> Self {
        let mut request = Self::new(method, "", "");
        request.0.target = Target::Url { url: url.into() };
        request
    }

    /// GET.
    pub fn get(origin: &str, path: impl Into<String>) -> Self {
        Self::new("GET", origin, path)
    }

    /// POST.
    pub fn post(origin: &str, path: impl Into<String>) -> Self {
        Self::new("POST", origin, path)
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.0.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header that is not secret.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: serde_json::Value) -> Self {
        self.0.body = Body::Json(body);
        self
    }

    /// Sets a form body.
    #[must_use]
    pub fn form<const N: usize>(mut self, fields: [(&str, &str); N]) -> Self {
        self.0.body = Body::Form(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        self
    }

    /// Puts a secret setting into a place.
    #[must_use]
    pub fn secret(mut self, secret: &Secret, place: Place) -> Self {
        self.0.slots.push(Slot { secret: SecretRef::Setting(secret.field().to_owned()), place });
        self
    }

    /// Shows a secret setting as bearer token.
    #[must_use]
    pub fn bearer(self, secret: &Secret) -> Self {
        self.secret(secret, Place::Bearer)
    }

    /// Shows a session as bearer token.
    #[must_use]
    pub fn session(self, session: &Session) -> Self {
        self.captured(&session.name, Place::Bearer)
    }

    /// Puts a captured value into a place.
    #[must_use]
    pub fn captured(mut self, name: &str, place: Place) -> Self {
        self.0.slots.push(Slot { secret: SecretRef::Captured(name.to_owned()), place });
        self
    }

    /// Keeps something of the answer as a handle.
    #[must_use]
    pub fn capture(mut self, capture: Capture) -> Self {
        self.0.captures.push(capture);
        self
    }

    /// Uses the cookie jar of a name.
    #[must_use]
    pub fn jar(mut self, name: &str) -> Self {
        self.0.jar = Some(name.to_owned());
        self
    }

    /// Says that it only reads, or that repeating it does no harm.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.0.repeatable = Some(true);
        self
    }

    /// Says which answers are worth another attempt, besides 429; without it, 502, 503 and 504.
    #[must_use]
    pub fn retry_on<const N: usize>(mut self, statuses: [u16; N]) -> Self {
        self.0.retry_on = Some(statuses.to_vec());
        self
    }

    /// Names what it changes on the remote side, within the hook `stage`: see [`HttpRequest::step`].
    #[must_use]
    pub fn step(mut self, name: &str) -> Self {
        self.0.step = Some(name.to_owned());
        self
    }

    /// Says that the answer is a list whose rows will be put into the catalog.
    #[must_use]
    pub fn list(mut self) -> Self {
        self.0.list = true;
        self
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response(pub(crate) HttpResponse);

impl Response {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.0.status)
    }

    /// The number of the exchange, for [`Catalog::put`](super::Catalog::put).
    pub fn exchange(&self) -> u64 {
        self.0.exchange
    }

    /// The first header of a name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// Whether the capture of a name found something.
    pub fn captured(&self, name: &str) -> bool {
        self.0.captured.iter().any(|captured| captured == name)
    }

    /// The body as JSON of a type; borrowed strings are possible.
    ///
    /// # Errors
    /// It is not: the failure tells what came instead (an HTML page, nothing, other JSON) with its beginning.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_slice(&self.0.body).map_err(|error| self.not_json(&error))
    }

    /// The body as a page of a list; borrowed strings are possible.
    ///
    /// # Errors
    /// It is none: the failure tells what came instead.
    pub fn page<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        let read = serde_json::from_slice(&self.0.body);
        read.map_err(|error| match self.json::<IgnoredAny>() {
            Ok(_) => Failure::remote(format!("the answer is no list as expected: {error}"))
                .status(self.0.status)
                .remedy("try again; if it lasts, the remote system may be newer than this plugin: look for a newer plugin"),
            Err(no_json) => no_json,
        })
    }

    /// Whether the body is a web page, whatever type it is said to have. An API that speaks JSON sends none.
    pub fn is_web_page(&self) -> bool {
        let text = self.0.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.0.body);
        text.trim_ascii_start().starts_with(b"<")
    }

    /// What to say of a refusal that is none of a remote system that speaks JSON: a 407, which only a proxy sends, or a web
    /// page with any other 4xx. Not with 401, with which even such a system may send one; what is 5xx failed in any case.
    /// `None` for every other answer.
    pub fn refused_in_between(&self) -> Option<Failure> {
        let (status, page) = (self.0.status, self.is_web_page());
        let shown = match page.then(|| title(&String::from_utf8_lossy(&self.0.body))) {
            Some(Some(title)) => format!("{status} \"web page: {}\"", title.trim_matches('"')),
            Some(None) => format!("{status} \"web page\""),
            None => status.to_string(),
        };
        let failure = match status {
            407 => Failure::remote(format!(
                "a proxy between here and the remote system wants a user name and a password ({shown})"
            ))
            .remedy("give them to the proxy that you configured, http.proxy = \"http://USER:PASSWORD@HOST:PORT\"; if you configured none, find out whose it is and have this machine let through"),
            400 | 402..=499 if page && status != 429 => Failure::remote(format!(
                "something between here and the remote system answered ({shown})"
            ))
            .remedy("find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance"),
            _ => return None,
        };
        Some(failure.at(Stage::Answer).status(status))
    }

    fn not_json(&self, error: &serde_json::Error) -> Failure {
        let kind = self.header("content-type").unwrap_or("an unstated type");
        let body = String::from_utf8_lossy(&self.0.body);
        // On one line, and without what would move a terminal's cursor.
        let words = body.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let beginning: String = words.take(80).collect::<Vec<_>>().join(" ").chars().take(80).collect();
        if self.is_web_page() {
            let shown = title(&body).unwrap_or(beginning);
            return Failure::remote(format!("the answer is a web page ({kind}): {shown}"))
                .status(self.0.status)
                .remedy("try again; if it lasts, find out what answers in the place of the remote system: a page to sign in, a notice of maintenance, a proxy");
        }
        let what = if self.0.body.is_empty() {
            "the answer is empty".to_owned()
        } else if error.is_eof() {
            format!("the answer ({kind}) breaks off after {} bytes", self.0.body.len())
        } else {
            format!("the answer ({kind}) is not as expected: {error}")
        };
        Failure::remote(what).status(self.0.status).remedy(
            "try again; if it lasts, something between here and the remote system may change its answers",
        )
    }
}

/// The title of a web page, in quotes.
fn title(page: &str) -> Option<String> {
    const BEGIN: &str = "<title>";
    let lower = page.to_ascii_lowercase();
    let (from, to) = lower.find(BEGIN).zip(lower.find("</title>"))?;
    let title = page.get(from + BEGIN.len()..to)?;
    let words = title.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let title: String = words.collect::<Vec<_>>().join(" ").chars().take(80).collect();
    Some(format!("\"{title}\"")).filter(|_| !title.is_empty())
}
