//! The listener's certificate: a proper one is trusted through its authority, the ones that servers make themselves by
//! nobody who follows the rules.

use jackfield_simulators::nprinting::{Config, Simulator, Tls};

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
