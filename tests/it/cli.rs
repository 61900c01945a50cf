//! The command line itself: its help, its completions, and what it does where nobody listens.

use crate::support::{adding, hostile_host, with_connection};
use jackfield_tests::Host;
use serde_json::Value;
use std::process::Stdio;

const COMMANDS: &[&str] = &[
    "",
    "plugin",
    "plugin list",
    "plugin show",
    "connection",
    "connection add",
    "connection list",
    "connection show",
    "connection edit",
    "connection test",
    "connection refresh",
    "connection log",
    "connection delete",
    "migration",
    "migration add",
    "migration list",
    "migration show",
    "credential",
    "credential list",
    "credential rotate",
    "credential confirm",
    "credential renew",
    "credential history",
    "migration delete",
    "catalog",
    "catalog kinds",
    "catalog list",
    "catalog show",
    "run",
    "run list",
    "run show",
    "run cancel",
    "secret",
    "secret rekey",
    "key",
    "key generate",
    "config",
    "config show",
    "completions",
];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// The subcommand that a line of a list begins with; further lines of its description are indented more.
fn subcommand(line: &str) -> Option<&str> {
    line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next()
}

#[test]
fn every_command_explains_itself() {
    let host = Host::with_plugins(&[]);
    let mut all = String::new();
    for command in COMMANDS {
        let help = host.run(words(command).chain(["-h"])).expect_success().stdout;
        all += &format!("$ jackfield {command} -h\n{help}\n");
        // Every subcommand that a page names is on the list.
        let named =
            help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        for sub in named.filter_map(subcommand).filter(|sub| *sub != "help") {
            let path = format!("{command} {sub}");
            assert!(COMMANDS.contains(&path.trim()), "{path} is not covered");
        }
    }
    assert!(!all.contains("worker\n") && !all.contains("  worker "), "the worker is hidden");
    insta::assert_snapshot!("help", all);
}

#[test]
fn completions_know_the_commands() {
    let host = Host::with_plugins(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let script = host.run(["completions", shell]).expect_success().stdout;
        for word in ["connection", "refresh", "plugin-dir"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    assert_eq!(host.run(["completions", "tcsh-2"]).code(), 2);
}

#[test]
fn what_clap_refuses_is_the_persons_input() {
    let host = Host::with_plugins(&[]);
    for arguments in [
        &["conection", "list"][..],
        &["connection", "add", "hostile"],
        &["connection", "add", "hostile", "A", "--max-parallel", "many"],
        &["run", "list", "--limit", "0"],
        &["plugin", "list", "--color", "red"],
    ] {
        let refused = host.run(arguments);
        assert_eq!(refused.code(), 2, "{arguments:?}: {}", refused.all());
        assert!(refused.stderr.starts_with("error:"), "{arguments:?}: {}", refused.stderr);
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let host = with_connection("A");
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    for arguments in [
        &["plugin", "list"][..],
        &["connection", "list", "--json"],
        &["config", "show"],
        &["completions", "bash"],
        &["connection", "refresh", "A"],
        &["connection", "refresh", "A", "--log-level", "trace"],
    ] {
        let mut command = host.command(arguments);
        let status = command.stdout(closed()).stderr(closed()).status().unwrap();
        assert!(status.success(), "{arguments:?} ended with {status}");
    }
}

#[test]
fn colour_is_for_terminals_or_whoever_asks() {
    let host = hostile_host();
    let plain = host.run(["connection", "show", "Nobody"]);
    assert!(!plain.stderr.contains('\x1b'), "{}", plain.stderr);
    let coloured = host.run(["connection", "show", "Nobody", "--color", "always"]);
    assert!(coloured.stderr.contains("\x1b["), "{}", coloured.stderr);
    let never = host.run(["connection", "show", "Nobody", "--color", "never"]);
    assert_eq!(never.stderr, plain.stderr);
}

#[test]
fn an_error_in_json_is_one_object_on_standard_error() {
    let host = hostile_host();
    let refused = host.run(["connection", "show", "Nobody", "--json"]);
    assert_eq!(refused.stdout, "");
    let error: serde_json::Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(error["exit_code"], refused.code());
    assert_eq!(error["error"]["blame"], "you");
    assert_eq!(error["error"]["message"], "there is no connection \"Nobody\"");
}

#[test]
fn the_worker_is_no_command_for_people() {
    let host = Host::with_plugins(&[]);
    // Standard input is empty: the host has gone before it said anything.
    let ended = host.run(["worker"]);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("is started by Jackfield itself"), "{}", ended.all());
    assert_eq!(ended.code(), 1);
}

#[test]
fn an_output_that_is_cut_is_no_success() {
    let host = with_connection("A");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status =
        host.command(["connection", "list", "--json"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "whoever reads half a list takes it for the whole");
}

#[test]
fn a_secret_that_looks_like_a_number_or_a_key_leaves_json_whole() {
    for secret in ["1795", "connection"] {
        let host = hostile_host();
        host.file("token", secret);
        let mut arguments = adding("A");
        arguments.push("--json".to_owned());
        let added = host.run(arguments).expect_success();
        let added: Value = serde_json::from_str(&added.stdout).expect("JSON");
        assert!(added["connection"]["connection"]["created_at"].is_number(), "{added}");
        assert_eq!(added["refresh"]["result"]["kinds"][0]["count"], 250);
        assert_eq!(host.json(["run", "list"])[0]["result"]["kinds"][0]["count"], 250);
    }
}

#[test]
fn a_message_stays_one_line_whatever_is_given() {
    const ODD: &str = "a\nforged\u{1b}]0;x\u{7}\u{202e}\r";
    let host = with_connection("A");
    let (key, value) = (format!("{ODD}=1"), |key: &str| format!("{key}={ODD}"));
    let (mode, count, url) = (value("mode"), value("count"), value("server_url"));
    let whole = format!("server_url=https://a{ODD}");
    let (token, variable) = (value("token=@"), value("token=env:"));
    let add = |name, more: &[&'static str]| [&["connection", "add", "hostile", name][..], more].concat();
    let edit = ["connection", "edit", "A"];
    let mut told = String::new();
    for arguments in [
        [&edit[..], &["--set", &mode]].concat(),
        [&edit[..], &["--set", &count]].concat(),
        [&edit[..], &["--set", &url]].concat(),
        [&edit[..], &["--set", &whole]].concat(),
        [&edit[..], &["--set", &key]].concat(),
        [&edit[..], &["--set", ODD]].concat(),
        [&edit[..], &["--unset", ODD]].concat(),
        [&edit[..], &["--name", ODD]].concat(),
        [&edit[..], &["--secret", &token]].concat(),
        [&edit[..], &["--secret", &variable]].concat(),
        [&edit[..], &["--tls-ca", ODD]].concat(),
        [&edit[..], &["--tls-server-name", ODD]].concat(),
        [&edit[..], &["--tls-pin", ODD]].concat(),
        [&edit[..], &["--max-parallel", ODD]].concat(),
        add(ODD, &[]),
        vec!["connection", "add", ODD, "B"],
        vec!["connection", "show", ODD],
        vec!["connection", "list", "--search", ODD],
        vec!["plugin", "show", ODD],
        vec!["catalog", "list", "A", ODD],
        vec!["catalog", "show", "A", "thing", ODD],
        vec!["migration", "show", ODD],
        vec!["migration", "add", "M", "--source", ODD, "--target", "A"],
        vec!["run", "show", ODD],
        vec!["--log-level", ODD, "connection", "list"],
        vec![ODD],
    ] {
        let finished = host.run(&arguments);
        let all = finished.all();
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!all.contains(raw), "{arguments:?}: {all:?}");
        assert!(!all.lines().any(|line| line.starts_with("forged")), "{arguments:?}: {all}");
        let words = arguments.iter().map(|word| if word.contains("forged") { "…" } else { word });
        told += &format!("{}\n{all}\n", words.collect::<Vec<_>>().join(" "));
    }
    let folder = host.work().display().to_string();
    insta::assert_snapshot!("one_line", told.replace(&folder, "[WORK]"));
}
