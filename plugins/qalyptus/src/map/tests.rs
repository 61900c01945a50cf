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
    insta::assert_snapshot!(told(Map::load(&PRODUCT, None).unwrap()), @"");
    insta::assert_snapshot!(told(load(over).unwrap()), @"");
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
    insta::assert_snapshot!(told, @"");
}

#[test]
fn the_key_may_have_a_header_of_its_own() {
    let map = load(r#"{ "auth": { "header": "x-api-key", "template": "{key}" } }"#).unwrap();
    assert!(map.tell()[1].contains("x-api-key: {key}"));
}
