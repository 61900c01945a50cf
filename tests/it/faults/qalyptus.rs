//! Both products of Qalyptus, as the catalogue needs them: with lists in pages, which their endpoint map has to be told of.

use super::remote::{Facts, List, Remote};
use crate::qalyptus::System;
use jackfield_simulators::{
    faults::Fault,
    qalyptus::{Changes, Config, Paging, Population},
    way::{Certificate, Line},
};
use jackfield_tests::Host;
use std::marker::PhantomData;

/// A product, over TLS.
pub(crate) trait Product {
    const CONNECTOR: &'static str;

    fn config() -> Config;
}

/// Qalyptus Server.
pub(crate) struct ServerProduct;

/// Qalyptus Cloud.
pub(crate) struct CloudProduct;

impl Product for ServerProduct {
    const CONNECTOR: &'static str = "qalyptus-server";

    fn config() -> Config {
        Config { tls: jackfield_simulators::qalyptus::Tls::Authority, ..Config::server() }
    }
}

impl Product for CloudProduct {
    const CONNECTOR: &'static str = "qalyptus-cloud";

    fn config() -> Config {
        Config::cloud()
    }
}

/// A system of one of them.
pub(crate) struct Qalyptus<P>(System, PhantomData<P>);

impl<P: Product> Remote for Qalyptus<P> {
    const FACTS: Facts = Facts {
        connector: P::CONNECTOR,
        connection: "Q",
        address: "server_url",
        second_page: List { kind: "project", path: "/api/v1/projects", query: "offset=5" },
        users: List { kind: "user", path: "/api/v1/users", query: "offset=0" },
        first: List { kind: "project", path: "/api/v1/projects", query: "" },
        untouched: "report",
    };

    fn connected() -> Self {
        let population = Population { projects: 60, ..Population::of(20) };
        let system = System::new(Config {
            population,
            paging: Paging::Offset { usual: 100, most: 100 },
            ..P::config()
        });
        let map = r#"endpoint_map={"paging":{"mode":"offset","limit":5}}"#;
        system.add(&["--set", map]).expect_success();
        Qalyptus(system, PhantomData)
    }

    fn host(&self) -> &Host {
        &self.0.host
    }

    fn base_url(&self) -> &str {
        self.0.simulator.origin()
    }

    fn change(&self, revision: u32) {
        self.0.simulator.change(Changes { percent: 10.0, revision });
    }

    fn add_fault(&self, fault: Fault) {
        self.0.simulator.add_fault(fault);
    }

    fn clear_faults(&self) {
        self.0.simulator.clear_faults();
    }

    fn strikes(&self) -> u64 {
        self.0.simulator.strikes()
    }

    fn set_line(&self, line: Line) {
        self.0.simulator.set_line(line).unwrap();
    }

    fn show_certificate(&self, certificate: Certificate) {
        self.0.simulator.show_certificate(certificate).unwrap();
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.0.key.key.clone()]
    }
}
