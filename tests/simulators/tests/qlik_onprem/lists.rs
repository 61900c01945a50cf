//! Lists: forms, filters, orders, what is in them, and what changes.

use std::collections::HashSet;

use jackfield_simulators::qlik_onprem::{Changes, Config, Population, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, encoded, site};

fn texts<'a>(rows: &'a [Value], key: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[key].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_list_has_its_forms() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (entity, name, least) in [
        ("app", "App", 60),
        ("stream", "Stream", 4),
        ("reloadtask", "ReloadTask", 30),
        ("externalprogramtask", "ExternalProgramTask", 4),
        ("usersynctask", "UserSyncTask", 3),
        ("user", "User", 120),
        ("custompropertydefinition", "CustomPropertyDefinition", 6),
        ("tag", "Tag", 8),
        ("extension", "Extension", 8),
        ("dataconnection", "DataConnection", 15),
        ("systemrule", "SystemRule", 40),
        ("contentlibrary", "ContentLibrary", 2),
        ("userdirectory", "UserDirectory", 2),
        ("schemaevent", "SchemaEvent", 30),
        ("compositeevent", "CompositeEvent", 3),
        ("executionresult", "ExecutionResult", 90),
        ("app/object", "App.Object", 120),
        ("servernodeconfiguration", "ServerNodeConfiguration", 2),
        ("proxyservice", "ProxyService", 1),
        ("virtualproxyconfig", "VirtualProxyConfig", 2),
        ("engineservice", "EngineService", 2),
        ("schedulerservice", "SchedulerService", 2),
        ("servicestatus", "ServiceStatus", 6),
    ] {
        let full = admin.rows(&format!("{}/full", entity.to_uppercase())).await;
        assert_eq!(full.len(), least, "{entity}");
        assert_eq!(admin.count(&format!("{entity}/count")).await, least as u64);
        assert!(full.iter().all(|row| row["schemaPath"] == name && row["privileges"].is_null()), "{entity}");
        let short = admin.rows(entity).await;
        assert_eq!(texts(&short, "id"), texts(&full, "id"), "{entity}");
        assert!(short.iter().all(|row| row.get("schemaPath").is_none() && row.get("createdDate").is_none()));
        assert_eq!(texts(&short, "id").into_iter().collect::<HashSet<_>>().len(), least, "ids differ");
        let id = full[0]["id"].as_str().unwrap();
        assert_eq!(admin.get(&format!("{entity}/{id}")).await, (StatusCode::OK, full[0].clone()));
        let rights = &admin.rows(&format!("{entity}?privileges=true")).await[0]["privileges"];
        assert!(rights.as_array().unwrap().contains(&json!("read")), "{entity}: {rights}");
    }
}

#[tokio::test]
async fn tasks_of_all_kinds_are_one_list() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let tasks = admin.rows("task/full").await;
    let kinds: HashSet<i64> = tasks.iter().map(|task| task["taskType"].as_i64().unwrap()).collect();
    assert_eq!((tasks.len(), kinds.len()), (37, 3));
    let status = |task: &Value| task["operational"]["lastExecutionResult"]["status"].as_i64().unwrap();
    let statuses: HashSet<i64> = tasks.iter().map(status).collect();
    assert!(statuses.contains(&7) && statuses.contains(&8), "{statuses:?}");
    assert_eq!(
        admin.found("task", "operational.lastExecutionResult.status eq FinishedFail").await.len(),
        tasks.iter().filter(|task| status(task) == 8).count()
    );
    assert_eq!(admin.found("task", "taskType eq UserSync").await.len(), 3);
    let id = simulator.reload_task_id(0);
    assert_eq!(admin.get(&format!("task/{id}")).await.1, admin.get(&format!("reloadtask/{id}")).await.1);
    let history = admin.found("executionresult", &format!("taskID eq {id}")).await;
    assert_eq!(history.len(), 3);
    let last =
        &tasks.iter().find(|task| task["id"] == id.as_str()).unwrap()["operational"]["lastExecutionResult"];
    assert_eq!(history[2]["id"], last["id"], "the newest is the last");
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let apps = admin.rows("app/full").await;
    let name = apps[0]["name"].as_str().unwrap();
    let modified = apps[30]["modifiedDate"].as_str().unwrap();
    let tagged = apps.iter().find(|app| !app["tags"].as_array().unwrap().is_empty()).unwrap();
    let tag = tagged["tags"][0]["name"].as_str().unwrap();
    let valued = apps.iter().find(|app| !app["customProperties"].as_array().unwrap().is_empty()).unwrap();
    let property = valued["customProperties"][0]["definition"]["name"].as_str().unwrap().replace(' ', "");
    let value = valued["customProperties"][0]["value"].as_str().unwrap();
    let date = |app: &Value| app["modifiedDate"].as_str().unwrap() >= modified;
    let has_tag = |app: &Value| app["tags"].as_array().unwrap().iter().any(|own| own["name"] == tag);
    let has_value = |app: &Value| {
        app["customProperties"].as_array().unwrap().iter().any(|own| {
            own["definition"]["name"].as_str().unwrap().replace(' ', "") == property && own["value"] == value
        })
    };
    type Expected<'a> = &'a dyn Fn(&Value) -> bool;
    let rows: &[(String, Expected<'_>)] = &[
        (format!("name eq '{}'", name.to_uppercase()), &|app| app["name"] == name),
        (format!("modifiedDate ge '{modified}'"), &date),
        (format!("not (modifiedDate ge '{modified}')"), &|app| !date(app)),
        ("published eq true and stream.name eq 'everyone'".to_owned(), &|app| {
            app["stream"]["name"] == "Everyone"
        }),
        ("stream eq null".to_owned(), &|app| app["stream"].is_null()),
        (format!("tags.name eq '{tag}'"), &has_tag),
        (format!("tags.name eq '{tag}' or published eq false"), &|app| {
            has_tag(app) || app["published"] == false
        }),
        (format!("id eq {}", apps[7]["id"].as_str().unwrap()), &|app| app["id"] == apps[7]["id"]),
        (format!("(owner.userId eq '{}')", simulator.user(0).1), &|app| app["owner"]["userId"] == "svc_qlik"),
        (format!("@{property} eq '{value}'"), &has_value),
        ("lastReloadTime eq '1753-01-01T00:00:00.000Z'".to_owned(), &|app| {
            app["lastReloadTime"] == "1753-01-01T00:00:00.000Z"
        }),
    ];
    for (filter, expected) in rows {
        let found = admin.found("app", filter).await;
        let wanted: Vec<Value> = apps.iter().filter(|app| expected(app)).cloned().collect();
        assert!(!wanted.is_empty() && wanted.len() < apps.len(), "{filter} tells nothing");
        assert_eq!(found, wanted, "{filter}");
        let count = admin.count(&format!("app/count?Filter={}", encoded(filter))).await;
        assert_eq!(count, wanted.len() as u64, "{filter}");
    }
    assert_eq!(admin.found("user", "roles eq 'RootAdmin'").await.len(), 2);
    assert_eq!(admin.found("user", r"(userDirectory eq 'INTERNAL' and userId sw 'sa_')").await.len(), 6);
    assert_eq!(admin.found("virtualproxyconfig", "prefix eq 'SSO'").await.len(), 1);
    assert_eq!(admin.found("virtualproxyconfig", "authenticationMethod eq Ticket").await.len(), 1);
}

#[tokio::test]
async fn filters_that_are_refused() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (filter, text) in [
        ("name eq \"x\"", "Cannot parse the expression: name eq \"x\""),
        ("name eq 'O''Neill'", "Cannot parse the expression: name eq 'O''Neill'"),
        ("()", "Invalid expression"),
        ("nothing eq 1", "Cannot parse the expression: nothing eq 1"),
    ] {
        let answer = admin.get(&format!("user?filter={}", encoded(filter))).await;
        assert_eq!(answer, (StatusCode::BAD_REQUEST, json!(text)), "{filter}");
    }
    let (status, _) = admin.get("app?orderby=name%20sideways").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn orders() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let lower = |rows: &[Value], key: &str| -> Vec<String> {
        texts(rows, key).into_iter().map(str::to_lowercase).collect()
    };
    let by_name = admin.rows("app/full?orderBy=name").await;
    assert!(lower(&by_name, "name").is_sorted());
    let newest = admin.rows("app/full?orderby=modifiedDate%20desc").await;
    assert!(texts(&newest, "modifiedDate").is_sorted_by(|a, b| a >= b));
    let both = admin.rows("user/full?orderby=userDirectory%20asc,userId%20desc").await;
    let keys: Vec<(String, String)> =
        lower(&both, "userDirectory").into_iter().zip(lower(&both, "userId")).collect();
    assert!(keys.is_sorted_by(|a, b| a.0 < b.0 || (a.0 == b.0 && a.1 >= b.1)), "{keys:?}");
}

#[tokio::test]
async fn selections() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let items = json!({"items": [{"type": "App", "objectID": simulator.app_id(1)}, {"type": "App", "objectID": simulator.app_id(2)}]});
    let (status, body) = admin.call(Method::POST, "selection", Some(items)).await;
    assert_eq!(status, StatusCode::CREATED);
    let path = format!("selection/{}", body["id"].as_str().unwrap());
    let rows = admin.rows(&format!("{path}/app/full")).await;
    assert_eq!(texts(&rows, "id"), [simulator.app_id(1), simulator.app_id(2)]);
    assert_eq!(admin.count(&format!("{path}/app/count")).await, 2);
    let items = json!({"items": [{"type": "ReloadTask", "objectID": simulator.reload_task_id(1)}]});
    let (_, body) = admin.call(Method::POST, "selection", Some(items)).await;
    let events = admin.rows(&format!("selection/{}/Event/full", body["id"].as_str().unwrap())).await;
    assert_eq!(
        (&events[0]["eventType"], &events[1]["eventType"]),
        (&json!(0), &json!(1)),
        "a schedule and a chain"
    );
    assert!(events.iter().all(|event| event["reloadTask"]["id"] == simulator.reload_task_id(1).as_str()));
    let (status, body) = admin.call(Method::POST, "selection/app?filter=published%20eq%20true", None).await;
    assert_eq!(status, StatusCode::CREATED);
    let published = admin.count("app/count?filter=published%20eq%20true").await;
    assert_eq!(body["items"].as_array().unwrap().len() as u64, published);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.status(&format!("{path}/app")).await, 404);
}

#[tokio::test]
async fn rounds_of_changes() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let before = admin.rows("user/full").await;
    simulator.change(Changes { percent: 20.0, revision: 1 });
    let after = admin.rows("user/full").await;
    let find = |rows: &[Value], id: &Value| rows.iter().find(|row| row["id"] == *id).cloned();
    let added = after.iter().filter(|row| find(&before, &row["id"]).is_none()).count();
    let removed = before.iter().filter(|row| find(&after, &row["id"]).is_none()).count();
    let moved = |row: &&Value| {
        find(&before, &row["id"]).is_some_and(|old| old["modifiedDate"] != row["modifiedDate"])
    };
    let modified = after.iter().filter(moved).count();
    assert!(added > 0 && removed > 0 && modified > removed, "{added} {removed} {modified}");
    let since = texts(&before, "modifiedDate").into_iter().max().unwrap().to_owned();
    let newer = admin.found("user", &format!("modifiedDate gt '{since}'")).await;
    assert_eq!(newer.len(), added + modified, "what changed is what a filter by time finds");
    let path = format!("notification/changes?since={}&types=User", encoded(&since));
    let changes = admin.rows(&path).await;
    let of = |sort: u64| changes.iter().filter(|change| change["changeType"] == sort).count();
    // The newest row of before is told again, unless it changed or went: its time is the one that was asked for.
    let newest = before.iter().find(|row| row["modifiedDate"] == since.as_str()).unwrap();
    let again =
        usize::from(find(&after, &newest["id"]).is_some_and(|row| row["modifiedDate"] == since.as_str()));
    assert_eq!((of(1), of(2), of(3)), (added, modified + again, removed));
    let deleted = changes.iter().find(|change| change["changeType"] == 3).unwrap();
    assert!(find(&before, &deleted["id"]).is_some() && find(&after, &deleted["id"]).is_none());
    assert_eq!(admin.status("notification/changes?types=User").await, 400, "since is needed");
    simulator.change(Changes::default());
    assert_eq!(admin.rows("user/full").await, before, "and back");
}

#[tokio::test]
async fn a_cap_is_silent() {
    let simulator = Simulator::start(Config { list_cap: Some(100), ..Config::default() }).await.unwrap();
    let admin = Client::admin(&simulator);
    assert_eq!((admin.rows("user/full").await.len(), admin.count("user/count").await), (100, 120));
}

#[tokio::test]
async fn a_long_list_arrives_whole() {
    let population = Population { apps: 1001, ..Population::of(60) };
    let simulator = Simulator::start(Config { population, ..Config::default() }).await.unwrap();
    let admin = Client::admin(&simulator);
    let rows = admin.rows("app/full").await;
    assert_eq!(rows.len(), 1001);
    assert_eq!(texts(&rows, "id").into_iter().collect::<HashSet<_>>().len(), 1001);
}

#[tokio::test]
async fn what_the_site_says_of_itself() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let enums = admin.get("about/api/enums").await.1;
    let holds = |group: &Value| group["usages"][0] == "VirtualProxyConfig.authenticationMethod";
    let methods = enums.as_object().unwrap().values().find(|group| holds(group)).unwrap();
    assert_eq!((&methods["values"][0], &methods["values"][4]), (&json!("0: Ticket"), &json!("4: JWT")));
    let relations = admin.get("about/api/relations").await.1;
    assert!(relations.as_array().unwrap().contains(&json!("App.owner > UserCondensed")));
    let template = admin.get("about/api/default/virtualproxyconfig?listentries=true").await.1;
    assert_eq!((&template["sessionInactivityTimeout"], &template["prefix"]), (&json!(30), &json!("")));
    assert_eq!(admin.get("license/accesstypeoverview").await.1["professionalAccess"]["total"], 50);
    assert!(
        admin
            .get("systemrule/security/referenceduserroles")
            .await
            .1
            .as_array()
            .unwrap()
            .contains(&json!("RootAdmin"))
    );
    let local = admin.get("servernodeconfiguration/local").await.1;
    assert_eq!((&local["isCentral"], &local["hostName"]), (&json!(true), &json!("localhost")));
    assert_eq!(admin.get("/engine/healthcheck").await.1["saturated"], false);
    assert_eq!(admin.get("/v1/systeminfo").await.1["productName"], "Qlik Sense");
    for (format, status) in
        [(json!(1), 201), (json!("Pem"), 201), (json!("Windows"), 201), (json!("zip"), 400)]
    {
        let body = json!({"MachineNames": ["agent01"], "ExportFormat": format, "includeSecretsKey": true});
        let path = "certificatedistribution/exportcertificates";
        assert_eq!(admin.call(Method::POST, path, Some(body)).await.0, status, "{format}");
    }
}
