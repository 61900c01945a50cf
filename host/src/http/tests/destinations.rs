//! Where requests may go: the policy's rules, and redirects.

use super::*;
use crate::http::policy::Policy;

fn policy() -> Policy {
    Policy::new(vec![
        AllowedOrigin { further_ports: vec![4242], ..allowed("server", "https://qlik.example") },
        allowed("lan", "http://10.0.0.5:8080"),
        allowed("metadata", "http://169.254.169.254"),
        AllowedOrigin { named_by_operator: false, ..allowed("fixed", "https://127.0.0.1") },
    ])
}

fn outcome(target: Target) -> String {
    let asked = match &target {
        Target::Path { origin, path } => format!("{origin} {path:?}"),
        Target::Url { url } => format!("{url:?}"),
    };
    let outcome = match policy().resolve(&target) {
        Ok(admitted) => format!("{} by {}", admitted.url, admitted.name),
        Err(failure) => format!("{:?}: {}", failure.blame, failure.message),
    };
    format!("{asked}\n  -> {outcome}\n")
}

#[test]
fn a_path_stays_on_its_origin() {
    let paths = [
        ("server", "/api/v1?x=1"),
        ("server", "/a/../b"),
        ("server", "/a:b@c"),
        ("server", "/http://evil.example/"),
        ("lan", "/"),
        ("server", "api"),
        ("server", ""),
        ("server", "//evil.example/"),
        ("server", "/\\evil.example/"),
        ("server", "/\t/evil.example/"),
        ("server", "https://evil.example/"),
        ("server", "@evil.example/"),
        ("server", "/a#b"),
        ("server", "/a\r\nhost: evil"),
        ("nobody", "/"),
        ("metadata", "/latest/meta-data"),
        ("fixed", "/"),
    ];
    let table = paths
        .map(|(origin, path)| outcome(Target::Path { origin: origin.to_owned(), path: path.to_owned() }));
    insta::assert_snapshot!(table.concat());
}

#[test]
fn a_url_is_on_an_allowed_origin() {
    let urls = [
        "https://qlik.example/next?page=2",
        "https://QLIK.example:443/",
        "https://qlik.example:4242/qrs",
        "http://10.0.0.5:8080/",
        "http://0x0a.5:8080/",
        "http://167772165:8080/",
        "http://qlik.example/",
        "https://qlik.example:4243/",
        "https://qlik.example.evil.example/",
        "https://qlik.example@evil.example/",
        "https://user:word@qlik.example/",
        "https://qlik.example\\@evil.example/",
        "https://qlik.exa\nmple/",
        " https://qlik.example/",
        "http://10.0.0.6:8080/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:169.254.169.254]/",
        "http://169.254.169.254/latest",
        "https://127.0.0.1/",
        "ftp://qlik.example/",
        "file:///etc/passwd",
        "/relative",
    ];
    insta::assert_snapshot!(urls.map(|url| outcome(Target::Url { url: url.to_owned() })).concat());
}

#[tokio::test]
async fn a_name_must_not_lead_where_nobody_pointed() {
    let server = serve(|_, _| async { ok("") }).await;
    let mut rig = rig(&[&server]);
    rig.origins[0].named_by_operator = false;
    let ready = rig.ready();
    let failure = ready.get("/").await.unwrap_err();
    assert_eq!(failure.stage, Some(jackfield_plugin::contract::failure::Stage::Name));
    assert!(failure.message.starts_with("the name localhost leads to "), "{failure}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn redirects_on_the_same_origin_keep_everything() {
    let server = serve(|asked, before| async move {
        match before {
            0 => reply("307", &[("location", "/there?x=1")], "").into(),
            _ => ok(format!("{} {}", asked.method, asked.body)),
        }
    })
    .await;
    let mut rig = rig(&[&server]);
    rig.secrets = Secrets::with(&[("key", "s3cret-value")]);
    let ready = rig.ready();
    let mut request = request("POST", "/here");
    request.body = Body::Json(serde_json::json!({"a": 1}));
    request.headers = vec![("x-own".to_owned(), "1".to_owned())];
    request.slots = vec![bearer("key")];
    request.list = true;
    let answer = ready.client.send(request).await.unwrap();
    assert_eq!(text(&answer), "POST {\"a\":1}");
    let asked = server.asked();
    assert_eq!(asked[1].path, "/there?x=1");
    assert_eq!(asked[1].header("authorization"), Some("Bearer s3cret-value"));
    assert_eq!(asked[1].header("x-own"), Some("1"));
    assert_eq!(*ready.secrets.destinations.lock().unwrap(), ["POST server /here", "POST server /there"]);
    let told: Vec<_> =
        ready.exchanges().iter().map(|told| (told.path.clone(), told.status.unwrap(), told.list)).collect();
    assert_eq!(told, [("/here".to_owned(), 307, false), ("/there?x=1".to_owned(), 200, true)]);
}

#[tokio::test]
async fn every_hop_asks_whether_the_secret_may_go_there() {
    let server = serve(|_, _| async { reply("302", &[("location", "/forbidden")], "").into() }).await;
    let mut rig = rig(&[&server]);
    rig.secrets = Secrets::with(&[("key", "s3cret-value")]);
    let mut request = request("GET", "/");
    request.slots = vec![bearer("key")];
    let failure = rig.ready().client.send(request).await.unwrap_err();
    assert_eq!(failure.message, "redirected to /forbidden: the secret must not go there");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn redirects_change_the_method_as_browsers_do() {
    let table = [
        ("301", "POST", "GET"),
        ("302", "POST", "GET"),
        ("302", "PUT", "PUT"),
        ("303", "PUT", "GET"),
        ("303", "HEAD", "HEAD"),
        ("307", "POST", "POST"),
        ("308", "DELETE", "DELETE"),
        ("301", "GET", "GET"),
    ];
    for (status, method, expected) in table {
        let server = serve(move |_, before| async move {
            match before {
                0 => reply(status, &[("location", "/there")], "").into(),
                _ => ok(""),
            }
        })
        .await;
        let mut request = request(method, "/");
        request.body = Body::Form(vec![("a".to_owned(), "b".to_owned())]);
        rig(&[&server]).ready().client.send(request).await.unwrap();
        let asked = &server.asked()[1];
        assert_eq!(asked.method, expected, "{status} {method}");
        let kept = method == expected;
        assert_eq!(asked.body == "a=b", kept, "{status} {method}");
        assert_eq!(asked.header("content-type").is_some(), kept, "{status} {method}");
    }
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let other =
        serve(|_, _| async { reply("401", &[("set-cookie", "c=stolen-cookie")], "other").into() }).await;
    let elsewhere = other.url.join("/x").unwrap();
    let server = serve(move |_, _| {
        let elsewhere = elsewhere.clone();
        async move { reply("307", &[("location", elsewhere.as_str())], "").into() }
    })
    .await;
    let mut rig = rig(&[&server, &other]);
    rig.secrets = Secrets::with(&[("key", "s3cret-value")]);
    let ready = rig.ready();
    let mut request = request("POST", "/");
    request.body = Body::Form(vec![("user".to_owned(), "me".to_owned())]);
    request.headers = vec![("x-own".to_owned(), "1".to_owned())];
    request.slots = vec![
        bearer("key"),
        Slot { secret: setting("key"), place: Place::Form { field: "password".to_owned() } },
    ];
    let answer = ready.client.send(request).await.unwrap();
    assert_eq!((answer.status, text(&answer)), (401, "other"));
    assert_eq!(server.asked()[0].body, "user=me&password=s3cret-value");
    let asked = &other.asked()[0];
    assert_eq!(asked.body, "user=me");
    assert_eq!((asked.header("authorization"), asked.header("x-own")), (None, None));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn redirects_out_of_the_connection_end_there() {
    let mut table = String::new();
    for location in [
        "https://evil.example/x",
        "https://localhost:PORT/",
        "https://id.example/sso/login",
        "http://user:word@localhost:PORT/",
        "https://user@localhost:PORT/",
        "http://169.254.169.254/latest",
        "http://",
    ] {
        let server = serve(move |asked, _| async move {
            let port = asked.header("host").unwrap().rsplit_once(':').unwrap().1.to_owned();
            reply("302", &[("location", &location.replace("PORT", &port))], "").into()
        })
        .await;
        let failure = rig(&[&server]).ready().get("/").await.unwrap_err();
        assert_eq!(server.count(), 1);
        table.push_str(&format!("{location}\n{}\n\n", in_full(&failure, &server)));
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let server = serve(|_, _| async { reply("302", &[("location", "/again")], "").into() }).await;
    let failure = rig(&[&server]).ready().get("/").await.unwrap_err();
    assert_eq!(server.count(), 6);
    insta::assert_snapshot!(in_full(&failure, &server));
}
