//! Writes: what they answer, that they are seen, and who comes too late.

use jackfield_simulators::qlik_onprem::{Action, Config, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

use crate::client::{Client, encoded, site};

#[tokio::test]
async fn a_tag_comes_changes_and_goes() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let (status, tag) = admin.call(Method::POST, "tag", Some(json!({"name": "Made"}))).await;
    assert_eq!((status, &tag["name"]), (StatusCode::CREATED, &json!("Made")));
    assert_eq!(tag["modifiedByUserName"], r"EXAMPLE\svc_qlik");
    let path = format!("tag/{}", tag["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.1, tag);
    assert_eq!(admin.call(Method::POST, "tag", Some(json!({"name": "made"}))).await.0, 400, "names differ");
    let mut changed = tag.clone();
    changed["name"] = json!("Renamed");
    let (status, written) = admin.call(Method::PUT, &path, Some(changed)).await;
    assert_eq!((status, &written["name"]), (StatusCode::OK, &json!("Renamed")));
    assert!(written["modifiedDate"].as_str() > tag["modifiedDate"].as_str());
    assert_eq!(admin.found("tag", "name eq 'renamed'").await.len(), 1);
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!((admin.status(&path).await, admin.count("tag/count").await), (404, 8));
    let actions: Vec<Action> = simulator.events().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::Created, Action::Updated, Action::Deleted]);
    assert_eq!(simulator.events()[1].changed, ["name"]);
}

#[tokio::test]
async fn whoever_is_late_is_told_so() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let path = format!("app/{}", simulator.app_id(5));
    let app = admin.get(&path).await.1;
    let with = |date: Value| {
        let mut body = app.clone();
        body["modifiedDate"] = date;
        body["description"] = json!("Written");
        body
    };
    let mut dateless = with(Value::Null);
    dateless.as_object_mut().unwrap().remove("modifiedDate");
    for (what, body, status) in [
        ("older", with(json!("2020-01-01T00:00:00.000Z")), 409),
        ("none", with(Value::Null), 409),
        ("not there", dateless, 409),
        ("as read", with(app["modifiedDate"].clone()), 200),
        ("as read, again", with(app["modifiedDate"].clone()), 409),
        ("later than now", with(json!("2099-01-01T00:00:00.000Z")), 200),
    ] {
        assert_eq!(admin.call(Method::PUT, &path, Some(body)).await.0, status, "{what}");
    }
    let refused = simulator.events().iter().filter(|event| event.action == Action::Refused).count();
    assert_eq!(refused, 4);
    let mut other = admin.get(&path).await.1;
    other["id"] = json!(simulator.app_id(6));
    assert_eq!(admin.call(Method::PUT, &path, Some(other)).await.0, 400, "the body is of another row");
}

#[tokio::test]
async fn members_must_fit() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    for (path, body) in [
        ("tag", json!({})),
        ("tag", json!({"name": 7})),
        ("reloadtask", json!({"name": "x", "app": {"id": "00000000-0000-0000-0000-000000000000"}})),
        ("user", json!({"userId": "SVC_qlik", "userDirectory": "example"})),
        ("stream", json!({"name": "x", "tags": [{"id": "00000000-0000-0000-0000-000000000000"}]})),
    ] {
        assert_eq!(admin.call(Method::POST, path, Some(body.clone())).await.0, 400, "{path} {body}");
    }
    let many = json!([{"name": "one"}, {"name": "two"}]);
    let (status, rows) = admin.call(Method::POST, "tag/many", Some(many)).await;
    assert_eq!((status.as_u16(), rows.as_array().unwrap().len()), (201, 2));
    let app = json!({"name": "Made", "tags": [{"id": rows[0]["id"]}]});
    let (_, app) = admin.call(Method::POST, "app", Some(app)).await;
    assert_eq!((&app["tags"][0]["name"], &app["owner"]["userId"]), (&json!("one"), &json!("svc_qlik")));
    assert_eq!(admin.found("app", "tags.name eq 'one'").await[0]["id"], app["id"]);
    // A client that knows no owner sends an empty one.
    let property = admin.rows("custompropertydefinition").await.remove(0);
    let value = json!([{"value": "North", "definition": {"id": property["id"]}}]);
    let body = json!({"name": "Made stream", "owner": {}, "customProperties": value});
    let (status, stream) = admin.call(Method::POST, "stream", Some(body)).await;
    assert_eq!((status.as_u16(), &stream["owner"]["userId"]), (201, &json!("svc_qlik")), "{stream}");
    assert_eq!(stream["customProperties"][0]["definition"]["name"], property["name"]);
    let name = property["name"].as_str().unwrap();
    assert_eq!(admin.found("stream", &format!("@{name} eq 'north'")).await[0]["id"], stream["id"]);
}

#[tokio::test]
async fn a_task_runs() {
    let simulator = Simulator::start(Config { pace: Duration::ZERO, ..Config::default() }).await.unwrap();
    let slow = site().await;
    let id = simulator.reload_task_id(0);
    let status = async |client: &Client| {
        client.get(&format!("reloadtask/{id}")).await.1["operational"]["lastExecutionResult"]["status"]
            .clone()
    };
    let admin = Client::admin(&simulator);
    let (code, body) = admin.call(Method::POST, &format!("task/{id}/start/synchronous"), None).await;
    assert!(code == 201 && body["value"].is_string(), "{body}");
    assert_eq!(status(&admin).await, 7);
    let patient = Client::admin(&slow);
    let start = format!("task/{id}/start");
    assert_eq!(patient.call(Method::POST, &start, None).await.0, 204);
    assert_eq!(patient.call(Method::POST, &start, None).await.0, 409, "it runs already");
    assert_eq!(patient.call(Method::POST, &format!("task/{id}/stop"), None).await.0, 204);
    assert_eq!(status(&patient).await, 6);
    let done: Vec<Action> = slow.events().iter().map(|event| event.action).collect();
    assert_eq!(done, [Action::Started, Action::Stopped]);
}

#[tokio::test]
async fn a_run_is_in_the_history_of_its_task() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let id = simulator.reload_task_id(0);
    let history = async || admin.found("executionresult", &format!("taskID eq {id}")).await;
    let before = history().await;
    let last =
        async || admin.get(&format!("reloadtask/{id}")).await.1["operational"]["lastExecutionResult"].clone();

    admin.call(Method::POST, &format!("task/{id}/start"), None).await;
    let result = last().await;
    let path = format!("executionresult/{}", result["id"].as_str().unwrap());
    let (code, run) = admin.get(&path).await;
    assert_eq!((code.as_u16(), &run["status"], &run["taskID"]), (200, &json!(2), &json!(id)), "{run}");
    assert_eq!(
        (run["appID"].as_str(), &run["startTime"]),
        (Some(&*simulator.app_id(0)), &result["startTime"])
    );
    assert_eq!(history().await.len(), before.len() + 1);

    admin.call(Method::POST, &format!("task/{id}/stop"), None).await;
    assert_eq!(
        (last().await["id"].clone(), last().await["status"].clone()),
        (result["id"].clone(), json!(6))
    );
    assert_eq!(admin.get(&path).await.1["status"], 6, "the run that was stopped is the one that was started");
    let aborted = admin.found("executionresult", &format!("taskID eq {id} and status eq Aborted")).await;
    assert_eq!(aborted.len(), 1);

    let quick = Simulator::start(Config { pace: Duration::ZERO, ..Config::default() }).await.unwrap();
    let admin = Client::admin(&quick);
    let (_, body) = admin.call(Method::POST, &format!("task/{id}/start/synchronous"), None).await;
    let filter = format!("executionID eq {}", body["value"].as_str().unwrap());
    let ended = admin.found("executionresult", &filter).await;
    assert_eq!((ended.len(), &ended[0]["status"]), (1, &json!(7)), "it ends there, too");
}

#[tokio::test]
async fn tasks_are_started_by_name_and_several_at_once() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let ids: Vec<String> = (0..4).map(|task| simulator.reload_task_id(task)).collect();
    let (id, named, one, other) = (&ids[0], &ids[1], &ids[2], &ids[3]);
    let name = async |id: &str| admin.get(&format!("task/{id}")).await.1["name"].as_str().unwrap().to_owned();
    let runs = async |id: &str| {
        admin.get(&format!("task/{id}")).await.1["operational"]["lastExecutionResult"]["status"] == 2
    };
    let post = async |path: &str, body: Option<Value>| admin.call(Method::POST, path, body).await;

    let path = format!("task/start?name={}", encoded(&name(id).await.to_uppercase()));
    assert_eq!(post(&path, None).await.0, 204);
    let path = format!("task/start/synchronous?name={}", encoded(&name(named).await));
    let (code, body) = post(&path, None).await;
    assert!(code == 201 && body["value"].is_string(), "{body}");
    assert!(runs(id).await && runs(named).await);
    assert_eq!(post("task/start?name=nobody", None).await.0, 404);
    assert_eq!(post("task/start", None).await.0, 400, "which one?");

    let both = Some(json!([one, other]));
    // What they may have been doing before.
    assert_eq!(post("task/stop/many", both.clone()).await.0, 204);
    assert_eq!(post("task/start/many", both.clone()).await.0, 204);
    assert!(runs(one).await && runs(other).await);
    assert_eq!(post("task/stop/many", both).await.0, 204);
    assert!(!runs(one).await && !runs(other).await);
    assert_eq!(post("task/start/many", Some(json!(["no id"]))).await.0, 400);
}

#[tokio::test]
async fn an_app_is_reloaded_by_a_task_of_its_own() {
    let simulator = site().await;
    let admin = Client::admin(&simulator);
    let app = simulator.app_id(3);
    let filter = format!("app.id eq {app} and isManuallyTriggered eq true");
    let before = admin.found("reloadtask", &filter).await.len();
    for time in ["first", "second"] {
        let started = admin.call(Method::POST, &format!("app/{app}/reload"), None).await;
        assert_eq!(started.0, 204, "{time}: {}", started.1);
        let made = admin.found("reloadtask", &filter).await;
        assert_eq!(made.len(), before + 1, "{time}");
        let last = &made[before]["operational"]["lastExecutionResult"];
        assert_eq!((&made[before]["app"]["id"], &last["status"]), (&json!(app), &json!(2)));
        let stop = format!("task/{}/stop", made[before]["id"].as_str().unwrap());
        admin.call(Method::POST, &stop, None).await;
    }
    let body = json!({"name": "Made by a client", "app": {"id": app}});
    let (_, task) = admin.call(Method::POST, "reloadtask", Some(body)).await;
    assert_eq!(task["operational"]["lastExecutionResult"]["status"], 0, "{task}");
    let start = format!("task/{}/start", task["id"].as_str().unwrap());
    assert_eq!(
        admin.call(Method::POST, &start, None).await.0,
        204,
        "a task that a client made can be started"
    );
    let nobody = "app/00000000-0000-4000-8000-000000000000/reload";
    assert_eq!(admin.call(Method::POST, nobody, None).await.0, 404);
    let reader = Client::of_user(&simulator, 6);
    let refused = reader.call(Method::POST, &format!("app/{app}/reload"), None).await.0.as_u16();
    assert!([403, 404].contains(&refused), "{refused}");
}
