//! API keys: their life, their header, what they reach.

use std::time::Duration;

use jackfield_simulators::qalyptus::{Config, KeyHeader, KeyRules, NewKey, Simulator, Switches};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, http, read, start, switch};

#[tokio::test]
async fn every_end_of_a_key_looks_the_same() {
    for config in [Config::server(), Config::cloud()] {
        let simulator = start(config).await;
        let key = |owner| simulator.create_api_key(&NewKey { owner, ..NewKey::default() }).unwrap();
        let (good, expired, revoked, deleted) = (key(0), key(0), key(0), key(0));
        let (barred, disabled, switched_off) = (key(1), key(2), key(0));
        simulator.expire_api_key(&expired.id);
        simulator.revoke_api_key(&revoked.id);
        simulator.delete_api_key(&deleted.id);
        simulator.bar_from_keys(1, true);
        simulator.set_user_active(2, false);
        assert_eq!(Client::bearing(&simulator, &good.key).status("projects").await, 200);
        let refused =
            json!({"data": null, "isSuccess": false, "error": "Unauthorized", "errorDetails": null});
        let check = async |what: &str, key: &str| {
            let answer = Client::bearing(&simulator, key).get("projects").await;
            assert_eq!(answer, (StatusCode::UNAUTHORIZED, refused.clone()), "{what}");
        };
        for (what, key) in [
            ("expired", &expired.key),
            ("revoked", &revoked.key),
            ("deleted", &deleted.key),
            ("an owner without the right", &barred.key),
            ("a disabled owner", &disabled.key),
            ("rubbish", &"rubbish".to_owned()),
        ] {
            check(what, key).await;
        }
        simulator.bar_from_keys(1, false);
        simulator.set_user_active(2, true);
        assert_eq!(Client::bearing(&simulator, &barred.key).status("projects").await, 200, "allowed again");
        assert_eq!(Client::bearing(&simulator, &disabled.key).status("projects").await, 200);
        switch(&simulator, Switches { keys_enabled: Some(false), ..Switches::default() });
        check("switched off", &switched_off.key).await;
        assert!(simulator.create_api_key(&NewKey::default()).is_err(), "nor are new ones made");
        switch(&simulator, Switches { keys_enabled: Some(true), ..Switches::default() });
        assert_eq!(Client::bearing(&simulator, &switched_off.key).status("projects").await, 200);
    }
}

#[tokio::test]
async fn a_key_of_the_other_product_is_none() {
    let (server, cloud) = (start(Config::server()).await, start(Config::cloud()).await);
    let key = |simulator: &Simulator| simulator.create_api_key(&NewKey::default()).unwrap().key;
    for (simulator, own, foreign) in
        [(&server, key(&server), key(&cloud)), (&cloud, key(&cloud), key(&server))]
    {
        assert_eq!(Client::bearing(simulator, &own).status("projects").await, 200);
        assert_eq!(Client::bearing(simulator, &foreign).status("projects").await, 401);
    }
}

#[tokio::test]
async fn the_header_is_strict_and_can_be_another() {
    let simulator = start(Config::cloud()).await;
    let key = simulator.create_api_key(&NewKey::default()).unwrap().key;
    let status = async |headers: Vec<(&'static str, String)>| {
        Client::new(&simulator, headers).status("projects").await
    };
    for (headers, expected) in [
        (vec![], 401),
        (vec![("authorization", format!("Bearer {key}"))], 200),
        (vec![("authorization", format!("Bearer Bearer {key}"))], 401),
        (vec![("authorization", format!("Basic {key}"))], 401),
        (vec![("authorization", key.clone())], 401),
        (vec![("x-api-key", key.clone())], 401),
    ] {
        assert_eq!(status(headers.clone()).await, expected, "{headers:?}");
    }
    let query = Client::new(&simulator, Vec::new());
    assert_eq!(query.status(&format!("projects?apiKey={key}")).await, 401, "a key is no parameter");
    let key_header = KeyHeader { name: "X-API-Key".to_owned(), before: String::new() };
    switch(&simulator, Switches { key_header: Some(key_header), ..Switches::default() });
    assert_eq!(status(vec![("x-api-key", key.clone())]).await, 200);
    assert_eq!(status(vec![("authorization", format!("Bearer {key}"))]).await, 401);
}

#[tokio::test]
async fn keys_have_limits() {
    let rules = KeyRules { per_user: 2, max_days: 90, ..KeyRules::default() };
    let simulator = start(Config { keys: rules, ..Config::cloud() }).await;
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let recipient = (10..200)
        .find(|owner| simulator.create_api_key(&NewKey { owner: *owner, ..NewKey::default() }).is_err());
    assert!(recipient.is_some(), "who only receives mail has no key");
    for (what, new) in [
        ("no name", NewKey { name: " ".to_owned(), ..NewKey::default() }),
        ("too long", NewKey { life: days(91), ..NewKey::default() }),
        ("nobody", NewKey { owner: 1_000_000, ..NewKey::default() }),
        ("no such organization", NewKey { organization: 2, ..NewKey::default() }),
    ] {
        assert!(simulator.create_api_key(&new).is_err(), "{what}");
    }
    let longest = NewKey { life: days(90), ..NewKey::default() };
    assert!((0..2).all(|_| simulator.create_api_key(&longest).is_ok()));
    assert!(simulator.create_api_key(&longest).is_err(), "two are the maximum");
}

#[tokio::test]
async fn rights_are_those_of_the_owner() {
    let simulator = start(Config::cloud()).await;
    for (path, may) in [
        ("projects", [true, true, true]),
        ("reports", [true, true, true]),
        ("users/me", [true, true, true]),
        ("tasks", [true, true, false]),
        ("filters", [true, true, false]),
        ("qlik-apps", [true, true, false]),
        ("users", [true, false, false]),
        ("groups", [true, false, false]),
        ("roles", [true, false, false]),
        ("organizations", [true, false, false]),
        ("settings/qlik-sense-integration", [true, false, false]),
    ] {
        for (owner, may) in may.into_iter().enumerate() {
            let client = Client::of_user(&simulator, owner as u64);
            assert_eq!(client.status(path).await, if may { 200 } else { 403 }, "{path} as user {owner}");
        }
    }
}

#[tokio::test]
async fn a_cloud_key_reaches_one_organization() {
    let simulator = start(Config::cloud()).await;
    let of = |organization| {
        let key = simulator.create_api_key(&NewKey { organization, ..NewKey::default() }).unwrap();
        Client::bearing(&simulator, &key.key)
    };
    let (first, second) = (of(0), of(1));
    let names = first.rows("organizations").await;
    assert_eq!((names.len(), &names[0]["name"]), (1, &json!("Qalyptus")));
    for path in ["projects", "connections", "filters", "reports", "tasks", "groups"] {
        let (one, other) = (first.rows(path).await, second.rows(path).await);
        assert!(!one.is_empty() && !other.is_empty(), "{path}");
        assert!(one.iter().all(|row| other.iter().all(|also| also["id"] != row["id"])), "{path}");
    }
    let task = second.rows("tasks").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(second.status(&format!("tasks/{task}/recipients")).await, 200);
    assert_eq!(first.status(&format!("tasks/{task}/recipients")).await, 404);
    let server = start(Config::server()).await;
    assert_eq!(Client::of_user(&server, 0).rows("organizations").await.len(), 2);
}

#[tokio::test]
async fn keys_are_made_and_ended_over_http() {
    let simulator = start(Config::cloud()).await;
    let control = async |method: Method, path: &str, body: &str| {
        let request = http("").request(method, format!("{}/__sim/keys{path}", simulator.origin()));
        read(request.body(body.to_owned()).send().await.unwrap()).await
    };
    for (fate, method) in [("/expire", Method::POST), ("/revoke", Method::POST), ("", Method::DELETE)] {
        let (status, made) = control(Method::POST, "", r#"{"owner": 1, "seconds": 3600}"#).await;
        assert_eq!(status, StatusCode::CREATED);
        let client = Client::bearing(&simulator, made["key"].as_str().unwrap());
        assert_eq!(client.status("tasks").await, 200);
        let path = format!("/{}{fate}", made["id"].as_str().unwrap());
        assert_eq!(control(method, &path, "").await.0, StatusCode::NO_CONTENT);
        assert_eq!(client.status("tasks").await, 401, "{fate}");
    }
    let (_, keys) = control(Method::GET, "", "").await;
    assert_eq!(keys["data"].as_array().unwrap().len(), 2);
    assert!(!keys.to_string().contains("qc_"), "a key is shown once");
    assert_eq!(control(Method::POST, "", r#"{"colour": 1}"#).await.0, StatusCode::BAD_REQUEST);
}
