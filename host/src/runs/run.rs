//! One run, from top to bottom.

use super::{
    capabilities::{self, Surroundings},
    catalog::Sink,
    desk::Desk,
    driver::Orders,
    log::{Header, RunLog},
    notice::Notice,
};
use crate::{
    app::App,
    connections::secrets,
    http::{
        client::Client,
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
    sync::{Arc, Mutex, OnceLock},
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
    let desk = OnceLock::new();
    let outcome = tokio::select! {
        outcome = work(app, run, lease, orders, &log, &desk, brake) => outcome,
        () = brake.cancelled() => Ok(Outcome::Ended(Ending::Cancelled)),
    };
    // However it ended: nobody may wait for a sign-in that nobody does.
    if let Some(desk) = desk.get() {
        desk.give_up_claims().await;
    }
    let outcome = outcome.unwrap_or_else(|failure| {
        let ending = if failure.cancelled { Ending::Cancelled } else { Ending::Failed(failure, None) };
        Outcome::Ended(log.scrubbed(ending))
    });
    let (Outcome::Ended(ending) | Outcome::Recorded(ending)) = &outcome;
    log.close(ending).await;
    outcome
}

async fn work(
    app: &App,
    run: &Run,
    lease: &Lease,
    orders: &Orders,
    log: &Arc<RunLog>,
    lent: &OnceLock<Arc<Desk>>,
    brake: &CancellationToken,
) -> Result<Outcome, Failure> {
    let connection = app.store.connection(&run.connection).await?;
    let connection = connection.ok_or_else(|| Failure::you("the connection was deleted meanwhile"))?;
    if run.hook == Hook::Refresh {
        let file = log.open(&app.config.logs(), &app.config.log.prefix)?;
        app.store.set_run_log(lease, &file).await?;
        app.store.note_refresh_run(&connection.id, &run.id).await?;
    }
    let plugin = app.plugins.plugin(&connection.connector)?;
    app.store.set_run_plugin(lease, &plugin.title()).await?;
    let form_of = |description: &Description| Form::of(&description.settings);
    let mut execution = Execution::start(app, plugin, orders, log).await?;
    let description = execution.describe().await?;
    let form = form_of(&description);
    log.header(&Header {
        run,
        connection: &connection,
        plugin: &plugin.title(),
        address: form.address(&connection.settings),
    });
    (orders.watcher)(Notice::Started { plugin: plugin.title() });
    let desk = Arc::new(desk(app, run, &connection, &description, log).await?);
    let desk = lent.get_or_init(|| desk);
    let http = client(app, &connection, &description, &form, desk, log, brake)?;
    let sink = Arc::new(Sink::new(
        app.store.clone(),
        lease.clone(),
        &connection.id,
        &description,
        orders.watcher.clone(),
    ));
    let surroundings = Arc::new(Surroundings {
        store: app.store.clone(),
        connection: connection.id.clone(),
        http,
        desk: desk.clone(),
        sink: (run.hook == Hook::Refresh).then(|| sink.clone()),
        log: log.clone(),
        state: Mutex::default(),
        watcher: orders.watcher.clone(),
    });
    let invocation = Invocation {
        contract: VERSION,
        run: run.id.to_string(),
        settings: Value::Object(with_handles(&form, &connection.settings, &desk.present())),
        purpose: orders.purpose,
        may_write: orders.may_write && run.hook == Hook::Test,
        subject: None,
    };
    let answer = execution
        .invoke(run.hook.as_str(), wire::encode(&invocation), capabilities::handler(surroundings.clone()))
        .await;
    execution.stop().await;
    let answer = answer?;
    match run.hook {
        Hook::Test => {
            let ending = log.scrubbed(tested(&answer, &description, plugin)?);
            // What the test set up on the remote side is remembered if and only if it passed.
            app.store.finish_run_with_state(lease, &ending, &connection.id, &surroundings.state()).await?;
            Ok(Outcome::Recorded(ending))
        }
        Hook::Refresh => {
            let report: RefreshReport =
                wire::decode::<Result<_, Failure>>(&answer, "refresh", Blame::Plugin)??;
            refreshed(app, lease, &connection, &surroundings, &sink, log, &report).await
        }
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

async fn desk(
    app: &App,
    run: &Run,
    connection: &Connection,
    description: &Description,
    log: &RunLog,
) -> Result<Desk, Failure> {
    let opened = secrets::open_current(app, &connection.id).await?;
    Desk::new(app, run, connection, description, opened, log.scrubber()).await
}

fn client(
    app: &App,
    connection: &Connection,
    description: &Description,
    form: &Form,
    desk: &Arc<Desk>,
    log: &Arc<RunLog>,
    brake: &CancellationToken,
) -> Result<Client, Failure> {
    let from_settings =
        form.origins(&connection.settings).into_iter().map(|(name, origin, further_ports)| AllowedOrigin {
            name,
            origin,
            further_ports,
            named_by_operator: true,
        });
    // What the operator has not accepted (a newer plugin may ask for more) is not reached.
    let accepted = description.hosts.iter().filter(|host| connection.accepted_hosts.contains(&host.origin));
    let fixed = accepted.filter_map(|host| {
        let origin = Url::parse(&host.origin).ok()?;
        Some(AllowedOrigin {
            name: host.name.clone(),
            origin,
            further_ports: Vec::new(),
            named_by_operator: false,
        })
    });
    let policy = Policy::new(from_settings.chain(fixed).collect());
    let log = log.clone();
    let observe = Arc::new(move |exchange: &crate::http::exchange::Exchange| log.exchange(exchange));
    let (limits, cap) = (app.config.http_limits(), connection.max_parallel);
    Client::new(&limits, policy, &connection.tls, cap, desk.clone(), observe, brake.clone())
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

/// Swaps the catalog in and records the success with it.
async fn refreshed(
    app: &App,
    lease: &Lease,
    connection: &Connection,
    surroundings: &Surroundings,
    sink: &Sink,
    log: &RunLog,
    report: &RefreshReport,
) -> Result<Outcome, Failure> {
    let (swaps, changes) = sink.settle(log).await?;
    log.changes(&changes, &report.summary);
    let result = json!({ "kinds": changes, "summary": report.summary, "totals": log.totals() });
    let Ending::Succeeded(result) = log.scrubbed(Ending::Succeeded(result)) else {
        unreachable!("scrubbing keeps the ending")
    };
    if !app.store.finish_refresh(lease, &connection.id, &result, &swaps, &surroundings.state()).await? {
        return Err(Failure::jackfield("the run was taken over by another process"));
    }
    // What no kind points to any more is removed after the fact; it would not hurt anyone to stay.
    if let Err(error) = app.store.collect_garbage(u64::MAX).await {
        tracing::warn!(%error, "the rows of the catalog before could not be removed yet");
    }
    Ok(Outcome::Recorded(Ending::Succeeded(result)))
}
