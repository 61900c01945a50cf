//! What each operation does.

mod content;
mod login;
pub(crate) mod ondemand;
mod people;
pub(crate) mod sim;
mod tasks;

use crate::qalyptus::call::Call;
use crate::qalyptus::data::Kind;
use crate::qalyptus::endpoints::Op;
use crate::qalyptus::problem::Answer;

/// Answers a request that was let in.
pub(crate) fn answer(op: Op, call: &Call) -> Answer {
    match op {
        Op::Users => people::users(call, false),
        Op::Recipients => people::users(call, true),
        Op::Groups => people::list(call, Kind::Group),
        Op::Roles => people::list(call, Kind::Role),
        Op::Organizations => people::list(call, Kind::Organization),
        Op::Me => people::me(call),
        Op::Projects => content::list(call, Kind::Project),
        Op::Connections => content::connections(call),
        Op::Filters => content::list(call, Kind::Filter),
        Op::Reports => content::list(call, Kind::Report),
        Op::Report => content::report(call),
        Op::ReportFilters => content::report_filters(call),
        Op::TemplateItems => content::template_items(call),
        Op::Apps => content::apps(call),
        Op::QlikStatus => content::qlik_status(call),
        Op::Version => content::version(call),
        Op::Tasks => content::list(call, Kind::Task),
        Op::TaskRecipients => tasks::children(call, Kind::TaskRecipient),
        Op::TaskReports => tasks::children(call, Kind::TaskReport),
        Op::TaskTriggers => tasks::children(call, Kind::Trigger),
        Op::TaskReport => tasks::report(call),
        Op::Requests => ondemand::list(call),
        Op::MakeRequest => ondemand::create(call),
        Op::RemoveRequest => ondemand::remove(call),
        Op::RequestResult => ondemand::result(call),
        Op::Login => login::password(call),
        Op::LoginWindows => login::windows(),
        Op::LoginRefresh => login::refresh(call),
    }
}
