//! Tasks and what belongs to them: recipients, reports, triggers.

use crate::kit::json::Json;
use crate::qalyptus::data::content::{TYPES, list};
use crate::qalyptus::data::row::Row;
use crate::qalyptus::data::{Catalog, HOUR, Kind, child, parent};

const FREQUENCIES: [&str; 6] = ["Once", "Hourly", "Daily", "Weekly", "Monthly", "Yearly"];

impl Catalog {
    /// How many children of a kind a task has.
    pub(super) fn child_count(&self, kind: Kind, task: u64) -> u64 {
        let noise = self.noise(Kind::Task, task, kind as u64);
        match kind {
            // A task that was revised has one recipient more.
            Kind::TaskRecipient => {
                noise % 8 + 1 + u64::from(self.touched(Kind::Task, task).unwrap_or_default() > 0)
            }
            Kind::TaskReport => noise % 3,
            Kind::Trigger => (noise % 8).saturating_sub(5).max(u64::from(noise.is_multiple_of(2))),
            _ => 0,
        }
    }

    /// The children of a task.
    pub(crate) fn children(&self, kind: Kind, task: u64) -> Vec<u64> {
        (0..self.child_count(kind, task))
            .map(|number| child(task, number))
            .filter(|index| kind != Kind::TaskReport || self.exists(Kind::Report, self.report_of(*index)))
            .collect()
    }

    /// The report that a task's report is: one of the task's own project.
    fn report_of(&self, index: u64) -> u64 {
        let (task, number) = parent(index);
        let (project, projects) = (self.project_of(task), self.seeded(Kind::Project));
        let each = (self.seeded(Kind::Report) / projects).max(1);
        project + projects * ((self.noise(Kind::Task, task, 20) + number) % each)
    }

    pub(crate) fn write_task(&self, index: u64, viewer: u64, out: &mut Json) {
        let bits = self.noise(Kind::Task, index, 21);
        let flag = |bit: u64| bits >> bit & 1 == 1;
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Task, index));
        self.head(Kind::Task, index, viewer, &mut row);
        row.flag("isActive", index == 0 || !bits.is_multiple_of(8));
        row.flag("testMode", flag(4));
        row.flag("isScheduled", self.child_count(Kind::Trigger, index) > 0);
        row.flag("notifyIfError", flag(5));
        row.flag("notifyIfSuccess", flag(6));
        row.flag("notifyIfWarning", flag(7));
        row.flag("sendNotifications", flag(5) || flag(6) || flag(7));
        row.maybe("testModeRecipients", flag(4).then_some("tester@example.com"));
        row.maybe("notificationRecipients", flag(5).then_some("operator@example.com;desk@example.com"));
        row.null("notificationCc");
        row.null("notificationBcc");
        match bits.is_multiple_of(6) {
            true => row.null("lastExecution"),
            false => row.time("lastExecution", self.updated(Kind::Task, index) + HOUR),
        }
        row.end();
    }

    pub(crate) fn write_recipient(&self, index: u64, out: &mut Json) {
        let (task, number) = parent(index);
        let kind = Kind::TaskRecipient;
        let organizations = self.seeded(Kind::Organization);
        let home = self.organization_of(Kind::Task, task);
        let mut row = Row::begin(out, self.shape, index, self.id(kind, index));
        if number == 0 && task.is_multiple_of(3) {
            // The default group of the task's organization.
            row.text("name", &self.name(Kind::Group, home));
            row.text("type", "Group");
            row.null("email");
            row.id("recipientID", self.id(Kind::Group, home));
        } else {
            let each = (self.seeded(Kind::User) / organizations).max(1);
            let user = home + organizations * ((self.noise(Kind::Task, task, 22) + number) % each);
            row.text("name", &self.name(Kind::User, user));
            row.text("type", if self.is_recipient(user) { "Recipient" } else { "User" });
            row.text("email", &self.email(user));
            row.id("recipientID", self.id(Kind::User, user));
        }
        row.end();
    }

    pub(crate) fn write_task_report(&self, index: u64, detail: bool, out: &mut Json) {
        let report = self.report_of(index);
        let (type_name, formats) = TYPES[(report % 5) as usize];
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::TaskReport, index));
        row.text("name", &self.name(Kind::Report, report));
        row.text("type", type_name);
        row.text("format", formats[0]);
        row.id("reportID", self.id(Kind::Report, report));
        row.text("description", &self.note(Kind::Report, report));
        row.flag("isIteration", report.is_multiple_of(4));
        row.raw("outputFormats", &list(formats));
        row.flag("emailEmbedment", index.is_multiple_of(2));
        row.flag("emailAttachment", !index.is_multiple_of(2));
        if detail {
            self.write_detail(report, &mut row);
        }
        row.end();
    }

    fn write_detail(&self, report: u64, row: &mut Row<'_>) {
        row.nested("filters", |out| {
            out.open(b'[');
            for (order, filter) in self.filters_of(report).into_iter().enumerate() {
                out.open(b'{');
                out.plain("id", &self.id(Kind::Filter, filter).to_string());
                out.text("name", &self.name(Kind::Filter, filter));
                out.number("order", order as u64 + 1);
                out.close(b'}');
            }
            out.close(b']');
        });
        row.raw("conditions", "[]");
        row.raw("storageServices", "[]");
        row.raw("separatorOptions", r#"{"numberDecimalSeparator":".","numberGroupSeparator":","}"#);
        row.flag("isOpenFilePasswordProtected", false);
        row.flag("isWriteFilePasswordProtected", false);
        row.raw("imageQuality", "null");
        row.raw("iterationOptions", r#"{"separate":true}"#);
        row.raw("hub", r#"{"publish":false}"#);
        row.raw("fileStorage", r#"{"path":null}"#);
    }

    pub(crate) fn write_trigger(&self, index: u64, out: &mut Json) {
        let kind = Kind::Trigger;
        let (task, number) = parent(index);
        let draw = self.noise(kind, index, 5);
        let event = draw.is_multiple_of(5);
        let (frequency, begun) = (FREQUENCIES[(draw / 8 % 6) as usize], self.updated(Kind::Task, task));
        let mut row = Row::begin(out, self.shape, index, self.id(kind, index));
        row.text("name", &format!("{} {number}", self.name(Kind::Task, task)));
        row.text("type", if event { "QlikEvent" } else { "Schedule" });
        row.text("description", &self.note(Kind::Task, task));
        row.flag("isActive", !draw.is_multiple_of(7));
        row.number("priority", draw / 64 % 100 + 1);
        row.maybe("frequency", (!event).then_some(frequency));
        row.text("execution", if draw.is_multiple_of(2) { "Parallel" } else { "Serial" });
        row.text("timeZone", "W. Europe Standard Time");
        row.text("timeZoneOfset", "+01:00");
        row.time("startDate", begun);
        row.null("endDate");
        row.time("nextExecutionDate", begun + 24 * HOUR);
        for (key, value) in [("day", 1 + draw % 28), ("month", 1 + draw % 12)] {
            row.number(key, value);
        }
        row.maybe("weeklyDays", (frequency == "Weekly").then_some("Monday,Friday"));
        for (key, value) in [("atHour", draw % 24), ("atMinut", draw % 60), ("fromHour", 8), ("fromMinut", 0)]
        {
            row.number(key, value);
        }
        for (key, value) in [("toHour", 18), ("toMinut", 0), ("everyHours", 1 + draw % 6)] {
            row.number(key, value);
        }
        self.write_event(event, draw, &mut row);
        row.end();
    }

    fn write_event(&self, event: bool, draw: u64, row: &mut Row<'_>) {
        if event {
            row.id("appId", self.app_id(draw % self.seeded(Kind::App)));
            row.text("eventType", "AppSuccessfulReload");
            row.raw("qlikEvent", r#"{"name":"App Successful Reload"}"#);
        } else {
            ["appId", "eventType", "qlikEvent"].into_iter().for_each(|key| row.null(key));
        }
    }
}
