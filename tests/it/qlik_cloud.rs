//! Qlik Cloud, end to end: the real executable and plugin against the simulated tenant, over TLS.
//!
//! This file has what the tests share: a tenant with a host beside it, and what is needed to compare what a person reads.

use jackfield_simulators::qlik_cloud::{
    ApiKeyToken, ClientCredentials, Config, NewClient, Population, Simulator,
};
use jackfield_tests::{Finished, Host};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// The scopes that the documents name.
pub(crate) const SCOPES: [&str; 4] =
    ["admin.apps:read", "admin.spaces:read", "apps.report:export", "webhooks"];

/// A simulated tenant, an OAuth client of it, and a host that knows neither yet.
pub(crate) struct Tenant {
    pub(crate) host: Host,
    pub(crate) simulator: Simulator,
    pub(crate) client: ClientCredentials,
}

/// A small tenant over TLS.
pub(crate) fn small() -> Config {
    Config { tls: true, population: Population::of(20), ..Config::default() }
}

/// A tenant in which the app list has several pages and the others have one.
pub(crate) fn paged() -> Config {
    Config { population: Population { apps: 350, ..Population::of(20) }, ..small() }
}

impl Tenant {
    /// A tenant whose client may do everything.
    pub(crate) fn new(config: Config) -> Tenant {
        Tenant::with(config, &NewClient::default())
    }

    /// A tenant with such a client.
    pub(crate) fn with(config: Config, client: &NewClient) -> Tenant {
        let simulator = Simulator::start_blocking(config).unwrap();
        let client = simulator.create_oauth_client(client);
        let mut host = Host::with_plugins(&["qlik-cloud"]);
        host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "2");
        host.file("ca.pem", simulator.ca_pem());
        host.file("client_secret", &client.client_secret);
        Tenant { host, simulator, client }
    }

    /// A tenant with the connection "T" on it, added and refreshed.
    pub(crate) fn connected(config: Config) -> Tenant {
        let tenant = Tenant::new(config);
        tenant.add(&[]).expect_success();
        tenant.simulator.clear_requests();
        tenant
    }

    /// Adds the connection "T", which signs in by OAuth.
    pub(crate) fn add(&self, more: &[&str]) -> Finished {
        let client = format!("client_id={}", self.client.client_id);
        let all = ["--set", &client, "--secret", "client_secret=@client_secret"];
        self.add_with(&[&all, more].concat())
    }

    /// Adds the connection "T", which signs in by an API key.
    pub(crate) fn add_key(&self, key: &ApiKeyToken) -> Finished {
        self.host.file("api_key", &key.token);
        self.add_with(&["--set", "sign_in=api_key", "--secret", "api_key=@api_key"])
    }

    /// Adds the connection "T" with whatever signs in.
    pub(crate) fn add_with(&self, more: &[&str]) -> Finished {
        let url = format!("tenant_url={}", self.simulator.base_url());
        let all = ["connection", "add", "qlik-cloud", "T", "--set", &url, "--tls-ca", "ca.pem"];
        self.host.run([&all, more].concat())
    }

    /// An API key of a generated user.
    pub(crate) fn key_of(&self, user: u64, life: Duration) -> ApiKeyToken {
        self.simulator.create_api_key(&self.simulator.user_id(user), life).unwrap()
    }

    /// Tests "T".
    pub(crate) fn test(&self) -> Finished {
        self.host.run(["connection", "test", "T"])
    }

    /// Refreshes "T".
    pub(crate) fn refresh(&self) -> Finished {
        self.host.run(["connection", "refresh", "T"])
    }

    /// The kinds of the catalog of "T", by id.
    pub(crate) fn kinds(&self) -> BTreeMap<String, Value> {
        let kinds = self.host.json(["catalog", "kinds", "T"]);
        let kinds = kinds.as_array().unwrap().iter();
        kinds.map(|kind| (kind["kind"].as_str().unwrap().to_owned(), kind.clone())).collect()
    }

    /// How many objects of each kind the catalog of "T" has.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.kinds().into_iter().map(|(id, kind)| (id, kind["count"].as_u64().unwrap())).collect()
    }

    /// The text of the newest log of "T".
    pub(crate) fn log(&self) -> String {
        self.host.run(["connection", "log", "T"]).expect_success().stdout
    }

    /// How many requests there were of this method and path.
    pub(crate) fn asked(&self, method: &str, path: &str) -> usize {
        let requests = self.simulator.requests();
        requests.iter().filter(|request| request.method == method && request.path == path).count()
    }

    /// Compares what a person reads, without what differs from one run to the next.
    pub(crate) fn assert_reads(&self, name: &str, text: &str) {
        let port = self.simulator.base_url().rsplit(':').next().unwrap();
        let data = self.host.data().display().to_string();
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        for (found, shown) in [
            (data.as_str(), "[DATA]"),
            (r"Log: \S+/logs/", "Log: [DATA]/logs/"),
            (self.client.client_id.as_str(), "[CLIENT ID]"),
            (&format!(":{port}"), ":[PORT]"),
            (r"\btrace [0-9a-f]{32}", "trace [TRACE]"),
            (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
            (r"Jackfield_\d{8}_\d{6}(_\d+)?\.txt", "[LOG]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[TIME]"),
            (r"\d{4}-\d\d-\d\d", "[DAY]"),
            (r"(?m)^\d\d:\d\d:\d\d\.\d{3} ", "[TIME] "),
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "[RUN]"),
            (r"qlik-cloud (\d+\.\d+\.\d+) \([0-9a-f]+\)", "qlik-cloud $1 ([DIGEST])"),
            (r"\d{4,} bytes", "[N] bytes"),
            (r"\bkey [0-9a-f]{16}", "key [KEY]"),
            (r"issuer jackfield-[0-9a-f]{16}", "issuer jackfield-[KEY]"),
            // Of a key made a moment ago: whole days or a moment less.
            (r"in about \d days", "in about [N] days"),
            (r"\(sha256 [0-9a-f]{12}\)", "([DIGEST])"),
            (r"\bconnection [0-9a-f]{16}", "connection [CONNECTION]"),
            (r"[ \t]+\n", "\n"),
        ] {
            settings.add_filter(found, shown);
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

/// A finished command as a person sees it, with its exit code. Of standard error only the error: how far lists have come
/// meanwhile is told in the order in which they come.
pub(crate) fn told(finished: &Finished) -> String {
    let error = finished.stderr.lines().skip_while(|line| !line.starts_with("error"));
    let error: String = error.map(|line| format!("{line}\n")).collect();
    format!("exit code {}\n{}{error}", finished.code(), finished.stdout)
}
