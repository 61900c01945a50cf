//! What credential rotation meets: keys, secrets, webhooks.

use jackfield_simulators::qlik_cloud::NewClient;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, tenant, token};

#[tokio::test]
async fn a_key_replaces_itself() {
    let simulator = tenant(10).await;
    let user = simulator.user_id(0);
    let old = Client::of_user(&simulator, 0);
    let old_id = simulator.active_api_keys(&user).pop().unwrap();
    let body = json!({"description": "rotated", "expiry": "PT12H"});
    let (status, made) = old.call(Method::POST, "/api/v1/api-keys", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(made["expiry"].as_str().unwrap().ends_with('Z'), "a duration in, a time out");
    let new = Client::new(&simulator, made["token"].as_str().unwrap());
    assert_eq!(new.get("/api/v1/users/me").await.1["id"], user.as_str());
    let path = format!("/api/v1/api-keys/{old_id}");
    assert_eq!(new.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(old.get("/api/v1/users/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(new.get(&path).await.0, StatusCode::NOT_FOUND, "the owner deletes");
}

#[tokio::test]
async fn keys_have_limits() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let create = async |expiry: &str| {
        let body = json!({"description": "one more", "expiry": expiry});
        admin.call(Method::POST, "/api/v1/api-keys", Some(body)).await.0
    };
    assert_eq!(create("P2D").await, StatusCode::BAD_REQUEST, "the maximum is a day");
    let config = format!("/api/v1/api-keys/configs/{}", simulator.tenant_id());
    let patch = json!([{"op": "replace", "path": "/max_api_key_expiry", "value": "P30D"}]);
    assert_eq!(admin.call(Method::PATCH, &config, Some(patch)).await.0, StatusCode::NO_CONTENT);
    for _ in 0..4 {
        assert_eq!(create("P2D").await, StatusCode::CREATED);
    }
    assert_eq!(create("P2D").await, StatusCode::FORBIDDEN, "five active keys are the maximum");
}

#[tokio::test]
async fn an_admin_revokes_what_is_not_theirs() {
    let simulator = tenant(10).await;
    let (admin, person) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 5));
    let id = simulator.active_api_keys(&simulator.user_id(5)).pop().unwrap();
    let path = format!("/api/v1/api-keys/{id}");
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&path).await.1["status"], "revoked");
    assert_eq!(person.get("/api/v1/users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn secrets_overlap_until_deleted() {
    let simulator = tenant(10).await;
    let first = simulator.create_oauth_client(&NewClient::default());
    let machine = Client::of_machine(&simulator, &first).await;
    let path = format!("/api/v1/oauth-clients/{}/client-secrets", first.client_id);
    let mut last = None;
    for _ in 0..4 {
        let (status, body) = machine.call(Method::POST, &path, None).await;
        assert_eq!(status, StatusCode::CREATED);
        last = Some(body);
    }
    assert_eq!(machine.call(Method::POST, &path, None).await.0, StatusCode::CONFLICT);
    let mut second = first.clone();
    second.client_secret = last.unwrap()["clientSecret"].as_str().unwrap().to_owned();
    assert_eq!(token(&simulator, &first).await.0, StatusCode::OK);
    assert_eq!(token(&simulator, &second).await.0, StatusCode::OK);
    let old = format!("{path}/{}", first.hint);
    assert_eq!(machine.call(Method::DELETE, &old, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(token(&simulator, &first).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(machine.get("/api/v1/users/me").await.0, StatusCode::OK, "issued tokens live on");
}

#[tokio::test]
async fn tokens_are_listed_and_ended() {
    let simulator = tenant(10).await;
    let credentials = simulator.create_oauth_client(&NewClient::default());
    let machine = Client::of_machine(&simulator, &credentials).await;
    let (admin, person) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 5));
    let tokens = format!("/api/v1/oauth-tokens?userId={}", simulator.bot_user_of(&credentials.client_id));
    let (rows, _) = admin.all(&tokens).await;
    assert_eq!(rows.len(), 1);
    assert!(person.all("/api/v1/oauth-tokens").await.0.is_empty(), "others see their own");
    let path = format!("/api/v1/oauth-tokens/{}", rows[0]["id"].as_str().unwrap());
    assert_eq!(person.call(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(machine.get("/api/v1/users/me").await.0, StatusCode::UNAUTHORIZED);
    assert!(admin.all(&tokens).await.0.is_empty());
}

#[tokio::test]
async fn consent_is_given_and_withdrawn() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let credentials = simulator.create_oauth_client(&NewClient::default());
    let client = format!("/api/v1/oauth-clients/{}", credentials.client_id);
    let consent = format!("{client}/connection-configs/me");
    assert_eq!(admin.get(&consent).await.1["consentMethod"], "trusted");
    assert_eq!(admin.call(Method::DELETE, &consent, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(token(&simulator, &credentials).await.0, StatusCode::UNAUTHORIZED);
    let trust = json!([{"op": "replace", "path": "/consentMethod", "value": "trusted"}]);
    assert_eq!(admin.call(Method::PATCH, &consent, Some(trust)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(token(&simulator, &credentials).await.0, StatusCode::OK);
    let (status, published) = admin.call(Method::POST, &format!("{client}/actions/publish"), None).await;
    assert_eq!((status, published["publishedAt"].is_string()), (StatusCode::CREATED, true));
}

#[tokio::test]
async fn a_put_clears_what_it_leaves_out() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let body = json!({"name": "hook", "url": "https://a.example/x", "description": "d", "headers": {"x-token": "t"}});
    let (status, made) = admin.call(Method::POST, "/api/v1/webhooks", Some(body)).await;
    assert_eq!((status, &made["enabled"]), (StatusCode::CREATED, &json!(false)));
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    let put = json!({"name": "hook", "url": "https://a.example/x", "enabled": true});
    let (_, changed) = admin.call(Method::PUT, &path, Some(put)).await;
    assert!(changed.get("description").is_none() && changed["enabled"] == true);
    let person = Client::of_user(&simulator, 5);
    assert_eq!(person.get(&path).await.0, StatusCode::NOT_FOUND);
    let tenant_level = json!({"name": "mine", "url": "https://a.example/y"});
    assert_eq!(
        person.call(Method::POST, "/api/v1/webhooks", Some(tenant_level)).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_reload_runs_by_the_clock() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    let body = json!({"appId": simulator.app_id(3)});
    let (status, reload) = admin.call(Method::POST, "/api/v1/reloads", Some(body)).await;
    assert_eq!((status, &reload["status"]), (StatusCode::CREATED, &json!("QUEUED")));
    let path = format!("/api/v1/reloads/{}", reload["id"].as_str().unwrap());
    let cancel = format!("{path}/actions/cancel");
    assert_eq!(admin.call(Method::POST, &cancel, None).await.0, StatusCode::ACCEPTED);
    assert_eq!(admin.get(&path).await.1["status"], "CANCELED");
    assert_eq!(admin.call(Method::POST, &cancel, None).await.0, StatusCode::CONFLICT);
}
