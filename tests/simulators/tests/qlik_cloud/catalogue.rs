//! The content: every list to its end in its own style, revisions, sizes.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_simulators::qlik_cloud::{Changes, Config, Ending, Limits, Simulator};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, tenant};

/// Does a list's last page end as that list does?
type Ended<'a> = &'a dyn Fn(&Value) -> bool;

fn ids(rows: &[Value], member: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_list_is_read_to_its_end() {
    let simulator = tenant(100).await;
    let admin = Client::of_user(&simulator, 0);
    let missing = |links: &Value| links.get("next").is_none();
    let null = |links: &Value| links["next"] == Value::Null && links.get("next").is_some();
    let href_null = |links: &Value| links["next"] == json!({"href": null});
    let empty = |links: &Value| links["next"] == json!({"href": ""});
    let lists: [(&str, usize, Ended<'_>); 14] = [
        ("/api/v1/items?resourceType=app&limit=30", 100, &missing),
        ("/api/v1/items?limit=7", 175, &missing),
        ("/api/v1/spaces?limit=3", 10, &missing),
        ("/api/v1/users?limit=7", 50, &missing),
        ("/api/v1/roles?limit=3", 16, &missing),
        ("/api/v1/groups?limit=3", 5, &missing),
        ("/api/v1/reloads?limit=60", 200, &missing),
        ("/api/v1/audits?limit=100", 300, &missing),
        ("/api/scheduling/tasks?limit=7", 50, &null),
        ("/api/v1/sharing-tasks?limit=3", 10, &null),
        ("/api/workflows/automations?listAll=True&limit=3", 10, &href_null),
        ("/api/v1/data-files?includeAllSpaces=true&limit=7", 50, &href_null),
        ("/api/v1/data-connections?limit=7", 20, &empty),
        ("/api/v1/report-templates?limit=3", 10, &empty),
    ];
    for (path, count, ended) in lists {
        let (rows, links) = admin.all(path).await;
        assert_eq!(rows.len(), count, "{path}");
        assert_eq!(ids(&rows, "id").len(), rows.len(), "{path}: a row came twice");
        assert!(ended(&links), "{path}: {links}");
    }
}

#[tokio::test]
async fn a_list_can_be_told_how_to_end() {
    let endings = BTreeMap::from([("items".to_owned(), Ending::Empty)]);
    let simulator = Simulator::start(Config { endings, ..Config::default() }).await.unwrap();
    let (_, links) = Client::of_user(&simulator, 0).all("/api/v1/items?limit=100").await;
    assert_eq!(links["next"]["href"], "");
}

#[tokio::test]
async fn sorting_is_real_and_pages_lead_back() {
    let simulator = tenant(100).await;
    let admin = Client::of_user(&simulator, 0);
    for (sort, member, rising) in [
        ("%2BcreatedAt", "createdAt", true),
        ("-createdAt", "createdAt", false),
        ("-updatedAt", "updatedAt", false),
        ("%2Bname", "name", true),
    ] {
        let (rows, _) = admin.all(&format!("/api/v1/items?limit=20&sort={sort}")).await;
        let values: Vec<&str> = rows.iter().map(|row| row[member].as_str().unwrap()).collect();
        assert_eq!(values.len(), 175, "{sort}");
        assert!(values.windows(2).all(|pair| pair[0] == pair[1] || (pair[0] < pair[1]) == rising), "{sort}");
    }
    let (_, first) = admin.get("/api/v1/items?limit=20").await;
    let (_, second) = admin.get(first["links"]["next"]["href"].as_str().unwrap()).await;
    let (_, back) = admin.get(second["links"]["prev"]["href"].as_str().unwrap()).await;
    assert_eq!(first["data"], back["data"]);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let simulator = tenant(10).await;
    let admin = Client::of_user(&simulator, 0);
    for (path, parameter) in [
        ("/api/v1/items?limit=101", "limit"),
        ("/api/v1/items?limit=0", "limit"),
        ("/api/v1/items?sort=+name", "sort"),
        ("/api/v1/items?noActions=perhaps", "noActions"),
        ("/api/v1/items?next=rubbish", "next"),
        ("/api/v1/users?filter=shoe%20eq%20%2243%22", "filter"),
    ] {
        let (status, body) = admin.get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(body["errors"][0]["source"]["parameter"], parameter, "{path}");
    }
}

#[tokio::test]
async fn objects_are_found_by_the_ids_of_the_lists() {
    let simulator = tenant(50).await;
    let admin = Client::of_user(&simulator, 0);
    let (items, _) = admin.all("/api/v1/items?limit=100").await;
    for item in &items {
        let (kind, id) = (item["resourceType"].as_str().unwrap(), item["resourceId"].as_str().unwrap());
        let (path, name) = match kind {
            "app" => (format!("/api/v1/apps/{id}"), "/attributes/name"),
            "dataset" => (format!("/api/v1/data-sets/{id}"), "/name"),
            "automation" => (format!("/api/v1/automations/{id}"), "/name"),
            _ => continue,
        };
        let (status, body) = admin.get(&path).await;
        assert_eq!((status, body.pointer(name)), (StatusCode::OK, Some(&item["name"])), "{path}");
        let (status, one) = admin.get(&format!("/api/v1/items/{}", item["id"].as_str().unwrap())).await;
        assert_eq!((status, &one["name"]), (StatusCode::OK, &item["name"]));
    }
    assert_eq!(admin.get("/api/v1/apps/00000000-0000-4000-8000-000000000000").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn filters_narrow() {
    let simulator = tenant(200).await;
    let admin = Client::of_user(&simulator, 0);
    let (spaces, _) = admin.all("/api/v1/spaces?limit=100").await;
    let space = spaces[0]["id"].as_str().unwrap();
    let (inside, _) = admin.all(&format!("/api/v1/items?spaceId={space}&limit=100")).await;
    assert!(!inside.is_empty() && inside.iter().all(|item| item["spaceId"] == space));
    let (personal, _) = admin.all("/api/v1/items?spaceId=personal&limit=100").await;
    assert!(!personal.is_empty() && personal.iter().all(|item| item.get("spaceId").is_none()));
    let (two, _) = admin.all("/api/v1/items?resourceType=app[qvd,],note&limit=100").await;
    assert_eq!(two.len(), 210);
    let (admins, _) = admin.all("/api/v1/users?filter=assignedRoles.name%20eq%20%22TenantAdmin%22").await;
    assert_eq!(admins.len(), 1);
    let filter = "filter=updatedAt%20gt%20%222026-09-01T00:00:00Z%22";
    let (late, _) = admin.all(&format!("/api/scheduling/tasks?{filter}&limit=100")).await;
    assert!(!late.is_empty() && late.len() < 100);
}

#[tokio::test]
async fn a_revision_shows_in_both_orders() {
    let simulator = tenant(1000).await;
    let admin = Client::of_user(&simulator, 0);
    let (before, _) = admin.all("/api/v1/items?resourceType=app&limit=100").await;
    simulator.change(Changes { percent: 5.0, revision: 1 });
    let (after, _) = admin.all("/api/v1/items?resourceType=app&limit=100").await;
    let (by_update, _) = admin.all("/api/v1/items?resourceType=app&limit=100&sort=-updatedAt").await;
    let (old, new) = (ids(&before, "id"), ids(&after, "id"));
    assert_eq!(new, ids(&by_update, "id"));
    let (removed, added) = (old.difference(&new).count(), new.difference(&old).count());
    assert!((1..15).contains(&removed), "{removed} removed");
    assert_eq!(added, 5);
    let fresh = by_update.iter().take_while(|app| app["updatedAt"].as_str().unwrap() > "2026-11-01").count();
    assert!((30..70).contains(&fresh), "{fresh} fresh");
    let times: Vec<&str> = by_update.iter().map(|app| app["updatedAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|left, right| left >= right));
}

#[tokio::test]
async fn a_million_apps_are_there_at_once() {
    let simulator = tenant(1_000_000).await;
    let admin = Client::of_user(&simulator, 0);
    let (_, page) = admin.get("/api/v1/items?resourceType=app&limit=100&sort=-createdAt").await;
    let id = page["data"][99]["resourceId"].as_str().unwrap();
    assert_eq!(id, simulator.app_id(999_900));
    assert_eq!(admin.get(&format!("/api/v1/apps/{id}")).await.0, StatusCode::OK);
    assert_eq!(admin.get("/api/v1/users/actions/count").await.1["total"], 500_000);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_tenant() {
    let start = async |seed| {
        Simulator::start(Config { seed, limits: Limits::off(), ..Config::default() }).await.unwrap()
    };
    let (one, same, other) = (start(5).await, start(5).await, start(6).await);
    assert_eq!((one.app_id(7), one.tenant_id()), (same.app_id(7), same.tenant_id()));
    assert_ne!(one.app_id(7), other.app_id(7));
}
