//! Where the plugin's code runs: in a worker, or for benches in this very process.

use super::{log::RunLog, orders::Orders};
use crate::{
    app::App,
    plugins::{self, Plugin},
    worker::{Capabilities, local::Local, process::Worker},
};
use jackfield_plugin::contract::{Failure, description::Description};
use std::sync::Arc;

/// Where the plugin's code runs.
pub(super) enum Execution {
    Worker(Box<Worker>),
    Local(Local),
}

impl Execution {
    /// Opens the plugin.
    pub(super) async fn start(
        app: &App,
        plugin: &Plugin,
        orders: &Orders,
        log: &Arc<RunLog>,
    ) -> Result<Self, Failure> {
        if orders.in_process {
            return Ok(Execution::Local(Local::open(&plugin.path)?));
        }
        let log = log.clone();
        let printed = Arc::new(move |line: &str| log.printed(line));
        let worker = Worker::start(&plugins::spawn(&app.worker, plugin), printed).await?;
        Ok(Execution::Worker(Box::new(worker)))
    }

    /// Asks the plugin what it is.
    pub(super) async fn describe(&mut self) -> Result<Description, Failure> {
        match self {
            Execution::Worker(worker) => worker.describe().await,
            Execution::Local(local) => local.describe(),
        }
    }

    /// Runs a hook, answering what the plugin calls.
    pub(super) async fn invoke(
        &mut self,
        hook: &str,
        message: Vec<u8>,
        capabilities: Capabilities,
    ) -> Result<Vec<u8>, Failure> {
        match self {
            Execution::Worker(worker) => worker.invoke(hook, message, capabilities).await,
            Execution::Local(local) => local.invoke(hook, message, capabilities).await,
        }
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        match self {
            Execution::Worker(worker) => worker.stop().await,
            Execution::Local(_) => {}
        }
    }
}
