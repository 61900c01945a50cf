//! What can be wrong with a connection to Qlik Cloud when it is added: each has its own message, remedy and exit code, and
//! leaves nothing behind. What is wrong on the way there is in the fault catalogue.

use crate::qlik_cloud::{SCOPES, Tenant, small, told};
use jackfield_simulators::{
    faults::{BodyKind, Fault, FaultKind},
    qlik_cloud::{Access, Config, Consent, NewClient},
};

const ME: &str = "/api/v1/users/me";
const PROBE: &str = "/.well-known/oauth-authorization-server";
const TOKEN: &str = "/oauth/token";

/// A way to be wrong: its name, the exit code, what is done to the tenant, and the flags of `add` that differ.
type Row = (&'static str, i32, fn(&Tenant), &'static [&'static str]);

fn status(path: &str, status: u16, body: BodyKind) -> Fault {
    Fault::new(path, FaultKind::Status { status, body })
}

const ROWS: &[Row] = &[
    ("wrong tenant host", 2, |_| (), &["--set", "tenant_url=https://127.0.0.1:PORT"]),
    ("no Qlik tenant", 2, |tenant| tenant.simulator.add_fault(status(PROBE, 404, BodyKind::Html)), &[]),
    ("a portal in front", 2, |tenant| tenant.simulator.add_fault(status(PROBE, 200, BodyKind::Html)), &[]),
    ("wrong secret", 5, |_| (), &["--secret", "client_secret=@wrong_secret"]),
    ("wrong client id", 5, |_| (), &["--set", "client_id=0123456789abcdef0123456789abcdef"]),
    (
        "consent not Trusted",
        5,
        |tenant| tenant.simulator.set_consent(&tenant.client.client_id, Consent::Required),
        &[],
    ),
    (
        "disabled bot",
        5,
        |tenant| {
            let bot = tenant.simulator.bot_user_of(&tenant.client.client_id);
            tenant.simulator.set_user_status(&bot, "disabled");
        },
        &[],
    ),
    ("bare 403", 5, |tenant| tenant.simulator.set_access(None, ME, Access::Deny(BodyKind::Bare)), &[]),
    (
        "403 before the sign-in",
        4,
        |tenant| tenant.simulator.add_fault(status(PROBE, 403, BodyKind::Html)),
        &[],
    ),
    (
        "429 on the token",
        4,
        |tenant| {
            let kind = FaultKind::TooManyRequests { retry_after: Some(0) };
            tenant.simulator.add_fault(Fault::new(TOKEN, kind));
        },
        &[],
    ),
    (
        "429 for an hour",
        4,
        |tenant| {
            let kind = FaultKind::TooManyRequests { retry_after: Some(3600) };
            tenant.simulator.add_fault(Fault::new(TOKEN, kind));
        },
        &[],
    ),
    ("500 on the token", 4, |tenant| tenant.simulator.add_fault(status(TOKEN, 500, BodyKind::Envelope)), &[]),
    ("503 without a body", 4, |tenant| tenant.simulator.add_fault(status(ME, 503, BodyKind::Empty)), &[]),
    ("a web page for the user", 4, |tenant| tenant.simulator.add_fault(status(ME, 200, BodyKind::Html)), &[]),
    (
        "404 for the user, numeric code",
        4,
        |tenant| tenant.simulator.add_fault(status(ME, 404, BodyKind::NumericCode)),
        &[],
    ),
];

#[test]
fn whatever_is_wrong_has_its_message_and_leaves_nothing_behind() {
    let config = Config { foreign_hosts: vec!["127.0.0.1".to_owned()], ..small() };
    let tenant = Tenant::with(config, &NewClient::scoped("Jackfield", &SCOPES));
    tenant.host.file("wrong_secret", "not-the-secret-of-this-client");
    let bot = tenant.simulator.bot_user_of(&tenant.client.client_id);
    let port = tenant.simulator.base_url().rsplit(':').next().unwrap().to_owned();
    let mut all = String::new();
    for (what, code, spoil, flags) in ROWS {
        spoil(&tenant);
        let finished = add(&tenant, &port, flags);
        all += &format!("--- {what}\n{}", told(&finished));
        assert_eq!(finished.code(), *code, "{what}: {}", finished.all());
        tenant.simulator.clear_faults();
        tenant.simulator.set_access(None, ME, Access::Allow);
        tenant.simulator.set_consent(&tenant.client.client_id, Consent::Trusted);
        tenant.simulator.set_user_status(&bot, "active");
    }
    assert!(!all.contains("Tenant Admin"), "a narrower role would do: {all}");
    tenant.assert_reads("failures_of_add", &all);
    assert_eq!(tenant.host.json(["connection", "list"]), serde_json::json!([]));
    add(&tenant, &port, &[]).expect_success();
}

/// Adds "T"; flags that stand in `flags` take the place of the usual ones, and empty ones are left out.
fn add(tenant: &Tenant, port: &str, flags: &[&str]) -> jackfield_tests::Finished {
    let url = format!("tenant_url=https://localhost:{port}");
    let client = format!("client_id={}", tenant.client.client_id);
    let usual = [
        ("--set", url.as_str()),
        ("--set", client.as_str()),
        ("--secret", "client_secret=@client_secret"),
        ("--tls-ca", "ca.pem"),
    ];
    let key = |flag: &str, value: &str| format!("{flag} {}", value.split('=').next().unwrap_or(value));
    let is_given = |flag: &str, value: &str| {
        flags.chunks(2).any(|given| match flag {
            "--tls-ca" => given[0] == flag,
            _ => key(given[0], given[1]) == key(flag, value),
        })
    };
    let mut arguments = vec!["connection".to_owned(), "add".into(), "qlik-cloud".into(), "T".into()];
    let kept = usual.into_iter().filter(|(flag, value)| !is_given(flag, value));
    arguments.extend(kept.flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()]));
    let given = flags.chunks(2).filter(|given| !given[1].is_empty()).flatten();
    arguments.extend(given.map(|flag| flag.replace("PORT", port)));
    tenant.host.run(arguments)
}

#[test]
fn a_403_names_the_narrowest_right_that_would_do() {
    // The client's scopes, the bot's roles, a list, and the words that must stand in its reason.
    let rows: [(&[&str], &[&str], &str, &str); 6] = [
        (&["admin.apps:read", "admin.spaces:read"], &["AnalyticsAdmin"], "user", "\"users:read\""),
        (
            &["admin.apps:read", "admin.spaces:read"],
            &["AnalyticsAdmin"],
            "automation",
            "\"admin.automations:read\"",
        ),
        (&["admin.apps:read", "admin.spaces:read"], &["AnalyticsAdmin"], "dataset", "\"dataset\""),
        (&["users:read", "dataset"], &["AnalyticsAdmin"], "app", "\"admin.apps:read\""),
        (&["users:read", "dataset"], &["AnalyticsAdmin"], "space", "\"admin.spaces:read\""),
        (&["user_default", "admin_classic"], &["Steward"], "automation", "\"Analytics Admin\""),
    ];
    for (scopes, roles, kind, words) in rows {
        let tenant = Tenant::with(small(), &NewClient::scoped("Jackfield", scopes));
        let bot = tenant.simulator.bot_user_of(&tenant.client.client_id);
        tenant.simulator.set_roles(&bot, roles).unwrap();
        if kind == "automation" && roles == ["Steward"] {
            tenant.simulator.set_access(None, "/api/workflows/automations", Access::Deny(BodyKind::Bare));
        }
        let added = tenant.add(&[]);
        let kinds = tenant.kinds();
        let reason = kinds[kind]["kept_reason"].as_str().unwrap_or_else(|| panic!("{kind}: {}", added.all()));
        assert!(reason.contains(words), "{kind}: {reason}");
        assert!(!reason.contains("Tenant Admin"), "{kind}: {reason}");
    }
}

#[test]
fn the_trust_in_a_ca_can_be_taken_back() {
    let tenant = Tenant::connected(small());
    // Without it the tenant is not trusted any more: the change does not pass its test, and is not made.
    let refused = tenant.host.run(["connection", "edit", "T", "--tls-ca", ""]);
    assert_eq!(refused.code(), 3, "{}", refused.all());
    assert!(refused.stdout.contains("Not saved; the connection is as it was."), "{}", refused.stdout);
    tenant.test().expect_success();
}
