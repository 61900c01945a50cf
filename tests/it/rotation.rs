//! Credentials that are given new versions: what is in use, what the remote system has, and what is told.

use crate::qlik_cloud::{Tenant, small};
use jackfield_simulators::qlik_cloud::Config;
use serde_json::Value;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A tenant with a connection that signs in with an API key of its first user.
fn with_key() -> Tenant {
    let tenant = Tenant::new(Config { max_api_key_expiry: "P30D".to_owned(), ..small() });
    let key = tenant.key_of(0, 7 * DAY);
    tenant.add_key(&key).expect_success();
    tenant
}

fn keys(tenant: &Tenant) -> Vec<String> {
    tenant.simulator.active_api_keys(&tenant.simulator.user_id(0))
}

fn versions(tenant: &Tenant) -> Vec<(i64, String)> {
    let history = tenant.host.json(["credential", "history", "T"]);
    let versions = history["versions"].as_array().unwrap().iter();
    let of = |version: &Value| {
        (version["version"].as_i64().unwrap(), version["state"].as_str().unwrap().to_owned())
    };
    versions.map(of).collect()
}

#[test]
fn an_api_key_is_renewed_proven_and_the_old_one_deleted_after_a_while() {
    let tenant = with_key();
    let before = keys(&tenant);
    assert_eq!(before.len(), 1);
    let rotated = tenant.host.run(["credential", "rotate", "T"]).expect_success();
    println!("{}", rotated.all());
    assert_eq!(keys(&tenant).len(), 2, "the old one still works");
    assert_eq!(versions(&tenant), [(2, "current".to_owned()), (1, "previous".to_owned())]);
    println!("{}", tenant.host.run(["credential", "list"]).all());
    println!("{}", tenant.host.run(["credential", "history", "T"]).all());
    tenant.test().expect_success();

    let again = tenant.host.run(["credential", "rotate", "T", "api_key"]).expect_success();
    println!("{}", again.all());
    assert_eq!(keys(&tenant).len(), 2);
    assert!(!keys(&tenant).contains(&before[0]), "the first one is gone");
    assert_eq!(versions(&tenant)[0], (3, "current".to_owned()));
    tenant.test().expect_success();
}
