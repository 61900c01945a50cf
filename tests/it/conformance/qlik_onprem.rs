//! Three clients of other people against the simulated site of Qlik Sense Enterprise.

use super::{Language, Seen, seen};
use jackfield_simulators::{
    nprinting::JwtPair,
    qlik_onprem::{Action, Config, Pkcs12, Population, Simulator},
};
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tempfile::TempDir;

/// The password of the exported certificates.
const PASSWORD: &str = "Export-7!q";

/// A user without a role, who sees what everybody sees.
const READER: u64 = 6;

const APPS: u64 = 30;

/// Tasks end while a client waits for that.
const SOON: Duration = Duration::from_secs(1);

/// Tasks run until they are stopped.
const NEVER: Duration = Duration::from_secs(3600);

/// A site, and the files that its administrator has exported.
struct Site {
    simulator: Simulator,
    folder: TempDir,
}

impl Site {
    /// A site whose tasks take so long.
    fn new(pace: Duration) -> Site {
        let config = Config { population: Population::of(APPS), pace, ..Config::default() };
        let site = Site {
            simulator: Simulator::start_blocking(config).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        let client = site.simulator.client_certificate();
        let pfx = |encryption| client.pfx(encryption, PASSWORD).unwrap();
        for (name, content) in [
            ("root.pem", site.simulator.root_pem().as_bytes()),
            ("client.pem", client.certificate_pem.as_bytes()),
            ("client_key.pem", client.key_pem.as_bytes()),
            ("client.pfx", &pfx(Pkcs12::Aes256)),
            ("client-rc2.pfx", &pfx(Pkcs12::Rc2)),
        ] {
            fs::write(site.folder.path().join(name), content).unwrap();
        }
        site
    }

    /// What a script is told of it.
    fn told(&self) -> Value {
        let port = |url: &str| url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
        let file = |name: &str| self.folder.path().join(name);
        let pair = JwtPair::generate().unwrap();
        let (directory, id) = self.simulator.user(0);
        let token = pair.token(&json!({ "userDirectory": directory, "userId": id })).unwrap();
        let (directory, id) = self.simulator.user(READER);
        json!({
            "repositoryPort": port(self.simulator.repository_url()), "proxyPort": port(self.simulator.proxy_url()),
            "root": file("root.pem"), "certificate": file("client.pem"), "key": file("client_key.pem"),
            "pfx": file("client.pfx"), "legacyPfx": file("client-rc2.pfx"), "pfxPassword": PASSWORD,
            "reader": { "directory": directory, "id": id },
            "jwt": { "certificate": pair.certificate_pem, "token": token },
            "task": self.simulator.reload_task_id(0),
        })
    }

    fn seen_by(&self, language: Language, script: &str) -> Option<Seen> {
        seen(language, script, &self.told(), "")
    }

    /// The ids of all apps, sorted.
    fn apps(&self) -> Vec<String> {
        let mut apps: Vec<String> = (0..APPS).map(|app| self.simulator.app_id(app)).collect();
        apps.sort();
        apps
    }

    /// What was done at the site, oldest first, without restarts of its proxy.
    fn done(&self) -> Vec<String> {
        let events = self.simulator.events();
        let writes = events.iter().filter(|event| event.action != Action::Restarted);
        writes.map(|event| format!("{:?} {}", event.action, event.entity)).collect()
    }

    fn administrators(&self) -> [String; 2] {
        [0, 10].map(|user| self.simulator.user(user).1)
    }

    fn assert_met(&self, client: &str) {
        let requests = self.simulator.requests();
        assert!(requests.iter().any(|request| request.user_agent.contains(client)), "{client} did not come");
    }
}

/// How many apps that reader sees: those in the stream of everybody, with this seed.
const READABLE: u64 = 18;

const NOT_FOUND: &str = "The requested resource could not be found";
const STALE: &str = "The item has been modified by another user.";
const UNPARSABLE: &str = "Cannot parse the expression: name like 'x'";
const NO_GUID: &str = "The value '12345' is not a valid GUID";

/// What stands in the site's events after qrs-interact has been there.
const WRITES_OF_QRS_INTERACT: [&str; 19] = [
    "Created Tag",
    "Updated Tag",
    "Refused Tag",
    "Deleted Tag",
    "Created Stream",
    "Updated Stream",
    "Refused Stream",
    "Deleted Stream",
    "Created CustomPropertyDefinition",
    "Updated CustomPropertyDefinition",
    "Refused CustomPropertyDefinition",
    "Deleted CustomPropertyDefinition",
    "Created Tag",
    "Deleted Tag",
    "Created VirtualProxyConfig",
    "Updated ProxyService",
    "Refused VirtualProxyConfig",
    "Updated ProxyService",
    "Deleted VirtualProxyConfig",
];

#[test]
fn qrs_interact() {
    let site = Site::new(SOON);
    let Some(seen) = site.seen_by(Language::JavaScript, "qrs-interact.cjs") else { return };
    seen.assert_parts(&["signingIn", "lists", "writes", "virtualProxy", "refusals"]);

    let refused = |status: u16, text: &str| format!("Received error code: {status}::{text}");
    let signing_in = json!({
        "status": 200, "schema": "About", "withPfx": true, "seenByReader": READABLE,
        // What the legacy form of an export is to today's OpenSSL, whoever uses it.
        "legacyPfx": "Unsupported PKCS12 PFX data",
        "unknownUser": refused(403, "Forbidden"),
    });
    seen.assert("signingIn", signing_in);
    let population = Population::of(APPS);
    let lists = json!({
        "count": APPS, "apps": site.apps(), "sorted": true, "sameApp": true, "byName": [true], "table": true,
        "publishedOrNot": APPS, "streams": population.streams, "admins": site.administrators(), "nowhere": 0,
    });
    seen.assert("lists", lists);
    let life = |values: [Value; 2]| {
        json!({
            "statuses": [201, 200, 204], "values": values, "stale": refused(409, STALE),
            "gone": refused(404, NOT_FOUND),
        })
    };
    let writes = json!({
        "tag": life([json!("first"), json!("second")]),
        "stream": life([json!("First"), json!("Second")]),
        "property": life([json!(["Sales"]), json!(["Sales", "Finance"])]),
        "twice": refused(400, "The property 'name' must be unique"),
    });
    seen.assert("writes", writes);
    let virtual_proxy = json!({
        "statuses": [201, 200, 200, 204], "prefixes": ["", "sso", "conformance"], "through": APPS,
        "inUse": refused(400, "The item is in use and cannot be deleted"), "left": ["", "sso"],
    });
    seen.assert("virtualProxy", virtual_proxy);
    let refusals = json!({
        "unknownId": refused(404, NOT_FOUND), "badId": refused(400, NO_GUID),
        "unknownEntity": refused(404, NOT_FOUND), "badFilter": refused(400, UNPARSABLE),
        "doubledQuote": refused(400, "Cannot parse the expression: name eq 'Q1''25'"),
    });
    seen.assert("refusals", refusals);

    assert_eq!(site.done(), WRITES_OF_QRS_INTERACT);
    assert_eq!(site.simulator.linked_prefixes(), ["", "sso"]);
    assert!(site.simulator.default_virtual_proxy_is_untouched());
}

#[test]
fn qlik_repo_api() {
    let site = Site::new(SOON);
    let Some(seen) = site.seen_by(Language::JavaScript, "qlik-repo-api.mjs") else { return };
    seen.assert_parts(&["signingIn", "lists", "running", "writes", "virtualProxy", "refusals"]);

    // This client tells no more of a refusal.
    let refused = |status: u16| format!("Request failed with status code {status}");
    let signing_in = json!({
        "schema": "About", "enums": true, "seenByReader": READABLE, "readerMayNot": refused(403),
        "noCertificate": true,
    });
    seen.assert("signingIn", signing_in);
    let population = Population::of(APPS);
    let tasks = population.reload_tasks + population.external_program_tasks + population.user_sync_tasks;
    let lists = json!({
        "apps": site.apps(), "same": [true, true], "filtered": [true], "admins": site.administrators(),
        "table": site.apps(), "selected": [true], "selectionRemoved": 204,
        "streams": population.streams, "tasks": tasks, "reloadTasks": population.reload_tasks,
        "tags": population.tags, "dataConnections": population.data_connections,
        "extensions": population.extensions, "properties": population.custom_properties,
        "rules": population.system_rules, "nodes": [true, false], "nodesCounted": { "value": 2 }, "engines": 2,
        "services": true, "proxies": [["", "sso"]],
    });
    seen.assert("lists", lists);
    seen.assert("running", json!({ "started": 204, "again": refused(409), "result": 7 }));
    let writes = json!({
        "twin": true, "tags": ["fourth", "second", "third"],
        "stream": [["Board", ["second"]], ["Directors", ["fourth", "third"]]],
        "property": [["Department", "Finance"]], "choices": ["Sales", "Finance"],
        "user": [["ada", ["AuditAdmin"]]], "removed": [204, 204, 204, 204, 204, 204], "gone": refused(404),
    });
    seen.assert("writes", writes);
    let virtual_proxy = json!({
        "method": 4, "description": "changed", "allowed": ["other.example.com"], "nodes": [true],
        "twice": refused(400), "removed": 204, "left": ["", "sso"],
    });
    seen.assert("virtualProxy", virtual_proxy);
    let refusals = json!({
        "unknownId": refused(404), "badFilter": refused(400), "unknownUser": refused(403),
    });
    seen.assert("refusals", refusals);
    assert!(site.simulator.default_virtual_proxy_is_untouched());
    assert_eq!(site.simulator.proxy_restarts(), 0, "what is not linked disturbs nobody");
    site.assert_met("axios/");
}

/// What stands in the site's events after qsAPI has been there.
const WRITES_OF_QS_API: [&str; 18] = [
    "Created Tag",
    "Created CustomPropertyDefinition",
    "Created Stream",
    "Updated Stream",
    "Refused Stream",
    "Deleted Stream",
    "Deleted CustomPropertyDefinition",
    "Deleted Tag",
    "Started ReloadTask",
    "Stopped ReloadTask",
    "Started ReloadTask",
    "Started ReloadTask",
    "Started ReloadTask",
    "Stopped ReloadTask",
    "Stopped ReloadTask",
    "Created ReloadTask",
    "Started ReloadTask",
    "Stopped ReloadTask",
];

#[test]
fn qs_api() {
    let site = Site::new(NEVER);
    let Some(seen) = site.seen_by(Language::Python, "qs_api_client.py") else { return };
    seen.assert_parts(&["signingIn", "lists", "writes", "running", "sessions", "refusals"]);

    let signing_in = json!({
        "version": true, "schema": "About", "enums": true, "description": true, "seenByReader": READABLE,
        // It reads every answer as JSON.
        "unknownUser": "JSONDecodeError",
    });
    seen.assert("signingIn", signing_in);
    let population = Population::of(APPS);
    let lists = json!({
        "count": APPS, "apps": site.apps(), "sameApp": true, "byName": [true], "attributes": true,
        "publishedOrNot": APPS, "streams": population.streams, "streamNames": population.streams,
        "admins": site.administrators(), "reloadTasks": population.reload_tasks,
        "rules": population.system_rules, "properties": population.custom_properties, "tags": population.tags,
        "appObjects": 2 * APPS,
        "licence": ["analyzerAccess", "availableTokens", "professionalAccess", "schemaPath", "tokensEnabled", "totalTokens"],
    });
    seen.assert("lists", lists);
    let writes = json!({
        "stream": ["First", "Second", "Second"], "tags": ["conformance"], "properties": [["Department", "Sales"]],
        "stale": [409, STALE], "removed": [204, 204, 204], "again": [404, NOT_FOUND],
    });
    seen.assert("writes", writes);
    let running = json!({
        "ping": "Ping successful", "started": [204, 2], "again": 409, "stopped": [204, 6], "byName": 204,
        "history": [[true, 2]], "unknown": [404, NOT_FOUND], "many": [204, 204], "appReloaded": [204, 1],
    });
    seen.assert("running", running);
    let sessions = json!({
        "made": [201, 201], "found": ["one", "two"], "session": ["EXAMPLE", "ada"], "ended": ["one", false],
        "rest": ["two"], "gone": 404, "ticket": [201, true],
    });
    seen.assert("sessions", sessions);
    let refusals = json!({
        "unknownId": [404, NOT_FOUND], "badId": [400, NO_GUID], "badFilter": [400, UNPARSABLE],
        "unknownPath": [404, NOT_FOUND],
    });
    seen.assert("refusals", refusals);
    assert_eq!(site.done(), WRITES_OF_QS_API);
    assert_eq!(site.simulator.open_sessions(), 0, "it ended what it made");
    site.assert_met("qsAPI APIREST");
}
