//! Remote systems, as the catalogue needs them: something to connect to, to spoil, and to repair.

pub(crate) use super::qalyptus::{CloudProduct, Qalyptus, ServerProduct};

use super::{
    catalogue::Inject,
    elsewhere::{ELSEWHERE, Elsewhere},
};
use crate::{nprinting::Server, qlik_cloud::Tenant, qlik_cloud::paged, support};
use jackfield_simulators::{
    faults::Fault,
    nprinting, qlik_cloud,
    way::{Certificate, Line},
};
use jackfield_tests::Host;
use serde_json::{Value, json};

/// A list, as far as a fault has to find it.
pub(crate) struct List {
    /// The kind of its objects.
    pub(crate) kind: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
}

/// What differs from one connector to the next.
pub(crate) struct Facts {
    /// The connector.
    pub(crate) connector: &'static str,
    /// The connection's name.
    pub(crate) connection: &'static str,
    /// The setting with the address.
    pub(crate) address: &'static str,
    /// A list of several pages: its second.
    pub(crate) second_page: List,
    /// A list that may be kept as it was, of users where it can be: its first page.
    pub(crate) users: List,
    /// What a refresh asks for first.
    pub(crate) first: List,
    /// A kind that no fault touches.
    pub(crate) untouched: &'static str,
}

/// A remote system with a host and a connection to it.
pub(crate) trait Remote: Sized {
    const FACTS: Facts;

    /// A remote system with a connection to it that has been refreshed.
    fn connected() -> Self;
    fn host(&self) -> &Host;
    fn base_url(&self) -> &str;
    /// Changes what there is to be found.
    fn change(&self, revision: u32);
    fn add_fault(&self, fault: Fault);
    fn clear_faults(&self);
    fn strikes(&self) -> u64;
    fn set_line(&self, line: Line);
    fn show_certificate(&self, certificate: Certificate);
    /// What nobody may read of the connection: its secrets as they were given, or parts of them.
    fn secrets(&self) -> Vec<String>;

    /// Spoils it; yields what is done, to be read.
    fn spoil(&self, inject: &Inject) -> String {
        let fault = |list: &List, kind, times| {
            let fault = Fault { times, ..Fault::new(list.path, kind).query(list.query) };
            let text = fault_text(&fault);
            let real = text.replace("[ELSEWHERE]", &Elsewhere::get().port());
            self.add_fault(serde_json::from_str(&real).unwrap());
            format!("fault {text}")
        };
        match inject {
            Inject::Address(url) => {
                support::set(self.host(), Self::FACTS.connection, json!({ Self::FACTS.address: url }));
                format!("the system is at {url}")
            }
            Inject::Line(line) => {
                self.set_line(*line);
                format!("line {}", json!({ "kind": line }))
            }
            Inject::Certificate(certificate) => {
                self.show_certificate(*certificate);
                format!("certificate {}", json!({ "kind": certificate }))
            }
            Inject::SecondPage(kind, times) => fault(&Self::FACTS.second_page, kind.clone(), *times),
            Inject::Users(kind) => fault(&Self::FACTS.users, kind.clone(), None),
            Inject::First(kind) => fault(&Self::FACTS.first, kind.clone(), None),
        }
    }

    /// Makes it as good as it was.
    fn repair(&self, inject: &Inject) {
        self.clear_faults();
        match inject {
            Inject::Address(_) => {
                support::set(
                    self.host(),
                    Self::FACTS.connection,
                    json!({ Self::FACTS.address: self.base_url() }),
                );
            }
            Inject::Line(_) => self.set_line(Line::Open),
            Inject::Certificate(_) => self.show_certificate(Certificate::Own),
            Inject::SecondPage(..) | Inject::Users(_) | Inject::First(_) => {}
        }
    }

    /// What leads to a place of this run, as it stands in snapshots.
    fn anonymous(&self, text: &str) -> String {
        let port = self.base_url().rsplit(':').next().unwrap();
        let elsewhere = ELSEWHERE.trim_start_matches("https://");
        text.replace(&format!("localhost:{port}"), "localhost:[PORT]")
            .replace(&format!("localhost:{}", Elsewhere::get().port()), elsewhere)
    }
}

/// A fault as it is written for a simulator's control plane.
fn fault_text(fault: &Fault) -> String {
    let mut fault = serde_json::to_value(fault).unwrap();
    let members = fault.as_object_mut().unwrap();
    members.retain(|name, value| !value.is_null() && *value != "" && (name != "skip" || *value != 0));
    Value::to_string(&fault)
}

/// The lines of the body of a private key.
pub(crate) fn lines_of_key(pem: &str) -> Vec<String> {
    pem.lines().filter(|line| line.len() == 64).map(str::to_owned).collect()
}

impl Remote for Tenant {
    const FACTS: Facts = Facts {
        connector: "qlik-cloud",
        connection: "T",
        address: "tenant_url",
        second_page: List { kind: "app", path: "/api/v1/items", query: "next=" },
        users: List { kind: "user", path: "/api/v1/users", query: "totalResults=" },
        first: List { kind: "user", path: "/api/v1/users/me", query: "" },
        untouched: "report",
    };

    fn connected() -> Self {
        Tenant::connected(paged())
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn base_url(&self) -> &str {
        self.simulator.base_url()
    }

    fn change(&self, revision: u32) {
        self.simulator.change(qlik_cloud::Changes { percent: 10.0, revision });
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
        vec![std::fs::read_to_string(self.host.work().join("client_secret")).unwrap()]
    }
}

impl Remote for Server {
    const FACTS: Facts = Facts {
        connector: "nprinting",
        connection: "N",
        address: "server_url",
        second_page: List { kind: "user", path: "/api/v1/users", query: "offset=200" },
        users: List { kind: "user", path: "/api/v1/users", query: "offset=0" },
        first: List { kind: "app", path: "/api/v1/apps", query: "" },
        untouched: "report",
    };

    fn connected() -> Self {
        let population = nprinting::Population { users: 260, ..nprinting::Population::of(6) };
        let server = Server::new(nprinting::Config { population, ..nprinting::Config::default() });
        server.add(&[]).expect_success();
        server
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn base_url(&self) -> &str {
        self.simulator.base_url()
    }

    fn change(&self, revision: u32) {
        self.simulator.change(nprinting::Changes { percent: 10.0, revision });
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
        lines_of_key(&std::fs::read_to_string(self.host.work().join("key.pem")).unwrap())
    }
}
