//! The vendor's tests: runs a connector in this process, through the real encoding and the real door, against scripted
//! answers.
//!
//! ```
//! # use jackfield_plugin::{*, contract::hooks::RefreshReport, schemars::JsonSchema};
//! # #[derive(serde::Deserialize, JsonSchema)] struct Settings { server: Origin, token: Secret }
//! # struct My;
//! # impl Connector for My {
//! #     type Settings = Settings;
//! #     fn describe() -> Description {
//! #         let uses = [("token", contract::http::Place::Bearer, "/*")];
//! #         Description::of::<Settings>("my", "My", "1").object("item", "item", "items")
//! #             .credential("token", "Token", contract::description::RotationMode::Supplied, uses).build()
//! #     }
//! #     async fn test(_: &Context<Settings>, _: &mut Checks) -> Result<(), Failure> { Ok(()) }
//! #     async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
//! #         let get = Request::get("server", "/api/items").bearer(&context.settings().token);
//! #         let answer = context.http().send(&get).await?;
//! #         let rows: Vec<serde_json::Value> = answer.json()?;
//! #         let objects = rows.iter().map(|row| Object::new(row["id"].as_str().unwrap(), "")).collect();
//! #         context.catalog().put("item", objects, answer.exchange()).await?;
//! #         context.catalog().complete("item").await?;
//! #         Ok(RefreshReport::default())
//! #     }
//! # }
//! use jackfield_plugin::testkit::{Answer, TestKit};
//! use serde_json::json;
//!
//! let kit = TestKit::<My>::new(json!({ "server": "https://my.example.com" })).secret("token");
//! kit.on("GET", "/api/items", Answer::json(200, json!([{ "id": "a" }])));
//! let refresh = kit.refresh().unwrap();
//! assert_eq!(refresh.ids("item"), ["a"]);
//! assert!(kit.requests()[0].has_bearer("token"));
//! ```
//!
//! It keeps the host's promises in the small: a secret goes only where the description says, a request only to an origin
//! of the settings, an object is of a declared kind, `Set-Cookie` and captured values are not shown, state is kept only
//! by a run that succeeds. Time stands still but for sleeping, and randomness is the same every time. A request that
//! nobody scripted fails the hook and says so.

mod answers;
mod host;
mod policy;
mod sessions;

pub use answers::{Answer, Asked};

use crate::{
    abi::{Door, host_from_fn},
    contract::{
        Blame, Failure, VERSION,
        catalog::{How, Object},
        description::Description,
        hooks::{self, Invocation, Purpose, RefreshReport, TestReport},
        run::{LogLine, Progress},
        secrets::SecretFacts,
        wire::{decode, encode},
    },
    sdk::{Connector, Secret},
};
use host::SmallHost;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    future::Future,
    marker::PhantomData,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A connection of a connector, and a small host for it.
pub struct TestKit<C> {
    door: Door,
    invocation: Invocation,
    host: Arc<Mutex<SmallHost>>,
    connector: PhantomData<fn() -> C>,
}

/// What a refresh left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refresh {
    /// What it had to say.
    pub report: RefreshReport,
    /// The objects of each kind, in the order in which they were put.
    pub objects: BTreeMap<String, Vec<Object>>,
    /// How each kind ended.
    pub ends: BTreeMap<String, How>,
    /// The lines of its log.
    pub log: Vec<LogLine>,
    /// What it said of its progress.
    pub progress: Vec<Progress>,
    /// The connection's state after it.
    pub state: BTreeMap<String, Value>,
}

impl Refresh {
    /// The ids of a kind's objects, in the order in which they were put.
    pub fn ids(&self, kind: &str) -> Vec<&str> {
        self.objects.get(kind).into_iter().flatten().map(|object| object.id.as_str()).collect()
    }

    /// The object of a kind and id.
    pub fn object(&self, kind: &str, id: &str) -> Option<&Object> {
        self.objects.get(kind)?.iter().find(|object| object.id == id)
    }
}

impl<C: Connector> TestKit<C> {
    /// A connection with these settings; secrets are added with [`TestKit::secret`].
    pub fn new(settings: Value) -> Self {
        let invocation = Invocation {
            contract: VERSION,
            run: "testkit".to_owned(),
            settings,
            purpose: Purpose::Interactive,
            may_write: false,
            subject: None,
            installation: None,
            rotation: None,
        };
        let host = Arc::new(Mutex::new(SmallHost::new(C::describe())));
        TestKit { door: Door::of::<C>(), invocation, host, connector: PhantomData }
    }

    /// Gives a secret setting a value; neither the connector nor the test sees it.
    #[must_use]
    pub fn secret(mut self, field: &str) -> Self {
        self.invocation.settings[field] = Secret::handle(field);
        let facts = SecretFacts { present: true, ..SecretFacts::default() };
        self.host().facts.entry(field.to_owned()).or_insert(facts);
        self
    }

    /// Says what may be known of a secret.
    #[must_use]
    pub fn facts(self, field: &str, facts: SecretFacts) -> Self {
        self.host().facts.insert(field.to_owned(), facts);
        self
    }

    /// Says why the test is run; interactive unless said otherwise.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.invocation.purpose = purpose;
        self
    }

    /// Allows things to be changed on the remote side.
    #[must_use]
    pub fn may_write(mut self) -> Self {
        self.invocation.may_write = true;
        self
    }

    /// Names the person to act for.
    #[must_use]
    pub fn subject(mut self, email: &str) -> Self {
        self.invocation.subject = Some(email.to_owned());
        self
    }

    /// Gives the installation its mark.
    #[must_use]
    pub fn installation(mut self, mark: &str) -> Self {
        self.invocation.installation = Some(mark.to_owned());
        self
    }

    /// Sets a value of the connection's state, as an earlier run would have left it.
    #[must_use]
    pub fn state(self, key: &str, value: Value) -> Self {
        self.host().state.insert(key.to_owned(), value);
        self
    }

    /// Sets the time, in milliseconds since 1970.
    #[must_use]
    pub fn at(self, milliseconds: i64) -> Self {
        self.host().now = milliseconds;
        self
    }

    /// Scripts an answer. `path` is a path on any origin, or a whole URL; with a query it stands for that query alone,
    /// without one for any. Several answers to the same request are given in their order, and the last one from then on.
    pub fn on(&self, method: &str, path: &str, answer: Answer) -> &Self {
        self.host().script.add(method, path, answer);
        self
    }

    /// The description, having crossed the door.
    ///
    /// # Errors
    /// It panics.
    pub fn describe(&self) -> Result<Description, Failure> {
        decode::<Result<_, Failure>>(&self.door.describe(), "describe", Blame::Plugin)?
    }

    /// Runs the hook *test*.
    ///
    /// # Errors
    /// What the hook fails with, or what no host would accept of it.
    pub fn test(&self) -> Result<TestReport, Failure> {
        let report: TestReport = self.run(hooks::TEST)?;
        let declared = self.describe()?.checks;
        match report.checks.iter().find(|check| declared.iter().all(|declared| declared.name != check.name)) {
            Some(check) => {
                Err(Failure::plugin(format!("the check \"{}\" is not in the description", check.name)))
            }
            None => Ok(report),
        }
    }

    /// Runs the hook *refresh*.
    ///
    /// # Errors
    /// What the hook fails with, or what no host would accept of it.
    pub fn refresh(&self) -> Result<Refresh, Failure> {
        let report = self.run(hooks::REFRESH)?;
        let host = self.host();
        Ok(Refresh {
            report,
            objects: host.objects.clone(),
            ends: host.ends.clone(),
            log: host.log.clone(),
            progress: host.progress.clone(),
            state: host.state.clone(),
        })
    }

    /// What was signed in the last hook, in order.
    pub fn signed(&self) -> Vec<crate::contract::secrets::SignJwt> {
        self.host().signed.clone()
    }

    /// The requests of the last hook, in their order.
    pub fn requests(&self) -> Vec<Asked> {
        self.host().requests.clone()
    }

    /// The log of the last hook, also when it failed.
    pub fn log(&self) -> Vec<LogLine> {
        self.host().log.clone()
    }

    /// The scripted requests that no hook has made yet.
    pub fn unasked(&self) -> Vec<String> {
        self.host().script.unasked()
    }

    fn run<T: DeserializeOwned>(&self, hook: &str) -> Result<T, Failure> {
        self.host().begin();
        let host = self.host.clone();
        let object = host_from_fn(move |capability, message| host::answer(host.clone(), capability, message));
        let answer = self.door.invoke(hook, encode(&self.invocation), object);
        let answer = drive(answer)
            .ok_or_else(|| Failure::plugin(format!("the hook \"{hook}\" waits for what will never come")))?
            .map_err(Failure::plugin)?;
        let outcome = decode::<Result<T, Failure>>(&answer, hook, Blame::Plugin)?;
        self.host().end(outcome.is_ok());
        outcome
    }

    fn host(&self) -> MutexGuard<'_, SmallHost> {
        lock(&self.host)
    }
}

fn lock(host: &Mutex<SmallHost>) -> MutexGuard<'_, SmallHost> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drives a future to its end; `None` if it waits though nothing is left that could wake it.
fn drive<F: Future>(future: F) -> Option<F::Output> {
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Release);
        }
    }

    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut future = pin!(future);
    while woken.0.swap(false, Ordering::AcqRel) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
    }
    None
}
