//! The listener's certificate: a proper one is trusted through its authority, the ones that servers make themselves by
//! nobody who follows the rules.

use jackfield_simulators::nprinting::{Config, Simulator, Tls};
use jackfield_simulators::way::{Certificate, Line};

use crate::client::{Client, http, pair};

#[tokio::test]
async fn a_proper_certificate() {
    let simulator = Simulator::start(Config::default()).await.unwrap();
    simulator.register_jwt_certificate(&pair().certificate_pem).unwrap();
    assert!(simulator.base_url().starts_with("https://localhost:"));
    assert_eq!(Client::of_user(&simulator, 0).status("apps").await, 200);
    let stranger = http(Simulator::start(Config::default()).await.unwrap().ca_pem());
    assert!(stranger.get(simulator.base_url()).send().await.is_err());
    assert_eq!(simulator.leaf_sha256().len(), 64);
}

#[tokio::test]
async fn a_certificate_that_the_server_made_itself() {
    for (tls, why) in [(Tls::SelfMade, "CaUsedAsEndEntity"), (Tls::CommonNameOnly, "NotValidForName")] {
        let simulator = Simulator::start(Config { tls, ..Config::default() }).await.unwrap();
        let refused = http(simulator.ca_pem()).get(simulator.base_url()).send().await.unwrap_err();
        assert!(format!("{refused:?}").contains(why), "{tls:?}: {refused:?}");
        let careless = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let response = careless.get(format!("{}/api/v1/apps", simulator.base_url())).send().await.unwrap();
        assert_eq!(response.status(), 401);
    }
}

#[tokio::test]
async fn a_certificate_and_a_line_that_go_bad() {
    for tls in [Tls::Authority, Tls::SelfMade] {
        let simulator = Simulator::start(Config { tls, ..Config::default() }).await.unwrap();
        let careless = || reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let put = async |what: &str, body: &'static str| {
            let url = format!("{}/__sim/{what}", simulator.base_url());
            careless().put(url).body(body).send().await.unwrap().status().as_u16()
        };
        simulator.show_certificate(Certificate::Expired).unwrap();
        let refused = http(simulator.ca_pem()).get(simulator.base_url()).send().await.unwrap_err();
        assert!(refused.is_connect(), "{tls:?}: {refused:?}");
        assert_eq!(put("certificate", r#"{"kind": "self-signed"}"#).await, 204);
        assert_eq!(put("certificate", r#"{"kind": "nobody's"}"#).await, 400);
        assert_eq!(put("line", r#"{"kind": "refusing"}"#).await, 204);
        assert!(careless().get(simulator.base_url()).send().await.unwrap_err().is_connect());
        simulator.set_line(Line::Open).unwrap();
        assert_eq!(put("line", r#"{"kind": "open"}"#).await, 204);
    }
}
