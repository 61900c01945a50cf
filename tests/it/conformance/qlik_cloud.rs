//! Qlik's own clients against the simulated tenant.

use super::{Language, Seen, seen};
use jackfield_simulators::{
    faults::{BodyKind, Fault, FaultKind},
    nprinting::JwtPair,
    qlik_cloud::{ClientCredentials, Config, JwtAuthorization, NewClient, Population, SignIn, Simulator},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A user without a role, of whom the clients know.
const PERSON: u64 = 5;

/// A tenant with a client that may also speak for people.
struct Tenant {
    simulator: Simulator,
    client: ClientCredentials,
    population: Population,
}

impl Tenant {
    fn new(tls: bool) -> Tenant {
        let population = Population::of(20);
        let sign_in = SignIn { jwt: JwtAuthorization::Active, ..SignIn::default() };
        let config = Config { tls, population, sign_in, ..Config::default() };
        let simulator = Simulator::start_blocking(config).unwrap();
        let grants = ["client_credentials", "urn:qlik:oauth:user-impersonation"].map(str::to_owned);
        let client = simulator.create_oauth_client(&NewClient {
            name: "Conformance".to_owned(),
            grant_types: grants.to_vec(),
            ..NewClient::default()
        });
        Tenant { simulator, client, population }
    }

    /// What a script is told of it.
    fn told(&self) -> Value {
        let administrator = self.simulator.user_id(0);
        let key = self.simulator.create_api_key(&administrator, Duration::from_secs(86_400)).unwrap();
        json!({
            "host": self.simulator.base_url(), "tenant": self.simulator.tenant_id(), "apiKey": key.token,
            "client": { "clientId": self.client.client_id, "clientSecret": self.client.client_secret },
            "person": self.simulator.user_id(PERSON),
            "certificate": JwtPair::generate().unwrap().certificate_pem,
        })
    }

    fn seen_by(&self, language: Language, script: &str) -> Option<Seen> {
        seen(language, script, &self.told(), self.simulator.ca_pem())
    }

    /// The ids of all apps, sorted.
    fn apps(&self) -> Vec<String> {
        let mut apps: Vec<String> = (0..self.population.apps).map(|app| self.simulator.app_id(app)).collect();
        apps.sort();
        apps
    }

    fn bot(&self) -> Value {
        json!([self.simulator.bot_user_of(&self.client.client_id), "Conformance"])
    }

    /// Statuses of the requests to a path whose query has this, oldest first.
    fn statuses(&self, path: &str, query: &str) -> Vec<u16> {
        let requests = self.simulator.requests().into_iter();
        let asked = requests.filter(|request| request.path == path && request.query.contains(query));
        asked.map(|request| request.status).collect()
    }

    /// That it was this client that came, by its own name.
    fn assert_met(&self, client: &str) {
        let requests = self.simulator.requests();
        assert!(
            requests.iter().any(|request| request.user_agent.starts_with(client)),
            "{client} did not come"
        );
    }
}

#[test]
fn qlik_api() {
    let tenant = Tenant::new(true);
    let simulator = &tenant.simulator;
    let spaces = |limit: &str, kind| Fault::new("/api/v1/spaces", kind).query(limit).times(1);
    simulator.add_fault(spaces("limit=19", FaultKind::TooManyRequests { retry_after: Some(1) }));
    simulator.add_fault(spaces("limit=17", FaultKind::Status { status: 401, body: BodyKind::Envelope }));
    let Some(seen) = tenant.seen_by(Language::JavaScript, "qlik-api.mjs") else { return };
    seen.assert_parts(&[
        "signingIn",
        "apps",
        "people",
        "spaces",
        "catalogue",
        "reloading",
        "keys",
        "clients",
        "writes",
        "refusals",
    ]);

    assert_lists_of_qlik_api(&tenant, &seen);
    assert_writes_of_qlik_api(&tenant, &seen);
    let invalid = [json!(400), json!("HTTP-400"), json!("Invalid parameter")];
    let refusals = json!({
        "wrongKey": [401, "HTTP-401", "Authorization Required"],
        "wrongSecret": "Invalid client credentials (Status: 401, Code: OAUTH-14)",
        "unknownSpace": [404, "HTTP-404", "Not found"], "unknownUser": [404, "USERS-7", "Not found"],
        "badLimit": invalid, "badFilter": invalid, "narrowToken": [403, "HTTP-403", "Forbidden"],
        "tooOften": [429, "HTTP-429", "API rate limit reached.", "1"], "tokenGone": [200],
    });
    seen.assert("refusals", refusals);
    assert_eq!(
        tenant.statuses("/api/v1/spaces", "limit=17"),
        [401, 200],
        "it got a new token and asked again"
    );
    tenant.assert_met("qlik-api/2.19.0");
}

fn assert_lists_of_qlik_api(tenant: &Tenant, seen: &Seen) {
    let (simulator, population) = (&tenant.simulator, tenant.population);
    let (person, users) = (simulator.user_id(PERSON), population.users + 1);
    let signing_in = json!({
        "me": [simulator.user_id(0), simulator.user_email(0), "active", "TenantAdmin"],
        "tenant": simulator.tenant_id(), "bot": tenant.bot(), "impersonated": person,
    });
    seen.assert("signingIn", signing_in);
    let pages = population.apps.div_ceil(7);
    let apps =
        json!({ "ids": tenant.apps(), "pages": pages, "backAgain": true, "sameApp": true, "byName": true });
    seen.assert("apps", apps);
    let people = json!({
        "count": users, "counted": users, "sorted": true, "pages": users.div_ceil(9), "byEmail": [person],
        "filtered": [person], "groups": population.groups, "adminRole": ["TenantAdmin"],
    });
    seen.assert("people", people);
    let spaces = json!({
        "count": population.spaces, "pages": population.spaces.div_ceil(2), "someShared": true,
        "onlyShared": true, "sameSpace": true, "someMembers": true, "foreignMembers": 0,
    });
    seen.assert("spaces", spaces);
    let every = |count: u64, limit: u64| json!([count, count, count.div_ceil(limit)]);
    let catalogue = json!({
        "dataConnections": every(population.data_connections, 2), "dataFiles": every(population.data_files, 4),
        "dataSets": every(population.data_sets, 4), "automations": every(population.automations, 1),
        "formerAutomations": every(population.automations, 1), "tasks": every(population.tasks, 3),
        "reloads": every(population.reloads, 30), "reportTemplates": every(population.report_templates, 1),
        "sharingTasks": every(population.sharing_tasks, 1), "oauthClients": every(1, 1),
        "audits": every(population.audits, 25),
    });
    seen.assert("catalogue", catalogue);
}

fn assert_writes_of_qlik_api(tenant: &Tenant, seen: &Seen) {
    let reloading =
        json!({ "queued": 201, "ended": "SUCCEEDED", "app": true, "listed": true, "onlyOfApp": true });
    seen.assert("reloading", reloading);
    let keys = json!({
        "tooLong": 400, "statuses": [204, 201, 204, 200, 204], "description": "renamed", "days": 7,
        "user": tenant.simulator.user_id(0), "afterwards": 401,
    });
    seen.assert("keys", keys);
    let clients = json!({
        "statuses": [201, 201, 204, 204], "signIns": [200, 200], "secretsLeft": 1, "afterwards": 404,
    });
    seen.assert("clients", clients);
    let life = |names: [&str; 2]| json!({ "statuses": [201, 204, 204, 404], "names": names });
    let writes = json!({
        "identityProvider": [201, "https://issuer.example.com", 204, 404],
        "webIntegration": life(["hub", "portal"]), "webhook": life(["reloads", "reloaded"]),
        "role": life(["Readers", "Lookers"]),
    });
    seen.assert("writes", writes);
}

#[test]
fn qlik_sdk() {
    // Without TLS: this client takes no authority but those that are built into it.
    let tenant = Tenant::new(false);
    let simulator = &tenant.simulator;
    let Some(seen) = tenant.seen_by(Language::Python, "qlik_sdk_client.py") else { return };
    seen.assert_parts(&["signingIn", "lists", "reloading", "writes", "refusals"]);

    let (administrator, person) = (simulator.user_id(0), simulator.user_id(PERSON));
    let unauthorized = json!(["AuthenticationException", "Authorization Required"]);
    let refused = |status: u16| json!(["HTTPError", status]);
    let signing_in = json!({
        "me": [administrator, simulator.user_email(0)], "tenant": simulator.tenant_id(),
        "tokenType": "bearer", "scope": ["admin.spaces:read", "user_default"], "bot": tenant.bot(),
        "revoked": unauthorized,
    });
    seen.assert("signingIn", signing_in);
    let population = tenant.population;
    let lists = json!({
        "apps": tenant.apps(), "sameApp": true, "rawItems": population.apps,
        "users": population.users + 1, "usersSorted": true, "counted": population.users + 1,
        "byEmail": [person], "filtered": [person],
        "spaces": population.spaces, "typesOfShared": ["shared"], "groups": population.groups,
        "roles": ["TenantAdmin"],
    });
    seen.assert("lists", lists);
    let app = seen.0["lists"]["apps"][0].clone();
    seen.assert("reloading", json!({ "status": "SUCCEEDED", "app": app, "listed": true }));
    let writes = json!({
        "webIntegration": ["hub", "portal", refused(404)], "webhook": ["reloads", "reloaded", refused(404)],
        "key": ["conformance", administrator, unauthorized],
    });
    seen.assert("writes", writes);
    let refusals = json!({
        "wrongKey": unauthorized,
        "wrongSecret": ["AuthenticationException", "Invalid client credentials"],
        "unknownSpace": refused(404), "badFilter": refused(400), "narrowToken": refused(403),
    });
    seen.assert("refusals", refusals);
    tenant.assert_met("qlik-sdk-python/0.17.0");
}
