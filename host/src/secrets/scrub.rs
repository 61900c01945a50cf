//! The scrubber: replaces every known secret in whatever passes through it.
//!
//! It is a net under the handles, not the rope: values are kept from plugins and logs because nobody hands them over; what
//! a remote system echoes, or a programmer prints, ends here. Escapes that may hide any letter are taken away before the
//! search; a secret that was transformed in a way that is not among the forms (hashed, compressed, reversed) passes.

use super::{
    scrub_body::mended,
    scrub_escapes::{DEEPEST, origins, plain},
    scrub_forms::{SHORTEST, forms},
    scrub_sieve::Sieve,
};
use crate::model::secret::SecretValue;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    io::{self, Write},
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};
use zeroize::Zeroize;

/// What stands where a secret stood.
pub const MARK: &str = "«secret»";

/// Knows secrets and replaces them. Clones share what they know.
#[derive(Clone, Default)]
pub struct Scrubber(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    forms: BTreeSet<String>,
    /// Of all the forms; absent while there are new ones.
    finder: Option<Arc<Finder>>,
}

/// Finds all forms.
struct Finder {
    /// Absent if a form is too short for it.
    sieve: Option<Sieve>,
    forms: AhoCorasick,
}

impl Finder {
    /// The stretches that are to be replaced, also those that show only without escapes, so many levels deep. They are in
    /// order; secrets that overlap make one stretch, so that no tail of one remains beside the other.
    fn find(&self, bytes: &[u8], deep: usize) -> Vec<Range<usize>> {
        let mut found = self.find_written(bytes);
        if let Some(plain) = (deep > 0).then(|| plain(bytes)).flatten() {
            let hidden = self.find(&plain, deep - 1);
            if !hidden.is_empty() {
                found.extend(origins(bytes, hidden));
                found.sort_by_key(|stretch| stretch.end);
                found = joined(found);
            }
        }
        found
    }

    /// The stretches that are a form as they stand.
    fn find_written(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let may = self.sieve.as_ref().is_none_or(|sieve| sieve.holds_back(bytes));
        if !may || !self.forms.is_match(bytes) {
            return Vec::new();
        }
        // They come in the order of their ends.
        joined(self.forms.find_overlapping_iter(bytes).map(|found| found.range()))
    }
}

/// Stretches of which no two overlap, from those that may, in the order of their ends.
fn joined(found: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for Range { mut start, end } in found {
        while let Some(last) = stretches.pop_if(|last| start < last.end) {
            start = start.min(last.start);
        }
        stretches.push(start..end);
    }
    stretches
}

impl Drop for Known {
    fn drop(&mut self) {
        while let Some(mut form) = self.forms.pop_last() {
            form.zeroize();
        }
    }
}

impl Scrubber {
    /// One that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret. Values of less than four bytes, not counting space around them, are ignored: replacing every "abc"
    /// would tell more than it hides.
    pub fn learn(&self, secret: &SecretValue) {
        let value = secret.reveal();
        let trimmed = value.trim();
        if trimmed.len() < SHORTEST {
            return;
        }
        // Values often carry the line end of the file that they came from, and are sent without it.
        let new = forms(value).into_iter().chain(forms(trimmed));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.forms.len();
        known.forms.extend(new);
        if known.forms.len() > before {
            known.finder = None;
        }
    }

    /// Whether a known secret stands in bytes.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        !self.find(bytes).is_empty()
    }

    /// Replaces every known secret in bytes. Returns the same bytes if there is none.
    pub fn scrub(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let found = self.find(&bytes);
        if found.is_empty() {
            return bytes;
        }
        let clean = replaced(&bytes, &found);
        bytes.zeroize();
        clean
    }

    /// Replaces every known secret in a text.
    pub fn scrub_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        // Forms are whole texts, so this is one too and nothing is lost.
        Cow::Owned(String::from_utf8_lossy(&replaced(text.as_bytes(), &found)).into_owned())
    }

    /// Replaces every known secret in the body of an answer. What was JSON is JSON afterwards: a mark that would stand where
    /// a number stood, or behind a backslash, becomes a text of its own.
    pub fn scrub_body(&self, bytes: Vec<u8>) -> Vec<u8> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if !first.is_some_and(|first| b"{[".contains(first)) {
            return self.scrub(bytes);
        }
        let found = self.find(&bytes);
        let clean = match found.is_empty() {
            true => bytes,
            false => mended(&replaced(&bytes, &found)),
        };
        self.unescaped(&clean).unwrap_or(clean)
    }

    /// The JSON without secrets, if one of them shows only to a reader that takes escapes away from letters and digits.
    fn unescaped(&self, json: &[u8]) -> Option<Vec<u8>> {
        memchr::memmem::find(json, b"\\u00")?;
        let value: Value = serde_json::from_slice(json).ok()?;
        let clean = self.scrub_foreign(&value);
        (clean != value).then(|| serde_json::to_vec(&clean).unwrap_or_default())
    }

    /// Replaces every known secret in a JSON value that came from elsewhere: in keys and numbers as well.
    pub fn scrub_foreign(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(key, member)| (self.scrub_text(key).into_owned(), self.scrub_foreign(member)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.scrub_foreign(item)).collect(),
            Value::Number(number) => match self.scrub_text(&number.to_string()) {
                Cow::Borrowed(_) => value.clone(),
                Cow::Owned(text) => Value::String(text),
            },
            other => self.scrub_json(other),
        }
    }

    /// Replaces every known secret in the text values of a JSON value of our own, however deep; keys and numbers are ours.
    pub fn scrub_json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.scrub_text(text).into_owned()),
            Value::Array(items) => items.iter().map(|item| self.scrub_json(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, member)| (key.clone(), self.scrub_json(member))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A writer that scrubs whatever is written through it to `inner`, line by line; usable as the writer of
    /// `tracing_subscriber`: `with_writer(move || scrubber.writer(io::stderr()))`.
    pub fn writer<W: Write>(&self, inner: W) -> ScrubWriter<W> {
        ScrubWriter { scrubber: self.clone(), inner, line: Vec::new() }
    }

    fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.finder().map_or_else(Vec::new, |finder| finder.find(bytes, DEEPEST))
    }

    fn finder(&self) -> Option<Arc<Finder>> {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.finder.is_some() || known.forms.is_empty() {
                return known.finder.clone();
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.finder.is_none() {
            // Fails only beyond two thousand million states.
            let forms = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(&known.forms)
                .expect("secrets are much smaller than memory");
            known.finder = Some(Arc::new(Finder { sieve: Sieve::of(&known.forms), forms }));
        }
        known.finder.clone()
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(…)")
    }
}

fn replaced(bytes: &[u8], stretches: &[Range<usize>]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len() + stretches.len() * MARK.len());
    let mut done = 0;
    for stretch in stretches {
        clean.extend_from_slice(&bytes[done..stretch.start]);
        clean.extend_from_slice(MARK.as_bytes());
        done = stretch.end;
    }
    clean.extend_from_slice(&bytes[done..]);
    clean
}

/// A writer that scrubs. It holds a line back until it is whole, so that a secret is not split between two writes; a
/// flush or its end writes what is there, so flush only where a text ends.
pub struct ScrubWriter<W: Write> {
    scrubber: Scrubber,
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> ScrubWriter<W> {
    fn emit(&mut self) -> io::Result<()> {
        if self.line.is_empty() {
            return Ok(());
        }
        let clean = self.scrubber.scrub(std::mem::take(&mut self.line));
        self.inner.write_all(&clean)
    }
}

impl<W: Write> Write for ScrubWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match memchr::memrchr(b'\n', bytes) {
            Some(end) => {
                self.line.extend_from_slice(&bytes[..=end]);
                self.emit()?;
                self.line.extend_from_slice(&bytes[end + 1..]);
            }
            None => self.line.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.emit()?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for ScrubWriter<W> {
    fn drop(&mut self) {
        // Nobody is left to tell of an error.
        let _ = self.emit();
    }
}

#[cfg(test)]
#[path = "scrub_tests.rs"]
mod tests;
