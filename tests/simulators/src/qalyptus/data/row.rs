//! Writing one row in a shape: some rows have nothing but their id, some carry members that nobody knows.

use uuid::Uuid;

use crate::kit::json::Json;
use crate::qalyptus::config::Shape;

/// A row being written.
pub(crate) struct Row<'a> {
    out: &'a mut Json,
    shape: Shape,
    blank: bool,
}

impl<'a> Row<'a> {
    /// Begins a row with its id.
    pub(crate) fn begin(out: &'a mut Json, shape: Shape, index: u64, id: Uuid) -> Self {
        out.open(b'{');
        let mut row = Self { out, shape, blank: false };
        row.id("id", id);
        row.blank = shape.nulls && index % 3 == 1;
        row
    }

    /// Ends it.
    pub(crate) fn end(self) {
        if self.shape.unknown_members {
            self.out.field("xNobodyKnowsThis", r#"{"since":2027,"list":[null,{"a":[]}]}"#);
        }
        self.out.close(b'}');
    }

    /// The shape that rows have.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// An id.
    pub(crate) fn id(&mut self, key: &str, id: Uuid) {
        let mut buffer = Uuid::encode_buffer();
        let text = id.hyphenated().encode_lower(&mut buffer);
        if self.blank { self.null(key) } else { self.out.plain(key, text) }
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if self.blank { self.null(key) } else { self.out.text(key, text) }
    }

    /// A text, or null where there is none.
    pub(crate) fn maybe(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.null(key),
        }
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &str, flag: bool) {
        self.raw(key, if flag { "true" } else { "false" });
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &str, number: u64) {
        self.raw(key, &number.to_string());
    }

    /// A time.
    pub(crate) fn time(&mut self, key: &str, ms: i64) {
        if self.blank { self.null(key) } else { self.out.time(key, ms) }
    }

    /// Ready JSON.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.out.field(key, if self.blank { "null" } else { json });
    }

    /// An object or an array, written by `write`.
    pub(crate) fn nested(&mut self, key: &str, write: impl FnOnce(&mut Json)) {
        if self.blank {
            return self.null(key);
        }
        self.out.key(key);
        write(self.out);
    }

    /// `null`.
    pub(crate) fn null(&mut self, key: &str) {
        self.out.field(key, "null");
    }
}
