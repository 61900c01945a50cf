//! Rights: whoever may not see a row does not see it.

use jackfield_simulators::nprinting::{Config, NewRole, NewUser, Permission};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, server};

fn has(rows: &[Value], id: &str) -> bool {
    rows.iter().any(|row| row["id"] == id)
}

#[tokio::test]
async fn the_limited_user_sees_less_and_no_error() {
    let simulator = server(Config::default()).await;
    let (admin, limited) = (Client::of_user(&simulator, 0), Client::of_user(&simulator, 1));
    let apps = limited.all("apps").await;
    assert!(has(&apps, &simulator.app_id(0)) && !has(&apps, &simulator.app_id(1)));
    for list in ["connections", "filters", "reports", "tasks"] {
        let (some, every) = (limited.all(list).await, admin.all(list).await);
        assert!(!some.is_empty() && some.len() < every.len(), "{list}");
        assert!(some.iter().all(|row| every.contains(row)));
    }
    let path = format!("filters?appId={}", simulator.app_id(1));
    assert_eq!(limited.all(&path).await.len(), 0);
    assert_eq!(limited.status(&format!("apps/{}", simulator.app_id(1))).await, 404);
    assert_eq!(limited.status(&format!("tasks/{}/executions", simulator.task_id(1))).await, 404);
    for list in ["users", "groups", "roles", "audit/events"] {
        assert_eq!(limited.all(list).await.len(), 0, "{list}");
    }
    simulator.set_forbid_instead_of_empty(true);
    for list in ["users", "groups", "roles", "audit/events"] {
        assert_eq!((limited.status(list).await, admin.status(list).await), (403, 200), "{list}");
    }
    assert_eq!(limited.status("tasks").await, 200);
}

#[tokio::test]
async fn roles_of_ones_own() {
    let simulator = server(Config::default()).await;
    let apps = vec![simulator.app_id(1)];
    let role = |enabled, permissions: &[Permission]| {
        let new =
            NewRole { apps: apps.clone(), enabled, permissions: permissions.to_vec(), ..NewRole::default() };
        simulator.create_role(&new).unwrap()
    };
    let (narrow, disabled) = (role(true, &[Permission::Apps]), role(false, &[Permission::Users]));
    let user =
        simulator.create_user(&NewUser { roles: vec![narrow, disabled], ..NewUser::default() }).unwrap();
    let client = Client::claiming(&simulator, &json!({"email": "connector@example.com"}));
    let seen = client.all("apps").await;
    assert!(seen.len() == 1 && has(&seen, &simulator.app_id(1)));
    assert_eq!((client.all("tasks").await.len(), client.all("users").await.len()), (0, 0));
    simulator.set_roles(&user, &[&simulator.role_id(0)]).unwrap();
    assert_eq!((client.all("apps").await.len(), client.all("users").await.len()), (12, 121));
    simulator.set_roles(&user, &[]).unwrap();
    assert_eq!((client.status("apps").await, client.all("apps").await.len()), (200, 0));
}

#[tokio::test]
async fn what_may_be_seen_may_not_be_done() {
    let simulator = server(Config::default()).await;
    let limited = Client::of_user(&simulator, 1);
    let run = async |task: u64| {
        let path = format!("tasks/{}/executions", simulator.task_id(task));
        limited.call(Method::POST, &path, None).await.0.as_u16()
    };
    assert_eq!((run(0).await, run(1).await), (403, 404));
    assert_eq!(limited.call(Method::POST, "groups", Some(json!({"name": "x"}))).await.0.as_u16(), 403);
    let path = format!("users/{}", simulator.user_id(3));
    assert_eq!(limited.call(Method::DELETE, &path, None).await.0.as_u16(), 404);
}
