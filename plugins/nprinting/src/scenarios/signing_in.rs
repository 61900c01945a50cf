//! The test: reaching the server, and being accepted.

use super::*;
use jackfield_plugin::{Blame, Failure, Stage};

#[test]
fn an_administrator_is_recognised() {
    let kit = server();
    kit.on("GET", APPS, page(json!([{ "id": "a1", "name": "Sales" }])));
    caller(&kit, true);
    let report = kit.test().unwrap();
    assert!(report.passed());
    insta::assert_snapshot!(lines(&report), @r#"
    Server reachable: Passed: the server answers and asks for a sign-in
    Authentication: Passed: signed in as "anna@example.com", an administrator, who sees everything
    "#);
    let requests = kit.requests();
    assert!(requests[0].slots.is_empty() && requests[0].jar.is_none(), "the probe shows nothing");
    for asked in &requests[1..] {
        assert!(asked.has_captured("jwt", &Place::Bearer), "{}", asked.line());
        assert_eq!(asked.jar.as_deref(), Some("session"));
    }
    let names = requests.iter().flat_map(|asked| asked.headers.iter().map(|(name, _)| name.to_lowercase()));
    assert!(names.into_iter().all(|name| name == "accept"), "no Origin, no XSRF token");
    assert!(requests.iter().all(|asked| asked.method == "GET"), "a test only reads");
}

#[test]
fn one_token_is_signed_for_a_test() {
    let kit = server();
    kit.on("GET", APPS, page(json!([])));
    caller(&kit, false);
    let report = kit.test().unwrap();
    insta::assert_snapshot!(report.checks[1].detail, @r#"signed in as "anna@example.com", not an administrator: what its roles do not allow is missing, without a word; it sees no apps at all: check its roles in NPrinting"#);
    let signed = kit.signed();
    assert_eq!(signed.len(), 1);
    assert_eq!(Value::from(signed[0].claims.clone()), json!({ "email": EMAIL }));
    assert_eq!((signed[0].key.as_str(), signed[0].origin.as_str()), ("private_key", "server_url"));
    assert_eq!((signed[0].algorithm.as_str(), signed[0].key_id.as_deref()), ("RS256", None));
    assert_eq!((signed[0].lifetime_seconds, signed[0].backdate_seconds), (600, 60));
}

#[test]
fn users_are_matched_by_domain_as_well() {
    let more = json!({ "matching": "domain_name", "user": "anna", "domain": "ACME", "user_claim": "userId", "domain_claim": "userDirectory", "algorithm": "RS512" });
    let kit = by(more);
    kit.on("GET", PROBE, Answer::status(401)).on("GET", APPS, page(json!([{ "id": "a1" }])));
    let report = kit.test().unwrap();
    insta::assert_snapshot!(report.checks[1].detail, @r#"signed in as "ACME\anna", its roles are not shown: what they do not allow is missing, without a word"#);
    let signed = &kit.signed()[0];
    assert_eq!(Value::from(signed.claims.clone()), json!({ "userId": "anna", "userDirectory": "ACME" }));
    assert_eq!(signed.algorithm, "RS512");
    kit.on("GET", "/api/v1/apps?sort=+created&offset=0&limit=200", Answer::status(401));
    insta::assert_snapshot!(lines(&kit.test().unwrap()), @r#"
    Server reachable: Passed: the server answers and asks for a sign-in
    Authentication: Failed: the server refused the token of "ACME\anna" (401)
      Credential, field private_key
      → the server does not say which of these it is (its web console: Admin, Settings, Authentication): JWT authentication is turned off there; the certificate there does not belong to this private key; the JWT attributes for user ID and user directory are not "userId" and "userDirectory" there; no enabled NPrinting user has the domain account "ACME\anna"; the clocks of the two machines differ by more than a minute; the server does not take the algorithm RS512
    "#);
}

#[test]
fn whatever_stands_at_the_server_url_has_its_message() {
    let network = |stage| Answer::failure(Failure::new(Blame::Network, "connection refused").at(stage));
    let cases = [
        Answer::status(404),
        Answer::text(200, "text/html", "<html><title>Welcome</title></html>"),
        Answer::json(200, json!({ "hello": "world" })),
        Answer::text(502, "text/html", "<html><title>Bad gateway</title></html>"),
        error(429, "slow down"),
        network(Stage::Connect),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = by(json!({}));
            kit.on("GET", PROBE, answer);
            lines(&kit.test().unwrap()).lines().take(3).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Server reachable: Failed: "np.example.com:4993" answers, but there is no NPrinting API (404)
      You, field server_url
      → the server URL is the address of NPrinting's web console, usually with port 4993
    Server reachable: Failed: "np.example.com:4993" answers, but there is no NPrinting API (no list of apps stands where every server has it)
      You, field server_url
      → the server URL is the address of NPrinting's web console, usually with port 4993
    Server reachable: Failed: "np.example.com:4993" answers, but there is no NPrinting API (no list of apps stands where every server has it)
      You, field server_url
      → the server URL is the address of NPrinting's web console, usually with port 4993
    Server reachable: Failed: the server failed on its side (502 "web page: Bad gateway")
      Remote, field -
      → try again later; if it lasts, look whether the service "Qlik NPrinting Web Engine" runs, and into its log
    Server reachable: Failed: something in front of the server limits requests; it does not say for how long (429 "slow down")
      Remote, field -
      → try again later; NPrinting itself has no such limit, so look at the proxy in front of it
    Server reachable: Failed: connection refused
      Network, field -
      → -
    "#);
}

#[test]
fn a_missing_port_is_the_first_guess() {
    let told: String = [Stage::Connect, Stage::Name]
        .map(|stage| {
            let kit = by(json!({ "server_url": "https://np.example.com" }));
            let failure = Failure::new(Blame::Network, "no answer").at(stage).remedy("check the network");
            kit.on("GET", PROBE, Answer::failure(failure));
            lines(&kit.test().unwrap())
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Server reachable: Failed: no answer
      Network, field server_url
      → NPrinting usually listens on port 4993: give the server URL as https://np.example.com:4993; or: check the network
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: no answer
      Network, field -
      → check the network
    Authentication: Skipped: not tried, because "Server reachable" failed
    "#);
}

#[test]
fn any_other_answer_to_a_stranger_is_left_to_the_sign_in() {
    for answer in [Answer::status(403), Answer::status(302), Answer::status(400), page(json!([]))] {
        let kit = by(json!({}));
        kit.on("GET", PROBE, answer).on("GET", APPS, page(json!([{ "id": "a1" }])));
        caller(&kit, true);
        assert!(kit.test().unwrap().passed());
    }
}

#[test]
fn whatever_the_server_says_to_the_token_has_its_message() {
    let cases = [
        error(401, "Unauthorized"),
        Answer::text(403, "text/html", "<html><title>Forbidden</title></html>"),
        Answer::status(404),
        Answer::status(302).header("location", "/login"),
        Answer::status(500),
        Answer::text(200, "text/html", "<html>Sign in</html>"),
        Answer::json(200, json!({ "result": "x" })),
    ];
    let told: String = cases
        .map(|answer| {
            let kit = server();
            kit.on("GET", APPS, answer);
            let report = lines(&kit.test().unwrap());
            assert_eq!(kit.requests().len(), 2, "a refused token is not tried again");
            report.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Authentication: Failed: the server refused the token of "anna@example.com" (401 "Unauthorized")
      Credential, field private_key
      → the server does not say which of these it is (its web console: Admin, Settings, Authentication): JWT authentication is turned off there; the certificate there does not belong to this private key; the JWT attribute for the email is not "email" there; no enabled NPrinting user has the email "anna@example.com"; the clocks of the two machines differ by more than a minute; the server does not take the algorithm RS256
    Authentication: Failed: something between here and the remote system answered (403 "web page: Forbidden")
      Remote, field -
      → find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance
    Authentication: Failed: the server does not answer with its apps (404)
      Remote, field server_url
      → check the server URL: it has to lead straight to NPrinting's web console, not to a portal or proxy in front of it
    Authentication: Failed: the server sent the request elsewhere (302)
      Remote, field server_url
      → check the server URL: it is the address of NPrinting's web console, usually with port 4993
    Authentication: Failed: the server failed on its side (500)
      Remote, field -
      → try again later; if it lasts, look whether the service "Qlik NPrinting Web Engine" runs, and into its log
    Authentication: Failed: the server does not answer with its apps: the answer is a web page (text/html): <html>Sign in</html>
      Remote, field server_url
      → check the server URL: it has to lead straight to NPrinting's web console, not to a portal or proxy in front of it
    Authentication: Failed: the server does not answer with its apps: the answer is no list as expected: missing field `data` at line 1 column 14
      Remote, field server_url
      → check the server URL: it has to lead straight to NPrinting's web console, not to a portal or proxy in front of it
    "#);
}

#[test]
fn a_setting_that_is_missing_is_a_failed_check() {
    let kit = by(json!({ "email": " " }));
    kit.on("GET", PROBE, Answer::status(401));
    insta::assert_snapshot!(lines(&kit.test().unwrap()), @r#"
    Server reachable: Passed: the server answers and asks for a sign-in
    Authentication: Failed: the setting "Email" is missing
      You, field email
      → -
    "#);
}

#[test]
fn a_server_that_hides_the_caller_is_no_failure() {
    let denied = [
        ("/api/v1/users?email=anna@example.com&limit=50", Answer::status(403)),
        ("/api/v1/users?email=anna@example.com&limit=50", page(json!([]))),
        ("/api/v1/users/u1/roles", Answer::status(404)),
        ("/api/v1/roles", Answer::text(200, "text/html", "<html>")),
    ];
    for (path, answer) in denied {
        let kit = server();
        kit.on("GET", APPS, page(json!([{ "id": "a1" }]))).on("GET", path, answer);
        caller(&kit, true);
        let report = kit.test().unwrap();
        assert!(report.passed(), "{path}");
        assert!(report.checks[1].detail.contains("its roles are not shown"), "{path}");
    }
}

#[test]
fn the_help_has_every_step_of_the_setup() {
    let help = kit_help();
    for step in [
        "as an administrator",
        "jackfield key generate",
        "keep both in a safe place",
        "Turn on the JWT",
        "JWT certificate",
        "Match user by email",
        "Update authentication settings",
        "4993",
    ] {
        assert!(help.contains(step), "{step}");
    }
}

fn kit_help() -> String {
    by(json!({})).describe().unwrap().help
}
