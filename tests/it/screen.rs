//! What a person sees at a terminal: how far a refresh has come, and a question before something is deleted.

use crate::support::{newest_run, set, with_connection};
use jackfield_tests::Terminal;
use serde_json::json;

#[test]
fn a_refresh_under_way_is_seen() {
    let host = with_connection("A");
    set(&host, "A", json!({ "mode": "slow", "seconds": 600 }));
    let mut terminal = Terminal::start(&host, ["connection", "refresh", "A"]);
    // The bar of the list that is being read.
    terminal.shows("thing");
    terminal.shows("/6000");
    let run = newest_run(&host);
    assert_eq!((&run["hook"], &run["state"]), (&json!("refresh"), &json!("running")));
    host.run(["run", "cancel", run["id"].as_str().unwrap()]).expect_success();
    terminal.shows("Cancelled; everything is as it was.");
    let (status, screen) = terminal.finish();
    assert_eq!(status.code(), Some(130), "{screen}");
}

#[test]
fn deleting_asks_first() {
    let host = with_connection("A");
    for (answer, told, left) in [("n", "Nothing was deleted.", 1), ("y", "Deleted", 0)] {
        let mut terminal = Terminal::start(&host, ["connection", "delete", "A"]);
        terminal.shows("Delete \"A\" with its secrets and its catalog? [y/N]");
        assert_eq!(host.json(["connection", "list"]).as_array().unwrap().len(), 1, "not before the answer");
        terminal.types(answer);
        terminal.shows(told);
        let (status, screen) = terminal.finish();
        assert!(status.success(), "{screen}");
        assert_eq!(host.json(["connection", "list"]).as_array().unwrap().len(), left, "{screen}");
    }
}
