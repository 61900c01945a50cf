//! Rows of content: projects, connections, filters, reports, Qlik apps, on-demand requests.

use crate::kit::json::Json;
use crate::qalyptus::data::row::Row;
use crate::qalyptus::data::{Catalog, Kind};

/// Types of reports with the formats that each can have.
pub(super) const TYPES: [(&str, &[&str]); 5] = [
    ("Excel", &["Xlsx", "Csv"]),
    ("PowerPoint", &["Pptx", "Pdf"]),
    ("Word", &["Docx", "Pdf"]),
    ("Html", &["Html", "Pdf"]),
    ("QlikEntity", &["Png", "Jpeg"]),
];

impl Catalog {
    /// Name, owner, description and project, as most rows have them, for a viewer.
    pub(super) fn head(&self, kind: Kind, index: u64, viewer: u64, row: &mut Row<'_>) {
        let owner = self.owner(kind, index);
        row.text("name", &self.name(kind, index));
        row.id("owner", self.id(Kind::User, owner));
        row.flag("isMine", owner == viewer);
        row.text("ownerName", &self.name(Kind::User, owner));
        row.text("description", &self.note(kind, index));
        if kind != Kind::Project {
            let project = self.project_of(index);
            row.nested("project", |out| {
                out.open(b'{');
                out.plain("id", &self.id(Kind::Project, project).to_string());
                out.text("name", &self.name(Kind::Project, project));
                out.close(b'}');
            });
        }
    }

    pub(crate) fn write_project(&self, index: u64, viewer: u64, out: &mut Json) {
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Project, index));
        self.head(Kind::Project, index, viewer, &mut row);
        row.flag("isGlobalPermissions", index.is_multiple_of(2));
        row.end();
    }

    pub(crate) fn write_connection(&self, index: u64, out: &mut Json) {
        // A revised connection leads to another app.
        let revised = u64::from(self.touched(Kind::Connection, index).unwrap_or_default());
        let app = (self.noise(Kind::Connection, index, 5) + revised) % self.seeded(Kind::App);
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Connection, index));
        row.text("name", &self.name(Kind::Connection, index));
        row.id("projectId", self.id(Kind::Project, self.project_of(index)));
        row.id("appId", self.app_id(app));
        row.text("appName", &self.name(Kind::App, app));
        row.end();
    }

    pub(crate) fn write_filter(&self, index: u64, viewer: u64, out: &mut Json) {
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Filter, index));
        self.head(Kind::Filter, index, viewer, &mut row);
        row.end();
    }

    pub(crate) fn write_report(&self, index: u64, viewer: u64, out: &mut Json) {
        let (type_name, formats) = TYPES[(index % 5) as usize];
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Report, index));
        self.head(Kind::Report, index, viewer, &mut row);
        row.text("type", type_name);
        row.flag("isIteration", index.is_multiple_of(4));
        row.text("templateFile", &format!("template-{index}.{}", formats[0].to_ascii_lowercase()));
        row.raw("outputFormats", &list(formats));
        row.text("dynamicNameSeparator", "_");
        row.end();
    }

    /// The filters of a report: about half of those of its project.
    pub(crate) fn filters_of(&self, report: u64) -> Vec<u64> {
        let (project, projects) = (self.project_of(report), self.seeded(Kind::Project));
        let rows = (project..self.extent(Kind::Filter)).step_by(usize::try_from(projects).unwrap_or(1));
        rows.filter(|filter| {
            (self.noise(Kind::Report, report, 6) >> (filter / projects % 64)).is_multiple_of(2)
        })
        .filter(|filter| self.exists(Kind::Filter, *filter))
        .collect()
    }

    /// The id that Qlik gives an app; the row's own is another.
    pub(crate) fn app_id(&self, index: u64) -> uuid::Uuid {
        crate::kit::guid::guid(self.seed ^ 77, Kind::App as u64, index)
    }

    pub(crate) fn write_app(&self, index: u64, out: &mut Json) {
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::App, index));
        row.id("appId", self.app_id(index));
        row.text("name", &self.name(Kind::App, index));
        row.maybe("space", (!index.is_multiple_of(4)).then_some("Finance"));
        row.time("lastSync", self.updated(Kind::App, index));
        row.end();
    }

    pub(crate) fn write_request(&self, index: u64, out: &mut Json) {
        let status = ["completed", "failed", "aborted", "completed"][(index % 4) as usize];
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Request, index));
        row.text("title", &self.name(Kind::Request, index));
        row.time("createdDate", self.updated(Kind::Request, index));
        row.text("status", status);
        row.end();
    }
}

/// Texts as a JSON array; none of them needs an escape.
pub(super) fn list(texts: &[&str]) -> String {
    if texts.is_empty() { "[]".to_owned() } else { format!("[\"{}\"]", texts.join("\",\"")) }
}
