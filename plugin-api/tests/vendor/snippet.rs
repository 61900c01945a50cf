//! The test that the README shows.

use crate::paged::Shelf;
use jackfield_plugin::testkit::{Answer, TestKit};
use serde_json::json;

#[test]
fn items_are_found() {
    let kit = TestKit::<Shelf>::new(json!({ "server": "https://shelf.example.com" })).secret("token");
    kit.on("GET", "/api/v1/items", Answer::json(200, json!({ "data": [{ "id": "a", "name": "Atlas" }] })))
        .on("GET", "/api/v1/users", Answer::status(403));

    let refresh = kit.refresh().unwrap();
    assert_eq!(refresh.ids("item"), ["a"]);
    assert!(kit.requests().iter().all(|request| request.has_bearer("token")));
}
