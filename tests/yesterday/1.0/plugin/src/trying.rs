//! Every way of asking that the lists do not use.

use crate::{SERVER, Settings, sign_in::ask};
use jackfield_plugin::{
    Context, Failure, Request, Secret,
    contract::{
        http::{Body, Capture, CaptureFrom, HttpRequest, Place, Slot, Target},
        run::Level,
        secrets::{SecretRef, SignJwt},
    },
    futures::future::try_join3,
};
use serde::Deserialize;
use serde_json::json;

type Asked = Context<Settings>;

/// Tries everything; answers what was seen.
pub(crate) async fn everything(context: &Asked) -> Result<String, Failure> {
    let pin = &context.settings().pin;
    let header = Request::get(SERVER, "/api/try/header").query("q", "a b&c").header("accept", "text/plain");
    let header = header.secret(pin, Place::Header { name: "x-pin".to_owned() }).jar("cookies");
    let basic =
        Request::get(SERVER, "/api/try/basic").secret(pin, Place::Basic { user: "reader".to_owned() });
    let json = Request::post(SERVER, "/api/try/json").json(json!({ "who": { "name": "me" } })).repeatable();
    let json = json.secret(pin, Place::Json { pointer: "/who/pin".to_owned() }).retry_on([418]);
    let http = context.http();
    let (header, basic, json) = try_join3(http.send(&header), http.send(&basic), http.send(&json)).await?;
    let statuses = [header.status(), basic.status(), json.status()];
    let echoed = String::from_utf8_lossy(json.body()).into_owned();
    raw(context).await?;
    captured(context).await?;
    let signed = match &context.settings().private_key {
        Some(key) => signed(context, key).await?,
        None => "not signed".to_owned(),
    };
    around(context).await?;
    Ok(format!("{statuses:?}, {signed}, the PIN comes back as {echoed}"))
}

/// Bytes to a whole URL, with a deadline, as no builder makes them.
async fn raw(context: &Asked) -> Result<(), Failure> {
    let content_type = "application/x-almanac".to_owned();
    let secret = SecretRef::Setting(context.settings().pin.field().to_owned());
    let request = HttpRequest {
        method: "PUT".to_owned(),
        target: Target::Url { url: format!("{}/api/try/bytes", context.settings().server.as_str()) },
        query: vec![("as".to_owned(), "is".to_owned())],
        headers: Vec::new(),
        body: Body::Bytes { content_type, bytes: vec![0, 1, 254, 255] },
        slots: vec![Slot { secret, place: Place::Header { name: "x-pin".to_owned() } }],
        captures: Vec::new(),
        jar: None,
        repeatable: Some(false),
        retry_on: None,
        list: false,
        timeout_ms: Some(20_000),
    };
    let answer = context.host().call(&request).await?;
    match (answer.status, answer.body.as_slice()) {
        (200, [255, 254, 1, 0]) => Ok(()),
        (status, body) => Err(Failure::remote(format!("{status} {body:?} for bytes"))),
    }
}

/// A ticket from a header and one from a cookie, shown again in other places.
async fn captured(context: &Asked) -> Result<(), Failure> {
    let capture = |from, name: &str| Capture { from, name: name.to_owned(), keep: None };
    let header = capture(CaptureFrom::Header { name: "x-ticket".to_owned() }, "header ticket");
    let from = CaptureFrom::Cookie { name: "ticket".to_owned(), percent_decode: true };
    let request = Request::post(SERVER, "/api/try/ticket").capture(header);
    let answer = ask(context, request.capture(capture(from, "cookie ticket"))).await?;
    if answer.header("x-ticket").is_some_and(|ticket| ticket.contains("T-1")) {
        return Err(Failure::jackfield("a captured value is shown"));
    }
    if !answer.captured("header ticket") || !answer.captured("cookie ticket") {
        return Err(Failure::remote("there was no ticket"));
    }
    let request = Request::get(SERVER, "/api/try/show").captured("header ticket", Place::Bearer);
    let cookie = Place::Header { name: "x-show".to_owned() };
    let answer = context.http().send(&request.captured("cookie ticket", cookie)).await?;
    if answer.is_success() { Ok(()) } else { Err(Failure::remote("the tickets are not taken")) }
}

async fn signed(context: &Asked, key: &Secret) -> Result<String, Failure> {
    let claims = json!({ "sub": "almanac" });
    let sign = SignJwt {
        key: key.field().to_owned(),
        algorithm: "RS256".to_owned(),
        key_id: Some("1".to_owned()),
        claims: claims.as_object().cloned().unwrap_or_default(),
        backdate_seconds: 30,
        lifetime_seconds: 60,
        origin: SERVER.to_owned(),
        name: "token".to_owned(),
    };
    context.sign_jwt(&sign).await?;
    let answer = context
        .http()
        .send(&Request::get(SERVER, "/api/try/signed").captured("token", Place::Bearer))
        .await?;
    #[derive(Deserialize)]
    struct Told<'a> {
        sub: &'a str,
    }
    Ok(format!("signed as {}", answer.json::<Told<'_>>()?.sub))
}

/// Time, randomness, a secret's facts, progress and the log.
async fn around(context: &Asked) -> Result<(), Failure> {
    let began = context.now().await?;
    context.sleep(5).await?;
    let took = context.now().await? - began;
    let random = context.random(16).await?;
    let facts = context.inspect(&context.settings().pin).await?;
    context.progress("trying", 1, Some(2)).await?;
    for level in [Level::Debug, Level::Info, Level::Warning, Level::Error] {
        context.log(level, "a line").await?;
    }
    let fine = took >= 5 && random.len() == 16 && random != context.random(16).await?;
    if fine && facts.present && facts.jwt.is_none() {
        return Ok(());
    }
    Err(Failure::jackfield(format!("{took} ms, {random:?}, {facts:?}")))
}
