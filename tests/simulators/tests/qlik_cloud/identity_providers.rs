//! Identity providers: the forms of their keys, who may make them, and the one that a tenant has of its own.

use jackfield_simulators::qlik_cloud::{JwtAuthorization, OwnProvider};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, tenant};
use crate::sign_in::{ADMIN, PERSON, PROVIDERS, activated, claims, open, pair, provider, signed};

#[tokio::test]
async fn keys_come_in_several_forms() {
    let certificate = CertificateParams::default().self_signed(pair()).unwrap().pem();
    for pem in [pair().public_key_pem(), pair().public_key_pem().replace(['\n', '\r'], ""), certificate] {
        let simulator = tenant(10).await;
        simulator.set_jwt_authorization(JwtAuthorization::Active);
        let admin = Client::of_user(&simulator, ADMIN);
        let (status, made) = admin.call(Method::POST, PROVIDERS, Some(provider(&pem))).await;
        assert_eq!((status, &made["active"]), (StatusCode::CREATED, &json!(true)), "{pem}");
        let response = open(&simulator, &signed(&claims(&simulator, PERSON), "key-1")).await;
        assert_eq!(response.status(), StatusCode::OK, "{pem}");
    }
}

#[tokio::test]
async fn a_tenant_can_have_a_provider_of_its_own() {
    let simulator = activated().await;
    let admin = Client::of_user(&simulator, ADMIN);
    let login = async || {
        let response = admin.send(Method::GET, "/login?returnto=%2Fsense", None).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        response.headers()["location"].to_str().unwrap().to_owned()
    };
    assert!(login().await.starts_with("https://login.qlik.com/authorize?response_type=code&"));
    let meta = format!("{PROVIDERS}/me/meta");
    assert!(admin.get(&meta).await.1["userPortalLink"].is_string());
    simulator.set_own_provider(Some(OwnProvider::default()));
    assert!(login().await.starts_with("https://idp.example.com/"));
    assert_eq!(admin.get(&meta).await.1, json!({}));
    let (_, status) = admin.get(&format!("{PROVIDERS}/status")).await;
    assert_eq!(
        status,
        json!({"active_interactive_idps_count": 1, "idps_metadata": [
            {"active": true, "provider": "okta", "interactive": true},
            {"active": true, "provider": "external", "interactive": false}]})
    );
    let (rows, _) = admin.all(&format!("{PROVIDERS}?active=true&limit=1")).await;
    assert_eq!(rows.len(), 2);
    let path = |row: &Value| format!("{PROVIDERS}/{}", row["id"].as_str().unwrap());
    let (own, ours) = (path(&rows[0]), path(&rows[1]));
    assert_eq!(admin.call(Method::DELETE, &own, None).await.0, StatusCode::BAD_REQUEST);
    let describe = json!([{"op": "replace", "path": "/description", "value": "d"}]);
    assert_eq!(admin.call(Method::PATCH, &ours, Some(describe)).await.0, StatusCode::NO_CONTENT);
    let deactivate = json!([{"op": "replace", "path": "/active", "value": false}]);
    assert_eq!(admin.call(Method::PATCH, &ours, Some(deactivate)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(admin.get(&ours).await.1["description"], "d");
    assert_eq!(admin.call(Method::DELETE, &ours, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&ours).await.0, StatusCode::NOT_FOUND);
    let response = open(&simulator, &signed(&claims(&simulator, PERSON), "key-1")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "its key went with it");
}

#[tokio::test]
async fn providers_are_for_admins_and_hold_one_key() {
    let simulator = activated().await;
    let (admin, person) = (Client::of_user(&simulator, ADMIN), Client::of_user(&simulator, PERSON));
    assert_eq!(person.get(PROVIDERS).await.0, StatusCode::FORBIDDEN);
    let pem = pair().public_key_pem();
    let body = || provider(&pem);
    assert_eq!(person.call(Method::POST, PROVIDERS, Some(body())).await.0, StatusCode::FORBIDDEN);
    let mut rows = vec![("the same issuer and key", body())];
    let mut other = |name, pointer: &str, value: Value| {
        let mut body = body();
        *body.pointer_mut(pointer).unwrap() = value;
        rows.push((name, body));
    };
    other("two keys", "/options/staticKeys", json!([{"kid": "a", "pem": pem}, {"kid": "b", "pem": pem}]));
    other("no key", "/options/staticKeys", json!([]));
    other("no issuer", "/options/issuer", json!(""));
    other("rubbish", "/options/staticKeys/0/pem", json!("rubbish"));
    other("a private key", "/options/staticKeys/0/pem", json!(pair().serialize_pem()));
    let elliptic = KeyPair::generate().unwrap().public_key_pem();
    other("an elliptic key", "/options/staticKeys/0/pem", json!(elliptic));
    other("another provider", "/provider", json!("okta"));
    other("another protocol", "/protocol", json!("OIDC"));
    for (what, body) in rows {
        let (status, answer) = admin.call(Method::POST, PROVIDERS, Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {answer}");
    }
    assert_eq!(simulator.token_providers().len(), 1);
}
