//! What is accepted, what is refused, and in which words.

use super::*;
use serde_json::json;

fn form() -> Form {
    Form::of(&json!({
        "type": "object",
        "required": ["url", "sign_in"],
        "properties": {
            "url": { "title": "Tenant URL", "type": "string", "x-origin": {"schemes": ["https"]}, "x-order": 1 },
            "port": { "type": ["integer", "null"], "minimum": 1, "maximum": 65535, "x-port-of": "url" },
            "sign_in": { "enum": ["oauth", "api_key"], "default": "oauth", "x-order": 2 },
            "secret": { "title": "Client secret", "type": ["string", "null"], "x-secret": true, "x-required": true,
                        "x-when": {"sign_in": ["oauth"]}, "x-order": 3 },
        }
    }))
}

fn check(given: Value, secrets: &[&str]) -> Result<Value, String> {
    let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    let problems =
        |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    form().check(given.as_object().unwrap(), &secrets).map(Value::Object).map_err(problems)
}

#[test]
fn what_is_given_is_normalised_and_defaults_are_filled() {
    let kept = check(json!({"url": " Tenant.EU.qlikcloud.com "}), &["secret"]);
    assert_eq!(kept, Ok(json!({"url": "https://tenant.eu.qlikcloud.com", "sign_in": "oauth"})));
}

#[test]
fn every_problem_is_told_with_its_field() {
    for (given, secrets, expected) in [
        (json!({}), &["secret"][..], "url: is missing (Tenant URL)"),
        (json!({"url": "x.example"}), &[], "secret: is missing (Client secret)"),
        (
            json!({"url": "http://x.example"}),
            &["secret"],
            "url: \"http://x.example\" must begin with https://",
        ),
        (
            json!({"url": "https://u:p@x.example"}),
            &["secret"],
            "url: an address must not hold a user name or password; give them in their own fields",
        ),
        (
            json!({"url": "x.example", "sign_in": "magic"}),
            &[],
            "sign_in: \"magic\" is not one of oauth, api_key",
        ),
        (
            json!({"url": "x.example", "sign_in": "api_key"}),
            &["secret"],
            "secret: does not apply here: only when sign_in is oauth",
        ),
        (
            json!({"url": "x.example", "secret": "s3cret"}),
            &[],
            "secret: is a secret; give it with --secret, so that it does not stand in the shell's history",
        ),
        (
            json!({"url": "x.example", "port": 70000}),
            &["secret"],
            "port: 70000 is greater than the maximum of 65535",
        ),
        (
            json!({"url": "x.example", "colour": "red"}),
            &["secret"],
            "colour: there is no such setting; the settings are url, sign_in, secret, port",
        ),
    ] {
        assert_eq!(check(given, secrets).unwrap_err(), expected);
    }
}

#[test]
fn a_text_is_one_line_unless_its_field_has_several() {
    let form = Form::of(&json!({ "type": "object", "properties": {
        "email": { "type": "string" },
        "prefix": { "type": "string" },
        "map": { "type": "string", "x-widget": "multiline" },
    }}));
    let check = |field: &str, text: &str| {
        let kept = form.check(json!({ field: text }).as_object().unwrap(), &BTreeSet::new());
        kept.map(|kept| kept[field].clone()).map_err(|problems| problems[0].to_string())
    };
    for field in ["email", "prefix"] {
        assert_eq!(check(field, "\t Zoë \"Z\" \\ 🔑 \r\n"), Ok(json!("Zoë \"Z\" \\ 🔑")));
        for odd in ["a\nb", "a\rb", "a\tb", "a\u{1b}[2Jb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{202e}b"] {
            let told = format!(
                "{field}: holds a line break or another control character, which does not belong there"
            );
            assert_eq!(check(field, odd), Err(told), "{odd:?}");
        }
    }
    assert_eq!(check("map", "{\r\n\t\"a\": 1\n}"), Ok(json!("{\r\n\t\"a\": 1\n}")));
    for odd in ["{\n\u{1b}[2J}", "a\0b", "a\u{202e}b", "a\rb"] {
        let told = "map: holds a control character, which does not belong there".to_owned();
        assert_eq!(check("map", odd), Err(told), "{odd:?}");
    }
}

#[test]
fn a_host_by_itself_means_the_usual_port_and_a_url_what_it_says() {
    let schemes = ["https".to_owned()];
    for (given, kept) in [
        ("np.example.com", "https://np.example.com:4993"),
        (" NP.example.com ", "https://np.example.com:4993"),
        ("np.example.com/", "https://np.example.com:4993"),
        ("np.example.com/api?x=:1", "https://np.example.com:4993"),
        ("10.0.0.5", "https://10.0.0.5:4993"),
        ("[2001:db8::1]", "https://[2001:db8::1]:4993"),
        ("[2001:db8::1]:443", "https://[2001:db8::1]"),
        ("np.example.com:443", "https://np.example.com"),
        ("np.example.com:8443", "https://np.example.com:8443"),
        ("https://np.example.com", "https://np.example.com"),
        ("https://np.example.com:4993/api", "https://np.example.com:4993"),
    ] {
        assert_eq!(origin::origin(given, &schemes, Some(4993)).as_deref(), Ok(kept), "{given}");
    }
    assert_eq!(origin::origin("np.example.com", &schemes, None).as_deref(), Ok("https://np.example.com"));
}

#[test]
fn origins_come_with_their_further_ports() {
    let settings = json!({"url": "https://x.example", "port": 4242});
    let origins = form().origins(settings.as_object().unwrap());
    assert_eq!(origins, vec![("url".to_owned(), "https://x.example".parse().unwrap(), vec![4242])]);
}

#[test]
fn the_person_to_act_for_is_named_where_the_field_applies() {
    let form = Form::of(&json!({ "properties": {
        "way": { "enum": ["own", "as_user"], "default": "own" },
        "email": { "type": ["string", "null"], "x-subject": true, "x-when": {"way": ["as_user"]} },
    }}));
    for (settings, subject) in [
        (json!({"way": "as_user", "email": "ada@example.com"}), Some("ada@example.com")),
        (json!({"way": "own", "email": "ada@example.com"}), None),
        (json!({"way": "as_user"}), None),
    ] {
        assert_eq!(form.subject(settings.as_object().unwrap()).as_deref(), subject, "{settings}");
    }
}
