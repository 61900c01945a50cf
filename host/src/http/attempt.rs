//! One attempt: from the first hop to the end of the answer, within its time.

use super::{
    answer::Answer,
    failure::{Trouble, Way},
    means::Means,
    policy::Admitted,
    prepare::{Prepared, encode},
    redirect::{self, Hop},
    slots::{self, Destination, Filled},
};
use crate::{failpoint, model::secret::SecretValue};
use jackfield_plugin::contract::{
    Failure, Stage,
    http::{Place, Slot},
    secrets::SecretRef,
};
use reqwest::{
    Method, Response,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE},
};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use url::Url;

/// The most room that is made for a body before it is there.
const MOST_ROOM: u64 = 1024 * 1024;

/// One attempt, and what became of it so far: whoever stops it from outside can still tell.
pub(super) struct Attempt<'a> {
    means: &'a Means,
    /// The request.
    pub(super) prepared: &'a Prepared,
    /// The hop that is under way or was the last.
    hop: Hop,
    /// The hops before that, with the redirect each was answered with.
    passed: Vec<Passed>,
    /// When the hop was sent, if it was.
    sent: Option<Instant>,
    /// The hop's status, once it is there.
    status: Option<u16>,
    /// How much of its body was read.
    bytes: u64,
    /// Cookies of all hops.
    cookies: HeaderMap,
    /// Captured values that the hop shows.
    shown: Vec<(String, SecretValue)>,
}

/// A hop that was answered with a redirect.
struct Passed {
    method: Method,
    url: Url,
    status: u16,
    took: Duration,
}

/// What can be told of a hop.
pub(super) struct Record<'a> {
    /// The method.
    pub(super) method: &'a Method,
    /// Where to.
    pub(super) url: &'a Url,
    /// The status, if there was an answer.
    pub(super) status: Option<u16>,
    /// How long it took.
    pub(super) took: Duration,
    /// Size of the body.
    pub(super) bytes: u64,
    /// It was the first hop.
    pub(super) first: bool,
    /// It was the last hop.
    pub(super) last: bool,
}

impl<'a> Attempt<'a> {
    /// An attempt that has not begun.
    pub(super) fn new(means: &'a Means, prepared: &'a Prepared) -> Self {
        let to = Admitted { name: prepared.destination.name.clone(), url: prepared.destination.url.clone() };
        Attempt {
            means,
            prepared,
            hop: Hop { method: prepared.method.clone(), to, trusted: true, body: true },
            passed: Vec::new(),
            sent: None,
            status: None,
            bytes: 0,
            cookies: HeaderMap::new(),
            shown: Vec::new(),
        }
    }

    /// Runs to the answer, within the request's time.
    pub(super) async fn run(&mut self) -> Result<Answer, Trouble> {
        let limit = self.prepared.timeout;
        match timeout(limit, self.follow()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.way().too_slow(limit, self.status.is_some())),
        }
    }

    /// What can be told of its hops: nothing if nothing was sent.
    pub(super) fn records(&self, answer: Option<&Answer>) -> Vec<Record<'_>> {
        let passed = self.passed.iter().enumerate().map(|(index, passed)| Record {
            method: &passed.method,
            url: &passed.url,
            status: Some(passed.status),
            took: passed.took,
            bytes: 0,
            first: index == 0,
            last: false,
        });
        let last = self.sent.map(|sent| Record {
            method: &self.hop.method,
            url: &self.hop.to.url,
            status: self.status,
            took: sent.elapsed(),
            bytes: answer.map_or(self.bytes, |answer| answer.body.len() as u64),
            first: self.passed.is_empty(),
            last: true,
        });
        passed.chain(last).collect()
    }

    /// Whether a failure shows that nothing has reached the remote system: there never was a connection.
    pub(super) fn never_arrived(&self, trouble: &Trouble) -> bool {
        self.passed.is_empty() && matches!(trouble.failure.stage, Some(Stage::Name | Stage::Connect))
    }

    fn way(&self) -> Way {
        let limits = &self.means.limits;
        let way =
            Way::new(&self.hop.to.url, &self.hop.to.name, limits.proxy.as_ref(), limits.connect_timeout);
        let identity = self.prepared.request.slots.iter().find(|slot| slot.place == Place::TlsIdentity);
        match identity.filter(|_| self.hop.trusted) {
            Some(Slot { secret: SecretRef::Setting(field), .. }) => way.showing(field),
            _ => way,
        }
    }

    async fn follow(&mut self) -> Result<Answer, Trouble> {
        loop {
            let response = self.ask().await?;
            let status = response.status();
            self.status = Some(status.as_u16());
            self.keep_cookies(response.headers());
            let next = redirect::next(&self.hop, status, response.headers(), &self.means.policy)?;
            let Some(next) = next else { return self.read(response).await };
            if self.passed.len() >= self.means.limits.max_redirects as usize {
                return Err(self.too_many_redirects(status.as_u16()).into());
            }
            let hop = std::mem::replace(&mut self.hop, next);
            let took = self.sent.take().map_or(Duration::ZERO, |sent| sent.elapsed());
            self.passed.push(Passed { method: hop.method, url: hop.to.url, status: status.as_u16(), took });
            self.status = None;
        }
    }

    /// Sends the hop and waits for the head of its answer.
    async fn ask(&mut self) -> Result<Response, Trouble> {
        let (means, prepared, hop) = (self.means, self.prepared, &self.hop);
        let url = &hop.to.url;
        let mut headers = self.headers();
        let mut body = match hop.body {
            true => prepared.request.body.clone(),
            false => Default::default(),
        };
        let mut filled = Filled::default();
        if hop.trusted {
            let destination = Destination {
                method: hop.method.as_str(),
                origin_name: &hop.to.name,
                origin: &origin_of(url),
                path: url.path(),
            };
            let slots: Vec<_> =
                prepared.request.slots.iter().filter(|slot| self.has_place(slot)).cloned().collect();
            let source = means.slots.as_ref();
            filled =
                slots::fill(source, &slots, &destination, &mut headers, &mut body).map_err(|failure| {
                    match self.passed.is_empty() {
                        true => failure,
                        false => failure.context(format!("redirected to {}", url.path())),
                    }
                })?;
            if let Some(cookie) = prepared.request.jar.as_ref().and_then(|jar| means.jars.header(jar, url)) {
                headers.insert(COOKIE, cookie);
            }
        }
        let way = self.way();
        let lent = means.pool.client(filled.identity.as_ref(), origin_of(url).as_str())?;
        if filled.identity.is_some() && url.scheme() != "https" {
            return Err(way.no_tls().into());
        }
        let request = lent.client.request(hop.method.clone(), url.clone());
        let body = encode(body)?;
        let request = if body.is_empty() { request } else { request.body(body) };
        self.shown = filled.shown;
        self.sent = Some(Instant::now());
        failpoint::reach(format_args!("before {} {}", hop.method, url.path()));
        let response = request.headers(headers).send().await.map_err(|error| way.explain(&error, false))?;
        failpoint::reach(format_args!("after {} {}", hop.method, url.path()));
        // Whatever was answered was answered to a stranger.
        if lent.was_not_asked() { Err(way.not_asked().into()) } else { Ok(response) }
    }

    /// A redirect that made a GET of a POST has no body for a secret to stand in.
    fn has_place(&self, slot: &Slot) -> bool {
        self.hop.body || !matches!(slot.place, Place::Form { .. } | Place::Json { .. })
    }

    /// The plugin's headers; elsewhere than where the plugin asked, only those that say what the body is and what is wanted.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.prepared.headers {
            let about_body = *name == CONTENT_TYPE;
            if (self.hop.trusted || about_body || *name == ACCEPT) && (self.hop.body || !about_body) {
                headers.append(name.clone(), value.clone());
            }
        }
        headers
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        if self.hop.trusted {
            if let Some(jar) = &self.prepared.request.jar {
                let learn = |value: &SecretValue| self.means.slots.learn(value);
                self.means.jars.keep(jar, &self.hop.to.url, headers, learn);
            }
            for value in headers.get_all(SET_COOKIE) {
                self.cookies.append(SET_COOKIE, value.clone());
            }
        }
    }

    /// Reads the body. What is counted is what comes out of the decompression, piece by piece: a small answer that would
    /// become a huge one is given up as soon as it is too large.
    async fn read(&mut self, mut response: Response) -> Result<Answer, Trouble> {
        let (limits, way) = (&self.means.limits, self.way());
        if response.content_length().is_some_and(|length| length > limits.max_body)
            && self.hop.method != Method::HEAD
        {
            return Err(way.too_large(limits.max_body));
        }
        // Room at once for what was announced, as long as it is no more than a page.
        let announced = response.content_length().unwrap_or_default().min(MOST_ROOM);
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::with_capacity(announced as usize);
        loop {
            let piece = match timeout(limits.idle_timeout, response.chunk()).await {
                Err(_) => return Err(way.fell_silent(limits.idle_timeout)),
                Ok(Err(error)) => return Err(way.explain(&error, true)),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(piece))) => piece,
            };
            self.bytes += piece.len() as u64;
            if self.bytes > limits.max_body {
                return Err(way.too_large(limits.max_body));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers,
            cookies: std::mem::take(&mut self.cookies),
            body,
            origin: origin_of(&self.hop.to.url),
            shown: std::mem::take(&mut self.shown),
        })
    }

    fn too_many_redirects(&self, status: u16) -> Failure {
        let message = format!(
            "{}: the answer is still a redirect after {} of them",
            super::failure::peer(&self.hop.to.url),
            self.passed.len()
        );
        Failure::remote(message)
            .remedy("check the address in the settings; the remote system may be sending everybody to a sign-in page")
            .field(&self.hop.to.name)
            .status(status)
    }
}

/// Scheme, host and port of a URL.
fn origin_of(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("/");
    origin.set_query(None);
    origin
}
