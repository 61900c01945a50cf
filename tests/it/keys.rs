//! `key generate`.

use jackfield_tests::Host;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn a_pair_is_a_certificate_on_screen_and_a_private_file() {
    let host = Host::with_plugins(&[]);
    let made = host.run(["key", "generate", "--common-name", "Reports"]).expect_success();
    assert!(made.stdout.starts_with("-----BEGIN CERTIFICATE-----"), "{}", made.stdout);
    assert!(!made.all().contains("PRIVATE KEY-----"), "{}", made.all());
    insta::assert_snapshot!(made.stderr);
    let path = host.work().join("jackfield-jwt-key.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&path).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));

    // What is there is never overwritten: it may be the only copy of a key in use.
    let again = host.run(["key", "generate"]);
    assert_eq!(again.code(), 2, "{}", again.all());
    assert!(again.stderr.contains("jackfield-jwt-key.pem"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
}

#[test]
fn both_halves_are_printed_only_when_asked_for() {
    let host = Host::with_plugins(&[]);
    let made = host.run(["key", "generate", "--stdout"]).expect_success();
    assert_eq!(made.stdout.matches("-----BEGIN ").count(), 2, "{}", made.stdout);
    assert_eq!(
        fs::read_dir(host.work()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count(),
        0
    );
    let refused = host.run(["key", "generate", "--bits", "1024"]);
    assert_eq!((refused.code(), refused.stderr.contains("2048")), (2, true), "{}", refused.stderr);
}

#[test]
fn a_key_without_its_certificate_is_not_kept() {
    let host = Host::with_plugins(&[]);
    for json in [None, Some("--json")] {
        let mut command = host.command(["key", "generate"].into_iter().chain(json));
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let ended = command.output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains("was not kept either"), "{told}");
        assert!(!host.work().join("jackfield-jwt-key.pem").exists(), "the key stays: {told}");
    }
    host.run(["key", "generate"]).expect_success();
}

#[test]
fn a_certificate_has_a_name() {
    let host = Host::with_plugins(&[]);
    for name in ["", "  ", "two\nlines", &"x".repeat(65)] {
        let refused = host.run(["key", "generate", "--common-name", name]);
        assert_eq!(refused.code(), 2, "{name:?}: {}", refused.all());
        assert!(refused.stderr.contains("--common-name"), "{name:?}: {}", refused.all());
        assert!(!host.work().join("jackfield-jwt-key.pem").exists(), "{name:?}");
    }
    host.run(["key", "generate", "--common-name", &"x".repeat(64)]).expect_success();
}
