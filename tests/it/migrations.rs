//! Migrations: which connections can be which side, what both offer, and what a migration keeps from being deleted.

use crate::{
    nprinting,
    support::{refresh, snapshots, with_store},
};
use jackfield::model::{
    connection::Connection,
    id::{ConnectionId, MigrationId},
    migration::Migration,
};
use jackfield_simulators::{nprinting as nprinting_sim, qalyptus};
use jackfield_tests::{Finished, Host, Terminal};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::fs;

/// A host with a connection to each system that can be a side, and one that cannot: "Berlin" is an NPrinting server, "Server" a
/// Qalyptus Server, "Cloud" a Qalyptus Cloud tenant, and "Tenant" is one of Qlik Cloud.
struct Systems {
    host: Host,
    cloud: qalyptus::Simulator,
    server: qalyptus::Simulator,
    /// It serves as long as it is here.
    _berlin: nprinting_sim::Simulator,
}

impl Systems {
    /// All are refreshed but the tenant of Qalyptus Cloud, whose first refresh failed.
    fn new() -> Systems {
        let mut host = Host::with_plugins(&["nprinting", "qalyptus-server", "qalyptus-cloud", "qlik-cloud"]);
        host.set("JACKFIELD_HTTP__MAX_ATTEMPTS", "1");
        let berlin = add_nprinting(&host, "Berlin");
        let server = add_qalyptus(&host, "Server", qalyptus::Config::server(), |_| ());
        let cloud = add_qalyptus(&host, "Cloud", qalyptus::Config::cloud(), |cloud| {
            cloud.fail_next("/api/v1/tasks", 500, 100);
        });
        cloud.clear_faults();
        put_connection(&host, "Tenant", "qlik-cloud");
        Systems { host, cloud, server, _berlin: berlin }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.host.run(arguments)
    }

    fn add(&self, name: &str, source: &str, target: &str) -> Finished {
        add(&self.host, name, source, target)
    }

    fn reads(&self, name: &str, text: &str) {
        snapshots(&self.host).bind(|| insta::assert_snapshot!(name, text));
    }
}

fn add(host: &Host, name: &str, source: &str, target: &str) -> Finished {
    host.run(["migration", "add", name, "--source", source, "--target", target])
}

fn add_nprinting(host: &Host, name: &str) -> nprinting_sim::Simulator {
    let simulator = nprinting_sim::Simulator::start_blocking(nprinting::small()).unwrap();
    let pair = host.json(["key", "generate", "--private-key", "key.pem"]);
    simulator.register_jwt_certificate(pair["certificate"].as_str().unwrap()).unwrap();
    host.file("berlin.pem", simulator.ca_pem());
    let url = format!("server_url={}", simulator.base_url());
    let email = format!("email={}", simulator.user_email(0));
    let fixed = ["connection", "add", "nprinting", name, "--set", &url, "--set", &email];
    let rest = ["--secret", "private_key=@key.pem", "--tls-ca", "berlin.pem"];
    host.run([&fixed[..], &rest].concat()).expect_success();
    simulator
}

fn add_qalyptus(
    host: &Host,
    name: &str,
    config: qalyptus::Config,
    spoil: impl FnOnce(&qalyptus::Simulator),
) -> qalyptus::Simulator {
    let connector = match config.product {
        qalyptus::Product::Server => "qalyptus-server",
        qalyptus::Product::Cloud => "qalyptus-cloud",
    };
    let simulator = qalyptus::Simulator::start_blocking(config).unwrap();
    let key = simulator.create_api_key(&qalyptus::NewKey::default()).unwrap();
    host.file("key", &key.key);
    host.file("ca.pem", simulator.ca_pem());
    let url = format!("server_url={}", simulator.origin());
    let mut arguments = vec!["connection", "add", connector, name, "--set", &url, "--secret", "api_key=@key"];
    if !simulator.ca_pem().is_empty() {
        arguments.extend(["--tls-ca", "ca.pem"]);
    }
    spoil(&simulator);
    let added = host.run(arguments);
    assert!(added.stdout.contains(&format!("Saved \"{name}\"")), "{}", added.all());
    simulator
}

/// A connection as it is before its first refresh, made of one that is there.
fn put_connection(host: &Host, name: &str, connector: &str) -> Connection {
    with_store(host, async |store| {
        let mut connection = store.connections(None).await.unwrap().remove(0);
        connection.id = ConnectionId::random();
        (connection.name, connection.connector) = (name.to_owned(), connector.to_owned());
        (connection.last_refresh_at, connection.last_refresh_run) = (None, None);
        store.insert_connection(&connection).await.unwrap();
        connection
    })
}

fn names(host: &Host, noun: &str) -> Vec<String> {
    let listed = host.json([noun, "list"]);
    listed.as_array().unwrap().iter().map(|one| one[noun]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_cannot_be_a_migration_is_refused_with_what_can() {
    let systems = Systems::new();
    systems.add("Taken", "Berlin", "Cloud").expect_success();
    let long = "x".repeat(201);
    let mut told = String::new();
    for (name, source, target, field) in [
        ("A", "Cloud", "Server", Some("source")),
        ("A", "Berlin", "Berlin", Some("target")),
        ("A", "Server", "server", Some("target")),
        ("A", "Server", "Berlin", Some("target")),
        ("A", "Tenant", "Cloud", Some("source")),
        ("A", "Berlin", "Tenant", Some("target")),
        ("A", "Hamburg", "Cloud", Some("source")),
        ("A", "Berlin", "Clod", Some("target")),
        (" tAKEN ", "Berlin", "Server", Some("name")),
        ("", "Berlin", "Server", Some("name")),
        ("two\nlines", "Berlin", "Server", Some("name")),
        (&long, "Berlin", "Server", Some("name")),
    ] {
        let refused = systems.add(name, source, target);
        assert_eq!(refused.code(), 2, "{name:?}: {}", refused.all());
        let arguments = ["migration", "add", name, "--source", source, "--target", target, "--json"];
        let error: Value = serde_json::from_str(&systems.run(&arguments).stderr).unwrap();
        assert_eq!(error["error"]["field"].as_str(), field, "{error}");
        let name = name.replace('\n', "\\n").replace(&long, "(201 letters)");
        told += &format!("--- {name:?} from {source} to {target}\n{}", refused.stderr);
    }
    systems.reads("refused", &told);
    assert_eq!(names(&systems.host, "migration"), ["Taken"]);
}

#[test]
fn a_secret_is_not_kept_in_a_name_or_in_notes() {
    let systems = Systems::new();
    let key = fs::read_to_string(systems.host.work().join("key")).unwrap();
    let ends = ["--source", "Berlin", "--target", "Cloud"];
    for named in [&["migration", "add", &key][..], &["migration", "add", "A", "--description", &key]] {
        let refused = systems.run(&[named, &ends].concat());
        assert_eq!(refused.code(), 2, "{}", refused.all());
        assert!(refused.stderr.contains("holds the value of a secret"), "{}", refused.stderr);
        assert!(!refused.all().contains(&key), "{}", refused.all());
    }
    assert_eq!(names(&systems.host, "migration"), Vec::<String>::new());
}

#[test]
fn migrations_are_added_listed_and_shown_before_and_after_a_refresh() {
    let systems = Systems::new();
    let empty = systems.run(&["migration", "list"]).expect_success().stdout;
    let described = ["migration", "add", "Berlin to cloud", "--source", "berlin", "--target", "CLOUD"];
    let added = systems
        .run(&[&described[..], &["--description", "Reports of the Berlin office"]].concat())
        .expect_success();
    // One connection is a target here and a source there.
    systems.add("Upgrade", "Berlin", "Server").expect_success();
    systems.add("Lift", "Server", "Cloud").expect_success();
    let listed = systems.run(&["migration", "list"]).expect_success().stdout;
    systems.reads("listed", &format!("{empty}\n{}\n{listed}", added.all()));

    let show = || systems.run(&["migration", "show", "berlin TO cloud"]).expect_success().stdout;
    let before = show();
    assert!(before.contains("jackfield connection refresh Cloud"), "{before}");
    refresh(&systems.host, "Cloud").expect_success();
    // A list that is refused stays as it was found, with the reason.
    systems.cloud.fail_next("/api/v1/users", 403, 100);
    refresh(&systems.host, "Cloud").expect_success();
    let after = show();
    assert!(after.contains("kept: ") && !after.contains("connection refresh Cloud"), "{after}");
    systems.reads("shown", &format!("--- before\n{before}\n--- after\n{after}"));
}

#[test]
fn the_objects_of_a_kind_are_listed_of_both_sides() {
    let systems = Systems::new();
    systems.add("M", "Berlin", "Cloud").expect_success();
    let show = |more: &[&str]| systems.run(&[&["migration", "show", "M"], more].concat());
    let mut told = String::new();
    for more in [&["--objects", "app", "--limit", "2"][..], &["--objects", "unicorn"], &["--limit", "2"]] {
        told += &format!("--- before: {}\n{}", more.join(" "), show(more).all());
    }
    refresh(&systems.host, "Cloud").expect_success();
    for more in [
        &["--objects", "role", "--limit", "3"][..],
        &["--objects", "execution", "--limit", "1"],
        &["--objects", "unicorn"],
    ] {
        told += &format!("--- after: {}\n{}", more.join(" "), show(more).all());
    }
    let mut settings = snapshots(&systems.host);
    settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[GUID]");
    settings.add_filter(r"\[DAY\]T[0-9:.+Z]+", "[MODIFIED]");
    settings.bind(|| insta::assert_snapshot!("objects", told));
    assert_eq!(show(&["--objects", "unicorn"]).code(), 2);
}

#[test]
fn programs_are_told_the_same() {
    let systems = Systems::new();
    let fixed = ["migration", "add", "M", "--source", "Server", "--target", "Cloud"];
    let added = systems.host.json([&fixed[..], &["--description", "notes"]].concat());
    let id = added["migration"]["id"].as_str().unwrap().to_owned();
    assert_eq!(added["migration"]["description"], "notes");
    assert_eq!(
        (&added["source"]["name"], &added["target"]["connector"]),
        (&json!("Server"), &json!("qalyptus-cloud"))
    );
    assert_eq!(systems.host.json(["migration", "list"]), json!([added]));

    let shown = systems.host.json(["migration", "show", &id, "--objects", "report", "--limit", "4"]);
    assert_eq!(shown["migration"], added["migration"], "an id is as good as a name");
    let (source, target) = (&shown["source"], &shown["target"]);
    assert_eq!((&source["state"], &source["obstacle"]), (&json!("ready"), &Value::Null));
    assert_eq!(source["objects"].as_array().unwrap().len(), 4);
    assert_eq!(source["catalog"], systems.host.json(["catalog", "kinds", "Server"]));
    assert_eq!((&target["state"], &target["catalog"]), (&json!("last refresh failed"), &json!([])));
    assert_eq!((&target["last_refresh_at"], &target["objects"]), (&Value::Null, &json!([])));

    let uses = |name: &str| systems.host.json(["connection", "show", name])["migrations"].take();
    assert_eq!(uses("Server"), json!([{ "migration": "M", "side": "source" }]));
    assert_eq!(uses("Cloud"), json!([{ "migration": "M", "side": "target" }]));
    assert_eq!(uses("Berlin"), json!([]));
    assert_eq!(systems.host.json(["migration", "delete", "M", "--yes"]), json!({ "deleted": "M" }));
    assert_eq!(systems.host.json(["migration", "list"]), json!([]));
}

#[test]
fn a_connection_in_use_is_deleted_only_after_its_migrations() {
    let systems = Systems::new();
    systems.add("Upgrade", "Berlin", "Server").expect_success();
    systems.add("Server to cloud", "Server", "Cloud").expect_success();
    let mut told = systems.run(&["connection", "show", "Server"]).expect_success().stdout;
    let rows: [(&[&str], i32); 10] = [
        (&["connection", "delete", "Server"], 2),
        (&["connection", "delete", "Server", "--yes"], 2),
        (&["connection", "delete", "Cloud", "--yes"], 2),
        (&["connection", "edit", "Server", "--name", "Old server"], 0),
        (&["migration", "delete", "Server to cloud"], 2),
        (&["migration", "delete", "server TO cloud", "--yes"], 0),
        (&["migration", "delete", "Server to cloud", "--yes"], 2),
        (&["connection", "delete", "Old server", "--yes"], 2),
        (&["migration", "delete", "Upgrade", "--yes"], 0),
        (&["connection", "delete", "Old server", "--yes"], 0),
    ];
    for (command, code) in rows {
        let finished = systems.run(command);
        assert_eq!(finished.code(), code, "{command:?}: {}", finished.all());
        told += &format!("--- {}\n{}", command.join(" "), finished.all());
    }
    let mut settings = snapshots(&systems.host);
    settings.add_filter(&systems.server.origin().replace('.', r"\."), "[SERVER]");
    settings.bind(|| insta::assert_snapshot!("in_use", told));
    assert_eq!(names(&systems.host, "connection"), ["Berlin", "Cloud", "Tenant"]);
}

#[test]
fn at_a_terminal_the_refusal_comes_instead_of_the_question() {
    let host = almanacs();
    add(&host, "M", "A", "B").expect_success();
    let (status, screen) = Terminal::start(&host, ["connection", "delete", "A"]).finish();
    assert_eq!(status.code(), Some(2), "{screen}");
    assert!(screen.contains("M (as its source)") && !screen.contains("[y/n]"), "{screen}");
    for (answer, left) in [("n", 1), ("y", 0)] {
        let mut terminal = Terminal::start(&host, ["migration", "delete", "M"]);
        terminal.shows("Delete the migration \"M\"? Its connections stay.");
        terminal.types(answer);
        let (status, screen) = terminal.finish();
        assert!(status.success(), "{screen}");
        assert_eq!(names(&host, "migration").len(), left, "{answer}");
    }
    let mut terminal = Terminal::start(&host, ["connection", "delete", "A"]);
    terminal.shows("Delete \"A\"");
    terminal.types("y");
    assert!(terminal.finish().0.success());
}

/// A host with the almanac's plugin, whose connections can be either side, and two connections.
fn almanacs() -> Host {
    let host = Host::with_plugins(&["yesterday-1-0", "hostile"]);
    host.run(["connection", "list"]).expect_success();
    for name in ["A", "B"] {
        put_almanac(&host, name);
    }
    host
}

fn put_almanac(host: &Host, name: &str) -> Connection {
    let connection: Connection = serde_json::from_value(json!({
        "id": ConnectionId::random(), "name": name, "description": "", "connector": "almanac",
        "settings": { "server": "https://almanac.example" }, "max_parallel": 2, "tls": {}, "state": "ready",
        "draft_of": null, "created_at": 1, "updated_at": 1, "last_refresh_at": null, "last_refresh_run": null,
    }))
    .unwrap();
    with_store(host, async |store| store.insert_connection(&connection).await.unwrap());
    connection
}

#[test]
fn no_race_leaves_a_migration_without_its_connection() {
    let host = almanacs();
    for round in 0..8 {
        let name = format!("R{round}");
        put_almanac(&host, &name);
        let deleting = host.start(["connection", "delete", &name, "--yes"]);
        let adding = host.start(["migration", "add", &name, "--source", "A", "--target", &name]);
        let again =
            host.start(["migration", "add", &name.to_lowercase(), "--source", &name, "--target", "A"]);
        let deleted = deleting.finish();
        let added = [adding.finish(), again.finish()];
        let succeeded = added.iter().filter(|one| one.code() == 0).count();
        for one in added.iter().chain([&deleted]) {
            assert!(matches!(one.code(), 0 | 2), "{}", one.all());
        }
        assert!(succeeded <= 1, "two of one name: {}{}", added[0].all(), added[1].all());
        assert_eq!(
            succeeded == 0,
            deleted.code() == 0,
            "{}{}{}",
            deleted.all(),
            added[0].all(),
            added[1].all()
        );
    }
    // Each that is left has both of its connections.
    for name in names(&host, "migration") {
        host.run(["migration", "show", &name]).expect_success();
    }
}

#[test]
fn a_side_that_its_plugin_no_longer_plays_is_told() {
    let host = almanacs();
    add(&host, "M", "A", "B").expect_success();
    // What a newer version of a plugin leaves that says of no side any more that it can be it.
    with_store(&host, async |store| {
        let mut plain = store.connection_by_name("B").await.unwrap().unwrap();
        (plain.id, plain.name, plain.connector) =
            (ConnectionId::random(), "Plain".to_owned(), "hostile".to_owned());
        store.insert_connection(&plain).await.unwrap();
        let source = store.connection_by_name("A").await.unwrap().unwrap().id;
        let (id, name) = (MigrationId::random(), "Overtaken".to_owned());
        let target = plain.id;
        let migration = Migration { id, name, description: String::new(), source, target, created_at: 1 };
        store.insert_migration(&migration).await.unwrap();
    });
    let overtaken = host.run(["migration", "show", "Overtaken"]).expect_success().stdout;
    let in_json = host.json(["migration", "show", "Overtaken"]);
    assert_eq!(
        (&in_json["source"]["obstacle"], &in_json["target"]["obstacle"]["field"]),
        (&Value::Null, &json!("target"))
    );
    fs::remove_file(host.data().join("plugins/libjackfield_yesterday_1_0.so")).unwrap();
    let missing = host.run(["migration", "show", "M"]).expect_success().stdout;
    snapshots(&host).bind(|| {
        insta::assert_snapshot!(
            "obstacles",
            format!("--- the role is gone\n{overtaken}\n--- the plugin is gone\n{missing}")
        );
    });
    // Neither keeps anybody from tidying up.
    for name in ["Overtaken", "M"] {
        host.run(["migration", "delete", name, "--yes"]).expect_success();
    }
}

#[test]
fn a_database_from_before_migrations_gets_them() {
    let host = Host::with_plugins(&["yesterday-1-0"]);
    fs::create_dir_all(host.data()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options =
            SqliteConnectOptions::new().filename(host.data().join("jackfield.db")).create_if_missing(true);
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        database.execute(include_str!("../../host/migrations/sqlite/0001_beginning.sql")).await.unwrap();
        let rest = "CREATE TABLE schema_versions (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL);
                    INSERT INTO schema_versions VALUES (1, 0);
                    INSERT INTO connections VALUES ('0123456789abcdef', 'Old', 'old', '', 'almanac',
                        '{\"server\":\"https://almanac.example\"}', 4, '{}', '[]', 'ready', NULL, 1, 1, NULL, NULL);";
        database.execute(rest).await.unwrap();
        database.close().await.unwrap();
    });
    assert_eq!(names(&host, "connection"), ["Old"]);
    put_almanac(&host, "New");
    add(&host, "M", "Old", "New").expect_success();
    let refused = host.run(["connection", "delete", "Old", "--yes"]);
    assert!(refused.code() == 2 && refused.stderr.contains("M (as its source)"), "{}", refused.all());
}

#[test]
fn a_connector_says_which_side_it_can_be() {
    let all = ["nprinting", "qalyptus-server", "qalyptus-cloud", "qlik-cloud", "qlik-onprem"];
    let host = Host::with_plugins(&all);
    for (connector, source, target, words) in [
        ("nprinting", true, false, "can be the source"),
        ("qalyptus-server", true, true, "can be the source or the target"),
        ("qalyptus-cloud", false, true, "can be the target"),
        ("qlik-cloud", false, false, "can be neither source nor target"),
        ("qlik-onprem", false, false, "can be neither source nor target"),
    ] {
        let roles = host.json(["plugin", "show", connector])["description"]["roles"].take();
        assert_eq!(roles, json!({ "source": source, "target": target }), "{connector}");
        let shown = host.run(["plugin", "show", connector]).expect_success().stdout;
        assert!(shown.lines().any(|line| line == format!("Migrations: {words}")), "{shown}");
    }
}
