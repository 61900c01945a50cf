//! What every connector owes to the host and to its operator, whichever system it speaks to.

use crate::{
    faults::remote::{CloudProduct, Qalyptus, Remote, ServerProduct},
    nprinting::Server,
    qlik_cloud::Tenant,
    qlik_onprem::Site,
    support,
};
use jackfield_simulators::faults::{Fault, FaultKind};
use jackfield_tests::{Host, wait_for};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};

/// Longer than anybody waits: what asks for it has to be cancelled.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn nprinting_keeps_the_contract() {
    keeps_the_contract::<Server>();
}

#[test]
fn qalyptus_server_keeps_the_contract() {
    keeps_the_contract::<Qalyptus<ServerProduct>>();
}

#[test]
fn qalyptus_cloud_keeps_the_contract() {
    keeps_the_contract::<Qalyptus<CloudProduct>>();
}

#[test]
fn qlik_onprem_keeps_the_contract() {
    keeps_the_contract::<Site>();
}

#[test]
fn qlik_cloud_keeps_the_contract() {
    keeps_the_contract::<Tenant>();
}

fn keeps_the_contract<R: Remote>() {
    let remote = R::connected();
    describes_itself(remote.host(), R::FACTS.connector);
    tests_well(&remote);
    finds_nothing_new_where_nothing_is(&remote);
    is_cancelled(&remote);
    tells_no_secret(&remote);
}

/// What an operator reads of it, and that it says the same each time.
fn describes_itself(host: &Host, connector: &str) {
    let described = || host.json(["plugin", "show", connector]);
    let first = described();
    assert_eq!(first, described());
    let hosts = &first["description"]["hosts"];
    assert!(hosts.as_array().is_none_or(Vec::is_empty), "it asks only where the settings point: {hosts}");
    let shown = host.run(["plugin", "show", connector]).expect_success().stdout;
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    for (found, put) in
        [(r"sha256 [0-9a-f]+", "sha256 [DIGEST]"), (r"File: \S+", "File: [FILE]"), (r"[ \t]+\n", "\n")]
    {
        settings.add_filter(found, put);
    }
    settings.bind(|| insta::assert_snapshot!(connector.replace('-', "_"), shown));
}

/// Every check that it has announced is shown, in that order, and passes.
fn tests_well<R: Remote>(remote: &R) {
    let host = remote.host();
    let run = host.json(["connection", "test", R::FACTS.connection]);
    let shown = run["result"]["checks"].as_array().unwrap();
    assert!(shown.iter().all(|check| check["status"] == "passed"), "{shown:?}");
    let described = host.json(["plugin", "show", R::FACTS.connector]);
    let names = |checks: &Value| -> Vec<String> {
        checks.as_array().unwrap().iter().map(|check| check["name"].to_string()).collect()
    };
    assert_eq!(names(&run["result"]["checks"]), names(&described["description"]["checks"]));
}

/// A refresh of what has not changed adds, changes and removes nothing.
fn finds_nothing_new_where_nothing_is<R: Remote>(remote: &R) {
    for _ in 0..2 {
        let run = remote.host().json(["connection", "refresh", R::FACTS.connection]);
        for kind in run["result"]["kinds"].as_array().unwrap() {
            for what in ["added", "changed", "removed"] {
                assert_eq!(kind[what], 0, "{what}: {kind}");
            }
            assert!(kind["kept_reason"].is_null(), "{kind}");
        }
    }
}

/// It ends when it is told to, while the remote system lets it wait, and changes nothing.
fn is_cancelled<R: Remote>(remote: &R) {
    let (host, list) = (remote.host(), &R::FACTS.second_page);
    let kinds = || host.json(["catalog", "kinds", R::FACTS.connection]);
    let before = kinds();
    let waiting = FaultKind::Delay { milliseconds: LONG.as_millis().try_into().unwrap() };
    remote.add_fault(Fault::new(list.path, waiting).query(list.query));
    let refreshing = host.start(["connection", "refresh", R::FACTS.connection]);
    wait_for("a request that is not answered", || (remote.strikes() > 0).then_some(()));
    let runs = host.json(["run", "list", "--limit", "1"]);
    host.run(["run", "cancel", runs[0]["id"].as_str().unwrap()]).expect_success();
    let ended = refreshing.finish();
    assert_ne!(ended.code(), 0, "{}", ended.all());
    assert_eq!(support::newest_run(host)["state"], "cancelled");
    assert_eq!(kinds(), before);
    remote.clear_faults();
    support::no_worker_left(host);
}

/// Nothing that the host has written holds a secret of the connection.
fn tells_no_secret<R: Remote>(remote: &R) {
    let secrets = remote.secrets();
    assert!(!secrets.is_empty() && secrets.iter().all(|secret| secret.len() >= 8), "there are some");
    let mut files = 0;
    search(&remote.host().data(), &mut |path, bytes| {
        files += 1;
        for secret in &secrets {
            let found = memchr::memmem::find(bytes, secret.as_bytes());
            assert_eq!(found, None, "a secret stands in {}", path.display());
        }
    });
    assert!(files > 3, "logs and database were looked at");
}

fn search(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => search(&path, look),
            // A database's side files come and go.
            false => look(&path, &fs::read(&path).unwrap_or_default()),
        }
    }
}
