//! Signing in to Qlik Cloud: the way that the documents describe, and both credentials.

use crate::{
    database,
    qlik_cloud::{SCOPES, Tenant, small, told},
};
use jackfield_simulators::qlik_cloud::{Config, NewClient};
use jackfield_tests::{Finished, Terminal};
use serde_json::json;
use std::time::Duration;

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[test]
fn a_client_works_as_tenant_admin_and_after_it_was_narrowed_down() {
    let tenant = Tenant::with(small(), &NewClient::scoped("Jackfield", &SCOPES));
    let added = tenant.add(&[]).expect_success();
    assert_eq!(added.stdout.matches("passed").count(), 2, "{}", added.stdout);

    let bot = tenant.simulator.bot_user_of(&tenant.client.client_id);
    let _role = tenant.simulator.create_custom_role("Webhook users", &["webhooks"]);
    tenant.simulator.set_roles(&bot, &["AnalyticsAdmin", "Webhook users"]).unwrap();
    let tested = tenant.test();
    tenant.assert_reads("scenario_test", &told(&tested));
    assert_eq!((tested.code(), tested.stdout.matches("passed").count()), (0, 2));

    let refreshed = tenant.refresh();
    tenant.assert_reads("scenario_refresh", &told(&refreshed));
    assert_eq!(refreshed.code(), 0);
    let counts = tenant.counts();
    assert_eq!((counts["app"], counts["space"]), (20, 5));
    let advice: String = refreshed.stdout.lines().filter(|line| line.contains("kept")).collect();
    assert!(!advice.contains("add Tenant Admin"), "{advice}");
}

#[test]
fn a_new_client_secret_takes_the_place_of_the_old_one() {
    let tenant = Tenant::connected(small());
    let new = tenant.simulator.add_client_secret(&tenant.client.client_id).unwrap();
    tenant.host.file("new_secret", &new.client_secret);
    let edit = ["connection", "edit", "T", "--secret", "client_secret=@new_secret"];
    let edited = tenant.host.run(edit).expect_success();
    assert_eq!(edited.stdout.matches("passed").count(), 2, "{}", edited.all());
    tenant.simulator.delete_client_secret(&tenant.client.client_id, &tenant.client.hint);
    tenant.test().expect_success();
    tenant.refresh().expect_success();
}

#[test]
fn an_api_key_signs_in_with_the_rights_of_its_user() {
    for (user, name) in [(0, "key_of_tenant_admin"), (1, "key_of_analytics_admin"), (5, "key_of_somebody")] {
        let tenant = Tenant::new(small());
        let key = tenant.key_of(user, WEEK);
        tenant.assert_reads(name, &told(&tenant.add_key(&key)));
        assert_eq!(tenant.asked("POST", "/oauth/token"), 0, "a key needs no token");
    }
}

#[test]
fn a_key_that_does_not_work_has_its_message() {
    let day = Duration::from_secs(86_400);
    type Spoil = fn(&Tenant, &str);
    let rows: [(&str, Duration, Spoil); 5] = [
        ("ended by its own account", Duration::ZERO, |_, _| ()),
        ("expired early", day, |tenant, id| tenant.simulator.expire_api_key(id)),
        ("revoked", day, |tenant, id| tenant.simulator.revoke_api_key(id)),
        ("of a disabled user", day, |tenant, _| {
            tenant.simulator.set_user_status(&tenant.simulator.user_id(1), "disabled");
        }),
        ("of a user who may manage no keys", day, |tenant, _| {
            tenant.simulator.set_user_default_scopes(&["user_default_is_not_this"]);
        }),
    ];
    let tenant = Tenant::new(small());
    let mut all = String::new();
    for (what, life, spoil) in rows {
        let key = tenant.key_of(1, life);
        spoil(&tenant, &key.id);
        let added = tenant.add_key(&key);
        all += &format!("--- {what}\n{}", told(&added));
        assert_eq!(added.code(), 5, "{what}: {}", added.all());
        assert!(!added.all().contains(&key.token));
        tenant.simulator.set_user_status(&tenant.simulator.user_id(1), "active");
    }
    tenant.assert_reads("keys_that_do_not_work", &all);
    assert_eq!(tenant.host.json(["connection", "list"]), serde_json::json!([]));
}

#[test]
fn a_secret_that_is_not_in_use_does_not_move_to_another_address() {
    // The same tenant under two names is two addresses: who can edit, but does not know the secret, must not get it sent
    // to the second by moving there with a credential of their own and then changing the sign-in back.
    let tenant = Tenant::connected(Config { alias_hosts: vec!["127.0.0.1".to_owned()], ..small() });
    let key = tenant.key_of(0, WEEK);
    tenant.host.file("api_key", &key.token);
    let port = tenant.simulator.base_url().rsplit(':').next().unwrap().to_owned();
    let elsewhere = format!("tenant_url=https://127.0.0.1:{port}");
    let moved = [
        "--set",
        "sign_in=api_key",
        "--secret",
        "api_key=@api_key",
        "--unset",
        "client_id",
        "--set",
        &elsewhere,
    ];
    tenant.host.run([&["connection", "edit", "T"][..], &moved].concat()).expect_success();
    let before = tenant.asked("POST", "/oauth/token");
    let client = format!("client_id={}", tenant.client.client_id);
    let back = tenant.host.run(["connection", "edit", "T", "--set", "sign_in=oauth", "--set", &client]);
    assert_eq!(back.code(), 2, "{}", back.all());
    assert!(back.stderr.contains("client_secret: is missing"), "{}", back.stderr);
    assert_eq!(tenant.asked("POST", "/oauth/token"), before, "the secret was sent to the second address");
    let given = ["--set", "sign_in=oauth", "--set", &client, "--secret", "client_secret=@client_secret"];
    tenant.host.run([&["connection", "edit", "T"][..], &given].concat()).expect_success();
}

#[test]
fn what_is_stored_for_another_sign_in_can_be_forgotten() {
    let tenant = Tenant::connected(small());
    tenant.host.file("api_key", &tenant.key_of(0, WEEK).token);
    let client = format!("client_id={}", tenant.client.client_id);
    let edit = |more: &[&str]| tenant.host.run([&["connection", "edit", "T"][..], more].concat());
    let stored = || tenant.host.json(["connection", "show", "T"])["secrets"].clone();
    edit(&["--set", "sign_in=api_key", "--secret", "api_key=@api_key"]).expect_success();
    assert_eq!(stored(), json!(["api_key", "client_secret"]));
    // It stays for the day that it applies again.
    edit(&["--set", "sign_in=oauth", "--set", &client]).expect_success();
    edit(&["--set", "sign_in=api_key"]).expect_success();
    assert_eq!(stored(), json!(["api_key", "client_secret"]));

    let needed = edit(&["--unset", "api_key"]);
    let forgotten = edit(&["--unset", "client_secret"]).expect_success();
    assert_eq!(stored(), json!(["api_key"]));
    let sealed = "SELECT COUNT(*) FROM sealed_fields WHERE field = 'client_secret'";
    assert_eq!(database::number(&tenant.host, sealed), 0, "it is kept all the same");
    let again = edit(&["--unset", "client_secret"]);
    let back = edit(&["--set", "sign_in=oauth", "--set", &client]);
    let asked = [&needed, &forgotten, &again, &back].map(told).join("\n");
    tenant.assert_reads("secrets_taken_away", &asked);
    assert_eq!([&needed, &again, &back].map(Finished::code), [2, 2, 2]);

    // The one for the other, in one go.
    let mut all =
        vec!["--set", "sign_in=oauth", "--set", &client, "--secret", "client_secret=@client_secret"];
    all.extend(["--unset", "api_key"]);
    edit(&all).expect_success();
    assert_eq!(stored(), json!(["client_secret"]));
    tenant.refresh().expect_success();
}

#[test]
fn at_a_terminal_the_sign_in_is_chosen_before_its_secrets_are_asked_for() {
    let tenant = Tenant::with(small(), &NewClient::default());
    let url = format!("tenant_url={}", tenant.simulator.base_url());
    let start = |more: &[&str]| {
        let all = ["connection", "add", "qlik-cloud", "T", "--set", &url, "--tls-ca", "ca.pem"];
        Terminal::start(&tenant.host, [&all, more].concat())
    };
    let ends = |terminal: Terminal, sign_in: &str| {
        let (status, screen) = terminal.finish();
        assert!(status.success(), "{screen}");
        let shown = tenant.host.json(["connection", "show", "T"]);
        assert_eq!(shown["connection"]["settings"]["sign_in"], sign_in, "{shown}");
        tenant.host.run(["connection", "delete", "T", "--yes"]).expect_success();
        screen
    };
    // The default stands first.
    let mut terminal = start(&[]);
    terminal.shows("OAuth machine-to-machine");
    terminal.shows("API key");
    terminal.types("\r");
    terminal.shows("OAuth client ID (such as");
    terminal.types(&format!("{}\r", tenant.client.client_id));
    terminal.shows("OAuth client secret");
    terminal.types_hidden(&format!("{}\r", tenant.client.client_secret));
    ends(terminal, "oauth");
    // Another, by the arrow's letter.
    let mut terminal = start(&[]);
    terminal.shows("Qlik Sense API key");
    terminal.types("jj\r");
    terminal.shows("Avatar, Profile settings");
    terminal.shows("API key");
    terminal.types_hidden(&format!("{}\r", tenant.key_of(0, WEEK).token));
    let screen = ends(terminal, "api_key");
    assert!(!screen.contains("client ID"), "{screen}");
    // Who gives all that the default needs has chosen.
    let client = format!("client_id={}", tenant.client.client_id);
    let screen = ends(start(&["--set", &client, "--secret", "client_secret=@client_secret"]), "oauth");
    assert!(!screen.contains("Sign-in"), "{screen}");
}
