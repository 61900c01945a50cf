//! Almanac: the made-up system that the plugin from yesterday talks to. It takes nothing that is not exactly as it must be.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

pub(crate) const SECRET: &str = "almanac-secret-81c4";
pub(crate) const PIN: &str = "pin-7f20cc91";

/// What the system has, and what it was asked.
#[derive(Clone, Default)]
pub(crate) struct World {
    /// Whether the users may be seen.
    pub(crate) users_hidden: bool,
    /// The items have changed since the first refresh.
    pub(crate) changed: bool,
    /// The second page of the items cannot be read.
    pub(crate) broken: bool,
    /// `METHOD path → status`.
    pub(crate) asked: Vec<String>,
}

/// A running Almanac.
pub(crate) struct Almanac {
    pub(crate) address: SocketAddr,
    world: Arc<Mutex<World>>,
}

struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Status, further headers, body.
type Answer = (u16, &'static str, Vec<u8>);

impl Almanac {
    pub(crate) fn start() -> Almanac {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, world) = (listener.local_addr().unwrap(), Arc::<Mutex<World>>::default());
        let shared = world.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = shared.clone();
                // A client that leaves in the middle is its own affair.
                std::thread::spawn(move || drop(converse(&stream, address, &world)));
            }
        });
        Almanac { address, world }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap());
    }

    /// What was asked since the last time, sorted: some of it is asked at once.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.world.lock().unwrap().asked);
        asked.sort();
        asked
    }
}

fn converse(stream: &TcpStream, address: SocketAddr, world: &Mutex<World>) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    while let Some(asked) = read(&mut input)? {
        let (status, headers, body) = answer(&asked, address, &world.lock().unwrap());
        world.lock().unwrap().asked.push(format!("{} {} {status}", asked.method, asked.path));
        let head = format!("HTTP/1.1 {status} .\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        (&mut &*stream).write_all(&[head.as_bytes(), &body].concat())?;
    }
    Ok(())
}

fn read(input: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = || {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let Some((method, rest)) = first.split_once(' ') else { return Ok(None) };
    let path = rest.rsplit_once(' ').map_or(rest, |(path, _)| path).to_owned();
    let mut asked = Asked { method: method.to_owned(), path, headers: Vec::new(), body: Vec::new() };
    while let Some((name, value)) = line()?.split_once(": ") {
        asked.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    asked.body = vec![0; asked.header("content-length").parse().unwrap_or_default()];
    input.read_exact(&mut asked.body)?;
    Ok(Some(asked))
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The claims of a bearer token that is a JWT; its signature is checked where that is what is being tested.
    fn claims(&self) -> Value {
        let claims =
            self.header("authorization").strip_prefix("Bearer ").and_then(|jwt| jwt.split('.').nth(1));
        let claims = claims.and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok());
        claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default()
    }
}

fn told(status: u16, body: &Value) -> Answer {
    (status, "content-type: application/json\r\n", body.to_string().into_bytes())
}

fn answer(asked: &Asked, address: SocketAddr, world: &World) -> Answer {
    let signed_in = asked.header("authorization") == "Bearer token-of-ada-55d1";
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("reader:{PIN}")));
    let only_if = |holds: bool, body: &Value| told(if holds { 200 } else { 401 }, body);
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/token") => {
            let form = format!("grant_type=client_credentials&client_id=almanac&client_secret={SECRET}");
            match asked.body == form.as_bytes() {
                true => told(
                    200,
                    &json!({ "access_token": "token-of-ada-55d1", "expires_in": 3600, "user": "Ada" }),
                ),
                false => told(401, &json!({ "error": "no such client", "trace": "A-77" })),
            }
        }
        ("GET", "/api/me") if signed_in => {
            let headers = "content-type: application/json\r\nset-cookie: place=7; Path=/\r\n";
            (200, headers, json!({ "name": "Ada", "born": 1815 }).to_string().into_bytes())
        }
        ("GET", "/api/try/header?q=a+b%26c" | "/api/try/header?q=a%20b%26c") => {
            let seen = [asked.header("x-pin"), asked.header("cookie"), asked.header("accept")];
            only_if(seen == [PIN, "place=7", "text/plain"], &json!({}))
        }
        ("GET", "/api/try/basic") => only_if(asked.header("authorization") == basic, &json!({})),
        ("POST", "/api/try/json") => {
            only_if(asked.json() == json!({ "who": { "name": "me", "pin": PIN } }), &asked.json())
        }
        ("PUT", "/api/try/bytes?as=is") => {
            let seen = (asked.header("content-type"), asked.header("x-pin"), asked.body.as_slice());
            match seen == ("application/x-almanac", PIN, &[0, 1, 254, 255]) {
                true => (200, "", vec![255, 254, 1, 0]),
                false => told(400, &json!({})),
            }
        }
        ("POST", "/api/try/ticket") if signed_in => {
            (201, "x-ticket: T-1-header-9e01\r\nset-cookie: ticket=T-1%2Fcookie%209e02\r\n", Vec::new())
        }
        ("GET", "/api/try/show") => {
            let seen = [asked.header("authorization"), asked.header("x-show")];
            only_if(seen == ["Bearer T-1-header-9e01", "T-1/cookie 9e02"], &json!({}))
        }
        ("GET", "/api/try/signed") => only_if(asked.claims()["exp"].is_i64(), &asked.claims()),
        ("GET", "/api/users") if signed_in && world.users_hidden => {
            told(403, &json!({ "error": "not for you" }))
        }
        ("GET", "/api/users") if signed_in => {
            told(200, &json!({ "data": [{ "id": "u1", "name": "Ada" }, { "id": "u2", "name": "Grace" }] }))
        }
        ("GET", path) if signed_in && path.starts_with("/api/items?") => items(path, address, world),
        (_, _) if !signed_in => told(401, &json!({ "error": "who are you?" })),
        _ => told(404, &json!({})),
    }
}

fn items(path: &str, address: SocketAddr, world: &World) -> Answer {
    let item = |id: u32, name: &str| {
        json!({ "id": format!("i{id}"), "name": name, "updated_at": "2026-01-02T03:04:05Z", "owner": "u1",
                "shelf": { "id": "s1" }, "tags": ["a", "b"], "unknown": { "to": ["this", "plugin"] } })
    };
    match path.trim_start_matches("/api/items?") {
        "limit=2" => {
            let next = format!("http://{address}/api/items?limit=2&page=2");
            told(200, &json!({ "data": [item(1, "One"), item(2, "Two")], "total": 3, "next": next }))
        }
        "limit=2&page=2" => told(200, &json!({ "data": [item(3, "Three")], "mark": 7, "next": null })),
        "limit=2&since=7" if world.broken => told(500, &json!({ "error": "out of ink", "trace": "B-12" })),
        "limit=2&since=7" if world.changed => told(
            200,
            &json!({ "data": [item(2, "Two again"), item(4, "Four")], "deleted": ["i1"], "mark": 8 }),
        ),
        "limit=2&since=7" | "limit=2&since=8" => told(200, &json!({ "data": [] })),
        _ => told(404, &json!({})),
    }
}
