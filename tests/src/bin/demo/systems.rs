//! The simulated systems, each set up as its administrator would.

use anyhow::{Context, Result};
use jackfield_simulators::{nprinting, qalyptus, qlik_cloud, qlik_onprem};
use jackfield_tests::Host;
use std::any::Any;

/// The plugins that the demo shows, in the order in which it does.
pub(crate) const PLUGINS: [&str; 5] =
    ["nprinting", "qalyptus-server", "qalyptus-cloud", "qlik-onprem", "qlik-cloud"];

/// A simulated system, and what an operator would be told of it.
pub(crate) struct System {
    pub(crate) connector: &'static str,
    pub(crate) connection: &'static str,
    /// What is given to `connection add`.
    pub(crate) arguments: Vec<String>,
    /// Variables that hold the secrets.
    pub(crate) secrets: Vec<(&'static str, String)>,
    /// Ends when this is dropped.
    _simulator: Box<dyn Any>,
}

/// All of them, with so many apps where a system has apps of its own.
pub(crate) fn start(host: &Host, apps: u64) -> Result<Vec<System>> {
    Ok(vec![
        nprinting(host, apps)?,
        qalyptus(host, "qalyptus-server", qalyptus::Config::server())?,
        qalyptus(host, "qalyptus-cloud", qalyptus::Config::cloud())?,
        qlik_onprem(host, apps)?,
        qlik_cloud(host, apps)?,
    ])
}

/// A Qlik Cloud tenant with an OAuth client, as its administrator would set it up.
fn qlik_cloud(host: &Host, apps: u64) -> Result<System> {
    let population = qlik_cloud::Population::of(apps);
    let config = qlik_cloud::Config { tls: true, population, ..qlik_cloud::Config::default() };
    let simulator = qlik_cloud::Simulator::start_blocking(config)
        .context("the simulated Qlik Cloud tenant does not start")?;
    let new = qlik_cloud::NewClient { name: "Jackfield".to_owned(), ..qlik_cloud::NewClient::default() };
    let client = simulator.create_oauth_client(&new);
    let authority = host.file("qlik-cloud-ca.pem", simulator.ca_pem());
    println!("Simulated Qlik Cloud tenant: {} with {apps} apps", simulator.base_url());
    let arguments = [
        "--set",
        &format!("tenant_url={}", simulator.base_url()),
        "--set",
        &format!("client_id={}", client.client_id),
        "--secret",
        "client_secret=env:QLIK_CLOUD_SECRET",
        "--tls-ca",
        &authority.display().to_string(),
    ];
    Ok(System {
        connector: "qlik-cloud",
        connection: "Qlik Cloud demo",
        arguments: arguments.map(str::to_owned).into(),
        secrets: vec![("QLIK_CLOUD_SECRET", client.client_secret)],
        _simulator: Box::new(simulator),
    })
}

/// An NPrinting server with the public half of a key pair that Jackfield made, as its administrator would set it up.
fn nprinting(host: &Host, apps: u64) -> Result<System> {
    // A server of this kind has fewer apps, each with many reports.
    let apps = (apps / 50).max(10);
    let population = nprinting::Population::of(apps);
    let config = nprinting::Config { population, ..nprinting::Config::default() };
    let simulator = nprinting::Simulator::start_blocking(config)
        .context("the simulated NPrinting server does not start")?;
    let pair = host.json(["key", "generate", "--private-key", "nprinting-key.pem"]);
    let certificate = pair["certificate"].as_str().context("no certificate was made")?;
    simulator.register_jwt_certificate(certificate)?;
    let authority = host.file("nprinting-ca.pem", simulator.ca_pem());
    println!("Simulated NPrinting server: {} with {apps} apps", simulator.base_url());
    let arguments = [
        "--set",
        &format!("server_url={}", simulator.base_url()),
        "--set",
        &format!("email={}", simulator.user_email(0)),
        "--secret",
        "private_key=@nprinting-key.pem",
        "--tls-ca",
        &authority.display().to_string(),
    ];
    Ok(System {
        connector: "nprinting",
        connection: "NPrinting demo",
        arguments: arguments.map(str::to_owned).into(),
        secrets: Vec::new(),
        _simulator: Box::new(simulator),
    })
}

/// A Qalyptus Server or a tenant of Qalyptus Cloud with an API key of its administrator.
fn qalyptus(host: &Host, connector: &'static str, config: qalyptus::Config) -> Result<System> {
    let simulator = qalyptus::Simulator::start_blocking(config)
        .with_context(|| format!("the simulated {connector} does not start"))?;
    let key = simulator.create_api_key(&qalyptus::NewKey::default())?;
    let (connection, variable, what) = match simulator.product() {
        qalyptus::Product::Server => ("Qalyptus Server demo", "QALYPTUS_SERVER_KEY", "Qalyptus Server"),
        qalyptus::Product::Cloud => ("Qalyptus Cloud demo", "QALYPTUS_CLOUD_KEY", "Qalyptus Cloud tenant"),
    };
    println!("Simulated {what}: {}", simulator.origin());
    let mut arguments = vec![
        "--set".to_owned(),
        format!("server_url={}", simulator.origin()),
        "--secret".to_owned(),
        format!("api_key=env:{variable}"),
    ];
    if !simulator.ca_pem().is_empty() {
        let authority = host.file(&format!("{connector}-ca.pem"), simulator.ca_pem());
        arguments.extend(["--tls-ca".to_owned(), authority.display().to_string()]);
    }
    let secrets = vec![(variable, key.key)];
    Ok(System { connector, connection, arguments, secrets, _simulator: Box::new(simulator) })
}

/// A Qlik Sense site that has exported a client certificate, as a `.pfx` with a password.
fn qlik_onprem(host: &Host, apps: u64) -> Result<System> {
    const PASSWORD: &str = "chosen at the export";
    let config = qlik_onprem::Config {
        population: qlik_onprem::Population::of(apps),
        ..qlik_onprem::Config::default()
    };
    let simulator = qlik_onprem::Simulator::start_blocking(config)
        .context("the simulated Qlik Sense site does not start")?;
    let export = simulator.client_certificate().pfx(qlik_onprem::Pkcs12::Rc2, PASSWORD)?;
    let export = host.file("client.pfx", export);
    let authority = host.file("qlik-onprem-root.pem", simulator.root_pem());
    let (directory, user) = simulator.user(0);
    let port = simulator.repository_url().rsplit(':').next().context("an address has a port")?;
    println!("Simulated Qlik Sense Enterprise: {} with {apps} apps", simulator.proxy_url());
    let settings = [
        format!("server_url={}", simulator.proxy_url()),
        format!("repository_port={port}"),
        format!("user_directory={directory}"),
        format!("service_user={user}"),
    ];
    let secrets = [
        format!("client_certificate=@{}", export.display()),
        "certificate_password=env:QLIK_ONPREM_PASSWORD".to_owned(),
    ];
    let settings = settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]);
    let given = secrets.into_iter().flat_map(|secret| ["--secret".to_owned(), secret]);
    let trust = ["--tls-ca".to_owned(), authority.display().to_string()];
    Ok(System {
        connector: "qlik-onprem",
        connection: "Qlik Sense Enterprise demo",
        arguments: settings.chain(given).chain(trust).collect(),
        secrets: vec![("QLIK_ONPREM_PASSWORD", PASSWORD.to_owned())],
        _simulator: Box::new(simulator),
    })
}
