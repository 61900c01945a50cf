//! Writing one row in the habits of a release: spelling of keys, members that are there, times.

use uuid::Uuid;

use crate::kit::clock;
use crate::kit::json::Json;
use crate::nprinting::config::{Dates, Shape};

/// A row being written.
pub(crate) struct Row<'a> {
    out: &'a mut Json,
    shape: Shape,
    index: u64,
}

impl<'a> Row<'a> {
    /// Begins an object.
    pub(crate) fn begin(out: &'a mut Json, shape: Shape, index: u64) -> Self {
        out.open(b'{');
        Self { out, shape, index }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.out.close(b'}');
    }

    /// The shape that the release has.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    fn key<'k>(&self, key: &'k str) -> &'k str {
        spelled(self.shape, key)
    }

    /// A GUID.
    pub(crate) fn id(&mut self, key: &str, id: Uuid) {
        let mut buffer = Uuid::encode_buffer();
        self.out.plain(self.key(key), id.hyphenated().encode_lower(&mut buffer));
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.out.text(self.key(key), text);
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &str, flag: bool) {
        self.out.flag(self.key(key), flag);
    }

    /// Ready JSON.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.out.field(self.key(key), json);
    }

    /// A time.
    pub(crate) fn time(&mut self, key: &str, ms: i64) {
        let text = time(self.shape.dates, self.index, ms);
        self.out.plain(self.key(key), &text);
    }
}

/// A key in the spelling of the release.
pub(crate) fn spelled(shape: Shape, key: &str) -> &str {
    match key {
        _ if !shape.lower_case_keys => key,
        "appId" => "appid",
        "userName" => "username",
        "domainAccount" => "domainaccount",
        "subFolder" => "subfolder",
        key => key,
    }
}

/// A time as the release writes it.
pub(crate) fn time(dates: Dates, index: u64, ms: i64) -> String {
    let mut text = clock::text_ms(ms);
    match dates {
        Dates::Zulu => text,
        Dates::Offset => {
            text.truncate(23);
            text + "+00:00"
        }
        Dates::Mixed => {
            // No fraction, or three to seven digits of one.
            match index % 4 {
                0 => text.truncate(19),
                1 => text.truncate(23),
                2 => text.replace_range(23.., "0"),
                _ => text.replace_range(23.., "0000"),
            }
            text + if index.is_multiple_of(2) { "Z" } else { "+00:00" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_same_time() {
        for dates in [Dates::Offset, Dates::Zulu, Dates::Mixed] {
            for index in 0..4 {
                let text = time(dates, index, 1_700_000_000_000);
                assert_eq!(clock::parse_ms(&text), Some(1_700_000_000_000), "{text}");
            }
        }
    }
}
