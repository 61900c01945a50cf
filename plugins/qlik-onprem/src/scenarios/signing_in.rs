//! The first four checks, for every way in which they can end.

use super::*;
use jackfield_plugin::{Blame, Failure, Stage, contract::http::Place};

#[test]
fn four_checks_pass_and_the_fifth_waits_for_its_key() {
    let kit = site().facts("client_certificate", ending(86_400 * 400));
    open(&kit);
    insta::assert_snapshot!(lines(&kit.test().unwrap()), @r#"
    Server reachable: Passed: the Qlik Sense repository service answers (build 38.22.0.0, central node)
    Authentication: Passed: the site accepts the client certificate, which is valid for 400 days more
    User exists: Passed: "EXAMPLE\svc" is a user of the site (Service)
    RootAdmin: Passed: "EXAMPLE\svc" has the role RootAdmin
    Virtual proxy ready: Skipped: there is no key pair for the virtual proxy yet: this Jackfield does not make one by itself, so give one as "Virtual proxy key pair"
    "#);
}

#[test]
fn the_certificate_goes_to_the_repository_service_and_the_key_twice() {
    let kit = site();
    open(&kit);
    kit.test().unwrap();
    let asked = kit.requests();
    assert!(asked[0].slots.is_empty(), "the probe shows no certificate");
    for request in &asked[1..] {
        assert!(request.has_slot("client_certificate", &Place::TlsIdentity), "{}", request.line());
        assert_eq!(request.slots.len(), 1);
        assert!(request.line().starts_with(&format!("GET {QRS}/")), "{}", request.line());
        let key = request.headers.iter().find(|(name, _)| name == "x-qlik-xrfkey").unwrap().1.clone();
        assert_eq!(key.len(), 16);
        assert!(key.chars().all(|c| c.is_ascii_alphanumeric()));
        assert!(request.line().contains(&format!("?xrfkey={key}")));
    }
    let user =
        |at: usize| asked[at].headers.iter().find(|(name, _)| name == "x-qlik-user").unwrap().1.clone();
    assert_eq!(user(1), "UserDirectory=INTERNAL; UserId=sa_api", "an account that is not there cannot ask");
    let filter = "filter=userDirectory%20eq%20%27EXAMPLE%27%20and%20userId%20eq%20%27svc%27";
    assert!(asked[2].line().ends_with(filter), "{}", asked[2].line());
}

#[test]
fn whatever_is_wrong_with_the_way_there_has_its_message() {
    let network =
        |stage, text: &str| Answer::failure(Failure::new(Blame::Network, text).at(stage).remedy("look"));
    let cases = [
        (network(Stage::Name, "no such name"), about()),
        (network(Stage::Connect, "qlik.example.com:4242 refused the connection"), about()),
        (network(Stage::Tls, "another certificate than expected"), about()),
        (Answer::status(403), network(Stage::Answer, "no answer after 30 s")),
        (Answer::status(403), Answer::text(200, "text/html", "<html><title>Hub</title></html>")),
        (Answer::status(403), Answer::json(200, json!({ "hello": "world" }))),
        (Answer::status(403), Answer::status(404)),
        (Answer::status(403), Answer::status(302).header("location", "https://elsewhere.example/")),
        (Answer::status(403), Answer::text(503, "text/plain", "starting")),
        (
            Answer::status(403),
            Answer::text(403, "text/plain", "XSRF prevention check failed. Possible XSRF discovered."),
        ),
    ];
    let told: String = cases
        .map(|(probe, answer)| {
            let kit = site();
            kit.on("GET", &at("about"), probe).on("GET", &at("about"), answer);
            let report = kit.test().unwrap();
            assert!(!report.passed());
            line_of(&report, "Server reachable") + &line_of(&report, "Authentication")
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Server reachable: Failed: no such name
      Network, field -
      → look
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: qlik.example.com:4242 refused the connection
      Network, field -
      → look
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: another certificate than expected
      Network, field -
      → look
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: no answer after 30 s
      Network, field -
      → look
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "qlik.example.com:4242" answers, but is no Qlik Sense repository service (it does not say what it is)
      You, field server_url
      → check the server URL and the repository port: 4242 unless it was changed
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "qlik.example.com:4242" answers, but is no Qlik Sense repository service (it does not say its version)
      You, field server_url
      → check the server URL and the repository port: 4242 unless it was changed
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: "qlik.example.com:4242" answers, but is no Qlik Sense repository service (404)
      You, field server_url
      → check the server URL and the repository port: 4242 unless it was changed
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: the request was sent elsewhere (302)
      Remote, field server_url
      → check the server URL and the repository port: they lead to a page to sign in
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: the repository service failed on its side (503 "starting")
      Remote, field -
      → try again later; if it lasts, look whether the Qlik Sense Repository Service runs, and into its log
    Authentication: Skipped: not tried, because "Server reachable" failed
    Server reachable: Failed: the key against forged requests did not arrive (403 "XSRF prevention check failed. Possible XSRF discovered.")
      Remote, field -
      → look whether something between here and the server drops the query or the header X-Qlik-Xrfkey
    Authentication: Skipped: not tried, because "Server reachable" failed
    "#);
}

#[test]
fn whatever_is_wrong_with_the_certificate_has_its_message() {
    let wanted = || Answer::failure(Failure::credential("it wants a client certificate").at(Stage::Tls));
    let hung_up = || Answer::failure(Failure::new(Blame::Network, "hung up").at(Stage::Answer));
    let refused = || {
        Answer::failure(Failure::credential("it refused the client certificate (UnknownCA)").at(Stage::Tls))
    };
    let unreadable = || {
        Answer::failure(
            Failure::credential("the password does not open the file")
                .at(Stage::Settings)
                .field("certificate_password")
                .remedy("enter the password that was given at the export"),
        )
    };
    let cases = [
        (wanted(), refused(), 400),
        (hung_up(), refused(), 400),
        (wanted(), unreadable(), 400),
        (hung_up(), unreadable(), 400),
        (wanted(), Answer::text(403, "text/plain", "Forbidden"), 400),
        (wanted(), about(), -3),
        (wanted(), about(), -1),
        (wanted(), about(), 0),
        (wanted(), about(), 1),
        (wanted(), about(), 7),
    ];
    let told: String = cases
        .map(|(probe, answer, days)| {
            let kit = site().facts("client_certificate", ending(86_400 * days + 60));
            kit.on("GET", &at("about"), probe).on("GET", &at("about"), answer);
            kit.on("GET", &at("user/full"), account(json!({})));
            let report = kit.test().unwrap();
            line_of(&report, "Server reachable") + &line_of(&report, "Authentication")
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: it refused the client certificate (UnknownCA)
      Credential, field client_certificate
      → export a new client certificate with "Include secret key" on this very site (QMC, Certificates), and bring "Client certificate" and "Certificate password" into line with it; when the site's certificates were recreated, every earlier export is void
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: it refused the client certificate (UnknownCA)
      Credential, field client_certificate
      → export a new client certificate with "Include secret key" on this very site (QMC, Certificates), and bring "Client certificate" and "Certificate password" into line with it; when the site's certificates were recreated, every earlier export is void
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: the password does not open the file
      Credential, field certificate_password
      → enter the password that was given at the export
    Server reachable: Skipped: qlik.example.com:4242 hung up on a request without a client certificate
    Authentication: Failed: the password does not open the file
      Credential, field certificate_password
      → enter the password that was given at the export
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: the site gives the holder of this certificate no rights (403 "Forbidden")
      Credential, field client_certificate
      → export a new client certificate with "Include secret key" on this very site (QMC, Certificates), and bring "Client certificate" and "Certificate password" into line with it; when the site's certificates were recreated, every earlier export is void
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: the client certificate ended 2 days ago
      Credential, field client_certificate
      → export a new one on the Qlik Sense server (QMC, Certificates) and give it as "Client certificate"
    Server reachable: Passed: qlik.example.com:4242 answers, and asks for a client certificate
    Authentication: Failed: the client certificate ended within the last day
      Credential, field client_certificate
      → export a new one on the Qlik Sense server (QMC, Certificates) and give it as "Client certificate"
    Server reachable: Passed: the Qlik Sense repository service answers (build 38.22.0.0, central node)
    Authentication: Passed: the site accepts the client certificate, which ends within a day: export a new one on the Qlik Sense server (QMC, Certificates) and give it as "Client certificate" now
    Server reachable: Passed: the Qlik Sense repository service answers (build 38.22.0.0, central node)
    Authentication: Passed: the site accepts the client certificate, which ends in 1 day: export a new one on the Qlik Sense server (QMC, Certificates) and give it as "Client certificate"
    Server reachable: Passed: the Qlik Sense repository service answers (build 38.22.0.0, central node)
    Authentication: Passed: the site accepts the client certificate, which ends in 7 days: export a new one on the Qlik Sense server (QMC, Certificates) and give it as "Client certificate" before then
    "#);
}

#[test]
fn whatever_is_wrong_with_the_account_has_its_message() {
    let none = || Answer::json(200, json!([]));
    let count = |value: u64| Answer::json(200, json!({ "value": value }));
    let cases = [
        (none(), count(0)),
        (none(), count(12)),
        (none(), Answer::json(200, json!(3))),
        (account(json!({ "userId": "other" })), count(1)),
        (account(json!({ "blacklisted": true })), count(1)),
        (account(json!({ "removedExternally": true })), count(1)),
        (account(json!({ "inactive": true })), count(1)),
        (account(json!({ "roles": [] })), count(1)),
        (account(json!({ "roles": ["ContentAdmin", "HubAdmin"] })), count(1)),
        (Answer::text(403, "text/plain", "Forbidden"), count(1)),
        (Answer::text(400, "text/plain", "Cannot parse the expression"), count(1)),
    ];
    let told: String = cases
        .map(|(users, count)| {
            let kit = site();
            kit.on("GET", &at("about"), about()).on("GET", &at("user/full"), users);
            kit.on("GET", &at("user/count"), count);
            let report = kit.test().unwrap();
            assert!(!report.passed());
            line_of(&report, "User exists") + &line_of(&report, "RootAdmin")
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    User exists: Failed: the site has no user "EXAMPLE\svc", and nobody else in that user directory
      You, field user_directory
      → bring "User directory" into line with what the QMC shows under Users
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the site has no user "EXAMPLE\svc", but 12 others in that user directory
      You, field service_user
      → bring "Service account user" into line with the user ID (not the name) that the QMC shows under Users; a new account appears there after its directory was synchronised, or after it has signed in once
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the site has no user "EXAMPLE\svc", but 3 others in that user directory
      You, field service_user
      → bring "Service account user" into line with the user ID (not the name) that the QMC shows under Users; a new account appears there after its directory was synchronised, or after it has signed in once
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the site has no user "EXAMPLE\svc", but 1 others in that user directory
      You, field service_user
      → bring "Service account user" into line with the user ID (not the name) that the QMC shows under Users; a new account appears there after its directory was synchronised, or after it has signed in once
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the user "EXAMPLE\svc" is blocked on the site
      Credential, field service_user
      → put that right in the QMC (Users), or bring "User directory" and "Service account user" into line with another account
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the user "EXAMPLE\svc" was removed from its user directory
      Credential, field service_user
      → put that right in the QMC (Users), or bring "User directory" and "Service account user" into line with another account
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the user "EXAMPLE\svc" is inactive on the site
      Credential, field service_user
      → put that right in the QMC (Users), or bring "User directory" and "Service account user" into line with another account
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Passed: "EXAMPLE\svc" is a user of the site (Service)
    RootAdmin: Failed: the user "EXAMPLE\svc" has no administrator role, not RootAdmin
      Credential, field service_user
      → give it the role RootAdmin in the QMC (Users, Edit, Admin roles), or bring "Service account user" and "User directory" into line with an account that has it
    User exists: Passed: "EXAMPLE\svc" is a user of the site (Service)
    RootAdmin: Failed: the user "EXAMPLE\svc" has only the administrator roles ContentAdmin, HubAdmin, not RootAdmin
      Credential, field service_user
      → give it the role RootAdmin in the QMC (Users, Edit, Admin roles), or bring "Service account user" and "User directory" into line with an account that has it
    User exists: Failed: the repository service refuses the account (403 "Forbidden")
      Credential, field user_directory
      → bring "User directory" and "Service account user" into line with the QMC (Users): the account must exist there, not be blocked, and have the role RootAdmin
    RootAdmin: Skipped: not tried, because "User exists" failed
    User exists: Failed: the repository service refused to look the service account up (400 "Cannot parse the expression")
      Remote, field -
      → look into the log of the Qlik Sense Repository Service
    RootAdmin: Skipped: not tried, because "User exists" failed
    "#);
}

#[test]
fn an_account_that_cannot_be_named_is_refused_before_anything_is_sent() {
    let kit = TestKit::<QlikOnprem>::new(json!({
        "server_url": "https://qlik.example.com", "user_directory": "A;B", "service_user": "svc",
    }))
    .secret("client_certificate");
    let failure = kit.test().unwrap_err();
    assert_eq!((failure.blame, failure.field.as_deref()), (Blame::You, Some("user_directory")));
    assert!(kit.requests().is_empty());
}
