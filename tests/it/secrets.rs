//! Secrets stay where they belong: in requests to the system they are for, and sealed in the database. Everything else
//! that the program writes, prints or shows to other processes is searched for them.

use crate::qlik_cloud::{Tenant, small};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::{NewClient, Simulator},
};
use jackfield_tests::{Finished, Host, wait_for};
use std::{fs, path::Path, time::Duration};

/// What is looked for: a name, and every form of a secret.
struct Canary {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new(name: &'static str, value: &str) -> Canary {
        let mut forms = vec![value.as_bytes().to_vec()];
        let percent = |byte: u8, upper: bool| match (byte.is_ascii_alphanumeric(), upper) {
            (true, _) => char::from(byte).to_string(),
            (false, true) => format!("%{byte:02X}"),
            (false, false) => format!("%{byte:02x}"),
        };
        forms.extend(
            [true, false]
                .map(|upper| value.bytes().map(|byte| percent(byte, upper)).collect::<String>().into()),
        );
        // What stands before a secret shifts its base64; the characters that depend on the neighbours are left out.
        for shift in 0..3 {
            let text = BASE64_STANDARD_NO_PAD.encode([&vec![b'x'; shift], value.as_bytes()].concat());
            let whole = text[shift + shift.min(1)..text.len() - 2].to_owned();
            forms.push(whole.replace('+', "-").replace('/', "_").into());
            forms.push(whole.into());
        }
        Canary { name, forms }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let contains = |form: &Vec<u8>| bytes.windows(form.len()).any(|window| window == form);
        // A quick look first: windows are slow.
        self.forms.iter().any(|form| memchr::memmem::find(bytes, form).is_some() && contains(form))
    }
}

/// Everything that was seen, searched.
#[derive(Default)]
struct Search {
    seen: Vec<(String, Vec<u8>)>,
}

impl Search {
    fn printed(&mut self, what: &str, finished: &Finished) {
        self.seen.push((format!("output of {what}"), finished.stdout.clone().into_bytes()));
        self.seen.push((format!("errors of {what}"), finished.stderr.clone().into_bytes()));
    }

    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else {
                self.seen.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }

    fn finds_none_of(&self, canaries: &[Canary]) {
        let mut found = Vec::new();
        for canary in canaries {
            let places = self.seen.iter().filter(|(_, bytes)| canary.is_in(bytes));
            found.extend(places.map(|(place, _)| format!("{} in {place}", canary.name)));
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn the_search_finds_every_form() {
    let value = "s3cr3t+/canary=with~odd&letters";
    let canary = Canary::new("canary", value);
    for before in ["", "x", "xy", "xyz"] {
        for after in ["", "!", "!!"] {
            let text = BASE64_STANDARD_NO_PAD.encode(format!("{before}{value}{after}"));
            assert!(canary.is_in(text.as_bytes()), "{before}{value}{after}");
        }
    }
    assert!(canary.is_in(b"a=s3cr3t%2B%2Fcanary%3Dwith%7Eodd%26letters"));
    assert!(canary.is_in(format!("<{value}>").as_bytes()) && !canary.is_in(b"s3cr3t"));
}

const ODD_KEY: &str = "canary-api-key/with+odd=letters~and more&";

#[test]
fn no_secret_is_in_anything_that_is_written_or_printed() {
    let mut tenant = Tenant::with(small(), &NewClient::default());
    let key = tenant.key_of(0, Duration::from_secs(7 * 86_400));
    tenant.host.file("odd", ODD_KEY);
    tenant.host.set("JACKFIELD_LOG__LEVEL", "trace");
    let mut search = Search::default();
    let url = format!("tenant_url={}", tenant.simulator.base_url());
    let client = format!("client_id={}", tenant.client.client_id);
    let oauth = ["--set", &url, "--set", &client, "--tls-ca", "ca.pem", "--secret"];
    let by_key = ["--set", &url, "--set", "sign_in=api_key", "--tls-ca", "ca.pem", "--secret"];
    tenant.host.file("key", &key.token);
    tenant.host.file("new_secret", &tenant.client.client_secret);
    let add = |name, flags: &[&str], secret| {
        [&["connection", "add", "qlik-cloud", name], flags, &[secret]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let mut steps: Vec<Vec<String>> = vec![
        add("A", &oauth, "client_secret=@client_secret"),
        add("B", &by_key, "api_key=@key"),
        // A secret that is refused, one that is no secret's name, one in the wrong place.
        add("C", &by_key, "api_key=@odd"),
        add("D", &oauth, "client_id=@client_secret"),
    ];
    for name in ["A", "B"] {
        for command in ["test", "refresh", "show", "log"] {
            steps.push(["connection", command, name].map(str::to_owned).into());
        }
    }
    steps.push(["connection", "list"].map(str::to_owned).into());
    steps
        .push(["connection", "edit", "A", "--secret", "client_secret=@new_secret"].map(str::to_owned).into());
    steps.push(["connection", "edit", "B", "--secret", "api_key=@odd"].map(str::to_owned).into());
    steps.push(["run", "list"].map(str::to_owned).into());
    steps.push(["config", "show"].map(str::to_owned).into());
    // All of it twice more: a tenant that repeats in its answers what it was sent, as success and as failure.
    for echo in [None, Some(400), Some(200)] {
        tenant.simulator.clear_faults();
        if let Some(status) = echo {
            for path in ["/oauth/token", "/api/v1/users/me", "/api/v1/items", "/api/v1/spaces"] {
                let fault = Fault::new(path, FaultKind::Echo { status });
                tenant.simulator.add_fault(if path.contains("users/me") { fault.after(1) } else { fault });
            }
        }
        for step in &steps {
            for json in [false, true] {
                let mut step = step.clone();
                step.extend(json.then(|| "--json".to_owned()));
                search.printed(&format!("{step:?}, echo {echo:?}"), &tenant.host.run(&step));
            }
        }
        for run in tenant.host.json(["run", "list", "--limit", "1000"]).as_array().unwrap() {
            for json in [None, Some("--json")] {
                let step = ["run", "show", run["id"].as_str().unwrap()].into_iter().chain(json);
                search.printed("run show", &tenant.host.run(step));
            }
        }
        // With the processes gone the write-ahead log may be too; it was written all the same.
        search.files(&tenant.host.data());
    }
    assert!(
        search.seen.iter().any(|(_, bytes)| memchr::memmem::find(bytes, "«secret»".as_bytes()).is_some())
    );
    let echoed = tenant.simulator.requests().iter().filter(|request| request.status == 400).count();
    assert!(echoed > 3, "the tenant echoed {echoed} times");

    let tokens = tenant.simulator.issued_tokens();
    assert!(tokens.len() > 4);
    let mut canaries = vec![
        Canary::new("client secret", &tenant.client.client_secret),
        Canary::new("API key", &key.token),
        Canary::new("refused API key", ODD_KEY),
    ];
    canaries.extend(tokens.iter().map(|token| Canary::new("access token", token)));
    // A token is three parts; the last, its signature, is what must not be known.
    canaries.extend(tokens.iter().map(|token| Canary::new("signature", token.rsplit('.').next().unwrap())));
    search.finds_none_of(&canaries);
}

/// The processes that descend from one, itself included.
fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        at += 1;
    }
    family
}

#[test]
fn no_process_shows_a_secret_to_others() {
    let tenant = Tenant::with(small(), &NewClient::default());
    tenant.simulator.add_fault(Fault::new("/api/v1/spaces", FaultKind::Delay { milliseconds: 3000 }));
    let url = format!("tenant_url={}", tenant.simulator.base_url());
    let client = format!("client_id={}", tenant.client.client_id);
    let mut command = tenant.host.command([
        "connection",
        "add",
        "qlik-cloud",
        "T",
        "--set",
        &url,
        "--set",
        &client,
        "--tls-ca",
        "ca.pem",
        "--secret",
        "client_secret=env:THE_SECRET",
    ]);
    let mut child = command
        .env("THE_SECRET", &tenant.client.client_secret)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let processes = wait_for("a worker in the middle of a refresh", || {
        let in_lists = tenant.simulator.requests().iter().any(|request| request.path == "/api/v1/items");
        Some(family(child.id())).filter(|family| family.len() > 1 && in_lists)
    });
    let mut search = Search::default();
    for process in &processes {
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap();
            if *process == child.id() && file == "environ" {
                // The person put it there, by that name and no other.
                let mut own: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
                own.retain(|variable| !variable.starts_with(b"THE_SECRET="));
                assert!(bytes.len() > own.concat().len() + own.len(), "the variable was not given");
                search.seen.push((format!("{file} of {process}"), own.join(&0)));
            } else {
                assert!(
                    file != "environ" || bytes.is_empty(),
                    "a worker has an environment: {}",
                    String::from_utf8_lossy(&bytes)
                );
                search.seen.push((format!("{file} of {process}"), bytes));
            }
        }
    }
    search.files(&tenant.host.data());
    assert!(child.wait().unwrap().success());
    search.files(&tenant.host.data());
    let mut canaries = vec![Canary::new("client secret", &tenant.client.client_secret)];
    canaries.extend(tenant.simulator.issued_tokens().iter().map(|token| Canary::new("access token", token)));
    search.finds_none_of(&canaries);
}

/// A host with a hostile connection to a simulator that echoes.
fn hostile(mode: &str) -> (Host, Simulator) {
    let simulator = Simulator::start_blocking(small()).unwrap();
    simulator.add_fault(Fault::new("/echo", FaultKind::Echo { status: 200 }));
    let host = Host::with_plugins(&["hostile"]);
    host.file("ca.pem", simulator.ca_pem());
    host.file("token", ODD_KEY);
    let url = format!("server_url={}", simulator.base_url());
    let mode = format!("mode={mode}");
    host.run([
        "connection",
        "add",
        "hostile",
        "H",
        "--set",
        &url,
        "--set",
        "mode=ok",
        "--secret",
        "token=@token",
        "--tls-ca",
        "ca.pem",
    ])
    .expect_success();
    host.run(["connection", "edit", "H", "--set", &mode]);
    (host, simulator)
}

#[test]
fn a_plugin_that_logs_what_a_server_echoes_logs_no_secret() {
    let (host, simulator) = hostile("echo_secret");
    let mut search = Search::default();
    for command in [["connection", "refresh", "H"], ["connection", "log", "H"], ["connection", "test", "H"]] {
        search.printed(&format!("{command:?}"), &host.run(command).expect_success());
    }
    assert!(simulator.requests().iter().any(|request| request.path == "/echo" && request.status == 200));
    assert!(search.seen.iter().any(|(_, bytes)| memchr::memmem::find(bytes, b"the server said").is_some()));
    search.files(&host.data());
    search.finds_none_of(&[Canary::new("token", ODD_KEY)]);
}

#[test]
fn a_secret_goes_nowhere_but_where_the_description_says() {
    for (mode, words) in [
        (
            "slot_elsewhere",
            "the plugin puts the secret \"token\" into the header \"x-leak\" at GET /leak of server_url; its description allows only the bearer header",
        ),
        ("leak", "elsewhere.example"),
    ] {
        let (host, simulator) = hostile("ok");
        let edited = host.run(["connection", "edit", "H", "--set", &format!("mode={mode}")]);
        assert_eq!(edited.code(), 6, "{mode}: {}", edited.all());
        assert!(edited.stderr.contains(words), "{mode}: {}", edited.all());
        assert!(edited.stderr.contains("hostile"), "the plugin is not named: {}", edited.all());
        assert!(simulator.requests().is_empty(), "{mode}: something was sent");
    }
}
