//! What of an answer becomes a handle, what is shown instead, and cookies.

use super::*;
use jackfield_plugin::contract::http::{CaptureFrom, Keep};
use serde_json::json;

fn capture(name: &str, from: CaptureFrom) -> Capture {
    Capture { from, name: name.to_owned(), keep: None }
}

fn pointer(name: &str, pointer: &str) -> Capture {
    capture(name, CaptureFrom::Json { pointer: pointer.to_owned() })
}

fn cookie(name: &str, cookie: &str, percent_decode: bool) -> Capture {
    capture(name, CaptureFrom::Cookie { name: cookie.to_owned(), percent_decode })
}

#[tokio::test]
async fn captured_values_are_not_shown() {
    let server = serve(|_, _| async {
        let headers = [("X-Token", "header-token"), ("set-cookie", "XSRF=cookie%2Ftoken; Path=/")];
        reply("200", &headers, r#"{"access_token":"json\/token","echo":"json/token cookie/token","n":71834462,"again":71834462,"o":{"t":"x"}}"#)
            .into()
    })
    .await;
    let ready = rig(&[&server]).ready();
    let mut asking = request("POST", "/token");
    asking.captures = vec![
        pointer("access", "/access_token"),
        capture("header", CaptureFrom::Header { name: "x-token".to_owned() }),
        cookie("decoded", "XSRF", true),
        cookie("raw", "XSRF", false),
        pointer("absent", "/absent"),
        pointer("number", "/n"),
        pointer("object", "/o"),
        capture("unknown", CaptureFrom::Other),
    ];
    let answer = ready.client.send(asking).await.unwrap();
    assert_eq!(answer.captured, ["access", "header", "decoded", "raw", "number"]);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let shown = json!({"access_token": "(captured)", "echo": "«secret» «secret»", "n": "(captured)",
                       "again": "«secret»", "o": "(captured)"});
    assert_eq!(body, shown);
    assert!(answer.headers.iter().all(|(name, _)| name != "set-cookie"));
    assert!(answer.headers.contains(&("x-token".to_owned(), "(captured)".to_owned())));
    assert_eq!(ready.secrets.captured("access").as_deref(), Some("json/token"));
    assert_eq!(ready.secrets.captured("decoded").as_deref(), Some("cookie/token"));
    assert_eq!(ready.secrets.captured("number").as_deref(), Some("71834462"));
    assert_eq!(ready.secrets.captured("raw").as_deref(), Some("cookie%2Ftoken"));

    let mut using = request("GET", "/json/token");
    using.slots = vec![Slot { secret: SecretRef::Captured("access".to_owned()), place: Place::Bearer }];
    ready.client.send(using).await.unwrap();
    assert_eq!(server.asked()[1].header("authorization"), Some("Bearer json/token"));
    assert_eq!(ready.exchanges()[1].path, "/«secret»");
}

#[tokio::test]
async fn only_success_is_captured() {
    let server = serve(|_, _| async { reply("400", &[], r#"{"token":"not-a-token"}"#).into() }).await;
    let ready = rig(&[&server]).ready();
    let mut request = request("GET", "/");
    request.captures = vec![pointer("access", "/token")];
    let answer = ready.client.send(request).await.unwrap();
    assert!(answer.captured.is_empty());
    assert_eq!(text(&answer), r#"{"token":"not-a-token"}"#);
}

#[tokio::test]
async fn what_is_kept_has_an_end() {
    let table = [
        (json!({"expires_in": 3600}), 3570),
        (json!({"expires_in": "600"}), 570),
        (json!({"expires_in": 60}), 54),
        (json!({"expires_in": 0}), 0),
        (json!({"expires_in": -5}), 0),
        (json!({"end": "2100-01-01T00:00:00Z"}), i64::MAX),
        (json!({"end": "2001-01-01T00:00:00Z"}), 0),
        (json!({"expires_in": null, "end": 100}), 90),
        (json!({"expires_in": "soon"}), 1170),
        (json!({}), 1170),
    ];
    for (mut body, expected) in table {
        body["token"] = json!("the-token");
        body["user"] = json!({"id": 7, "copy": "the-token"});
        let sent = body.to_string();
        let server = serve(move |_, _| {
            let sent = sent.clone();
            async move { ok(sent) }
        })
        .await;
        let ready = rig(&[&server]).ready();
        let mut request = request("POST", "/");
        request.captures = vec![Capture {
            keep: Some(Keep {
                credential: "oauth".to_owned(),
                expiry: vec!["/expires_in".to_owned(), "/end".to_owned()],
                default_seconds: 1200,
                facts: ["/user/id", "/user/copy", "/token", "/nothing"].map(str::to_owned).to_vec(),
            }),
            ..pointer("access", "/token")
        }];
        ready.client.send(request).await.unwrap();
        let kept = ready.secrets.kept.lock().unwrap()[0].1.clone().unwrap();
        assert_eq!(kept.facts, json!({"/user/id": 7, "/user/copy": "«secret»", "/token": "(captured)"}));
        match expected {
            i64::MAX => assert!(kept.lifetime > Duration::from_secs(1_000_000)),
            seconds => assert_eq!(kept.lifetime.as_secs() as i64, seconds, "{body}"),
        }
    }
}

#[tokio::test]
async fn facts_hold_no_secrets() {
    let server = serve(|asked, _| async move {
        let echo = asked.header("authorization").unwrap_or_default();
        let body = json!({
            "access": "access-token",
            "refresh": "refresh-token",
            "echo": {"deep": [echo, "refresh-token", "Ada"]},
        });
        reply("200", &[("x-id", "header-token")], body.to_string()).into()
    })
    .await;
    let mut rig = rig(&[&server]);
    rig.secrets = Secrets::with(&[("key", "s3cret-value")]);
    let ready = rig.ready();
    let mut asking = request("POST", "/");
    asking.slots = vec![bearer("key")];
    let keep = Keep {
        credential: "oauth".to_owned(),
        default_seconds: 60,
        facts: vec!["/echo".to_owned()],
        ..Keep::default()
    };
    // The one whose facts would show the other comes first.
    asking.captures =
        vec![Capture { keep: Some(keep), ..pointer("access", "/access") }, pointer("refresh", "/refresh")];
    let answer = ready.client.send(asking).await.unwrap();
    let kept = ready.secrets.kept.lock().unwrap()[0].1.clone().unwrap();
    assert_eq!(kept.facts, json!({"/echo": {"deep": ["Bearer «secret»", "«secret»", "Ada"]}}));
    assert!(!text(&answer).contains("token\"") && !text(&answer).contains("s3cret"), "{}", text(&answer));
}

#[tokio::test]
async fn a_401_is_reported_for_what_was_shown() {
    let server = serve(|_, _| async { reply("401", &[], "").into() }).await;
    let mut rig = rig(&[&server]);
    rig.secrets = Secrets::with(&[("key", "s3cret-value")]);
    let session = SecretRef::Captured("session".to_owned());
    rig.secrets.values.lock().unwrap().insert(session.clone(), "token-value".to_owned());
    let ready = rig.ready();
    let mut request = request("GET", "/");
    request.slots =
        vec![bearer("key"), Slot { secret: session, place: Place::Header { name: "x-session".to_owned() } }];
    assert_eq!(ready.client.send(request).await.unwrap().status, 401);
    assert_eq!(*ready.secrets.refused.lock().unwrap(), ["session"]);
}

#[tokio::test]
async fn cookies_stay_in_their_jar() {
    let server = serve(|asked, before| async move {
        let echo = asked.header("cookie").unwrap_or("none").to_owned();
        match before {
            0 => reply(
                "302",
                &[("set-cookie", "sid=session-value; Path=/; HttpOnly"), ("location", "/in")],
                "",
            )
            .into(),
            1 => reply("200", &[("set-cookie", "only=here; Path=/deep"), ("x-echo", &echo)], &echo).into(),
            _ => ok(echo),
        }
    })
    .await;
    let ready = rig(&[&server]).ready();
    let asking = |jar: Option<&str>, path: &str| {
        let mut request = request("GET", path);
        request.jar = jar.map(str::to_owned);
        ready.client.send(request)
    };
    let first = asking(Some("main"), "/").await.unwrap();
    assert_eq!(text(&first), "sid=«secret»");
    assert!(first.headers.contains(&("x-echo".to_owned(), "sid=«secret»".to_owned())));
    assert!(first.headers.iter().all(|(name, _)| name != "set-cookie"));
    asking(Some("main"), "/deep/er").await.unwrap();
    asking(Some("another"), "/").await.unwrap();
    asking(None, "/").await.unwrap();
    let sent: Vec<_> = server.asked().iter().map(|asked| asked.header("cookie").map(str::to_owned)).collect();
    assert_eq!(sent[..2], [None, Some("sid=session-value".to_owned())]);
    let deep = sent[2].as_deref().unwrap();
    assert!(deep.contains("sid=session-value") && deep.contains("only=here"));
    assert_eq!(sent[3..], [None, None]);
}

#[tokio::test]
async fn a_jar_serves_one_origin() {
    let cookie = |asked: &Asked| asked.header("cookie").map(str::to_owned);
    // On the same host, so that the cookies' own rules would let them through.
    let other = serve(|_, _| async {
        let echo = "mine-is-other-value, yours is server-value";
        reply("200", &[("set-cookie", "sid=other-value; Path=/")], echo).into()
    })
    .await;
    let elsewhere = other.url.join("/x").unwrap();
    let server = serve(move |asked, _| {
        let elsewhere = elsewhere.clone();
        async move {
            match asked.path.as_str() {
                "/away" => reply("307", &[("location", elsewhere.as_str())], "").into(),
                _ => reply("200", &[("set-cookie", "sid=server-value; Path=/")], "").into(),
            }
        }
    })
    .await;
    let ready = rig(&[&server, &other]).ready();
    let asking = |origin: &str, path: &str| {
        let mut request = request("GET", path);
        request.target = Target::Path { origin: origin.to_owned(), path: path.to_owned() };
        request.jar = Some("main".to_owned());
        ready.client.send(request)
    };
    asking("server", "/").await.unwrap();
    asking("server", "/away").await.unwrap();
    asking("server", "/").await.unwrap();
    let sent: Vec<_> = server.asked().iter().map(cookie).collect();
    let own = Some("sid=server-value".to_owned());
    assert_eq!(sent, [None, own.clone(), own], "what another origin set is not in it");
    assert_eq!(cookie(&other.asked()[0]), None, "a redirect carries none");

    let answer = asking("other", "/").await.unwrap();
    assert_eq!(text(&answer), "mine-is-«secret», yours is «secret»");
    asking("other", "/").await.unwrap();
    let sent: Vec<_> = other.asked().iter().map(cookie).collect();
    assert_eq!(sent, [None, None, Some("sid=other-value".to_owned())]);
}

#[tokio::test]
async fn cookies_that_change_with_every_answer_are_not_shown() {
    let server = serve(|_, before| async move {
        let cookie = format!("value-number-{before:03}");
        reply("200", &[("set-cookie", &format!("roll={cookie}"))], cookie).into()
    })
    .await;
    let ready = rig(&[&server]).ready();
    for _ in 0..80 {
        let mut request = request("GET", "/");
        request.jar = Some("main".to_owned());
        let answer = ready.client.send(request).await.unwrap();
        assert!(!text(&answer).contains("value"), "{}", text(&answer));
    }
}
