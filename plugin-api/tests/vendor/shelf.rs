//! The README's connector against a scripted server.

use crate::paged::Shelf;
use jackfield_plugin::{
    Blame, Failure, Stage,
    contract::{
        catalog::How,
        hooks::{CheckStatus, TestReport},
        run::Level,
    },
    testkit::{Answer, TestKit},
};
use serde_json::json;

fn kit() -> TestKit<Shelf> {
    TestKit::new(json!({ "server": "https://shelf.example.com", "page_size": 2 })).secret("token")
}

fn statuses(report: &TestReport) -> Vec<CheckStatus> {
    report.checks.iter().map(|check| check.status).collect()
}

#[test]
fn a_refresh_reads_every_page() {
    let kit = kit();
    kit.on(
        "GET",
        "/api/v1/items?limit=2",
        Answer::json(
            200,
            json!({
                "data": [
                    { "id": "a", "name": "Atlas", "updated_at": "2026-01-01T00:00:00Z", "owner": "u1", "pages": 300 },
                    { "id": "b", "name": "Bible" },
                ],
                "total": 3,
                "next": "https://shelf.example.com/api/v1/items?limit=2&after=b",
            }),
        ),
    )
    .on(
        "GET",
        "/api/v1/items?limit=2&after=b",
        Answer::json(200, json!({ "data": [{ "id": "c", "name": "Cookbook" }] })),
    )
    .on("GET", "/api/v1/users", Answer::json(200, json!({ "data": [{ "id": "u1", "name": "Ada" }] })));

    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("item"), ["a", "b", "c"]);
    assert_eq!(refresh.ids("user"), ["u1"]);
    assert_eq!(refresh.report.summary, "3 items, 1 users");
    assert!(refresh.ends.values().all(|how| *how == How::Complete));
    assert_eq!(refresh.progress.last().unwrap().step, "user");
    let atlas = refresh.object("item", "a").unwrap();
    assert_eq!(atlas.links[0].id, "u1");
    assert_eq!(atlas.modified.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(atlas.attributes_value(), json!({ "pages": 300 }));
    assert!(kit.requests().iter().all(|request| request.has_bearer("token") && request.list));
    assert_eq!(kit.unasked(), Vec::<String>::new());
}

#[test]
fn users_that_may_not_be_read_are_kept() {
    let kit = kit();
    kit.on("GET", "/api/v1/items", Answer::json(200, json!({ "data": [] })));
    kit.on("GET", "/api/v1/users", Answer::status(403));
    let refresh = kit.refresh().unwrap();
    let How::Kept { reason } = &refresh.ends["user"] else { panic!("{:?}", refresh.ends) };
    assert_eq!(reason, "the API token may not read user");
    assert_eq!(refresh.log[0].level, Level::Warning);
}

#[test]
fn a_page_that_leads_elsewhere_or_back_to_itself_fails_the_refresh() {
    for (next, words) in [
        ("https://evil.example/api/v1/items", "which is not this system"),
        ("/api/v1/items?limit=2", "the same page again"),
    ] {
        let kit = kit();
        kit.on("GET", "/api/v1/items", Answer::json(200, json!({ "data": [], "next": next })));
        let failure = kit.refresh().unwrap_err();
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!(failure.blame, Blame::Remote);
    }
}

#[test]
fn a_test_says_what_holds() {
    let kit = kit();
    kit.on("GET", "/api/v1/me", Answer::json(200, json!({ "id": "u1", "name": "Ada" })));
    let report = kit.test().unwrap();
    assert!(report.passed());
    assert_eq!(report.checks[1].detail, "as Ada");
}

#[test]
fn a_test_says_what_does_not_hold() {
    use CheckStatus::{Failed, Passed, Skipped};
    let refused = Failure::new(Blame::Network, "nobody answers on port 443").at(Stage::Connect);
    for (answer, expected) in [
        (Answer::status(401), [Passed, Failed]),
        (Answer::status(403), [Passed, Failed]),
        (Answer::status(500), [Failed, Skipped]),
        (Answer::text(200, "text/html", "<html>Sign in</html>"), [Failed, Skipped]),
        (Answer::failure(refused), [Failed, Skipped]),
    ] {
        let kit = kit();
        kit.on("GET", "/api/v1/me", answer);
        let report = kit.test().unwrap();
        assert_eq!(statuses(&report), expected, "{report:?}");
        let failed = report.checks.iter().find(|check| check.status == Failed).unwrap();
        assert!(failed.failure.is_some());
    }
}

#[test]
fn the_description_crosses_the_door() {
    let description = kit().describe().unwrap();
    assert_eq!(description.settings["properties"]["server"]["x-placeholder"], "https://shelf.example.com");
    assert_eq!(description.settings["properties"]["page_size"]["default"], 100);
    assert_eq!(description.default_cap, 4);
}
