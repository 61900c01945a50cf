//! Every form of every awkward secret, whatever stands around it, and nothing else.

use super::*;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIBpublicpublicpublicpublic+/aa\n-----END CERTIFICATE-----\n\
    -----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQg/abc+defghijklmn\nshort==\n\
    -----END PRIVATE KEY-----\n";

const AWKWARD: [&str; 12] = [
    "hunter2",
    "p@ss word/+&=?#%",
    "quote\"back\\slash\ttab",
    "Zoë—Ölmühle 🗝 key",
    "aaaa",
    "a+b/c==d~e'f(g)*h!",
    "<script>&amp;`x`",
    "%41%42%43",
    "Zm9vYmFyLWZvb2Jhcg==",
    "eyJhbGciOiJFUzM4NCJ9.eyJzdWIiOiJtZSJ9.AbCd-_EfGh",
    "  spaced out\r\n",
    PEM,
];

fn knowing(secrets: &[&str]) -> Scrubber {
    let scrubber = Scrubber::new();
    secrets.iter().for_each(|secret| scrubber.learn(&SecretValue::new(*secret)));
    scrubber
}

fn inner_json(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    json[1..json.len() - 1].to_owned()
}

#[track_caller]
fn gone(scrubber: &Scrubber, form: &str) {
    for (before, after) in [("", ""), ("x", "y"), ("{\"a\":\"", "\"}"), ("k=", "&l=m"), ("ä", "ö")] {
        let clean = scrubber.scrub_text(&format!("{before}{form}{after}")).into_owned();
        assert_eq!(clean, format!("{before}{MARK}{after}"), "{form}");
    }
}

#[test]
fn every_encoding_of_every_awkward_secret_is_replaced() {
    for secret in AWKWARD {
        let scrubber = knowing(&[secret]);
        gone(&scrubber, secret);
        gone(&scrubber, &inner_json(secret));
        let query: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        gone(&scrubber, &query);
        let all =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        gone(&scrubber, &all);
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            gone(&scrubber, &engine.encode(secret));
        }
    }
}

#[test]
fn percent_encoding_in_a_url_is_replaced() {
    for secret in AWKWARD.into_iter().filter(|secret| !secret.contains(['\n', '\t'])) {
        let scrubber = knowing(&[secret]);
        let mut url = url::Url::parse("https://host/").unwrap();
        url.query_pairs_mut().append_pair("q", secret);
        assert_eq!(scrubber.scrub_text(url.as_str()), format!("https://host/?q={MARK}"), "{secret}");
        let mut url = url::Url::parse("https://host/").unwrap();
        url.set_password(Some(secret)).unwrap();
        assert!(scrubber.scrub_text(url.as_str()).contains(MARK), "{url}");
        let mut url = url::Url::parse("https://host/").unwrap();
        url.path_segments_mut().unwrap().push(secret);
        assert_eq!(scrubber.scrub_text(url.as_str()), format!("https://host/{MARK}"), "{secret}");
    }
    let scrubber = knowing(&["p@ss/word"]);
    gone(&scrubber, "p%40ss%2fword");
    gone(&scrubber, "p%40ss%2Fword");
}

#[test]
fn escapes_of_letters_are_replaced() {
    const ESCAPES: [fn(char) -> String; 5] = [
        |c| c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
        |c| c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        |c| format!("&#{};", u32::from(c)),
        |c| format!("&#x{:X};", u32::from(c)),
        |c| c.to_string().bytes().map(|byte| format!("%25{byte:02X}")).collect(),
    ];
    for secret in AWKWARD {
        let scrubber = knowing(&[secret]);
        for escape in ESCAPES {
            gone(&scrubber, &secret.chars().map(escape).collect::<String>());
            for (one, _) in secret.char_indices() {
                // What begins an escape is not left as it is by whoever escapes.
                let form: String = (secret.char_indices())
                    .map(|(at, c)| if at == one || "%&".contains(c) { escape(c) } else { c.to_string() })
                    .collect();
                gone(&scrubber, &form);
            }
        }
    }
    gone(&knowing(&["NPcanary5Cookie & more"]), "NPc%61nary5Cookie+%26+more");
    gone(&knowing(&["hunter2<&>"]), "h&#117;nter2&lt;&amp;&gt;");
    assert_eq!(
        knowing(&["abcdef", "defghi"]).scrub_text("50% <%61bcdef%67hi> & %61"),
        format!("50% <{MARK}> & %61")
    );
    let body = br#"{"a": "%68unter2", "b": 1.50, "c": "\u00250068unter2 \u002568unter2"}"#;
    let clean: Value = serde_json::from_slice(&knowing(&["hunter2"]).scrub_body(body.to_vec())).unwrap();
    assert_eq!(clean, serde_json::json!({"a": MARK, "b": 1.5, "c": format!("%0068unter2 {MARK}")}));
}

#[test]
fn json_of_other_languages_is_replaced() {
    let scrubber = knowing(&["a+b/<ö>\"&'🗝"]);
    gone(&scrubber, r#"a+b\/<ö>\"&'🗝"#);
    gone(&scrubber, r#"a+b/<\u00f6>\"&'\ud83d\udddd"#);
    gone(&scrubber, r#"a+b/\u003cö\u003e\"\u0026'🗝"#);
    gone(&scrubber, r"a\u002Bb/\u003C\u00F6\u003E\u0022\u0026\u0027\uD83D\uDDDD");
}

#[test]
fn base64_of_a_longer_text_is_replaced_at_every_alignment() {
    for secret in AWKWARD.into_iter().filter(|secret| secret.trim() == *secret) {
        let scrubber = knowing(&[secret]);
        for (before, after) in ["", "u", "us", "use", "user:", "user1:"]
            .into_iter()
            .flat_map(|before| ["", ";", "\r\n", "xyz"].map(|after| (before, after)))
        {
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                let text = format!("Basic {}", engine.encode(format!("{before}{secret}{after}")));
                let clean = scrubber.scrub_text(&text);
                assert!(clean.contains(MARK), "{text} became {clean}");
                // What is left around the mark holds at most the few bits at the ends.
                let left = clean.len() - "Basic ".len() - MARK.len();
                let around = engine.encode(before).len() + engine.encode(after).len() + 4;
                assert!(left <= around, "{text} became {clean}");
            }
        }
    }
}

#[test]
fn the_lines_of_a_key_are_replaced_however_joined_and_public_lines_stay() {
    let scrubber = knowing(&[PEM]);
    let line = "AwEHBG0wawIBAQQg/abc+defghijklmn";
    gone(&scrubber, line);
    gone(&scrubber, &line.replace('/', "\\/"));
    gone(&scrubber, &PEM.trim().replace('\n', "\\n"));
    assert_eq!(scrubber.scrub_text(&PEM.replace('\n', "\r\n")).matches(MARK).count(), 2);
    for public in ["-----BEGIN PRIVATE KEY-----", "MIIBpublicpublicpublicpublic+/aa", "short=="] {
        assert_eq!(scrubber.scrub_text(public), public);
    }
}

#[test]
fn secrets_that_overlap_leave_no_tail() {
    let scrubber = knowing(&["abcdef", "defghij", "cdefg"]);
    assert_eq!(scrubber.scrub_text("<abcdefghij>"), format!("<{MARK}>"));
    assert_eq!(knowing(&["aaaa"]).scrub_text("aaaaaaaaa"), MARK);
    assert_eq!(knowing(&["pass", "password1"]).scrub_text("password1 pass"), format!("{MARK} {MARK}"));
    assert_eq!(knowing(&["abcd"]).scrub_text("abcdabcd"), format!("{MARK}{MARK}"));
}

#[test]
fn a_secret_that_is_a_form_of_another_has_its_own_forms() {
    let scrubber = knowing(&["abcd", "YWJjZA=="]);
    gone(&scrubber, "YWJjZA%3D%3D");
    gone(&scrubber, &STANDARD.encode("YWJjZA=="));
}

#[test]
fn short_values_are_ignored_and_other_texts_untouched() {
    let scrubber = knowing(&["", "a", "abc", "   a  "]);
    assert!(matches!(scrubber.scrub_text("abc a   a  "), Cow::Borrowed(_)));
    let scrubber = knowing(&["hunter2"]);
    assert!(matches!(scrubber.scrub_text("hunter hunter1 Hunter2"), Cow::Borrowed(_)));
    let bytes = vec![0xff; 100];
    let address = bytes.as_ptr();
    let bytes = scrubber.scrub(bytes);
    assert_eq!(bytes.as_ptr(), address, "the same bytes come back");
}

#[test]
fn bytes_that_are_no_text_are_scrubbed_too() {
    let clean = knowing(&["hunter2"]).scrub(b"\xff\xfehunter2\xff".to_vec());
    assert_eq!(clean, [b"\xff\xfe", MARK.as_bytes(), b"\xff"].concat());
}

#[test]
fn random_secrets_are_found_in_random_places() {
    let mut random = vec![0; 64];
    for round in 0..300 {
        aws_lc_rs::rand::fill(&mut random).unwrap();
        let secret: String = random[..8 + round % 40].iter().map(|byte| (b' ' + byte % 95) as char).collect();
        let scrubber = knowing(&[secret.trim()]);
        let noise = STANDARD.encode(&random[..round % 7]);
        for form in [
            secret.trim().to_owned(),
            url::form_urlencoded::byte_serialize(secret.trim().as_bytes()).collect(),
            STANDARD.encode(secret.trim()),
            inner_json(secret.trim()),
        ] {
            let clean = scrubber.scrub_text(&format!("{noise}\n{form}\n{noise}")).into_owned();
            assert!(clean.contains(MARK) && !clean.contains(&form), "{secret} as {form}");
        }
    }
}

#[test]
fn clones_share_what_they_know_and_threads_may_learn() {
    let scrubber = Scrubber::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let scrubber = scrubber.clone();
            scope.spawn(move || {
                for round in 0..20 {
                    let secret = format!("secret-{thread}-{round}-");
                    scrubber.learn(&SecretValue::new(secret.as_str()));
                    assert_eq!(scrubber.scrub_text(&secret), MARK);
                }
            });
        }
    });
    assert_eq!(scrubber.scrub_text("secret-0-0- secret-3-19-"), format!("{MARK} {MARK}"));
    assert_eq!(format!("{scrubber:?}"), "Scrubber(…)");
}

#[test]
fn a_writer_does_not_let_a_secret_through_in_pieces() {
    let scrubber = knowing(&["hunter2"]);
    let mut written = Vec::new();
    let mut writer = scrubber.writer(&mut written);
    for piece in ["a hun", "ter", "2 b\nhunt", "er2\nend hunter", "2"] {
        writer.write_all(piece.as_bytes()).unwrap();
    }
    drop(writer);
    assert_eq!(String::from_utf8(written).unwrap(), format!("a {MARK} b\n{MARK}\nend {MARK}"));
}

#[test]
fn a_writer_serves_tracing() {
    let scrubber = knowing(&["hunter2"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let target = file.reopen().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(move || scrubber.writer(target.try_clone().unwrap()))
        .finish();
    tracing::subscriber::with_default(subscriber, || tracing::info!(token = "hunter2", "got hunter2"));
    let line = std::fs::read_to_string(file.path()).unwrap();
    assert!(line.contains(MARK) && !line.contains("hunter2") && line.ends_with('\n'), "{line}");
}

#[test]
fn json_from_elsewhere_stays_json_whatever_a_secret_was() {
    let scrubber = knowing(&["12345678", "nhunter2"]);
    let body = r#"{"12345678": 12345678, "deep": [-9123456780, 1.50, "\nhunter2", "x\\nhunter2"]}"#;
    let clean: Value = serde_json::from_slice(&scrubber.scrub_body(body.into())).unwrap();
    let expected = serde_json::json!({ MARK: MARK, "deep": [MARK, 1.5, MARK, format!("x\\{MARK}")] });
    assert_eq!(clean, expected);
    let escaped = r#"{"a": "\u0068unter2", "b": 1.50, "\u0031\u003234567\u0038": "it\u0027s"}"#;
    let both = knowing(&["hunter2", "12345678"]);
    let clean: Value = serde_json::from_slice(&both.scrub_body(escaped.into())).unwrap();
    assert_eq!(clean, serde_json::json!({ "a": MARK, "b": 1.5, MARK: "it's" }));
    let innocent = r#"{"b": 1.50, "c": "it\u0027s"}"#;
    assert_eq!(scrubber.scrub_body(innocent.into()), innocent.as_bytes(), "not a byte is changed");
    let foreign = serde_json::json!({ "12345678": { "a": 12345678, "b": [91234567890_u64, 7] } });
    let expected = serde_json::json!({ MARK: { "a": MARK, "b": [format!("9{MARK}90"), 7] } });
    assert_eq!(scrubber.scrub_foreign(&foreign), expected);
    assert_eq!(scrubber.scrub_body(b"no json: 12345678".to_vec()), format!("no json: {MARK}").into_bytes());
}

#[test]
fn html_hex_case_and_what_was_encoded_twice_is_replaced() {
    let scrubber = knowing(&["Ab+c/d=e<f>&\"'`g"]);
    for form in [
        "AB+C/D=E<F>&\"'`G",
        "ab+c/d=e<f>&\"'`g",
        "Ab+c/d=e&lt;f&gt;&amp;\"'`g",
        "Ab+c/d=e&lt;f&gt;&amp;&quot;&#39;`g",
        "Ab+c/d=e&lt;f&gt;&amp;&#34;&#39;`g",
        "Ab+c&#x2F;d=e&lt;f&gt;&amp;&quot;&#x27;`g",
        "Ab&#x2B;c/d=e&lt;f&gt;&amp;&quot;&#x27;`g",
        "Ab+c&#x2F;d&#x3D;e&lt;f&gt;&amp;&quot;&#39;&#x60;g",
        r#"Ab+c/d\u003de\u003cf\u003e\u0026\"\u0027`g"#,
        r#"Ab+c/d=e<f>&\\\"'`g"#,
        "Ab%252Bc%252Fd%253De%253Cf%253E%2526%2522%2527%2560g",
        "41622b632f643d653c663e2622276067",
        "41622B632F643D653C663E2622276067",
    ] {
        gone(&scrubber, form);
    }
    let jwt = "eyJhbGciOiJFUzM4NCJ9.eyJzdWIiOiJtZSJ9.AbCd-_EfGhIjKlMnOpQr";
    gone(&knowing(&[jwt]), "AbCd-_EfGhIjKlMnOpQr");
    let net = PEM.replace('+', "\\u002B").replace('\n', "\\n");
    assert_eq!(knowing(&[PEM]).scrub_text(&net), MARK);
    gone(&knowing(&[PEM]), "AwEHBG0wawIBAQQg/abc\\u002Bdefghijklmn");
    gone(&knowing(&[PEM]), "AwEHBG0wawIBAQQg%2Fabc%2Bdefghijklmn");
}

#[test]
fn json_keeps_its_keys_and_numbers() {
    let scrubber = Scrubber::new();
    scrubber.learn(&SecretValue::new("hunter2\"!"));
    scrubber.learn(&SecretValue::new("12345678"));
    let value = serde_json::json!({
        "12345678": 12_345_678,
        "deep": [{ "echo": "Bearer hunter2\"!" }, "12345678", true, null],
    });
    let clean = serde_json::json!({
        "12345678": 12_345_678,
        "deep": [{ "echo": format!("Bearer {MARK}") }, MARK, true, null],
    });
    assert_eq!(scrubber.scrub_json(&value), clean);
}
