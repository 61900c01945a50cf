//! What is sent: slots in their places, headers that are the plugin's to set, the cap, cancellation.

use super::*;
use serde_json::json;

fn slot(place: Place) -> Slot {
    Slot { secret: setting("key"), place }
}

async fn sent(request: HttpRequest) -> Result<Asked, Failure> {
    let server = serve(|_, _| async { ok("") }).await;
    let mut rig = rig(&[&server]);
    rig.secrets = Secrets::with(&[("key", "s3cret/value"), ("broken", "two\nlines")]);
    rig.ready().client.send(request).await?;
    Ok(server.asked()[0].clone())
}

#[tokio::test]
async fn secrets_go_to_their_places() {
    let mut basic = request("GET", "/");
    basic.slots = vec![slot(Place::Basic { user: "me".to_owned() })];
    assert_eq!(sent(basic).await.unwrap().header("authorization"), Some("Basic bWU6czNjcmV0L3ZhbHVl"));

    let mut header = request("GET", "/");
    header.slots = vec![slot(Place::Header { name: "X-API-KEY".to_owned() })];
    assert_eq!(sent(header).await.unwrap().header("x-api-key"), Some("s3cret/value"));

    let mut form = request("POST", "/");
    form.body =
        Body::Form(vec![("grant".to_owned(), "a b".to_owned()), ("secret".to_owned(), "?".to_owned())]);
    form.slots = vec![slot(Place::Form { field: "secret".to_owned() })];
    let asked = sent(form).await.unwrap();
    assert_eq!(asked.body, "grant=a+b&secret=s3cret%2Fvalue");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));

    let mut body = request("POST", "/");
    body.body = Body::Json(json!({"a": {}, "list": [null]}));
    body.slots = vec![
        slot(Place::Json { pointer: "/a/b~1c".to_owned() }),
        slot(Place::Json { pointer: "/list/0".to_owned() }),
        slot(Place::Json { pointer: "/top".to_owned() }),
    ];
    let asked = sent(body).await.unwrap();
    let filled: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        filled,
        json!({"a": {"b/c": "s3cret/value"}, "list": ["s3cret/value"], "top": "s3cret/value"})
    );
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn secrets_in_impossible_places_are_refused() {
    let places = [
        Place::Form { field: "secret".to_owned() },
        Place::Json { pointer: "/a/b".to_owned() },
        Place::Json { pointer: "".to_owned() },
        Place::Json { pointer: "/list/7".to_owned() },
        Place::Header { name: "cookie".to_owned() },
        Place::Header { name: "no header".to_owned() },
        Place::Basic { user: "a:b".to_owned() },
        Place::TlsIdentity,
        Place::Other,
    ];
    let mut table = String::new();
    for place in places {
        let mut request = request("POST", "/");
        request.body = Body::Json(json!({"list": []}));
        request.slots = vec![slot(place.clone())];
        table.push_str(&format!("{place:?}\n  {}\n", sent(request).await.unwrap_err()));
    }
    let mut twice = request("POST", "/");
    twice.slots = vec![bearer("key"), slot(Place::Basic { user: "me".to_owned() })];
    table.push_str(&format!("twice\n  {}\n", sent(twice).await.unwrap_err()));
    let mut broken = request("POST", "/");
    broken.slots = vec![bearer("broken")];
    table.push_str(&format!("two lines\n  {}\n", sent(broken).await.unwrap_err()));
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn some_headers_are_not_the_plugins() {
    for name in [
        "Authorization",
        "cookie",
        "host",
        "content-length",
        "proxy-authorization",
        "proxy-connection",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "accept-encoding",
        "bad name",
    ] {
        let mut request = request("GET", "/");
        request.headers = vec![(name.to_owned(), "x".to_owned())];
        let failure = sent(request).await.unwrap_err();
        assert_eq!(failure.blame, jackfield_plugin::contract::failure::Blame::Plugin, "{name}");
    }
    let mut split = request("GET", "/");
    split.headers = vec![("x-own".to_owned(), "a\r\nb: c".to_owned())];
    assert!(sent(split).await.is_err());
    let mut method = request("CONNECT", "/");
    assert!(sent(method.clone()).await.is_err());
    method.method = "GET /".to_owned();
    assert!(sent(method).await.is_err());
}

#[tokio::test]
async fn query_and_headers_are_sent() {
    let mut request = request("GET", "/a?b=c");
    request.query = vec![("filter".to_owned(), "name eq 'ü & x'".to_owned())];
    request.headers = vec![("accept".to_owned(), "application/json".to_owned())];
    let asked = sent(request).await.unwrap();
    assert_eq!(asked.path, "/a?b=c&filter=name+eq+%27%C3%BC+%26+x%27");
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert!(asked.header("user-agent").unwrap().starts_with("jackfield/"));
}

#[tokio::test]
async fn the_cap_holds() {
    let server = serve(|_, _| async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        ok("")
    })
    .await;
    let mut rig = rig(&[&server]);
    rig.cap = 3;
    let ready = rig.ready();
    let sends = (0..12).map(|_| ready.get("/"));
    for outcome in futures_util::future::join_all(sends).await {
        outcome.unwrap();
    }
    assert_eq!(server.most_in_flight.load(Ordering::SeqCst), 3);
    assert!(ready.exchanges().iter().any(|told| told.waited_for_cap >= Duration::from_millis(50)));
}

#[tokio::test]
async fn cancelling_interrupts_a_request_that_hangs() {
    let server = serve(|_, _| std::future::pending()).await;
    let ready = rig(&[&server]).ready();
    let (client, cancel) = (Arc::clone(&ready.client), ready.cancel.clone());
    let sending = tokio::spawn(async move { client.send(request("GET", "/")).await });
    while server.count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = std::time::Instant::now();
    cancel.cancel();
    let failure = sending.await.unwrap().unwrap_err();
    assert!(failure.cancelled);
    assert!(asked.elapsed() < Duration::from_millis(100));
    assert_eq!(ready.exchanges()[0].failure.as_deref(), Some("the run was cancelled"));
    assert!(ready.get("/").await.unwrap_err().cancelled);
    assert_eq!(server.count(), 1);
}
