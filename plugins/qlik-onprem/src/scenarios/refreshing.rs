//! The refresh: pages, changes, deletions, lists that are refused or cut short, and what never reaches the catalog.

use super::*;
use jackfield_plugin::{
    Blame,
    contract::{catalog::How, http::Body},
};

const EMPTY: [&str; 7] =
    ["stream", "user", "tag", "extension", "dataconnection", "virtualproxyconfig", "servernodeconfiguration"];

fn count(value: u64) -> Answer {
    Answer::json(200, json!({ "value": value }))
}

/// A page of a table; the columns are those of the request.
fn rows(rows: Value) -> Answer {
    Answer::json(201, json!({ "schemaPath": "Table", "id": "t", "columnNames": [], "rows": rows }))
}

fn app(id: &str, changed: &str) -> Value {
    let at = format!("2026-01-01T{changed}.000Z");
    json!([
        id,
        format!("App {id}"),
        "2025-01-01T00:00:00.000Z",
        at,
        "u1",
        "s1",
        "",
        "Sales",
        true,
        "1753-01-01T00:00:00.000Z",
        "1753-01-01T00:00:00.000Z",
        4096,
        "14.1",
        0
    ])
}

/// Everything but apps is empty.
fn nothing_but_apps(kit: &TestKit<QlikOnprem>) {
    nothing_but_apps_and_tasks(kit);
    kit.on("GET", &at("reloadtask/count"), count(0));
    kit.on("GET", &at("task/full"), Answer::json(200, json!([])));
}

fn nothing_but_apps_and_tasks(kit: &TestKit<QlikOnprem>) {
    open(kit);
    for path in EMPTY {
        kit.on("GET", &at(&format!("{path}/count")), count(0));
        kit.on("POST", &at(&format!("{path}/table")), rows(json!([])));
    }
    for path in ["externalprogramtask", "usersynctask", "custompropertydefinition"] {
        kit.on("GET", &at(&format!("{path}/count")), count(0));
    }
    kit.on("GET", &at("custompropertydefinition/full"), Answer::json(200, json!([])));
    kit.on("GET", &at("systemrule/security/referenceduserroles"), Answer::json(200, json!([])));
    kit.on("GET", &at("user"), Answer::json(200, json!([])));
    kit.on("GET", &at("notification/changes"), Answer::json(200, json!([])));
}

fn apps(kit: &TestKit<QlikOnprem>, total: u64, pages: Vec<Value>) {
    kit.on("GET", &at("app/count"), count(total));
    for page in pages {
        kit.on("POST", &at("app/table"), rows(page));
    }
}

fn asked(kit: &TestKit<QlikOnprem>, part: &str) -> Vec<String> {
    kit.requests().iter().map(|asked| asked.line()).filter(|line| line.contains(part)).collect()
}

#[test]
fn every_kind_is_read_with_what_matters_of_it() {
    let kit = site();
    open(&kit);
    let page = |path: &str, columns: Value| {
        kit.on("GET", &at(&format!("{path}/count")), count(1));
        kit.on("POST", &at(&format!("{path}/table")), rows(json!([columns])));
    };
    page("app", app("a1", "10:00:00"));
    page("stream", json!(["s1", "Sales", "c", "m", "u1"]));
    page("user", json!(["u1", "Kit", "c", "m", "kit", "EXAMPLE", false, false, false]));
    page("tag", json!(["t1", "Finance", "c", "m"]));
    page("extension", json!(["e1", "funnel", "c", "m", "u1"]));
    page("dataconnection", json!(["d1", "DWH", "c", "m", "u1", "OLEDB", 0, 1]));
    page(
        "virtualproxyconfig",
        json!(["v0", "Central Proxy (Default)", "c", "m", "", "X-Qlik-Session", 0, true, 30]),
    );
    page(
        "servernodeconfiguration",
        json!(["n1", "Central", "c", "m", "qlik.example.com", true, true, true, true]),
    );
    for path in ["externalprogramtask", "usersynctask"] {
        kit.on("GET", &at(&format!("{path}/count")), count(0));
    }
    kit.on("GET", &at("reloadtask/count"), count(1)).on(
        "GET",
        &at("custompropertydefinition/count"),
        count(1),
    );
    let result = json!({ "status": 8, "startTime": "2026-01-01T04:00:00.000Z", "stopTime": "2026-01-01T04:01:00.000Z",
        "duration": 60000, "executingNodeName": "Central", "details": ["not taken"] });
    kit.on(
        "GET",
        &at("task/full"),
        Answer::json(
            200,
            json!([{ "id": "k1", "name": "Reload Sales", "taskType": 0, "enabled": true,
        "app": { "id": "a1", "name": "App a1" }, "tags": [{ "id": "t1", "name": "Finance" }],
        "operational": { "nextExecution": "1753-01-01T00:00:00.000Z", "lastExecutionResult": result } }]),
        ),
    );
    kit.on(
        "GET",
        &at("custompropertydefinition/full"),
        Answer::json(
            200,
            json!([{ "id": "c1", "name": "Department",
        "choiceValues": ["HR", "IT"], "objectTypes": ["App"], "valueType": "Text" }]),
        ),
    );
    kit.on(
        "GET",
        &at("systemrule/security/referenceduserroles"),
        Answer::json(200, json!(["Steward", "rootadmin"])),
    );
    kit.on("GET", &at("user"), Answer::json(200, json!([])));
    kit.on("GET", &at("notification/changes"), Answer::json(200, json!([])));
    let refresh = kit.refresh().unwrap();
    let mut told = format!("{}\n", refresh.report.summary);
    for (kind, objects) in &refresh.objects {
        for object in objects.iter().filter(|object| kind != "role" || object.id == "Steward") {
            let links: Vec<_> = object
                .links
                .iter()
                .map(|link| format!("{}={}:{}", link.relation, link.kind, link.id))
                .collect();
            let (id, name, parent) = (&object.id, &object.name, object.parent.as_deref().unwrap_or("-"));
            told.push_str(&format!(
                "{kind} {id} \"{name}\" in {parent} [{}] {}\n",
                links.join(" "),
                object.attributes
            ));
        }
    }
    insta::assert_snapshot!(told, @r#"
    read 1 app, 1 stream, 1 task, 1 user, 1 custom property, 1 tag, 1 extension, 1 data connection, 1 virtual proxy, 1 node, 7 roles
    app a1 "App a1" in s1 [owner=user:u1] {"created":"2025-01-01T00:00:00.000Z","stream_name":"Sales","published":true,"size":4096,"product_version":"14.1","availability":0}
    custom_property c1 "Department" in - [] {"value_type":"Text","choices":["HR","IT"],"applies_to":["App"]}
    data_connection d1 "DWH" in - [owner=user:u1] {"created":"c","type":"OLEDB","architecture":0,"log_on":1}
    extension e1 "funnel" in - [owner=user:u1] {"created":"c"}
    node n1 "Central" in - [] {"created":"c","host":"qlik.example.com","central":true,"engine":true,"proxy":true,"scheduler":true}
    role Steward "Steward" in - [] 
    stream s1 "Sales" in - [owner=user:u1] {"created":"c"}
    tag t1 "Finance" in - [] {"created":"c"}
    task k1 "Reload Sales" in - [app=app:a1 tag=tag:t1] {"type":0,"enabled":true,"last_status":8,"last_start":"2026-01-01T04:00:00.000Z","last_stop":"2026-01-01T04:01:00.000Z","last_duration_ms":60000,"last_node":"Central"}
    user u1 "Kit" in - [] {"created":"c","user_id":"kit","user_directory":"EXAMPLE","inactive":false,"removed_externally":false,"blocked":false}
    virtual_proxy v0 "Central Proxy (Default)" in - [] {"created":"c","session_cookie":"X-Qlik-Session","authentication_method":0,"default":true,"session_timeout_minutes":30}
    "#);
    assert!(refresh.ends.values().all(|how| *how == How::Complete), "{:?}", refresh.ends);
    assert!(asked(&kit, "dataconnection/full").is_empty());
    for request in kit.requests() {
        let Body::Json(body) = &request.body else { continue };
        for secret in ["connectionstring", "password", "username"] {
            assert!(!body.to_string().contains(secret), "{secret} is asked for in {}", request.line());
        }
    }
}

#[test]
fn who_has_a_role_is_linked_to_it() {
    let kit = site();
    // The kit's randomness is the same every time, and so is the key against forged requests.
    let admins = "user?xrfkey=bcdefghijkmnpqrs&filter=roles%20eq%20%27RootAdmin%27";
    kit.on("GET", &at(admins), Answer::json(200, json!([{ "id": "u1" }, { "id": "u2" }])));
    nothing_but_apps(&kit);
    apps(&kit, 0, vec![json!([])]);
    let refresh = kit.refresh().unwrap();
    let members = |role: &str| {
        let links = &refresh.object("role", role).unwrap().links;
        links.iter().map(|link| format!("{} {}", link.relation, link.id)).collect::<Vec<_>>()
    };
    assert_eq!(members("RootAdmin"), ["member u1", "member u2"]);
    assert!(members("AuditAdmin").is_empty());
    assert_eq!(refresh.ids("role").len(), 6);
}

#[test]
fn a_long_list_that_is_only_shown_whole_is_read_in_parts() {
    let kit = site();
    nothing_but_apps_and_tasks(&kit);
    apps(&kit, 0, vec![json!([])]);
    kit.on("GET", &at("reloadtask/count"), count(4100));
    for date in ["2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"] {
        kit.on("POST", &at("reloadtask/table"), rows(json!([[date]])));
    }
    let tasks = |from: u32, to: u32| (from..to).map(|at| json!({ "id": format!("k{at}"), "name": "T" }));
    for (from, to) in [(0, 2000), (1999, 4000), (4000, 4100)] {
        kit.on("GET", &at("task/full"), Answer::json(200, tasks(from, to).collect()));
    }
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("task").len(), 4100);
    assert_eq!(refresh.ends["task"], How::Complete);
    let parts: Vec<_> = asked(&kit, "task/full")
        .iter()
        .map(|line| {
            line.split("filter=").nth(1).unwrap().replace("%20", " ").replace("%27", "'").replace("%3A", ":")
        })
        .collect();
    assert_eq!(
        parts,
        [
            "createdDate lt '2026-01-01T00:00:00.000Z'",
            "createdDate ge '2026-01-01T00:00:00.000Z' and createdDate lt '2026-02-01T00:00:00.000Z'",
            "createdDate ge '2026-02-01T00:00:00.000Z'",
        ]
    );
    let skips = asked(&kit, "reloadtask/table");
    assert!(skips[0].contains("skip=2000&take=1&sortcolumn=createdDate"), "{skips:?}");
    assert!(skips[1].contains("skip=4000&take=1&"), "{skips:?}");
}

#[test]
fn pages_are_read_to_their_end_whatever_their_size() {
    let kit = site();
    nothing_but_apps(&kit);
    let one =
        |from: u32, to: u32| (from..to).map(|at| app(&format!("a{at}"), "10:00:00")).collect::<Vec<_>>();
    apps(&kit, 5, vec![json!(one(0, 2)), json!(one(2, 4)), json!(one(4, 5))]);
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("app"), ["a0", "a1", "a2", "a3", "a4"]);
    let skips: Vec<_> =
        asked(&kit, "app/table").iter().map(|line| line[line.find("skip").unwrap()..].to_owned()).collect();
    assert_eq!(
        skips,
        ["skip=0", "skip=2", "skip=4"]
            .map(|skip| format!("{skip}&take=500&sortcolumn=id&orderascending=true"))
    );
}

#[test]
fn a_list_that_repeats_a_page_or_is_cut_short_removes_nothing() {
    let kit = site();
    nothing_but_apps(&kit);
    apps(&kit, 4, vec![json!([app("a", "10:00:00"), app("b", "10:00:00")])]);
    let failure = kit.refresh().unwrap_err();
    assert_eq!(failure.blame, Blame::Remote);
    assert!(failure.message.starts_with("apps: the list repeats a page"), "{failure}");
    let kit = site();
    nothing_but_apps(&kit);
    apps(&kit, 4, vec![json!([app("a", "10:00:00")]), json!([])]);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(log(&refresh), @r#"Warning: apps skipped: the site counts 4 but shows 1; the list is cut short"#);
    assert!(matches!(&refresh.ends["app"], How::Kept { .. }));
    assert!(!refresh.state.contains_key("changes.app"), "nothing to go on from");
}

#[test]
fn rows_that_go_away_while_they_are_read_are_no_cut() {
    let kit = site();
    nothing_but_apps(&kit);
    kit.on("GET", &at("app/count"), count(2)).on("GET", &at("app/count"), count(1));
    kit.on("POST", &at("app/table"), rows(json!([app("a", "10:00:00")]))).on(
        "POST",
        &at("app/table"),
        rows(json!([])),
    );
    assert_eq!(kit.refresh().unwrap().ends["app"], How::Complete);
}

/// A site that has been read before: three apps, the latest of them at ten.
fn read_before() -> TestKit<QlikOnprem> {
    let mark =
        json!({ "account": "EXAMPLE\\svc", "latest": "2026-01-01T10:00:00.000Z", "deleted": "", "count": 3 });
    let kit = site().state("changes.app", mark);
    nothing_but_apps(&kit);
    kit
}

#[test]
fn only_changes_are_read_and_deletions_are_told() {
    let kit = site().state(
        "changes.app",
        json!({ "account": "EXAMPLE\\svc", "latest": "2026-01-01T10:00:00.000Z", "deleted": "", "count": 3 }),
    );
    let gone = json!([
        { "changeType": 3, "id": "z", "type": "App", "changeDate": "2026-01-01T10:30:00.000Z" },
        { "changeType": 2, "id": "b", "type": "App", "changeDate": "2026-01-01T10:20:00.000Z" },
        { "changeType": 3, "id": "x", "type": "Stream", "changeDate": "2026-01-01T10:20:00.000Z" },
    ]);
    kit.on("GET", &at("notification/changes"), Answer::json(200, gone));
    nothing_but_apps(&kit);
    // One is new, one is gone: three again.
    kit.on("GET", &at("app/count"), count(1)).on("GET", &at("app/count"), count(3));
    kit.on("POST", &at("app/table"), rows(json!([app("b", "10:20:00"), app("n", "10:40:00")]))).on(
        "POST",
        &at("app/table"),
        rows(json!([])),
    );
    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ends["app"], How::Delta { deleted: vec!["z".to_owned()] });
    assert_eq!(refresh.ids("app"), ["b", "n"]);
    insta::assert_snapshot!(format!("{}{}", log(&refresh), refresh.state["changes.app"]), @r#"
    Info: apps: read as far as changed since 2026-01-01T09:50:00.000Z: 2 rows, 1 gone, 3 in all
    {"account":"EXAMPLE\\svc","count":3,"deleted":"2026-01-01T10:30:00.000Z","latest":"2026-01-01T10:40:00.000Z"}
    "#);
    let table = &asked(&kit, "app/table")[0];
    let filter = "filter=modifiedDate%20ge%20%272026-01-01T09%3A50%3A00.000Z%27%20or%20lastReloadTime%20ge%20%272026-01-01T09%3A50%3A00.000Z%27";
    assert!(table.ends_with(filter), "{table}");
}

#[test]
fn changes_that_do_not_add_up_are_read_in_full() {
    let kit = read_before();
    // None is new, none is gone, and yet there are two.
    kit.on("GET", &at("app/count"), count(0)).on("GET", &at("app/count"), count(2));
    kit.on("POST", &at("app/table"), rows(json!([app("a", "10:00:00"), app("b", "09:00:00")])));
    let refresh = kit.refresh().unwrap();
    assert_eq!((refresh.ends["app"].clone(), refresh.ids("app")), (How::Complete, vec!["a", "b"]));
    insta::assert_snapshot!(log(&refresh), @r#"Info: apps: read in full, because the changes do not add up (3 before, 0 new, 0 gone, 2 now)"#);
    assert_eq!(refresh.state["changes.app"]["count"], 2);
}

#[test]
fn a_site_that_tells_no_changes_is_read_in_full_and_so_is_one_for_another_account() {
    let other = json!({ "account": "EXAMPLE\\other", "latest": "2026-01-01T10:00:00.000Z", "deleted": "", "count": 1 });
    let refused = site().state(
        "changes.app",
        json!({ "account": "EXAMPLE\\svc", "latest": "2026-01-01T10:00:00.000Z", "deleted": "", "count": 1 }),
    );
    refused.on("GET", &at("notification/changes"), Answer::status(404));
    for kit in [site().state("changes.app", other), refused] {
        nothing_but_apps(&kit);
        apps(&kit, 1, vec![json!([app("a", "10:00:00")])]);
        assert_eq!(kit.refresh().unwrap().ends["app"], How::Complete);
    }
}

#[test]
fn refused_lists_keep_what_they_had_and_say_why() {
    let kit = site();
    kit.on("POST", &at("stream/table"), Answer::text(403, "text/plain", "Forbidden"));
    kit.on("POST", &at("tag/table"), Answer::status(404));
    kit.on("POST", &at("extension/table"), Answer::text(400, "text/plain", "Invalid column"));
    nothing_but_apps(&kit);
    apps(&kit, 0, vec![json!([])]);
    let refresh = kit.refresh().unwrap();
    insta::assert_snapshot!(format!("{}{}", log(&refresh), refresh.report.summary), @r#"
    Warning: streams skipped: the site refused (403 "Forbidden"): the user "EXAMPLE\svc" may not read streams; give it the role RootAdmin
    Warning: tags skipped: this release of Qlik Sense does not offer the list (404)
    Warning: extensions skipped: this release of Qlik Sense does not understand the question (400 "Invalid column")
    read 0 apps, 0 tasks, 0 users, 0 custom properties, 0 data connections, 0 virtual proxies, 0 nodes, 6 roles; skipped streams, tags, extensions
    "#);
}

#[test]
fn an_account_that_does_not_see_everything_removes_nothing() {
    let kit = site();
    kit.on("GET", &at("about"), about()).on(
        "GET",
        &at("user/full"),
        account(json!({ "roles": ["ContentAdmin"] })),
    );
    let failure = kit.refresh().unwrap_err();
    assert_eq!((failure.blame, failure.field.as_deref()), (Blame::Credential, Some("service_user")));
    assert!(asked(&kit, "table").is_empty());
}

#[test]
fn a_service_that_breaks_ends_the_refresh() {
    for answer in [
        Answer::text(500, "text/plain", "boom"),
        Answer::text(200, "text/html", "<html><title>Sorry</title></html>"),
    ] {
        let kit = site();
        kit.on("POST", &at("tag/table"), answer);
        nothing_but_apps(&kit);
        apps(&kit, 0, vec![json!([])]);
        let failure = kit.refresh().unwrap_err();
        assert_eq!(failure.blame, Blame::Remote);
        assert!(failure.message.starts_with("tags: "), "{failure}");
    }
}

#[test]
fn the_same_refresh_twice_finds_the_same() {
    let kit = site();
    nothing_but_apps(&kit);
    kit.on("GET", &at("app/count"), count(1)).on("GET", &at("app/count"), count(0)).on(
        "GET",
        &at("app/count"),
        count(1),
    );
    kit.on("POST", &at("app/table"), rows(json!([app("a", "10:00:00")])));
    let first = kit.refresh().unwrap();
    kit.on("POST", &at("app/table"), rows(json!([])));
    let second = kit.refresh().unwrap();
    assert_eq!(first.state, second.state);
    assert_eq!(second.ends["app"], How::Delta { deleted: Vec::new() });
}
