//! Secrets stay where they belong: in requests to the system they are for, and sealed in the database. Everything else
//! that the program writes, prints or shows to other processes is searched for them.

use crate::{
    canary::{Canary, Search, family},
    nprinting::{self, Server},
    qlik_cloud::{Tenant, small},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::{NewClient, Simulator},
};
use jackfield_tests::{Host, wait_for};
use std::time::Duration;

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
    assert!(search.has("«secret»"));
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

#[test]
fn what_signs_in_to_nprinting_is_seen_nowhere_else() {
    let mut server = Server::new(nprinting::small());
    let key = std::fs::read_to_string(server.host.work().join("key.pem")).unwrap();
    server.host.set("JACKFIELD_LOG__LEVEL", "trace");
    server.host.set("JACKFIELD_LOG__FORMAT", "json");
    let mut search = Search::default();
    for echo in [None, Some(400), Some(200)] {
        server.simulator.clear_faults();
        if let Some(status) = echo {
            // The first answer is as it should be, so that there are cookies to be shown.
            server.simulator.add_fault(Fault::new("/api/v1/", FaultKind::Echo { status }).after(3));
        }
        search.printed("add", &server.add(&[]));
        for command in ["test", "refresh", "show", "log"] {
            for json in [None, Some("--json")] {
                let words = ["connection", command, "N"].into_iter().chain(json);
                search.printed(&format!("{command}, echo {echo:?}"), &server.host.run(words));
            }
        }
        for run in server.host.json(["run", "list", "--limit", "1000"]).as_array().unwrap() {
            search.printed("run show", &server.host.run(["run", "show", run["id"].as_str().unwrap()]));
        }
        search.files(&server.host.data());
    }
    // This connector repeats nothing of an error's body; what it does with the rows that it takes for objects is searched.
    let echoed = server.simulator.requests().iter().filter(|request| request.status == 400).count();
    assert!(echoed > 3, "the server echoed {echoed} times");
    let shown = server.simulator.shown_credentials();
    let tokens: Vec<&String> = shown.iter().filter(|value| value.starts_with("eyJ")).collect();
    assert!(tokens.len() > 3 && shown.len() > tokens.len() + 3, "too little was shown: {shown:?}");
    let signature = |token: &&String| Canary::new("signature", token.rsplit('.').next().unwrap());
    let mut canaries: Vec<Canary> = tokens.iter().map(signature).collect();
    canaries.extend(shown.iter().map(|value| Canary::new("token or cookie", value)));
    canaries.push(Canary::new("private key", key.trim()));
    search.finds_none_of(&canaries);
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
    wait_for("a worker in the middle of a refresh", || {
        let in_lists = tenant.simulator.requests().iter().any(|request| request.path == "/api/v1/items");
        (family(child.id()).len() > 1 && in_lists).then_some(())
    });
    let mut search = Search::default();
    for worker in &family(child.id())[1..] {
        let environment = std::fs::read_to_string(format!("/proc/{worker}/environ")).unwrap();
        assert_eq!(environment, "", "a worker has an environment");
    }
    search.processes(child.id(), "THE_SECRET");
    assert!(search.has("worker") && search.has("THE_SECRET"), "the processes were not looked at");
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
    assert!(search.has("the server said"));
    search.files(&host.data());
    search.finds_none_of(&[Canary::new("token", ODD_KEY)]);
}

#[test]
fn a_secret_goes_nowhere_but_where_the_description_says() {
    let (host, simulator) = hostile("ok");
    simulator.clear_requests();
    let mut told = String::new();
    for mode in [
        r#"slot token /leak {"at":"header","name":"x-leak"}"#,
        r#"slot token /leak {"at":"header","name":"authorization"}"#,
        r#"slot token /leak {"at":"header","name":"cookie"}"#,
        r#"slot token /leak {"at":"basic","user":"anna"}"#,
        r#"slot token /leak {"at":"form","field":"key"}"#,
        r#"slot token /form/x {"at":"form","field":"another"}"#,
        r#"slot token /form/../leak {"at":"form","field":"key"}"#,
        r#"slot token /form/%2e%2e/leak {"at":"form","field":"key"}"#,
        r#"slot token /form/..%2fleak {"at":"form","field":"key"}"#,
        r#"slot token /FORM/x {"at":"form","field":"key"}"#,
        r#"slot token /json/x {"at":"json","pointer":"/another"}"#,
        r#"slot token /json/x {"at":"json","pointer":"/key/0"}"#,
        r#"slot token /leak {"at":"tls_identity"}"#,
        r#"slot token /leak {"at":"signature"}"#,
        r#"slot token /leak {"at":"query","name":"key"}"#,
        r#"slot mode /leak {"at":"bearer"}"#,
        r#"slot nothing /leak {"at":"bearer"}"#,
        r#"slot captured:jwt /leak {"at":"bearer"}"#,
        r#"slot token //elsewhere.example/ {"at":"bearer"}"#,
        r#"slot token /\elsewhere.example {"at":"bearer"}"#,
        "leak",
    ] {
        let edited = host.run(["connection", "edit", "H", "--set", &format!("mode={mode}")]);
        assert_eq!(edited.code(), 6, "{mode}: {}", edited.all());
        assert!(edited.stderr.contains("hostile"), "the plugin is not named: {}", edited.all());
        assert!(simulator.requests().is_empty(), "{mode}: something was sent");
        told += &format!("{mode}\n{}\n", edited.stderr);
    }
    let mut settings = crate::support::snapshots(&host);
    settings.add_filter(r"localhost:\d+", "localhost:[PORT]");
    settings.bind(|| insta::assert_snapshot!("slots", told));
    let allowed = r#"mode=slot token /json/x {"at":"json","pointer":"/key"}"#;
    host.run(["connection", "edit", "H", "--set", allowed]).expect_success();
    assert_eq!(simulator.requests().len(), 1, "what is allowed is sent");
}

#[test]
fn a_secret_where_a_name_belongs_is_not_repeated() {
    let host = crate::support::hostile_host();
    let pair = host.json(["key", "generate", "--stdout"]);
    let key = pair["private_key"].as_str().unwrap();
    let token = ODD_KEY.replace(&['-', '/', '+', '=', '~', ' ', '&'][..], "7");
    // What a shell makes of "$KEY" in each place.
    let rows: [(&str, &str, &str); 14] = [
        ("--secret", "token=env:", &token),
        ("--secret", "token=env:", ODD_KEY),
        ("--secret", "token=env:", key),
        ("--secret", "token=@", &token),
        ("--secret", "token=@", key),
        ("--secret", "", &format!("{token}==")),
        ("--secret", "", key),
        ("--set", "", &format!("{token}==")),
        ("--set", "", key),
        ("--tls-ca", "", &token),
        ("--tls-ca", "", key),
        ("--tls-pin", "", &token),
        ("--tls-pin", "", key),
        ("--tls-server-name", "", key),
    ];
    let mut search = Search::default();
    let mut told = String::new();
    for (flag, before, value) in rows {
        let value = format!("{before}{value}");
        let adding = crate::support::adding("H").into_iter().chain([flag.to_owned(), value]);
        let refused = host.run(adding);
        assert_eq!(refused.code(), 2, "{flag} {before}: {}", refused.all());
        told += &format!("{flag} {before}\n{}\n", refused.stderr);
        search.printed(&format!("{flag} {before}"), &refused);
    }
    for words in [
        vec!["connection", "show", "H", key],
        vec!["connection", key],
        vec!["key", "generate", "--bits", key],
    ] {
        let refused = host.run(&words);
        assert_eq!(refused.code(), 2, "{}: {}", words[0], refused.all());
        told += &format!("{} …\n{}\n", words[..words.len() - 1].join(" "), refused.stderr);
        search.printed(words[0], &refused);
    }
    let mut settings = crate::support::snapshots(&host);
    // It depends on where the slashes are in a key that is another each time.
    settings
        .add_filter(r"No such file or directory \(os error 2\)|File name too long \(os error 36\)", "[WHY]");
    settings.bind(|| insta::assert_snapshot!("misplaced", told));
    search.files(&host.data());
    search.finds_none_of(&[
        Canary::new("key", key.trim()),
        Canary::new("token", &token),
        Canary::new("odd token", ODD_KEY),
    ]);
}
