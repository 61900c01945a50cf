//! Who calls: the key against forged requests, and the user whom the certificate's holder speaks for.

use jackfield_simulators::qlik_onprem::{Config, MissingUser, Simulator};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, KEY, http, site};

const FORGED: &str = "XSRF prevention check failed. Possible XSRF discovered.";

#[tokio::test]
async fn the_key_must_be_in_both_places() {
    let simulator = site().await;
    let http = http(&simulator, true);
    for (query, header, status) in [
        (format!("?xrfkey={KEY}"), Some(KEY), 200),
        (format!("?XRFKEY={KEY}"), Some(KEY), 200),
        (format!("?xrfkey={KEY}"), None, 403),
        (String::new(), Some(KEY), 403),
        (format!("?xrfkey={KEY}"), Some("abcdefghij012346"), 403),
        ("?xrfkey=short".to_owned(), Some("short"), 403),
        ("?xrfkey=abcdefghij01234-".to_owned(), Some("abcdefghij01234-"), 403),
        ("?xrfkey=abcdefghij0123456".to_owned(), Some("abcdefghij0123456"), 403),
    ] {
        let mut request = http.get(format!("{}/QRS/About{query}", simulator.repository_url()));
        request = request.header("X-Qlik-User", "UserDirectory=INTERNAL;UserId=sa_api");
        if let Some(header) = header {
            request = request.header("X-Qlik-Xrfkey", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{query} {header:?}");
        if status == 403 {
            assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
            assert_eq!(response.text().await.unwrap(), FORGED);
        }
    }
}

#[tokio::test]
async fn a_filter_that_is_not_encoded_breaks_the_query() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (path, status, text) in [
        ("app?filter=name eq 'A#B'", 403, FORGED),
        ("app?filter=name eq 'A&B'", 400, "Missing parameter value(s)"),
    ] {
        let (got, body) = admin.get(path).await;
        assert_eq!((got.as_u16(), body), (status, json!(text)), "{path}");
    }
}

#[tokio::test]
async fn who_is_somebody() {
    let simulator = site().await;
    let (directory, id) = simulator.user(0);
    for (directory, id, status) in [
        (directory.as_str(), id.as_str(), 200),
        (&directory.to_lowercase(), &id.to_uppercase(), 200),
        ("INTERNAL", "sa_api", 200),
        ("INTERNAL", "sa_repository", 200),
        ("EXAMPLE", "nobody", 403),
        ("OTHER", &id, 403),
        ("EXAMPLE", "blocked", 403),
        ("EXAMPLE", "inactive", 403),
        ("EXAMPLE", "departed", 403),
    ] {
        let client = Client::named(&simulator, directory, id);
        assert_eq!(client.status("about").await, status, "{directory}\\{id}");
    }
    let about = Client::admin(&simulator).get("about").await.1;
    assert_eq!((&about["nodeType"], &about["schemaPath"]), (&json!(1), &json!("About")));
}

#[tokio::test]
async fn a_user_can_be_made_blocked_and_demoted() {
    let simulator = site().await;
    let user = simulator.create_user("EXAMPLE", "svc_jackfield", &["RootAdmin"]).unwrap();
    let client = Client::named(&simulator, "example", "SVC_Jackfield");
    assert_eq!(client.count("user/count?filter=userId%20eq%20'svc_jackfield'").await, 1);
    simulator.set_user(&user, &json!({"roles": ["ContentAdmin"]})).unwrap();
    assert_eq!(client.count("virtualproxyconfig/count").await, 0, "not for a content administrator");
    simulator.set_user(&user, &json!({"blacklisted": true})).unwrap();
    assert_eq!(client.status("about").await, 403);
}

#[tokio::test]
async fn nobody_at_all_is_as_configured() {
    for (missing_user, status) in [(MissingUser::Refused, 403), (MissingUser::Administrator, 200)] {
        let simulator = Simulator::start(Config { missing_user, ..Config::default() }).await.unwrap();
        let mut client = Client::admin(&simulator);
        client.headers.pop();
        assert_eq!(client.status("virtualproxyconfig").await, status, "{missing_user:?}");
    }
    let config = Config { refuse_unknown_users: false, ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let stranger = Client::named(&simulator, "EXAMPLE", "stranger");
    assert_eq!(stranger.count("user/count").await, 0, "a stranger sees nobody");
}

#[tokio::test]
async fn what_does_not_fit() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (method, path, status) in [
        (Method::GET, "nothing", 404),
        (Method::GET, "app/not-a-guid", 400),
        (Method::GET, "app/00000000-0000-0000-0000-000000000000", 404),
        (Method::GET, "task/count", 400),
        (Method::PATCH, "app", 405),
        (Method::DELETE, "app", 405),
        (Method::POST, "proxyservice", 405),
    ] {
        assert_eq!(admin.call(method.clone(), path, Some(json!({}))).await.0, status, "{method} {path}");
    }
    let form = admin.http.post(format!("{}/qrs/tag?xrfkey={KEY}", admin.base)).header("x-qlik-xrfkey", KEY);
    let form =
        form.header("x-qlik-user", &admin.headers[1].1).header("content-type", "text/plain").body("{}");
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert_eq!(admin.call(Method::POST, "tag", Some(json!([]))).await.0, 400);
}
