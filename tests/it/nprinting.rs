//! NPrinting: a key pair made here, a token signed by the host, and a server that really verifies it.

use jackfield_simulators::nprinting::{Config, Matching, Population, Simulator, Tls};
use jackfield_tests::{Finished, Host};
use serde_json::Value;

/// A simulated server that knows the certificate of a pair made by `key generate`, and a host.
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) simulator: Simulator,
}

impl Server {
    /// A server with so much in it.
    pub(crate) fn new(config: Config) -> Server {
        let simulator = Simulator::start_blocking(config).unwrap();
        let mut host = Host::with_plugins(&["nprinting"]);
        host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "2");
        let pair = host.json(["key", "generate", "--private-key", "key.pem"]);
        simulator.register_jwt_certificate(pair["certificate"].as_str().unwrap()).unwrap();
        host.file("ca.pem", simulator.ca_pem());
        Server { host, simulator }
    }

    /// Adds the connection "N".
    pub(crate) fn add(&self, more: &[&str]) -> Finished {
        let url = format!("server_url={}", self.simulator.base_url());
        let email = format!("email={}", self.simulator.user_email(0));
        let fixed = ["connection", "add", "nprinting", "N", "--set", &url, "--tls-ca", "ca.pem"];
        let sign_in = ["--set", &email, "--secret", "private_key=@key.pem"];
        let sign_in: &[&str] = if more.contains(&"matching=domain_name") { &sign_in[2..] } else { &sign_in };
        self.host.run([&fixed, sign_in, more].concat())
    }

    fn count(&self, kind: &str) -> u64 {
        let kinds = self.host.json(["catalog", "kinds", "N"]);
        let found = kinds.as_array().unwrap().iter().find(|found| found["kind"] == kind);
        found.and_then(|kind| kind["count"].as_u64()).unwrap_or_default()
    }
}

pub(crate) fn small() -> Config {
    Config { population: Population::of(12), ..Config::default() }
}

#[test]
fn a_key_made_here_signs_in_and_everything_is_found() {
    for (algorithm, more) in [
        ("RS256", &[][..]),
        ("RS384", &["--set", "algorithm=RS384"]),
        ("RS512", &["--set", "algorithm=RS512"]),
    ] {
        let server = Server::new(small());
        let added = server.add(more).expect_success();
        assert_eq!(added.stdout.matches("passed").count(), 2, "{algorithm}: {}", added.stdout);
        let population = Population::of(12);
        for (kind, expected) in
            [("app", 12), ("connection", population.connections), ("user", population.users)]
        {
            assert_eq!(server.count(kind), expected, "{algorithm}: {kind}");
        }
        assert!(server.count("report") > 0 && server.count("task") > 0 && server.count("role") > 0);
        let log = server.host.run(["connection", "log", "N"]).expect_success().stdout;
        assert!(!log.contains("eyJ"), "a token stands in the log: {log}");
    }
}

#[test]
fn a_user_is_matched_by_domain_and_name_where_the_server_does_so() {
    let (user, domain) = ("userId".to_owned(), "userDirectory".to_owned());
    let server = Server::new(Config { matching: Matching::DomainName { user, domain }, ..small() });
    let account = server.simulator.user_account(0);
    let (domain, user) = account.split_once('\\').unwrap();
    let refused = server.add(&[]);
    assert_eq!(refused.code(), 5, "{}", refused.all());
    let fields = server.host.json(["plugin", "show", "nprinting"]);
    let ids: Vec<&str> =
        fields["fields"].as_array().unwrap().iter().filter_map(|field| field["id"].as_str()).collect();
    let claim =
        |part: &str| ids.iter().find(|id| id.contains(part) && id.contains("claim")).copied().unwrap();
    let (user_claim, domain_claim) =
        (format!("{}=userId", claim("user")), format!("{}=userDirectory", claim("domain")));
    let (user, domain) = (format!("user={user}"), format!("domain={domain}"));
    let sets = [
        "--set",
        "matching=domain_name",
        "--set",
        &user,
        "--set",
        &domain,
        "--set",
        &user_claim,
        "--set",
        &domain_claim,
    ];
    server.add(&sets).expect_success();
}

#[test]
fn whoever_is_refused_is_told_what_it_may_be() {
    let server = Server::new(small());
    server.simulator.set_jwt_enabled(false);
    let refused = server.add(&[]);
    assert_eq!(refused.code(), 5, "{}", refused.all());
    insta::with_settings!({ filters => vec![(r":\d{4,5}", ":[PORT]"), (r"[ \t]+\n", "\n")] }, {
        insta::assert_snapshot!(refused.stdout);
    });
    assert_eq!(server.host.json(["connection", "list"]), serde_json::json!([]));
}

#[test]
fn what_is_no_private_key_is_refused_before_anything_is_sent() {
    let server = Server::new(small());
    let pair = server.host.json(["key", "generate", "--private-key", "other.pem"]);
    let key = std::fs::read_to_string(server.host.work().join("other.pem")).unwrap();
    for (value, words) in [
        (
            pair["certificate"].as_str().unwrap().to_owned(),
            "is a certificate (CN=Jackfield), the public half",
        ),
        (key[..key.len() / 2].to_owned(), "is a part of a private key"),
        (key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "is an encrypted private key"),
    ] {
        server.host.file("key.pem", value);
        let refused = server.add(&[]);
        assert_eq!(refused.code(), 2, "{}", refused.all());
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("\"JWT Private key\" has to be an RSA private key"),
            "{}",
            refused.stderr
        );
    }
    server.host.file("key.pem", &key);
    server.simulator.register_jwt_certificate(pair["certificate"].as_str().unwrap()).unwrap();
    assert_eq!(server.simulator.requests().len(), 0, "something was sent");
    server.add(&[]).expect_success();
    let edit = ["connection", "edit", "N", "--secret", "private_key=@ca.pem"];
    let refused = server.host.run(edit);
    assert!(refused.code() == 2 && refused.stderr.contains("is a certificate"), "{}", refused.all());
}

#[test]
fn the_certificate_that_such_a_server_makes_itself_is_refused_until_it_is_pinned() {
    for tls in [Tls::SelfMade, Tls::CommonNameOnly] {
        let server = Server::new(Config { tls, ..small() });
        let refused = server.add(&[]);
        assert_eq!(refused.code(), 3, "{}", refused.all());
        let sha256 = server.simulator.leaf_sha256();
        assert!(refused.stdout.contains(&format!("certificate SHA-256 {sha256}")), "{}", refused.stdout);

        // Seen and compared, it is pinned; and from then on it is the only one.
        let wrong = server.add(&["--tls-pin", &"ab".repeat(32)]);
        assert_eq!(wrong.code(), 3, "{}", wrong.all());
        assert!(wrong.stdout.contains("not the one that this connection has pinned"), "{}", wrong.stdout);
        server.add(&["--tls-pin", sha256]).expect_success();
        let shown = server.host.run(["connection", "show", "N"]).expect_success().stdout;
        assert!(shown.contains(sha256), "{shown}");
    }
    let malformed = Server::new(small()).add(&["--tls-pin", "abc"]);
    assert_eq!((malformed.code(), malformed.stderr.contains("SHA-256")), (2, true), "{}", malformed.stderr);
}

#[test]
fn a_limited_user_loses_nothing_that_was_found_before() {
    let server = Server::new(small());
    server.add(&[]).expect_success();
    let users = server.count("user");
    let role = server.simulator.role_id(1);
    server.simulator.set_roles(&server.simulator.user_id(0), &[&role]).unwrap();
    let refreshed: Value = server.host.json(["connection", "refresh", "N"]);
    assert_eq!(refreshed["state"], "succeeded");
    assert_eq!(server.count("user"), users, "a right that was lost looks like users that are gone");
}
