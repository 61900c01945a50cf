//! Virtual proxies: making, linking, changing, removing; what that does to the proxy; and that the default one stays.

use jackfield_simulators::qlik_onprem::{Action, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, site};

fn wanted(prefix: &str) -> Value {
    json!({"prefix": prefix, "description": "Catalogue", "sessionCookieHeaderName": format!("X-Qlik-Session-{prefix}"),
           "sessionInactivityTimeout": 30, "authenticationMethod": "JWT", "jwtAttributeUserId": "userId",
           "jwtAttributeUserDirectory": "userDirectory", "jwtPublicKeyCertificate": ""})
}

async fn make(admin: &Client, prefix: &str) -> Value {
    let (status, row) = admin.call(Method::POST, "virtualproxyconfig", Some(wanted(prefix))).await;
    assert_eq!(status, StatusCode::CREATED, "{row}");
    row
}

/// The proxy with these virtual proxies added.
async fn with_links(admin: &Client, ids: &[&Value]) -> (String, Value) {
    let mut proxy = admin.rows("proxyservice/full").await.remove(0);
    let links = proxy["settings"]["virtualProxies"].as_array_mut().unwrap();
    links.extend(ids.iter().map(|id| json!({"id": id})));
    (format!("proxyservice/{}", proxy["id"].as_str().unwrap()), proxy)
}

#[tokio::test]
async fn one_is_made_linked_changed_and_removed() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let made = make(&admin, "jackfield").await;
    assert_eq!((&made["authenticationMethod"], &made["defaultVirtualProxy"]), (&json!(4), &json!(false)));
    assert_eq!(
        (simulator.proxy_restarts(), simulator.linked_prefixes()),
        (0, vec![String::new(), "sso".to_owned()])
    );

    let (path, proxy) = with_links(&admin, &[&made["id"]]).await;
    let (status, linked) = admin.call(Method::PUT, &path, Some(proxy.clone())).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(linked["settings"]["virtualProxies"][2]["prefix"], "jackfield", "references are filled in");
    assert_eq!((simulator.proxy_restarts(), simulator.linked_prefixes().len()), (1, 3));
    assert_eq!(admin.call(Method::PUT, &path, Some(proxy)).await.0, 409, "the proxy is newer now");

    // A write without a difference disturbs nobody; one with a difference does, as the virtual proxy is linked.
    let path = format!("virtualproxyconfig/{}", made["id"].as_str().unwrap());
    let (_, same) = admin.call(Method::PUT, &path, Some(made.clone())).await;
    assert_eq!(simulator.proxy_restarts(), 1);
    let mut changed = same.clone();
    changed["sessionInactivityTimeout"] = json!(20);
    assert_eq!(admin.call(Method::PUT, &path, Some(changed)).await.0, 200);
    assert_eq!(simulator.proxy_restarts(), 2);

    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 400, "it is linked");
    let (proxy_path, mut proxy) = with_links(&admin, &[]).await;
    proxy["settings"]["virtualProxies"].as_array_mut().unwrap().pop();
    assert_eq!(admin.call(Method::PUT, &proxy_path, Some(proxy)).await.0, 200);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 204);
    assert!(simulator.virtual_proxy("jackfield").is_none());
    assert!(simulator.default_virtual_proxy_is_untouched());
    let users: Vec<String> = simulator.events().iter().map(|event| event.user.clone()).collect();
    assert!(users.iter().all(|user| user == r"EXAMPLE\svc_qlik"));
}

#[tokio::test]
async fn what_a_virtual_proxy_must_be_like() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    make(&admin, "taken").await;
    for (member, value) in [
        ("prefix", json!("taken")),
        ("prefix", json!("TAKEN")),
        ("prefix", json!("")),
        ("prefix", json!("a/b")),
        ("prefix", json!("x".repeat(101))),
        ("sessionCookieHeaderName", json!("X-Qlik-Session")),
        ("sessionCookieHeaderName", json!("")),
        ("sessionCookieHeaderName", Value::Null),
        ("sessionInactivityTimeout", json!(0)),
        ("sessionInactivityTimeout", json!(71_583)),
        ("authenticationMethod", json!(6)),
        ("authenticationMethod", json!("Magic")),
        ("description", json!("x".repeat(501))),
        ("defaultVirtualProxy", json!(true)),
        ("loadBalancingServerNodes", json!([{"id": "00000000-0000-0000-0000-000000000000"}])),
    ] {
        let mut body = wanted("fresh");
        body[member] = value.clone();
        let (status, text) = admin.call(Method::POST, "virtualproxyconfig", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{member} {value}: {text}");
        assert!(text.is_string(), "a short text: {text}");
    }
    let node = admin.rows("servernodeconfiguration").await[0]["id"].clone();
    let mut body = wanted("fresh");
    body["loadBalancingServerNodes"] = json!([{"id": node}]);
    let (_, row) = admin.call(Method::POST, "virtualproxyconfig", Some(body)).await;
    assert_eq!(row["loadBalancingServerNodes"][0]["name"], "Central");
}

#[tokio::test]
async fn the_default_one_stays() {
    let simulator: Simulator = site().await;
    let admin = Client::admin(&simulator);
    let (path, mut proxy) = with_links(&admin, &[]).await;
    proxy["settings"]["virtualProxies"].as_array_mut().unwrap().remove(0);
    let (status, text) = admin.call(Method::PUT, &path, Some(proxy)).await;
    assert_eq!((status.as_u16(), text), (400, json!("The default virtual proxy cannot be unlinked")));
    assert!(simulator.default_virtual_proxy_is_untouched());
    let (path, proxy) = with_links(&admin, &[&json!("00000000-0000-0000-0000-000000000000")]).await;
    assert_eq!(admin.call(Method::PUT, &path, Some(proxy)).await.0, 400);

    let default = simulator.virtual_proxy("").unwrap();
    let path = format!("virtualproxyconfig/{}", default["id"].as_str().unwrap());
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 400);
    assert!(!simulator.default_virtual_proxy_is_untouched(), "the attempt is seen");
    assert!(
        simulator.events().iter().any(|event| event.action == Action::Refused && default["id"] == event.id)
    );
    simulator.clear_events();
    assert!(simulator.default_virtual_proxy_is_untouched());
    assert_eq!(admin.call(Method::PUT, &path, Some(default)).await.0, 200, "a write without a difference");
    assert!(!simulator.default_virtual_proxy_is_untouched(), "is one, too");
}

#[tokio::test]
async fn an_administrator_changes_one_behind_the_back() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let made = make(&admin, "jackfield").await;
    simulator.set_virtual_proxy("jackfield", &json!({"sessionInactivityTimeout": 5})).unwrap();
    let path = format!("virtualproxyconfig/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.call(Method::PUT, &path, Some(made)).await.0, 409);
    let fresh = admin.get(&path).await.1;
    assert_eq!(fresh["sessionInactivityTimeout"], 5);
    assert_eq!(admin.call(Method::PUT, &path, Some(fresh)).await.0, 200);
}
