//! What stands around rows.

use axum::response::Response;

use crate::kit::json::Json;
use crate::qalyptus::call::{Call, bytes};
use crate::qalyptus::config::Envelope;
use crate::qalyptus::paging::Part;
use crate::qalyptus::problem::Answer;

/// A list, or the part of it that was asked for.
pub(crate) fn list(call: &Call, rows: &[u64], write: impl Fn(u64, &mut Json)) -> Answer {
    let (envelope, paging) = {
        let settings = call.world.settings();
        (settings.envelope, settings.paging)
    };
    let total = rows.len() as u64;
    let part = paging.part(&call.query, total)?;
    let from = usize::try_from(part.from).unwrap_or(usize::MAX).min(rows.len());
    let count = usize::try_from(part.rows).unwrap_or(usize::MAX).min(rows.len() - from);
    let mut out = Json::with_capacity(count * 700 + 256);
    open(envelope, &mut out);
    out.open(b'[');
    rows[from..from + count].iter().for_each(|row| write(*row, &mut out));
    // The first row comes again at the end of the list.
    let last = from + count == rows.len();
    if let Some(row) = rows.first().filter(|_| last && call.world.catalog().shape.duplicates) {
        write(*row, &mut out);
    }
    out.close(b']');
    if envelope != Envelope::Bare {
        describe(call, &part, total, &mut out);
    }
    close(envelope, &mut out);
    call.world.journal.wrote_rows(count as u64);
    let mut response = bytes(out);
    if envelope == Envelope::Bare && part.counted {
        response.headers_mut().insert("x-total-count", total.into());
    }
    Ok(response)
}

/// One object.
pub(crate) fn detail(call: &Call, write: impl FnOnce(&mut Json)) -> Response {
    let envelope = match call.world.settings().envelope {
        Envelope::Items => Envelope::Data,
        other => other,
    };
    let mut out = Json::with_capacity(2048);
    open(envelope, &mut out);
    write(&mut out);
    close(envelope, &mut out);
    bytes(out)
}

fn open(envelope: Envelope, out: &mut Json) {
    match envelope {
        Envelope::Full | Envelope::Data => {
            out.open(b'{');
            out.key("data");
        }
        Envelope::Items => out.raw(r#"{"data":{"items":"#),
        Envelope::Bare => {}
    }
}

fn close(envelope: Envelope, out: &mut Json) {
    match envelope {
        Envelope::Full => {
            out.flag("isSuccess", true);
            out.field("error", "null");
            out.field("errorDetails", "null");
            out.close(b'}');
        }
        Envelope::Data => out.close(b'}'),
        Envelope::Items => {
            out.close(b'}');
            out.close(b'}');
        }
        Envelope::Bare => {}
    }
}

/// Says which part of how many rows it is.
fn describe(call: &Call, part: &Part, total: u64, out: &mut Json) {
    if part.counted {
        out.number("totalItems", total);
    }
    part.says.iter().for_each(|(member, number)| out.number(member, *number));
    if let Some(next) = part.next {
        let project = call.query.get("projectId");
        let project = project.map(|id| format!("&projectId={id}")).unwrap_or_default();
        let href = format!("{}{}?cursor={next}{project}", call.world.origin, call.path);
        out.key("links");
        out.open(b'{');
        out.key("next");
        out.open(b'{');
        out.text("href", &href);
        out.close(b'}');
        out.close(b'}');
    }
}
