//! Leaks, looked for in earnest: a plugin that repeats whatever a server says, and a server that says whatever it was shown,
//! in every way and place.

use crate::{
    canary::{Canary, Search, WAYS, family},
    mirror::{Mirror, PLACES, fully_escaped},
    qlik_cloud::{Tenant, small},
    support::{adding, misbehave, no_worker_left},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::NewClient,
};
use jackfield_tests::{Host, wait_for};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::ExitStatusExt,
    },
    process::{Child, Command},
};

/// A secret with everything in it that some encoding escapes.
const ODD: &str = "Canary+api/key=with~odd&letters<'\">`\\and-More!";

/// What a JWT looks like, its signature with letters of both cases.
const JWT: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkiLCJuIjoxfQ.Q2FuYXJ5LXNpZ25hdHVyZS_Ab-Cd_Ef-0123456789";

/// A private key, as it comes from a file.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcanaryKey/lineOne+a\n\
    canaryKeyLineTwo/withSlashes+andPluses/0123456789+abcdefghijklmnop\ncanaryKeyLast/Line+==\n-----END PRIVATE KEY-----\n";

/// A host with a hostile connection to the mirror.
fn facing(mirror: &Mirror, secret: &str) -> Host {
    let mut host = Host::with_plugins(&["hostile"]);
    host.set("JACKFIELD_LOG__LEVEL", "trace");
    host.set("TMPDIR", host.work().join("data/temporary").display().to_string());
    fs::create_dir_all(host.data().join("temporary")).unwrap();
    host.file("token", secret);
    let url = format!("server_url={}", mirror.url());
    let fixed = ["connection", "add", "hostile", "H", "--set", &url, "--set", "mode=ok"];
    host.run([&fixed[..], &["--set", "count=3", "--secret", "token=@token"]].concat()).expect_success();
    host
}

#[test]
fn what_a_server_echoes_leaks_nowhere_whatever_the_plugin_does_with_it() {
    for (secret, by, places) in [
        (ODD, "bearer", PLACES),
        (JWT, "bearer", PLACES),
        (KEY, "json", PLACES),
        (ODD, "form", &["text"][..]),
    ] {
        let mirror = Mirror::start();
        mirror.offer(by, places);
        let host = facing(&mirror, secret);
        let mut search = Search::default();
        let mut asked = 0;
        for mode in ["parrot", "parrot_fail", "parrot_panic", "parrot_kept"] {
            misbehave(&host, "H", mode);
            for command in ["refresh", "test", "log", "show"] {
                for json in [None, Some("--json")] {
                    let words = ["connection", command, "H"].into_iter().chain(json);
                    search.printed(&format!("{mode} {command}"), &host.run(words));
                }
                asked += if ["refresh", "test"].contains(&command) { 2 * mirror.offered() } else { 0 };
            }
            for words in [["catalog", "list", "H", "thing"], ["run", "list", "--limit", "1000"]] {
                search.printed("a list", &host.run(words));
            }
        }
        for run in host.json(["run", "list", "--limit", "1000"]).as_array().unwrap() {
            search.printed("run show", &host.run(["run", "show", run["id"].as_str().unwrap()]));
        }
        no_worker_left(&host);
        search.files(&host.data());
        assert_eq!(mirror.shown().len(), asked, "not everything was asked for");
        assert!(
            mirror.shown().iter().all(|shown| shown == secret.trim_end()),
            "the mirror was shown something else"
        );
        assert!(search.has("the server said «secret»."), "nothing was repeated");
        search.finds_none_of(&canaries(secret));
    }
}

/// A secret, and what of it is as good as the whole.
fn canaries(secret: &str) -> Vec<Canary> {
    let escaped = fully_escaped(secret.trim());
    let mut canaries = vec![Canary::new("secret", secret.trim()), Canary::new("escaped secret", &escaped)];
    if secret == JWT {
        canaries.push(Canary::new("signature", secret.rsplit('.').next().unwrap()));
    }
    canaries
}

/// A connection whose refresh waits in the middle, when its token is in use.
fn slow_tenant() -> Tenant {
    let mut tenant = Tenant::with(small(), &NewClient::default());
    tenant.host.set("TMPDIR", tenant.host.data().display().to_string());
    tenant.add(&[]).expect_success();
    tenant.simulator.clear_faults();
    tenant.simulator.clear_requests();
    tenant.simulator.add_fault(Fault::new("/api/v1/spaces", FaultKind::Hang));
    tenant
}

/// The tokens and the secret that a tenant knows.
fn known_to(tenant: &Tenant) -> Vec<Canary> {
    let tokens = tenant.simulator.issued_tokens();
    let signature = |token: &String| token.rsplit('.').next().unwrap().to_owned();
    let tokens = tokens.iter().flat_map(|token| [token.clone(), signature(token)]);
    tokens.chain([tenant.client.client_secret.clone()]).map(|value| Canary::new("secret", &value)).collect()
}

/// Starts a refresh that may leave as much of a core as the system allows, if nobody forbids it.
fn start_with_core(host: &Host) -> Child {
    let script = r#"ulimit -c unlimited 2>/dev/null; exec "$0" "$@""#;
    let jackfield = host.command(["connection", "refresh", "T", "--log-level", "trace"]);
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(jackfield.get_program()).args(jackfield.get_args());
    command.env_clear().envs(jackfield.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Into files: a pipe that nobody reads yet is soon full, and the command would wait for us.
    let file = |name: &str| fs::File::create(host.work().join(name)).unwrap();
    command.current_dir(host.work()).stdout(file("output")).stderr(file("errors"));
    command.spawn().unwrap()
}

#[test]
fn a_crash_leaves_nothing_behind() {
    // An invalid access to memory ends as these do, but cannot be sent: the first one would be let pass.
    for signal in ["KILL", "ABRT", "ILL"] {
        let tenant = slow_tenant();
        let mut child = start_with_core(&tenant.host);
        let host = child.id();
        let worker = wait_for("a worker in the middle of a refresh", || {
            let waits = tenant.simulator.requests().iter().any(|request| request.path == "/api/v1/items");
            family(host).get(1).copied().filter(|_| waits)
        });
        let mut search = Search::default();
        search.processes(host, "-");
        for process in [host, worker] {
            let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
            let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
            let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
            assert_eq!(values, ["0", "0"], "{core}");
        }
        jackfield_tests::host::signal(host, signal);
        let ended = child.wait().unwrap();
        assert!(ended.signal().is_some() && !ended.core_dumped(), "{signal}: {ended}");
        no_worker_left(&tenant.host);
        for printed in ["output", "errors"] {
            search.add(printed, fs::read(tenant.host.work().join(printed)).unwrap());
        }
        assert!(search.has("operation"), "nothing was traced");
        search.files(&tenant.host.data());
        // Whoever comes next tidies up, and is searched as well.
        tenant.simulator.clear_faults();
        for command in ["list", "show T", "log T"] {
            let words = ["connection"].into_iter().chain(command.split(' '));
            search.printed(command, &tenant.host.run(words).expect_success());
        }
        search.files(&tenant.host.data());
        let is_core = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("core");
        let cores = fs::read_dir(tenant.host.work()).unwrap().map(Result::unwrap).filter(is_core);
        assert_eq!(cores.count(), 0, "{signal}: a core file");
        search.finds_none_of(&known_to(&tenant));
    }
}

#[test]
fn what_only_the_owner_may_read_is_so_in_an_open_folder_too() {
    let host = Host::with_plugins(&["hostile"]);
    fs::set_permissions(host.data(), fs::Permissions::from_mode(0o755)).unwrap();
    host.file("token", ODD);
    host.run(adding("H")).expect_success();
    let (mut folders, mut seen) = (vec![host.data()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            if metadata.is_dir() && entry.file_name() != "plugins" {
                folders.push(path.clone());
            } else if !metadata.is_dir() {
                assert_eq!(metadata.mode() & 0o077, 0, "{} has mode {:o}", path.display(), metadata.mode());
                seen += 1;
            }
        }
    }
    assert!(seen > 2, "the folder is nearly empty");
}

#[test]
fn a_proxy_password_is_shown_nowhere() {
    let mut host = Host::with_plugins(&["hostile"]);
    host.file("token", "some-other-secret");
    let (server, proxy) = (Mirror::start(), Mirror::start());
    proxy.offer("bearer", &["text"]);
    let password = "Canary/proxy+pass word";
    let mut url = reqwest::Url::parse(proxy.url()).unwrap();
    url.set_username("anna").unwrap();
    url.set_password(Some(password)).unwrap();
    host.set("JACKFIELD_HTTP__PROXY", url.as_str());
    host.set("JACKFIELD_LOG__LEVEL", "trace");
    let mut search = Search::default();
    let server_url = format!("server_url={}", server.url());
    let add = ["connection", "add", "hostile", "H", "--set", &server_url, "--set", "mode=ok", "--secret"];
    search.printed("add", &host.run([&add[..], &["token=@token"]].concat()).expect_success());
    misbehave(&host, "H", "parrot");
    for words in [["config", "show", "--json"], ["connection", "test", "H"], ["connection", "refresh", "H"]] {
        search.printed(&format!("{words:?}"), &host.run(words));
    }
    search.printed("config", &host.run(["config", "show"]).expect_success());
    for broken in [":999999", ":x", "host:1 2", "[::1"] {
        let port = url.port().unwrap();
        let [text, plain] = [url.as_str(), &format!("http://anna:{password}@127.0.0.1:{port}")];
        for text in
            [text, plain].map(|text| text.replace(&format!("127.0.0.1:{port}"), &format!("x{broken}")))
        {
            host.set("JACKFIELD_HTTP__PROXY", text);
            let refused = host.run(["config", "show"]);
            assert_eq!(refused.code(), 2, "{}", refused.all());
            assert!(refused.stderr.contains("JACKFIELD_HTTP__PROXY: "), "{}", refused.stderr);
            search.printed("a broken proxy", &refused);
        }
    }
    search.files(&host.data());
    assert!(search.has("//***@") && search.has("which resolves the names"), "nothing was hidden");
    assert!(proxy.asked() > 0 && server.asked() == 0, "the proxy was not used");
    search.finds_none_of(&[Canary::new("password", password)]);
}

#[test]
fn a_secret_in_the_wrong_place_is_refused_before_it_is_kept() {
    let mirror = Mirror::start();
    let host = facing(&mirror, ODD);
    let server_url = format!("server_url={}", mirror.url());
    let shown = format!("as shown: {ODD}");
    let in_url = (WAYS[3].1)(ODD);
    let add = |name: &str, more: &[&str]| {
        let fixed = ["connection", "add", "hostile", name, "--set", &server_url, "--secret", "token=@token"];
        host.run([&fixed[..], more].concat())
    };
    let edit = |more: &[&str]| host.run([&["connection", "edit", "H"], more].concat());
    let ok = ["--set", "mode=ok"];
    let rows: [(&str, jackfield_tests::Finished); 7] = [
        ("name", add(ODD, &ok)),
        ("description", add("A", &[&ok[..], &["--description", &shown]].concat())),
        ("mode", add("A", &["--set", &format!("mode={ODD}")])),
        ("description", edit(&["--description", &shown])),
        ("name", edit(&["--name", &in_url])),
        ("mode", edit(&["--set", &format!("mode={in_url}")])),
        ("mode", edit(&["--secret", "token=@token", "--set", &format!("mode={ODD}")])),
    ];
    let mut search = Search::default();
    for (field, refused) in rows {
        assert_eq!(refused.code(), 2, "{field}: {}", refused.all());
        let words = format!("{field} holds the value of a secret");
        assert!(refused.stderr.contains(&words), "{field}: {}", refused.all());
        search.printed(field, &refused);
    }
    search.files(&host.data());
    search.finds_none_of(&canaries(ODD));
    edit(&["--description", "quite harmless, with odd letters"]).expect_success();
}

#[test]
fn every_way_is_written_differently() {
    let written: std::collections::BTreeSet<String> = WAYS.iter().map(|(_, write)| write(ODD)).collect();
    assert_eq!(written.len(), WAYS.len(), "two ways are one: {written:#?}");
}
