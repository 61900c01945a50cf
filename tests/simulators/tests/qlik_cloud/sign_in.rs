//! Signing in with a token of an identity provider: providers, sessions, cookies, forgery.

use std::sync::OnceLock;

use jackfield_simulators::qlik_cloud::{
    Config, JwtAuthorization, JwtRefusal, KnownEmail, NewUser, Population, SignIn, Simulator,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, http, read, tenant};

pub(crate) const PROVIDERS: &str = "/api/v1/identity-providers";
const ISSUER: &str = "https://connector.example";
pub(crate) const ADMIN: u64 = 0;
pub(crate) const PERSON: u64 = 5;

/// One pair for all tests: RSA keys take their time.
pub(crate) fn pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// What a good token says about a generated user.
pub(crate) fn claims(simulator: &Simulator, user: u64) -> Value {
    json!({
        "iss": ISSUER, "aud": "qlik.api/login/jwt-session", "sub": simulator.user_subject(user), "subType": "user",
        "name": "Somebody", "email": simulator.user_email(user), "email_verified": true,
        "jti": uuid::Uuid::new_v4(), "iat": now(), "nbf": now(), "exp": now() + 3600,
    })
}

pub(crate) fn signed(claims: &Value, kid: &str) -> String {
    signed_by(pair(), Algorithm::RS256, claims, kid)
}

fn signed_by(pair: &KeyPair, algorithm: Algorithm, claims: &Value, kid: &str) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

pub(crate) fn provider(pem: &str) -> Value {
    json!({
        "protocol": "jwtAuth", "provider": "external", "description": "connector", "clockToleranceSec": 5,
        "interactive": false, "active": true,
        "options": {"issuer": ISSUER, "jwtLoginEnabled": true, "staticKeys": [{"kid": "key-1", "pem": pem}]},
    })
}

/// A tenant whose vendor activated JWT authorization and that knows the pair.
pub(crate) async fn activated() -> Simulator {
    let simulator = tenant(10).await;
    simulator.set_jwt_authorization(JwtAuthorization::Active);
    let admin = Client::of_user(&simulator, ADMIN);
    let body = provider(&pair().public_key_pem());
    assert_eq!(admin.call(Method::POST, PROVIDERS, Some(body)).await.0, StatusCode::CREATED);
    simulator
}

pub(crate) async fn open(simulator: &Simulator, token: &str) -> Response {
    let request = http(simulator.ca_pem()).post(format!("{}/login/jwt-session", simulator.base_url()));
    request.bearer_auth(token).send().await.unwrap()
}

/// A browser: cookies, and whatever headers it is told to send.
struct Browser {
    base: String,
    cookies: String,
}

impl Browser {
    async fn of(simulator: &Simulator, user: u64) -> Self {
        let response = open(simulator, &signed(&claims(simulator, user), "key-1")).await;
        assert_eq!(response.status(), StatusCode::OK);
        let cookies = response.headers().get_all("set-cookie").iter();
        let pairs = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        let pairs: Vec<String> = pairs.collect();
        let names: Vec<&str> = pairs.iter().filter_map(|pair| pair.split('=').next()).collect();
        assert_eq!(names, ["eas.sid", "eas.sid.sig", "_csrfToken", "_csrfToken.sig"]);
        Self { base: simulator.base_url().to_owned(), cookies: pairs.join("; ") }
    }

    async fn send(&self, method: Method, path: &str, csrf: Option<&str>, body: Value) -> Response {
        let mut request =
            http("").request(method, format!("{}{path}", self.base)).header("cookie", &self.cookies);
        if let Some(csrf) = csrf {
            request = request.header("qlik-csrf-token", csrf);
        }
        request.body(body.to_string()).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.send(Method::GET, path, None, Value::Null).await).await
    }

    async fn csrf(&self) -> String {
        let response = self.send(Method::GET, "/api/v1/csrf-token", None, Value::Null).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        response.headers()["qlik-csrf-token"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_token_opens_a_session_of_its_user() {
    let simulator = activated().await;
    let browser = Browser::of(&simulator, PERSON).await;
    let (status, me) = browser.get("/api/v1/users/me").await;
    assert_eq!((status, &me["id"]), (StatusCode::OK, &json!(simulator.user_id(PERSON))));
    assert_eq!(browser.get("/api/v1/items").await.0, StatusCode::OK);
    assert_eq!(browser.get("/api/v1/roles").await.0, StatusCode::FORBIDDEN, "what the user may not");
    assert_eq!((simulator.open_sessions(), simulator.issued_sessions()), (1, 1));
    let forged = Browser { cookies: browser.cookies.replace("eas.sid.sig=", "eas.sid.sig=0"), ..browser };
    assert_eq!(forged.get("/api/v1/users/me").await.0, StatusCode::UNAUTHORIZED);
    simulator.expire_sessions();
    let again = Browser::of(&simulator, PERSON).await;
    assert_eq!(again.send(Method::GET, "/logout", None, Value::Null).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(again.get("/api/v1/users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_claim_is_checked() {
    let simulator = activated().await;
    let good = || claims(&simulator, PERSON);
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    let missing = |name: &str| format!("JWT_LOGIN_VALIDATIONS Missing required claim: {name}");
    let mut rows = vec![
        ("aud", with("aud", json!("qlik.api")), 400),
        ("aud", with("aud", json!(["x", "qlik.api/login/jwt-session"])), 200),
        ("subType", with("subType", json!("robot")), 400),
        ("email_verified", with("email_verified", json!("yes")), 400),
        ("exp", with("exp", json!(now() + 3610)), 400),
        ("exp", with("exp", json!("tomorrow")), 400),
        ("iss", with("iss", json!("https://nobody.example")), 401),
        ("nbf", with("nbf", json!(now() + 60)), 401),
        ("nbf", with("nbf", json!(now() - 3)), 400),
        ("exp", with("exp", json!(now() - 60)), 401),
    ];
    rows[8].1["exp"] = json!(now() + 3500);
    rows[8].2 = 200;
    for (name, claims, expected) in rows {
        let (status, body) = read(open(&simulator, &signed(&claims, "key-1")).await).await;
        assert_eq!(status.as_u16(), expected, "{name}: {claims} {body}");
        if expected == 400 {
            let detail = format!("JWT_LOGIN_VALIDATIONS Invalid claim: {name}");
            assert_eq!(body["errors"][0]["detail"], detail);
        }
    }
    for name in ["aud", "sub", "subType", "name", "email", "email_verified", "jti", "iat", "nbf", "exp"] {
        let (status, body) = read(open(&simulator, &signed(&with(name, Value::Null), "key-1")).await).await;
        let expected = json!({"code": "INTERNAL-TOKEN-1", "title": "Invalid token request", "status": "400",
            "detail": missing(name)});
        assert_eq!((status, &body["errors"][0]), (StatusCode::BAD_REQUEST, &expected));
    }
}

#[tokio::test]
async fn signature_key_and_use_are_checked() {
    let simulator = activated().await;
    let token = signed(&claims(&simulator, PERSON), "key-1");
    assert_eq!(open(&simulator, &token).await.status(), StatusCode::OK);
    assert_eq!(open(&simulator, &token).await.status(), StatusCode::BAD_REQUEST, "a jti serves once");
    let other = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let fresh = || claims(&simulator, PERSON);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("key-1".to_owned());
    let shared = EncodingKey::from_secret(pair().public_key_pem().as_bytes());
    for (what, token) in [
        ("another key id", signed(&fresh(), "key-2")),
        ("another key", signed_by(&other, Algorithm::RS256, &fresh(), "key-1")),
        ("RS512", signed_by(pair(), Algorithm::RS512, &fresh(), "key-1")),
        ("HS256", jsonwebtoken::encode(&header, &fresh(), &shared).unwrap()),
        ("rubbish", "rubbish".to_owned()),
    ] {
        assert_eq!(open(&simulator, &token).await.status(), StatusCode::UNAUTHORIZED, "{what}");
    }
    let url = format!("{}/login/jwt-session", simulator.base_url());
    assert_eq!(http("").post(url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_tenant_starts_without_jwt_authorization() {
    for (refusal, created) in
        [(JwtRefusal::Forbidden, 403), (JwtRefusal::Invalid, 400), (JwtRefusal::AtLogin, 201)]
    {
        let sign_in = SignIn { refusal, ..SignIn::default() };
        let config = Config { sign_in, population: Population::of(10), ..Config::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let admin = Client::of_user(&simulator, ADMIN);
        let body = provider(&pair().public_key_pem());
        assert_eq!(admin.call(Method::POST, PROVIDERS, Some(body)).await.0.as_u16(), created);
        let token = signed(&claims(&simulator, PERSON), "key-1");
        assert_eq!(open(&simulator, &token).await.status(), StatusCode::UNAUTHORIZED, "{refusal:?}");
    }
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, ADMIN);
    let product = async || admin.get("/api/v1/licenses/overview").await.1["product"].clone();
    assert_eq!(product().await, "Qlik Sense Enterprise");
    simulator.set_jwt_authorization(JwtAuthorization::NotEnterprise);
    assert_eq!(product().await, "Qlik Sense Business");
}

#[tokio::test]
async fn writes_need_the_token_against_forgery() {
    let simulator = activated().await;
    let browser = Browser::of(&simulator, ADMIN).await;
    let write = async |csrf: Option<&str>| {
        let body = json!({"name": "portal", "validOrigins": []});
        read(browser.send(Method::POST, "/api/v1/web-integrations", csrf, body).await).await
    };
    let csrf = browser.csrf().await;
    let from_cookie = browser.cookies.split("_csrfToken=").nth(1).unwrap().split(';').next().unwrap();
    for wrong in [None, Some(from_cookie), Some("")] {
        let (status, body) = write(wrong).await;
        assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("CSRF-TOKEN-2")), "{wrong:?}");
        assert_eq!(body["errors"][0]["code"], "CSRF-TOKEN-2");
    }
    assert_eq!(write(Some(&csrf)).await.0, StatusCode::CREATED);
    simulator.renew_csrf_tokens();
    assert_eq!(write(Some(&csrf)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(write(Some(&browser.csrf().await)).await.0, StatusCode::CREATED);
    let (status, body) = Client::of_user(&simulator, ADMIN).get("/api/v1/csrf-token").await;
    assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::BAD_REQUEST, &json!("CSRF-TOKEN-4")));
}

#[tokio::test]
async fn people_are_known_by_their_subject() {
    let simulator = activated().await;
    let before = simulator.user_count();
    let mut stranger = claims(&simulator, PERSON);
    stranger["sub"] = json!("connector|1");
    simulator.set_known_email(KnownEmail::Refused);
    assert_eq!(open(&simulator, &signed(&stranger, "key-1")).await.status(), StatusCode::UNAUTHORIZED);
    simulator.set_known_email(KnownEmail::Duplicate);
    stranger["jti"] = json!("another");
    assert_eq!(open(&simulator, &signed(&stranger, "key-1")).await.status(), StatusCode::OK);
    assert_eq!(simulator.user_count(), before + 1, "a second user came into being");
    assert_eq!(simulator.users_with_email(&simulator.user_email(PERSON).to_uppercase()).len(), 2);
    for (status, expected) in [("disabled", 401), ("invited", 200), ("active", 200)] {
        simulator.set_user_status(&simulator.user_id(PERSON), status);
        let response = open(&simulator, &signed(&claims(&simulator, PERSON), "key-1")).await;
        assert_eq!(response.status().as_u16(), expected, "{status}");
    }
}

#[tokio::test]
async fn people_are_found_by_email_and_subject() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, ADMIN);
    let ada = simulator.create_user(&NewUser::default()).unwrap();
    let disabled =
        NewUser { subject: "old|ada".to_owned(), status: "disabled".to_owned(), ..NewUser::default() };
    simulator.create_user(&disabled).unwrap();
    assert!(simulator.create_user(&NewUser::default()).is_err(), "a subject is anybody's only once");
    for (query, expected) in [
        ("filter=email%20eq%20%22ADA%40example.com%22", 2),
        ("filter=email%20eq%20%22ada%40example.com%22%20and%20status%20eq%20%22active%22", 1),
        ("filter=email%20eq%20%22nobody%40example.com%22", 0),
        ("filter=subject%20eq%20%22old%7Cada%22", 1),
        ("email=ada%40example.com&status=active", 1),
        ("subject=auth0%7Cada", 1),
    ] {
        let (rows, _) = admin.all(&format!("/api/v1/users?{query}")).await;
        assert_eq!(rows.len(), expected, "{query}");
    }
    let (_, found) = admin.get("/api/v1/users?email=ada%40example.com&status=active").await;
    assert_eq!((&found["data"][0]["id"], &found["data"][0]["subject"]), (&json!(ada), &json!("auth0|ada")));
    let both = "/api/v1/users?email=x&filter=name%20eq%20%22x%22";
    assert_eq!(admin.get(both).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn browsers_need_a_web_integration_that_names_them() {
    let simulator = activated().await;
    let admin = Client::of_user(&simulator, ADMIN);
    let body = json!({"name": "portal", "validOrigins": ["https://portal.example"]});
    let (_, made) = admin.call(Method::POST, "/api/v1/web-integrations", Some(body)).await;
    let id = made["id"].as_str().unwrap();
    for (origin, id, expected) in [
        (None, None, 200),
        (None, Some(id), 200),
        (None, Some("unknown"), 401),
        (Some("https://portal.example"), Some(id), 200),
        (Some("https://portal.example"), None, 401),
        (Some("https://evil.example"), Some(id), 401),
    ] {
        let token = signed(&claims(&simulator, PERSON), "key-1");
        let mut request =
            http("").post(format!("{}/login/jwt-session", simulator.base_url())).bearer_auth(token);
        for (name, value) in [("origin", origin), ("qlik-web-integration-id", id)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), expected, "{origin:?} {id:?}");
    }
    for (query, expected) in [
        ("returnto=%2Fhub".to_owned(), None),
        ("returnto=https%3A%2F%2Fevil.example".to_owned(), Some("LOGIN-8")),
        ("returnto=javascript%3Aalert(1)".to_owned(), Some("LOGIN-8")),
        (format!("returnto=https%3A%2F%2Fevil.example&qlik-web-integration-id={id}"), Some("LOGIN-10")),
        (format!("returnto=https%3A%2F%2Fportal.example&qlik-web-integration-id={id}"), None),
    ] {
        let (status, body) = admin.get(&format!("/login?{query}")).await;
        assert_eq!(body["errors"][0]["code"].as_str(), expected, "{query}");
        assert_eq!(status.as_u16(), if expected.is_some() { 401 } else { 302 });
    }
}

#[tokio::test]
async fn the_permission_to_manage_keys_is_asked_on_each_request() {
    let simulator = tenant(10).await;
    let person = Client::of_user(&simulator, PERSON);
    assert_eq!(person.get("/api/v1/users/me").await.0, StatusCode::OK);
    simulator.set_user_default_scopes(&["users:read"]);
    let (status, body) = person.get("/api/v1/users/me").await;
    assert_eq!(
        (status, &body["errors"][0]["title"]),
        (StatusCode::UNAUTHORIZED, &json!("Authorization Required"))
    );
    let _ = simulator.create_custom_role("Key holders", &["api-keys"]);
    simulator.set_roles(&simulator.user_id(PERSON), &["Key holders"]).unwrap();
    assert_eq!(person.get("/api/v1/users/me").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_control_plane_switches_too() {
    let simulator = tenant(10).await;
    let control = async |method: Method, body: Value| {
        let request = http("").request(method, format!("{}/__sim/sign-in", simulator.base_url()));
        read(request.body(body.to_string()).send().await.unwrap()).await
    };
    let initial = json!({"jwtAuthorization": "inactive", "ownProvider": null});
    assert_eq!(control(Method::GET, Value::Null).await.1, initial);
    let other = json!({"jwtAuthorization": "active", "ownProvider": "keycloak"});
    assert_eq!(control(Method::PUT, other.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(control(Method::GET, Value::Null).await.1, other);
    let wrong = json!({"jwtAuthorization": "perhaps"});
    assert_eq!(control(Method::PUT, wrong).await.0, StatusCode::BAD_REQUEST);
}
