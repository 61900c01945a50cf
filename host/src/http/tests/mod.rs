//! Tests on real sockets: tiny servers on loopback that answer exactly what a test wants, and a source of secrets that
//! remembers what it was asked.

mod answers;
mod captures;
mod destinations;
mod failures;
mod requests;
mod retries;
mod tls;

use super::{
    capture::KeptFacts,
    client::Client,
    exchange::Exchange,
    limits::Limits,
    policy::{AllowedOrigin, Policy},
    slots::{Destination, SlotSource},
};
use crate::{
    model::{connection::TlsTrust, secret::SecretValue},
    secrets::Scrubber,
};
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::{
    Failure,
    http::{Body, Capture, HttpRequest, HttpResponse, Place, Slot, Target},
    secrets::SecretRef,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// A request as a server saw it.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What a server sends, and what it does then.
struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Close,
    Stall,
    Repeat,
}

impl From<Vec<u8>> for Reply {
    fn from(bytes: Vec<u8>) -> Self {
        Reply { bytes, then: Then::Close }
    }
}

/// A complete answer.
fn reply(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

fn ok(body: impl AsRef<[u8]>) -> Reply {
    reply("200", &[], body).into()
}

struct Server {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    most_in_flight: Arc<AtomicUsize>,
}

impl Server {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn port(&self) -> u16 {
        self.url.port().unwrap()
    }
}

/// Serves on a free port; the handler gets the request and how many there were before it.
async fn serve<F, Fut>(handler: F) -> Server
where
    F: Fn(Asked, usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send,
{
    serve_over("http", |stream| async { Some(stream) }, handler).await
}

async fn serve_over<W, WFut, S, F, Fut>(scheme: &str, wrap: W, handler: F) -> Server
where
    W: Fn(tokio::net::TcpStream) -> WFut + Send + Sync + 'static,
    WFut: Future<Output = Option<S>> + Send,
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Fn(Asked, usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let shared = Arc::new((wrap, handler));
    let server = Server { url, asked: Arc::clone(&asked), most_in_flight: Arc::clone(&most) };
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (shared, asked) = (Arc::clone(&shared), Arc::clone(&asked));
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let Some(mut stream) = (shared.0)(socket).await else { return };
                let Some(request) = read_request(&mut stream).await else { return };
                let before = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(request.clone());
                    asked.len() - 1
                };
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let reply = (shared.1)(request, before).await;
                now.fetch_sub(1, Ordering::SeqCst);
                send(&mut stream, reply).await;
            });
        }
    });
    server
}

async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: Reply) {
    if stream.write_all(&reply.bytes).await.is_err() {
        return;
    }
    match reply.then {
        Then::Close => {
            let _ = stream.shutdown().await;
        }
        Then::Stall => std::future::pending().await,
        Then::Repeat => while stream.write_all(&[b'x'; 8192]).await.is_ok() {},
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut asked = Asked { method: first.next()?, path: first.next()?, headers, body: String::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}

/// A source of secrets that lets everything go anywhere and remembers what it was told.
#[derive(Default)]
struct Secrets {
    values: Mutex<HashMap<SecretRef, String>>,
    destinations: Mutex<Vec<String>>,
    kept: Mutex<Vec<(String, Option<KeptFacts>)>>,
    refused: Mutex<Vec<String>>,
    scrubber: Scrubber,
}

impl Secrets {
    fn with(values: &[(&str, &str)]) -> Arc<Self> {
        let secrets = Secrets::default();
        for (id, value) in values {
            secrets.scrubber.learn(&SecretValue::new(*value));
            secrets.values.lock().unwrap().insert(setting(id), (*value).to_owned());
        }
        Arc::new(secrets)
    }

    fn captured(&self, name: &str) -> Option<String> {
        self.values.lock().unwrap().get(&SecretRef::Captured(name.to_owned())).cloned()
    }
}

impl SlotSource for Secrets {
    fn reveal(&self, slot: &Slot, to: &Destination<'_>) -> Result<SecretValue, Failure> {
        let text = format!("{} {} {}", to.method, to.origin_name, to.path);
        self.destinations.lock().unwrap().push(text);
        match self.values.lock().unwrap().get(&slot.secret) {
            Some(_) if to.path == "/forbidden" => Err(Failure::plugin("the secret must not go there")),
            Some(value) => Ok(SecretValue::new(value.clone())),
            None => Err(Failure::plugin("there is no such secret")),
        }
    }

    fn learn(&self, value: &SecretValue) {
        self.scrubber.learn(value);
    }

    fn capture(
        &self,
        capture: &Capture,
        value: SecretValue,
        _origin: &Url,
        kept: Option<KeptFacts>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let reference = SecretRef::Captured(capture.name.clone());
        self.values.lock().unwrap().insert(reference, value.reveal().to_owned());
        self.kept.lock().unwrap().push((capture.name.clone(), kept));
        Box::pin(std::future::ready(Ok(())))
    }

    fn refused(&self, name: &str, _value: &SecretValue) -> BoxFuture<'_, ()> {
        self.refused.lock().unwrap().push(name.to_owned());
        Box::pin(std::future::ready(()))
    }

    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.scrubber.scrub(bytes)
    }

    fn scrub_body(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.scrubber.scrub_body(bytes)
    }

    fn scrub_json(&self, value: &Value) -> Value {
        self.scrubber.scrub_foreign(value)
    }
}

fn setting(id: &str) -> SecretRef {
    SecretRef::Setting(id.to_owned())
}

/// Everything a test may want to change before the client is made.
struct Rig {
    origins: Vec<AllowedOrigin>,
    limits: Limits,
    trust: TlsTrust,
    cap: u32,
    secrets: Arc<Secrets>,
}

/// A client, and what it told.
struct Ready {
    client: Arc<Client>,
    secrets: Arc<Secrets>,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    cancel: CancellationToken,
}

fn allowed(name: &str, origin: &str) -> AllowedOrigin {
    AllowedOrigin {
        name: name.to_owned(),
        origin: origin.parse().unwrap(),
        further_ports: Vec::new(),
        named_by_operator: true,
    }
}

/// A connection to servers, the first named `server`, the second `other`.
fn rig(servers: &[&Server]) -> Rig {
    let names = ["server", "other"];
    let origins =
        servers.iter().zip(names).map(|(server, name)| allowed(name, server.url.as_str())).collect();
    let limits = Limits {
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(5),
        max_attempts: 1,
        ..Limits::default()
    };
    Rig { origins, limits, trust: TlsTrust::default(), cap: 4, secrets: Secrets::with(&[]) }
}

impl Rig {
    fn try_ready(self) -> Result<Ready, Failure> {
        let exchanges: Arc<Mutex<Vec<Exchange>>> = Arc::default();
        let (told, cancel) = (Arc::clone(&exchanges), CancellationToken::new());
        let client = Client::new(
            &self.limits,
            Policy::new(self.origins),
            &self.trust,
            self.cap,
            Arc::clone(&self.secrets) as Arc<dyn SlotSource>,
            Arc::new(move |exchange: &Exchange| told.lock().unwrap().push(exchange.clone())),
            cancel.clone(),
        )?;
        Ok(Ready { client: Arc::new(client), secrets: self.secrets, exchanges, cancel })
    }

    fn ready(self) -> Ready {
        self.try_ready().unwrap()
    }
}

impl Ready {
    async fn get(&self, path: &str) -> Result<HttpResponse, Failure> {
        self.client.send(request("GET", path)).await
    }

    fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

fn request(method: &str, path: &str) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        target: Target::Path { origin: "server".to_owned(), path: path.to_owned() },
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
    }
}

fn bearer(id: &str) -> Slot {
    Slot { secret: setting(id), place: Place::Bearer }
}

fn text(response: &HttpResponse) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

/// A failure with everything that a person may see of it, one thing a line, without the port of the day.
fn in_full(failure: &Failure, server: &Server) -> String {
    let mut full = format!("{:?}", failure.blame);
    if let Some(stage) = failure.stage {
        full.push_str(&format!(" at {stage:?}"));
    }
    full.push_str(&format!(": {}", failure.message));
    if let Some(remedy) = &failure.remedy {
        full.push_str(&format!("\n  remedy: {remedy}"));
    }
    if let Some(field) = &failure.field {
        full.push_str(&format!("\n  field: {field}"));
    }
    if let Some(status) = failure.status {
        full.push_str(&format!("\n  status: {status}"));
    }
    full.replace(&format!(":{}", server.port()), ":PORT")
}
