//! Signing in: tokens, keys, consent, certificates, names.

use std::time::Duration;

use jackfield_simulators::qlik_cloud::{Config, Consent, NewClient, Simulator};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, http, read, tenant, token};

#[tokio::test]
async fn a_machine_gets_a_token_and_a_bot() {
    let simulator = tenant(10).await;
    let credentials = simulator.create_oauth_client(&NewClient::default());
    let (status, body) = token(&simulator, &credentials).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 21600);
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'));
    assert!(body["scope"].is_null(), "no scope was asked for");

    let machine = Client::new(&simulator, body["access_token"].as_str().unwrap());
    let (status, me) = machine.get("/api/v1/users/me").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(me["name"], "Connector");
    assert_eq!(me["id"], simulator.bot_user_of(&credentials.client_id));
    assert_eq!(me["assignedRoles"][0]["name"], "TenantAdmin");
}

#[tokio::test]
async fn basic_and_form_are_accepted_too() {
    let simulator = tenant(10).await;
    let credentials = simulator.create_oauth_client(&NewClient::default());
    let url = format!("{}/oauth/token", simulator.base_url());
    let basic = http("")
        .post(&url)
        .basic_auth(&credentials.client_id, Some(&credentials.client_secret))
        .header("content-type", "application/json")
        .body(r#"{"grant_type":"client_credentials","scope":"user_default"}"#);
    let (status, body) = read(basic.send().await.unwrap()).await;
    assert_eq!((status, &body["scope"]), (StatusCode::OK, &json!("user_default")));

    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials.client_id, credentials.client_secret
    );
    let form = http("").post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(form.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_signed_assertion_is_accepted_once_its_key_is_known() {
    let simulator = tenant(10).await;
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let algorithm = jsonwebtoken::Algorithm::ES384;
    let mut jwk = json!(jsonwebtoken::jwk::Jwk::from_encoding_key(&key, algorithm).unwrap());
    jwk["kid"] = json!("key-1");
    let credentials = simulator.create_oauth_client(&NewClient {
        auth_methods: vec!["private_key_jwt".to_owned()],
        public_keys: vec![jwk],
        ..NewClient::default()
    });
    let url = format!("{}/oauth/token", simulator.base_url());
    let now = jiff::Timestamp::now().as_second();
    for (audience, kid, status) in
        [(&url, "key-1", 200), (&url, "key-2", 401), (&"other".to_owned(), "key-1", 401)]
    {
        let mut header = jsonwebtoken::Header::new(algorithm);
        header.kid = Some(kid.to_owned());
        let claims = json!({
            "iss": credentials.client_id, "sub": credentials.client_id, "aud": audience, "jti": "one", "iat": now,
            "exp": now + 120,
        });
        let assertion = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let body = json!({
            "grant_type": "client_credentials", "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        });
        let request = http("").post(&url).header("content-type", "application/json").body(body.to_string());
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{audience} {kid}");
    }
}

#[tokio::test]
async fn refusals_look_alike() {
    let simulator = tenant(10).await;
    let good = simulator.create_oauth_client(&NewClient::default());
    let mut wrong = good.clone();
    wrong.client_secret = "wrong".to_owned();
    let untrusted =
        simulator.create_oauth_client(&NewClient { consent: Consent::Required, ..NewClient::default() });
    for credentials in [&wrong, &untrusted] {
        let (status, body) = token(&simulator, credentials).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["errors"][0]["status"], "401", "the status is a text here");
        assert_eq!(body["traceId"].as_str().unwrap().len(), 32);
    }
    simulator.set_consent(&untrusted.client_id, Consent::Trusted);
    assert_eq!(token(&simulator, &untrusted).await.0, StatusCode::OK);
}

#[tokio::test]
async fn impersonation_needs_its_grant() {
    let simulator = tenant(10).await;
    let grant = "urn:qlik:oauth:user-impersonation";
    let ask = async |credentials: &jackfield_simulators::qlik_cloud::ClientCredentials| {
        let body = json!({
            "client_id": credentials.client_id, "client_secret": credentials.client_secret, "grant_type": grant,
            "user_lookup": {"field": "userId", "value": simulator.user_id(4)},
        });
        let url = format!("{}/oauth/token", simulator.base_url());
        let request = http("").post(url).header("content-type", "application/json").body(body.to_string());
        read(request.send().await.unwrap()).await
    };
    let without = simulator.create_oauth_client(&NewClient::default());
    assert_eq!(ask(&without).await.0, StatusCode::UNAUTHORIZED);
    let with = simulator
        .create_oauth_client(&NewClient { grant_types: vec![grant.to_owned()], ..NewClient::default() });
    let (status, body) = ask(&with).await;
    assert_eq!(status, StatusCode::OK);
    let person = Client::new(&simulator, body["access_token"].as_str().unwrap());
    assert_eq!(person.get("/api/v1/users/me").await.1["id"], simulator.user_id(4));
}

#[tokio::test]
async fn a_key_ends_when_revoked_expired_or_not_permitted() {
    let simulator = tenant(10).await;
    let user = simulator.user_id(0);
    let statuses = async |token: &str| Client::new(&simulator, token).get("/api/v1/users/me").await.0;
    let hour = Duration::from_secs(3600);
    let (revoked, expired) =
        (simulator.create_api_key(&user, hour).unwrap(), simulator.create_api_key(&user, hour).unwrap());
    assert_eq!(statuses(&revoked.token).await, StatusCode::OK);
    simulator.revoke_api_key(&revoked.id);
    simulator.expire_api_key(&expired.id);
    assert_eq!(statuses(&revoked.token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(statuses(&expired.token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(statuses("rubbish").await, StatusCode::UNAUTHORIZED);

    let person = simulator.create_api_key(&simulator.user_id(5), hour).unwrap();
    assert_eq!(statuses(&person.token).await, StatusCode::OK);
    let mut forged: Vec<char> = person.token.chars().collect();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == 'a' { 'b' } else { 'a' };
    assert_eq!(statuses(&forged.into_iter().collect::<String>()).await, StatusCode::UNAUTHORIZED);
    simulator.set_user_default_scopes(&["apps"]);
    assert_eq!(statuses(&person.token).await, StatusCode::UNAUTHORIZED, "the permission is gone");
}

#[tokio::test]
async fn tls_with_its_own_authority() {
    let simulator = Simulator::start(Config { tls: true, ..Config::default() }).await.unwrap();
    assert!(simulator.base_url().starts_with("https://localhost:"));
    let url = format!("{}/.well-known/oauth-authorization-server", simulator.base_url());
    let body: Value = read(http(simulator.ca_pem()).get(&url).send().await.unwrap()).await.1;
    assert_eq!(body["token_endpoint"], format!("{}/oauth/token", simulator.base_url()));
    assert!(http("").get(&url).send().await.is_err(), "nobody trusts it by default");
}

#[tokio::test]
async fn an_unknown_host_is_no_tenant() {
    let config = Config { alias_hosts: vec!["alias.example".to_owned()], ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let ask = async |host: &str| {
        let url = format!("{}/resources/autogenerated/product-info.json", simulator.base_url());
        read(http("").get(url).header("host", host).send().await.unwrap()).await
    };
    let (status, body) = ask("misspelt.eu.qlikcloud.com").await;
    assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::UNAUTHORIZED, &json!("LOGIN-2")));
    assert_eq!(ask("alias.example").await.0, StatusCode::OK);
}
