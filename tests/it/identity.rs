//! Client certificates: entered in every form, shown over mutual TLS, kept, replaced, refused.

use crate::{
    canary::{Canary, Search},
    database,
    guard::{Guard, Wants},
    support::{newest_log, set},
};
use jackfield_tests::{Finished, Host, Terminal};
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "Qlik-Expört 7%";
/// Shows the certificate.
const SHOW: &str = r#"mode=slot certificate /qrs/about {"at":"tls_identity"}"#;

/// A file that was exported, as `make.py` beside it made it.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src/secrets/identity_files").join(name)
}

fn der(name: &str) -> Vec<u8> {
    let pem = std::fs::read(file(name)).unwrap();
    x509_parser::pem::Pem::iter_from_buffer(&pem).next().unwrap().unwrap().contents
}

/// A guard who knows the authority of the files.
fn guard() -> Guard {
    let root = std::fs::read_to_string(file("root.pem")).unwrap();
    Guard::start(Wants::OneOf(&root), &TLS13)
}

fn host(guard: &Guard) -> Host {
    let host = Host::with_plugins(&["hostile"]);
    host.file("token", "tok-6f1c2a9d77");
    host.file("password", PASSWORD);
    host.file("ca.pem", guard.ca());
    host
}

/// The arguments that give these files, and the password.
fn giving(files: &[&str], password: bool) -> Vec<String> {
    let mut all = Vec::new();
    for name in files {
        all.extend(["--secret".to_owned(), format!("certificate=@{}", file(name).display())]);
    }
    if password {
        all.extend(["--secret", "certificate_password=@password"].map(str::to_owned));
    }
    all
}

/// The arguments that add the connection "Q".
fn adding(guard: &Guard, files: &[&str], password: bool) -> Vec<String> {
    let url = format!("server_url={}", guard.url());
    let all = ["connection", "add", "hostile", "Q", "--set", &url, "--set", SHOW, "--tls-ca", "ca.pem"];
    let all = all.into_iter().chain(["--secret", "token=@token"]).map(str::to_owned);
    all.chain(giving(files, password)).collect()
}

fn reading(guard: &Guard, finished: &Finished) -> String {
    let port = guard.url().rsplit(':').next().unwrap();
    let folder = file("x");
    let text = format!("{}exit code {}\n", finished.all(), finished.code());
    let text = text.replace(&format!(":{port}"), ":[PORT]");
    text.replace(&folder.parent().unwrap().display().to_string(), "[FILES]")
}

#[test]
fn every_form_is_shown_over_mutual_tls() {
    let root = std::fs::read_to_string(file("root.pem")).unwrap();
    let leaf = der("client.pem");
    for (files, password, version) in [
        (&["rc2.pfx"][..], true, &TLS12),
        (&["des3.pfx"], true, &TLS13),
        (&["aes.pfx"], true, &TLS13),
        (&["empty_rc2.pfx"], false, &TLS13),
        (&["absent_rc2.pfx"], false, &TLS12),
        (&["absent_aes.pfx"], false, &TLS13),
        (&["client.pem", "client_key.pem"], false, &TLS12),
        (&["client_key_pkcs8.pem", "client.pem"], false, &TLS13),
        (&["client.pem", "client_key_encrypted.pem"], true, &TLS13),
        (&["client.pem", "client_key_pbe_3des.pem"], true, &TLS12),
        (&["client.pem", "client_key_pbe_rc2.pem"], true, &TLS13),
    ] {
        let guard = Guard::start(Wants::OneOf(&root), version);
        let host = host(&guard);
        host.run(adding(&guard, files, password)).expect_success();
        let seen = guard.seen();
        assert!(!seen.is_empty() && seen.iter().all(|who| *who == leaf), "{files:?}");
    }
}

#[test]
fn whatever_is_wrong_is_said_before_anything_is_sent() {
    let guard = guard();
    let host = host(&guard);
    host.file("other", "another password");
    host.file("nothing", "");
    host.file("blanks", "\u{feff} \r\n\t\n");
    let of = |file: &'static str| ["--secret".to_owned(), format!("certificate=@{file}")];
    let mut told = String::new();
    for (what, files, more) in [
        ("a wrong password", &["aes.pfx"][..], &["--secret", "certificate_password=@other"][..]),
        ("no password", &["rc2.pfx"], &[]),
        ("a needless password", &["empty_aes.pfx"], &["--secret", "certificate_password=@password"]),
        (
            "a needless password, PEM",
            &["client.pem", "client_key.pem"],
            &["--secret", "certificate_password=@password"],
        ),
        (
            "a key of PEM that cannot be decrypted",
            &["client.pem", "client_key_pbe_md5.pem"],
            &["--secret", "certificate_password=@password"],
        ),
        ("no certificate file", &["make.py"], &[]),
        ("without the key", &["client.pem"], &[]),
        ("expired", &["expired.pfx"], &["--secret", "certificate_password=@password"]),
        ("two keys", &["client.pem", "client_key.pem", "client_key_pkcs8.pem"], &[]),
        ("two files that do not go together", &["client.pem", "aes.pfx"], &[]),
    ] {
        let more = more.iter().map(|&one| one.to_owned());
        let refused = host.run(adding(&guard, files, false).into_iter().chain(more));
        assert_eq!(refused.code(), 2, "{what}: {}", refused.all());
        told += &format!("{what}\n{}\n", reading(&guard, &refused));
    }
    for (what, files, empty) in [
        ("an empty file", &[][..], "nothing"),
        ("a file of blanks", &[], "blanks"),
        ("a key's file that is empty", &["client.pem"], "nothing"),
    ] {
        let refused = host.run(adding(&guard, files, false).into_iter().chain(of(empty)));
        assert_eq!(refused.code(), 2, "{what}: {}", refused.all());
        told += &format!("{what}\n{}\n", reading(&guard, &refused));
    }
    assert_eq!(guard.knocks(), 0, "something was sent");
    assert_eq!(host.json(["connection", "list"]), json!([]));
    insta::assert_snapshot!("refused_at_entry", told);
}

#[test]
fn a_password_stays_until_it_is_taken_away() {
    let guard = guard();
    let host = host(&guard);
    host.run(adding(&guard, &["rc2.pfx"], true)).expect_success();
    let edit =
        |more: Vec<String>| host.run(["connection", "edit", "Q"].map(str::to_owned).into_iter().chain(more));
    let secrets = || host.json(["connection", "show", "Q"])["secrets"].clone();
    // A new file, and the password of before.
    edit(giving(&["aes.pfx"], false)).expect_success();
    assert_eq!(secrets(), json!(["certificate", "certificate_password", "token"]));
    let needless = edit(giving(&["empty_rc2.pfx"], false));
    assert_eq!(needless.code(), 2, "{}", needless.all());
    let needless_pem = edit(giving(&["client.pem", "client_key.pem"], false));
    assert_eq!(needless_pem.code(), 2, "{}", needless_pem.all());
    host.file("nothing", "\n");
    let empty = edit(["--secret", "certificate=@nothing"].map(str::to_owned).into());
    assert_eq!(empty.code(), 2, "{}", empty.all());
    let without: Vec<String> = ["--unset", "certificate_password"].map(str::to_owned).into();
    let closed = edit(without.clone());
    assert_eq!(closed.code(), 2, "{}", closed.all());
    let told = [&needless, &needless_pem, &empty, &closed].map(|finished| reading(&guard, finished)).concat();
    insta::assert_snapshot!("passwords_at_an_edit", told);
    assert_eq!(secrets(), json!(["certificate", "certificate_password", "token"]));
    let opened =
        edit(giving(&["empty_rc2.pfx"], false).into_iter().chain(without).collect()).expect_success();
    assert!(opened.stdout.contains("certificate_password is forgotten"), "{}", opened.all());
    let sealed =
        database::number(&host, "SELECT COUNT(*) FROM sealed_fields WHERE field = 'certificate_password'");
    assert_eq!(sealed, 0, "what was taken away is kept");
    assert_eq!(secrets(), json!(["certificate", "token"]));
    let before = guard.seen().len();
    host.run(["connection", "refresh", "Q"]).expect_success();
    assert!(guard.seen().len() > before, "nobody came");
    let shown = host.json(["connection", "show", "Q"]);
    let ends = shown["credentials"].as_array().unwrap().iter().find(|one| one["credential"] == "certificate");
    assert_eq!(ends.unwrap()["expires_at"], 4_891_363_200_000_u64, "2125-01-01: {shown}");
}

#[test]
fn the_facts_of_a_certificate_are_told_and_nothing_else() {
    let guard = guard();
    let host = host(&guard);
    host.run(adding(&guard, &["aes.pfx"], true)).expect_success();
    set(&host, "Q", json!({ "mode": "facts" }));
    host.run(["connection", "refresh", "Q"]).expect_success();
    let log = newest_log(&host, "Q");
    let facts = log.lines().find(|line| line.contains("with a password")).unwrap();
    let facts = &facts[facts.find("with a password").unwrap()..];
    insta::with_settings!({ filters => vec![(r"BEGIN CERTIFICATE-----.*?-----END", "BEGIN CERTIFICATE----- [BASE64] -----END")] }, {
        insta::assert_snapshot!("facts", facts);
    });
}

#[test]
fn neither_the_key_nor_the_password_is_written_anywhere() {
    let guard = guard();
    let host = host(&guard);
    let key = std::fs::read_to_string(file("client_key_pkcs8.pem")).unwrap();
    let key_bytes = der("client_key_pkcs8.pem");
    let mut search = Search::default();
    for (step, arguments) in [
        ("adding", adding(&guard, &["aes.pfx"], true)),
        ("refreshing", ["connection", "refresh", "Q"].map(str::to_owned).into()),
        ("showing", ["connection", "show", "Q", "--json"].map(str::to_owned).into()),
        ("a log", ["connection", "log", "Q"].map(str::to_owned).into()),
        ("a wrong file", adding(&guard, &["client.pem", "client_key_dek.pem"], true)),
    ] {
        search.printed(step, &host.run(arguments));
    }
    search.files(&host.data());
    search.finds_none_of(&[
        Canary::new("password", PASSWORD),
        Canary::new("key", &key),
        Canary::new(
            "key, PKCS#1",
            &std::fs::read_to_string(file("client_key.pem")).unwrap().replace('\r', ""),
        ),
    ]);
    let pfx = std::fs::read(file("aes.pfx")).unwrap();
    // Any part of it, wherever it was cut.
    for (what, bytes) in [("key", &key_bytes[40..]), ("file", &pfx[200..])] {
        for part in bytes.chunks_exact(24) {
            assert_eq!(search.has_bytes(part), None, "a part of the {what}");
            assert_eq!(search.has_bytes(base64_of(part).as_bytes()), None, "a part of the {what}, in base64");
        }
    }
    assert!(search.has("hostile"), "the search sees nothing");
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

#[test]
fn a_server_that_refuses_or_does_not_ask_is_told_of() {
    let other = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Another site");
    let other = params.self_signed(&other).unwrap().pem();
    let mut told = String::new();
    for (what, wants, version, code) in [
        ("refused, TLS 1.3", Wants::OneOf(&other), &TLS13, 5),
        ("refused, TLS 1.2", Wants::OneOf(&other), &TLS12, 5),
        ("not asked, TLS 1.3", Wants::Nobody, &TLS13, 4),
        ("not asked, TLS 1.2", Wants::Nobody, &TLS12, 4),
    ] {
        let guard = Guard::start(wants, version);
        let host = host(&guard);
        let refused = host.run(adding(&guard, &["aes.pfx"], true));
        assert_eq!(refused.code(), code, "{what}: {}", refused.all());
        told += &format!("{what}\n{}\n", reading(&guard, &refused));
    }
    insta::assert_snapshot!("refused_by_the_server", told);
}

#[test]
fn at_a_terminal_the_files_and_the_password_are_asked_for() {
    let guard = guard();
    let host = host(&guard);
    let start = || {
        let asking = ["--secret", "certificate=-"].map(str::to_owned);
        Terminal::start(&host, adding(&guard, &[], false).into_iter().chain(asking))
    };
    let mut terminal = start();
    terminal.shows("Client certificate: file (.pfx, .p12, or .pem)");
    terminal.types(&format!("{}\r", file("client.pem").display()));
    terminal.shows("The file of its private key (.pem)");
    terminal.types(&format!("{}\r", file("client_key_encrypted.pem").display()));
    terminal.shows("Certificate password");
    terminal.types_hidden(&format!("{PASSWORD}\r"));
    terminal.shows("Saved \"Q\"");
    let (status, screen) = terminal.finish();
    assert!(status.success(), "{screen}");
    assert!(!screen.contains(PASSWORD), "{screen}");
    assert_eq!(guard.seen()[0], der("client.pem"));
}

#[test]
fn at_a_terminal_an_edit_asks_for_the_password_that_a_new_certificate_needs() {
    let guard = guard();
    let host = host(&guard);
    host.run(adding(&guard, &["empty_aes.pfx"], false)).expect_success();
    let edit = |files: &[&str], more: &[&str]| {
        let all = ["connection", "edit", "Q"].map(str::to_owned).into_iter().chain(giving(files, false));
        Terminal::start(&host, all.chain(more.iter().map(|&one| one.to_owned())))
    };
    let secrets = || host.json(["connection", "show", "Q"])["secrets"].clone();
    let ends = |terminal: Terminal, success: bool| {
        let (status, screen) = terminal.finish();
        assert_eq!(status.success(), success, "{screen}");
        assert!(!screen.contains(PASSWORD), "{screen}");
        screen
    };
    // Nothing is stored.
    let mut terminal = edit(&["rc2.pfx"], &[]);
    terminal.shows("Certificate password");
    terminal.types_hidden(&format!("{PASSWORD}\r"));
    terminal.shows("Saved \"Q\"");
    ends(terminal, true);
    assert_eq!(secrets(), json!(["certificate", "certificate_password", "token"]));
    // What is stored opens it.
    let screen = ends(edit(&["aes.pfx"], &[]), true);
    assert!(!screen.contains("Certificate password"), "{screen}");
    // What is stored does not, and is kept by a blank answer, which is told of; or another is given.
    let asked = "Certificate password (blank keeps the stored one, which does not open this file)";
    let mut terminal = edit(&["other_password.pfx"], &[]);
    terminal.shows(asked);
    terminal.types_hidden("\r");
    let screen = ends(terminal, false);
    assert!(screen.contains("is not opened by \"Certificate password\""), "{screen}");
    let mut terminal = edit(&["other_password.pfx"], &[]);
    terminal.shows(asked);
    terminal.types_hidden("another\r");
    ends(terminal, true);
    // Nobody is asked who says that there is none, or who gives no certificate.
    let screen = ends(edit(&["aes.pfx"], &["--unset", "certificate_password"]), false);
    assert!(screen.contains("is protected by a password, and none is given"), "{screen}");
    let screen = ends(edit(&[], &["--set", "count=3"]), true);
    assert!(!screen.contains("Certificate password"), "{screen}");
}
