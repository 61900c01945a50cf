//! Leaks, looked for in earnest: a plugin that repeats whatever a server says, and a server that says whatever it was shown,
//! in every way and place.

use crate::{
    canary::{Canary, Search, WAYS},
    mirror::{Mirror, PLACES},
    support::{misbehave, no_worker_left},
};
use jackfield_tests::Host;

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
    std::fs::create_dir_all(host.data().join("temporary")).unwrap();
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
    let mut canaries = vec![Canary::new("secret", secret.trim())];
    if secret == JWT {
        canaries.push(Canary::new("signature", secret.rsplit('.').next().unwrap()));
    }
    canaries
}

#[test]
fn every_way_is_written_differently() {
    let written: std::collections::BTreeSet<String> = WAYS.iter().map(|(_, write)| write(ODD)).collect();
    assert_eq!(written.len(), WAYS.len(), "two ways are one: {written:#?}");
}
