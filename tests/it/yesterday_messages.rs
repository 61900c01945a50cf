//! The contract of yesterday and that of today, message by message: each reads what the other writes, without what it lacks
//! and past what it does not know.
//!
//! A sample is made with yesterday's types, once with everything and once with as little as possible. So a field that today
//! adds is absent in it, as it is in what a plugin from yesterday sends; and what tomorrow may add is put beside it.

use jackfield_plugin::contract as today;
use jackfield_plugin_1_0::contract as yesterday;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::{any::type_name, fmt::Debug, path::Path};
use today::Call as _;
use yesterday::{Call as _, catalog, description, hooks, http, manifest, run, secrets};

/// A message to which tomorrow has added something.
#[derive(Serialize)]
struct Tomorrow<'a, T> {
    #[serde(flatten)]
    known: &'a T,
    from_tomorrow: Vec<Option<f64>>,
}

/// The message crosses to today's side and back, each time as it is and with an addition, and is the same.
fn crosses<Old, New>(sample: &Old)
where
    Old: Serialize + DeserializeOwned + PartialEq + Debug,
    New: Serialize + DeserializeOwned,
{
    let name = type_name::<New>();
    let read = |bytes: &[u8]| {
        let read = today::wire::decode::<New>(bytes, name, today::Blame::Plugin);
        read.unwrap_or_else(|failure| panic!("{failure}; a new field needs #[serde(default)]"))
    };
    let read_back = |bytes: &[u8]| {
        yesterday::wire::decode::<Old>(bytes, name, yesterday::Blame::Jackfield).unwrap_or_else(|failure| {
            panic!("a plugin from yesterday cannot read what today's host writes: {failure}")
        })
    };
    let from_tomorrow = || vec![None, Some(1.5)];
    let known = sample;
    for bytes in [
        yesterday::wire::encode(sample),
        yesterday::wire::encode(&Tomorrow { known, from_tomorrow: from_tomorrow() }),
    ] {
        let today = read(&bytes);
        let added = Tomorrow { known: &today, from_tomorrow: from_tomorrow() };
        for bytes in [today::wire::encode(&today), today::wire::encode(&added)] {
            assert_eq!(&read_back(&bytes), sample, "{name} lost something on its way there and back");
        }
    }
}

/// Messages as `type: sample, sample, …`; both sides have the type in the same place.
macro_rules! cross {
    ($($module:ident::$message:ident: $($sample:expr),+;)+) => {$(
        $(crosses::<yesterday::$module::$message, today::$module::$message>(&$sample);)+
    )+};
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn some(value: &str) -> Option<String> {
    Some(text(value))
}

fn pairs() -> Vec<(String, String)> {
    vec![(text("a"), text("b"))]
}

fn failure() -> yesterday::Failure {
    let failure =
        yesterday::Failure::remote("no").status(500).reference("R-1").remedy("wait").field("server");
    yesterday::Failure { cancelled: true, ..failure }
}

#[test]
fn what_every_hook_is_told_and_answers() {
    let invocation = hooks::Invocation {
        contract: yesterday::VERSION,
        run: text("r"),
        settings: json!({ "token": { "$secret": "token" } }),
        purpose: hooks::Purpose::Verify,
        may_write: true,
        subject: some("ada@example.com"),
    };
    let least = hooks::Invocation {
        purpose: hooks::Purpose::default(),
        may_write: false,
        subject: None,
        ..invocation.clone()
    };
    let check = |status, failure| hooks::Check { name: text("c"), status, detail: text("d"), failure };
    cross! {
        failure::Failure: failure(), yesterday::Failure::new(yesterday::Blame::You, "m");
        hooks::Invocation: invocation, least;
        hooks::Check: check(hooks::CheckStatus::Failed, Some(failure())), check(hooks::CheckStatus::Skipped, None);
        hooks::TestReport: hooks::TestReport { checks: vec![check(hooks::CheckStatus::Passed, None)] },
            hooks::TestReport::default();
        hooks::RefreshReport: hooks::RefreshReport { summary: text("s") }, hooks::RefreshReport::default();
    }
    assert_eq!((hooks::TEST, hooks::REFRESH), (today::hooks::TEST, today::hooks::REFRESH));
}

fn full_request() -> http::HttpRequest {
    let keep = http::Keep {
        credential: text("c"),
        expiry: vec![text("/e")],
        default_seconds: 9,
        facts: vec![text("/f")],
    };
    let capture = |from| http::Capture { from, name: text("n"), keep: Some(keep.clone()) };
    let slot = |secret, place| http::Slot { secret, place };
    let setting = || secrets::SecretRef::Setting(text("s"));
    http::HttpRequest {
        method: text("POST"),
        target: http::Target::Path { origin: text("server"), path: text("/p?q=1") },
        query: pairs(),
        headers: pairs(),
        body: http::Body::Json(json!({ "a": [1, null, "x"] })),
        slots: vec![
            slot(setting(), http::Place::Bearer),
            slot(secrets::SecretRef::Captured(text("c")), http::Place::Basic { user: text("u") }),
            slot(setting(), http::Place::Header { name: text("h") }),
            slot(setting(), http::Place::Form { field: text("f") }),
            slot(setting(), http::Place::Json { pointer: text("/p") }),
            slot(setting(), http::Place::TlsIdentity),
            slot(setting(), http::Place::Signature),
        ],
        captures: vec![
            capture(http::CaptureFrom::Json { pointer: text("/p") }),
            capture(http::CaptureFrom::Header { name: text("h") }),
            capture(http::CaptureFrom::Cookie { name: text("c"), percent_decode: true }),
        ],
        jar: some("j"),
        repeatable: Some(true),
        retry_on: Some(vec![418]),
        list: true,
        timeout_ms: Some(7),
    }
}

fn least_request(target: http::Target, body: http::Body) -> http::HttpRequest {
    http::HttpRequest {
        method: text("GET"),
        target,
        query: Vec::new(),
        headers: Vec::new(),
        body,
        slots: Vec::new(),
        captures: Vec::new(),
        jar: None,
        repeatable: None,
        retry_on: None,
        list: false,
        timeout_ms: None,
    }
}

#[test]
fn http_and_secrets() {
    let url = || http::Target::Url { url: text("https://a.example/b") };
    let bytes = http::Body::Bytes { content_type: text("t"), bytes: vec![0, 255] };
    let request = full_request();
    let response = http::HttpResponse {
        exchange: 3,
        status: 200,
        headers: pairs(),
        body: vec![0, 255, 128],
        captured: vec![text("n")],
    };
    let sign = secrets::SignJwt {
        key: text("k"),
        algorithm: text("RS256"),
        key_id: some("1"),
        claims: json!({ "sub": "x" }).as_object().cloned().unwrap(),
        backdate_seconds: 1,
        lifetime_seconds: 2,
        origin: text("server"),
        name: text("n"),
    };
    let open = |turn| secrets::SessionOpen { name: text("n"), credential: text("c"), turn };
    let jwt = secrets::JwtFacts { id: some("i"), subject: some("s"), issuer: some("i"), expires: Some(5) };
    let certificate = secrets::CertificateFacts { subject: text("s"), not_after: 9, ..Default::default() };
    let facts = secrets::SecretFacts {
        present: true,
        jwt: Some(jwt.clone()),
        certificate: Some(certificate.clone()),
    };
    cross! {
        http::Slot: request.slots[1].clone();
        http::Capture: request.captures[2].clone(), http::Capture { keep: None, ..request.captures[0].clone() };
        http::Keep: request.captures[0].keep.clone().unwrap(), http::Keep::default();
        http::HttpRequest: request, least_request(url(), bytes), least_request(url(), http::Body::Empty),
            least_request(url(), http::Body::Form(pairs()));
        http::HttpResponse: response, http::HttpResponse::default();
        secrets::SessionOpen: open(0), open(7);
        secrets::SessionState: secrets::SessionState { ready: true, facts: json!({ "/user": "Ada" }), turn: 4 };
        secrets::SessionClose: secrets::SessionClose { name: text("n") };
        secrets::SecretInspect: secrets::SecretInspect { field: text("f") };
        secrets::SecretFacts: facts, secrets::SecretFacts::default();
        secrets::JwtFacts: jwt, secrets::JwtFacts::default();
        secrets::CertificateFacts: certificate;
        secrets::SignJwt: sign.clone(), secrets::SignJwt { key_id: None, ..sign };
    }
}

#[test]
fn the_catalog_and_what_surrounds_a_run() {
    let object = catalog::Object {
        id: text("1"),
        name: text("One"),
        parent: some("p"),
        modified: some("2026-01-02T03:04:05Z"),
        links: vec![catalog::Link { relation: text("owner"), kind: text("user"), id: text("u") }],
        attributes: text("{\"a\":1}"),
    };
    let least = catalog::Object { id: text("1"), name: text("One"), ..Default::default() };
    let end = |how| catalog::CatalogEnd { kind: text("item"), how };
    let line = |level| run::LogLine { level, message: text("m") };
    cross! {
        catalog::Object: object, least;
        catalog::Link: object.links[0].clone();
        catalog::CatalogPut: catalog::CatalogPut { kind: text("item"), objects: vec![object.clone(), least.clone()], exchange: Some(2) },
            catalog::CatalogPut { kind: text("item"), objects: Vec::new(), exchange: None };
        catalog::CatalogEnd: end(catalog::How::Complete), end(catalog::How::Delta { deleted: vec![text("x")] }),
            end(catalog::How::Kept { reason: text("403") });
        run::Progress: run::Progress { step: text("s"), done: 1, total: Some(2) }, run::Progress::default();
        run::LogLine: line(run::Level::Debug), line(run::Level::Info), line(run::Level::Warning), line(run::Level::Error);
        run::StateGet: run::StateGet { key: text("k") };
        run::StateSet: run::StateSet { key: text("k"), value: json!({ "a": [1, 2.5, null] }) };
        run::TimeNow: run::TimeNow {};
        run::Sleep: run::Sleep { milliseconds: 5 };
        run::Random: run::Random { length: 16 };
        run::RandomBytes: run::RandomBytes { bytes: vec![0, 255] };
    }
    crosses::<yesterday::Done, today::Done>(&yesterday::Done {});
}

#[test]
fn the_description_and_the_manifest() {
    let kind = description::ObjectKind { id: text("i"), singular: text("s"), plural: text("p") };
    let check = description::CheckInfo { name: text("n"), help: text("h") };
    let place = http::Place::Header { name: text("h") };
    let secret_use = description::SecretUse { field: text("f"), place, path: text("/api/*") };
    let credential = description::CredentialInfo {
        id: text("c"),
        label: text("l"),
        mode: description::RotationMode::Assisted,
        uses: vec![secret_use.clone()],
    };
    let host =
        description::FixedHost { name: text("n"), origin: text("https://a.example"), reason: text("r") };
    let roles = description::Roles { source: true, target: true };
    let words = description::Words { refresh: text("Sync") };
    let description = description::Description {
        id: text("i"),
        display_name: text("I"),
        version: text("1"),
        needs: yesterday::VERSION,
        summary: text("s"),
        help: text("h"),
        settings: json!({ "type": "object" }),
        roles,
        objects: vec![kind.clone()],
        checks: vec![check.clone()],
        words: words.clone(),
        credentials: vec![credential.clone()],
        hosts: vec![host.clone()],
        default_cap: 9,
    };
    let manifest = manifest::Manifest {
        id: text("i"),
        name: text("I"),
        version: text("1"),
        needs: yesterday::VERSION,
        panic: text("unwind"),
        platform: manifest::this_platform(),
    };
    cross! {
        description::Description: description;
        description::Roles: roles;
        description::ObjectKind: kind;
        description::CheckInfo: check;
        description::Words: words;
        description::CredentialInfo: credential;
        description::SecretUse: secret_use;
        description::FixedHost: host;
        manifest::Manifest: manifest;
    }
    // The manifest crosses as JSON.
    let read: today::manifest::Manifest = serde_json::from_value(json!(manifest)).unwrap();
    assert_eq!(json!(read), json!(manifest));
    use today::manifest::{MAGIC, SECTION, SECTION_MACHO};
    assert_eq!(
        (manifest::MAGIC, manifest::SECTION, manifest::SECTION_MACHO),
        (MAGIC, SECTION, SECTION_MACHO)
    );
    assert!(today::VERSION.satisfies(yesterday::VERSION.to_string().parse().unwrap()));
}

/// Pairs of the same constant on both sides.
macro_rules! same {
    ($($($part:ident)::+;)+) => {$(
        assert_eq!(yesterday::$($part)::+, today::$($part)::+, stringify!($($part)::+));
    )+};
}

#[test]
fn capabilities_and_annotations_have_kept_their_names() {
    same! {
        http::HttpRequest::NAME;
        secrets::SessionOpen::NAME;
        secrets::SessionClose::NAME;
        secrets::SecretInspect::NAME;
        secrets::SignJwt::NAME;
        catalog::CatalogPut::NAME;
        catalog::CatalogEnd::NAME;
        run::Progress::NAME;
        run::LogLine::NAME;
        run::StateGet::NAME;
        run::StateSet::NAME;
        run::TimeNow::NAME;
        run::Sleep::NAME;
        run::Random::NAME;
        description::annotations::SECRET;
        description::annotations::CREDENTIAL;
        description::annotations::ORIGIN;
        description::annotations::PORT_OF;
        description::annotations::WHEN;
        description::annotations::REQUIRED;
        description::annotations::PLACEHOLDER;
        description::annotations::WIDGET;
        description::annotations::ORDER;
        description::annotations::LABELS;
    }
}

#[test]
fn a_word_from_tomorrow_is_another_word_to_a_plugin_from_yesterday() {
    fn lands<T: DeserializeOwned + PartialEq + Debug>(word: serde_json::Value, other: &T) {
        let bytes = yesterday::wire::encode(&word);
        let read =
            yesterday::wire::decode::<T>(&bytes, type_name::<T>(), yesterday::Blame::Jackfield).unwrap();
        assert_eq!(&read, other);
    }
    let word = || json!("from_tomorrow");
    lands(word(), &yesterday::Blame::Other);
    lands(word(), &yesterday::Stage::Other);
    lands(word(), &hooks::Purpose::Other);
    lands(word(), &hooks::CheckStatus::Other);
    lands(word(), &run::Level::Other);
    lands(word(), &description::RotationMode::Other);
    lands(json!({ "at": "from_tomorrow", "with": 1 }), &http::Place::Other);
    lands(json!({ "in": "from_tomorrow", "with": [] }), &http::CaptureFrom::Other);
}

/// The types that derive `Deserialize` in a folder of the contract, with how often they are named in this file.
fn messages(contract: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(contract).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let outside_tests = text.split("#[cfg(test)]").next().unwrap();
        let mut derives = false;
        for line in outside_tests.lines() {
            derives |= line.starts_with("#[derive(") && line.contains("Deserialize");
            let Some(rest) = line.strip_prefix("pub struct ") else {
                derives &= !line.starts_with("pub ");
                continue;
            };
            if std::mem::take(&mut derives) {
                found.push(rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn no_message_is_forgotten_here() {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("yesterday/1.0/sdk/src/contract");
    let messages = messages(&contract);
    assert!(messages.len() > 30, "{messages:?}");
    let here = include_str!("yesterday_messages.rs");
    // A version is a text on the wire.
    for message in messages.iter().filter(|message| *message != "Version") {
        let crosses =
            here.contains(&format!("::{message}: ")) || here.contains(&format!("<yesterday::{message}, "));
        assert!(crosses, "{message} is a message of contract 1.0 that no test sends across");
    }
}
