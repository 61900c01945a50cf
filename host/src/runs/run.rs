//! One run, from top to bottom.

use super::{
    brake::Brake,
    capabilities::{self, Surroundings},
    catalog::Sink,
    desk::Desk,
    execution::Execution,
    log::{Header, RunLog},
    notice::Notice,
    orders::Orders,
    outcome::{Outcome, patiently},
};
use crate::{
    app::{App, located},
    connections::secrets::{self, Opened},
    http::{
        client::Client,
        exchange::Exchange,
        places::Places,
        policy::{AllowedOrigin, Policy},
    },
    model::{
        connection::Connection,
        run::{Ending, Hook, Run},
        settings::Form,
    },
    plugins::Plugin,
    store::{KindSwap, Lease, Remembered},
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
    sync::{Arc, Mutex, PoisonError},
};
use url::Url;

/// What the work found, to be recorded together with the run's ending.
enum Found {
    Test {
        ending: Ending,
        address: Map<String, Value>,
        state: State,
    },
    Refresh {
        result: Value,
        swaps: Vec<(String, KindSwap)>,
        address: Map<String, Value>,
        state: State,
    },
    /// What a rotation decided is recorded already, decision by decision.
    Rotation(Ending),
}

/// What a plugin remembers if its run succeeds.
type State = Vec<(String, Value)>;

/// Does the work of a run.
pub async fn run(app: &App, run: &Run, lease: &Lease, orders: &Orders, brake: &Brake) -> Outcome {
    let log = Arc::new(RunLog::new(app, run, orders.watcher.clone()));
    let work = Work { app, run, lease, orders, log: &log, brake, desks: Mutex::default() };
    let outcome = tokio::select! {
        // The brake ends the work, but not its recording: half-way through, nobody would know what stands.
        found = work.whole() => match found {
            Ok(found) => work.record(found).await,
            Err(failure) => Err(failure),
        },
        outcome = brake.pulled(app, run.hook) => Ok(outcome),
    };
    // However it ended: nobody may wait for a sign-in that nobody does.
    let desks = std::mem::take(&mut *work.desks.lock().unwrap_or_else(PoisonError::into_inner));
    for desk in desks {
        desk.give_up_claims().await;
    }
    let outcome = outcome.unwrap_or_else(|failure| {
        Outcome::Ended(if failure.cancelled { Ending::Cancelled } else { Ending::Failed(failure, None) })
    });
    let outcome = match outcome {
        Outcome::Ended(ending) => Outcome::Ended(log.scrubbed(work.named(ending))),
        recorded @ Outcome::Recorded(_) => recorded,
    };
    let (Outcome::Ended(ending) | Outcome::Recorded(ending)) = &outcome;
    log.close(ending).await;
    if matches!(outcome, Outcome::Recorded(Ending::Succeeded(_))) && run.hook == Hook::Refresh {
        tokio::select! {
            () = collect_garbage(app) => {}
            () = orders.cancel.cancelled() => {}
        }
    }
    outcome
}

/// What no kind points to any more is removed after the fact; it would not hurt anyone to stay.
async fn collect_garbage(app: &App) {
    if let Err(error) = app.store.collect_garbage(u64::MAX).await {
        tracing::warn!(%error, "the rows of the catalog before could not be removed yet");
    }
}

/// A run that is being worked on.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    run: &'a Run,
    pub(super) lease: &'a Lease,
    pub(super) orders: &'a Orders,
    pub(super) log: &'a Arc<RunLog>,
    brake: &'a Brake,
    /// Lent to the hooks, and to be tidied whatever becomes of them.
    desks: Mutex<Vec<Arc<Desk>>>,
}

/// The connection that a run is about, and what its connector says of itself.
pub(super) struct Subject<'a> {
    pub(super) connection: &'a Connection,
    pub(super) description: &'a Description,
    pub(super) form: &'a Form,
    pub(super) plugin: &'a Plugin,
}

impl Work<'_> {
    /// From the connection to what is to be recorded.
    async fn whole(&self) -> Result<Found, Failure> {
        let store = &self.app.store;
        let connection = store.connection(&self.run.connection).await?;
        let connection = connection.ok_or_else(|| Failure::you("the connection was deleted meanwhile"))?;
        if self.run.hook == Hook::Refresh {
            let config = &self.app.config;
            let file = self.log.open(&config.logs(), &config.log.prefix, self.run.log.as_deref())?;
            store.set_run_log(self.lease, &file).await?;
            store.note_refresh_run(&connection.id, &self.run.id).await?;
        }
        let plugin = self.app.plugins.plugin(&connection.connector)?;
        store.set_run_plugin(self.lease, &plugin.title()).await?;
        let mut execution = Execution::start(self.app, plugin, self.orders, self.log).await?;
        let description = execution.describe().await?;
        let form = Form::of(&description.settings);
        let shown = form.address(&connection.settings);
        let proxy = self.app.config.proxy();
        let (run, title) = (self.run, plugin.title());
        self.log.header(&Header { run, connection: &connection, plugin: &title, address: shown, proxy });
        (self.orders.watcher)(Notice::Started { plugin: plugin.title() });

        let subject = Subject { connection: &connection, description: &description, form: &form, plugin };
        if self.run.hook == Hook::Rotate {
            execution.stop().await;
            return self.rotate(&subject).await.map(Found::Rotation);
        }
        let opened = secrets::open_current(self.app, &connection.id).await?;
        let surroundings = self.surroundings(&subject, opened).await?;
        let invocation = self.invocation(&subject, &surroundings.desk);
        let handler = capabilities::handler(surroundings.clone());
        let answer = execution.invoke(self.run.hook.as_str(), wire::encode(&invocation), handler).await;
        execution.stop().await;
        let answer = answer?;
        let (state, address) = (surroundings.state(), address(&form, &connection.settings));
        match self.run.hook {
            Hook::Test => {
                let ending = self.named(tested(&answer, &description, plugin)?);
                Ok(Found::Test { ending: self.log.scrubbed(ending), address, state })
            }
            Hook::Refresh => {
                let report: RefreshReport =
                    wire::decode::<Result<_, Failure>>(&answer, "refresh", Blame::Plugin)??;
                let (swaps, changes) = surroundings.sink()?.settle(self.log).await?;
                self.log.changes(&changes, &report.summary);
                let result =
                    json!({ "kinds": changes, "summary": report.summary, "totals": self.log.totals() });
                Ok(Found::Refresh { result: self.log.scrubbed_json(&result), swaps, address, state })
            }
            // It went its own way above.
            Hook::Rotate => Err(Failure::jackfield("a rotation is no single hook")),
        }
    }

    /// Records the ending with what belongs to it: a test's state, which is remembered if and only if it passed; a refresh's
    /// catalog, which is swapped in.
    async fn record(&self, found: Found) -> Result<Outcome, Failure> {
        let (store, connection) = (&self.app.store, &self.run.connection);
        let (held, ending) = match found {
            Found::Test { ending, address, state } => {
                let remembered = Remembered { address: &address, values: &state };
                let held = patiently(async || {
                    store.finish_run_with_state(self.lease, &ending, connection, remembered).await
                });
                (held.await?, ending)
            }
            Found::Refresh { result, swaps, address, state } => {
                let remembered = Remembered { address: &address, values: &state };
                let held = patiently(async || {
                    store.finish_refresh(self.lease, connection, &result, &swaps, remembered).await
                });
                (held.await?, Ending::Succeeded(result))
            }
            Found::Rotation(ending) => return Ok(Outcome::Ended(ending)),
        };
        match held {
            true => Ok(Outcome::Recorded(ending)),
            false => Err(Failure::jackfield("the run was taken over by another process")),
        }
    }

    /// Says which plugin it was, where the plugin is at fault, or which data folder, where the message does not say so yet.
    fn named(&self, ending: Ending) -> Ending {
        let ending = match ending {
            Ending::Failed(failure, result) => {
                Ending::Failed(located(&self.app.config.data_dir, failure), result)
            }
            other => other,
        };
        match (ending, self.app.plugins.plugin(&self.run.connector)) {
            (Ending::Failed(failure, result), Ok(plugin))
                if failure.blame == Blame::Plugin && !failure.message.contains(&plugin.title()) =>
            {
                Ending::Failed(failure.context(format!("the plugin {}", plugin.title())), result)
            }
            (ending, _) => ending,
        }
    }

    /// What the hook may call.
    pub(super) async fn surroundings(
        &self,
        subject: &Subject<'_>,
        opened: Opened,
    ) -> Result<Arc<Surroundings>, Failure> {
        let Subject { connection, description, form, .. } = *subject;
        let scrubber = self.log.scrubber();
        let desk = Arc::new(Desk::new(self.app, self.run, connection, description, opened, scrubber).await?);
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).push(desk.clone());
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
            brake: self.brake.clone(),
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
        // A draft asks the same system as the connection that it would change.
        let shared = connection.draft_of.as_ref().unwrap_or(&connection.id);
        let places = self.app.config.places();
        limits.places = Some(Places::new(&places, shared.as_str(), connection.max_parallel));
        let (policy, log) = (Policy::new(named.chain(accepted).collect()), self.log.clone());
        let watcher = self.orders.watcher.clone();
        let observe = Arc::new(move |exchange: &Exchange| {
            log.exchange(exchange);
            if let Some(certificate) = exchange.certificate.clone() {
                watcher(Notice::Refused { certificate });
            }
        });
        let cap = connection.max_parallel;
        Client::new(&limits, policy, &connection.tls, cap, desk.clone(), observe, self.brake.token.clone())
    }

    pub(super) fn invocation(&self, subject: &Subject<'_>, desk: &Desk) -> Invocation {
        let Subject { connection, form, .. } = subject;
        Invocation {
            contract: VERSION,
            run: self.run.id.to_string(),
            settings: Value::Object(with_handles(form, &connection.settings, &desk.present())),
            purpose: self.orders.purpose,
            may_write: self.orders.may_write && self.run.hook == Hook::Test,
            subject: form.subject(&connection.settings),
            installation: Some(self.app.store.mark()),
            rotation: None,
        }
    }
}

/// The settings that say which system it is.
fn address(form: &Form, settings: &Map<String, Value>) -> Map<String, Value> {
    let fields = form.origins(settings).into_iter().map(|(field, ..)| field);
    fields.filter_map(|field| Some((field.clone(), settings.get(&field)?.clone()))).collect()
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
pub(super) fn tested(answer: &[u8], description: &Description, plugin: &Plugin) -> Result<Ending, Failure> {
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
