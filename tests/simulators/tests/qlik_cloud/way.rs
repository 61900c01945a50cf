//! What goes wrong before a request is there: the line and the certificate, by hand and over the control plane.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use jackfield_simulators::qlik_cloud::{Config, Simulator};
use jackfield_simulators::way::{Certificate, Line};
use reqwest::StatusCode;
use serde_json::json;

use crate::client::{http, tenant};

const ENOUGH: Duration = Duration::from_millis(300);

/// What becomes of a call, if nothing is said in it.
fn call(simulator: &Simulator) -> Result<(), ErrorKind> {
    let port = simulator.base_url().rsplit(':').next().unwrap();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    TcpStream::connect_timeout(&address, ENOUGH).map(drop).map_err(|error| error.kind())
}

#[tokio::test]
async fn a_line_that_is_not_open() {
    let simulator = tenant(10).await;
    let probe = format!("{}/.well-known/oauth-authorization-server", simulator.base_url());
    let asked = async || {
        // A connection of its own: those that are open stay so.
        let answer = http("").get(&probe).timeout(ENOUGH).send().await;
        answer.map(|answer| answer.status()).map_err(|error| error.is_timeout())
    };
    assert_eq!((call(&simulator), asked().await), (Ok(()), Ok(StatusCode::OK)));
    for (line, called, answer) in [
        (Line::Refusing, Err(ErrorKind::ConnectionRefused), Err(false)),
        (Line::Deaf, Err(ErrorKind::TimedOut), Err(true)),
        (Line::Silent, Ok(()), Err(true)),
        (Line::Open, Ok(()), Ok(StatusCode::OK)),
        (Line::Deaf, Err(ErrorKind::TimedOut), Err(true)),
        (Line::Refusing, Err(ErrorKind::ConnectionRefused), Err(false)),
        (Line::Open, Ok(()), Ok(StatusCode::OK)),
    ] {
        simulator.set_line(line).unwrap();
        assert_eq!((call(&simulator), asked().await), (called, answer), "{line:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_no_client_should_accept() {
    let simulator = Simulator::start(Config { tls: true, ..Config::default() }).await.unwrap();
    let probe = format!("{}/.well-known/oauth-authorization-server", simulator.base_url());
    for (certificate, why) in [
        (Certificate::Own, None),
        (Certificate::OtherName, Some("NotValidForName")),
        (Certificate::SelfSigned, Some("UnknownIssuer")),
        (Certificate::Expired, Some("Expired")),
        (Certificate::Own, None),
    ] {
        simulator.show_certificate(certificate).unwrap();
        let answer = http(simulator.ca_pem()).get(&probe).send().await;
        match (answer, why) {
            (Ok(answer), None) => assert_eq!(answer.status(), StatusCode::OK),
            (Err(error), Some(why)) => {
                assert!(format!("{error:?}").contains(why), "{certificate:?}: {error:?}");
            }
            (answer, why) => panic!("{certificate:?}: {answer:?}, {why:?}"),
        }
    }
    assert!(tenant(10).await.show_certificate(Certificate::Expired).is_err(), "it speaks plain HTTP");
}

#[tokio::test]
async fn the_control_plane_does_the_same_for_a_time() {
    let simulator = Simulator::start(Config { tls: true, ..Config::default() }).await.unwrap();
    let careless = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let put = async |what: &str, body: serde_json::Value| {
        let request = careless.put(format!("{}/__sim/{what}", simulator.base_url()));
        request.body(body.to_string()).send().await.unwrap().status()
    };
    assert_eq!(put("certificate", json!({"kind": "expired"})).await, StatusCode::NO_CONTENT);
    assert!(http(simulator.ca_pem()).get(simulator.base_url()).send().await.is_err());
    assert_eq!(put("certificate", json!({"kind": "own"})).await, StatusCode::NO_CONTENT);
    assert!(http(simulator.ca_pem()).get(simulator.base_url()).send().await.is_ok());
    for wrong in [json!({"kind": "shut"}), json!({"kind": "deaf", "minutes": 1}), json!({})] {
        assert_eq!(put("line", wrong.clone()).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(put("line", json!({"kind": "refusing", "seconds": 1})).await, StatusCode::NO_CONTENT);
    assert_eq!(call(&simulator), Err(ErrorKind::ConnectionRefused));
    let open = async {
        while call(&simulator).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), open).await.expect("it opens again by itself");
}
