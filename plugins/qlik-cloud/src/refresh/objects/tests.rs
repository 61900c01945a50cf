//! How rows become objects.

use super::KINDS;
use crate::client::Page;

fn read(kind: &str, row: &str) -> String {
    let kind = KINDS.iter().find(|candidate| candidate.noun.id == kind).unwrap();
    let body = format!("{{\"data\":[{row}],\"links\":{{\"next\":{{\"href\":null}}}}}}");
    let page = serde_json::from_str::<Page<'_>>(&body).unwrap();
    assert_eq!(page.next(), None);
    let object = &kind.objects(&page)[0];
    let links: Vec<_> =
        object.links.iter().map(|link| format!("{}={}:{}", link.relation, link.kind, link.id)).collect();
    format!(
        "{} \"{}\" in {:?} at {:?} [{}] {}",
        object.id,
        object.name,
        object.parent.as_deref().unwrap_or("-"),
        object.modified.as_deref().unwrap_or("-"),
        links.join(" "),
        object.attributes
    )
}

#[test]
fn every_kind_takes_what_matters_and_no_secret() {
    let rows = [
        (
            "app",
            r#"{"id":"66f0","name":"Sales","description":"","resourceType":"app","resourceSubType":"","resourceId":"2451e58e",
            "resourceAttributes":{"id":"2451e58e","name":"Sales"},"resourceCustomAttributes":null,
            "resourceCreatedAt":"2026-01-02T03:04:05.123Z","resourceUpdatedAt":"2026-11-21T05:00:12.000Z",
            "resourceReloadEndTime":"2026-11-21T05:00:11.000Z","resourceReloadStatus":"ok","resourceSize":{"appFile":12},
            "spaceId":"6271","ownerId":"64ef","updatedAt":"2026-11-21T05:00:13Z","meta":{"actions":["read"]}}"#,
        ),
        (
            "dataset",
            r#"{"id":"66f1","name":"Orders","resourceType":"dataset","resourceId":"d1","ownerId":"u"}"#,
        ),
        (
            "space",
            r#"{"id":"6271","type":"shared","name":"Finance","ownerId":"64ef","updatedAt":"2026-02-01T00:00:00Z"}"#,
        ),
        (
            "reload",
            r#"{"id":"r1","appId":"a1","userId":"u1","type":"chronos","status":"FAILED","creationTime":"2026-01-01T00:00:00Z",
            "endTime":"2026-01-01T00:01:00Z","partial":false,"errorMessage":"disk","log":"long"}"#,
        ),
        (
            "task",
            r#"{"id":"t1","name":"Nightly","enabled":true,"resourceId":"a1","start":{"schedule":{"recurrence":["RRULE:X"]}},
            "metadata":{"ownerId":"u1","spaceId":"s1","resourceType":"app","updatedAt":"2026-01-01T00:00:00Z",
            "orchestration":{"id":"o","lastRun":{"status":"SUCCEEDED"}}}}"#,
        ),
        (
            "report",
            r#"{"id":"p1","name":"Weekly","type":"template-sharing","subType":"pdf","appId":"a1","owner":"u1","enabled":true,
            "templateId":"x1","lastUpdated":"2026-01-01T00:00:00Z","emailContent":{"body":"private"},"encryptedState":{"cipher":"x"}}"#,
        ),
        (
            "report_template",
            r#"{"id":"x1","name":"Letter","type":"excel","ownerId":"u1","sourceAppId":"a1"}"#,
        ),
        (
            "user",
            r#"{"id":"u1","name":"Kit","email":"kit@example.com","subject":"s","status":"active",
            "assignedRoles":[{"id":"r1","name":"Steward"}],"lastUpdatedAt":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "role",
            r#"{"id":"r1","name":"Steward","type":"default","level":"user","assignedScopes":["a","b"]}"#,
        ),
        (
            "automation",
            r#"{"id":"m1","name":"Mail","ownerId":"u1","state":"available","runMode":"webhook","executionToken":"SECRET",
            "lastRunStatus":"finished","updatedAt":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "data_file",
            r#"{"id":"f1","name":"a.qvd","size":12,"ownerId":"u1","spaceId":"s1","modifiedDate":"2026-01-01T00:00:00Z",
            "contentUpdatedDate":"2026-01-02T00:00:00Z"}"#,
        ),
    ];
    let lines: String = rows.iter().map(|(kind, row)| format!("{kind}: {}\n", read(kind, row))).collect();
    assert!(!lines.contains("SECRET") && !lines.contains("private"));
    insta::assert_snapshot!(lines, @r#"
    app: 2451e58e "Sales" in "6271" at "2026-11-21T05:00:13Z" [owner=user:64ef] {"item":"66f0","created":"2026-01-02T03:04:05.123Z","reload_status":"ok","reloaded":"2026-11-21T05:00:11.000Z","size":{"appFile":12}}
    dataset: d1 "Orders" in "-" at "-" [owner=user:u] {"item":"66f1"}
    space: 6271 "Finance" in "-" at "2026-02-01T00:00:00Z" [owner=user:64ef] {"type":"shared"}
    reload: r1 "2026-01-01T00:00:00Z" in "a1" at "2026-01-01T00:01:00Z" [app=app:a1 started_by=user:u1] {"status":"FAILED","type":"chronos","partial":false,"error":"disk"}
    task: t1 "Nightly" in "s1" at "2026-01-01T00:00:00Z" [owner=user:u1 app=app:a1] {"enabled":true,"start":{"schedule":{"recurrence":["RRULE:X"]}},"resource_type":"app","last_run":{"status":"SUCCEEDED"}}
    report: p1 "Weekly" in "-" at "2026-01-01T00:00:00Z" [owner=user:u1 app=app:a1 template=report_template:x1] {"type":"template-sharing","format":"pdf","enabled":true}
    report_template: x1 "Letter" in "-" at "-" [owner=user:u1 app=app:a1] {"type":"excel"}
    user: u1 "Kit" in "-" at "2026-01-01T00:00:00Z" [role=role:r1] {"email":"kit@example.com","subject":"s","status":"active"}
    role: r1 "Steward" in "-" at "-" [] {"type":"default","level":"user","scopes":["a","b"]}
    automation: m1 "Mail" in "-" at "2026-01-01T00:00:00Z" [owner=user:u1] {"state":"available","run_mode":"webhook","last_run_status":"finished"}
    data_file: f1 "a.qvd" in "s1" at "2026-01-02T00:00:00Z" [owner=user:u1] {"size":12}
    "#);
}

#[test]
fn members_of_another_type_end_nothing() {
    let odd = r#"{"id":7,"name":null,"ownerId":{"a":1},"updatedAt":5,"description":{"x":[]},"spaceId":[]}"#;
    insta::assert_snapshot!(read("automation", odd), @r#"7 "7" in "-" at "5" [] {"description":{"x":[]}}"#);
}

#[test]
fn a_task_that_runs_something_else_is_not_linked_to_an_app() {
    let task = r#"{"id":"t1","name":"Flow","resourceId":"m1","metadata":{"resourceType":"automation"}}"#;
    assert_eq!(read("task", task), r#"t1 "Flow" in "-" at "-" [] {"resource_type":"automation"}"#);
}
