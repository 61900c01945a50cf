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
}
