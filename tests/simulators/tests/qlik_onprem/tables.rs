//! Tables: columns, pages, orders.

use std::collections::HashSet;

use jackfield_simulators::qlik_onprem::{Config, Population, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, site};

fn columns(names: &[&str]) -> Value {
    let column = |name: &&str| json!({"name": name, "columnType": "Property", "definition": name});
    json!({"entity": "App", "columns": names.iter().map(column).collect::<Vec<_>>()})
}

#[tokio::test]
async fn columns_of_every_sort() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let body = json!({"type": "App", "columns": [
        {"name": "Key", "columnType": 1, "definition": "id"},
        {"name": "Stream", "columnType": "Property", "definition": "stream.name"},
        {"name": "Owner", "columnType": "Property", "definition": "owner.userId"},
        {"name": "Tags", "columnType": "List", "definition": "tag",
         "list": [{"name": "name", "columnType": "Property", "definition": "name"}]},
        {"name": "Rights", "columnType": "Privileges", "definition": "privileges"},
    ]});
    let (status, table) = admin.call(Method::POST, "app/table", Some(body)).await;
    assert_eq!((status, &table["schemaPath"]), (StatusCode::CREATED, &json!("Table")));
    assert_eq!(table["columnNames"], json!(["Key", "Stream", "Owner", "Tags", "Rights"]));
    let apps = admin.rows("app/full").await;
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), apps.len());
    for (row, app) in rows.iter().zip(&apps) {
        assert_eq!((&row[0], &row[1]), (&app["id"], &app["stream"]["name"]));
        assert_eq!(row[2], app["owner"]["userId"]);
        let names: Vec<Value> =
            app["tags"].as_array().unwrap().iter().map(|tag| json!([tag["name"]])).collect();
        assert_eq!(row[3]["rows"], json!(names));
        assert_eq!(row[4], json!(["create", "read", "update", "delete"]));
    }
}

#[tokio::test]
async fn pages_go_through_everything() {
    let population = Population { apps: 1234, ..Population::of(60) };
    let simulator = Simulator::start(Config { population, ..Config::default() }).await.unwrap();
    let admin = Client::admin(&simulator);
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let path = format!("app/table?skip={}&take=200&sortColumn=name&orderAscending=true", rows.len());
        let (_, table) = admin.call(Method::POST, &path, Some(columns(&["id", "name"]))).await;
        let page = table["rows"].as_array().unwrap().clone();
        rows.extend(page.clone());
        if page.len() < 200 {
            break;
        }
    }
    let ids: HashSet<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (1234, 1234));
    let names: Vec<String> = rows.iter().map(|row| row[1].as_str().unwrap().to_lowercase()).collect();
    assert!(names.is_sorted());
    let path = "app/table?skip=0&take=3&sortcolumn=name&orderascending=false&filter=published%20eq%20true";
    let (_, table) = admin.call(Method::POST, path, Some(columns(&["name", "published"]))).await;
    let last: Vec<&Value> = table["rows"].as_array().unwrap().iter().map(|row| &row[0]).collect();
    assert!(last[0].as_str() >= last[1].as_str() && last.len() == 3);
}

#[tokio::test]
async fn what_is_no_table() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (path, body) in [
        ("app/table", json!({"entity": "App"})),
        ("app/table", json!({"entity": "App", "columns": []})),
        ("app/table", columns(&["nothing"])),
        ("app/table", json!({"columns": [{"name": "x", "columnType": "Dance", "definition": "id"}]})),
        ("app/table?sortcolumn=nothing", columns(&["id"])),
        ("app/table?skip=some", columns(&["id"])),
        ("app/table?filter=x", columns(&["id"])),
    ] {
        assert_eq!(admin.call(Method::POST, path, Some(body)).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}
