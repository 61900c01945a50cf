//! Acting as a user of a Qlik Cloud tenant, by a Qlik Sense API key: a session for a token that Jackfield signs.

use crate::{
    canary::{Canary, Search},
    qlik_cloud::{Tenant, paged, small, told},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::{ApiKeyToken, Config, JwtAuthorization, JwtRefusal, NewUser, OwnProvider, SignIn},
};
use jackfield_tests::{Finished, wait_for};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const PROVIDERS: &str = "/api/v1/identity-providers";
const LOGIN: &str = "/login/jwt-session";
const ADMIN: u64 = 0;
const PERSON: u64 = 5;

/// A tenant on which JWT authorization is as given.
fn with(jwt: JwtAuthorization, refusal: JwtRefusal, config: Config) -> Tenant {
    Tenant::new(Config { sign_in: SignIn { jwt, refusal, ..SignIn::default() }, ..config })
}

/// A tenant on which JWT authorization is active.
fn active(config: Config) -> Tenant {
    with(JwtAuthorization::Active, JwtRefusal::Forbidden, config)
}

impl Tenant {
    /// Adds the connection "T", which acts as the user with this email.
    fn add_as(&self, email: &str, key: &ApiKeyToken) -> Finished {
        self.host.file("api_key", &key.token);
        let email = format!("user_email={email}");
        let more = ["--set", "sign_in=qlik_sense_api_key", "--set", &email];
        self.add_with(&[&more[..], &["--secret", "qlik_sense_api_key=@api_key"]].concat())
    }

    /// A tenant whose connection "T" acts as a generated user.
    fn acting(config: Config) -> Tenant {
        let tenant = active(config);
        let key = tenant.key_of(ADMIN, WEEK);
        tenant.add_as(&tenant.simulator.user_email(PERSON), &key).expect_success();
        tenant.simulator.clear_requests();
        tenant
    }

    /// As whom the lists were read.
    fn readers(&self) -> Vec<String> {
        let lists = self.simulator.requests().into_iter().filter(|request| request.path == "/api/v1/items");
        let mut readers: Vec<_> = lists.filter_map(|request| request.user).collect();
        readers.dedup();
        readers
    }
}

#[test]
fn whatever_that_user_sees_is_in_the_catalog() {
    let tenant = active(small());
    let key = tenant.key_of(ADMIN, WEEK);
    // People write emails in whatever case.
    let added = tenant.add_as(&tenant.simulator.user_email(PERSON).to_uppercase(), &key);
    tenant.assert_reads("as_user_added", &told(&added));
    let person = tenant.simulator.user_id(PERSON);
    assert_eq!((added.code(), tenant.readers()), (0, vec![person]));
    let as_user = tenant.kinds();
    assert_eq!(tenant.simulator.issued_sessions(), 2, "of the test, and of the refresh");

    let own = tenant.key_of(PERSON, WEEK);
    tenant.host.run(["connection", "delete", "T", "--yes"]).expect_success();
    tenant.add_key(&own).expect_success();
    for (kind, seen) in tenant.kinds() {
        assert_eq!(
            (&seen["count"], &seen["kept"]),
            (&as_user[&kind]["count"], &as_user[&kind]["kept"]),
            "{kind}"
        );
    }
}

#[test]
fn only_the_first_test_registers_the_key() {
    let tenant = Tenant::acting(small());
    let registered = tenant.simulator.token_providers();
    assert_eq!(registered.len(), 1);
    assert!(registered[0]["options"]["staticKeys"][0]["pem"].as_str().unwrap().contains("CERTIFICATE"));
    let tested = tenant.test();
    tenant.assert_reads("as_user_tested", &told(&tested));
    tenant.refresh().expect_success();
    let other = format!("user_email={}", tenant.simulator.user_email(1));
    tenant.host.run(["connection", "edit", "T", "--set", &other]).expect_success();
    tenant.simulator.clear_requests();
    tenant.refresh().expect_success();
    assert_eq!(tenant.readers(), [tenant.simulator.user_id(1)]);
    let requests = tenant.simulator.requests();
    let writes: Vec<_> = requests.iter().filter(|request| request.method != "GET").collect();
    assert!(writes.iter().all(|write| write.path == LOGIN), "{writes:?}");
    assert_eq!(tenant.simulator.token_providers(), registered);

    // Another key pair is another provider; the old one stays until somebody deletes it.
    tenant.host.run(["connection", "edit", "T", "--unset", "signing_key"]).expect_success();
    assert_eq!(tenant.simulator.token_providers().len(), 2);
    tenant.refresh().expect_success();
}

#[test]
fn a_provider_of_the_tenants_own_is_no_obstacle_by_itself() {
    let tenant = active(small());
    tenant.simulator.set_own_provider(Some(OwnProvider::default()));
    let key = tenant.key_of(ADMIN, WEEK);
    tenant.add_as(&tenant.simulator.user_email(PERSON), &key).expect_success();
}

#[test]
fn a_registration_that_is_gone_is_told_and_made_again_by_a_test() {
    let tenant = Tenant::acting(small());
    let before = tenant.kinds();
    tenant.simulator.remove_token_providers();
    let refreshed = tenant.refresh();
    tenant.assert_reads("as_user_registration_gone", &told(&refreshed));
    assert_eq!((refreshed.code(), tenant.asked("POST", PROVIDERS)), (5, 0));
    assert_eq!(tenant.kinds(), before);
    tenant.test().expect_success();
    assert_eq!(tenant.asked("POST", PROVIDERS), 1);
    tenant.refresh().expect_success();
}

#[test]
fn a_session_that_ends_in_the_middle_is_opened_anew() {
    let tenant = Tenant::acting(paged());
    let person = tenant.simulator.user_id(PERSON);
    tenant.simulator.set_roles(&person, &["AnalyticsAdmin"]).unwrap();
    let slow = FaultKind::Delay { milliseconds: 1500 };
    tenant.simulator.add_fault(Fault::new("/api/v1/items", slow).query("next=").times(1));
    let refresh = tenant.host.start(["connection", "refresh", "T"]);
    wait_for("the refresh to be in its lists", || (tenant.simulator.counters().requests > 6).then_some(()));
    tenant.simulator.expire_sessions();
    refresh.finish().expect_success();
    assert_eq!(tenant.asked("POST", LOGIN), 2);
    assert!(tenant.simulator.requests().iter().any(|request| request.status == 401));
    assert_eq!(tenant.counts()["app"], 350);
}

#[test]
fn whoever_cannot_be_acted_for_is_told_why() {
    let person = |email: &str, status: &str| NewUser {
        subject: format!("auth0|{email}|{status}"),
        email: email.to_owned(),
        status: status.to_owned(),
        ..NewUser::default()
    };
    let tenant = active(small());
    for user in [
        person("twice@example.com", "active"),
        NewUser { subject: "old|twice".to_owned(), ..person("twice@example.com", "active") },
        person("gone@example.com", "disabled"),
        person("new@example.com", "invited"),
        person("back@example.com", "active"),
        NewUser { subject: "old|back".to_owned(), ..person("back@example.com", "disabled") },
    ] {
        tenant.simulator.create_user(&user).unwrap();
    }
    let key = tenant.key_of(ADMIN, WEEK);
    let mut all = String::new();
    for (email, code) in [
        ("nobody@example.com", 2),
        ("twice@example.com", 2),
        ("a\" or email co \"@", 2),
        ("gone@example.com", 5),
        ("new@example.com", 5),
    ] {
        let added = tenant.add_as(email, &key);
        all += &format!("--- {email}\n{}", told(&added));
        assert_eq!(added.code(), code, "{email}: {}", added.all());
    }
    tenant.assert_reads("as_user_nobody", &all);
    assert!(tenant.simulator.token_providers().is_empty(), "nothing is registered for nobody");
    assert_eq!(tenant.simulator.issued_sessions(), 0);
    tenant.add_as("back@example.com", &key).expect_success();
}

#[test]
fn a_tenant_without_jwt_authorization_is_told_as_that() {
    use JwtAuthorization::{Inactive, NotEnterprise};
    use JwtRefusal::{AtLogin, Forbidden, Invalid};
    let mut all = String::new();
    for (what, jwt, refusal, own) in [
        ("not active", Inactive, Forbidden, None),
        ("not active, otherwise refused", Inactive, Invalid, None),
        ("not active, refused at the sign-in", Inactive, AtLogin, None),
        ("another licence", NotEnterprise, Forbidden, None),
        ("an identity provider of its own", Inactive, Forbidden, Some(OwnProvider::default())),
    ] {
        let tenant = with(jwt, refusal, small());
        tenant.simulator.set_own_provider(own);
        let key = tenant.key_of(ADMIN, WEEK);
        let added = tenant.add_as(&tenant.simulator.user_email(PERSON), &key);
        all += &format!("--- {what}\n{}", told(&added).replace(tenant.simulator.base_url(), "[TENANT]"));
        assert_eq!(added.code(), 4, "{what}: {}", added.all());
        assert_eq!(tenant.host.json(["connection", "list"]), serde_json::json!([]), "{what}");
    }
    Tenant::new(small()).assert_reads("as_user_no_jwt", &all);
}

#[test]
fn a_key_that_cannot_do_it_is_told_why() {
    let tenant = active(small());
    type Spoil = fn(&Tenant, &str);
    let rows: [(&str, u64, Duration, Spoil); 6] = [
        ("of a user without Tenant Admin", PERSON, WEEK, |_, _| ()),
        ("ended", ADMIN, Duration::ZERO, |_, _| ()),
        ("made for a day", ADMIN, DAY, |_, _| ()),
        ("made for three days", ADMIN, 3 * DAY, |_, _| ()),
        ("revoked", ADMIN, WEEK, |tenant, id| tenant.simulator.revoke_api_key(id)),
        ("of a user who may manage no keys", PERSON, WEEK, |tenant, _| {
            tenant.simulator.set_user_default_scopes(&["user_default_is_not_this"]);
        }),
    ];
    let mut all = String::new();
    for (what, user, life, spoil) in rows {
        let key = tenant.key_of(user, life);
        spoil(&tenant, &key.id);
        let added = tenant.add_as(&tenant.simulator.user_email(PERSON), &key);
        let lines = told(&added);
        let lines: Vec<_> = lines.lines().take_while(|line| !line.starts_with("Sync apps")).collect();
        all += &format!("--- {what}\n{}\n", lines.join("\n"));
        assert_eq!(added.code(), if life == 3 * DAY { 0 } else { 5 }, "{what}: {}", added.all());
        assert!(!added.all().contains(&key.token));
        if added.code() == 0 {
            tenant.host.run(["connection", "delete", "T", "--yes"]).expect_success();
        }
    }
    tenant.assert_reads("as_user_keys", &all);
}

#[test]
fn nothing_of_a_session_is_written_or_printed() {
    let mut tenant = Tenant::acting(small());
    tenant.host.set("JACKFIELD_LOG__LEVEL", "trace");
    let mut search = Search::default();
    // A tenant that repeats what it was sent, as success and as failure.
    for path in [LOGIN, PROVIDERS, "/api/v1/users", "/api/v1/api-keys", "/api/v1/items", "/api/v1/spaces"] {
        for status in [200, 400, 401] {
            tenant.simulator.clear_faults();
            tenant.simulator.add_fault(Fault::new(path, FaultKind::Echo { status }));
            for verb in ["test", "refresh", "log"] {
                search.printed(verb, &tenant.host.run(["connection", verb, "T"]));
            }
        }
    }
    search.files(&tenant.host.data());
    assert!(search.has("«secret»"), "what it repeated was shown");
    let secrets = tenant.simulator.session_secrets();
    assert!(secrets.len() > 10, "sessions were opened");
    let mut canaries: Vec<_> =
        secrets.iter().map(|secret| Canary::new("a session's cookie", secret)).collect();
    let key = std::fs::read_to_string(tenant.host.work().join("api_key")).unwrap();
    canaries.push(Canary::new("the API key", &key));
    search.finds_none_of(&canaries);
    // How every JWT begins, and what a private key says of itself.
    for text in ["eyJ0eXAiOiJKV1Qi", "PRIVATE KEY"] {
        assert!(!search.has(text), "{text} stands in something");
    }
}

#[test]
fn the_help_names_what_is_to_be_set_up() {
    let tenant = Tenant::new(small());
    let shown = tenant.host.run(["plugin", "show", "qlik-cloud"]).expect_success();
    tenant.assert_reads("qlik_cloud_help", &told(&shown));
}
