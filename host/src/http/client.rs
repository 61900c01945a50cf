//! The client: sends the requests of one run, from the plugin's wish to the answer that it may see.

use super::{
    answer::Answer,
    attempt::Attempt,
    capture,
    escrow::{self, Escrow},
    exchange::Exchange,
    failure::{Trouble, seconds},
    jar::Jars,
    limits::Limits,
    means::Means,
    places::Place,
    policy::{Policy, origin_text},
    pool::Pool,
    prepare::{Prepared, prepare},
    retry::{self, Gate},
    slots::SlotSource,
};
use crate::model::connection::TlsTrust;
use jackfield_plugin::contract::{
    Failure,
    http::{HttpRequest, HttpResponse},
};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, SET_COOKIE};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use url::Position;

/// Whoever wants to know of every exchange, to log and to count it.
pub type Observe = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// Sends the requests of one run.
pub struct Client {
    means: Means,
    cap: Semaphore,
    gate: Gate,
    observe: Observe,
    cancel: CancellationToken,
    requests: AtomicU64,
    escrow: Option<Arc<dyn Escrow>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.means.policy).finish_non_exhaustive()
    }
}

/// The right to be in flight, here and on this machine.
struct Turn<'a> {
    _permit: SemaphorePermit<'a>,
    _place: Option<Place>,
}

impl Client {
    /// A client for one run.
    ///
    /// # Errors
    /// The connection's own CA, its server name, or the proxy cannot be used.
    pub fn new(
        limits: &Limits,
        policy: Policy,
        tls: &TlsTrust,
        cap: u32,
        slots: Arc<dyn SlotSource>,
        observe: Observe,
        cancel: CancellationToken,
    ) -> Result<Client, Failure> {
        let cap = usize::try_from(cap).unwrap_or(1).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Client {
            means: Means {
                pool: Pool::new(limits, &policy, tls, cap)?,
                limits: limits.clone(),
                policy,
                jars: Jars::default(),
                slots,
            },
            cap: Semaphore::new(cap),
            gate: Gate::default(),
            observe,
            cancel,
            requests: AtomicU64::new(0),
            escrow: None,
        })
    }

    /// From now on the answers of steps are kept, and whatever changes something has to be a step.
    pub fn keep_answers(&mut self, escrow: Arc<dyn Escrow>) {
        self.escrow = Some(escrow);
    }

    /// Sends a request; every status is an answer.
    ///
    /// # Errors
    /// The destination is not allowed, the request cannot be sent, the run was cancelled, or there was no answer that can be
    /// used. The failure can be shown as it is.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        self.asked(request).await.map_err(|failure| self.clean(failure))
    }

    async fn asked(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let prepared = prepare(request, &self.means.policy, &self.means.limits)?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        match self.step(&prepared)? {
            None => self.sent(&prepared, number).await,
            Some((step, escrow)) => self.taken(&prepared, number, step, escrow).await,
        }
    }

    /// The step that a request is, if it is one.
    fn step<'a>(&'a self, prepared: &'a Prepared) -> Result<Option<(&'a str, &'a dyn Escrow)>, Failure> {
        let Prepared { request, method, repeatable, .. } = prepared;
        match (&request.step, &self.escrow) {
            (None, None) => Ok(None),
            (None, Some(_)) if *repeatable => Ok(None),
            (Some(step), Some(escrow)) => Ok(Some((step, escrow.as_ref()))),
            (None, Some(_)) => Err(Failure::plugin(format!(
                "the plugin sends a {method} that is no step, where whatever changes something must be one"
            ))),
            (Some(step), None) => Err(Failure::plugin(format!(
                "the plugin sends a {method} as the step \"{step}\", and only the making of a credential has steps"
            ))),
        }
    }

    /// Takes a step: once, with its answer stored before anybody looks at it; or, where that was done already, not again.
    async fn taken(
        &self,
        prepared: &Prepared,
        number: u64,
        step: &str,
        escrow: &dyn Escrow,
    ) -> Result<HttpResponse, Failure> {
        if let Some(kept) = escrow.kept(step).await? {
            return self.finish(Ok(escrow::read(&kept)?), prepared, number).await;
        }
        escrow.asking(step).await?;
        let (turn, waited) = self.or_cancelled(self.turn()).await??;
        let mut attempt = Attempt::new(&self.means, prepared);
        let outcome = attempt.run().await;
        drop(turn);
        match &outcome {
            Ok(answer) if (200..300).contains(&answer.status) => {
                escrow.keep(step, &escrow::written(answer)).await?;
            }
            Ok(answer) if escrow::is_refusal(answer.status) => escrow.not_done(step).await?,
            Err(trouble) if attempt.never_arrived(trouble) => escrow.not_done(step).await?,
            // Nobody knows what the remote system did.
            _ => {}
        }
        self.tell(&attempt, &outcome, &retry::Verdict::default(), number, 1, waited);
        self.finish(outcome, prepared, number).await
    }

    /// Sends a request, as often as it may and has to be.
    async fn sent(&self, prepared: &Prepared, number: u64) -> Result<HttpResponse, Failure> {
        let mut count = 1;
        loop {
            let (turn, waited) = self.or_cancelled(self.turn()).await??;
            let mut attempt = Attempt::new(&self.means, prepared);
            let outcome = match self.or_cancelled(attempt.run()).await {
                Ok(outcome) => outcome,
                Err(cancelled) => Err(cancelled.into()),
            };
            drop(turn);
            let verdict = retry::judge(&outcome, count, prepared, &self.means.limits);
            if let Some(hold) = verdict.hold {
                self.gate.close_for(hold);
            }
            self.tell(&attempt, &outcome, &verdict, number, count, waited);
            match verdict.again {
                Some(wait) => self.or_cancelled(tokio::time::sleep(wait)).await?,
                None => return self.finish(outcome, prepared, number).await,
            }
            count += 1;
        }
    }

    /// Runs something until the run is cancelled.
    async fn or_cancelled<T>(&self, doing: impl Future<Output = T>) -> Result<T, Failure> {
        self.cancel.run_until_cancelled(doing).await.ok_or_else(Failure::cancelled)
    }

    /// Waits until the gate is open and one more may be in flight. Nobody holds a place while waiting at the gate.
    async fn turn(&self) -> Result<(Turn<'_>, Duration), Failure> {
        let mut waited = Duration::ZERO;
        loop {
            self.gate.opened(self.means.limits.max_retry_wait).await?;
            let asked = Instant::now();
            let permit = self.cap.acquire().await;
            let permit = permit.map_err(|_| Failure::jackfield("no request can be sent any more"))?;
            let place = match &self.means.limits.places {
                Some(places) => places.take().await.map(Some).unwrap_or_else(|error| {
                    // Our own count still holds; a full disk must not end what writes nothing.
                    tracing::warn!(%error, "requests of other processes cannot be counted");
                    None
                }),
                None => None,
            };
            waited += asked.elapsed();
            if self.gate.is_open() {
                return Ok((Turn { _permit: permit, _place: place }, waited));
            }
        }
    }

    fn tell(
        &self,
        attempt: &Attempt<'_>,
        outcome: &Result<Answer, Trouble>,
        verdict: &retry::Verdict,
        number: u64,
        count: u32,
        waited: Duration,
    ) {
        for record in attempt.records(outcome.as_ref().ok()) {
            let failure = match outcome {
                _ if !record.last => None,
                Err(trouble) => Some(self.scrubbed(&trouble.failure.message)),
                Ok(_) => verdict.too_long.map(|asked| {
                    let longest = seconds(self.means.limits.max_retry_wait);
                    format!("asks to wait {}, longer than the {longest} that are waited for", seconds(asked))
                }),
            };
            (self.observe)(&Exchange {
                number,
                method: record.method.to_string(),
                path: self.scrubbed(&record.url[Position::BeforePath..]),
                origin: self.scrubbed(&origin_text(record.url)),
                status: record.status,
                failure,
                certificate: outcome
                    .as_ref()
                    .err()
                    .and_then(|trouble| trouble.certificate.as_deref().cloned()),
                timed_out: record.last && outcome.as_ref().is_err_and(|trouble| trouble.timed_out),
                attempt: count,
                waited_for_cap: if record.first { waited } else { Duration::ZERO },
                took: record.took,
                bytes: record.bytes,
                list: record.last && attempt.prepared.request.list,
                retry_in: verdict.again.filter(|_| record.last),
            });
        }
    }

    /// Makes of an answer what the plugin may see.
    async fn finish(
        &self,
        outcome: Result<Answer, Trouble>,
        prepared: &Prepared,
        number: u64,
    ) -> Result<HttpResponse, Failure> {
        let mut answer = outcome.map_err(|trouble| trouble.failure)?;
        if answer.status == 401 {
            for (name, value) in &answer.shown {
                self.means.slots.refused(name, value).await;
            }
        }
        let mut captured = Vec::new();
        if (200..300).contains(&answer.status) {
            let captures = &prepared.request.captures;
            let now = Timestamp::now();
            let Answer { cookies, headers, body, .. } = &mut answer;
            let found = capture::take(captures, cookies, headers, body, now);
            // All of them, before anything is remembered with any of them.
            found.iter().for_each(|found| self.means.slots.learn(&found.value));
            for mut found in found {
                if let Some(kept) = &mut found.kept {
                    kept.facts = self.means.slots.scrub_json(&kept.facts);
                }
                self.means.slots.capture(found.capture, found.value, &answer.origin, found.kept).await?;
                captured.push(found.capture.name.clone());
            }
        }
        let headers = self.shown(&answer.headers);
        let body = self.means.jars.scrub(self.means.slots.scrub_body(answer.body));
        Ok(HttpResponse { exchange: number, status: answer.status, headers, body, captured })
    }

    fn shown(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let shown = headers.iter().filter(|(name, _)| **name != SET_COOKIE && name.as_str() != "set-cookie2");
        shown
            .map(|(name, value)| {
                let text = self.means.jars.scrub(self.means.slots.scrub(value.as_bytes().to_vec()));
                (self.scrubbed(name.as_str()), String::from_utf8_lossy(&text).into_owned())
            })
            .collect()
    }

    /// A failure without what a server may have put into it: the host of a redirect, the path that it led to.
    fn clean(&self, mut failure: Failure) -> Failure {
        failure.message = self.scrubbed(&failure.message);
        failure.remedy = failure.remedy.map(|remedy| self.scrubbed(&remedy));
        failure.reference = failure.reference.map(|reference| self.scrubbed(&reference));
        failure
    }

    fn scrubbed(&self, text: &str) -> String {
        let clean = self.means.jars.scrub(self.means.slots.scrub(text.as_bytes().to_vec()));
        String::from_utf8_lossy(&clean).into_owned()
    }
}
