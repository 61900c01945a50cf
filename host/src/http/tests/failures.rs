//! Roads that lead nowhere, in a person's words.

use super::*;

async fn nobody() -> Server {
    let server = serve(|_, _| async { ok("") }).await;
    // A port that was just free is refused.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    Server { url: format!("http://127.0.0.1:{port}").parse().unwrap(), ..server }
}

#[tokio::test]
async fn a_refused_port() {
    let server = nobody().await;
    let ready = rig(&[&server]).ready();
    insta::assert_snapshot!(in_full(&ready.get("/").await.unwrap_err(), &server));
    assert_eq!(ready.exchanges()[0].status, None);
}

#[tokio::test]
async fn an_unknown_name() {
    let server = nobody().await;
    let mut rig = rig(&[&server]);
    rig.origins = vec![allowed("server", "https://nowhere.invalid")];
    rig.limits.max_attempts = 2;
    let ready = rig.ready();
    let words = in_full(&ready.get("/").await.unwrap_err(), &server);
    assert_eq!(ready.exchanges().len(), 2, "a name service in trouble looks the same");
    // What the system's resolver says differs from system to system.
    let (before, rest) = words.split_once(" (").unwrap();
    insta::assert_snapshot!(format!("{before} (…){}", rest.split_once(')').unwrap().1));
}

#[tokio::test]
async fn a_proxy_is_used_only_where_it_is_configured_and_is_named() {
    let proxy = serve(|asked, _| async move { ok(asked.path) }).await;
    let server = nobody().await;
    let mut through = rig(&[&server]);
    through.origins = vec![allowed("server", "http://behind.invalid")];
    through.limits.proxy = Some(proxy.url.clone());
    assert_eq!(text(&through.ready().get("/x").await.unwrap()), "http://behind.invalid/x");

    let mut broken = rig(&[&server]);
    broken.origins = vec![allowed("server", "http://behind.invalid")];
    broken.limits.proxy = Some(server.url.clone());
    insta::assert_snapshot!(in_full(&broken.ready().get("/x").await.unwrap_err(), &server));
}
