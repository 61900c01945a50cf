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
        other => {
            other?;
            Ok(run)
        }
    }
}
