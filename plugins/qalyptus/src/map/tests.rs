//! What a connection may lay over a map, and what it may not.

use super::Map;
use crate::Product;
use jackfield_plugin::Failure;

const TINY: &str = r#"{
    "schema": 1, "product": "tiny", "base_path": "/api/v1",
    "auth": { "header": "Authorization", "template": "Bearer {key}", "evidence": "LIVE" },
    "envelope": { "data": ["data", "$"], "ok": "isSuccess", "error": ["error"], "evidence": "CODE" },
    "paging": { "mode": "none", "total": ["total"], "offset_param": "offset", "limit_param": "limit", "limit": 100, "evidence": "GUESS" },
    "status": { "auth_refused": [401], "auth_expired": [417], "forbidden": [403], "rate_limited": [429], "evidence": "INFERRED" },
    "probe": "projects.list",
    "operations": {
        "projects.list": { "required": true, "try": [{ "path": "/projects", "evidence": "LIVE" }], "columns": { "id": "id" } },
        "users.list": { "try": [{ "path": "/users", "evidence": "DOC" }], "columns": { "id": "id" } },
        "roles.list": { "try": [{ "path": "/roles", "evidence": "GUESS" }], "columns": { "id": "id" },
            "derive": { "from": "users.list", "pick": [{ "id": "role" }], "evidence": "GUESS" } }
    },
    "checks": { "link": { "mode": "check", "try": [{ "path": "/link", "evidence": "GUESS" }],
        "pass_when": [{ "path": "on", "equals": true }], "evidence": "GUESS" } }
}"#;

const PRODUCT: Product = Product {
    id: "tiny",
    name: "Tiny",
    map: TINY,
    without: &["apps.list"],
    address: "its address",
    keys: "Keys",
};

fn load(over: &str) -> Result<Map, Failure> {
    Map::load(&PRODUCT, Some(over))
}

#[test]
fn the_log_shows_the_map_and_every_guess_in_it() {
    let over = r#"{ "operations": { "roles.list": { "try": ["/security-roles"] }, "users.list": null },
        "checks": { "link": { "mode": "skip" } } }"#;
    load(over).map(|_| ()).unwrap_err();
    let over = r#"{ "operations": { "roles.list": { "try": ["/security-roles", "/roles"], "derive": null }, "users.list": null },
        "checks": { "link": { "mode": "skip" } } }"#;
    let told = |map: Map| map.tell().join("\n");
    insta::assert_snapshot!(told(Map::load(&PRODUCT, None).unwrap()), @r#"
    endpoint map of tiny (built in), below /api/v1
    endpoint map: the API key goes into Authorization: Bearer {key} (seen on a live tenant)
    endpoint map: envelope of answers (in the vendor's published code), meaning of statuses (concluded, not proven)
    endpoint map: further pages by offset and limit (A GUESS)
    endpoint map: projects.list (required): GET /projects (seen on a live tenant)
    endpoint map: roles.list (optional): GET /roles (A GUESS); else made of the rows of users.list (A GUESS)
    endpoint map: users.list (optional): GET /users (in the vendor's help)
    endpoint map: link (check): GET /link (A GUESS); its members: A GUESS
    "#);
    insta::assert_snapshot!(told(load(over).unwrap()), @r#"
    endpoint map of tiny (built in, changed by this connection), below /api/v1
    endpoint map: the API key goes into Authorization: Bearer {key} (seen on a live tenant)
    endpoint map: envelope of answers (in the vendor's published code), meaning of statuses (concluded, not proven)
    endpoint map: further pages by offset and limit (A GUESS)
    endpoint map: projects.list (required): GET /projects (seen on a live tenant)
    endpoint map: roles.list (optional): GET /security-roles (set for this connection), else GET /roles (set for this connection)
    endpoint map: link (check): turned off
    "#);
}

#[test]
fn nothing_laid_over_is_the_built_in_map() {
    let built_in = Map::load(&PRODUCT, None).unwrap().tell();
    for nothing in ["", "  \n"] {
        assert_eq!(load(nothing).unwrap().tell(), built_in);
    }
}

#[test]
fn whatever_cannot_be_right_is_refused_and_named() {
    let operation = |name: &str, entry: &str| format!(r#"{{ "operations": {{ "{name}": {entry} }} }}"#);
    let try_path = |path: &str| operation("users.list", &format!(r#"{{ "try": ["{path}"] }}"#));
    let cases = [
        "{".to_owned(),
        "[1]".to_owned(),
        r#"{ "schema": 2 }"#.to_owned(),
        r#"{ "product": "other" }"#.to_owned(),
        r#"{ "base": "/api" }"#.to_owned(),
        r#"{ "base_path": "api/v2" }"#.to_owned(),
        r#"{ "base_path": "/api/v2/" }"#.to_owned(),
        r#"{ "auth": { "header": "X Key", "template": "{key}" } }"#.to_owned(),
        r#"{ "auth": { "header": "X-Other", "template": "{key}" } }"#.to_owned(),
        r#"{ "auth": { "template": "Token {key}" } }"#.to_owned(),
        r#"{ "envelope": { "data": [] } }"#.to_owned(),
        r#"{ "envelope": { "data": ["data[0]"] } }"#.to_owned(),
        r#"{ "paging": { "mode": "link" } }"#.to_owned(),
        r#"{ "paging": { "limit": 0 } }"#.to_owned(),
        r#"{ "paging": { "offset_param": "a&b" } }"#.to_owned(),
        r#"{ "status": { "forbidden": [200] } }"#.to_owned(),
        r#"{ "probe": "nothing" }"#.to_owned(),
        operation("projects.list", "null"),
        operation("projects.lists", r#"{ "try": ["/p"] }"#),
        operation("apps.list", r#"{ "try": ["/apps"], "columns": { "id": "id" } }"#),
        operation("filters.list", r#"{ "try": ["/filters"] }"#),
        operation("users.list", r#"{ "try": [] }"#),
        operation("users.list", r#"{ "path": "/users" }"#),
        operation("users.list", r#"{ "columns": { "id": "a==b" } }"#),
        operation("users.list", r#"{ "columns": { "id": 7 } }"#),
        operation("users.list", r#"{ "parent": "roles.list" }"#),
        operation("users.list", r#"{ "parent": "nothing" }"#),
        operation("users.list", r#"{ "links": [{ "relation": "app", "kind": "app", "id": "appId" }] }"#),
        operation("users.list", "null"),
        try_path("users"),
        try_path("https://evil.example/users"),
        try_path("//evil.example/users"),
        try_path("/../users"),
        try_path("/us ers"),
        try_path("/%2e%2e/users"),
        try_path("/users#x"),
        try_path("/users/{id}"),
        try_path("/users/{name}"),
        r#"{ "checks": { "link": { "pass_when": [] } } }"#.to_owned(),
        r#"{ "checks": { "link": { "pass_when": [{ "path": "on" }] } } }"#.to_owned(),
        r#"{ "checks": { "link": { "mode": "maybe" } } }"#.to_owned(),
        r#"{ "checks": { "link": { "fallback": { "operation": "apps.list", "rows_above": 0 } } } }"#
            .to_owned(),
    ];
    let told: String = cases
        .iter()
        .map(|over| {
            let failure = load(over).map(|map| map.tell()).expect_err(over);
            assert_eq!(failure.field.as_deref(), Some("endpoint_map"), "{over}");
            let message =
                failure.message.strip_prefix("the endpoint map of this connection is wrong: ").unwrap();
            format!("{over}\n    {message}\n")
        })
        .collect();
    insta::assert_snapshot!(told, @r#"
    {
        it is no JSON: EOF while parsing an object at line 1 column 1
    [1]
        it has to be a JSON object with the entries to replace
    { "schema": 2 }
        schema: 2 is not known here, only 1
    { "product": "other" }
        product: it is for "other", and this is "tiny"
    { "base": "/api" }
        unknown field `base`, expected one of `schema`, `product`, `base_path`, `auth`, `envelope`, `paging`, `status`, `probe`, `operations`, `checks`
    { "base_path": "api/v2" }
        base_path: "api/v2" is no path: it has to begin with a slash
    { "base_path": "/api/v2/" }
        base_path: it ends without a slash and has neither a query nor {id}
    { "auth": { "header": "X Key", "template": "{key}" } }
        auth: header: "X Key" is no name of a header
    { "auth": { "header": "X-Other", "template": "{key}" } }
        auth: the key can go into the header Authorization as "Bearer {key}", or into X-API-Key as "{key}", and not into X-Other as "{key}"
    { "auth": { "template": "Token {key}" } }
        auth: the key can go into the header Authorization as "Bearer {key}", or into X-API-Key as "{key}", and not into Authorization as "Token {key}"
    { "envelope": { "data": [] } }
        envelope, data: no place for a list is named
    { "envelope": { "data": ["data[0]"] } }
        envelope: "data[0]" is no dotted path: names with dots between, or "$"
    { "paging": { "mode": "link" } }
        paging: unknown variant `link`, expected `none` or `offset`
    { "paging": { "limit": 0 } }
        paging, limit: 0 is not between 1 and 10000
    { "paging": { "offset_param": "a&b" } }
        paging, offset_param: "a&b" is no name of a parameter
    { "status": { "forbidden": [200] } }
        status: 200 is not the status of a refusal
    { "probe": "nothing" }
        probe: there is no operation "nothing"
    { "operations": { "projects.list": null } }
        probe: there is no operation "projects.list"
    { "operations": { "projects.lists": { "try": ["/p"] } } }
        operations, "projects.lists": there is no such operation; those that there are: projects.list, connections.list, filters.list, reports.list, reports.filters, reports.templateItems, tasks.list, tasks.recipients, tasks.reports, tasks.triggers, users.list, groups.list, organizations.list, roles.list, version
    { "operations": { "apps.list": { "try": ["/apps"], "columns": { "id": "id" } } } }
        operations, "apps.list": there is no such operation; those that there are: projects.list, connections.list, filters.list, reports.list, reports.filters, reports.templateItems, tasks.list, tasks.recipients, tasks.reports, tasks.triggers, users.list, groups.list, organizations.list, roles.list, version
    { "operations": { "filters.list": { "try": ["/filters"] } } }
        operations, "filters.list": columns: the column "id" is missing
    { "operations": { "users.list": { "try": [] } } }
        operations, "users.list": try: it names no path; to take the operation away, set it to null
    { "operations": { "users.list": { "path": "/users" } } }
        operations, "users.list": unknown field `path`, expected one of `required`, `parent`, `try`, `rows`, `rows_may_miss`, `nested`, `columns`, `links`, `derive`
    { "operations": { "users.list": { "columns": { "id": "a==b" } } } }
        operations, "users.list": "a==b" is no dotted path: names with dots between, or "$"
    { "operations": { "users.list": { "columns": { "id": 7 } } } }
        operations, "users.list": invalid type: integer `7`, expected a dotted path, or an array of them
    { "operations": { "users.list": { "parent": "roles.list" } } }
        operations, "users.list": parent: "roles.list" is read later than this
    { "operations": { "users.list": { "parent": "nothing" } } }
        operations, "users.list": parent: there is no operation "nothing"
    { "operations": { "users.list": { "links": [{ "relation": "app", "kind": "app", "id": "appId" }] } } }
        operations, "users.list": links: "app" is no kind of object here
    { "operations": { "users.list": null } }
        operations, "roles.list": derive, from: there is no operation "users.list"
    { "operations": { "users.list": { "try": ["users"] } } }
        operations, "users.list": try, entry 1: "users" is no path: it has to begin with a slash
    { "operations": { "users.list": { "try": ["https://evil.example/users"] } } }
        operations, "users.list": try, entry 1: "https://evil.example/users" leads to an address of its own; only paths on this connection's server are asked
    { "operations": { "users.list": { "try": ["//evil.example/users"] } } }
        operations, "users.list": try, entry 1: "//evil.example/users" leads to an address of its own; only paths on this connection's server are asked
    { "operations": { "users.list": { "try": ["/../users"] } } }
        operations, "users.list": try, entry 1: "/../users" leads upwards with ".."
    { "operations": { "users.list": { "try": ["/us ers"] } } }
        operations, "users.list": try, entry 1: "/us ers" holds ' ', which no path here needs
    { "operations": { "users.list": { "try": ["/%2e%2e/users"] } } }
        operations, "users.list": try, entry 1: "/%2e%2e/users" holds '%', which no path here needs
    { "operations": { "users.list": { "try": ["/users#x"] } } }
        operations, "users.list": try, entry 1: "/users#x" holds '#', which no path here needs
    { "operations": { "users.list": { "try": ["/users/{id}"] } } }
        operations, "users.list": try, entry 1: "/users/{id}" has {id}, but there is no parent to take it from
    { "operations": { "users.list": { "try": ["/users/{name}"] } } }
        operations, "users.list": try, entry 1: "/users/{name}" may hold {id} once, and no other braces
    { "checks": { "link": { "pass_when": [] } } }
        checks, "link": pass_when: without a rule anything would pass
    { "checks": { "link": { "pass_when": [{ "path": "on" }] } } }
        checks, "link": the rule for "on" needs either "equals" or "present"
    { "checks": { "link": { "mode": "maybe" } } }
        checks, "link": unknown variant `maybe`, expected `check` or `skip`
    { "checks": { "link": { "fallback": { "operation": "apps.list", "rows_above": 0 } } } }
        checks, "link": fallback: there is no operation "apps.list"
    "#);
}

#[test]
fn what_no_server_needs_is_too_much() {
    let paths = |count: usize| {
        let paths: Vec<String> = (0..count).map(|at| format!("\"/users{at}\"")).collect();
        format!(r#"{{ "operations": {{ "users.list": {{ "try": [{}] }} }} }}"#, paths.join(","))
    };
    let check = |count: usize| paths(count).replace("operations", "checks").replace("users.list", "link");
    let long = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
    let refused = |over: &str| {
        let failure = load(over).map(|map| map.tell()).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("endpoint_map"));
        failure.message
    };
    for fine in [paths(16), check(16), long(64 * 1024)] {
        load(&fine).unwrap();
    }
    let told = [paths(17), check(5000), long(64 * 1024 + 1), paths(5000)].map(|over| refused(&over));
    insta::assert_snapshot!(told.join("\n"), @r#"
    the endpoint map of this connection is wrong: operations, "users.list": try: it names 17 paths, and at most 16 are tried one after the other
    the endpoint map of this connection is wrong: checks, "link": try: it names 5000 paths, and at most 16 are tried one after the other
    the endpoint map of this connection is wrong: it has 65 KiB, and at most 64 KiB are read
    the endpoint map of this connection is wrong: operations, "users.list": try: it names 5000 paths, and at most 16 are tried one after the other
    "#);
}

#[test]
fn a_message_is_one_line_whatever_the_map_holds() {
    for over in [
        r#"{ "base_path": "/a\n/b" }"#,
        r#"{ "product": "a\nb\u001b[2J" }"#,
        r#"{ "operations": { "a\nb": { "try": ["/a"] } } }"#,
        r#"{ "operations": { "users.list": { "try": ["/a\r\nb"] } } }"#,
        r#"{ "operations": { "users.list": { "parent": "a\nb" } } }"#,
        r#"{ "auth": { "header": "X\nKey", "template": "{key}" } }"#,
        r#"{ "auth": { "template": "a\nb {key}" } }"#,
        r#"{ "envelope": { "data": ["a\nb"] } }"#,
        r#"{ "paging": { "offset_param": "a\nb" } }"#,
        r#"{ "probe": "a\nb" }"#,
        r#"{ "checks": { "link": { "mode": "a\nb" } } }"#,
        r#"{ "a\nb": 1 }"#,
    ] {
        let message = load(over).map(|map| map.tell()).expect_err(over).message;
        assert!(!message.contains(char::is_control), "{over}: {message}");
    }
}

#[test]
fn the_key_may_have_a_header_of_its_own() {
    let map = load(r#"{ "auth": { "header": "x-api-key", "template": "{key}" } }"#).unwrap();
    assert!(map.tell()[1].contains("x-api-key: {key} (set for this connection)"));
}
