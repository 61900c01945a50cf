//! What goes wrong on request, and what the journal saw.

use jackfield_simulators::faults::{BodyKind, Fault, FaultKind};
use jackfield_simulators::way::{Certificate, Line};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{Client, http, read, site};

#[tokio::test]
async fn faults_hit_paths_in_any_case_on_either_port() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    simulator.fail_next("/QRS/About", 503, 1);
    assert_eq!(admin.get("about").await, (StatusCode::SERVICE_UNAVAILABLE, json!("Service Unavailable")));
    let page = FaultKind::Status { status: 200, body: BodyKind::Html };
    simulator.add_fault(Fault::new("/qrs/app", page).times(1));
    let text = admin.send(Method::GET, "app/full", None).await.unwrap().text().await.unwrap();
    assert!(text.starts_with("<html>"), "{text}");
    simulator.add_fault(Fault::new("/qrs/app", FaultKind::ResetMidBody).times(1));
    assert!(admin.send(Method::GET, "app", None).await.unwrap().bytes().await.is_err());
    simulator.fail_next("/sso/qrs", 502, 1);
    let visitor = Client::outside(&simulator, &[("x-forwarded-user", "svc_qlik".to_owned())]);
    assert_eq!((visitor.status("/sso/qrs/about").await, visitor.status("/sso/qrs/about").await), (502, 200));
    simulator.add_fault(Fault::new("/", FaultKind::Hang));
    simulator.clear_faults();
    assert_eq!(admin.status("about").await, 200);
}

#[tokio::test]
async fn lines_and_certificates_are_of_either_port() {
    let simulator = site().await;
    let (inside, outside) = (Client::admin(&simulator), Client::outside(&simulator, &[]));
    let goes = async |client: &Client| {
        // A new client each time: connections that are open stay as they are.
        let http = http(&simulator, true);
        http.get(format!("{}/hub", client.base)).send().await.is_ok()
    };
    assert_eq!((goes(&inside).await, goes(&outside).await), (true, true));
    simulator.set_line(Line::Refusing).unwrap();
    assert_eq!((goes(&inside).await, goes(&outside).await), (false, true));
    simulator.set_line(Line::Open).unwrap();
    simulator.set_proxy_line(Line::Refusing).unwrap();
    assert_eq!((goes(&inside).await, goes(&outside).await), (true, false));
    simulator.set_proxy_line(Line::Open).unwrap();
    for kind in [Certificate::Expired, Certificate::OtherName, Certificate::SelfSigned] {
        simulator.show_certificate(kind).unwrap();
        assert_eq!((goes(&inside).await, goes(&outside).await), (false, true), "{kind:?}");
    }
    simulator.show_certificate(Certificate::Own).unwrap();
    simulator.show_proxy_certificate(Certificate::Expired).unwrap();
    assert_eq!((goes(&inside).await, goes(&outside).await), (true, false));
}

#[tokio::test]
async fn a_page_that_repeats() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let body =
        json!({"entity": "User", "columns": [{"name": "id", "columnType": "Property", "definition": "id"}]});
    let page = async |skip: u32| {
        let path = format!("user/table?skip={skip}&take=10&sortcolumn=id&orderascending=true");
        admin.call(Method::POST, &path, Some(body.clone())).await.1["rows"].clone()
    };
    let first = page(0).await;
    assert_ne!(page(10).await, first);
    simulator.add_fault(Fault::new("/qrs/user/table", FaultKind::RepeatPage).times(1));
    assert_eq!(page(10).await, first);
}

#[tokio::test]
async fn the_journal_and_the_control_plane() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    assert_eq!(admin.status("stream/full").await, 200);
    let request = simulator.requests().remove(0);
    assert_eq!((request.status, request.user.as_deref()), (200, Some(r"EXAMPLE\svc_qlik")));
    assert_eq!((simulator.counters().rows, simulator.counters().max_in_flight), (4, 1));
    let control = async |method: Method, path: &str, body: String| {
        let url = format!("{}/__sim/{path}", simulator.proxy_url());
        read(http(&simulator, false).request(method, url).body(body).send().await.unwrap()).await
    };
    let fault = json!({"path": "/qrs/App", "kind": "status", "status": 500, "times": 1}).to_string();
    assert_eq!(control(Method::POST, "faults", fault).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.status("app").await, 500);
    assert_eq!(control(Method::POST, "faults", "{}".to_owned()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(admin.call(Method::POST, "tag", Some(json!({"name": "x"}))).await.0, 201);
    let line = json!({"kind": "open"}).to_string();
    for order in ["line", "proxy-line"] {
        assert_eq!(control(Method::PUT, order, line.clone()).await.0, StatusCode::NO_CONTENT);
    }
    let own = json!({"kind": "own"}).to_string();
    for order in ["certificate", "proxy-certificate"] {
        assert_eq!(control(Method::PUT, order, own.clone()).await.0, StatusCode::NO_CONTENT);
        assert_eq!(control(Method::PUT, order, "{}".to_owned()).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(control(Method::GET, "faults", String::new()).await.1["strikes"], 1);
    let events = control(Method::GET, "events", String::new()).await.1;
    assert_eq!(
        (&events["data"][0]["action"], &events["data"][0]["entity"]),
        (&json!("created"), &json!("Tag"))
    );
    assert_eq!(control(Method::GET, "sessions", String::new()).await.1["issued"], 0);
    let changes = json!({"percent": 10.0, "revision": 1}).to_string();
    assert_eq!(control(Method::POST, "changes", changes).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.status("app").await, 200);
}
