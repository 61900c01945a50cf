//! What the benches share: a tenant in a process of its own, a data folder with a connection to it, and a clock that looks
//! at whole processes.
//!
//! Everything that is compared runs as a process that begins and ends: so each pays for its own start, and its processor
//! time and peak memory are what the kernel counted, not what somebody estimated.

#![allow(dead_code, reason = "each bench is a program of its own and uses a part of this")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one bench to the next")]

pub(crate) mod floor;
pub(crate) mod lists;
pub(crate) mod remote;
pub(crate) mod table;
pub(crate) mod watch;

use jackfield::{
    app::App,
    config::Config,
    connections::add::{self, NewConnection},
    model::{
        connection::TlsTrust,
        run::{Hook, RunState},
        secret::SecretValue,
    },
    runs::{driver, notice, orders::Orders, request},
    secrets::Scrubber,
};
use jackfield_tests::{Host, artifacts};
use remote::Tenant;
use serde_json::{Value, json};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// What the connection is called.
pub(crate) const CONNECTION: &str = "Bench";

/// A number from the environment.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// The runtime of the command line.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime can be started")
}

/// Opens a data folder as the command line does. Its workers are the real executable.
pub(crate) async fn open(data: &Path) -> App {
    let worker = Some(artifacts().jackfield());
    let config = Config { data_dir: data.to_owned(), worker, ..Config::default() };
    App::open(config, Scrubber::new()).await.expect("the data folder can be opened")
}

/// A host with a connection to the tenant.
pub(crate) fn connected(tenant: &Tenant) -> Host {
    let settings = json!({
        "tenant_url": tenant.base_url, "sign_in": "oauth", "client_id": tenant.client_id,
    });
    saved("qlik-cloud", settings, &[("client_secret", &tenant.client_secret)], &tenant.ca_pem)
}

/// A host with a tested connection, not refreshed yet (the command line would refresh at once).
pub(crate) fn saved(connector: &str, settings: Value, secrets: &[(&str, &str)], ca_pem: &str) -> Host {
    let host = Host::with_plugins(&[connector]);
    runtime().block_on(async {
        let app = open(&host.data()).await;
        let secrets = secrets.iter().map(|(field, value)| ((*field).to_owned(), SecretValue::new(*value)));
        let new = NewConnection {
            connector: connector.to_owned(),
            name: CONNECTION.to_owned(),
            description: String::new(),
            settings: settings.as_object().expect("an object was written").clone(),
            secrets: secrets.collect(),
            max_parallel: None,
            tls: TlsTrust { ca_pem: (!ca_pem.is_empty()).then(|| ca_pem.to_owned()), ..TlsTrust::default() },
            accept_hosts: false,
        };
        let draft = add::draft(&app, new).await.expect("the settings are right");
        let test = request::request(&app, &draft, Hook::Test).await.expect("a test can be asked for");
        let orders = Orders::interactive(notice::nobody(), CancellationToken::new());
        let test = driver::drive(&app, &test.id, &orders).await.expect("a test can be driven");
        assert_eq!(test.state, RunState::Succeeded, "{:?}", test.failure);
        add::save(&app, &draft, &test).await.expect("a tested connection can be saved");
        app.store.close().await;
    });
    host
}
