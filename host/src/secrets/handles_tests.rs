//! What a plugin may do with its handles, and what it is told when it may not.

use super::*;
use jackfield_plugin::contract::Blame;
use serde_json::json;

const SECRET: &str = "s3cr3t-value";
const ORIGIN: &str = "https://tenant.example.com";

fn description() -> Description {
    serde_json::from_value(json!({
        "id": "x", "display_name": "X", "version": "1.0.0", "needs": "1.0",
        "settings": { "properties": {
            "client_secret": { "title": "Client secret", "x-secret": true },
            "unused": { "x-secret": true },
            "name": { "title": "Name" },
        }},
        "credentials": [{ "id": "oauth", "label": "OAuth", "mode": "supplied", "uses": [
            { "field": "client_secret", "place": { "at": "json", "pointer": "/client_secret" }, "path": "/oauth/token" },
            { "field": "client_secret", "place": { "at": "header", "name": "X-Api-Key" }, "path": "/api/*" },
            { "field": "client_secret", "place": { "at": "basic" }, "path": "/any" },
            { "field": "client_secret", "place": { "at": "basic", "user": "me" }, "path": "/mine" },
            { "field": "client_secret", "place": { "at": "new_place" }, "path": "*" },
            { "field": "pfx", "place": { "at": "tls_identity" }, "path": "*" },
        ]}],
    }))
    .unwrap()
}

fn handles() -> Handles {
    let secret = |field: &str| (field.to_owned(), SecretValue::new(SECRET));
    Handles::new(&description(), vec![secret("client_secret"), secret("pfx")], Scrubber::new())
}

fn to(path: &str) -> Destination<'_> {
    Destination { method: "POST", origin_name: "tenant", origin: ORIGIN, path }
}

fn setting(field: &str, place: Place) -> Slot {
    Slot { secret: SecretRef::Setting(field.to_owned()), place }
}

fn header(name: &str) -> Place {
    Place::Header { name: name.to_owned() }
}

fn basic(user: &str) -> Place {
    Place::Basic { user: user.to_owned() }
}

fn json_member(pointer: &str) -> Place {
    Place::Json { pointer: pointer.to_owned() }
}

#[test]
fn a_setting_goes_where_the_description_allows_it() {
    let handles = handles();
    for (place, path) in [
        (json_member("/client_secret"), "/oauth/token"),
        (json_member("/client_secret"), "/oauth/token?a=b"),
        (header("x-api-key"), "/api/"),
        (header("X-Api-Key"), "/api/v1/items"),
        (header("X-Api-Key"), "/api/a%2Fb/..c"),
        (basic("anyone"), "/any"),
        (basic("me"), "/mine"),
    ] {
        let value = handles.reveal(&setting("client_secret", place.clone()), &to(path));
        assert_eq!(value.unwrap().reveal(), SECRET, "{place:?} {path}");
    }
    assert!(handles.reveal(&setting("pfx", Place::TlsIdentity), &to("/")).is_ok());
}

#[test]
fn a_setting_goes_nowhere_else() {
    let handles = handles();
    for (place, path) in [
        (json_member("/client_secret"), "/oauth/token/"),
        (json_member("/client_secret"), "/oauth/tokens"),
        (json_member("/client_secret"), "/OAUTH/token"),
        (json_member("/client_secret"), "/oauth%2Ftoken"),
        (json_member("/client_secret"), "/other?x=/oauth/token"),
        (json_member("/client_secret"), "/other#/oauth/token"),
        (json_member("/other"), "/oauth/token"),
        (Place::Form { field: "client_secret".to_owned() }, "/oauth/token"),
        (header("X-Api-Key"), "/api"),
        (header("X-Api-Key"), "/v2/api/"),
        (header("X-Api-Key"), "/api/x/..%2F..%2fadmin"),
        (header("X-Api-Key"), "/api/%2e%2e%5cadmin"),
        (header("X-Api-Key"), "/?/api/"),
        (header("X-Other"), "/api/v1"),
        (header("Authorization"), "/api/v1"),
        (Place::Bearer, "/api/v1"),
        (basic("you"), "/mine"),
        (basic(""), "/mine"),
        (Place::Other, "/api/v1"),
        (Place::TlsIdentity, "/api/v1"),
    ] {
        let failure = handles.reveal(&setting("client_secret", place.clone()), &to(path)).unwrap_err();
        assert_eq!(failure.blame, Blame::Plugin, "{place:?} {path}");
        assert!(!failure.to_string().contains(SECRET));
    }
}

#[test]
fn a_refusal_names_the_secret_the_place_and_what_is_allowed() {
    let failure = handles().reveal(&setting("client_secret", header("X")), &to("/y?q")).unwrap_err();
    assert_eq!(
        failure.message,
        "the plugin puts the secret \"client_secret\" into the header \"X\" at POST /y of tenant; its description \
         allows only the JSON member \"/client_secret\" at /oauth/token, or the header \"X-Api-Key\" at /api/*, or \
         the password of HTTP Basic at /any, or the password of HTTP Basic for \"me\" at /mine, or a place that this \
         Jackfield does not know at *"
    );
    let nowhere = handles().reveal(&setting("unused", Place::Bearer), &to("/")).unwrap_err();
    assert!(nowhere.message.ends_with("its description allows it nowhere"), "{nowhere}");
}

#[test]
fn an_absent_secret_is_asked_of_the_person() {
    for given in [vec![], vec![("client_secret".to_owned(), SecretValue::new(""))]] {
        let handles = Handles::new(&description(), given, Scrubber::new());
        let failure = handles.reveal(&setting("client_secret", basic("x")), &to("/any")).unwrap_err();
        assert_eq!((failure.blame, failure.field.as_deref()), (Blame::You, Some("client_secret")));
        assert!(failure.message.contains("\"Client secret\""), "{failure}");
        assert!(!handles.facts("client_secret").unwrap().present);
    }
}

#[test]
fn an_unknown_handle_is_the_plugins_fault() {
    let handles = handles();
    let captured = Slot { secret: SecretRef::Captured("token".to_owned()), place: Place::Bearer };
    for slot in [setting("name", Place::Bearer), setting("", Place::Bearer), captured] {
        assert_eq!(handles.reveal(&slot, &to("/")).unwrap_err().blame, Blame::Plugin);
    }
    assert_eq!(handles.facts("name").unwrap_err().blame, Blame::Plugin);
    assert!(handles.facts("client_secret").unwrap().present);
}

#[test]
fn a_captured_value_goes_back_to_its_origin_only() {
    let handles = handles();
    handles.capture("token", SecretValue::new("t0ken-value"), ORIGIN);
    let slot = |place| Slot { secret: SecretRef::Captured("token".to_owned()), place };
    for place in [Place::Bearer, basic("x"), header("Cookie"), json_member("/t")] {
        assert_eq!(handles.reveal(&slot(place), &to("/anywhere")).unwrap().reveal(), "t0ken-value");
    }
    for place in [Place::TlsIdentity, Place::Other] {
        assert_eq!(handles.reveal(&slot(place), &to("/")).unwrap_err().blame, Blame::Plugin);
    }
    for origin in ["https://evil.example", "http://tenant.example.com", "https://tenant.example.com:4242", ""]
    {
        let failure = handles.reveal(&slot(Place::Bearer), &Destination { origin, ..to("/") }).unwrap_err();
        assert_eq!(failure.blame, Blame::Plugin);
        assert!(failure.message.contains(ORIGIN) && !failure.message.contains("t0ken"), "{failure}");
    }
}

#[test]
fn captures_are_replaced_forgotten_and_scrubbed() {
    let scrubber = Scrubber::new();
    let handles =
        Handles::new(&description(), vec![("pfx".to_owned(), SecretValue::new(SECRET))], scrubber.clone());
    handles.capture("token", SecretValue::new("first-token"), ORIGIN);
    handles.capture("token", SecretValue::new("second-token"), ORIGIN);
    assert_eq!(handles.captured("token").unwrap().0.reveal(), "second-token");
    handles.forget("token");
    assert!(handles.captured("token").is_none());
    let text = format!("{SECRET} first-token second-token");
    assert_eq!(scrubber.scrub_text(&text), "«secret» «secret» «secret»");
    assert_eq!(format!("{handles:?}"), "Handles(…)");
}

#[test]
fn a_client_certificate_is_opened_and_one_that_has_expired_since_is_not_shown() {
    let mut description = description();
    description.settings["properties"]["pfx"] =
        json!({ "title": "Certificate", "x-secret": true, "x-tls-identity": { "password": "password" } });
    description.settings["properties"]["password"] = json!({ "x-secret": true });
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secrets/identity_files");
    let handles = |file: &str| {
        let value = identity::entered(&std::fs::read(folder.join(file)).unwrap());
        let password = ("password".to_owned(), SecretValue::new("Qlik-Expört 7%"));
        Handles::new(&description, vec![("pfx".to_owned(), value), password], Scrubber::new())
    };
    let shown = handles("aes.pfx").reveal(&setting("pfx", Place::TlsIdentity), &to("/")).unwrap();
    assert!(shown.reveal().starts_with("-----BEGIN CERTIFICATE-----"));
    let expired = handles("expired.pfx");
    let failure = expired.reveal(&setting("pfx", Place::TlsIdentity), &to("/")).unwrap_err();
    assert_eq!((failure.blame, failure.field.as_deref()), (Blame::Credential, Some("pfx")));
    assert!(failure.message.contains("expired on 2020-02-03"), "{failure}");
    // Its facts are there all the same.
    assert_eq!(expired.facts("pfx").unwrap().certificate.unwrap().subject, "CN=QlikClient");
    // What is opened is scrubbed, too, and nothing of it goes where the description does not say.
    assert!(handles("aes.pfx").reveal(&setting("pfx", Place::Bearer), &to("/")).is_err());
}
