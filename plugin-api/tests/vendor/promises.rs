//! What the testkit keeps of the host's promises, tried with a connector that breaks them.

use jackfield_plugin::{
    Checks, Connector, Context, Description, Failure, Object, Origin, Request, Secret,
    contract::{
        Blame,
        catalog::How,
        description::RotationMode,
        hooks::RefreshReport,
        http::{Capture, CaptureFrom, Keep, Place},
        run::Level,
    },
    futures::future::join,
    schemars::{self, JsonSchema},
    testkit::{Answer, TestKit},
};
use serde::Deserialize;
use serde_json::json;

struct Trial;

#[derive(Deserialize, JsonSchema)]
struct Settings {
    server: Origin,
    token: Secret,
    /// What to try.
    mode: String,
}

impl Connector for Trial {
    type Settings = Settings;

    fn describe() -> Description {
        let uses = [
            ("token", Place::Bearer, "/api/*"),
            ("token", Place::Form { field: "t".to_owned() }, "/sign-in"),
        ];
        Description::of::<Settings>("trial", "Trial", "1")
            .object("thing", "thing", "things")
            .check("One", "")
            .credential("token", "Token", RotationMode::Supplied, uses)
            .build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        checks.pass(if context.may_write() { "One" } else { "Two" }, "");
        Ok(())
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        let settings = context.settings();
        assert_eq!(settings.server.authority(), "trial.example.com");
        let get = Request::get("server", "/api/things");
        let header = Place::Header { name: "x-token".to_owned() };
        match settings.mode.as_str() {
            "sign in" => {
                let (first, second) = join(signed_in(context), signed_in(context)).await;
                first.and(second)?;
            }
            "forgets to capture" => {
                drop(context.http().session("session", "token", async || Ok(())).await?);
            }
            "header" => drop(context.http().send(&get.secret(&settings.token, header)).await?),
            "elsewhere" => {
                drop(context.http().send(&Request::get("server", "/").bearer(&settings.token)).await?)
            }
            "origin" => drop(context.http().send(&Request::get("mode", "/api")).await?),
            "uncaptured" => drop(context.http().send(&get.captured("session", Place::Bearer)).await?),
            "unscripted" => drop(context.http().send(&get.query("page", 2)).await?),
            "kind" => context.catalog().put("unicorn", vec![Object::new("1", "")], 1).await?,
            "attributes" => {
                context.catalog().put("thing", vec![Object::new("1", "").attributes(&7)?], 1).await?
            }
            "id" => context.catalog().put("thing", vec![Object::new("", "nameless")], 1).await?,
            "twice" => {
                context.catalog().complete("thing").await?;
                context.catalog().complete("thing").await?;
            }
            "kept" => {
                context.catalog().put("thing", vec![Object::new("1", "")], 1).await?;
                context.catalog().kept("thing", "half of them only").await?;
            }
            "state" | "state, then fail" => {
                let before: Option<u64> = context.state("runs").await?;
                context.set_state("runs", &(before.unwrap_or(0) + 1)).await?;
                context.sleep(1500).await?;
                context
                    .log(Level::Info, format!("{} {:?}", context.now().await?, context.random(3).await?))
                    .await?;
                if settings.mode != "state" {
                    return Err(Failure::remote("tired"));
                }
            }
            "secret" => {
                let facts = context.inspect(&settings.token).await?;
                context.log(Level::Debug, format!("present: {}", facts.present)).await?;
            }
            "hang" => std::future::pending().await,
            "panic" => panic!("so be it"),
            mode => panic!("{mode}"),
        }
        Ok(RefreshReport::default())
    }
}

/// Signs in if need be, and asks as the one who signed in.
async fn signed_in(context: &Context<Settings>) -> Result<(), Failure> {
    let http = context.http();
    let keep = Keep {
        credential: "token".to_owned(),
        expiry: vec!["/expires_in".to_owned()],
        default_seconds: 60,
        facts: vec!["/user".to_owned()],
    };
    let from = CaptureFrom::Json { pointer: "/access_token".to_owned() };
    let sign_in = async || {
        let place = Place::Form { field: "t".to_owned() };
        let capture = Capture { from, name: "session".to_owned(), keep: Some(keep) };
        let form = Request::post("server", "/sign-in").form([("grant", "x")]);
        let answer = http.send(&form.secret(&context.settings().token, place).capture(capture)).await?;
        context.log(Level::Debug, String::from_utf8_lossy(answer.body())).await
    };
    let session = http.session("session", "token", sign_in).await?;
    context.log(Level::Debug, format!("as {}", session.fact("/user").unwrap_or("nobody"))).await?;
    http.send(&Request::get("server", "/api/things").session(&session)).await.map(drop)
}

fn kit(mode: &str) -> TestKit<Trial> {
    TestKit::new(json!({ "server": "https://trial.example.com", "mode": mode })).secret("token")
}

#[test]
fn what_no_host_accepts_fails_here_too() {
    for (mode, words) in [
        ("header", "does not allow the secret \"token\" in Header"),
        ("elsewhere", "does not allow the secret \"token\" in Bearer of GET /"),
        ("origin", "goes to \"mode\", which is no origin"),
        ("forgets to capture", "signing in did not capture the session \"session\""),
        ("uncaptured", "nothing was captured as \"session\""),
        ("unscripted", "nobody scripted an answer to GET /api/things?page=2"),
        ("kind", "the kind \"unicorn\" is not in the description"),
        ("attributes", "the attributes of \"1\" are not a JSON object"),
        ("id", "the thing \"nameless\" has no id"),
        ("twice", "the kind \"thing\" has ended already"),
        ("hang", "the hook \"refresh\" waits for what will never come"),
        ("panic", "the plugin panicked in its hook \"refresh\": so be it"),
    ] {
        let failure = kit(mode).refresh().unwrap_err();
        assert!(failure.message.contains(words), "{mode}: {failure}");
        assert_eq!(failure.blame, Blame::Plugin, "{mode}");
    }
}

#[test]
fn a_check_that_was_not_declared_fails_the_test() {
    assert!(kit("").test().unwrap_err().message.contains("\"Two\" is not in the description"));
    assert!(kit("").may_write().test().unwrap().passed());
}

#[test]
fn of_two_callers_one_signs_in_and_neither_sees_the_token() {
    let kit = kit("sign in");
    let token = json!({ "access_token": "very-secret", "expires_in": 100, "user": "Ada" });
    kit.on("POST", "/sign-in", Answer::json(200, token).header("set-cookie", "sid=1"));
    kit.on("GET", "/api/things", Answer::json(200, json!([])));
    let lines =
        |kit: &TestKit<Trial>| kit.requests().iter().map(|request| request.line()).collect::<Vec<_>>();

    kit.refresh().unwrap();
    assert_eq!(lines(&kit), ["POST /sign-in", "GET /api/things", "GET /api/things"]);
    assert!(kit.requests()[0].has_slot("token", &Place::Form { field: "t".to_owned() }));
    assert!(kit.requests()[1].has_captured("session", &Place::Bearer));
    let log: Vec<_> = kit.log().into_iter().map(|line| line.message).collect();
    assert!(log.iter().all(|line| !line.contains("very-secret")), "{log:?}");
    assert_eq!(log.iter().filter(|line| *line == "as Ada").count(), 2);

    kit.refresh().unwrap();
    assert_eq!(lines(&kit), ["GET /api/things", "GET /api/things"], "the session is kept across runs");
    let kit = kit.at(1_767_225_600_000 + 100_000);
    kit.refresh().unwrap();
    assert_eq!(lines(&kit)[0], "POST /sign-in", "until it ends");
}

#[test]
fn a_sign_in_that_fails_lets_the_next_caller_try() {
    let kit = kit("sign in");
    kit.on("POST", "/sign-in", Answer::failure(Failure::credential("no")));
    kit.on("GET", "/api/things", Answer::json(200, json!([])));
    assert_eq!(kit.refresh().unwrap_err().message, "no");
    assert_eq!(kit.requests().len(), 2, "both tried: {:?}", kit.requests());
}

#[test]
fn state_is_kept_by_a_run_that_succeeds() {
    assert_eq!(kit("state").state("runs", json!(4)).refresh().unwrap().state["runs"], 5);
    let kit = kit("state, then fail").at(1000);
    assert_eq!(kit.refresh().unwrap_err().message, "tired");
    assert_eq!(kit.log()[0].message, "2500 [1, 2, 3]");
}

#[test]
fn what_was_put_before_a_kind_is_kept_is_thrown_away() {
    let refresh = kit("kept").refresh().unwrap();
    assert_eq!(refresh.ids("thing"), Vec::<&str>::new());
    assert!(matches!(refresh.ends["thing"], How::Kept { .. }));
}

#[test]
fn a_secret_has_facts_and_no_value() {
    assert_eq!(kit("secret").refresh().unwrap().log[0].message, "present: true");
}
