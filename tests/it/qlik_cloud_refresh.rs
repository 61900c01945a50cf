//! Refreshing from Qlik Cloud: what is there is found, what changed is counted, lists are followed to their ends.

use crate::qlik_cloud::{Tenant, paged, small};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::{Changes, Config, Ending, Population},
};
use jackfield_tests::Host;
use serde_json::Value;
use std::collections::BTreeSet;

const ITEMS: &str = "/api/v1/items";
/// Only the list of apps, not the one of data sets.
const APPS: &str = "resourceType=app";

/// The change of a kind in the newest refresh.
fn change(tenant: &Tenant, kind: &str) -> Value {
    let runs = tenant.host.json(["run", "list", "--connection", "T", "--limit", "1"]);
    let kinds = runs[0]["result"]["kinds"].as_array().expect("the newest run is a refresh").clone();
    kinds.into_iter().find(|change| change["kind"] == kind).unwrap()
}

/// The ids of all apps in the catalog.
fn app_ids(host: &Host) -> BTreeSet<String> {
    let apps = host.json(["catalog", "list", "T", "app", "--limit", "100000"]);
    apps.as_array().unwrap().iter().map(|app| app["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everything_there_is_is_found() {
    let tenant = Tenant::connected(paged());
    let Population { apps, users, spaces, data_sets, data_files, automations, .. } = paged().population;
    let Population { tasks, reloads, sharing_tasks, report_templates, .. } = paged().population;
    let expected = [
        ("app", apps),
        ("automation", automations),
        ("data_file", data_files),
        ("dataset", data_sets),
        ("reload", reloads),
        ("report", sharing_tasks),
        ("report_template", report_templates),
        ("role", 16),
        ("space", spaces),
        ("task", tasks),
        // The client's bot is one too.
        ("user", users + 1),
    ];
    let counts: Vec<(String, u64)> = tenant.counts().into_iter().collect();
    let counts: Vec<(&str, u64)> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, expected);
    let ids: BTreeSet<String> = (0..apps).map(|index| tenant.simulator.app_id(index)).collect();
    assert_eq!(app_ids(&tenant.host), ids);
    let found = tenant.host.json(["catalog", "list", "T", "app", "--limit", "1"]);
    let shown = tenant.host.json(["catalog", "show", "T", "app", found[0]["id"].as_str().unwrap()]);
    assert_eq!(shown["name"], found[0]["name"]);
    assert_eq!(shown["links"][0]["relation"], "owner", "{shown}");
}

#[test]
fn what_changed_is_counted() {
    let tenant = Tenant::connected(paged());
    let before = app_ids(&tenant.host);
    assert_eq!(tenant.refresh().expect_success().code(), 0);
    for kind in tenant.counts().keys() {
        let same = change(&tenant, kind);
        assert_eq!(
            (&same["added"], &same["changed"], &same["removed"]),
            (&0.into(), &0.into(), &0.into()),
            "{same}"
        );
    }
    tenant.simulator.change(Changes { percent: 20.0, revision: 1 });
    tenant.refresh().expect_success();
    let after = app_ids(&tenant.host);
    let apps = change(&tenant, "app");
    let count = |what: &str| apps[what].as_u64().unwrap() as usize;
    assert_eq!(count("added"), after.difference(&before).count(), "{apps}");
    assert_eq!(count("removed"), before.difference(&after).count(), "{apps}");
    assert!(count("added") > 0 && count("removed") > 0 && count("changed") > 0, "{apps}");
    assert_eq!(count("count"), after.len());
    let asked: BTreeSet<String> =
        (0..after.len() as u64 + 20).map(|index| tenant.simulator.app_id(index)).collect();
    assert!(after.is_subset(&asked), "no app is invented");
}

#[test]
fn every_form_of_a_lists_end_is_an_end() {
    for ending in [Ending::Missing, Ending::Null, Ending::HrefNull, Ending::Empty] {
        let lists = [
            "items",
            "spaces",
            "reloads",
            "tasks",
            "users",
            "roles",
            "automations",
            "data-files",
            "sharing-tasks",
        ];
        let endings = lists.map(|list| (list.to_owned(), ending)).into_iter().collect();
        let population = Population { apps: 130, spaces: 110, ..Population::of(20) };
        let tenant = Tenant::connected(Config { endings, population, ..small() });
        assert_eq!((tenant.counts()["app"], tenant.counts()["space"]), (130, 110), "{ending:?}");
    }
}

#[test]
fn a_link_under_an_alias_is_followed_on_the_tenant_url() {
    let config = Config { alias_hosts: vec!["alias.example".to_owned()], ..paged() };
    let tenant = Tenant::new(config);
    let origin = "https://alias.example".to_owned();
    tenant.simulator.add_fault(Fault::new(ITEMS, FaultKind::NextLinkOrigin { origin }).query(APPS).times(1));
    tenant.add(&[]).expect_success();
    assert_eq!(tenant.counts()["app"], 350);
}

#[test]
fn a_cap_is_reached_and_never_exceeded() {
    for cap in [1, 2, 4] {
        let tenant = Tenant::new(small());
        tenant.simulator.add_fault(Fault::new("/api/", FaultKind::Delay { milliseconds: 50 }));
        tenant.add(&["--max-parallel", &cap.to_string()]).expect_success();
        assert_eq!(tenant.simulator.counters().max_in_flight, cap);
        // A change of the cap needs no test, and counts from the next run on.
        tenant
            .host
            .run(["connection", "edit", "T", "--max-parallel", &(cap + 1).to_string()])
            .expect_success();
        tenant.simulator.clear_requests();
        tenant.refresh().expect_success();
        assert_eq!(tenant.simulator.counters().max_in_flight, cap + 1);
        assert!(tenant.log().contains(&format!("Max parallel executions: {}", cap + 1)));
    }
    let tenant = Tenant::new(small());
    assert_eq!(tenant.add(&["--max-parallel", "0"]).code(), 2);
    assert!(tenant.simulator.requests().is_empty());
}

#[test]
fn a_cap_holds_over_processes_and_drafts() {
    let tenant = Tenant::new(small());
    tenant.add(&["--max-parallel", "1"]).expect_success();
    tenant.simulator.add_fault(Fault::new("/api/", FaultKind::Delay { milliseconds: 50 }));
    tenant.simulator.clear_requests();
    let refresh = tenant.host.start(["connection", "refresh", "T"]);
    let edit = tenant.host.start(["connection", "edit", "T", "--set", "web_integration_id=w1"]);
    tenant.test().expect_success();
    edit.finish().expect_success();
    refresh.finish().expect_success();
    assert_eq!(tenant.simulator.counters().max_in_flight, 1);
}
