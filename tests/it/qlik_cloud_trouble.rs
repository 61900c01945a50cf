//! What a refresh makes of a tenant in trouble: it waits where waiting helps, and where it fails, the catalog stands.

use crate::qlik_cloud::{Tenant, paged, small, told};
use jackfield_simulators::{
    faults::{BodyKind, Fault, FaultKind},
    qlik_cloud::{Access, Changes, Config, Limits},
};
use std::time::{Duration, Instant};

const ITEMS: &str = "/api/v1/items";
const APPS: &str = "resourceType=app";

/// Trouble in the middle of the list of apps: on its second page.
fn in_the_middle(kind: FaultKind) -> Fault {
    Fault::new(ITEMS, kind).query("next=")
}

#[test]
fn a_broken_list_fails_by_name_and_the_catalog_stands() {
    let mut tenant = Tenant::connected(paged());
    tenant.host.set("JACKFIELD_HTTP__MAX_ANSWER_MIB", "1");
    tenant.simulator.change(Changes { percent: 4.0, revision: 1 });
    let before = tenant.kinds();
    let html = FaultKind::Status { status: 200, body: BodyKind::Html };
    let text = FaultKind::WrongContentType { content_type: "text/plain".to_owned() };
    let rows = [
        ("repeated page", 4, FaultKind::RepeatPage),
        ("reset in the middle", 3, FaultKind::ResetMidBody),
        ("truncated JSON", 4, FaultKind::TruncatedJson),
        ("endless body", 4, FaultKind::EndlessBody),
        ("gzip bomb", 4, FaultKind::GzipBomb { megabytes: 200 }),
        ("web page", 4, html),
        ("500", 4, FaultKind::Status { status: 500, body: BodyKind::Envelope }),
        ("503", 4, FaultKind::Status { status: 503, body: BodyKind::Bare }),
        ("429", 4, FaultKind::TooManyRequests { retry_after: Some(0) }),
        ("429 for an hour", 4, FaultKind::TooManyRequests { retry_after: Some(3600) }),
        ("404", 4, FaultKind::Status { status: 404, body: BodyKind::Envelope }),
    ];
    let mut all = String::new();
    for (what, code, kind) in rows {
        tenant.simulator.add_fault(in_the_middle(kind));
        let began = Instant::now();
        let refreshed = tenant.refresh();
        assert_eq!(refreshed.code(), code, "{what}: {}", refreshed.all());
        assert!(began.elapsed() < Duration::from_secs(15), "{what} takes too long");
        assert!(
            refreshed.stderr.contains(": apps: ") || refreshed.stderr.contains("apps:"),
            "{what}: {}",
            refreshed.all()
        );
        assert_eq!(tenant.kinds(), before, "{what}");
        assert!(tenant.log().contains("ERROR Ended: failed"), "{what}: {}", tenant.log());
        all += &format!("--- {what}\n{}", told(&refreshed));
        tenant.simulator.clear_faults();
    }
    tenant.assert_reads("broken_lists", &all);
    // A list under a wrong type is a list.
    tenant.simulator.add_fault(in_the_middle(text));
    tenant.refresh().expect_success();
    assert_ne!(tenant.kinds(), before);
}

#[test]
fn trouble_that_passes_is_got_over() {
    for kind in [
        FaultKind::Status { status: 500, body: BodyKind::Envelope },
        FaultKind::Status { status: 503, body: BodyKind::Html },
        FaultKind::Status { status: 502, body: BodyKind::Empty },
        FaultKind::ResetMidBody,
        FaultKind::TooManyRequests { retry_after: Some(1) },
        FaultKind::TooManyRequests { retry_after: None },
        FaultKind::Delay { milliseconds: 300 },
    ] {
        let tenant = Tenant::new(paged());
        tenant.simulator.add_fault(in_the_middle(kind.clone()).times(1));
        tenant.add(&[]).expect_success();
        assert_eq!(tenant.counts()["app"], 350, "{kind:?}");
    }
}

#[test]
fn a_429_is_waited_for_and_told() {
    for (retry_after, least) in [(Some(2), Duration::from_secs(2)), (None, Duration::ZERO)] {
        let tenant = Tenant::connected(small());
        tenant
            .simulator
            .add_fault(Fault::new(ITEMS, FaultKind::TooManyRequests { retry_after }).query(APPS).times(1));
        let began = Instant::now();
        let refreshed = tenant.refresh().expect_success();
        assert!(began.elapsed() >= least, "{retry_after:?}: {}", refreshed.all());
        let log = tenant.log();
        assert!(log.contains(" 429 ") && log.contains(", again in "), "{log}");
        assert!(log.contains("1 answers 429"), "{log}");
        assert!(log.contains("Advice: the remote system struggles"), "{log}");
    }
}

#[test]
fn a_budget_that_is_used_up_is_waited_for() {
    // Four requests a second: a refresh needs more.
    let limits = Limits { scale: 0.0008, window: Duration::from_secs(1), ..Limits::default() };
    for retry_after in [true, false] {
        let mut tenant = Tenant::new(Config { limits: Limits { retry_after, ..limits }, ..small() });
        tenant.host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "20");
        tenant.add(&[]).expect_success();
        assert_eq!(tenant.counts()["app"], 20);
        let refused = tenant.simulator.requests().iter().filter(|request| request.status == 429).count();
        assert!(refused > 0, "the budget was never used up");
        assert!(tenant.log().contains("Advice: the remote system struggles"), "{}", tenant.log());
    }
}

#[test]
fn a_403_on_one_list_keeps_that_kind_with_its_age() {
    let tenant = Tenant::connected(small());
    let before = tenant.kinds();
    tenant.simulator.change(Changes { percent: 10.0, revision: 1 });
    tenant.simulator.set_access(None, "/api/v1/users", Access::Deny(BodyKind::Bare));
    tenant.simulator.set_access(None, "/api/v1/users/me", Access::Allow);
    let refreshed = tenant.refresh().expect_success();
    let after = tenant.kinds();
    assert_eq!(after["user"]["count"], before["user"]["count"]);
    assert_eq!(
        after["user"]["refreshed_at"], before["user"]["refreshed_at"],
        "its age is that of the objects"
    );
    assert_ne!(after["app"]["refreshed_at"], before["app"]["refreshed_at"]);
    assert!(after["user"]["kept_reason"].as_str().unwrap().contains("403"), "{}", after["user"]);
    tenant.assert_reads(
        "a_kept_kind",
        &format!("{}{}", told(&refreshed), tenant.host.run(["catalog", "kinds", "T"]).stdout),
    );
    tenant.simulator.set_access(None, "/api/v1/users", Access::Allow);
    tenant.refresh().expect_success();
    assert_eq!(tenant.kinds()["user"]["kept_reason"], serde_json::Value::Null);
}
