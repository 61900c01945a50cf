//! What a refresh tells of a tenant in trouble: that it waits, how long, and what it could not read. What comes of each fault
//! is in the fault catalogue.

use crate::qlik_cloud::{Tenant, small, told};
use jackfield_simulators::{
    faults::{BodyKind, Fault, FaultKind},
    qlik_cloud::{Access, Changes, Config, Limits},
};
use std::time::{Duration, Instant};

const ITEMS: &str = "/api/v1/items";
const APPS: &str = "resourceType=app";

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
fn a_kind_that_is_kept_is_shown_with_its_age_and_the_reason() {
    let tenant = Tenant::connected(small());
    tenant.simulator.change(Changes { percent: 10.0, revision: 1 });
    tenant.simulator.set_access(None, "/api/v1/users", Access::Deny(BodyKind::Bare));
    tenant.simulator.set_access(None, "/api/v1/users/me", Access::Allow);
    let refreshed = tenant.refresh().expect_success();
    tenant.assert_reads(
        "a_kept_kind",
        &format!("{}{}", told(&refreshed), tenant.host.run(["catalog", "kinds", "T"]).stdout),
    );
}
