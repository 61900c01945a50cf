//! Rows of work: tasks of all kinds, what each did last, schedules and the history of reloads.

use uuid::Uuid;

use crate::qlik_onprem::cell::{Cell, NEVER, Row};
use crate::qlik_onprem::data::{Catalog, HOUR};
use crate::qlik_onprem::entities::Kind;

/// Executions that each reload task has behind it.
pub(crate) const RUNS: u64 = 3;
/// Success, mostly; failed, aborted, skipped, error, never started, and now and then one on its way.
const STATUSES: [i64; 16] = [7, 7, 7, 7, 7, 7, 7, 8, 6, 9, 11, 0, 7, 2, 3, 7];

impl Catalog {
    /// The app that a reload task reloads.
    pub(crate) fn app_of(&self, task: u64) -> u64 {
        task % self.seeded(Kind::App)
    }

    /// How a task of any kind last ended.
    fn last_status(&self, kind: Kind, task: u64) -> i64 {
        match task {
            0 => 7,
            1 => 8,
            _ => STATUSES[(self.noise(kind, task, 30) % 16) as usize],
        }
    }

    pub(super) fn task(&self, kind: Kind, index: u64, row: Row) -> Row {
        let row = row
            .with("customProperties", self.property_values(kind, index))
            .with("name", self.name(kind, index));
        let row = match kind {
            Kind::ReloadTask => row
                .with("app", self.app_reference(self.app_of(index)))
                .with("isManuallyTriggered", index % 5 == 4)
                .with("isPartialReload", false),
            Kind::UserSyncTask => row.with(
                "userDirectory",
                self.reference(Kind::UserDirectory, index % self.seeded(Kind::UserDirectory)),
            ),
            _ => row
                .with("path", r"C:\Windows\System32\cmd.exe")
                .with("parameters", format!(r#"/c "C:\Scripts\clean-up-{index}.cmd""#))
                .with("qlikUser", r"INTERNAL\sa_scheduler"),
        };
        row.with(
            "taskType",
            match kind {
                Kind::ReloadTask => 0,
                Kind::ExternalProgramTask => 1,
                _ => 2,
            },
        )
        .with("enabled", index < 2 || !self.noise(kind, index, 5).is_multiple_of(8))
        .with("taskSessionTimeout", 1440)
        .with("maxRetries", (index % 3) as i64)
        .with("tags", self.tags_of(kind, index))
        .with("operational", self.operational(kind, index))
    }

    pub(super) fn app_reference(&self, app: u64) -> Row {
        let stream = self.stream_of(app);
        Row::new()
            .with("id", self.id(Kind::App, app))
            .with("name", self.name(Kind::App, app))
            .with("appId", "")
            .at("publishTime", NEVER)
            .with("published", stream.is_some())
            .with("stream", stream.map(|stream| self.reference(Kind::Stream, stream)))
            .with("savedInProductVersion", "14.187.4")
            .with("availabilityStatus", 0)
            .with("privileges", Cell::Null)
    }

    fn operational(&self, kind: Kind, task: u64) -> Row {
        let last = match kind {
            Kind::ReloadTask => self.run(kind, task, RUNS - 1),
            _ => self.run(kind, task, 0),
        };
        Row::new()
            .with("id", self.id(kind, task | 1 << 40))
            .with("lastExecutionResult", last)
            .at("nextExecution", if task % 5 == 4 { NEVER } else { self.latest() + 6 * HOUR })
            .with("timesExecuted", RUNS as i64)
            .with("privileges", Cell::Null)
    }

    /// One execution as a task shows its last.
    fn run(&self, kind: Kind, task: u64, number: u64) -> Row {
        let newest = kind != Kind::ReloadTask || number + 1 == RUNS;
        let status = if newest { self.last_status(kind, task) } else { 7 };
        let age = (RUNS - 1 - number) as i64 * 24 * HOUR;
        let started = self.latest() - 5 * HOUR - age + (self.noise(kind, task, 31) % 3_600_000) as i64;
        let duration = (self.noise(kind, task, 32 + number) % 900_000) as i64;
        let ended = !matches!(status, 0 | 2 | 3);
        let id = match kind {
            Kind::ReloadTask => self.id(Kind::ExecutionResult, task * RUNS + number),
            _ => self.id(kind, task | 1 << 41),
        };
        result(id, status, started, if ended { Some(duration) } else { None })
    }

    pub(super) fn execution(&self, index: u64, row: Row) -> Row {
        let (task, number) = (index / RUNS, index % RUNS);
        let run = self.run(Kind::ReloadTask, task, number);
        let time = |member: &str| run.time(member).unwrap_or(NEVER);
        row.with("taskID", self.id(Kind::ReloadTask, task))
            .with("appID", self.id(Kind::App, self.app_of(task)))
            .with("executionID", run.id("id").unwrap_or_default())
            .with("executingNodeName", "localhost")
            .with("status", run.number("status").unwrap_or_default())
            .at("startTime", time("startTime"))
            .at("stopTime", time("stopTime"))
            .with("duration", run.number("duration").unwrap_or_default())
            .with("fileReferenceID", "00000000-0000-0000-0000-000000000000")
            .with("scriptLogAvailable", true)
            .with("details", Vec::new())
    }

    /// One task starts the next.
    pub(super) fn composite_event(&self, index: u64, row: Row) -> Row {
        let rule = Row::new()
            .with("id", self.id(Kind::CompositeEvent, index | 1 << 40))
            .with("ruleState", 1)
            .with("reloadTask", self.reference(Kind::ReloadTask, index))
            .with("externalProgramTask", Cell::Null);
        row.with("name", self.name(Kind::CompositeEvent, index))
            .with("enabled", true)
            .with("eventType", 1)
            .with("compositeRules", vec![rule.into()])
            .with("reloadTask", self.reference(Kind::ReloadTask, index + 1))
            .with("externalProgramTask", Cell::Null)
            .with("userSyncTask", Cell::Null)
    }

    pub(super) fn schema_event(&self, index: u64, row: Row) -> Row {
        row.with("name", self.name(Kind::SchemaEvent, index))
            .with("enabled", true)
            .with("eventType", 0)
            .with("timeZone", "Europe/Stockholm")
            .with("daylightSavingTime", 0)
            .at("startDate", self.created(Kind::SchemaEvent, index))
            .at("expirationDate", 253_402_300_799_000)
            .with("schemaFilterDescription", vec!["* * - * * * * *".into()])
            .with("incrementDescription", "0 0 1 0")
            .with("incrementOption", 2)
            .with("reloadTask", self.reference(Kind::ReloadTask, index))
            .with("externalProgramTask", Cell::Null)
            .with("userSyncTask", Cell::Null)
    }
}

/// What a task does that nobody has started yet.
pub(crate) fn idle() -> Row {
    Row::new()
        .with("id", Uuid::new_v4())
        .with("lastExecutionResult", result(Uuid::new_v4(), 0, NEVER, None))
        .at("nextExecution", NEVER)
        .with("timesExecuted", 0)
        .with("privileges", Cell::Null)
}

/// A result of an execution; without a duration it has not ended.
pub(crate) fn result(id: Uuid, status: i64, started: i64, duration: Option<i64>) -> Row {
    let begun = status != 0;
    let detail = || {
        Row::new().with("detailsType", 2).with("message", "Finished").at("detailCreatedDate", started).into()
    };
    Row::new()
        .with("id", id)
        .with("executingNodeName", if begun { "localhost" } else { "" })
        .with("status", status)
        .at("startTime", if begun { started } else { NEVER })
        .at("stopTime", duration.filter(|_| begun).map_or(NEVER, |duration| started + duration))
        .with("duration", duration.filter(|_| begun).unwrap_or_default())
        .with("fileReferenceID", "00000000-0000-0000-0000-000000000000")
        .with("scriptLogAvailable", begun)
        .with("scriptLogLocation", "")
        .with("scriptLogSize", 0)
        .with("details", if begun { vec![detail()] } else { Vec::new() })
        .with("privileges", Cell::Null)
}
