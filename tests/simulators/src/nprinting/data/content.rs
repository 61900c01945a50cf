//! Rows of content: apps, connections, filters, reports, tasks, executions and requests.

use crate::kit::json::Json;
use crate::nprinting::config::Shape;
use crate::nprinting::data::row::{Row, time};
use crate::nprinting::data::{Catalog, EXECUTION_BITS, Kind};

const CACHE: [&str; 6] = ["Generated", "NeverGenerated", "Enqueued", "Generating", "Error", "Aborted"];
const CONNECTED: [&str; 4] = ["Ok", "Unknown", "Warning", "Error"];
const STATUSES: [&str; 12] = [
    "Completed",
    "WaitingForRetry",
    "Enqueued",
    "Assigned",
    "Running",
    "Aborting",
    "Aborted",
    "Failed",
    "Timeout",
    "Warning",
    "Failing",
    "CompletedWithWarning",
];
const TYPES: [(&str, &str); 6] = [
    ("Excel", r#"["xlsx","xls","pdf","html"]"#),
    ("Html", r#"["html"]"#),
    ("PowerPoint", r#"["pptx","pdf","jpg","png"]"#),
    ("QlikEntity", r#"["png","pdf","csv","tab"]"#),
    ("Word", r#"["docx","docm","pdf"]"#),
    ("PixelPerfect", r#"["pdf","tiff","gif","bmp"]"#),
];

impl Catalog {
    /// Writes a row of any kind in a shape.
    pub(crate) fn write(&self, shape: Shape, kind: Kind, index: u64, out: &mut Json) {
        let mut row = Row::begin(out, shape, index);
        row.id("id", self.id(kind, index));
        match kind {
            Kind::App => self.app(index, &mut row),
            Kind::Connection => self.connection(index, &mut row),
            Kind::Filter => self.filter(index, &mut row),
            Kind::Report => self.report(index, &mut row),
            Kind::Task => self.task(index, &mut row),
            Kind::Execution => self.execution(index, &mut row),
            Kind::User => self.user(index, &mut row),
            Kind::Group => self.group(index, &mut row),
            Kind::Role => self.role(index, &mut row),
            Kind::Request => self.request(index, &mut row),
            Kind::Audit => self.audit(index, &mut row),
        }
        row.end();
    }

    /// Is the row enabled? One in eight is not.
    pub(crate) fn enabled(&self, kind: Kind, index: u64) -> bool {
        index < 10 || !self.noise(kind, index, 5).is_multiple_of(8)
    }

    pub(super) fn head(&self, kind: Kind, index: u64, row: &mut Row<'_>) {
        row.text("name", &self.name(kind, index));
        row.text("description", &self.note(kind, index));
    }

    pub(super) fn times(&self, kind: Kind, index: u64, row: &mut Row<'_>) {
        row.time("created", self.created(kind, index));
        row.time("lastUpdate", self.updated(kind, index));
    }

    fn app(&self, index: u64, row: &mut Row<'_>) {
        self.head(Kind::App, index, row);
        row.time("created", self.created(Kind::App, index));
        if !row.shape().omit_optional {
            row.flag("enabled", self.enabled(Kind::App, index));
            row.time("lastUpdate", self.updated(Kind::App, index));
        }
    }

    fn connection(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Connection;
        self.head(kind, index, row);
        self.times(kind, index, row);
        row.id("appId", self.id(Kind::App, self.app_of(kind, index)));
        let sense = self.noise(kind, index, 6).is_multiple_of(2);
        if !row.shape().omit_optional {
            row.text("source", if sense { "Qlik Sense app" } else { "QlikView document" });
            row.flag("notificationsEnabled", index.is_multiple_of(5));
        }
        let document = self.noise(kind, index, 7);
        row.text(
            "connectionString",
            &match sense {
                true => format!(
                    "SenseServer=https://sense.example/;AppId={document:016x};Identity=EXAMPLE\\nprint"
                ),
                false => format!("QVP://qv.example/Reports/{document:x}.qvw;User=EXAMPLE\\nprint"),
            },
        );
        row.text("cacheStatus", if self.odd(index) { "Rebuilding" } else { CACHE[index as usize % 6] });
        row.text(
            "connectionStatus",
            if self.odd(index) { "Throttled" } else { CONNECTED[index as usize % 4] },
        );
    }

    fn filter(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Filter;
        let connection = match self.seeded(Kind::Connection) {
            0 => uuid::Uuid::nil(),
            // A connection of the same app, as there are so many apps between one and the next.
            _ => self.id(Kind::Connection, self.app_of(kind, index)),
        };
        row.id("appId", self.id(Kind::App, self.app_of(kind, index)));
        row.flag("enabled", self.enabled(kind, index));
        self.head(kind, index, row);
        self.times(kind, index, row);
        let year = 2015 + self.noise(kind, index, 6) % 12;
        row.raw(
            "fields",
            &format!(
                r#"[{{"connectionId":"{connection}","name":"Year","overrideValues":false,"selectExcluded":false,"values":[{{"type":"number","value":"{year}"}}]}}]"#
            ),
        );
        row.raw(
            "variables",
            &match index.is_multiple_of(4) {
                true => {
                    format!(r#"[{{"name":"vYear","connectionId":"{connection}","value":"{year}","evaluate":false}}]"#)
                }
                false => "[]".to_owned(),
            },
        );
    }

    fn report(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Report;
        let (type_name, formats) = TYPES[index as usize % TYPES.len()];
        row.text("title", &self.name(kind, index));
        row.text("description", &self.note(kind, index));
        self.times(kind, index, row);
        row.text("type", if self.odd(index) { "Hologram" } else { type_name });
        match row.shape().capital_formats {
            true => row.raw("outputFormats", &formats.to_ascii_uppercase()),
            false => row.raw("outputFormats", formats),
        }
        row.text("entityId", &format!("{:016x}", self.noise(kind, index, 7)));
    }

    /// `publish` or `import`; the first is the one, the second the other.
    pub(crate) fn task_type(&self, index: u64) -> &'static str {
        match index {
            0 => "publish",
            1 => "import",
            _ if self.noise(Kind::Task, index, 6).is_multiple_of(5) => "import",
            _ => "publish",
        }
    }

    fn task(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Task;
        self.head(kind, index, row);
        row.text("type", self.task_type(index));
        row.flag("enabled", self.enabled(kind, index));
        row.id("appId", self.id(Kind::App, self.app_of(kind, index)));
        self.times(kind, index, row);
        match self.runs().checked_sub(1) {
            Some(last) => {
                row.time("lastExecution", self.created(Kind::Execution, index << EXECUTION_BITS | last));
            }
            None if row.shape().omit_optional => {}
            None => row.raw("lastExecution", "null"),
        }
    }

    fn execution(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Execution;
        let (task, run) = self.task_of(index);
        // Only the newest can be unfinished; each status occurs among the older ones or the newest.
        let newest = run + 1 == self.runs();
        let draw = (self.noise(kind, index, 6) % 12) as usize;
        let terminal = matches!(draw, 0 | 6..=9 | 11);
        let status = if newest || terminal { STATUSES[draw] } else { STATUSES[0] };
        let done = terminal || !newest;
        row.text("type", self.task_type(task));
        row.id("task", self.id(Kind::Task, task));
        self.times(kind, index, row);
        if done {
            row.time("completed", self.updated(kind, index));
        } else if !row.shape().omit_optional {
            row.raw("completed", "null");
        }
        row.raw("progress", if done { "1.0" } else { "0.5" });
        row.text("status", if self.odd(index) { "Teleported" } else { status });
        row.text("result", if done { "The task has been executed" } else { "" });
        row.raw("priority", "100");
    }

    fn request(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::Request;
        row.text("title", &self.name(kind, index));
        row.time("created", self.created(kind, index));
        row.text("requestType", "report");
        row.text("reportType", TYPES[index as usize % TYPES.len()].0);
        row.text("outputFormat", "pdf");
        let status = ["completed", "failed", "aborted", "completed"][index as usize % 4];
        row.text("status", if self.odd(index) { "evaporated" } else { status });
    }

    /// When an event happened, as the release writes it.
    pub(crate) fn event_time(&self, index: u64) -> String {
        time(self.shape.dates, index, self.created(Kind::Audit, index))
    }

    /// User, action and app of an event.
    pub(crate) fn event(&self, index: u64) -> (u64, &'static str, u64) {
        let draw = self.noise(Kind::Audit, index, 6);
        let action = ["Create", "Update", "Delete", "Execute"][(draw >> 32) as usize % 4];
        (draw % self.seeded(Kind::User), action, draw % self.seeded(Kind::App))
    }

    fn audit(&self, index: u64, row: &mut Row<'_>) {
        let (user, action, app) = self.event(index);
        row.id("userId", self.id(Kind::User, user));
        row.text("userName", &self.name(Kind::User, user));
        row.text("ipAddress", "192.0.2.10");
        row.text("source", "WebConsole");
        row.text("target", "App");
        row.id("targetId", self.id(Kind::App, app));
        row.text("targetName", &self.name(Kind::App, app));
        row.id("appId", self.id(Kind::App, app));
        row.time("eventTime", self.created(Kind::Audit, index));
        row.text("action", action);
        row.text("description", &format!("{action} App"));
        row.text("data", "");
        row.text("dataType", "");
    }
}
