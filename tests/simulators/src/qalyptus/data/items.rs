//! What a report's template holds: nodes by sort of object, below them sheets and objects, at the leaves columns.

use crate::kit::json::Json;
use crate::qalyptus::data::{Catalog, Kind};

/// (name, type, sort of object, does it have columns?) of the nodes of a template.
const NODES: [(&str, &str, &str, bool); 4] = [
    ("Table", "table", "StraightTable", true),
    ("Image", "image", "BarChart", false),
    ("Cell", "cell", "Kpi", false),
    ("Level", "level", "PivotTable", true),
];

impl Catalog {
    /// `{"nodes": […]}` of a report; some have none, some not even the member.
    pub(crate) fn write_items(&self, report: u64, out: &mut Json) {
        out.open(b'{');
        let noise = self.noise(Kind::Report, report, 8);
        if !noise.is_multiple_of(16) {
            out.key("nodes");
            out.open(b'[');
            for node in NODES.iter().take((noise / 16 % 5) as usize) {
                self.write_node(report, node, out);
            }
            out.close(b']');
        }
        out.close(b'}');
    }

    fn write_node(&self, report: u64, node: &(&str, &str, &str, bool), out: &mut Json) {
        let (name, kind, sort, columns) = *node;
        out.open(b'{');
        out.plain("name", name);
        out.plain("type", kind);
        out.parts("icon", &[kind, ".svg"]);
        out.key("objects");
        out.open(b'[');
        for sheet in 0..self.noise(Kind::Report, report, 9) % 3 {
            let mut id = Ids { report, kind, sheet, next: 0 };
            id.open(out, &format!("Sheet {}", sheet + 1), "Sheet");
            out.key("objects");
            out.open(b'[');
            for object in 0..=self.noise(Kind::Report, report, 10 + sheet) % 3 {
                id.open(out, &format!("{name} {}", object + 1), sort);
                out.field("objects", "null");
                if columns {
                    out.raw(r#""columns":[{"id":"c1","name":"Amount"},{"id":"c2","name":"Region"}]"#);
                }
                out.close(b'}');
            }
            out.close(b']');
            out.close(b'}');
        }
        out.close(b']');
        out.close(b'}');
    }
}

/// Gives each object of a sheet ids of its own.
struct Ids<'a> {
    report: u64,
    kind: &'a str,
    sheet: u64,
    next: u64,
}

impl Ids<'_> {
    fn open(&mut self, out: &mut Json, title: &str, sort: &str) {
        let id = format!("{}-{}-{}-{}", self.report, self.kind, self.sheet, self.next);
        self.next += 1;
        out.open(b'{');
        out.parts("id", &["o", &id]);
        out.parts("itemID", &["i", &id]);
        out.text("title", title);
        out.plain("type", sort);
    }
}
