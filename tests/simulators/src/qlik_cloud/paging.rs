//! Paging: each list has its own parameters, its own limits and its own way to say that it ends; what they share is the
//! body `{"data": […], "links": {…}}` with absolute links around opaque cursors.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::kit::json::Json;
use crate::kit::noise::{hash, hash_text};
use crate::qlik_cloud::call::Call;
use crate::qlik_cloud::config::Ending;
use crate::qlik_cloud::problem::Problem;
use crate::qlik_cloud::source::Source;
use crate::qlik_cloud::walk::{self, Gap, Page};

/// Which parameters carry the place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// `next` and `prev`.
    NextPrev,
    /// One opaque parameter for both directions.
    One(&'static str),
    /// Ids of rows in `startingAfter` and `endingBefore`.
    Ids,
    /// Numbers in `skip`.
    Skip,
}

/// The habits of one list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// Its name, by which its ending can be configured.
    pub(crate) name: &'static str,
    /// Rows when no limit is asked for.
    pub(crate) usual: u64,
    /// The largest limit.
    pub(crate) most: u64,
    /// Its parameters.
    pub(crate) cursor: Cursor,
    /// How it says that it ends.
    pub(crate) ending: Ending,
}

impl List {
    /// A list with `next` and `prev` whose links are left out at its ends.
    pub(crate) const fn new(name: &'static str, usual: u64) -> Self {
        Self { name, usual, most: 100, cursor: Cursor::NextPrev, ending: Ending::Missing }
    }

    /// Answers a request for a page.
    pub(crate) fn answer(&self, call: &Call, sources: &[&dyn Source]) -> Result<Response, Problem> {
        self.answer_with(call, sources, &|_| {})
    }

    /// The same with further members of the body.
    pub(crate) fn answer_with(
        &self,
        call: &Call,
        sources: &[&dyn Source],
        further: &dyn Fn(&mut Json),
    ) -> Result<Response, Problem> {
        let limit = call.query.number("limit", self.usual, self.most)? as usize;
        let page = self.page(call, sources, limit)?;
        let mut out = Json::with_capacity(page.rows.len() * 1400 + 1024);
        out.open(b'{');
        out.key("data");
        out.open(b'[');
        for &(source, place) in &page.rows {
            sources[source].write(place, &mut out);
        }
        out.close(b']');
        self.write_links(call, sources, &page, &mut out);
        if call.query.flag("totalResults")? {
            out.number("totalResults", walk::count(sources));
        }
        further(&mut out);
        out.close(b'}');
        call.world.journal.wrote_rows(page.rows.len() as u64);
        Ok(([(header::CONTENT_TYPE, "application/json")], out.into_bytes()).into_response())
    }

    fn page(&self, call: &Call, sources: &[&dyn Source], limit: usize) -> Result<Page, Problem> {
        match self.place(call, sources)? {
            None => Ok(walk::forward(sources, walk::start(sources), limit)),
            Some((false, gap)) => Ok(walk::forward(sources, gap, limit)),
            Some((true, gap)) => Ok(walk::backward(sources, gap, limit)),
        }
    }

    /// Where the request stands: (backwards, gap).
    fn place(&self, call: &Call, sources: &[&dyn Source]) -> Result<Option<(bool, Gap)>, Problem> {
        let (forth, back) = self.parameters();
        let (next, prev) = (call.query.get(forth), call.query.get(back).filter(|_| forth != back));
        if next.is_some() && prev.is_some() {
            return Err(Problem::parameter(back, format!("cannot be combined with {forth}")));
        }
        let Some((name, value)) = next.map(|value| (forth, value)).or(prev.map(|value| (back, value))) else {
            return Ok(None);
        };
        let place = match self.cursor {
            Cursor::Ids => {
                let found = sources.first().and_then(|source| source.find(value));
                found.map(|place| (name == back, vec![if name == back { place } else { place + 1 }]))
            }
            Cursor::Skip => value.parse().ok().map(|rows| (false, skip(sources, rows))),
            Cursor::NextPrev | Cursor::One(_) => decode(self.name, value, sources.len()),
        };
        place.map(Some).ok_or_else(|| Problem::parameter(name, "not a cursor of this list"))
    }

    fn parameters(&self) -> (&'static str, &'static str) {
        match self.cursor {
            Cursor::NextPrev => ("next", "prev"),
            Cursor::One(name) => (name, name),
            Cursor::Ids => ("startingAfter", "endingBefore"),
            Cursor::Skip => ("skip", "skip"),
        }
    }

    fn write_links(&self, call: &Call, sources: &[&dyn Source], page: &Page, out: &mut Json) {
        let (forth, back) = self.parameters();
        let next = page.next.as_ref().map(|gap| (forth, self.token(call, sources, page, false, gap)));
        let prev = page.prev.as_ref().map(|gap| (back, self.token(call, sources, page, true, gap)));
        let ending = call.world.ending(self.name, self.ending);
        let origin = call.world.link_origin();
        out.key("links");
        out.open(b'{');
        let mark = if call.query.raw().is_empty() { "" } else { "?" };
        out.key("self");
        out.open(b'{');
        out.text("href", &[origin, &call.path, mark, call.query.raw()].concat());
        out.close(b'}');
        for (rel, link) in [("next", next), ("prev", prev)] {
            match (link, ending) {
                (Some((name, token)), _) => {
                    let rest = call.query.without(&[forth, back]);
                    let join = if rest.is_empty() { "" } else { "&" };
                    out.key(rel);
                    out.open(b'{');
                    out.text("href", &[origin, &call.path, "?", &rest, join, name, "=", &token].concat());
                    out.close(b'}');
                }
                (None, Ending::Missing) => {}
                (None, Ending::Null) => out.field(rel, "null"),
                (None, Ending::HrefNull) => out.field(rel, r#"{"href":null}"#),
                (None, Ending::Empty) => out.field(rel, r#"{"href":""}"#),
            }
        }
        out.close(b'}');
    }

    fn token(&self, call: &Call, sources: &[&dyn Source], page: &Page, back: bool, gap: &Gap) -> String {
        match self.cursor {
            Cursor::NextPrev | Cursor::One(_) => encode(self.name, back, gap),
            Cursor::Ids => {
                let row = if back { page.rows.first() } else { page.rows.last() };
                row.and_then(|&(source, place)| sources[source].id(place)).unwrap_or_default()
            }
            Cursor::Skip => {
                let here = call.query.get("skip").and_then(|skip| skip.parse::<u64>().ok()).unwrap_or_default();
                let rows = page.rows.len() as u64;
                let limit = call.query.number("limit", self.usual, self.most).unwrap_or(self.usual);
                (if back { here.saturating_sub(limit) } else { here + rows }).to_string()
            }
        }
    }
}

fn skip(sources: &[&dyn Source], rows: usize) -> Gap {
    let page = walk::forward(sources, walk::start(sources), rows);
    page.next.unwrap_or_else(|| sources.iter().map(|source| source.places()).collect())
}

/// Cursors are opaque: a client that takes one apart finds noise.
fn encode(list: &str, back: bool, gap: &Gap) -> String {
    let salt = hash_text(list);
    let mut bytes = vec![u8::from(back)];
    for (at, places) in gap.iter().enumerate() {
        bytes.extend_from_slice(&(places ^ hash(salt, 1, at as u64)).to_le_bytes());
    }
    let check = bytes.iter().fold(salt, |sum, byte| hash(sum, 2, u64::from(*byte)));
    bytes.extend_from_slice(&check.to_le_bytes()[..4]);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(list: &str, token: &str, sources: usize) -> Option<(bool, Gap)> {
    let salt = hash_text(list);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let (bytes, check) = bytes.split_at_checked(1 + 8 * sources)?;
    let expected = bytes.iter().fold(salt, |sum, byte| hash(sum, 2, u64::from(*byte)));
    if check != &expected.to_le_bytes()[..4] {
        return None;
    }
    let places = bytes[1..].chunks_exact(8).enumerate().map(|(at, chunk)| {
        chunk.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)) ^ hash(salt, 1, at as u64)
    });
    Some((bytes[0] == 1, places.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_belong_to_their_list() {
        let token = encode("items", false, &vec![100, 7]);
        assert_eq!(decode("items", &token, 2), Some((false, vec![100, 7])));
        assert_eq!(decode("spaces", &token, 2), None);
        assert_eq!(decode("items", &token, 1), None);
        assert_eq!(decode("items", "rubbish", 2), None);
    }
}
