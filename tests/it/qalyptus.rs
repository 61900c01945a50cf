//! Qalyptus Server and Qalyptus Cloud: an API key, an endpoint map that can be corrected, and what may be in the way.

use jackfield_simulators::qalyptus::{Config, Integration, IssuedKey, NewKey, Product, Simulator, Switches};
use jackfield_tests::{Finished, Host};
use serde_json::json;

/// A simulated system, a key of its administrator in the file `key`, and a host.
pub(crate) struct System {
    pub(crate) host: Host,
    pub(crate) simulator: Simulator,
    pub(crate) key: IssuedKey,
    connector: &'static str,
}

impl System {
    pub(crate) fn new(config: Config) -> System {
        let connector = match config.product {
            Product::Server => "qalyptus-server",
            Product::Cloud => "qalyptus-cloud",
        };
        let simulator = Simulator::start_blocking(config).unwrap();
        let mut host = Host::with_plugins(&[connector]);
        host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "2");
        let key = simulator.create_api_key(&NewKey::default()).unwrap();
        host.file("key", &key.key);
        host.file("ca.pem", simulator.ca_pem());
        System { host, simulator, key, connector }
    }

    /// Adds the connection "Q".
    pub(crate) fn add(&self, more: &[&str]) -> Finished {
        let url = format!("server_url={}", self.simulator.origin());
        let mut arguments = vec!["connection", "add", self.connector, "Q", "--set", &url];
        arguments.extend(["--secret", "api_key=@key"]);
        if !self.simulator.ca_pem().is_empty() {
            arguments.extend(["--tls-ca", "ca.pem"]);
        }
        arguments.extend(more);
        self.host.run(arguments)
    }

    fn count(&self, kind: &str) -> u64 {
        let kinds = self.host.json(["catalog", "kinds", "Q"]);
        let found = kinds.as_array().unwrap().iter().find(|found| found["kind"] == kind);
        found.and_then(|kind| kind["count"].as_u64()).unwrap_or_default()
    }
}

#[test]
fn a_server_over_plain_http_warns_and_everything_is_found() {
    let system = System::new(Config::server());
    let added = system.add(&[]).expect_success();
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(added.all()) });
    for kind in ["project", "connection", "filter", "report", "task", "user", "group", "role", "organization"]
    {
        assert!(system.count(kind) > 0, "{kind}");
    }
    let log = system.host.run(["connection", "log", "Q"]).expect_success().stdout;
    assert!(log.contains("/api/v1/"), "the endpoint map stands in the log: {log}");
    assert!(log.contains("A GUESS"), "guesses are marked: {log}");
    assert!(log.contains("http://"), "{log}");
    assert!(!log.contains(&system.key.key), "{log}");
}

#[test]
fn a_cloud_tenant_has_two_checks_and_everything_is_found() {
    let system = System::new(Config::cloud());
    let added = system.add(&[]).expect_success();
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(added.all()) });
    for kind in ["app", "project", "report", "template_item", "report_filter", "task", "user", "role"] {
        assert!(system.count(kind) > 0, "{kind}");
    }
}

#[test]
fn what_is_refused_says_what_it_may_be() {
    let mut told = String::new();
    for (name, config, spoil) in troubles() {
        let system = System::new(config);
        spoil(&system);
        let refused = system.add(&[]);
        assert_ne!(refused.code(), 0, "{name}: {}", refused.all());
        assert_eq!(system.host.json(["connection", "list"]), json!([]), "{name}");
        told.push_str(&format!("## {name}: {}\n{}\n", refused.code(), refused.all()));
    }
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(told) });
}

type Spoil = fn(&System);

fn troubles() -> Vec<(&'static str, Config, Spoil)> {
    fn switch(system: &System, switches: Switches) {
        system.simulator.switch(switches).unwrap();
    }
    let not_connected: Spoil = |system| {
        switch(system, Switches { integration: Some(Integration::NotConfigured), ..Switches::default() });
    };
    let broken: Spoil = |system| {
        let why = Integration::Disconnected("The API key has expired".to_owned());
        switch(system, Switches { integration: Some(why), ..Switches::default() });
    };
    let expired: Spoil = |system| system.simulator.expire_api_key(&system.key.id);
    let keys_off: Spoil =
        |system| switch(system, Switches { keys_enabled: Some(false), ..Switches::default() });
    let console: Spoil =
        |system| switch(system, Switches { console_everywhere: Some(true), ..Switches::default() });
    let elsewhere = || Config { mount: "/qalyptus".to_owned(), ..Config::server() };
    vec![
        ("server: expired key", Config::server(), expired),
        ("server: keys are off", Config::server(), keys_off),
        ("server: behind a folder", elsewhere(), console),
        ("cloud: expired key", Config::cloud(), expired),
        ("cloud: not connected to Qlik Sense", Config::cloud(), not_connected),
        ("cloud: the link is broken", Config::cloud(), broken),
    ]
}

#[test]
fn an_endpoint_map_of_the_connections_own_corrects_the_built_in_one() {
    let system = System::new(Config { mount: "/qalyptus".to_owned(), ..Config::server() });
    let map = r#"endpoint_map={"base_path":"/qalyptus/api/v1"}"#;
    system.add(&["--set", map]).expect_success();
    assert!(system.count("project") > 0);
    let mut told = String::new();
    for map in [
        r#"{"base_path":7}"#,
        r#"{"nonsense":{}}"#,
        r#"{"operations":{"projects.list":{"candidates":["https://elsewhere.example/projects"]}}}"#,
        r#"{"#,
    ] {
        let refused = system.host.run(["connection", "edit", "Q", "--set", &format!("endpoint_map={map}")]);
        assert_ne!(refused.code(), 0, "{map}: {}", refused.all());
        told.push_str(&format!("## {map}: {}\n{}\n", refused.code(), refused.all()));
    }
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!("wrong_maps", told) });
}

/// What differs from run to run.
fn readable() -> Vec<(&'static str, &'static str)> {
    vec![
        (r":\d{4,5}", ":[PORT]"),
        (r"sha256 [0-9a-f]{12}", "sha256 [DIGEST]"),
        (r"Log: \S+", "Log: [LOG]"),
        (r"[ \t]+\n", "\n"),
    ]
}
