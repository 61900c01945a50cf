//! The modes that leave the process alive, to be sure that they misbehave as they say. The others need a worker.

use super::Hostile;
use jackfield_plugin::{
    Failure,
    testkit::{Answer, TestKit},
};
use serde_json::json;

fn kit(mode: &str) -> TestKit<Hostile> {
    let settings =
        json!({ "server_url": "https://hostile.example", "mode": mode, "count": 250, "seconds": 1 });
    TestKit::new(settings).secret("token")
}

fn refusal(mode: &str) -> Failure {
    kit(mode).refresh().expect_err(mode)
}

#[test]
fn ok_behaves() {
    let refresh = kit("ok").refresh().unwrap();
    assert_eq!(refresh.objects["thing"].len(), 250);
    assert!(kit("ok").test().unwrap().passed());
    assert_eq!(kit("slow").refresh().unwrap().ids("thing").len(), 10);
    assert!(kit("slow").test().unwrap().passed());
}

#[test]
fn lies_are_told() {
    assert!(kit("lie_check").test().unwrap_err().message.contains("\"World peace\""));
    for (mode, words) in [
        ("lie_kind", "\"unicorn\""),
        ("bad_attributes", "not a JSON object"),
        ("unknown_capability", "universe.teleport"),
        ("slot_elsewhere", "does not allow the secret"),
        ("leak", "elsewhere.example"),
        ("fail", "the server is tired"),
        ("panic", "as requested"),
        ("panic_in_poll", "after an await"),
        ("hang", "waits for what will never come"),
        ("nonsense", "no mode \"nonsense\""),
    ] {
        let failure = refusal(mode);
        assert!(failure.message.contains(words), "{mode}: {failure}");
    }
    assert_eq!(kit("duplicate").refresh().unwrap().ids("thing"), ["thing-7", "thing-7"]);
}

#[test]
fn what_the_server_says_is_logged() {
    let kit = kit("echo_secret");
    kit.on("GET", "/echo", Answer::text(200, "text/plain", "Bearer echo"));
    assert_eq!(kit.refresh().unwrap().log[0].message, "the server said: Bearer echo");
    assert!(kit.requests()[0].has_bearer("token"));
}
