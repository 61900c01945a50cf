//! A JSON writer that writes straight into a buffer; commas look after themselves. Rows of a list are written with it
//! rather than through trees of values, because a million of them are read through one simulator.

use crate::kit::clock;

/// The buffer being written.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: Vec<u8>,
}

impl Json {
    /// An empty buffer with room.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// The bytes written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':' | b',')) {
            self.out.push(b',');
        }
    }

    /// Opens an object or an array (`{` or `[`) as the next value.
    pub(crate) fn open(&mut self, bracket: u8) {
        self.comma();
        self.out.push(bracket);
    }

    /// Closes it.
    pub(crate) fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
    }

    /// Writes a key, which must need no escape.
    pub(crate) fn key(&mut self, key: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Writes ready JSON as the next value.
    pub(crate) fn raw(&mut self, json: &str) {
        self.comma();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Key and ready JSON.
    pub(crate) fn field(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Key and a text known to need no escape.
    pub(crate) fn plain(&mut self, key: &str, text: &str) {
        self.parts(key, &[text]);
    }

    /// Key and a text in pieces known to need no escape.
    pub(crate) fn parts(&mut self, key: &str, parts: &[&str]) {
        self.key(key);
        self.out.push(b'"');
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.push(b'"');
    }

    /// Key and any text.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    /// Any text as the next value.
    pub(crate) fn string(&mut self, text: &str) {
        self.comma();
        // Serialising a `str` into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out, text);
    }

    /// Key and a number.
    pub(crate) fn number(&mut self, key: &str, number: u64) {
        self.field(key, &number.to_string());
    }

    /// Key and a boolean.
    pub(crate) fn flag(&mut self, key: &str, flag: bool) {
        self.field(key, if flag { "true" } else { "false" });
    }

    /// Key and a time with milliseconds.
    pub(crate) fn time(&mut self, key: &str, ms: i64) {
        self.key(key);
        self.out.push(b'"');
        clock::write_ms(&mut self.out, ms);
        self.out.push(b'"');
    }

    /// Key and `{"href":"…"}`.
    pub(crate) fn link(&mut self, key: &str, parts: &[&str]) {
        self.key(key);
        self.open(b'{');
        self.parts("href", parts);
        self.close(b'}');
    }

    /// A tree of values as the next value (for small, dynamic rows).
    pub(crate) fn value(&mut self, value: &serde_json::Value) {
        self.comma();
        let _ = serde_json::to_writer(&mut self.out, value);
    }
}
