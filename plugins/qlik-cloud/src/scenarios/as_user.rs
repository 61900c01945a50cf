//! Acting as a user: how the tenant is prepared, and what can be wrong on the way.

use super::*;
use jackfield_plugin::{
    contract::{
        http::{Body, Place},
        secrets::{CertificateFacts, JwtFacts, SecretFacts},
    },
    testkit::Asked,
};

const USERS: &str = "/api/v1/users";
const PROVIDERS: &str = "/api/v1/identity-providers";
const LICENCE: &str = "/api/v1/licenses/overview";
const LOGIN: &str = "/login/jwt-session";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const ISSUER: &str = "jackfield-00112233445566aa";

fn sha256() -> String {
    format!("00112233445566aa{}", "b".repeat(48))
}

/// A connection that acts as Ada; the tenant answers the probe, and the key is one of its admin.
fn as_ada() -> TestKit<QlikCloud> {
    let settings =
        json!({ "tenant_url": TENANT, "sign_in": "qlik_sense_api_key", "user_email": "Ada@example.com" });
    let jwt = JwtFacts { id: Some("k".to_owned()), expires: Some(1_800_000_000), ..JwtFacts::default() };
    let certificate =
        CertificateFacts { sha256: sha256(), pem: Some(PEM.to_owned()), ..CertificateFacts::default() };
    let kit = TestKit::new(settings)
        .facts("qlik_sense_api_key", SecretFacts { present: true, jwt: Some(jwt), ..SecretFacts::default() })
        .facts(
            "signing_key",
            SecretFacts { present: true, certificate: Some(certificate), ..SecretFacts::default() },
        )
        .secret("qlik_sense_api_key")
        .secret("signing_key");
    tenant(&kit);
    let record = json!({ "id": "k", "tenantId": "t1", "created": "2026-01-01T00:00:00Z", "expiry": "2026-01-08T00:00:00Z" });
    kit.on("GET", "/api/v1/api-keys/k", Answer::json(200, record));
    kit
}

fn admin() -> Answer {
    Answer::json(
        200,
        json!({ "id": "u0", "tenantId": "t1", "name": "Root", "assignedRoles": [{ "name": "TenantAdmin" }] }),
    )
}

fn ada_row() -> Value {
    json!({ "id": "u7", "subject": "auth0|ada", "name": "Ada", "email": "ada@example.com", "status": "active" })
}

/// First the owner of the key is asked for, then the user of the session.
fn identities(kit: &TestKit<QlikCloud>) {
    kit.on("GET", ME, admin()).on("GET", ME, Answer::json(200, ada_row()));
    kit.on("GET", USERS, page(json!([ada_row()])));
}

fn provider(active: bool) -> Value {
    json!({ "id": "p1", "active": active, "protocol": "jwtAuth", "provider": "external", "interactive": false,
        "options": { "issuer": ISSUER, "staticKeys": [{ "kid": sha256(), "pem": PEM }] } })
}

/// Another Jackfield's provider, and the one that people sign in with.
fn others(own: &str) -> Value {
    json!([
        { "id": "p8", "active": true, "protocol": "OIDC", "provider": own, "interactive": true, "options": {} },
        { "id": "p9", "active": true, "protocol": "jwtAuth", "provider": "external", "interactive": false,
          "options": { "issuer": "jackfield-ffff", "staticKeys": [{ "kid": "other", "pem": "x" }] } },
    ])
}

fn asked(kit: &TestKit<QlikCloud>, line: &str) -> Vec<Asked> {
    kit.requests().into_iter().filter(|asked| asked.line().starts_with(line)).collect()
}

/// The line of *Authentication*, with what belongs to it.
fn told(kit: &TestKit<QlikCloud>) -> String {
    lines(&kit.test().unwrap()).lines().skip(1).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_first_test_registers_the_key_and_later_ones_do_not() {
    let kit = as_ada().may_write();
    identities(&kit);
    kit.on("GET", PROVIDERS, page(others("qlik")));
    kit.on("POST", PROVIDERS, Answer::json(201, provider(true)));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    insta::assert_snapshot!(told(&kit), @r#"Authentication: Passed: signed in as the user "Ada", the tenant does not tell its roles; the key is valid until 2027-01-15; Jackfield's key was registered in the tenant as an identity provider; a refresh brings what this user sees"#);
    let post = &asked(&kit, &format!("POST {PROVIDERS}"))[0];
    let Body::Json(body) = &post.body else { panic!("no JSON") };
    insta::assert_json_snapshot!(body, @r#"
    {
      "active": true,
      "clockToleranceSec": 60,
      "description": "Jackfield: signs users in for one of its connections; its key never leaves Jackfield",
      "interactive": false,
      "options": {
        "issuer": "jackfield-00112233445566aa",
        "jwtLoginEnabled": true,
        "staticKeys": [
          {
            "kid": "00112233445566aabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
          }
        ]
      },
      "protocol": "jwtAuth",
      "provider": "external",
      "tenantIds": [
        "t1"
      ]
    }
    "#);
    assert!(post.has_bearer("qlik_sense_api_key"));
    let lookup = &asked(&kit, &format!("GET {USERS}?"))[0];
    assert_eq!(lookup.query[0].1, "email eq \"Ada@example.com\"");
    assert!(lookup.has_bearer("qlik_sense_api_key"));

    let kit = as_ada().may_write();
    identities(&kit);
    // What is ours is found on a later page, too.
    let next = json!({ "next": { "href": format!("{TENANT}{PROVIDERS}?next=2") } });
    kit.on("GET", PROVIDERS, Answer::json(200, json!({ "data": others("qlik"), "links": next })));
    kit.on("GET", &format!("{PROVIDERS}?next=2"), page(json!([provider(true)])));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    assert!(kit.test().unwrap().passed());
    let writes: Vec<_> =
        kit.requests().iter().filter(|asked| asked.method != "GET").map(Asked::line).collect();
    assert_eq!(writes, [format!("POST {LOGIN}")]);
}

#[test]
fn the_token_says_what_the_tenant_wants_and_the_rest_is_asked_with_cookies() {
    let kit = as_ada();
    kit.on("GET", ME, Answer::json(200, ada_row())).on("GET", USERS, page(json!([ada_row()])));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    for list in ["/api/v1/items", "/api/v1/spaces", USERS, "/api/v1/roles"] {
        kit.on("GET", list, page(json!([])));
    }
    drop(kit.refresh());
    let signed = kit.signed();
    assert_eq!(signed.len(), 1);
    let mut token = serde_json::to_value(&signed[0]).unwrap();
    assert_eq!(token["claims"]["jti"].as_str().unwrap().len(), 32);
    token["claims"]["jti"] = "[32 digits]".into();
    insta::assert_json_snapshot!(token, @r#"
    {
      "algorithm": "RS256",
      "backdate_seconds": 60,
      "claims": {
        "aud": "qlik.api/login/jwt-session",
        "email": "ada@example.com",
        "email_verified": true,
        "iss": "jackfield-00112233445566aa",
        "jti": "[32 digits]",
        "name": "Ada",
        "sub": "auth0|ada",
        "subType": "user"
      },
      "key": "signing_key",
      "key_id": "00112233445566aabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "lifetime_seconds": 300,
      "name": "user_jwt",
      "origin": "tenant_url"
    }
    "#);
    let login = &asked(&kit, "POST")[0];
    assert!(login.has_captured("user_jwt", &Place::Bearer) && login.jar.is_some());
    let requests = kit.requests();
    let after = requests.iter().skip_while(|asked| asked.method != "POST").skip(1);
    let in_session = after.map(|asked| asked.slots.is_empty() && asked.jar == login.jar).collect::<Vec<_>>();
    assert!(in_session.len() > 2 && in_session.iter().all(|fine| *fine), "only the session is used");
    assert!(asked(&kit, &format!("GET {PROVIDERS}")).is_empty(), "a refresh looks after no providers");
}

#[test]
fn the_person_of_the_invocation_comes_before_that_of_the_settings() {
    let kit = as_ada().subject("bob@example.com");
    kit.on("GET", USERS, page(json!([])));
    let failure = kit.refresh().unwrap_err();
    assert_eq!(failure.message, "no user of the tenant has the email \"bob@example.com\"");
}

#[test]
fn a_session_that_ended_is_opened_anew_once() {
    let kit = as_ada();
    let ended = || error(401, "HTTP-401", "Unauthorized");
    kit.on("GET", ME, Answer::json(200, ada_row())).on("GET", USERS, page(json!([ada_row()])));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    kit.on("GET", "/api/v1/items", ended()).on("GET", "/api/v1/items", page(json!([])));
    kit.on("GET", "/api/v1/spaces", page(json!([])));
    for list in ["/api/scheduling/tasks", "/api/v1/report-templates", "/api/v1/data-files", "/api/v1/roles"] {
        kit.on("GET", list, page(json!([])));
    }
    for list in ["/api/v1/reloads", "/api/v1/sharing-tasks", "/api/workflows/automations"] {
        kit.on("GET", list, page(json!([])));
    }
    kit.refresh().unwrap();
    assert_eq!(asked(&kit, "POST").len(), 2);

    let kit = as_ada();
    kit.on("GET", ME, ended()).on("GET", USERS, page(json!([ada_row()])));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @r#"the tenant opened a session for the user with the email "Ada@example.com" and then refused it (401 HTTP-401 "Unauthorized") [HTTP-401, trace 00ab] — check in Manage users that the user is still active, and that no IP allow list of the tenant excludes this machine"#);
    assert_eq!(asked(&kit, "POST").len(), 2);
}

#[test]
fn whatever_is_wrong_on_the_way_has_its_message() {
    let forbidden = || error(403, "HTTP-403", "Forbidden");
    let refused = || error(401, "HTTP-401", "Unauthorized");
    let licence = |product: &str| Answer::json(200, json!({ "product": product }));
    let enterprise = || licence("Qlik Sense Enterprise");
    let list = |rows: Value| page(rows);
    let cases = [
        ("the providers are kept from the key", forbidden(), None, refused(), enterprise()),
        ("not Enterprise", list(json!([])), Some(forbidden()), refused(), licence("Qlik Sense Business")),
        ("an own provider", list(others("okta")), Some(forbidden()), refused(), enterprise()),
        ("not active", list(others("qlik")), Some(error(400, "IDP-1", "Invalid")), refused(), enterprise()),
        ("not active, licence unknown", list(json!([])), Some(forbidden()), refused(), forbidden()),
        ("turned off", list(json!([provider(false)])), None, refused(), enterprise()),
        ("the limit", list(json!([])), Some(error(429, "HTTP-429", "Too many")), refused(), enterprise()),
        ("refused at the login", list(json!([provider(true)])), None, refused(), enterprise()),
        (
            "a claim",
            list(json!([provider(true)])),
            None,
            error(400, "INTERNAL-TOKEN-1", "Invalid token request"),
            enterprise(),
        ),
    ];
    let all: String = cases
        .into_iter()
        .map(|(what, providers, made, login, licence)| {
            let kit = as_ada().may_write();
            identities(&kit);
            kit.on("GET", PROVIDERS, providers).on("POST", LOGIN, login).on("GET", LICENCE, licence);
            if let Some(made) = made {
                kit.on("POST", PROVIDERS, made);
            }
            format!("--- {what}\n{}", told(&kit))
        })
        .collect();
    insta::assert_snapshot!(all, @r#"
    --- the providers are kept from the key
    Authentication: Failed: the API key may not look after the tenant's identity providers (403 HTTP-403 "Forbidden")
      Credential, field qlik_sense_api_key, reference HTTP-403, trace 00ab
      → "Qlik Sense API key" takes a key of a user with the role Tenant Admin: add the role (Administration activity center, Manage users, All users), or give a key of another user
    --- not Enterprise
    Authentication: Failed: the tenant takes no identity provider for Jackfield's key: JWT authorization comes with Qlik Sense Enterprise only, and the tenant's licence is "Qlik Sense Business" (403 HTTP-403 "Forbidden")
      Remote, field sign_in, reference HTTP-403, trace 00ab
      → choose another sign-in: OAuth machine-to-machine, or "API key", which acts as its owner
    --- an own provider
    Authentication: Failed: the tenant takes no identity provider for Jackfield's key: people sign in by an identity provider of the tenant's own ("okta"), and tokens of another one seem not to be accepted beside it (403 HTTP-403 "Forbidden")
      Remote, field sign_in, reference HTTP-403, trace 00ab
      → ask whoever looks after that identity provider whether JWT may be used beside it. JWT authorization is off by default, and comes with Qlik Sense Enterprise only. To see whether it is on: Administration activity center, Identity provider, "Create new" offers the type JWT only where it is. If it is off, ask your account manager at Qlik to activate the JWT capability for embedded analytics and reporting; until then choose another sign-in
    --- not active
    Authentication: Failed: the tenant takes no identity provider for Jackfield's key: JWT authorization is probably not active there (400 IDP-1 "Invalid")
      Remote, field sign_in, reference IDP-1, trace 00ab
      → JWT authorization is off by default, and comes with Qlik Sense Enterprise only. To see whether it is on: Administration activity center, Identity provider, "Create new" offers the type JWT only where it is. If it is off, ask your account manager at Qlik to activate the JWT capability for embedded analytics and reporting; until then choose another sign-in
    --- not active, licence unknown
    Authentication: Failed: the tenant takes no identity provider for Jackfield's key: JWT authorization is probably not active there (403 HTTP-403 "Forbidden")
      Remote, field sign_in, reference HTTP-403, trace 00ab
      → JWT authorization is off by default, and comes with Qlik Sense Enterprise only. To see whether it is on: Administration activity center, Identity provider, "Create new" offers the type JWT only where it is. If it is off, ask your account manager at Qlik to activate the JWT capability for embedded analytics and reporting; until then choose another sign-in
    --- turned off
    Authentication: Failed: the identity provider of Jackfield's key (issuer jackfield-00112233445566aa) is turned off in the tenant
      Credential, field signing_key, reference -
      → delete it there (Administration activity center, Identity provider), and test again: that makes it anew
    --- the limit
    Authentication: Failed: the tenant's rate limit is used up; it does not say for how long (429 HTTP-429 "Too many")
      Remote, field -, reference HTTP-429, trace 00ab
      → try again later; everything that uses the same client or user shares one limit
    --- refused at the login
    Authentication: Failed: the tenant does not accept Jackfield's token for the user "Ada" (ada@example.com): JWT authorization is probably not active there (401 HTTP-401 "Unauthorized")
      Remote, field sign_in, reference HTTP-401, trace 00ab
      → JWT authorization is off by default, and comes with Qlik Sense Enterprise only. To see whether it is on: Administration activity center, Identity provider, "Create new" offers the type JWT only where it is. If it is off, ask your account manager at Qlik to activate the JWT capability for embedded analytics and reporting; until then choose another sign-in; if it is on, check that the clock of this machine is right
    --- a claim
    Authentication: Failed: the tenant cannot make sense of Jackfield's token for the user "Ada" (ada@example.com) (400 INTERNAL-TOKEN-1 "Invalid token request")
      Remote, field -, reference INTERNAL-TOKEN-1, trace 00ab
      → check that the clock of this machine is right; if it is, show Qlik's support the reference
    "#);
}

#[test]
fn a_test_that_may_not_write_says_what_is_missing() {
    let kit = as_ada();
    identities(&kit);
    kit.on("GET", PROVIDERS, page(json!([])));
    insta::assert_snapshot!(told(&kit), @r#"
    Authentication: Failed: the tenant has no identity provider for Jackfield's key (issuer jackfield-00112233445566aa)
      Credential, field signing_key, reference -
      → test the connection by hand: such a test registers the key
    "#);
    assert!(asked(&kit, "POST").is_empty());
}

#[test]
fn a_session_of_somebody_else_is_not_used() {
    let kit = as_ada();
    kit.on("GET", ME, Answer::json(200, json!({ "id": "u8", "name": "Ada" })));
    kit.on("GET", USERS, page(json!([ada_row()]))).on("POST", LOGIN, Answer::json(200, json!({})));
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @r#"the tenant opened a session for another user ("Ada", u8) than the one whose token was shown ("Ada", u7) — look whether the tenant has more than one user with this email or subject (Administration activity center, Manage users, All users)"#);
}

#[test]
fn a_key_pair_that_was_registered_a_moment_ago_is_tried_again() {
    let kit = as_ada().may_write();
    identities(&kit);
    kit.on("GET", PROVIDERS, page(json!([]))).on("POST", PROVIDERS, Answer::json(201, provider(true)));
    kit.on("POST", LOGIN, error(401, "HTTP-401", "Unauthorized"));
    kit.on("POST", LOGIN, Answer::json(200, json!({})));
    assert!(kit.test().unwrap().passed());
    let ids: std::collections::BTreeSet<_> =
        kit.signed().iter().map(|signed| signed.claims["jti"].to_string()).collect();
    assert_eq!(ids.len(), 2, "every token serves once");
}
