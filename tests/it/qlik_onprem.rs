//! Qlik Sense Enterprise on Windows: a client certificate as it is exported, a virtual proxy with a key pair made here, and a
//! site that checks both.

use jackfield_simulators::{
    qlik_onprem::{Action, Changes, Config, Pkcs12, Population, Simulator, Validity},
    way::Certificate,
};
use jackfield_tests::{Finished, Host};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The password of the exported certificate.
pub(crate) const PASSWORD: &str = "Export-7!q";

/// A simulated site, and a host that has the export of its client certificate.
pub(crate) struct Site {
    pub(crate) host: Host,
    pub(crate) simulator: Simulator,
}

impl Site {
    pub(crate) fn new(config: Config) -> Site {
        let simulator = Simulator::start_blocking(config).unwrap();
        let mut host = Host::with_plugins(&["qlik-onprem"]);
        host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "2");
        host.set("CERTIFICATE_PASSWORD", PASSWORD);
        let site = Site { host, simulator };
        site.export("client.pfx", Pkcs12::Rc2, PASSWORD);
        site.host.file("root.pem", site.simulator.root_pem());
        site
    }

    fn export(&self, file: &str, encryption: Pkcs12, password: &str) {
        let pfx = self.simulator.client_certificate().pfx(encryption, password).unwrap();
        self.host.file(file, pfx);
    }

    /// What `connection add` is given for the site with the account of a generated user.
    pub(crate) fn arguments(&self, user: u64) -> Vec<String> {
        let (directory, id) = self.simulator.user(user);
        let port = self.simulator.repository_url().rsplit(':').next().unwrap().to_owned();
        let fixed = ["connection", "add", "qlik-onprem", "Q", "--tls-ca", "root.pem"].map(str::to_owned);
        let settings = [
            format!("server_url={}", self.simulator.proxy_url()),
            format!("repository_port={port}"),
            format!("user_directory={directory}"),
            format!("service_user={id}"),
        ];
        let settings = settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting]);
        fixed.into_iter().chain(settings).collect()
    }

    /// Adds the connection "Q" for the site's administrator.
    pub(crate) fn add(&self) -> Finished {
        self.add_as(0, &PFX)
    }

    fn add_as(&self, user: u64, more: &[&str]) -> Finished {
        let mut arguments = self.arguments(user);
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        self.host.run(arguments)
    }

    fn test(&self) -> Finished {
        self.host.run(["connection", "test", "Q"])
    }

    fn count(&self, kind: &str) -> u64 {
        let kinds = self.host.json(["catalog", "kinds", "Q"]);
        let found = kinds.as_array().unwrap().iter().find(|found| found["kind"] == kind);
        found.and_then(|kind| kind["count"].as_u64()).unwrap_or_default()
    }

    /// What was written at the site since events were last forgotten, except restarts.
    fn written(&self) -> Vec<String> {
        let events = self.simulator.events();
        let writes = events.iter().filter(|event| event.action != Action::Restarted);
        writes.map(|event| format!("{:?} {}", event.action, event.entity)).collect()
    }
}

/// The exported file and its password.
const PFX: [&str; 4] = [
    "--secret",
    "client_certificate=@client.pfx",
    "--secret",
    "certificate_password=env:CERTIFICATE_PASSWORD",
];

pub(crate) fn small() -> Config {
    Config { population: Population::of(30), ..Config::default() }
}

fn passed(finished: &Finished) -> usize {
    finished.stdout.matches("passed").count()
}

#[test]
fn the_whole_way_from_an_export_to_a_catalog() {
    let site = Site::new(small());
    let added = site.add().expect_success();
    assert_eq!(passed(&added), 5, "{}", added.all());
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(added.stdout) });
    let population = Population::of(30);
    for (kind, expected) in [
        ("app", population.apps),
        ("stream", population.streams),
        ("tag", population.tags),
        ("data_connection", population.data_connections),
    ] {
        assert!(site.count(kind) >= expected, "{kind}: {}", site.count(kind));
    }
    for kind in ["task", "user", "role", "custom_property", "extension", "virtual_proxy", "node"] {
        assert!(site.count(kind) > 0, "{kind}");
    }
    assert_eq!(site.written(), ["Created VirtualProxyConfig", "Updated ProxyService"]);
    assert!(site.simulator.linked_prefixes().contains(&"jackfield".to_owned()));
    assert!(site.simulator.default_virtual_proxy_is_untouched());
}

#[test]
fn every_export_that_there_is_signs_in() {
    let site = Site::new(small());
    let certificate = site.simulator.client_certificate();
    site.host.file("client.pem", &certificate.certificate_pem);
    site.host.file("client_key.pem", &certificate.key_pem);
    site.host.file("pkcs8_key.pem", &certificate.pkcs8_key_pem);
    for (file, encryption, password) in [
        ("des.pfx", Pkcs12::TripleDes, PASSWORD),
        ("aes.p12", Pkcs12::Aes256, PASSWORD),
        ("bare_rc2.pfx", Pkcs12::Rc2, ""),
        ("bare_aes.pfx", Pkcs12::Aes256, ""),
    ] {
        site.export(file, encryption, password);
    }
    let password = "certificate_password=env:CERTIFICATE_PASSWORD";
    let rows: [&[&str]; 6] = [
        &["client_certificate=@des.pfx", password],
        &["client_certificate=@aes.p12", password],
        &["client_certificate=@bare_rc2.pfx"],
        &["client_certificate=@bare_aes.pfx"],
        &["client_certificate=@client.pem", "client_certificate=@client_key.pem"],
        &["client_certificate=@client.pem", "client_certificate=@pkcs8_key.pem"],
    ];
    site.add().expect_success();
    for secrets in rows {
        // An explicit "no password" where the former export had one.
        let mut arguments = vec!["connection", "edit", "Q"];
        arguments.extend(secrets.iter().flat_map(|secret| ["--secret", secret]));
        if !secrets.contains(&password) {
            arguments.extend(["--unset", "certificate_password"]);
        }
        let edited = site.host.run(&arguments).expect_success();
        assert_eq!(passed(&edited), 5, "{secrets:?}: {}", edited.all());
    }
}

#[test]
fn a_certificate_with_a_week_left_is_replaced_in_time() {
    let site = Site::new(small());
    let password = "certificate_password=env:CERTIFICATE_PASSWORD";
    let export = |file: &str, validity| {
        let certificate = site.simulator.issue_client_certificate(validity).unwrap();
        site.host.file(file, certificate.pfx(Pkcs12::Rc2, PASSWORD).unwrap());
    };
    export("ending.pfx", Validity { from: -400, until: 7 });
    let added = site.add_as(0, &["--secret", "client_certificate=@ending.pfx", "--secret", password]);
    let added = added.expect_success();
    assert!(added.stdout.contains("days: export a new one on the Qlik Sense server"), "{}", added.all());

    export("fresh.pfx", Validity::default());
    let given = ["--secret", "client_certificate=@fresh.pfx", "--secret", password];
    let edited = site.host.run([&["connection", "edit", "Q"][..], &given].concat()).expect_success();
    for tested in [edited, site.test().expect_success()] {
        assert_eq!(passed(&tested), 5, "{}", tested.all());
        assert!(tested.stdout.contains("which is valid for"), "{}", tested.all());
    }
}

#[test]
fn a_second_test_writes_nothing() {
    let site = Site::new(small());
    site.add().expect_success();
    site.simulator.clear_events();
    for _ in 0..2 {
        let tested = site.test().expect_success();
        assert_eq!(passed(&tested), 5, "{}", tested.all());
    }
    site.host.run(["connection", "edit", "Q", "--set", "service_user=SVC"]);
    assert_eq!(site.written(), [""; 0]);
    assert_eq!(site.simulator.proxy_restarts(), 0);
}

#[test]
fn what_somebody_changed_at_the_virtual_proxy_is_put_right_and_nothing_else() {
    let site = Site::new(small());
    site.add().expect_success();
    site.simulator.clear_events();
    let change = json!({ "jwtAttributeUserId": "name", "description": "Jackfield, of the reporting team" });
    site.simulator.set_virtual_proxy("jackfield", &change).unwrap();
    site.test().expect_success();
    let after = site.simulator.virtual_proxy("jackfield").unwrap();
    assert_eq!(after["jwtAttributeUserId"], "userId");
    let description = after["description"].as_str().unwrap();
    let (mark, rest) = description.strip_prefix("Jackfield (installation ").unwrap().split_once(')').unwrap();
    assert_eq!((mark.len(), rest), (12, ", of the reporting team"), "{description}");
    assert_eq!(site.written(), ["Updated VirtualProxyConfig"]);
    assert!(site.simulator.default_virtual_proxy_is_untouched());
}

#[test]
fn the_prefix_is_the_operators_choice() {
    let site = Site::new(small());
    site.add_as(0, &[&PFX[..], &["--set", "proxy_prefix=kpimailer"]].concat()).expect_success();
    assert!(site.simulator.virtual_proxy("kpimailer").is_some());
    assert!(site.simulator.virtual_proxy("jackfield").is_none());
}

/// The certificate that the site has for the virtual proxy.
pub(crate) fn registered(site: &Site) -> Value {
    site.simulator.virtual_proxy("jackfield").unwrap()["jwtPublicKeyCertificate"].clone()
}

#[test]
fn two_connections_do_not_take_the_virtual_proxy_from_each_other() {
    let site = Site::new(small());
    site.add().expect_success();
    let first = registered(&site);
    site.simulator.clear_events();
    let named = |name: &str| {
        let mut arguments = site.arguments(0);
        let at = arguments.iter().position(|argument| argument == "Q").unwrap();
        arguments[at] = name.to_owned();
        arguments.extend(PFX.map(str::to_owned));
        arguments
    };
    let mut told = String::new();
    for prefix in ["jackfield", "Jackfield"] {
        let refused =
            site.host.run([named("R"), vec!["--set".into(), format!("proxy_prefix={prefix}")]].concat());
        told.push_str(&format!("{}: {}\n", refused.code(), refused.all()));
    }
    site.host.run([named("R"), vec!["--set".into(), "proxy_prefix=other".into()]].concat()).expect_success();
    let refused = site.host.run(["connection", "edit", "R", "--set", "proxy_prefix=JACKFIELD"]);
    told.push_str(&format!("{}: {}\n", refused.code(), refused.all()));

    // Another host, another database: only the mark at the virtual proxy tells it that this one is in use.
    let elsewhere = Host::with_plugins(&["qlik-onprem"]);
    for (file, content) in [
        ("client.pfx", site.simulator.client_certificate().pfx(Pkcs12::Aes256, "").unwrap()),
        ("root.pem", site.simulator.root_pem().into()),
    ] {
        elsewhere.file(file, content);
    }
    let foreign = elsewhere.run([site.arguments(0), vec![PFX[0].into(), PFX[1].into()]].concat());
    told.push_str(&format!("{}: {}\n", foreign.code(), foreign.all()));
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(told) });
    assert_eq!(registered(&site), first, "nobody changed it");
    assert_eq!(site.written(), ["Created VirtualProxyConfig", "Updated ProxyService"], "those of \"other\"");

    // What stays of a deleted connection, or of a test that did not pass, is in nobody's way.
    let deleted = site.host.run(["connection", "delete", "Q", "--yes"]).expect_success();
    assert!(deleted.stdout.contains("stays there"), "{}", deleted.all());
    site.add().expect_success();
    assert_ne!(registered(&site), first);
}

#[test]
fn a_prefix_that_differs_in_case_is_the_same_and_nothing_is_written_for_it() {
    let site = Site::new(small());
    site.add().expect_success();
    site.simulator.clear_events();
    site.host.run(["connection", "edit", "Q", "--set", "proxy_prefix=JACKFIELD"]).expect_success();
    assert_eq!(site.written(), [""; 0]);
}

#[test]
fn paths_of_qlik_sense_are_no_prefixes() {
    let site = Site::new(small());
    for prefix in ["hub", "QRS"] {
        let refused = site.add_as(0, &[&PFX[..], &["--set", &format!("proxy_prefix={prefix}")]].concat());
        assert_eq!(refused.code(), 2, "{}", refused.all());
        assert!(refused.all().contains("is a path of Qlik Sense itself"), "{}", refused.all());
    }
    assert_eq!(site.written(), [""; 0]);
}

#[test]
fn a_new_key_whose_test_fails_is_told_and_put_back_by_the_next_test() {
    let site = Site::new(small());
    site.add().expect_success();
    let kept = registered(&site);
    // The site takes the new key, and then its proxy cannot be spoken to.
    site.simulator.show_proxy_certificate(Certificate::Expired).unwrap();
    let failed = site.host.run(["connection", "edit", "Q", "--unset", "proxy_key"]);
    assert_ne!(failed.code(), 0, "{}", failed.all());
    assert_ne!(registered(&site), kept);
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(failed.all()) });
    site.simulator.show_proxy_certificate(Certificate::Own).unwrap();
    site.test().expect_success();
    assert_eq!(registered(&site), kept);
}

#[test]
fn the_key_pair_is_made_here_kept_and_never_shown() {
    let site = Site::new(small());
    site.add().expect_success();
    let first = registered(&site);
    site.host.run(["connection", "edit", "Q", "--set", "service_user=nobody"]);
    site.host.run(["connection", "edit", "Q", "--description", "site"]).expect_success();
    site.test().expect_success();
    assert_eq!(registered(&site), first, "an edit keeps it");

    site.host.run(["connection", "edit", "Q", "--unset", "proxy_key"]).expect_success();
    assert_ne!(registered(&site), first, "it was made anew");
    site.test().expect_success();

    site.host.file("pair.pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    let given = site.host.run(["connection", "edit", "Q", "--secret", "proxy_key=@pair.pem"]);
    assert_eq!(given.code(), 2, "{}", given.all());
    let shown = site.host.run(["plugin", "show", "qlik-onprem"]).expect_success();
    insta::assert_snapshot!(
        "made_by_jackfield",
        format!("{}\n{}", given.stderr, line_of(&shown.stdout, "proxy_key"))
    );
    let stored = site.host.run(["connection", "show", "Q", "--json"]).expect_success();
    assert!(!stored.all().contains("PRIVATE KEY"), "{}", stored.all());
}

fn line_of<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_default()
}

#[test]
fn what_is_refused_names_the_field_to_bring_into_line() {
    let site = Site::new(small());
    let expired = site.simulator.issue_client_certificate(Validity::EXPIRED).unwrap();
    site.host.file("expired.pfx", expired.pfx(Pkcs12::Aes256, PASSWORD).unwrap());
    let bare = site.simulator.client_certificate().pfx_without_key(PASSWORD).unwrap();
    site.host.file("bare.pfx", bare);
    site.host.file("notes.txt", "no certificate at all");
    let stranger = Simulator::start_blocking(small()).unwrap();
    let foreign = stranger.client_certificate().pfx(Pkcs12::Aes256, PASSWORD).unwrap();
    site.host.file("foreign.pfx", foreign);
    let password = "certificate_password=env:CERTIFICATE_PASSWORD";
    let mut told = String::new();
    for (name, user, secrets, more) in [
        ("wrong password", 0, vec!["client_certificate=@client.pfx"], vec![]),
        ("no PKCS #12", 0, vec!["client_certificate=@notes.txt", password], vec![]),
        ("no key", 0, vec!["client_certificate=@bare.pfx", password], vec![]),
        ("expired", 0, vec!["client_certificate=@expired.pfx", password], vec![]),
        ("of another site", 0, vec!["client_certificate=@foreign.pfx", password], vec![]),
        ("no role", 6, vec!["client_certificate=@client.pfx", password], vec![]),
        ("another role", 1, vec!["client_certificate=@client.pfx", password], vec![]),
        ("blocked", 7, vec!["client_certificate=@client.pfx", password], vec![]),
        ("inactive", 8, vec!["client_certificate=@client.pfx", password], vec![]),
        ("gone", 9, vec!["client_certificate=@client.pfx", password], vec![]),
        ("unknown user", 0, vec!["client_certificate=@client.pfx", password], vec!["service_user=nobody"]),
        (
            "unknown directory",
            0,
            vec!["client_certificate=@client.pfx", password],
            vec!["user_directory=ELSEWHERE"],
        ),
        (
            "plain http",
            0,
            vec!["client_certificate=@client.pfx", password],
            vec!["server_url=http://localhost"],
        ),
        (
            "no scheme",
            0,
            vec!["client_certificate=@client.pfx", password],
            vec!["server_url=qlik.example.com"],
        ),
    ] {
        let mut arguments: Vec<&str> = secrets.iter().flat_map(|secret| ["--secret", secret]).collect();
        arguments.extend(more.iter().flat_map(|setting| ["--set", setting]));
        let refused = site.add_as(user, &arguments);
        assert_ne!(refused.code(), 0, "{name}: {}", refused.all());
        told.push_str(&format!("## {name}: {}\n{}{}\n", refused.code(), refused.stdout, refused.stderr));
    }
    insta::with_settings!({ filters => readable() }, { insta::assert_snapshot!(told) });
    assert_eq!(site.host.json(["connection", "list"]), json!([]));
    assert_eq!(site.written(), [""; 0]);
}

#[test]
fn a_refresh_of_what_changed_leaves_the_same_as_one_of_everything() {
    let site = Site::new(Config { population: Population::of(300), ..Config::default() });
    site.add().expect_success();
    for revision in 1..=3 {
        site.simulator.change(Changes { percent: 10.0, revision });
        let run: Value = site.host.json(["connection", "refresh", "Q"]);
        let kinds = run["result"]["kinds"].as_array().unwrap();
        let users = kinds.iter().find(|kind| kind["kind"] == "user").unwrap();
        assert!(users["removed"].as_u64() > Some(0) && users["added"].as_u64() > Some(0), "{users}");
        let log = site.host.run(["connection", "log", "Q"]).expect_success().stdout;
        assert!(log.contains("users: read as far as changed since"), "{log}");
    }
    let mut arguments = site.arguments(0);
    let name = arguments.iter().position(|argument| argument == "Q").unwrap();
    arguments[name] = "All".to_owned();
    arguments.extend(PFX.map(str::to_owned));
    arguments.extend(["--set", "proxy_prefix=all"].map(str::to_owned));
    site.host.run(arguments).expect_success();
    for kind in ["app", "user", "task", "stream", "role"] {
        let objects = |connection| {
            let listed = site.host.json(["catalog", "list", connection, kind, "--limit", "1000"]);
            let objects = listed.as_array().unwrap().iter();
            // The simulator gives away what a removed user owned, without a change of the object.
            let owned = |object: &Value| {
                let mut object = object.clone();
                object["links"].as_array_mut().unwrap().retain(|link| link["relation"] != "owner");
                object
            };
            objects.map(|object| (object["id"].to_string(), owned(object))).collect::<BTreeMap<_, _>>()
        };
        let (changed, whole) = (objects("Q"), objects("All"));
        let differing = whole.iter().find(|(id, object)| changed.get(*id) != Some(object));
        assert_eq!(differing, None, "{kind}: {:?}", differing.and_then(|(id, _)| changed.get(id)));
        assert_eq!(changed.len(), whole.len(), "{kind}");
    }
}

/// What differs from run to run.
fn readable() -> Vec<(&'static str, &'static str)> {
    vec![
        (r":\d{4,5}", ":[PORT]"),
        (r"[0-9a-f]{64}", "[SHA256]"),
        (r"sha256 [0-9a-f]{12}", "sha256 [DIGEST]"),
        (r"Log: \S+", "Log: [LOG]"),
        (r"\d+ days more", "[N] days more"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?Z?", "[MOMENT]"),
        (r"[ \t]+\n", "\n"),
    ]
}
