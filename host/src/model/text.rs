//! Text from elsewhere, made fit to be shown.

use std::borrow::Cow;

/// A text without control characters but for line breaks: what a remote system or a plugin says must not move a terminal's
/// cursor, change its title, or forge a line of a log.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_harmful) {
        Cow::Owned(text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and the marks that turn the direction of writing.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text is one line, without anything that moves a terminal.
pub fn is_one_line(text: &str) -> bool {
    !text.contains(breaks_line)
}

fn breaks_line(c: char) -> bool {
    c.is_control() || is_harmful(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// How much of a text is quoted, in characters.
const QUOTED: usize = 200;

/// What a person gave, in quotes, for a message: it stays one line, and of a long text only the beginning is repeated.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("\"{}…\"", one_line(&text[..end])),
        None => format!("\"{}\"", one_line(text)),
    }
}

/// What a person gave as a name, for a message: in quotes, unless it may be a secret that got into the wrong place.
pub fn as_named(text: &str) -> String {
    match is_one_line(text) && !is_fit_to_repeat(text) {
        true => "of that name (not shown, because it may be a secret)".to_owned(),
        false => quoted(text),
    }
}

/// A text with its line breaks, and whatever else moves a terminal, written out.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_one_line(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for c in text.chars() {
        match breaks_line(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether what a person gave can be repeated in a message. A secret that was given in the wrong place cannot, so this is a
/// short line, with words such as people choose: neither PEM, nor a long word, nor one with digits in the middle.
pub fn is_fit_to_repeat(text: &str) -> bool {
    let is_word = |word: &str| {
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() < 8
            || (word.len() <= 24 && !name.contains(|c: char| c.is_ascii_digit() || "+=$".contains(c)))
    };
    let separates = |c: char| matches!(c, '/' | '\\' | '.' | ':' | '-' | '_' | ' ' | ',');
    text.len() <= 200
        && !text.contains("-----")
        && !text.contains(char::is_control)
        && text.split(separates).all(is_word)
}

/// Whether a text looks like the name of an environment variable, and not like a value that a shell has put there.
pub fn is_variable_name(text: &str) -> bool {
    let (letters, words) = (text.chars().any(|c| c.is_ascii_lowercase()), is_fit_to_repeat(text));
    let mixed = letters && text.chars().any(|c| c.is_ascii_uppercase());
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let named = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    begins && named && words && !mixed && text.len() <= 64
}

/// A name as a shell takes it.
pub fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let dashes = if name.starts_with('-') { "-- " } else { "" };
    match name.chars().all(plain) {
        true => format!("{dashes}{name}"),
        false => format!("{dashes}'{}'", name.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_terminal_is_replaced() {
        assert_eq!(printable("Umsätze\t2026\n"), "Umsätze\t2026\n");
        assert_eq!(printable("\u{1b}[2Jgone\u{7}\r"), "\u{fffd}[2Jgone\u{fffd}\u{fffd}");
        assert_eq!(printable("abc\u{202e}fdp.exe"), "abc\u{fffd}fdp.exe");
    }

    #[test]
    fn what_is_quoted_stays_one_line() {
        assert_eq!(quoted("Umsätze \\ \"2026\""), "\"Umsätze \\ \"2026\"\"");
        assert_eq!(quoted("a\nb\r\u{1b}[2J"), r#""a\nb\r\u{1b}[2J""#);
        assert_eq!(quoted("abc\u{202e}fdp\u{2028}x\u{85}"), r#""abc\u{202e}fdp\u{2028}x\u{85}""#);
        assert_eq!(quoted(&"x".repeat(201)).chars().count(), 203);
        assert_eq!(quoted(&"ü".repeat(200)).chars().count(), 202);
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for fine in [
            "key.pem",
            "/home/anna/keys/np-2026.pem",
            "../ca.crt",
            "https://np.example:4993",
            "--tls-servername",
        ] {
            assert!(is_fit_to_repeat(fine), "{fine}");
        }
        for wrong in [
            "-----BEGIN PRIVATE KEY-----",
            "two\nlines",
            "0f3a9c7d5e1b2468",
            "c2VjcmV0LXZhbHVlCg==",
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl",
            "canary7api9key",
            &"a/".repeat(101),
        ] {
            assert!(!is_fit_to_repeat(wrong), "{wrong}");
        }
    }

    #[test]
    fn variables_have_names_that_people_choose() {
        for fine in ["QLIK_KEY", "THE_SECRET_2", "_token", "SHA256"] {
            assert!(is_variable_name(fine), "{fine}");
        }
        for wrong in [
            "",
            "2X",
            "A-B",
            "tok-6f1c",
            "deadbeef00deadbeef",
            "hunter2hunter2",
            "qXvbTzRwLm",
            &"A_".repeat(33),
        ] {
            assert!(!is_variable_name(wrong), "{wrong}");
        }
    }
}
