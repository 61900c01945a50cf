//! A server that shows whoever asks what they sent, in whatever way and place the path says: `/bearer/WAY/PLACE`, with the
//! ways of [`canary`](crate::canary) by number and the places below.

use crate::canary::WAYS;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Where an echo stands.
pub(crate) const PLACES: &[&str] = &[
    "text",
    "escaped",
    "json",
    "key",
    "html",
    "header",
    "name",
    "location",
    "elsewhere",
    "error",
    "chunks",
    "lines",
    "basic",
    "cookie",
];

/// A running mirror.
pub(crate) struct Mirror {
    url: String,
    paths: Arc<Mutex<Vec<String>>>,
    shown: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Mirror {
    /// One that answers forever.
    pub(crate) fn start() -> Mirror {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (paths, shown) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let asked = Arc::<AtomicUsize>::default();
        let (shared, count) = ((paths.clone(), shown.clone()), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (paths, shown) = shared.clone();
                // Whoever hangs up has seen enough.
                thread::spawn(move || serve(stream, &paths.lock().unwrap().join("\n"), &shown));
            }
        });
        Mirror { url, paths, shown, asked }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What is to be asked for from now on: every way in one place, and every place in one way.
    pub(crate) fn offer(&self, by: &str, places: &[&str]) {
        let ways = (0..WAYS.len()).map(|way| format!("/{by}/{way}/text"));
        let places = places.iter().map(|place| format!("/{by}/0/{place}"));
        *self.paths.lock().unwrap() = ways.chain(places).collect();
    }

    /// How many are offered.
    pub(crate) fn offered(&self) -> usize {
        self.paths.lock().unwrap().len()
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The secrets that it was shown, one for each request.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }
}

/// A request, as far as it matters.
struct Asked {
    path: String,
    secret: String,
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut secret, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => secret = value.trim_start_matches("Bearer ").to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if path.starts_with("/json/") {
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        secret = body["key"].as_str().unwrap().to_owned();
    } else if path.starts_with("/form/") {
        let mut url = reqwest::Url::parse("http://x").unwrap();
        url.set_query(Some(std::str::from_utf8(&body).unwrap()));
        secret = url.query_pairs().find(|(name, _)| name == "key").unwrap().1.into_owned();
    }
    Some(Asked { path, secret })
}

fn serve(mut stream: TcpStream, paths: &str, shown: &Mutex<Vec<String>>) -> Option<()> {
    let Asked { path, secret } = read(&stream)?;
    let answer = if path == "/paths" {
        whole("200 OK", "content-type: text/plain\r\n", paths)
    } else if let Some(from) = path.strip_prefix("/landed") {
        whole("200 OK", "content-type: text/plain\r\n", &format!("you come from {from}"))
    } else {
        let mut parts = path.split('/').skip(2);
        let (_, write) = WAYS[parts.next()?.parse::<usize>().ok()?];
        shown.lock().unwrap().push(secret.clone());
        answer(parts.next()?, &secret, &write(&secret))
    };
    for piece in answer {
        stream.write_all(&piece).ok()?;
        stream.flush().ok()?;
    }
    Some(())
}

/// The pieces in which an answer is sent.
fn answer(place: &str, secret: &str, echo: &str) -> Vec<Vec<u8>> {
    let quoted = serde_json::to_string(echo).unwrap();
    let in_url = (WAYS[5].1)(echo);
    let plain = |more: &str| -> String {
        secret.chars().filter(|c| c.is_ascii_alphanumeric() || more.contains(*c)).collect()
    };
    match place {
        "json" => whole("200 OK", JSON, &format!(r#"{{"echo":{quoted}}}"#)),
        "escaped" => whole("200 OK", JSON, &format!(r#"{{"echo":"{}"}}"#, fully_escaped(secret))),
        "key" => whole("200 OK", JSON, &format!(r#"{{{quoted}:[{{{quoted}:1}}]}}"#)),
        "html" => whole("200 OK", "content-type: text/html\r\n", &format!("<p title=\"{echo}\">{echo}</p>")),
        "header" => {
            let one_line = echo.replace('\n', " ");
            whole(
                "200 OK",
                &format!("x-echo: {one_line}\r\nwww-authenticate: Bearer error=\"{one_line}\"\r\n"),
                "",
            )
        }
        "name" => whole("200 OK", &format!("{}: 1\r\n", plain("!#$%&'*+-.^_`|~")), "in a name"),
        "location" => whole("302 Found", &format!("location: /landed?from={in_url}\r\n"), ""),
        "elsewhere" => {
            let host = plain("-_.");
            let location =
                format!("location: https://{host}.elsewhere.example/{in_url}?x={in_url}#{in_url}\r\n");
            whole("302 Found", &location, "")
        }
        "error" => whole("400 Bad Request", "content-type: text/plain\r\n", &format!("bad key {echo}!")),
        "chunks" => {
            let (first, second) = echo.split_at(echo.floor_char_boundary(echo.len() / 2));
            let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len()).into_bytes();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
            vec![head.as_bytes().to_vec(), chunk(first), chunk(second), b"0\r\n\r\n".to_vec()]
        }
        "lines" => {
            whole("200 OK", "", &secret.lines().map(|line| format!("line: {line}\n")).collect::<String>())
        }
        "basic" => {
            whole("200 OK", "", &format!("Basic {}", BASE64_STANDARD.encode(format!("anna:{secret}"))))
        }
        "cookie" => {
            whole("200 OK", &format!("set-cookie: echo={}; Path=/\r\n", (WAYS[3].1)(secret)), "a cookie")
        }
        _ => whole("200 OK", "content-type: text/plain\r\n", &format!("the server said {echo}.")),
    }
}

/// JSON in which every character is escaped: no encoder that we know does that, and every reader understands it.
pub(crate) fn fully_escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

const JSON: &str = "content-type: application/json\r\n";

fn whole(status: &str, headers: &str, body: &str) -> Vec<Vec<u8>> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
    vec![[head.as_bytes(), body.as_bytes()].concat()]
}
