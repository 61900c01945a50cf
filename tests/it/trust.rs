//! Whom a connection trusts: a certificate that nobody vouches for is shown, compared, and accepted by a person or by a flag.

use crate::{
    canary::{Canary, Search},
    nprinting::{Server, small},
    relay::Relay,
    support::snapshots,
};
use jackfield_simulators::nprinting::{Config, Tls};
use jackfield_tests::Terminal;

/// A server with a certificate that it made itself.
fn self_made() -> Server {
    Server::new(Config { tls: Tls::SelfMade, ..small() })
}

/// The arguments that add the connection "N", trusting nobody in particular.
fn adding(server: &Server) -> Vec<String> {
    let url = format!("server_url={}", server.simulator.base_url());
    let email = format!("email={}", server.simulator.user_email(0));
    let all = ["connection", "add", "nprinting", "N", "--set", &url, "--set", &email];
    all.into_iter().chain(["--secret", "private_key=@key.pem"]).map(str::to_owned).collect()
}

fn in_pairs(sha256: &str) -> String {
    let pairs: Vec<&str> =
        sha256.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    pairs.join(":").to_uppercase()
}

fn assert_reads(server: &Server, name: &str, text: &str) {
    let mut settings = snapshots(&server.host);
    settings.add_filter(r"localhost:\d+", "localhost:[PORT]");
    settings.add_filter(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", "[SHA-256, IN PAIRS]");
    settings.add_filter(r"[0-9a-f]{64}", "[SHA-256]");
    settings.add_filter(r"[ \t]+\n", "\n");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn at_a_terminal_a_certificate_is_shown_and_can_be_accepted() {
    let server = self_made();
    let mut terminal = Terminal::start(&server.host, adding(&server));
    terminal.shows("which is not trusted");
    terminal.shows(&in_pairs(server.simulator.leaf_sha256()));
    terminal.shows("Trust this certificate for this connection? [y/N]");
    terminal.types("y");
    terminal.shows("Saved \"N\"");
    let (status, screen) = terminal.finish();
    assert!(status.success(), "{screen}");
    let asked = screen.split("Saved").next().unwrap();
    assert_reads(&server, "accepted", asked);
    let pinned = &server.host.json(["connection", "show", "N"])["connection"]["tls"]["pin_sha256"];
    assert_eq!(pinned, server.simulator.leaf_sha256());
    server.host.run(["connection", "refresh", "N"]).expect_success();
}

#[test]
fn whoever_says_no_or_nothing_trusts_nobody() {
    let server = self_made();
    for answer in ["n", "\r", "\u{3}"] {
        let mut terminal = Terminal::start(&server.host, adding(&server));
        terminal.shows("[y/N]");
        terminal.types(answer);
        let (status, screen) = terminal.finish();
        assert!(!status.success(), "{answer:?}: {screen}");
        assert!(!screen.contains("Saved"), "{answer:?}: {screen}");
        assert_eq!(server.host.json(["connection", "list"]), serde_json::json!([]), "{answer:?}");
    }
    assert_eq!(server.simulator.shown_credentials(), Vec::<String>::new(), "something was shown to it");
}

#[test]
fn without_a_terminal_the_refusal_names_the_flag() {
    let server = self_made();
    let refused = server.host.run(adding(&server));
    assert_eq!(refused.code(), 3, "{}", refused.all());
    assert_reads(&server, "refused", &refused.all());
    let flag = format!("--tls-pin {}", server.simulator.leaf_sha256());
    assert!(refused.stdout.contains(&flag), "{}", refused.stdout);
    server.host.run(adding(&server).into_iter().chain(flag.split(' ').map(str::to_owned))).expect_success();
}

#[test]
fn another_certificate_than_before_is_an_error_until_it_is_accepted() {
    let (before, mut server) = (self_made(), self_made());
    let flag = format!("--tls-pin={}", server.simulator.leaf_sha256());
    server.host.run(adding(&server).into_iter().chain([flag])).expect_success();
    // The same server, with another certificate at the same address: what was pinned is of another one.
    let (old, new) = (before.simulator.leaf_sha256().to_owned(), server.simulator.leaf_sha256().to_owned());
    crate::support::with_store(&server.host, async |store| {
        let mut connection = store.connection_by_name("N").await.unwrap().unwrap();
        connection.tls.pin_sha256 = Some(old.clone());
        store.update_connection(&connection).await.unwrap();
    });
    let mut told = String::new();
    for hook in ["test", "refresh"] {
        let refused = server.host.run(["connection", hook, "N"]);
        assert_eq!(refused.code(), 3, "{}", refused.all());
        for needed in [&old, &new, &format!("jackfield connection edit N --tls-pin {new}")] {
            assert!(refused.all().contains(needed.as_str()), "{needed} is not told: {}", refused.all());
        }
        told += &format!("{hook}\n{}{}\n", refused.stdout, refused.stderr);
    }
    assert_reads(&server, "changed", &told);

    let mut terminal = Terminal::start(&server.host, ["connection", "edit", "N", "--set", "algorithm=RS384"]);
    terminal.shows("It is another one than before");
    terminal.shows("[y/N]");
    terminal.types("y");
    terminal.shows("Saved");
    let (status, screen) = terminal.finish();
    assert!(
        status.success() && screen.contains(&in_pairs(&old)) && screen.contains(&in_pairs(&new)),
        "{screen}"
    );
    assert_reads(&server, "changed_at_a_terminal", &screen);
    server.host.set("JACKFIELD_LOG__LEVEL", "warn");
    server.host.run(["connection", "refresh", "N"]).expect_success();
}

#[test]
fn what_is_typed_at_a_prompt_is_not_on_the_screen() {
    let host = crate::support::hostile_host();
    let secret = "Canary-typed/at+the=prompt";
    let mut terminal = Terminal::start(&host, ["connection", "add", "hostile", "H", "--set", "mode=ok"]);
    terminal.shows("Server URL");
    terminal.types("https://hostile.example\r");
    terminal.shows("Token");
    terminal.types_hidden(&format!("{secret}\r"));
    terminal.shows("Saved");
    let mut search = Search::default();
    search.processes(terminal.id(), "-");
    let (status, screen) = terminal.finish();
    assert!(status.success(), "{screen}");
    search.add("screen", screen);
    search.files(&host.data());
    search.finds_none_of(&[Canary::new("typed", secret)]);
    assert_eq!(host.json(["connection", "show", "H"])["secrets"], serde_json::json!(["token"]));
}

/// The arguments that add "N" under a name that only a proxy knows.
fn behind(server: &Server) -> Vec<String> {
    let pin = format!("--tls-pin={}", server.simulator.leaf_sha256());
    let port = port(server);
    let arguments = adding(server).into_iter().chain([pin]);
    arguments.map(|argument| argument.replace(&format!("localhost:{port}"), "np.invalid:4993")).collect()
}

fn port(server: &Server) -> u16 {
    server.simulator.base_url().rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn https_goes_through_a_configured_proxy_which_resolves_the_name_and_is_shown() {
    let mut server = self_made();
    let proxy = Relay::to(port(&server));
    server.host.set("JACKFIELD_HTTP__PROXY", proxy.url());
    server.host.run(behind(&server)).expect_success();
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line == "CONNECT np.invalid:4993 HTTP/1.1"),
        "{asked:?}"
    );
    assert!(!server.simulator.shown_credentials().is_empty(), "nothing arrived");
    let log = server.host.run(["connection", "log", "N"]).expect_success().stdout;
    assert!(log.contains("Proxy: 127.0.0.1"), "{log}");
    let shown = server.host.run(["connection", "show", "N"]).expect_success().stdout;
    let address = proxy.url().strip_prefix("http://").unwrap();
    assert!(shown.contains(&format!("{address}, which resolves the names")), "{shown}");

    let mut told = String::new();
    for status in ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"] {
        let refusing = Relay::refusing(status);
        server.host.set("JACKFIELD_HTTP__PROXY", refusing.url());
        let refused = server.host.run(["connection", "test", "N"]);
        assert_eq!(refused.code(), 3, "{status}: {}", refused.all());
        assert!(!refusing.asked().is_empty(), "{status}: the proxy was not asked");
        told += &format!("{status}\n{}\n", refused.stdout);
    }
    let mut settings = snapshots(&server.host);
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
    settings.bind(|| insta::assert_snapshot!("proxies", told));
}

#[test]
fn the_environments_proxies_are_ignored() {
    let mut server = self_made();
    let proxy = Relay::refusing("502 Bad Gateway");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        server.host.set(name, proxy.url());
    }
    let pin = format!("--tls-pin={}", server.simulator.leaf_sha256());
    server.host.run(adding(&server).into_iter().chain([pin])).expect_success();
    assert_eq!(proxy.asked(), Vec::<String>::new());
    let log = server.host.run(["connection", "log", "N"]).expect_success().stdout;
    assert!(!log.contains("Proxy"), "{log}");
}

/// A pair's certificate and private key, one behind the other, as many programs want them in one file.
fn combined(host: &jackfield_tests::Host) -> (String, String) {
    let pair = host.json(["key", "generate", "--stdout"]);
    let half = |name: &str| pair[name].as_str().unwrap().to_owned();
    (half("certificate"), half("private_key"))
}

#[test]
fn what_is_trusted_holds_no_private_key_and_no_secret() {
    let host = crate::support::hostile_host();
    let (certificate, key) = combined(&host);
    host.run(crate::support::adding("Before")).expect_success();
    host.file("combined.pem", format!("{certificate}{key}"));
    host.file("key.pem", &key);
    host.file("encrypted.pem", format!("{certificate}{}", key.replace("PRIVATE", "ENCRYPTED PRIVATE")));
    host.file("cut.pem", format!("{certificate}{}", &key[..key.len() / 2]));
    host.file("token.pem", format!("{}\n{certificate}", crate::support::TOKEN));
    host.file("words.pem", "no certificate at all");
    let rows: [&[&str]; 8] = [
        &["--tls-ca", "combined.pem"],
        &["--tls-ca", "key.pem"],
        &["--tls-ca", "encrypted.pem"],
        &["--tls-ca", "cut.pem"],
        &["--tls-ca", "token.pem"],
        &["--tls-ca", "words.pem"],
        &["--tls-server-name", crate::support::TOKEN],
        &["--tls-server-name", "https://np.example:4993"],
    ];
    let mut search = Search::default();
    let mut told = String::new();
    for row in rows {
        let adding = crate::support::adding("H").into_iter().chain(row.iter().map(|&word| word.to_owned()));
        let editing = ["connection", "edit", "Before"].iter().chain(row).map(|&word| word.to_owned());
        let refused = host.run(adding);
        told += &format!("{}\n{}\n", row.join(" "), refused.stderr);
        for refused in [refused, host.run(editing)] {
            assert_eq!(refused.code(), 2, "{row:?}: {}", refused.all());
            assert!(!refused.stdout.contains("Testing"), "{row:?} was tested: {}", refused.all());
            search.printed(&row.join(" "), &refused);
        }
    }
    crate::support::snapshots(&host).bind(|| insta::assert_snapshot!("refused_texts", told));
    search.printed("show", &host.run(["connection", "show", "Before", "--json"]));
    search.files(&host.data());
    search.finds_none_of(&[
        Canary::new("private key", key.trim()),
        Canary::new("token", crate::support::TOKEN),
    ]);
}

#[test]
fn of_a_ca_nothing_but_its_certificates_is_kept() {
    let host = crate::support::hostile_host();
    let (certificate, _) = combined(&host);
    host.file("ca.pem", format!("Bag Attributes: of no concern\n{certificate}\nbehind it\n{certificate}"));
    let adding = crate::support::adding("H").into_iter().chain(["--tls-ca", "ca.pem"].map(str::to_owned));
    host.run(adding).expect_success();
    let kept = host.json(["connection", "show", "H"])["connection"]["tls"]["ca_pem"].take();
    assert_eq!(kept.as_str().unwrap(), format!("{certificate}{certificate}").replace('\r', ""));
}
