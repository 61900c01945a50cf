//! The token of a connection to Qlik Cloud: got once, kept across runs, dropped when it must be.

use crate::{
    database,
    qlik_cloud::{Tenant, paged, small},
};
use jackfield_simulators::{
    faults::{BodyKind, Fault, FaultKind},
    qlik_cloud::{Changes, NewClient},
};
use jackfield_tests::{Host, wait_for};
use std::time::Duration;

const ITEMS: &str = "/api/v1/items";
const TOKEN: &str = "/oauth/token";

fn tokens(tenant: &Tenant) -> usize {
    tenant.asked("POST", TOKEN)
}

#[test]
fn a_token_is_got_once_for_many_refreshes() {
    let tenant = Tenant::new(small());
    tenant.add(&[]).expect_success();
    assert_eq!(tokens(&tenant), 2, "one that proves the secret, and one that is kept");
    for _ in 0..2 {
        tenant.refresh().expect_success();
    }
    assert_eq!(tokens(&tenant), 2);
    tenant.test().expect_success();
    assert_eq!(tokens(&tenant), 3, "a test proves the secret, not the session");
    tenant.refresh().expect_success();
    assert_eq!(tokens(&tenant), 3);
}

#[test]
fn a_token_that_has_ended_is_replaced() {
    let tenant = Tenant::connected(small());
    database::execute(&tenant.host, "UPDATE kept_sessions SET expires_at = expires_at - 6 * 3600 * 1000");
    tenant.refresh().expect_success();
    assert_eq!(tokens(&tenant), 1);
    tenant.refresh().expect_success();
    assert_eq!(tokens(&tenant), 1);
}

#[test]
fn a_changed_secret_or_client_drops_the_token() {
    let tenant = Tenant::connected(small());
    let other = tenant.simulator.create_oauth_client(&NewClient::default());
    tenant.host.file("client_secret", &other.client_secret);
    let edited = tenant.host.run([
        "connection",
        "edit",
        "T",
        "--set",
        &format!("client_id={}", other.client_id),
        "--secret",
        "client_secret=@client_secret",
    ]);
    edited.expect_success();
    assert_eq!(tokens(&tenant), 1, "the test of the change");
    tenant.refresh().expect_success();
    assert_eq!(tokens(&tenant), 2);
    let bot = tenant.simulator.bot_user_of(&other.client_id);
    let users: Vec<_> = tenant.simulator.requests().into_iter().filter_map(|request| request.user).collect();
    assert!(users.iter().all(|user| *user == bot), "the old token was shown after the change");

    // A change that has nothing to do with the sign-in leaves the token.
    tenant.host.run(["connection", "edit", "T", "--name", "T2"]).expect_success();
    tenant.host.run(["connection", "refresh", "T2"]).expect_success();
    assert_eq!(tokens(&tenant), 2);

    // A wrong secret is refused, and the connection goes on as it was.
    tenant.host.file("wrong", "not-the-secret-of-this-client");
    let refused = tenant.host.run(["connection", "edit", "T2", "--secret", "client_secret=@wrong"]);
    assert_eq!(refused.code(), 5, "{}", refused.all());
    tenant.host.run(["connection", "refresh", "T2"]).expect_success();
    assert_eq!(tokens(&tenant), 3, "only the refused one");
}

#[test]
fn a_401_in_the_middle_costs_one_new_token() {
    let tenant = Tenant::connected(paged());
    // Every list has begun when the tokens are revoked: a page of apps waits for that.
    tenant
        .simulator
        .add_fault(Fault::new(ITEMS, FaultKind::Delay { milliseconds: 1500 }).query("next=").times(1));
    let refresh = tenant.host.start(["connection", "refresh", "T"]);
    wait_for("the refresh to be in its lists", || (tenant.simulator.counters().requests > 3).then_some(()));
    tenant.simulator.revoke_tokens();
    let refreshed = refresh.finish().expect_success();
    assert_eq!(tokens(&tenant), 1, "{}", refreshed.all());
    let refused = tenant.simulator.requests().iter().filter(|request| request.status == 401).count();
    assert!(refused > 0, "the revoked token was not shown");
    assert_eq!(tenant.counts()["app"], 350);
    tenant.refresh().expect_success();
    assert_eq!(tokens(&tenant), 1, "the new one was kept");
}

#[test]
fn many_401s_at_once_cost_one_new_token() {
    for _ in 0..3 {
        let tenant = Tenant::new(small());
        tenant.add(&["--max-parallel", "32"]).expect_success();
        tenant.simulator.clear_requests();
        // The caller is told who it is, and then every list is refused at the same time.
        for path in [
            "/api/v1/items",
            "/api/v1/spaces",
            "/api/v1/reloads",
            "/api/scheduling",
            "/api/v1/users?",
            "/api/v1/roles",
        ] {
            let kind = FaultKind::Status { status: 401, body: BodyKind::Envelope };
            tenant.simulator.add_fault(Fault::new(path, kind).times(1));
        }
        tenant.simulator.add_fault(Fault::new(TOKEN, FaultKind::Delay { milliseconds: 100 }));
        tenant.refresh().expect_success();
        assert_eq!(tokens(&tenant), 1);
    }
}

#[test]
fn a_key_revoked_in_the_middle_fails_and_the_catalog_stands() {
    let tenant = Tenant::new(paged());
    let key = tenant.key_of(0, Duration::from_secs(7 * 86_400));
    tenant.add_key(&key).expect_success();
    let before = tenant.kinds();
    tenant.simulator.change(Changes { percent: 20.0, revision: 1 });
    tenant.simulator.clear_requests();
    tenant
        .simulator
        .add_fault(Fault::new(ITEMS, FaultKind::Delay { milliseconds: 1500 }).query("next=").times(1));
    let refresh = tenant.host.start(["connection", "refresh", "T"]);
    wait_for("the refresh to be in its lists", || (tenant.simulator.counters().requests > 3).then_some(()));
    tenant.simulator.revoke_api_key(&key.id);
    let failed = refresh.finish();
    assert_eq!(failed.code(), 5, "{}", failed.all());
    assert!(failed.stderr.contains("the tenant refused the API key"), "{}", failed.all());
    assert_eq!(tenant.kinds(), before);
}

#[test]
fn two_refreshes_at_once_are_one_and_cost_one_token() {
    let tenant = Tenant::new(small());
    tenant.add(&[]).expect_success();
    tenant.simulator.revoke_tokens();
    tenant.simulator.clear_requests();
    tenant.simulator.add_fault(Fault::new(TOKEN, FaultKind::Delay { milliseconds: 500 }));
    let both =
        [0, 1].map(|_| tenant.host.start(["connection", "refresh", "T"])).map(|started| started.finish());
    let mut codes = both.each_ref().map(|finished| finished.code());
    codes.sort_unstable();
    assert_eq!(codes, [0, 2], "{} {}", both[0].all(), both[1].all());
    assert!(both.iter().any(|finished| finished.stderr.contains("is under way already")));
    assert_eq!(tokens(&tenant), 1);
}

/// A refresh that is in the middle of its sign-in.
fn signing_in(tenant: &Tenant) -> jackfield_tests::Started {
    tenant.simulator.revoke_tokens();
    tenant.simulator.clear_requests();
    tenant.simulator.add_fault(Fault::new(TOKEN, FaultKind::Hang).times(1));
    let refresh = tenant.host.start(["connection", "refresh", "T"]);
    wait_for("the refresh to sign in", || {
        let refused = tenant.simulator.requests().iter().any(|request| request.status == 401);
        (refused && tenant.simulator.counters().in_flight == 1).then_some(())
    });
    refresh
}

#[test]
fn a_sign_in_that_was_cancelled_keeps_nobody_waiting() {
    let tenant = Tenant::connected(small());
    let refresh = signing_in(&tenant);
    refresh.signal("INT");
    assert_eq!(refresh.finish().code(), 130);
    let began = std::time::Instant::now();
    tenant.refresh().expect_success();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "waited for a sign-in that nobody does: {:?}",
        began.elapsed()
    );
    assert_eq!(tokens(&tenant), 2, "the one that hung, and the one of the second refresh");
}

#[test]
fn a_token_stays_with_its_data_folder() {
    let tenant = Tenant::connected(small());
    let other = Host::with_plugins(&["qlik-cloud"]);
    assert_eq!(other.json(["connection", "list"]), serde_json::json!([]));
    tenant.host.run(["connection", "delete", "T", "--yes"]).expect_success();
    tenant.add(&[]).expect_success();
    assert_eq!(tokens(&tenant), 2, "a deleted connection takes its token along");
}
