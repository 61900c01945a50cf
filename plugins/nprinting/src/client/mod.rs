//! The remote system: its paths, how to sign in, how to send. No other part of this plugin knows a path.
//!
//! There is no call to sign in: every request shows a token that the host signed, and the server answers the first with a
//! session cookie, which goes into a jar and spares it to look the user up each time. Reading needs no more than that.

mod answer;
mod caller;
mod lists;
mod page;

pub(crate) use answer::Refusal;
pub(crate) use caller::Caller;
pub(crate) use lists::{APPS, CONNECTIONS, FILTERS, GROUPS, List, REPORTS, ROLES, TASKS, USERS};
pub(crate) use page::{Page, Rows};

use crate::settings::{Matching, Settings};
use jackfield_plugin::{
    Blame, Context, Failure, Request, Response, Stage,
    contract::{http::Place, secrets::SignJwt},
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// The settings field that is the server's origin.
pub(crate) const ORIGIN: &str = "server_url";
/// The port on which NPrinting listens unless it was changed.
pub(crate) const USUAL_PORT: u16 = 4993;

/// The name of the signed token.
const TOKEN: &str = "jwt";
/// The name of the cookie jar.
const JAR: &str = "session";
/// How long a token is valid, in seconds.
const LIFETIME: u32 = 600;
/// How far its beginning lies in the past, in seconds: the server's clock may be behind.
const BACKDATE: u32 = 60;
/// A token that ends within this time is replaced: the host may have to wait before it can send.
const RESERVE_MS: i64 = 120_000;

/// Answers that may be better a moment later. Everything that is asked here only reads.
const PASSING: [u16; 4] = [500, 502, 503, 504];

/// How many rows to ask for at once. The server gives 50 unless asked.
const PAGE: u32 = 200;

/// Speaks to one server.
pub(crate) struct Client<'a> {
    context: &'a Context<Settings>,
    signature: SignJwt,
    /// When the token in use ends, in milliseconds since 1970.
    ends: Mutex<i64>,
    /// The server has accepted a token of this run.
    accepted: AtomicBool,
}

impl<'a> Client<'a> {
    /// A client. Nothing is sent.
    ///
    /// # Errors
    /// A setting cannot be right.
    pub(crate) fn new(context: &'a Context<Settings>) -> Result<Self, Failure> {
        let settings = context.settings();
        let signature = SignJwt {
            key: settings.private_key.field().to_owned(),
            algorithm: settings.algorithm.name().to_owned(),
            key_id: None,
            claims: settings.claims()?,
            backdate_seconds: BACKDATE,
            lifetime_seconds: LIFETIME,
            origin: ORIGIN.to_owned(),
            name: TOKEN.to_owned(),
        };
        Ok(Client { context, signature, ends: Mutex::new(0), accepted: AtomicBool::new(false) })
    }

    /// Asks, without signing in, whether anything answers where the API should be; yields what was seen.
    pub(crate) async fn probe(context: &Context<Settings>) -> Result<String, Failure> {
        let request = Request::get(ORIGIN, APPS.path).query("limit", 1).header("accept", "application/json");
        let host = context.settings().server_url.authority();
        let response = context.http().send(&request).await.map_err(|failure| port_hint(failure, host))?;
        let stranger = |seen: &str| {
            Refusal::of(&response)
                .failure(
                    Blame::You,
                    Stage::Answer,
                    format!("\"{host}\" answers, but there is no NPrinting API ({seen})"),
                )
                .remedy(format!(
                    "the server URL is the address of NPrinting's web console, usually with port {USUAL_PORT}"
                ))
                .field(ORIGIN)
        };
        let refusal = Refusal::of(&response);
        match response.status() {
            404 | 405 | 410 => Err(stranger(&refusal.summary())),
            401 | 403 if refusal.in_between.is_none() => {
                Ok("the server answers and asks for a sign-in".to_owned())
            }
            200..=299 => match Rows::read(&response) {
                Ok(_) => Ok("the server answers".to_owned()),
                Err(_) => Err(stranger("no list of apps stands where every server has it")),
            },
            429 | 500..=599 => Err(refusal.common().unwrap_or_else(|| stranger(&refusal.summary()))),
            // Whatever else it says to strangers, the signed request will show.
            _ => match refusal.in_between {
                Some(failure) => Err(failure),
                None => Ok(format!("the server answers ({})", refusal.summary())),
            },
        }
    }

    /// Sends a request, signed.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let request = request.header("accept", "application/json").retry_on(PASSING);
        let request = request.jar(JAR).captured(TOKEN, Place::Bearer);
        self.sign().await?;
        let response = self.context.http().send(&request).await?;
        if response.status() != 401 {
            self.accepted.store(true, Ordering::Relaxed);
            return Ok(response);
        }
        // The host forgets what was refused.
        self.forget();
        if !self.accepted.load(Ordering::Relaxed) {
            return Ok(response);
        }
        // A token like this was good before: the clocks may differ, or the server may have begun anew.
        self.sign().await?;
        let response = self.context.http().send(&request).await?;
        if response.status() == 401 {
            self.forget();
        }
        Ok(response)
    }

    fn forget(&self) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = 0;
    }

    /// Has a token signed, if there is none that lasts.
    async fn sign(&self) -> Result<(), Failure> {
        let now = self.context.now().await?;
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if lasts(ends, now) {
            return Ok(());
        }
        self.context.sign_jwt(&self.signature).await?;
        let ends = now.saturating_add(i64::from(LIFETIME) * 1000);
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        Ok(())
    }

    /// Fetches a page of a list, from an offset.
    pub(crate) async fn page(
        &self,
        list: &List,
        query: &[(&str, &str)],
        offset: u64,
    ) -> Result<Response, Failure> {
        let request = Request::get(ORIGIN, list.path).list();
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        self.send(request.query("sort", list.sort).query("offset", offset).query("limit", PAGE)).await
    }

    /// Fetches the newest execution of a task, as a list of one.
    pub(crate) async fn newest_execution(&self, task: &str) -> Result<Response, Failure> {
        let path = format!("{}/{}/executions", TASKS.path, segment(task)?);
        self.send(Request::get(ORIGIN, path).list().query("sort", "-created").query("limit", 1)).await
    }

    /// The token was refused. The server does not say why, so all that can be the cause is listed.
    pub(crate) fn unauthorized(&self, refusal: &Refusal) -> Failure {
        let settings = self.context.settings();
        if self.accepted.load(Ordering::Relaxed) {
            return self.no_more(refusal);
        }
        let (attribute, user) = match settings.matching {
            Matching::Email => (
                format!("the JWT attribute for the email is not \"{}\" there", settings.claim.trim()),
                format!("no enabled NPrinting user has the email \"{}\"", settings.caller()),
            ),
            Matching::DomainName => (
                format!(
                    "the JWT attributes for user ID and user directory are not \"{}\" and \"{}\" there",
                    settings.user_claim.trim(),
                    settings.domain_claim.trim()
                ),
                format!("no enabled NPrinting user has the domain account \"{}\"", settings.caller()),
            ),
        };
        refusal
            .failure(
                Blame::Credential,
                Stage::SignIn,
                format!("the server refused the token of \"{}\" ({})", settings.caller(), refusal.summary()),
            )
            .remedy(format!(
                "the server does not say which of these it is (its web console: Admin, Settings, Authentication): JWT authentication is turned off there; the certificate there does not belong to this private key; {attribute}; {user}; the clocks of the two machines differ by more than a minute; the server does not take the algorithm {}",
                settings.algorithm.name()
            ))
            .field(self.signature.key.clone())
    }

    /// A token was refused although the server had accepted one of this very run.
    fn no_more(&self, refusal: &Refusal) -> Failure {
        let caller = self.context.settings().caller();
        let (message, summary) = ("although it had accepted one a moment before", refusal.summary());
        refusal
            .failure(
                Blame::Credential,
                Stage::SignIn,
                format!("the server refused the token of \"{caller}\", {message} ({summary})"),
            )
            .remedy(format!(
                "look what was changed on the server meanwhile (its web console: Admin, Settings, Authentication): whether JWT authentication is on, its certificate, and whether the user \"{caller}\" is still enabled; if nothing was, look into the log of the service \"Qlik NPrinting Web Engine\""
            ))
            .field(self.signature.key.clone())
    }
}

/// Whether a token with this end can still be sent.
fn lasts(ends: i64, now: i64) -> bool {
    ends.saturating_sub(now) > RESERVE_MS
}

/// A part of a path that came from an answer: an id, and nothing that leads elsewhere.
fn segment(id: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.chars().all(plain) {
        return Ok(id);
    }
    Err(Failure::remote(format!("\"{}\" is no id", id.chars().take(60).collect::<String>())))
}

/// Without a port the host asks at 443, where NPrinting hardly ever is.
fn port_hint(failure: Failure, authority: &str) -> Failure {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port || failure.blame != Blame::Network || failure.stage == Some(Stage::Name) {
        return failure;
    }
    let hint = format!(
        "NPrinting usually listens on port {USUAL_PORT}: give the server URL as https://{authority}:{USUAL_PORT}"
    );
    let remedy = match &failure.remedy {
        Some(remedy) => format!("{hint}; or: {remedy}"),
        None => hint,
    };
    failure.remedy(remedy).field(ORIGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_it_ends() {
        let signed = 1_767_225_600_000;
        let ends = signed + i64::from(LIFETIME) * 1000;
        assert!(lasts(ends, signed));
        assert!(lasts(ends, signed + 479_000));
        assert!(!lasts(ends, signed + 480_000));
        assert!(!lasts(ends, ends + 1));
        assert!(!lasts(0, signed), "none was signed yet");
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert!(segment("9f0e2a6c-0000-4000-8000-1234567890ab").is_ok());
        for id in ["", "..", "a/b", "a?b", "a%2Fb", "a#"] {
            assert!(segment(id).is_err(), "{id}");
        }
    }

    #[test]
    fn the_hint_at_the_port_is_for_those_who_gave_none() {
        let hinted = |authority| {
            port_hint(Failure::new(Blame::Network, "refused").at(Stage::Connect), authority).remedy.is_some()
        };
        assert!(hinted("np.example.com") && hinted("[2001:db8::1]"));
        assert!(!hinted("np.example.com:4993") && !hinted("[2001:db8::1]:4993"));
    }
}
