//! The test of a connection, for every way in which it can end.

use super::*;
use jackfield_plugin::contract::{
    http::Place,
    secrets::{JwtFacts, SecretFacts},
};

#[test]
fn both_checks_pass_before_and_after_the_bot_user_is_narrowed() {
    let kit = oauth();
    tenant(&kit);
    caller(&kit, Some(FOUR_SCOPES), &["TenantAdmin"]);
    let before = kit.test().unwrap();
    assert!(before.passed());
    let kit = oauth();
    tenant(&kit);
    caller(&kit, Some(FOUR_SCOPES), &["AnalyticsAdmin", "Webhooks"]);
    let after = kit.test().unwrap();
    assert!(after.passed());
    insta::assert_snapshot!(lines(&before) + &lines(&after), @r#"
    Server reachable: Passed: a Qlik Cloud tenant answers (issuer https://acme.eu.qlikcloud.com)
    Authentication: Passed: signed in as the bot user "Jackfield", roles: Tenant Admin; scopes: admin.apps:read admin.spaces:read apps.report:export webhooks
    Server reachable: Passed: a Qlik Cloud tenant answers (issuer https://acme.eu.qlikcloud.com)
    Authentication: Passed: signed in as the bot user "Jackfield", roles: Analytics Admin, Webhooks; scopes: admin.apps:read admin.spaces:read apps.report:export webhooks
    "#);
    let asked: Vec<_> = kit.requests().iter().map(|asked| asked.line()).collect();
    assert_eq!(asked, [format!("GET {PROBE}"), format!("POST {TOKEN}"), format!("GET {ME}")]);
}

#[test]
fn the_secret_goes_into_the_body_of_the_token_request_and_nowhere_else() {
    let kit = oauth();
    tenant(&kit);
    caller(&kit, None, &[]);
    kit.test().unwrap();
    let asked = kit.requests();
    assert!(asked[0].slots.is_empty(), "the probe is not signed in");
    assert!(asked[1].has_slot("client_secret", &Place::Json { pointer: "/client_secret".to_owned() }));
    assert!(asked[1].captures[0].keep.is_none(), "a test proves the secret, not a session");
    assert!(asked[2].has_captured("proof_token", &Place::Bearer));
    assert_eq!(asked.iter().map(|asked| asked.slots.len()).sum::<usize>(), 2);
}

#[test]
fn whatever_is_wrong_with_the_address_has_its_message() {
    let cases = [
        error(401, "LOGIN-2", "No authentication configured for this hostname"),
        Answer::status(404),
        Answer::text(200, "text/html", "<html><title>Welcome</title></html>"),
        Answer::json(200, json!({ "hello": "world" })),
        Answer::text(403, "text/html", "<html><title>Forbidden</title></html>"),
        error(429, "HTTP-429", "API rate limit reached.").header("retry-after", "13"),
        Answer::text(503, "text/plain", "upstream connect error"),
        Answer::status(302).header("location", "https://elsewhere.example/"),
        Answer::failure(jackfield_plugin::Failure::new(jackfield_plugin::Blame::Network, "no such name")),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = oauth();
            kit.on("GET", PROBE, answer);
            lines(&kit.test().unwrap())
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Server reachable: Failed: "acme.eu.qlikcloud.com": there is no tenant under this host name (401 LOGIN-2 "No authentication configured for this hostname")
      You, field tenant_url, reference LOGIN-2, trace 00ab
      → check the spelling of the tenant URL: it is what the browser shows when the tenant is open
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com" answers, but is not a Qlik Cloud tenant (404)
      You, field tenant_url, reference -
      → the tenant URL is what the browser shows when the tenant is open: https://<tenant>.<region>.qlikcloud.com
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com" answers, but is not a Qlik Cloud tenant (no sign-in service is described where every tenant has it)
      You, field tenant_url, reference -
      → the tenant URL is what the browser shows when the tenant is open: https://<tenant>.<region>.qlikcloud.com
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com" answers, but is not a Qlik Cloud tenant (no sign-in service is described where every tenant has it)
      You, field tenant_url, reference -
      → the tenant URL is what the browser shows when the tenant is open: https://<tenant>.<region>.qlikcloud.com
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com" refuses this machine before any sign-in (403 "web page: Forbidden")
      Remote, field -, reference -
      → an IP allow list of the tenant, or a proxy on the way, blocks this machine's address
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com": the tenant's rate limit is used up; it lifts the limit in 13 seconds (429 HTTP-429 "API rate limit reached")
      Remote, field -, reference HTTP-429, trace 00ab
      → try again later; everything that uses the same client or user shares one limit
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com": the tenant failed on its side (503 "upstream connect error")
      Remote, field -, reference -
      → try again later; if it lasts, look at Qlik's status page
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "acme.eu.qlikcloud.com": the tenant sent the request elsewhere (302)
      Remote, field tenant_url, reference -
      → check the tenant URL
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: no such name
      Network, field -, reference -
      → -
    Authentication: Skipped: not tried, because "Server reachable" failed
    "#);
}

#[test]
fn whatever_is_wrong_with_the_oauth_client_has_its_message() {
    let cases = [
        error(400, "OAUTH-1", "Invalid parameter"),
        error(401, "OAUTH-6", "Invalid client credentials"),
        Answer::json(401, json!({ "error": "invalid_client", "error_description": "bad" })),
        error(403, "HTTP-403", "Forbidden"),
        error(403, "AUTH-5", "Forbidden"),
        error(401, "LOGIN-2", "No authentication configured for this hostname"),
        Answer::status(404),
        Answer::text(403, "text/html", "<html><title>Blocked</title></html>"),
        error(429, "HTTP-429", "API rate limit reached."),
        error(500, "HTTP-500", "Internal"),
        Answer::json(200, json!({ "error": "invalid_client" })),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = oauth();
            tenant(&kit);
            kit.on("POST", TOKEN, answer);
            let report = lines(&kit.test().unwrap());
            report.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Failed: the tenant cannot make sense of the sign-in of this OAuth client (400 OAUTH-1 "Invalid parameter")
      You, field client_id, reference OAUTH-1, trace 00ab
      → check the client ID, and that the client is of the type Web, with "Machine-to-machine" turned on and its consent method changed to Trusted
    Authentication: Failed: the tenant refused the OAuth client (401 OAUTH-6 "Invalid client credentials")
      Credential, field client_secret, reference OAUTH-6, trace 00ab
      → the tenant does not say which of these it is: the client secret is wrong or was deleted; the client ID is wrong or belongs to another tenant; the client's consent method is not Trusted (its menu, "Change consent method"); "Machine-to-machine" is turned off
    Authentication: Failed: the tenant refused the OAuth client (401 invalid_client "bad")
      Credential, field client_secret, reference invalid_client
      → the tenant does not say which of these it is: the client secret is wrong or was deleted; the client ID is wrong or belongs to another tenant; the client's consent method is not Trusted (its menu, "Change consent method"); "Machine-to-machine" is turned off
    Authentication: Failed: the tenant knows the OAuth client, but gives it no token (403 HTTP-403 "Forbidden")
      Credential, field -, reference HTTP-403, trace 00ab
      → the tenant does not say which of these it is: the client's bot user is disabled (Manage users, All users); the client's consent method is not Trusted; it has reached its maximum number of tokens
    Authentication: Failed: the credential belongs to a user who is not a member of this tenant (403 AUTH-5 "Forbidden")
      Credential, field -, reference AUTH-5, trace 00ab
      → use a credential that was made in this very tenant, or correct the tenant URL
    Authentication: Failed: there is no tenant under this host name (401 LOGIN-2 "No authentication configured for this hostname")
      You, field tenant_url, reference LOGIN-2, trace 00ab
      → check the spelling of the tenant URL: it is what the browser shows when the tenant is open
    Authentication: Failed: there is no sign-in service at the tenant URL (404)
      You, field tenant_url, reference -
      → check the tenant URL
    Authentication: Failed: something between here and the remote system answered (403 "web page: Blocked")
      Remote, field -, reference -
      → find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance
    Authentication: Failed: the tenant's rate limit is used up; it does not say for how long (429 HTTP-429 "API rate limit reached")
      Remote, field -, reference HTTP-429, trace 00ab
      → try again later; everything that uses the same client or user shares one limit
    Authentication: Failed: the tenant failed on its side (500 HTTP-500 "Internal")
      Remote, field -, reference HTTP-500, trace 00ab
      → try again later; if it lasts, look at Qlik's status page and show support the reference
    Authentication: Failed: the tenant answered the sign-in without a token (200 invalid_client)
      Remote, field -, reference invalid_client
      → check that the tenant URL leads straight to the tenant, not to a portal or a proxy in front of it
    "#);
}

#[test]
fn a_token_that_does_not_help_has_its_message() {
    let me = |status: &str| json!({ "id": "b0t", "name": "Jackfield", "status": status });
    let cases = [
        error(401, "HTTP-401", "Unauthorized"),
        error(403, "HTTP-403", "Forbidden"),
        Answer::json(200, me("disabled")),
        Answer::json(200, json!({})),
        Answer::text(200, "text/html", "<html>Sign in</html>"),
        Answer::status(404),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = oauth();
            tenant(&kit);
            kit.on("POST", TOKEN, token(None)).on("GET", ME, answer);
            let report = lines(&kit.test().unwrap());
            report.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Failed: the tenant gave a token to the OAuth client and then refused it (401 HTTP-401 "Unauthorized")
      Credential, field client_id, reference HTTP-401, trace 00ab
      → check in Manage users that the client's bot user is active, and that the client's consent method is Trusted
    Authentication: Failed: the tenant accepts the credential, but lets its user do nothing (403 HTTP-403 "Forbidden")
      Credential, field -, reference HTTP-403, trace 00ab
      → check in Manage users that the user is active, and that no IP allow list of the tenant excludes this machine
    Authentication: Failed: the user "Jackfield" is disabled in the tenant
      Credential, field -, reference -
      → enable the user: Administration activity center, Manage users, All users
    Authentication: Failed: the tenant answered the question who the caller is without a user
      Remote, field -, reference -
      → check that the tenant URL leads straight to the tenant
    Authentication: Failed: the tenant did not say who the caller is: the answer is a web page (text/html): <html>Sign in</html>
      Remote, field -, reference -
      → check that the tenant URL leads straight to the tenant
    Authentication: Failed: the tenant did not say who the caller is (404)
      Remote, field -, reference -
      → check that the tenant URL leads straight to the tenant
    "#);
}

#[test]
fn a_right_that_a_refresh_will_miss_is_named_by_the_test() {
    let kit = oauth();
    tenant(&kit);
    caller(&kit, Some("apps:read"), &["TenantAdmin"]);
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(report.checks[1].detail, @r#"signed in as the bot user "Jackfield", roles: Tenant Admin; scopes: apps:read; a refresh may not get all apps: scope "admin.apps:read" is missing on the OAuth client; a refresh may not get all spaces: scope "admin.spaces:read" is missing on the OAuth client"#);
}

#[test]
fn a_refused_token_is_replaced_once() {
    let kit = oauth();
    tenant(&kit);
    kit.on("POST", TOKEN, token(None)).on("GET", ME, error(401, "HTTP-401", "Unauthorized"));
    kit.on("GET", ME, Answer::json(200, json!({ "id": "b0t" })));
    assert!(kit.test().unwrap().passed());
    assert_eq!(kit.requests().iter().filter(|asked| asked.line() == format!("POST {TOKEN}")).count(), 2);

    let kit = oauth();
    tenant(&kit);
    kit.on("POST", TOKEN, token(None)).on("GET", ME, error(401, "HTTP-401", "Unauthorized"));
    assert!(!kit.test().unwrap().passed());
    assert_eq!(kit.requests().iter().filter(|asked| asked.line() == format!("GET {ME}")).count(), 2);
}

/// 2026-01-01 is now; the key ends so many seconds later.
fn key(seconds: i64) -> SecretFacts {
    let jwt =
        JwtFacts { id: Some("k".to_owned()), expires: Some(1_767_225_600 + seconds), ..JwtFacts::default() };
    SecretFacts { present: true, jwt: Some(jwt), ..SecretFacts::default() }
}

#[test]
fn whatever_there_is_to_say_of_a_key_is_said() {
    let me = Answer::json(
        200,
        json!({ "id": "u", "name": "Kit", "assignedRoles": [{ "name": "AnalyticsAdmin" }] }),
    );
    let cases = [
        (key(864_000), me.clone()),
        (key(100_000), me.clone()),
        (key(-1), me.clone()),
        (SecretFacts { present: true, ..SecretFacts::default() }, me),
        (key(864_000), Answer::text(401, "text/plain", "Authorization Required")),
        (SecretFacts { present: true, ..SecretFacts::default() }, error(401, "HTTP-401", "Unauthorized")),
        (key(864_000), error(401, "LOGIN-2", "No authentication configured for this hostname")),
        (key(864_000), error(403, "AUTH-5", "Forbidden")),
    ];
    let told: String = cases
        .map(|(facts, answer)| {
            let kit = api_key().facts("api_key", facts);
            tenant(&kit);
            kit.on("GET", ME, answer).on("GET", "/api/v1/api-keys/k", Answer::status(404));
            let report = lines(&kit.test().unwrap());
            assert!(kit.requests().iter().skip(1).all(|asked| asked.has_bearer("api_key")));
            report.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Passed: signed in as the user "Kit", roles: Analytics Admin; the key is valid until 2026-01-11
    Authentication: Passed: signed in as the user "Kit", roles: Analytics Admin; the key ends on 2026-01-02, in about a day
    Authentication: Failed: the API key ended on 2025-12-31
      Credential, field api_key, reference -
      → make a new one in the tenant: avatar, Profile settings, API keys, "Generate new key"; at least 3 days of life
    Authentication: Passed: signed in as the user "Kit", roles: Analytics Admin; the key does not look like a Qlik API key
    Authentication: Failed: the tenant refused the API key, although it is valid until 2026-01-11 (401 "Authorization Required")
      Credential, field api_key, reference -
      → the tenant does not say why: the key was revoked or deleted, or was made in another tenant, or its user has lost the permission "Manage API keys" or was disabled; make a new key under Profile settings, API keys
    Authentication: Failed: the tenant refused the API key, which does not look like one of Qlik Cloud (401 HTTP-401 "Unauthorized")
      Credential, field api_key, reference HTTP-401, trace 00ab
      → the tenant does not say why: the key was revoked or deleted, or was made in another tenant, or its user has lost the permission "Manage API keys" or was disabled; make a new key under Profile settings, API keys
    Authentication: Failed: there is no tenant under this host name (401 LOGIN-2 "No authentication configured for this hostname")
      You, field tenant_url, reference LOGIN-2, trace 00ab
      → check the spelling of the tenant URL: it is what the browser shows when the tenant is open
    Authentication: Failed: the credential belongs to a user who is not a member of this tenant (403 AUTH-5 "Forbidden")
      Credential, field -, reference AUTH-5, trace 00ab
      → use a credential that was made in this very tenant, or correct the tenant URL
    "#);
}

#[test]
fn a_key_that_was_made_for_too_short_is_refused() {
    let record = |expiry: &str| {
        let record =
            json!({ "id": "k", "tenantId": "t", "created": "2026-01-01T00:00:00.120Z", "expiry": expiry });
        Answer::json(200, record)
    };
    let limit = |most: &str| Answer::json(200, json!({ "max_api_key_expiry": most }));
    let told: String = [
        (record("2026-01-04T00:00:00.000Z"), limit("P7D")),
        (record("2026-01-02T00:00:00.000Z"), limit("PT24H")),
        (record("2026-01-03T12:00:00.000Z"), limit("P365D")),
        (record("2026-01-01T12:00:00.000Z"), Answer::status(403)),
        (error(403, "HTTP-403", "Forbidden"), limit("PT24H")),
    ]
    .map(|(record, limit)| {
        let kit = api_key().facts("api_key", key(86_400));
        tenant(&kit);
        kit.on("GET", ME, Answer::json(200, json!({ "id": "u", "name": "Kit" })));
        kit.on("GET", "/api/v1/api-keys/k", record).on("GET", "/api/v1/api-keys/configs/t", limit);
        let report = lines(&kit.test().unwrap());
        report.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
    })
    .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Passed: signed in as the user "Kit", the tenant does not tell its roles; the key ends on 2026-01-02, in about a day
    Authentication: Failed: the API key was made for 24 hours only; with less than 3 days there is no time to renew it
      Credential, field api_key, reference -
      → this tenant lets no key live longer than 24 hours: have an administrator raise that (Administration activity center, Settings, API keys), and then make a new key that lives 3 days or more: avatar, Profile settings, API keys, "Generate new key"
    Authentication: Failed: the API key was made for 60 hours only; with less than 3 days there is no time to renew it
      Credential, field api_key, reference -
      → make a new key that lives 3 days or more: avatar, Profile settings, API keys, "Generate new key"
    Authentication: Failed: the API key was made for 12 hours only; with less than 3 days there is no time to renew it
      Credential, field api_key, reference -
      → make a new key that lives 3 days or more: avatar, Profile settings, API keys, "Generate new key"
    Authentication: Passed: signed in as the user "Kit", the tenant does not tell its roles; the key ends on 2026-01-02, in about a day
    "#);
}
