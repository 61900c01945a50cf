//! Rights: what each role sees, and what it may change.

use reqwest::Method;
use serde_json::json;

use crate::client::{Client, site};

#[tokio::test]
async fn each_role_sees_its_part() {
    let simulator = site().await;
    let total = Client::admin(&simulator).count("app/count").await;
    // RootAdmin, ContentAdmin, DeploymentAdmin, AuditAdmin, SecurityAdmin, HubAdmin.
    for (user, apps, users, virtual_proxies) in [
        (0, true, true, 2),
        (1, true, true, 0),
        (2, true, true, 2),
        (3, true, true, 2),
        (4, true, true, 2),
        (5, true, false, 0),
        (6, false, false, 0),
        (13, true, true, 2),
    ] {
        let client = Client::of_user(&simulator, user);
        assert_eq!(client.count("app/count").await == total, apps, "{user}");
        assert_eq!(client.count("user/count").await > 1, users, "{user}");
        assert_eq!(client.count("virtualproxyconfig/count").await, virtual_proxies, "{user}");
    }
}

#[tokio::test]
async fn people_see_what_is_public_and_their_own() {
    let simulator = site().await;
    let reader = Client::of_user(&simulator, 6);
    let apps = reader.rows("app/full").await;
    let own = |app: &serde_json::Value| app["owner"]["id"] == simulator.user_id(6).as_str();
    assert!(apps.iter().all(|app| own(app) || app["stream"]["name"] == "Everyone"));
    assert!(apps.iter().any(own) && apps.iter().any(|app| !own(app)));
    assert_eq!(reader.rows("user").await.len(), 1);
    let seen = |id: &str| apps.iter().any(|app| app["id"] == id);
    let hidden = (0..60).map(|index| simulator.app_id(index)).find(|id| !seen(id)).unwrap();
    assert_eq!(reader.status(&format!("app/{hidden}")).await, 404, "what is not seen is not there");
    let theirs = apps.iter().find(|app| !own(app)).unwrap();
    let path = format!("app/{}", theirs["id"].as_str().unwrap());
    assert_eq!(reader.call(Method::PUT, &path, Some(theirs.clone())).await.0, 403);
    let mine = apps.iter().find(|app| own(app)).unwrap();
    let path = format!("app/{}", mine["id"].as_str().unwrap());
    assert_eq!(reader.call(Method::PUT, &path, Some(mine.clone())).await.0, 200);
}

#[tokio::test]
async fn only_some_write_virtual_proxies() {
    let simulator = site().await;
    // Without the right to read them there is nothing there; with it alone there is nothing to write.
    for (user, create, change) in [(0, 201, 200), (1, 403, 404), (2, 201, 200), (3, 403, 403), (6, 403, 404)]
    {
        let client = Client::of_user(&simulator, user);
        let name = format!("p{user}");
        let body = json!({"prefix": name, "sessionCookieHeaderName": format!("X-{name}")});
        assert_eq!(client.call(Method::POST, "virtualproxyconfig", Some(body)).await.0, create, "{user}");
        let row = simulator.virtual_proxy("sso").unwrap();
        let path = format!("virtualproxyconfig/{}", row["id"].as_str().unwrap());
        assert_eq!(client.call(Method::PUT, &path, Some(row)).await.0, change, "{user}");
    }
}
