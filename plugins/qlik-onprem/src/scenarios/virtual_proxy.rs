//! The fifth check: making, adjusting, linking, and leaving alone.

use super::*;
use jackfield_plugin::{
    contract::{
        hooks::Purpose,
        http::{Body, Place},
    },
    testkit::Asked,
};

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const CHECK: &str = "Virtual proxy ready";

fn with_key() -> TestKit<QlikOnprem> {
    let certificate = CertificateFacts { pem: Some(PEM.to_owned()), ..CertificateFacts::default() };
    let facts = SecretFacts { present: true, certificate: Some(certificate), ..SecretFacts::default() };
    let kit = site().secret("proxy_key").facts("proxy_key", facts);
    open(&kit);
    kit.on(
        "GET",
        &at("servernodeconfiguration/full"),
        Answer::json(
            200,
            json!([
        { "id": "n1", "engineEnabled": true }, { "id": "n2", "engineEnabled": false }]),
        ),
    );
    kit
}

fn ours(changes: Value) -> Value {
    let mut entity = json!({ "id": "v1", "prefix": "jackfield", "description": "Jackfield: its own sessions",
        "sessionCookieHeaderName": "X-Qlik-Session-jackfield", "sessionInactivityTimeout": 5,
        "defaultVirtualProxy": false, "authenticationMethod": 4, "modifiedDate": "2026-01-01T00:00:00.000Z",
        "jwtPublicKeyCertificate": PEM.replace('\n', "\r\n"), "jwtAttributeUserId": "userId",
        "jwtAttributeUserDirectory": "userDirectory", "loadBalancingServerNodes": [{ "id": "n1" }], "unknown": [1] });
    entity.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    entity
}

fn service(id: &str, host: &str, linked: &[&str]) -> Value {
    let linked: Vec<_> = linked.iter().map(|id| json!({ "id": id, "prefix": "x" })).collect();
    json!({ "id": id, "modifiedDate": "2026-01-01T00:00:00.000Z", "serverNodeConfiguration": { "hostName": host },
        "settings": { "id": "s", "virtualProxies": linked, "listenPort": 443 } })
}

/// The site has these virtual proxies of the prefix, and these proxy services.
fn has(kit: &TestKit<QlikOnprem>, proxies: Value, services: Value) {
    for one in services.as_array().unwrap() {
        kit.on(
            "GET",
            &at(&format!("proxyservice/{}", one["id"].as_str().unwrap())),
            Answer::json(200, one.clone()),
        );
    }
    if let Some(one) = proxies.get(0) {
        kit.on("GET", &at("virtualproxyconfig/v1"), Answer::json(200, one.clone()));
    }
    kit.on("GET", &at("virtualproxyconfig/full"), Answer::json(200, proxies));
    kit.on("GET", &at("proxyservice/full"), Answer::json(200, services));
}

fn writes(kit: &TestKit<QlikOnprem>) -> Vec<Asked> {
    kit.requests().into_iter().filter(|asked| asked.method != "GET").collect()
}

fn body(asked: &Asked) -> Value {
    match &asked.body {
        Body::Json(value) => value.clone(),
        other => panic!("no JSON: {other:?}"),
    }
}

fn told(kit: &TestKit<QlikOnprem>) -> String {
    line_of(&kit.test().unwrap(), CHECK)
}

#[test]
fn the_first_test_makes_it_and_links_it_beside_the_others() {
    let kit = with_key().may_write();
    kit.on("GET", "/jackfield/qrs/about", about());
    has(&kit, json!([]), json!([service("p1", "QLIK.example.com", &["default"])]));
    kit.on("POST", &at("virtualproxyconfig"), Answer::json(201, ours(json!({}))));
    kit.on("PUT", &at("proxyservice/p1"), Answer::json(200, json!({})));
    insta::assert_snapshot!(told(&kit), @r#"Virtual proxy ready: Passed: the virtual proxy "jackfield" was created and linked to the proxy service, and accepts Jackfield's key"#);
    let writes = writes(&kit);
    let made = body(&writes[0]);
    insta::assert_json_snapshot!(made, @r#"
    {
      "additionalResponseHeaders": "",
      "authenticationMethod": 4,
      "customProperties": [],
      "defaultVirtualProxy": false,
      "description": "Jackfield: its own sessions, apart from those of the hub; kept in order by Jackfield's connection test",
      "jwtAttributeUserDirectory": "userDirectory",
      "jwtAttributeUserId": "userId",
      "jwtPublicKeyCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
      "loadBalancingServerNodes": [
        {
          "id": "n1"
        }
      ],
      "prefix": "jackfield",
      "sessionCookieHeaderName": "X-Qlik-Session-jackfield",
      "sessionInactivityTimeout": 30,
      "tags": [],
      "websocketCrossOriginWhiteList": []
    }
    "#);
    let mut linked = service("p1", "QLIK.example.com", &["default"]);
    linked["settings"]["virtualProxies"].as_array_mut().unwrap().push(json!({ "id": "v1" }));
    assert_eq!((writes.len(), body(&writes[1])), (2, linked), "whole, as it was read, and one more");
    let asked = kit.requests();
    let last = asked.last().unwrap();
    assert!(last.has_captured("proxy_jwt", &Place::Bearer), "through the virtual proxy, with a token");
    let signed = kit.signed();
    assert_eq!((signed[0].key.as_str(), &signed[0].claims["userId"]), ("proxy_key", &json!("svc")));
    assert_eq!(signed[0].claims["userDirectory"], "EXAMPLE");
}

#[test]
fn a_later_test_writes_nothing_and_opens_no_session_when_nothing_differs() {
    let kit = with_key().may_write();
    has(&kit, json!([ours(json!({}))]), json!([service("p1", "qlik.example.com", &["default", "V1"])]));
    for _ in 0..2 {
        assert_eq!(
            told(&kit),
            "Virtual proxy ready: Passed: the virtual proxy \"jackfield\" is as it should be\n"
        );
        assert!(writes(&kit).is_empty() && kit.signed().is_empty());
    }
}

#[test]
fn only_what_differs_is_adjusted() {
    let kit = with_key().may_write();
    kit.on("GET", "/jackfield/qrs/about", about());
    let found = ours(json!({ "jwtPublicKeyCertificate": "old", "authenticationMethod": 0 }));
    has(&kit, json!([found]), json!([service("p1", "qlik.example.com", &["default", "v1"])]));
    kit.on("PUT", &at("virtualproxyconfig/v1"), Answer::json(200, json!({})));
    insta::assert_snapshot!(told(&kit), @r#"Virtual proxy ready: Passed: the virtual proxy "jackfield" was adjusted to this connection's key, and accepts Jackfield's key"#);
    let writes = writes(&kit);
    assert_eq!(writes.len(), 1, "it stays linked");
    assert_eq!(body(&writes[0]), ours(json!({ "jwtPublicKeyCertificate": PEM })));
}

#[test]
fn it_is_linked_where_the_server_url_arrives() {
    for (hosts, expected) in [
        (["qlik.example.com", "b.example.com"], vec!["p1"]),
        (["a.example.com", "b.example.com"], vec!["p1", "p2"]),
    ] {
        let kit = with_key().may_write();
        kit.on("GET", "/jackfield/qrs/about", about());
        let services = json!([service("p1", hosts[0], &["default"]), service("p2", hosts[1], &[])]);
        has(&kit, json!([ours(json!({}))]), services);
        kit.on("PUT", &at("proxyservice/p1"), Answer::json(200, json!({})));
        kit.on("PUT", &at("proxyservice/p2"), Answer::json(200, json!({})));
        assert!(kit.test().unwrap().passed());
        let written = writes(&kit);
        let lines: Vec<_> = written.iter().map(Asked::line).collect();
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, id) in lines.iter().zip(expected) {
            assert!(line.starts_with(&format!("PUT {QRS}/proxyservice/{id}?")), "{line}");
        }
    }
}

#[test]
fn somebody_elses_is_never_changed() {
    let kinds = [
        json!({ "description": "Portal", "authenticationMethod": 3 }),
        json!({ "description": "Portal", "jwtPublicKeyCertificate": "theirs" }),
        json!({ "defaultVirtualProxy": true, "authenticationMethod": 0 }),
    ];
    let told: String = kinds
        .map(|changes| {
            let kit = with_key().may_write();
            has(&kit, json!([ours(changes)]), json!([service("p1", "qlik.example.com", &["default"])]));
            let told = told(&kit);
            assert!(writes(&kit).is_empty());
            told
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" was not made by Jackfield, so it is not changed
      You, field proxy_prefix
      → choose another "Virtual proxy prefix"; or, if nobody uses that virtual proxy, delete it in the QMC, or let its description begin with "Jackfield"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" was not made by Jackfield, so it is not changed
      You, field proxy_prefix
      → choose another "Virtual proxy prefix"; or, if nobody uses that virtual proxy, delete it in the QMC, or let its description begin with "Jackfield"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" was not made by Jackfield, so it is not changed
      You, field proxy_prefix
      → choose another "Virtual proxy prefix"; or, if nobody uses that virtual proxy, delete it in the QMC, or let its description begin with "Jackfield"
    "#);
}

#[test]
fn the_mark_of_the_installation_says_whose_it_is() {
    const MARK: &str = "0123456789ab";
    let rows = [
        ("Jackfield (installation 0123456789ab): ours", Some("Jackfield (installation 0123456789ab): ours")),
        ("Jackfield, by hand", Some("Jackfield (installation 0123456789ab), by hand")),
        ("Jackfield (installation ba9876543210): theirs", None),
        ("Portal", None),
    ];
    for (before, after) in rows {
        let kit = with_key().may_write().installation(MARK);
        kit.on("GET", "/jackfield/qrs/about", about());
        let found = ours(json!({ "description": before, "jwtPublicKeyCertificate": "old" }));
        has(&kit, json!([found]), json!([service("p1", "qlik.example.com", &["default", "v1"])]));
        kit.on("PUT", &at("virtualproxyconfig/v1"), Answer::json(200, json!({})));
        let told = told(&kit);
        let written = writes(&kit).first().map(|asked| body(asked)["description"].clone());
        assert_eq!(written, after.map(Value::from), "{told}");
        assert_eq!(told.contains("another installation of Jackfield"), before.contains("theirs"), "{told}");
    }
    let kit = with_key().may_write().installation(MARK);
    kit.on("GET", "/jackfield/qrs/about", about());
    has(&kit, json!([]), json!([service("p1", "qlik.example.com", &["default"])]));
    kit.on("POST", &at("virtualproxyconfig"), Answer::json(201, ours(json!({}))));
    kit.on("PUT", &at("proxyservice/p1"), Answer::json(200, json!({})));
    told(&kit);
    let made = body(&writes(&kit)[0]);
    assert!(
        made["description"].as_str().unwrap().starts_with("Jackfield (installation 0123456789ab): "),
        "{made}"
    );
}

#[test]
fn who_changed_the_virtual_proxy_while_the_test_waited_is_told() {
    let kit = with_key().may_write();
    let found = ours(json!({ "jwtPublicKeyCertificate": "old" }));
    let services = json!([service("p1", "qlik.example.com", &["default", "v1"])]);
    has(&kit, json!([found]), services);
    kit.on("PUT", &at("virtualproxyconfig/v1"), Answer::json(200, json!({})));
    kit.on("GET", "/jackfield/qrs/about", Answer::text(401, "text/plain", "Unauthorized"));
    insta::assert_snapshot!(told(&kit), @r#"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" was changed by somebody else while this test waited for it: it differs in jwtPublicKeyCertificate
      Remote, field proxy_prefix
      → find out who else uses this prefix, and choose another "Virtual proxy prefix" for one of the two; then test again
    "#);
}

#[test]
fn a_stale_write_is_read_again_and_not_forever() {
    let stale = || Answer::text(409, "text/plain", "Conflict");
    let kit = with_key().may_write();
    kit.on("GET", "/jackfield/qrs/about", about());
    has(
        &kit,
        json!([ours(json!({ "authenticationMethod": 0 }))]),
        json!([service("p1", "qlik.example.com", &["v1"])]),
    );
    kit.on(
        "GET",
        &at("virtualproxyconfig/v1"),
        Answer::json(200, ours(json!({ "authenticationMethod": 0, "modifiedDate": "later" }))),
    );
    kit.on("PUT", &at("virtualproxyconfig/v1"), stale()).on(
        "PUT",
        &at("virtualproxyconfig/v1"),
        Answer::json(200, json!({})),
    );
    assert!(kit.test().unwrap().passed());
    assert_eq!(body(&writes(&kit)[1])["modifiedDate"], "later", "as it was read the second time");
    let kit = with_key().may_write();
    has(
        &kit,
        json!([ours(json!({ "authenticationMethod": 0 }))]),
        json!([service("p1", "qlik.example.com", &["v1"])]),
    );
    kit.on("PUT", &at("virtualproxyconfig/v1"), stale());
    insta::assert_snapshot!(told(&kit), @r#"
    Virtual proxy ready: Failed: the virtual proxy was changed by somebody else each time it was to be written (409 "Conflict")
      Remote, field -
      → try again when nobody works on the proxies in the QMC
    "#);
    assert_eq!(writes(&kit).len(), 3);
}

#[test]
fn a_test_that_may_not_write_says_what_is_missing() {
    let kit = with_key().purpose(Purpose::Scheduled);
    has(
        &kit,
        json!([ours(json!({ "jwtAttributeUserId": "sub" }))]),
        json!([service("p1", "qlik.example.com", &[])]),
    );
    insta::assert_snapshot!(told(&kit), @r#"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" is not ready: it differs in jwtAttributeUserId; it is not linked to the proxy service
      Remote, field proxy_prefix
      → test the connection by hand: such a test puts it right; the proxy then restarts, which ends the sessions on it
    "#);
    assert!(writes(&kit).is_empty());
}

#[test]
fn a_prefix_or_cookie_that_is_taken_has_its_message() {
    let kit = with_key().may_write();
    has(&kit, json!([]), json!([service("p1", "qlik.example.com", &["default"])]));
    kit.on(
        "POST",
        &at("virtualproxyconfig"),
        Answer::text(400, "text/plain", "Session cookie header name must be unique"),
    );
    insta::assert_snapshot!(told(&kit), @r#"
    Virtual proxy ready: Failed: the virtual proxy "jackfield" could not be made (400 "Session cookie header name must be unique")
      You, field proxy_prefix
      → its prefix and its session cookie must be the only ones of their names on the site: choose another "Virtual proxy prefix"
    "#);
    assert_eq!(writes(&kit).len(), 1, "nothing is linked");
}

#[test]
fn the_restart_of_the_proxy_is_waited_for_and_not_forever() {
    use jackfield_plugin::{Blame, Failure, Stage};
    let down = |stage| {
        Answer::failure(Failure::new(Blame::Network, "qlik.example.com:443 is not as it should be").at(stage))
    };
    let cases = [
        (vec![down(Stage::Connect), Answer::status(404), about()], 3),
        (vec![Answer::text(401, "text/plain", "Unauthorized")], 30),
        (vec![Answer::text(200, "text/html", "<html><title>Sign in</title></html>")], 30),
        (vec![down(Stage::Tls)], 1),
    ];
    let told: String = cases
        .map(|(answers, times)| {
            let kit = with_key().may_write();
            let services = json!([service("p1", "qlik.example.com", &["default"])]);
            has(&kit, json!([ours(json!({}))]), services);
            kit.on("PUT", &at("proxyservice/p1"), Answer::json(200, json!({})));
            let linked = json!([service("p1", "qlik.example.com", &["default", "v1"])]);
            kit.on("GET", &at("proxyservice/full"), Answer::json(200, linked));
            for answer in answers {
                kit.on("GET", "/jackfield/qrs/about", answer);
            }
            let told = told(&kit);
            let asked = kit.requests();
            assert_eq!(asked.iter().filter(|asked| asked.line().contains("/jackfield/qrs")).count(), times);
            told
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Virtual proxy ready: Passed: the virtual proxy "jackfield" was linked to the proxy service, and accepts Jackfield's key
    Virtual proxy ready: Failed: the virtual proxy "jackfield" is set up, but a minute later the proxy still does not accept Jackfield's key (401 "Unauthorized")
      Remote, field server_url
      → test again in a few minutes; if it lasts, check that the server URL leads to the proxy on the node that the virtual proxy is linked to, and look into the log of the Qlik Sense Proxy Service
    Virtual proxy ready: Failed: the virtual proxy "jackfield" is set up, but a minute later the proxy still does not accept Jackfield's key (200 "web page: Sign in")
      Remote, field server_url
      → test again in a few minutes; if it lasts, check that the server URL leads to the proxy on the node that the virtual proxy is linked to, and look into the log of the Qlik Sense Proxy Service
    Virtual proxy ready: Failed: the virtual proxy is set up, but cannot be used: qlik.example.com:443 is not as it should be
      Network, field -
      → -
    "#);
}

#[test]
fn a_key_without_its_certificate_is_told() {
    let kit = site().secret("proxy_key");
    open(&kit);
    insta::assert_snapshot!(told(&kit), @r#"
    Virtual proxy ready: Failed: the virtual proxy's key pair has no certificate that can be registered
      You, field proxy_key
      → give the RSA private key followed by its certificate, both as PEM
    "#);
}
