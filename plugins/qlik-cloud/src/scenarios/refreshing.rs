//! The refresh, against tenants that help and tenants that do not.

use super::*;
use jackfield_plugin::{Blame, Failure, contract::catalog::How};

const ITEMS: &str = "/api/v1/items";
const APPS: &str = "/api/v1/items?resourceType=app&noActions=true&sort=+createdAt&limit=100";
const DATASETS: &str = "/api/v1/items?resourceType=dataset&noActions=true&sort=+createdAt&limit=100";
const LISTS: [&str; 10] = [
    "/api/v1/spaces",
    "/api/v1/reloads",
    "/api/scheduling/tasks",
    "/api/v1/sharing-tasks",
    "/api/v1/report-templates",
    "/api/v1/users",
    "/api/v1/roles",
    "/api/workflows/automations",
    "/api/v1/data-files",
    DATASETS,
];

fn app(id: &str) -> Value {
    json!({ "id": format!("item-{id}"), "resourceId": id, "name": id, "resourceType": "app", "spaceId": "s1" })
}

fn space() -> Answer {
    page(json!([{ "id": "s1", "name": "Finance", "type": "shared" }]))
}

/// A tenant whose lists are empty, but for what was scripted before.
fn empty(kit: &TestKit<QlikCloud>) {
    LISTS.iter().for_each(|list| {
        kit.on("GET", list, page(json!([])));
    });
}

/// A page with a link to the next one.
fn linked(rows: Value, next: Value) -> Answer {
    Answer::json(200, json!({ "data": rows, "links": { "next": next } }))
}

fn href(query: &str) -> Value {
    json!({ "href": format!("{TENANT}{ITEMS}?{query}") })
}

fn admin() -> TestKit<QlikCloud> {
    let kit = oauth();
    caller(&kit, None, &["TenantAdmin"]);
    kit
}

#[test]
fn the_documents_rights_get_apps_and_spaces_and_name_what_is_skipped() {
    let kit = oauth();
    caller(&kit, Some(FOUR_SCOPES), &["AnalyticsAdmin", "Webhooks"]);
    kit.on("GET", APPS, page(json!([app("a1"), app("a2")]))).on("GET", LISTS[0], space());
    for list in LISTS {
        kit.on("GET", list, error(403, "HTTP-403", "Forbidden"));
    }
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("app"), ["a1", "a2"]);
    assert_eq!(refresh.ids("space"), ["s1"]);
    assert_eq!(refresh.ends["app"], How::Complete);
    insta::assert_snapshot!(refresh.report.summary, @"read 2 apps, 1 space; skipped reloads, tasks, reports, report templates, users, roles, automations, data files, data sets");
    insta::assert_snapshot!(warnings(&refresh), @r#"
    reloads skipped: only a Tenant Admin may list the reloads of a whole tenant, and the bot user "Jackfield" is Analytics Admin, Webhooks
    tasks skipped: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the documents name no narrower scope for this list than "user_default", and it is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    reports skipped: scope "admin.report-tasks" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    report templates skipped: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the documents name no narrower scope for this list than "user_default", and it is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    users skipped: scope "users:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    roles skipped: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): only a Tenant Admin may list the roles of a whole tenant, and the bot user "Jackfield" is Analytics Admin, Webhooks
    automations skipped: scope "admin.automations:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    data files skipped: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): the documents name no narrower scope for this list than "user_default", and it is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    data sets skipped: scope "dataset" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes
    "#);
    let asked: Vec<_> = kit.requests().iter().map(|asked| asked.line()).collect();
    assert!(!asked.iter().any(|line| line.contains("reloads") || line.contains("users?")), "{asked:?}");
}

#[test]
fn a_tenant_admin_gets_everything() {
    let kit = oauth();
    caller(&kit, Some("user_default admin_classic"), &["TenantAdmin"]);
    kit.on("GET", APPS, page(json!([app("a1")])));
    empty(&kit);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ends.len(), 11);
    assert!(refresh.ends.values().all(|how| *how == How::Complete), "{:?}", refresh.ends);
    assert_eq!(warnings(&refresh), "");
    let mut asked: Vec<_> = kit.requests().iter().map(|asked| asked.line()).collect();
    asked.sort();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    GET /api/scheduling/tasks?limit=100
    GET /api/v1/data-files?includeAllSpaces=true&limit=100
    GET /api/v1/items?resourceType=app&noActions=true&sort=+createdAt&limit=100
    GET /api/v1/items?resourceType=dataset&noActions=true&sort=+createdAt&limit=100
    GET /api/v1/reloads?limit=100
    GET /api/v1/report-templates?sort=+createdAt&limit=100
    GET /api/v1/roles?totalResults=true&limit=100
    GET /api/v1/sharing-tasks?limit=100
    GET /api/v1/spaces?sort=+createdAt&limit=100
    GET /api/v1/users/me
    GET /api/v1/users?totalResults=true&limit=100
    GET /api/workflows/automations?limit=100&listAll=true
    POST /oauth/token
    "#);
}

#[test]
fn pages_are_followed_to_every_kind_of_end() {
    for end in [json!(null), json!({ "href": null }), json!({ "href": "" }), json!({})] {
        let kit = admin();
        kit.on("GET", APPS, linked(json!([app("a1")]), href("next=2")));
        kit.on(
            "GET",
            "/api/v1/items?next=2",
            linked(json!([app("a2")]), json!({ "href": "/api/v1/items?next=3" })),
        );
        kit.on("GET", "/api/v1/items?next=3", linked(json!([app("a3")]), end));
        empty(&kit);
        assert_eq!(kit.refresh().unwrap().ids("app"), ["a1", "a2", "a3"]);
        assert!(
            kit.requests()
                .iter()
                .all(|asked| asked.list == asked.line().contains("limit=100")
                    || asked.line().contains("next="))
        );
    }
}

#[test]
fn a_link_under_an_alias_of_the_tenant_is_followed_on_the_tenant_url() {
    let kit = admin();
    kit.on(
        "GET",
        APPS,
        linked(
            json!([app("a1")]),
            json!({ "href": "https://acme-alias.eu.qlikcloud.com/api/v1/items?next=2" }),
        ),
    );
    kit.on("GET", "/api/v1/items?next=2", page(json!([app("a2")])));
    kit.on(
        "GET",
        "/api/v1/tenants/me",
        Answer::json(200, json!({ "id": "t", "hostnames": ["x", "acme-alias.eu.qlikcloud.com"] })),
    );
    empty(&kit);
    assert_eq!(kit.refresh().unwrap().ids("app"), ["a1", "a2"]);
}

#[test]
fn a_link_that_leaves_the_tenant_is_refused() {
    let kit = admin();
    kit.on(
        "GET",
        APPS,
        linked(json!([app("a1")]), json!({ "href": "https://evil.example/api/v1/items?next=2" })),
    );
    kit.on("GET", "/api/v1/tenants/me", error(403, "HTTP-403", "Forbidden"));
    empty(&kit);
    let failure = kit.refresh().unwrap_err();
    insta::assert_snapshot!(failure, @r#"apps: the link to the next page leads to "evil.example", which is not this system — nothing was sent there; if the system answers under several names, use the one its links carry"#);
    assert!(kit.requests().iter().all(|asked| !asked.line().contains("evil")));
}

#[test]
fn a_list_that_goes_in_circles_is_a_failure() {
    let kit = admin();
    kit.on("GET", APPS, linked(json!([app("a1")]), href("next=2")));
    kit.on("GET", "/api/v1/items?next=2", linked(json!([app("a2")]), href("next=2")));
    empty(&kit);
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @"apps: the list repeats a page, so the rows behind it cannot be read — try again; if it lasts, show Qlik's support the exchange in the log");
}

#[test]
fn offsets_go_on_until_a_page_is_shorter() {
    let kit = admin();
    let templates = |ids: [&str; 2]| page(json!(ids.map(|id| json!({ "id": id, "name": id }))));
    let path = |skip: &str| format!("/api/v1/report-templates{skip}sort=+createdAt&limit=100");
    kit.on("GET", &path("?"), templates(["t1", "t2"]));
    kit.on("GET", &path("?skip=2&"), templates(["t3", "t4"]));
    kit.on("GET", &path("?skip=4&"), page(json!([{ "id": "t5" }])));
    kit.on("GET", APPS, page(json!([])));
    empty(&kit);
    assert_eq!(kit.refresh().unwrap().ids("report_template"), ["t1", "t2", "t3", "t4", "t5"]);
}

#[test]
fn a_refusal_in_the_middle_keeps_the_kind_and_names_the_scope() {
    let kit = oauth();
    caller(&kit, Some("admin.spaces:read"), &["AnalyticsAdmin"]);
    kit.on("GET", APPS, linked(json!([app("a1")]), href("next=2")));
    kit.on("GET", "/api/v1/items?next=2", error(403, "HTTP-403", "Forbidden"));
    kit.on("GET", LISTS[0], space());
    empty(&kit);
    let refresh = kit.refresh().unwrap();
    let How::Kept { reason } = &refresh.ends["app"] else { panic!("{:?}", refresh.ends["app"]) };
    insta::assert_snapshot!(reason, @r#"the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "admin.apps:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes"#);
}

#[test]
fn an_empty_list_of_a_caller_who_lacks_the_right_is_not_taken_for_empty() {
    let kit = oauth();
    caller(&kit, Some("admin.spaces:read apps:read"), &["AnalyticsAdmin"]);
    kit.on("GET", APPS, page(json!([]))).on("GET", LISTS[0], space());
    empty(&kit);
    let refresh = kit.refresh().unwrap();
    let How::Kept { reason } = &refresh.ends["app"] else { panic!("{:?}", refresh.ends["app"]) };
    insta::assert_snapshot!(reason, @r#"the tenant showed none, and scope "admin.apps:read" is missing on the OAuth client"#);
}

#[test]
fn a_caller_of_whom_little_is_known_meets_the_trap_of_the_reloads() {
    let kit = oauth();
    caller(&kit, None, &[]);
    kit.on("GET", APPS, page(json!([app("a1")])));
    kit.on("GET", "/api/v1/reloads", error(400, "RELOADS-004", "appId is required"));
    kit.on("GET", "/api/v1/data-files", Answer::status(404));
    empty(&kit);
    insta::assert_snapshot!(warnings(&kit.refresh().unwrap()), @r#"
    spaces skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "admin.spaces:read" is missing on the OAuth client
    reloads skipped: the tenant refused (400 RELOADS-004 "appId is required", trace 00ab): only a Tenant Admin may list the reloads of a whole tenant
    tasks skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "user_default" is missing on the OAuth client
    reports skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "admin.report-tasks" is missing on the OAuth client
    report templates skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "user_default" is missing on the OAuth client
    users skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "users:read" is missing on the OAuth client
    roles skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "admin_classic" is missing on the OAuth client
    automations skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "admin.automations:read" is missing on the OAuth client
    data files skipped: this tenant does not offer the list (404)
    data sets skipped: the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope "dataset" is missing on the OAuth client
    "#);
}

#[test]
fn a_key_of_an_ordinary_user_sees_what_is_the_users_and_the_log_says_so() {
    let kit = api_key();
    let me = json!({ "id": "u", "name": "Kit", "assignedRoles": [{ "name": "Steward" }] });
    kit.on("GET", ME, Answer::json(200, me)).on("GET", APPS, page(json!([app("a1")]))).on(
        "GET",
        LISTS[0],
        space(),
    );
    empty(&kit);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(warnings(&refresh), @r#"
    apps: only those that the tenant shows this caller; role "Analytics Admin" is missing on the user "Kit"
    spaces: only those that the tenant shows this caller; role "Analytics Admin" is missing on the user "Kit"
    reloads skipped: only a Tenant Admin may list the reloads of a whole tenant, and the user "Kit" is Steward
    reports skipped: only a Tenant Admin may list the report tasks of a whole tenant, and the user "Kit" is Steward
    roles skipped: the tenant showed none, and only a Tenant Admin may list the roles of a whole tenant, and the user "Kit" is Steward
    automations skipped: the tenant showed none, and role "Analytics Admin" is missing on the user "Kit"
    "#);
    assert!(kit.requests().iter().all(|asked| !asked.line().contains("listAll")));
}

#[test]
fn a_list_that_breaks_ends_the_refresh_and_is_named() {
    let breaks = [
        error(500, "HTTP-500", "Internal"),
        error(429, "HTTP-429", "API rate limit reached").header("retry-after", "13"),
        Answer::text(200, "text/html", "<html>Maintenance</html>"),
        Answer::json(200, json!({ "items": [] })),
        Answer::json(200, json!({ "data": null })),
        Answer::text(200, "application/json", "{\"data\":[{\"id\":"),
        error(401, "HTTP-401", "Unauthorized"),
        Answer::text(403, "text/html", "<title>Blocked</title>"),
        Answer::text(404, "text/html", "<html></html>"),
        Answer::text(400, "text/html", "<html></html>"),
        Answer::status(407),
        Answer::failure(Failure::new(Blame::Network, "the connection was reset")),
    ];
    let told: String = breaks
        .map(|answer| {
            let kit = admin();
            kit.on("GET", LISTS[0], answer.clone()).on("GET", LISTS[0], answer);
            kit.on("GET", APPS, page(json!([app("a1")])));
            LISTS[1..].iter().for_each(|list| {
                kit.on("GET", list, page(json!([])));
            });
            format!("{}\n", kit.refresh().unwrap_err())
        })
        .concat();
    insta::assert_snapshot!(told, @r#"
    spaces: the tenant failed on its side (500 HTTP-500 "Internal") [HTTP-500, trace 00ab] — try again later; if it lasts, look at Qlik's status page and show support the reference
    spaces: the tenant's rate limit is used up; it lifts the limit in 13 seconds (429 HTTP-429 "API rate limit reached") [HTTP-429, trace 00ab] — try again later; everything that uses the same client or user shares one limit
    spaces: the answer is a web page (text/html): <html>Maintenance</html> — try again; if it lasts, find out what answers in the place of the remote system: a page to sign in, a notice of maintenance, a proxy
    spaces: the answer is no list as expected: missing field `data` at line 1 column 12 — try again; if it lasts, the remote system may be newer than this plugin: look for a newer plugin
    spaces: the answer is no list as expected: invalid type: null, expected a sequence at line 1 column 12 — try again; if it lasts, the remote system may be newer than this plugin: look for a newer plugin
    spaces: the answer (application/json) breaks off after 15 bytes — try again; if it lasts, something between here and the remote system may change its answers
    spaces: the tenant gave a token to the OAuth client and then refused it (401 HTTP-401 "Unauthorized") [HTTP-401, trace 00ab] — check in Manage users that the client's bot user is active, and that the client's consent method is Trusted
    spaces: something between here and the remote system answered (403 "web page: Blocked") — find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance
    spaces: something between here and the remote system answered (404 "web page") — find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance
    spaces: something between here and the remote system answered (400 "web page") — find out what answers in the place of the remote system: a firewall or a proxy that has to let this machine through, a page to sign in, a notice of maintenance
    spaces: a proxy between here and the remote system wants a user name and a password (407) — give them to the proxy that you configured, http.proxy = "http://USER:PASSWORD@HOST:PORT"; if you configured none, find out whose it is and have this machine let through
    spaces: the connection was reset
    "#);
}

#[test]
fn a_refresh_that_got_nothing_has_failed() {
    let kit = oauth();
    caller(&kit, Some("webhooks"), &["Webhooks"]);
    kit.on("GET", APPS, error(403, "HTTP-403", "Forbidden"));
    for list in LISTS {
        kit.on("GET", list, error(403, "HTTP-403", "Forbidden"));
    }
    insta::assert_snapshot!(kit.refresh().unwrap_err(), @r#"nothing could be read; apps: the tenant refused (403 HTTP-403 "Forbidden", trace 00ab): scope "admin.apps:read" is missing on the OAuth client; add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes — the log names the missing right of each list; add what it names"#);
}

#[test]
fn the_session_is_kept_and_replaced_when_it_is_refused() {
    let kit = admin();
    kit.on("GET", APPS, error(401, "HTTP-401", "Unauthorized")).on("GET", APPS, page(json!([app("a1")])));
    empty(&kit);
    kit.refresh().unwrap();
    let tokens = |kit: &TestKit<QlikCloud>| {
        kit.requests().iter().filter(|asked| asked.line() == format!("POST {TOKEN}")).count()
    };
    assert_eq!(tokens(&kit), 2, "one to begin with, one in place of the refused");
    kit.refresh().unwrap();
    assert_eq!(tokens(&kit), 0, "the next run uses what was kept");
}
