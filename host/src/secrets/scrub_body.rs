//! Mending JSON from which secrets were taken: whoever reads it must find JSON, with marks for texts.

use super::scrub::MARK;

/// JSON in which marks may stand outside of texts, or behind the half of an escape, with each such mark a text of its own.
pub(super) fn mended(json: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(&first) = rest.first() {
        let (token, after) = rest.split_at(match first {
            b'"' => text_length(rest),
            b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            // A number, or a word; with a mark in it, neither.
            _ => rest.iter().position(|byte| b"{}[]:,\" \t\r\n".contains(byte)).unwrap_or(rest.len()),
        });
        match (memchr::memmem::find(token, MARK.as_bytes()).is_some(), first) {
            (true, b'"') => without_halves(token, &mut whole),
            (true, _) => whole.extend(format!("\"{MARK}\"").bytes()),
            (false, _) => whole.extend_from_slice(token),
        }
        rest = after;
    }
    whole
}

/// The length of the JSON text at the beginning, both quotation marks included.
fn text_length(json: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in json.iter().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            byte => escaped = *byte == b'\\' && !escaped,
        }
    }
    json.len()
}

/// A JSON text without backslashes that escape a mark: what they escaped was the first character of the secret.
fn without_halves(text: &[u8], whole: &mut Vec<u8>) {
    let mut done = 0;
    for at in memchr::memmem::find_iter(text, MARK.as_bytes()) {
        let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        whole.extend_from_slice(&text[done..at - backslashes % 2]);
        done = at;
    }
    whole.extend_from_slice(&text[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn marks_become_texts_where_they_stand_for_something_else() {
        for (broken, expected) in [
            (
                format!(r#"{{"id": {MARK}, "n": [1, 9{MARK}9,true]}}"#),
                json!({"id": MARK, "n": [1, MARK, true]}),
            ),
            (
                format!(r#"["a\{MARK}", "b\\{MARK}{MARK}"]"#),
                json!([format!("a{MARK}"), format!("b\\{MARK}{MARK}")]),
            ),
            (
                format!(r#"{{"say \"{MARK}\"": "{MARK}:1"}}"#),
                json!({format!("say \"{MARK}\""): format!("{MARK}:1")}),
            ),
        ] {
            let clean: Value = serde_json::from_slice(&mended(broken.as_bytes())).unwrap();
            assert_eq!(clean, expected, "{broken}");
        }
        for whole in ["{\"a\": \"\\\\\"}", "[1.50, \"x\\\"y\"]", "[\"no end"] {
            assert_eq!(mended(whole.as_bytes()), whole.as_bytes());
        }
    }
}
