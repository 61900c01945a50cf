//! The proxy: where paths lead, who gets in by token, header, ticket or session, and what ends a session.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jackfield_simulators::nprinting::JwtPair;
use jackfield_simulators::qlik_onprem::{Config, Simulator};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, KEY, site};

/// One pair for all tests: RSA keys take their time.
fn pair() -> &'static JwtPair {
    static PAIR: OnceLock<JwtPair> = OnceLock::new();
    PAIR.get_or_init(|| JwtPair::generate().unwrap())
}

/// Makes and links a virtual proxy for tokens; waits until the proxy is back.
async fn linked(simulator: &Simulator, more: Value) -> Value {
    let admin = Client::of_user(simulator, 13);
    let mut body = json!({"prefix": "jackfield", "sessionCookieHeaderName": "X-Qlik-Session-jackfield",
        "authenticationMethod": 4, "jwtPublicKeyCertificate": pair().certificate_pem, "jwtAttributeUserId": "userId",
        "jwtAttributeUserDirectory": "userDirectory"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = admin.call(Method::POST, "virtualproxyconfig", Some(body)).await.1;
    let mut proxy = admin.rows("proxyservice/full").await.remove(0);
    proxy["settings"]["virtualProxies"].as_array_mut().unwrap().push(json!({"id": made["id"]}));
    let path = format!("proxyservice/{}", proxy["id"].as_str().unwrap());
    assert_eq!(admin.call(Method::PUT, &path, Some(proxy)).await.0, 200);
    until_back(simulator).await;
    made
}

/// Waits until the proxy answers again.
async fn until_back(simulator: &Simulator) {
    let started = Instant::now();
    while Client::outside(simulator, &[]).send(Method::GET, "/hub", None).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "the proxy stays away");
        tokio::task::yield_now().await;
    }
}

fn bearing(simulator: &Simulator, token: &str) -> Client {
    Client::outside(simulator, &[("authorization", format!("Bearer {token}"))])
}

fn claiming(simulator: &Simulator, claims: &Value) -> Client {
    bearing(simulator, &pair().token(claims).unwrap())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn tokens_are_really_checked() {
    let simulator = site().await;
    linked(&simulator, json!({"jwtAudience": "jackfield"})).await;
    let good = json!({"userId": "svc_qlik", "userDirectory": "EXAMPLE", "aud": "jackfield"});
    let with = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        claims
    };
    for (what, claims, status) in [
        ("good", good.clone(), 200),
        ("one audience of several", with("aud", json!(["other", "jackfield"])), 200),
        ("in time", with("exp", json!(now() + 60)), 200),
        ("too late", with("exp", json!(now() - 1)), 401),
        ("too early", with("nbf", json!(now() + 60)), 401),
        ("another audience", with("aud", json!("other")), 401),
        ("no audience", with("aud", Value::Null), 401),
        ("nobody", with("userId", Value::Null), 401),
        ("of no directory", with("userDirectory", json!(" ")), 401),
        ("blocked", with("userId", json!("blocked")), 403),
    ] {
        let answer = claiming(&simulator, &claims).get("/jackfield/qrs/about").await;
        assert_eq!(answer.0, status, "{what}: {}", answer.1);
        assert_eq!(answer.1["nodeType"] == 1, status == 200, "{what}");
        simulator.end_sessions();
    }
    let rsa = EncodingKey::from_rsa_pem(pair().private_key_pem.as_bytes()).unwrap();
    let stronger = jsonwebtoken::encode(&Header::new(Algorithm::RS512), &good, &rsa).unwrap();
    let secret = EncodingKey::from_secret(pair().certificate_pem.as_bytes());
    let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &good, &secret).unwrap();
    let foreign = JwtPair::generate().unwrap().token(&good).unwrap();
    let valid = pair().token(&good).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", valid.split('.').nth(1).unwrap());
    for token in [&stronger, &confused, &foreign, &unsigned, "rubbish", ""] {
        assert_eq!(bearing(&simulator, token).status("/jackfield/qrs/about").await, 401, "{token}");
    }
    assert_eq!(Client::outside(&simulator, &[]).status("/jackfield/qrs/about").await, 401, "no token");
}

#[tokio::test]
async fn claims_are_those_that_the_virtual_proxy_names() {
    let simulator = site().await;
    let map = json!([{"jwtAttribute": "mail", "senseAttribute": "email", "isMandatory": true}]);
    linked(&simulator, json!({"jwtAttributeUserId": "sub", "jwtAttributeUserDirectory": "[EXAMPLE]", "jwtAttributeMap": map})).await;
    for (claims, status) in [
        (json!({"sub": "svc_qlik", "mail": "x@example.com"}), 200),
        (json!({"sub": "svc_qlik"}), 401),
        (json!({"userId": "svc_qlik", "mail": "x@example.com"}), 401),
    ] {
        assert_eq!(claiming(&simulator, &claims).status("/JACKFIELD/QRS/about").await, status, "{claims}");
    }
    // Whom the site has not seen yet becomes a user without rights.
    let newcomer = claiming(&simulator, &json!({"sub": "newcomer", "mail": "n@example.com"}));
    assert_eq!(newcomer.count("/jackfield/qrs/user/count").await, 1);
    let admin = Client::admin(&simulator);
    assert_eq!(admin.found("user", "userId eq 'newcomer'").await[0]["roles"], json!([]));
}

#[tokio::test]
async fn only_what_is_linked_is_served() {
    let simulator = site().await;
    let claims = json!({"userId": "svc_qlik", "userDirectory": "EXAMPLE"});
    let token = pair().token(&claims).unwrap();
    // Without a virtual proxy of that name the path is the default one's, which sends browsers away to sign in.
    let response = bearing(&simulator, &token).send(Method::GET, "/jackfield/qrs/about", None).await.unwrap();
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("https://localhost:4244/windows_authentication/?targetId="), "{location}");
    linked(&simulator, json!({})).await;
    assert_eq!(bearing(&simulator, &token).status("/jackfield/qrs/about").await, 200);
    assert_eq!(
        bearing(&simulator, &token).status("/qrs/about").await,
        302,
        "elsewhere the token is worth nothing"
    );
    assert_eq!(bearing(&simulator, &token).status("/jackfield/nothing").await, 404);
    assert_eq!(bearing(&simulator, &token).status("/jackfield/qps/session").await, 404, "not for people");
    let forged =
        bearing(&simulator, &token).http.get(format!("{}/jackfield/qrs/about", simulator.proxy_url()));
    assert_eq!(forged.bearer_auth(&token).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_session_is_kept_by_its_cookie() {
    let simulator = site().await;
    let more = json!({"additionalResponseHeaders": "X-Frame-Options: DENY\nX-Other: 1"});
    let made = linked(&simulator, more).await;
    let client = claiming(&simulator, &json!({"userId": "svc_qlik", "userDirectory": "EXAMPLE"}));
    let response = client.send(Method::GET, "/jackfield/qrs/about", None).await.unwrap();
    assert_eq!(
        (&response.headers()["x-frame-options"], &response.headers()["x-other"]),
        (&"DENY".parse().unwrap(), &"1".parse().unwrap())
    );
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("X-Qlik-Session-jackfield=") && cookie.ends_with("; Path=/; HttpOnly; Secure"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap().to_owned();
    let kept = Client::outside(&simulator, &[("cookie", format!("other=1; {pair}"))]);
    let response = kept.send(Method::GET, "/jackfield/qrs/about", None).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers().contains_key("set-cookie")), (200, false));
    assert!(simulator.shown_credentials().iter().any(|shown| pair.ends_with(shown.as_str())));
    assert_eq!(kept.status("/qrs/about").await, 302, "a cookie is of one virtual proxy");
    assert_eq!((simulator.open_sessions(), simulator.issued_sessions()), (1, 1));
    assert_eq!(kept.get("/jackfield/qps/user").await.1["userId"], "svc_qlik");
    let token = kept.send(Method::GET, "/jackfield/qps/csrftoken", None).await.unwrap();
    assert!(token.headers().contains_key("qlik-csrf-token"));

    let id = pair.split_once('=').unwrap().1;
    let admin = Client::admin(&simulator);
    let told = admin.get("/qps/jackfield/session").await.1;
    assert_eq!((&told[0]["SessionId"], &told[0]["UserId"]), (&json!(id), &json!("svc_qlik")));
    assert_eq!(admin.get("/qps//session").await.1, json!([]), "none in the default one");
    let (status, closed) = admin.call(Method::DELETE, &format!("/qps/jackfield/session/{id}"), None).await;
    assert_eq!((status.as_u16(), &closed["LastSessionForUser"]), (200, &json!(true)));
    assert_eq!(admin.call(Method::DELETE, &format!("/qps/jackfield/session/{id}"), None).await.0, 404);
    assert_eq!(kept.status("/jackfield/qrs/about").await, 401);
    drop(made);
}

#[tokio::test]
async fn five_sessions_are_enough() {
    let simulator = site().await;
    linked(&simulator, json!({})).await;
    let client = claiming(&simulator, &json!({"userId": "svc_qlik", "userDirectory": "EXAMPLE"}));
    for number in 1..=5 {
        assert_eq!(client.status("/jackfield/qrs/about").await, 200, "{number}");
    }
    let (status, text) = client.get("/jackfield/qrs/about").await;
    assert_eq!((status.as_u16(), text), (403, json!("OnMaxParallelSessionsExceeded")));
    let other = claiming(&simulator, &json!({"userId": "reader", "userDirectory": "EXAMPLE"}));
    assert_eq!(other.status("/jackfield/qrs/about").await, 200);
}

#[tokio::test]
async fn a_restart_ends_sessions_and_shuts_the_door() {
    let config = Config { restart: Duration::from_secs(3600), ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let (directory, id) = simulator.user(0);
    let client = Client::outside(&simulator, &[("x-forwarded-user", id.clone())]);
    assert_eq!(client.status("/sso/qrs/about").await, 200, "by header");
    simulator.restart_proxy();
    let refused = client.send(Method::GET, "/sso/qrs/about", None).await.unwrap_err();
    assert!(refused.is_connect() || refused.is_request(), "{refused:?}");
    assert_eq!((simulator.open_sessions(), simulator.proxy_restarts()), (0, 1));
    assert_eq!(Client::named(&simulator, &directory, &id).status("about").await, 200, "the repository stays");
}

#[tokio::test]
async fn tickets_are_good_once() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let body = json!({"UserDirectory": " EXAMPLE ", "UserId": "svc_qlik", "Attributes": [{"Group": "x"}]});
    let (status, told) = admin.call(Method::POST, "/qps/ticket", Some(body)).await;
    assert_eq!((status.as_u16(), &told["UserDirectory"]), (201, &json!("EXAMPLE")));
    let visitor = Client::outside(&simulator, &[]);
    let path = format!("/qrs/about?qlikTicket={}", told["Ticket"].as_str().unwrap());
    let response = visitor.send(Method::GET, &path, None).await.unwrap();
    assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with("X-Qlik-Session="));
    assert_eq!(response.status(), 200);
    assert_eq!(visitor.status(&path).await, 302);
    for body in [
        json!({"UserId": "x"}),
        json!({"UserDirectory": " ", "UserId": "x"}),
        json!({"UserDirectory": r"A\B", "UserId": "x"}),
    ] {
        assert_eq!(admin.call(Method::POST, "/qps/ticket", Some(body)).await.0, 400);
    }
    let session = json!({"userDirectory": "EXAMPLE", "userId": "reader", "sessionId": "Mine-1"});
    let (status, told) = admin.call(Method::POST, "/qps/session", Some(session)).await;
    assert_eq!((status.as_u16(), &told["SessionId"]), (201, &json!("Mine-1")));
    assert_eq!(admin.get("/qps/session/Mine-1").await.1["UserId"], "reader");
    let reader = Client::outside(&simulator, &[("cookie", "X-Qlik-Session=Mine-1".to_owned())]);
    assert_eq!(reader.status("/qrs/about").await, 200);
    let ended = admin.call(Method::DELETE, "/qps/user/example/Reader", None).await.1;
    assert_eq!(ended[0]["SessionId"], "Mine-1");
    assert_eq!(reader.status("/qrs/about").await, 302);
    assert_eq!(admin.get("/qps/alive").await.1, json!(true));
    let nobody = admin.http.get(format!("{}/qps/alive", simulator.repository_url()));
    assert_eq!(
        nobody.header("x-qlik-user", "x").send().await.unwrap().status(),
        403,
        "the key is needed: {KEY}"
    );
}
