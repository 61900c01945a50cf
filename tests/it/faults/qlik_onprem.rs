//! A site of Qlik Sense Enterprise, as the catalogue needs it: the faults are those of its repository.

use super::remote::{Facts, List, Remote, lines_of_key};
use crate::qlik_onprem::Site;
use jackfield_simulators::{
    faults::Fault,
    qlik_onprem::{Changes, Config, Population},
    way::{Certificate, Line},
};
use jackfield_tests::Host;

impl Remote for Site {
    const FACTS: Facts = Facts {
        connector: "qlik-onprem",
        connection: "Q",
        address: "server_url",
        second_page: List { kind: "tag", path: "/qrs/tag/table", query: "skip=500" },
        users: List { kind: "tag", path: "/qrs/tag/table", query: "skip=0" },
        first: List { kind: "node", path: "/qrs/about", query: "" },
        untouched: "stream",
    };

    fn connected() -> Self {
        let population = Population { tags: 600, ..Population::of(30) };
        let site = Site::new(Config { population, ..Config::default() });
        site.add().expect_success();
        site
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn base_url(&self) -> &str {
        self.simulator.proxy_url()
    }

    fn change(&self, revision: u32) {
        self.simulator.change(Changes { percent: 10.0, revision });
    }

    fn add_fault(&self, fault: Fault) {
        self.simulator.add_fault(fault);
    }

    fn clear_faults(&self) {
        self.simulator.clear_faults();
    }

    fn strikes(&self) -> u64 {
        self.simulator.strikes()
    }

    fn set_line(&self, line: Line) {
        self.simulator.set_line(line).unwrap();
    }

    fn show_certificate(&self, certificate: Certificate) {
        self.simulator.show_certificate(certificate).unwrap();
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = lines_of_key(&self.simulator.client_certificate().key_pem);
        secrets.push(crate::qlik_onprem::PASSWORD.to_owned());
        secrets
    }
}
