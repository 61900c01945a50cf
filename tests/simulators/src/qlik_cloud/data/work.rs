//! Rows of work: reloads, scheduling tasks, automations, sharing tasks, report templates and audit events.

use crate::kit::json::Json;
use crate::qlik_cloud::data::{Catalog, Kind};

impl Catalog {
    /// Status of a past reload.
    pub(crate) fn reload_status(&self, index: u64) -> &'static str {
        match self.noise(Kind::Reload, index, 21) % 20 {
            0 => "FAILED",
            1 => "CANCELED",
            2 => "EXCEEDED_LIMIT",
            _ => "SUCCEEDED",
        }
    }

    /// One row of the reloads list.
    pub(crate) fn write_reload(&self, index: u64, out: &mut Json) {
        let kind = Kind::Reload;
        let (id, started) = (self.object_id(kind, index), self.created(kind, index));
        let status = self.reload_status(index);
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("appId", self.uuid(Kind::App, self.app_of(kind, index)).as_str());
        out.plain("tenantId", &self.tenant_id);
        out.plain("userId", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        out.plain("type", if index % 2 == 0 { "chronos" } else { "hub" });
        out.plain("status", status);
        out.time("creationTime", started);
        out.time("startTime", started + 2000);
        out.time("engineTime", started + 2500);
        out.time("endTime", started + 2000 + (self.noise(kind, index, 22) % 600_000) as i64);
        out.field("partial", "false");
        out.field("weight", "1");
        if status == "FAILED" {
            out.raw(r#""errorCode":"EngineConnection","errorMessage":"Connection to the data source was lost""#);
        }
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/reloads/", id.as_str()]);
        out.close(b'}');
        out.close(b'}');
    }

    /// One row of the scheduling tasks list.
    pub(crate) fn write_task(&self, index: u64, out: &mut Json) {
        let kind = Kind::Task;
        let app = self.app_of(kind, index);
        let app_id = self.uuid(Kind::App, app);
        let owner = self.object_id(Kind::User, self.owner(kind, index));
        out.open(b'{');
        out.plain("id", self.uuid(kind, index).as_str());
        out.plain("name", &self.name(kind, index));
        out.plain("description", "");
        out.flag("enabled", index % 7 != 0);
        out.plain("resourceId", app_id.as_str());
        out.raw(r#""specVersion":"0.8","version":"1.0","events":[]"#);
        out.raw(r#""start":{"schedule":{"recurrence":"RRULE:FREQ=DAILY;INTERVAL=1","startDateTime":"2026-01-01T05:00:00","timezone":"Europe/Stockholm"}}"#);
        out.raw(r#""states":[{"name":"reload","type":"operation","end":true,"actions":[{"functionRef":{"refName":"reload"}}]}]"#);
        out.key("metadata");
        out.open(b'{');
        out.plain("ownerId", owner.as_str());
        out.plain("resourceName", &self.name(Kind::App, app));
        out.plain("resourceType", "app");
        if let Some(space) = self.space(Kind::App, app) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
            out.plain("spaceType", self.space_type(space));
        }
        out.plain("tenantId", &self.tenant_id);
        out.time("createdAt", self.created(kind, index));
        out.plain("createdBy", owner.as_str());
        out.time("updatedAt", self.updated(kind, index));
        out.raw(r#""trigger":{"id":"t1","type":"time"}"#);
        self.write_last_run(index, owner.as_str(), out);
        out.close(b'}');
        out.close(b'}');
    }

    fn write_last_run(&self, index: u64, owner: &str, out: &mut Json) {
        let ended = self.updated(Kind::Task, index) - 120_000;
        out.key("orchestration");
        out.open(b'{');
        out.plain("id", self.object_id(Kind::Task, index).as_str());
        out.plain("type", "reload");
        out.key("lastRun");
        out.open(b'{');
        out.plain("id", self.object_id(Kind::Task, index).as_str());
        out.plain("status", if self.noise(Kind::Task, index, 23) % 10 == 0 { "FAILED" } else { "SUCCEEDED" });
        out.time("startedAt", ended - 30_000);
        out.time("endedAt", ended);
        out.plain("executedAs", owner);
        out.raw(r#""triggeredBy":"time","workerType":"reload""#);
        out.close(b'}');
        out.close(b'}');
    }

    /// One row of the automations list. The execution token is a secret in an ordinary object, as in the real system.
    pub(crate) fn write_automation(&self, index: u64, out: &mut Json) {
        let kind = Kind::Automation;
        let run = self.updated(kind, index) - 60_000;
        out.open(b'{');
        out.plain("id", self.uuid(kind, index).as_str());
        out.plain("name", &self.name(kind, index));
        out.plain("description", "");
        out.plain("ownerId", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        if let Some(space) = self.space(kind, index) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
        }
        out.plain("state", if index % 9 == 0 { "disabled" } else { "available" });
        out.plain("runMode", self.run_mode(index));
        out.field("schedules", "[]");
        out.time("lastRunAt", run);
        out.plain("lastRunStatus", self.last_run_status(index));
        out.key("lastRun");
        out.open(b'{');
        out.plain("id", self.object_id(kind, index).as_str());
        out.plain("status", self.last_run_status(index));
        out.time("startTime", run);
        out.close(b'}');
        out.raw(r#""maxConcurrentRuns":1,"connectorIds":[],"endpointIds":[],"snippetIds":[]"#);
        out.parts("executionToken", &["exec-", self.object_id(kind, index).as_str()]);
        out.time("createdAt", self.created(kind, index));
        out.time("updatedAt", self.updated(kind, index));
        out.close(b'}');
    }

    /// How an automation is started.
    pub(crate) fn run_mode(&self, index: u64) -> &'static str {
        ["manual", "scheduled", "triggered", "webhook"][(self.noise(Kind::Automation, index, 24) % 4) as usize]
    }

    /// How an automation last ended.
    pub(crate) fn last_run_status(&self, index: u64) -> &'static str {
        ["finished", "finished", "finished with warnings", "failed", "exceeded limit"]
            [(self.noise(Kind::Automation, index, 25) % 5) as usize]
    }

    /// Type of a sharing task.
    pub(crate) fn sharing_type(&self, index: u64) -> &'static str {
        ["template-sharing", "chart-monitoring", "chart-sharing", "sheet-sharing"]
            [(self.noise(Kind::SharingTask, index, 26) % 4) as usize]
    }

    /// One row of the sharing tasks list.
    pub(crate) fn write_sharing_task(&self, index: u64, out: &mut Json) {
        let kind = Kind::SharingTask;
        let id = self.uuid(kind, index);
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("tenantID", &self.tenant_id);
        out.plain("name", &self.name(kind, index));
        out.plain("type", self.sharing_type(index));
        out.plain("appID", self.uuid(Kind::App, self.app_of(kind, index)).as_str());
        out.plain("ownerID", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        out.flag("enabled", index % 5 != 0);
        out.plain("status", "active");
        out.plain("lastExecutionStatus", if index % 6 == 0 { "failed" } else { "successful" });
        out.plain("templateID", self.uuid(Kind::ReportTemplate, self.app_of(kind, index)).as_str());
        out.time("dateCreated", self.created(kind, index));
        out.time("dateUpdated", self.updated(kind, index));
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/sharing-tasks/", id.as_str()]);
        out.close(b'}');
        out.close(b'}');
    }

    /// One row of the report templates list.
    pub(crate) fn write_report_template(&self, index: u64, out: &mut Json) {
        let kind = Kind::ReportTemplate;
        out.open(b'{');
        out.plain("id", self.uuid(kind, index).as_str());
        out.plain("name", &self.name(kind, index));
        out.plain("description", "");
        out.plain("type", if index % 3 == 0 { "file-pptx" } else { "file-xlsx" });
        out.plain("sourceAppId", self.uuid(Kind::App, self.app_of(kind, index)).as_str());
        out.plain("ownerId", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        out.time("createdAt", self.created(kind, index));
        out.time("updatedAt", self.updated(kind, index));
        out.close(b'}');
    }

    /// Type and source of an audit event.
    pub(crate) fn audit_type(&self, index: u64) -> (&'static str, &'static str) {
        [
            ("com.qlik.app.created", "com.qlik/apps"),
            ("com.qlik.app.data.updated", "com.qlik/engine"),
            ("com.qlik.app.deleted", "com.qlik/apps"),
            ("com.qlik.space.created", "com.qlik/spaces"),
            ("com.qlik.v1.reload.finished", "com.qlik/reloads"),
            ("com.qlik.v1.user.created", "com.qlik/users"),
        ][(self.noise(Kind::Audit, index, 27) % 6) as usize]
    }

    /// One row of the audits list, in the legacy envelope.
    pub(crate) fn write_audit(&self, index: u64, out: &mut Json) {
        let kind = Kind::Audit;
        let (event, source) = self.audit_type(index);
        let user = self.object_id(Kind::User, self.owner(kind, index));
        let app = self.app_of(kind, index);
        let app_id = self.uuid(Kind::App, app);
        out.open(b'{');
        out.plain("id", self.object_id(kind, index).as_str());
        out.plain("eventId", self.uuid(kind, index).as_str());
        out.plain("eventType", event);
        out.plain("eventTypeVersion", "1.0.0");
        out.time("eventTime", self.created(kind, index));
        out.plain("source", source);
        out.plain("tenantId", &self.tenant_id);
        out.plain("userId", user.as_str());
        out.plain("contentType", "application/json");
        out.key("data");
        out.open(b'{');
        out.plain("id", app_id.as_str());
        out.plain("name", &self.name(Kind::App, app));
        out.close(b'}');
        out.key("extensions");
        out.open(b'{');
        out.key("actor");
        out.open(b'{');
        out.plain("sub", user.as_str());
        out.close(b'}');
        out.plain("topLevelResourceId", app_id.as_str());
        out.close(b'}');
        out.close(b'}');
    }
}
