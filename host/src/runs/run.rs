//! One run, from top to bottom.

use super::{
    capabilities::{self, Surroundings},
    catalog::Sink,
    desk::Desk,
    log::{Header, RunLog},
    notice::Notice,
    orders::Orders,
};
use crate::{
    app::App,
    connections::secrets,
    http::{
        client::Client,
        exchange::Exchange,
        policy::{AllowedOrigin, Policy},
    },
    model::{
        connection::Connection,
        run::{Ending, Hook, Run},
        settings::Form,
    },
    plugins::{self, Plugin},
    store::Lease,
    worker::{Capabilities, local::Local, process::Worker},
};
use jackfield_plugin::contract::{
    Blame, Failure, VERSION,
    description::Description,
    hooks::{CheckStatus, Invocation, RefreshReport, TestReport},
    wire,
};
use jackfield_plugin::sdk::Secret;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What became of a run.
pub enum Outcome {
    /// It ended; the driver is to record how.
    Ended(Ending),
    /// It ended and is recorded already: a refresh's ending is committed together with its catalog.
    Recorded(Ending),
}

/// Does the work of a run.
pub async fn run(app: &App, run: &Run, lease: &Lease, orders: &Orders, brake: &CancellationToken) -> Outcome {
    let log = Arc::new(RunLog::new(app, run, orders.watcher.clone()));
    let work = Work { app, run, lease, orders, log: &log, brake };
    let outcome = tokio::select! {
        outcome = work.whole() => outcome,
        () = brake.cancelled() => Ok(Outcome::Ended(Ending::Cancelled)),
    };
    let outcome = outcome.unwrap_or_else(|failure| {
        let ending = if failure.cancelled { Ending::Cancelled } else { Ending::Failed(failure, None) };
        Outcome::Ended(log.scrubbed(ending))
    });
    let (Outcome::Ended(ending) | Outcome::Recorded(ending)) = &outcome;
    log.close(ending).await;
    outcome
}

/// A run that is being worked on.
struct Work<'a> {
    app: &'a App,
    run: &'a Run,
    lease: &'a Lease,
    orders: &'a Orders,
    log: &'a Arc<RunLog>,
    brake: &'a CancellationToken,
}

impl Work<'_> {
    /// From the connection to the ending.
    async fn whole(&self) -> Result<Outcome, Failure> {
        let store = &self.app.store;
        let connection = store.connection(&self.run.connection).await?;
        let connection = connection.ok_or_else(|| Failure::you("the connection was deleted meanwhile"))?;
        if self.run.hook == Hook::Refresh {
            let file = self.log.open(&self.app.config.logs(), &self.app.config.log.prefix)?;
            store.set_run_log(self.lease, &file).await?;
            store.note_refresh_run(&connection.id, &self.run.id).await?;
        }
        let plugin = self.app.plugins.plugin(&connection.connector)?;
        store.set_run_plugin(self.lease, &plugin.title()).await?;
        let mut execution = Execution::start(self.app, plugin, self.orders, self.log).await?;
        let description = execution.describe().await?;
        let form = Form::of(&description.settings);
        let address = form.address(&connection.settings);
        self.log.header(&Header { run: self.run, connection: &connection, plugin: &plugin.title(), address });
        (self.orders.watcher)(Notice::Started { plugin: plugin.title() });

        let surroundings = self.surroundings(&connection, &description, &form).await?;
        let invocation = self.invocation(&connection, &form, &surroundings.desk);
        let handler = capabilities::handler(surroundings.clone());
        let answer = execution.invoke(self.run.hook.as_str(), wire::encode(&invocation), handler).await;
        execution.stop().await;
        surroundings.desk.give_up_claims().await;
        let answer = answer?;
        match self.run.hook {
            Hook::Test => {
                let ending = self.log.scrubbed(tested(&answer, &description, plugin)?);
                // What the test set up on the remote side is remembered if and only if it passed.
                let state = surroundings.state();
                store.finish_run_with_state(self.lease, &ending, &connection.id, &state).await?;
                Ok(Outcome::Recorded(ending))
            }
            Hook::Refresh => self.refreshed(&answer, &connection, &surroundings).await,
        }
    }

    /// What the hook may call.
    async fn surroundings(
        &self,
        connection: &Connection,
        description: &Description,
        form: &Form,
    ) -> Result<Arc<Surroundings>, Failure> {
        let opened = secrets::open_current(self.app, &connection.id).await?;
        let scrubber = self.log.scrubber();
        let desk = Arc::new(Desk::new(self.app, self.run, connection, description, opened, scrubber).await?);
        let watcher = self.orders.watcher.clone();
        let sink = (self.run.hook == Hook::Refresh).then(|| {
            let (store, lease) = (self.app.store.clone(), self.lease.clone());
            Sink::new(store, lease, &connection.id, description, watcher.clone())
        });
        Ok(Arc::new(Surroundings {
            store: self.app.store.clone(),
            connection: connection.id.clone(),
            http: self.http(connection, description, form, &desk)?,
            desk,
            sink,
            log: self.log.clone(),
            state: Mutex::default(),
            watcher,
        }))
    }

    /// The run's HTTP client: what it may reach is what the operator's settings name, and what the operator has accepted.
    fn http(
        &self,
        connection: &Connection,
        description: &Description,
        form: &Form,
        desk: &Arc<Desk>,
    ) -> Result<Client, Failure> {
        let named = form.origins(&connection.settings).into_iter();
        let named = named.map(|(name, origin, further_ports)| AllowedOrigin {
            name,
            origin,
            further_ports,
            named_by_operator: true,
        });
        // What the operator has not accepted (a newer plugin may ask for more) is not reached.
        let accepted =
            description.hosts.iter().filter(|host| connection.accepted_hosts.contains(&host.origin));
        let accepted = accepted.filter_map(|host| {
            let origin = Url::parse(&host.origin).ok()?;
            let (name, further_ports) = (host.name.clone(), Vec::new());
            Some(AllowedOrigin { name, origin, further_ports, named_by_operator: false })
        });
        let mut limits = self.app.config.http_limits();
        if self.run.hook == Hook::Test {
            // A person waits, and wants to know of a wrong port in a second, not after every attempt that a refresh makes.
            limits.max_attempts = limits.max_attempts.min(2);
        }
        let (policy, log) = (Policy::new(named.chain(accepted).collect()), self.log.clone());
        let observe = Arc::new(move |exchange: &Exchange| log.exchange(exchange));
        let cap = connection.max_parallel;
        Client::new(&limits, policy, &connection.tls, cap, desk.clone(), observe, self.brake.clone())
    }

    fn invocation(&self, connection: &Connection, form: &Form, desk: &Desk) -> Invocation {
        Invocation {
            contract: VERSION,
            run: self.run.id.to_string(),
            settings: Value::Object(with_handles(form, &connection.settings, &desk.present())),
            purpose: self.orders.purpose,
            may_write: self.orders.may_write && self.run.hook == Hook::Test,
            subject: None,
        }
    }

    /// Swaps the catalog in and records the success with it.
    async fn refreshed(
        &self,
        answer: &[u8],
        connection: &Connection,
        surroundings: &Surroundings,
    ) -> Result<Outcome, Failure> {
        let report: RefreshReport = wire::decode::<Result<_, Failure>>(answer, "refresh", Blame::Plugin)??;
        let (swaps, changes) = surroundings.sink()?.settle(self.log).await?;
        self.log.changes(&changes, &report.summary);
        let result = json!({ "kinds": changes, "summary": report.summary, "totals": self.log.totals() });
        let result = self.log.scrubbed_json(&result);
        let (store, state) = (&self.app.store, surroundings.state());
        if !store.finish_refresh(self.lease, &connection.id, &result, &swaps, &state).await? {
            return Err(Failure::jackfield("the run was taken over by another process"));
        }
        // What no kind points to any more is removed after the fact; it would not hurt anyone to stay.
        if let Err(error) = store.collect_garbage(u64::MAX).await {
            tracing::warn!(%error, "the rows of the catalog before could not be removed yet");
        }
        Ok(Outcome::Recorded(Ending::Succeeded(result)))
    }
}

/// Where the plugin's code runs.
enum Execution {
    Worker(Box<Worker>),
    Local(Local),
}

impl Execution {
    async fn start(app: &App, plugin: &Plugin, orders: &Orders, log: &Arc<RunLog>) -> Result<Self, Failure> {
        if orders.in_process {
            return Ok(Execution::Local(Local::open(&plugin.path)?));
        }
        let log = log.clone();
        let printed = Arc::new(move |line: &str| log.printed(line));
        let worker = Worker::start(&plugins::spawn(&app.worker, plugin), printed).await?;
        Ok(Execution::Worker(Box::new(worker)))
    }

    async fn describe(&mut self) -> Result<Description, Failure> {
        match self {
            Execution::Worker(worker) => worker.describe().await,
            Execution::Local(local) => local.describe(),
        }
    }

    async fn invoke(
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

    async fn stop(self) {
        match self {
            Execution::Worker(worker) => worker.stop().await,
            Execution::Local(_) => {}
        }
    }
}

/// The settings as a plugin gets them: a handle stands where a secret is.
fn with_handles(
    form: &Form,
    settings: &Map<String, Value>,
    present: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut settings = settings.clone();
    for field in form.fields.iter().filter(|field| field.secret && present.contains(&field.id)) {
        settings.insert(field.id.clone(), Secret::handle(&field.id));
    }
    settings
}

/// Reads a test's report. A failed check makes the run fail with that check's failure, and keeps the whole report.
fn tested(answer: &[u8], description: &Description, plugin: &Plugin) -> Result<Ending, Failure> {
    let report: TestReport = wire::decode::<Result<_, Failure>>(answer, "test", Blame::Plugin)??;
    let declared: Vec<&str> = description.checks.iter().map(|check| check.name.as_str()).collect();
    if let Some(stranger) = report.checks.iter().find(|check| !declared.contains(&check.name.as_str())) {
        return Err(Failure::plugin(format!(
            "the plugin {} reports a check \"{}\" that its description does not name",
            plugin.title(),
            stranger.name
        )));
    }
    let result = json!(report);
    let failed = report.checks.iter().find(|check| check.status == CheckStatus::Failed);
    Ok(match failed {
        Some(check) => {
            let failure = check.failure.clone().unwrap_or_else(|| Failure::remote(check.detail.clone()));
            Ending::Failed(failure.context(&check.name), Some(result))
        }
        None if report.passed() => Ending::Succeeded(result),
        None => Ending::Failed(
            Failure::plugin(format!("the plugin {} tried no check", plugin.title())),
            Some(result),
        ),
    })
}
