//! What belongs to a task.

use crate::qalyptus::call::Call;
use crate::qalyptus::data::{Kind, parent};
use crate::qalyptus::envelope;
use crate::qalyptus::problem::{Answer, Problem};

/// Recipients, reports or triggers of a task.
pub(crate) fn children(call: &Call, kind: Kind) -> Answer {
    let task = call.row(Kind::Task, 0)?;
    let catalog = call.world.catalog();
    envelope::list(call, &catalog.children(kind, task), |row, out| match kind {
        Kind::TaskRecipient => catalog.write_recipient(row, out),
        Kind::TaskReport => catalog.write_task_report(row, false, out),
        _ => catalog.write_trigger(row, out),
    })
}

/// One report of a task, by the id that it has there.
pub(crate) fn report(call: &Call) -> Answer {
    let task = call.row(Kind::Task, 0)?;
    let catalog = call.world.catalog();
    let id = call.ids.get(1).map(String::as_str).unwrap_or_default();
    let found = catalog.find(Kind::TaskReport, id).filter(|index| parent(*index).0 == task);
    let report = found.ok_or_else(Problem::not_found)?;
    Ok(envelope::detail(call, |out| catalog.write_task_report(report, true, out)))
}
