//! Cookies: what they allow, and what they need.

use jackfield_simulators::nprinting::{Config, Ntlm, Simulator};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::client::{Client, http, read, server};

/// Values of the two cookies.
fn cookies(response: &Response) -> Option<(String, String)> {
    let find = |name: &str| {
        let lines = response.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next().map(|value| value.split(';').next().unwrap().to_owned())
    };
    Some((find("NPWEBCONSOLE_SESSION")?, find("NPWEBCONSOLE_XSRF-TOKEN")?))
}

fn decoded(token: &str) -> String {
    percent_encoding::percent_decode_str(token).decode_utf8().unwrap().into_owned()
}

fn with_cookie(simulator: &Simulator, session: &str, more: &[(&'static str, String)]) -> Client {
    let mut headers = vec![("cookie", format!("NPWEBCONSOLE_SESSION={session}; other=1"))];
    headers.extend_from_slice(more);
    Client::new(simulator, headers)
}

async fn signed_in(simulator: &Simulator, index: u64) -> (String, String) {
    let response = Client::of_user(simulator, index).send(Method::GET, "apps", None).await;
    cookies(&response).unwrap()
}

#[tokio::test]
async fn a_cookie_is_enough_to_read() {
    let simulator = server(Config::default()).await;
    let (session, token) = signed_in(&simulator, 0).await;
    assert!(["%2B", "%2F", "%3D"].iter().all(|sign| token.contains(sign)), "{token}");
    let reader = with_cookie(&simulator, &session, &[]);
    let response = reader.send(Method::GET, "users", None).await;
    assert_eq!((response.status(), cookies(&response)), (StatusCode::OK, None));
    assert_eq!((simulator.open_sessions(), simulator.issued_sessions()), (1, 1));
    assert_eq!(with_cookie(&simulator, "other", &[]).status("apps").await, 401);
    simulator.expire_sessions();
    assert_eq!(reader.status("apps").await, 401);
}

#[tokio::test]
async fn a_write_by_cookie_needs_the_decoded_token() {
    let config = Config { trusted_origins: vec!["https://portal.example".to_owned()], ..Config::default() };
    let simulator = server(config).await;
    let (session, token) = signed_in(&simulator, 0).await;
    let decoded = decoded(&token);
    let origin = |origin: &str| ("origin", origin.to_owned());
    let xsrf = |token: &str| ("x-xsrf-token", token.to_owned());
    for (headers, status) in [
        (vec![], 403),
        (vec![xsrf(&token)], 403),
        (vec![xsrf(&decoded)], 201),
        (vec![xsrf(&decoded), origin("https://evil.example")], 403),
        (vec![xsrf(&decoded), origin("https://portal.example")], 201),
    ] {
        let client = with_cookie(&simulator, &session, &headers);
        let made = client.call(Method::POST, "groups", Some(json!({"name": "made"}))).await;
        assert_eq!(made.0.as_u16(), status, "{headers:?}");
    }
    let bearer = Client::of_user(&simulator, 0);
    let made = bearer.call(Method::POST, "groups", Some(json!({"name": "by token"}))).await;
    assert_eq!(made.0, StatusCode::CREATED, "a token needs no token");
}

#[tokio::test]
async fn a_token_is_checked_beside_a_cookie() {
    let simulator = server(Config::default()).await;
    let (session, _) = signed_in(&simulator, 0).await;
    let bearing = |bearer: &str| with_cookie(&simulator, &session, &[("authorization", bearer.to_owned())]);
    assert_eq!(bearing("Bearer rubbish").status("apps").await, 401);
    let same = Client::of_user(&simulator, 0).headers.remove(0).1;
    let response = bearing(&same).send(Method::GET, "apps", None).await;
    assert_eq!(cookies(&response), None, "the session goes on");
    let other = Client::of_user(&simulator, 1).headers.remove(0).1;
    let response = bearing(&other).send(Method::GET, "users", None).await;
    let (second, _) = cookies(&response).unwrap();
    assert_eq!(read(response).await.1["data"]["totalItems"], 0, "it is the other user's now");
    assert_eq!(with_cookie(&simulator, &second, &[]).get("users").await.1["data"]["totalItems"], 0);
    assert!(with_cookie(&simulator, &session, &[]).get("users").await.1["data"]["totalItems"] != 0);
}

#[tokio::test]
async fn a_newer_release_may_want_both() {
    let simulator = server(Config { xsrf_with_bearer: true, ..Config::default() }).await;
    let (session, token) = signed_in(&simulator, 0).await;
    let bearer = Client::of_user(&simulator, 0).headers.remove(0);
    let write = async |more: &[(&'static str, String)]| {
        let client = with_cookie(&simulator, &session, more);
        client.call(Method::POST, "groups", Some(json!({"name": "made"}))).await.0.as_u16()
    };
    assert_eq!(write(std::slice::from_ref(&bearer)).await, 403);
    assert_eq!(write(&[bearer, ("x-xsrf-token", decoded(&token))]).await, 201);
}

#[tokio::test]
async fn email_and_password() {
    let simulator = server(Config::default()).await;
    let page = http("").get(simulator.base_url()).send().await.unwrap();
    let (session, token) = cookies(&page).unwrap();
    assert_eq!(with_cookie(&simulator, &session, &[]).status("apps").await, 401, "nobody yet");
    let header = [("x-xsrf-token", decoded(&token))];
    let right = json!({"username": simulator.user_email(1), "password": "NPrinting-1"});
    let sign_in = async |headers: &[(&'static str, String)], body| {
        with_cookie(&simulator, &session, headers).send(Method::POST, "/login", Some(body)).await
    };
    assert_eq!(sign_in(&[], right.clone()).await.status(), 403);
    let wrong = json!({"username": simulator.user_email(1), "password": "wrong"});
    assert_eq!(sign_in(&header, wrong).await.status(), 401);
    let response = sign_in(&header, right).await;
    let (session, _) = cookies(&response).unwrap();
    let expected = json!({"result": simulator.user_id(1), "code": 0, "message": null});
    assert_eq!(read(response).await, (StatusCode::OK, expected));
    let reader = with_cookie(&simulator, &session, &[]);
    assert_eq!(reader.status("apps").await, 200);
    assert_eq!(reader.status("logout").await, 200);
    assert_eq!(reader.status("apps").await, 401);
}

#[tokio::test]
async fn windows() {
    let simulator = server(Config::default()).await;
    let ask = async |agent: &str| {
        let client = Client::new(&simulator, vec![("user-agent", agent.to_owned())]);
        client.send(Method::GET, "login/NTLM", None).await
    };
    let response = ask("Windows").await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["www-authenticate"]),
        (401, &"NTLM".parse().unwrap())
    );
    assert!(!ask("curl").await.headers().contains_key("www-authenticate"), "only Windows is offered it");
    let negotiate = "NTLM TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
    let client =
        Client::new(&simulator, vec![("user-agent", "Windows".to_owned()), ("authorization", negotiate)]);
    let response = client.send(Method::GET, "login/ntlm", None).await;
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.starts_with("NTLM TlRMTVNTUAAC"), "{challenge}");
    simulator.set_ntlm(Ntlm::Trusted(simulator.user_email(0)));
    assert_eq!(read(ask("curl").await).await.1["result"], simulator.user_id(0));
    simulator.set_ntlm(Ntlm::Off);
    assert_eq!(ask("Windows").await.status(), 401);
}
