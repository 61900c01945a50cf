//! Escapes that may hide any character, letters too: percent-encoding and the character references of HTML.
//!
//! Which characters are escaped is up to whoever writes, so the forms of a secret cannot be listed; instead the escapes are
//! taken away, and what is found in the plain text is told in places of the escaped one. All of it takes one pass.

use memchr::{memchr, memchr2, memmem};
use std::ops::Range;
use zeroize::Zeroizing;

/// How often escapes within escapes are taken away, such as those of a URL within a URL within HTML.
pub(super) const DEEPEST: usize = 3;

/// References to characters by name that stand beside those by number.
const NAMED: [(&[u8], u8); 5] =
    [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];

/// The text without its escapes, if it has any.
pub(super) fn plain(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    memchr(b'%', text).or_else(|| memmem::find(text, b"&#"))?;
    // Whoever has secrets in it does not want to grow, which would leave copies.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    for part in (Parts { text, at: 0 }) {
        match part {
            Part::Kept(from) => plain.extend_from_slice(&text[from]),
            Part::Escape(_, character) => plain.extend_from_slice(character.bytes()),
        }
    }
    (plain.len() < text.len()).then_some(plain)
}

/// Where stretches of the plain text stand in the escaped one. They are in order and do not overlap.
pub(super) fn origins(text: &[u8], mut stretches: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let (mut at, mut started, mut ended) = (0, 0, 0);
    for part in (Parts { text, at: 0 }) {
        let next = at + part.length();
        while let Some(stretch) = stretches.get_mut(started).filter(|stretch| stretch.start < next) {
            stretch.start = match &part {
                Part::Kept(from) => from.start + (stretch.start - at),
                Part::Escape(from, _) => from.start,
            };
            started += 1;
        }
        while let Some(stretch) = stretches.get_mut(ended).filter(|stretch| stretch.end <= next) {
            stretch.end = match &part {
                Part::Kept(from) => from.start + (stretch.end - at),
                Part::Escape(from, _) => from.end,
            };
            ended += 1;
        }
        at = next;
    }
    stretches
}

/// A part of an escaped text, and where it stands.
enum Part {
    /// Nothing is escaped in it.
    Kept(Range<usize>),
    /// One escape, and what it stands for.
    Escape(Range<usize>, Character),
}

impl Part {
    /// How long it is in the plain text.
    fn length(&self) -> usize {
        match self {
            Part::Kept(from) => from.len(),
            Part::Escape(_, character) => character.length,
        }
    }
}

/// What an escape stands for: a byte, or a character in UTF-8.
struct Character {
    bytes: [u8; 4],
    length: usize,
}

impl Character {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl From<u8> for Character {
    fn from(byte: u8) -> Self {
        Character { bytes: [byte, 0, 0, 0], length: 1 }
    }
}

impl From<char> for Character {
    fn from(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Character { bytes, length }
    }
}

/// The parts of an escaped text, in order.
struct Parts<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        if let Some((length, character)) = escape(rest) {
            self.at += length;
            return Some(Part::Escape(start..self.at, character));
        }
        // What begins like an escape and is none is kept.
        self.at = memchr2(b'%', b'&', &rest[1..]).map_or(self.text.len(), |next| start + 1 + next);
        Some(Part::Kept(start..self.at))
    }
}

/// The escape with which a text begins, if it does: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Character)> {
    match text {
        [b'%', high, low, ..] => Some((3, u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?.into())),
        [b'&', b'#', b'x' | b'X', rest @ ..] => {
            reference(rest, 16).map(|(length, found)| (length + 3, found))
        }
        [b'&', b'#', rest @ ..] => reference(rest, 10).map(|(length, found)| (length + 2, found)),
        [b'&', ..] => {
            let (name, byte) = NAMED.iter().find(|(name, _)| text.starts_with(name))?;
            Some((name.len(), (*byte).into()))
        }
        _ => None,
    }
}

fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// The number of a character, and the semicolon behind it; browsers do without.
fn reference(text: &[u8], radix: u32) -> Option<(usize, Character)> {
    let digits = text.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let number = u32::from_str_radix(str::from_utf8(&text[..digits]).ok()?, radix).ok()?;
    let semicolon = usize::from(text.get(digits) == Some(&b';'));
    Some((digits + semicolon, char::from_u32(number)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_away_and_found_again() {
        for (text, without, stretch, origin) in [
            ("x%61b%63y", "xabcy", 1..4, 1..8),
            ("xab%63", "xabc", 2..4, 2..6),
            ("%61bcd", "abcd", 1..3, 3..5),
            ("&#97;&#x62;&#X0063;&#100", "abcd", 1..3, 5..19),
            ("100%: %zz%4 &#; &#x; &# &amp;%", "100%: %zz%4 &#; &#x; &# &%", 24..25, 24..29),
            ("&#1114112;&#99999999999;&#xd800;%41", "&#1114112;&#99999999999;&#xd800;A", 32..33, 32..35),
            ("%F0%9f%97%9D&#128477;🗝", "🗝🗝🗝", 4..8, 12..21),
            ("%%61", "%a", 1..2, 1..4),
        ] {
            assert_eq!(plain(text.as_bytes()).unwrap().as_slice(), without.as_bytes(), "{text}");
            assert_eq!(origins(text.as_bytes(), vec![stretch]), [origin], "{text}");
        }
        let several = origins(b"a%62c%64e", vec![0..1, 1..2, 3..4, 4..5]);
        assert_eq!(several, [0..1, 1..4, 5..8, 8..9]);
    }

    #[test]
    fn what_has_no_escapes_is_not_written_anew() {
        for text in ["", "%", "&", "&#", "plain", "100 % & more", "%4", "&#x", "a &amp; b"] {
            assert!(plain(text.as_bytes()).is_none(), "{text}");
        }
    }
}
