//! The only way to ask for a run.

use crate::{
    app::App,
    model::{
        connection::Connection,
        id::RunId,
        run::{Hook, Run, RunState},
    },
    store,
};
use jackfield_plugin::contract::Failure;

/// Asks for a run of a hook on a connection.
///
/// # Errors
/// One is being driven already (the failure names it), or the store failed.
pub async fn request(app: &App, connection: &Connection, hook: Hook) -> Result<Run, Failure> {
    let run = Run {
        id: RunId::random(),
        connection: connection.id.clone(),
        connection_name: connection.name.clone(),
        connector: connection.connector.clone(),
        hook,
        state: RunState::Queued,
        attempt: 0,
        owner: None,
        cancel_requested: false,
        queued_at: app.store.now().await?,
        started_at: None,
        finished_at: None,
        result: None,
        failure: None,
        log: None,
        plugin: None,
    };
    match app.store.insert_run(&run).await {
        // One that lost its driver and waits to be taken up again is what is being asked for.
        Err(store::Error::RunActive { run: waiting }) if waiting.state == RunState::Queued => Ok(*waiting),
        Err(store::Error::RunActive { run: active }) => Err(under_way(&active)),
        other => {
            other?;
            Ok(run)
        }
    }
}

/// What whoever asks for a run that somebody is driving is told.
pub(super) fn under_way(run: &Run) -> Failure {
    let (hook, name, id) = (run.hook.as_str(), &run.connection_name, &run.id);
    let owner = run.owner.as_deref().unwrap_or("another process");
    Failure::you(format!("a {hook} of \"{name}\" is under way already: run {id}, by {owner}"))
        .remedy(format!("wait for it (`jackfield run show {id}`) or end it (`jackfield run cancel {id}`)"))
}
