//! Projects and what is in them, Qlik apps, the link to Qlik Sense.

use crate::kit::json::Json;
use crate::qalyptus::call::{Call, Caller};
use crate::qalyptus::data::{Catalog, Kind};
use crate::qalyptus::envelope;
use crate::qalyptus::problem::{Answer, Problem};

/// A list of content. Those of reports and connections can be narrowed to a project; the parameter means nothing to the
/// others.
pub(crate) fn list(call: &Call, kind: Kind) -> Answer {
    let Caller { organization, user: viewer, .. } = call.caller()?;
    let narrows = matches!(kind, Kind::Report | Kind::Connection);
    let rows = match call.project().filter(|_| narrows) {
        Some(None) => return envelope::list(call, &[], |_, _| {}),
        Some(project) => call.world.rows(kind, organization, project),
        None => call.world.rows(kind, organization, None),
    };
    let catalog = call.world.catalog();
    envelope::list(call, &rows, |row, out| write(&catalog, kind, row, viewer, out))
}

fn write(catalog: &Catalog, kind: Kind, row: u64, viewer: u64, out: &mut Json) {
    match kind {
        Kind::Project => catalog.write_project(row, viewer, out),
        Kind::Connection => catalog.write_connection(row, out),
        Kind::Filter => catalog.write_filter(row, viewer, out),
        Kind::Report => catalog.write_report(row, viewer, out),
        Kind::App => catalog.write_app(row, out),
        _ => catalog.write_task(row, viewer, out),
    }
}

pub(crate) fn connections(call: &Call) -> Answer {
    if call.world.settings().connections_need_project && call.query.get("projectId").is_none() {
        return Err(Problem::invalid("projectId is required"));
    }
    list(call, Kind::Connection)
}

pub(crate) fn report(call: &Call) -> Answer {
    let (report, viewer) = (call.row(Kind::Report, 0)?, call.caller()?.user);
    Ok(envelope::detail(call, |out| call.world.catalog().write_report(report, viewer, out)))
}

/// Whole filters, not links to them.
pub(crate) fn report_filters(call: &Call) -> Answer {
    let (report, viewer) = (call.row(Kind::Report, 0)?, call.caller()?.user);
    let catalog = call.world.catalog();
    envelope::list(call, &catalog.filters_of(report), |filter, out| {
        catalog.write_filter(filter, viewer, out);
    })
}

pub(crate) fn template_items(call: &Call) -> Answer {
    let report = call.row(Kind::Report, 0)?;
    Ok(envelope::detail(call, |out| call.world.catalog().write_items(report, out)))
}

pub(crate) fn apps(call: &Call) -> Answer {
    if call.world.settings().integration.has_apps() {
        return list(call, Kind::App);
    }
    envelope::list(call, &[], |_, _| {})
}

pub(crate) fn qlik_status(call: &Call) -> Answer {
    let status = call.world.settings().integration.answer()?;
    Ok(envelope::detail(call, |out| out.value(&status)))
}

pub(crate) fn version(call: &Call) -> Answer {
    Ok(envelope::detail(call, |out| out.raw(r#"{"version":"5.8.1"}"#)))
}
