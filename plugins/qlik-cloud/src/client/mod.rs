//! The remote system: its paths, how to sign in, how to send. No other part of this plugin knows a path.

mod answer;
mod as_user;
mod caller;
mod key;
mod lists;
mod oauth;
mod page;
mod person;
mod providers;
mod renewal;
mod rights;
mod secret_renewal;

pub(crate) use answer::Refusal;
pub(crate) use as_user::AsUser;
pub(crate) use caller::Caller;
pub(crate) use key::Key;
pub(crate) use lists::{Cursor, List, list};
pub(crate) use page::Page;
pub(crate) use renewal::Renewal;
pub(crate) use rights::Plan;

use crate::settings::{Settings, SignIn};
use jackfield_plugin::{
    Blame, Context, Failure, Request, Response, Secret, Stage,
    sdk::{Row, link},
};
use oauth::OAuth;
use std::sync::{Mutex, PoisonError};

/// The settings field that is the tenant's origin.
const ORIGIN: &str = "tenant_url";
/// Where a token is got.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";
/// Where the client secret stands in the request for a token.
pub(crate) const SECRET_POINTER: &str = "/client_secret";
/// Everything that an API key may be shown to.
pub(crate) const API_PATHS: &str = "/api/*";
/// Answers without sign-in, and only on a tenant.
const PROBE_PATH: &str = "/.well-known/oauth-authorization-server";
const ME_PATH: &str = "/api/v1/users/me";
const TENANT_PATH: &str = "/api/v1/tenants/me";

/// Answers of a tenant that may be better a moment later; the documents count 500 among them.
const PASSING: [u16; 4] = [500, 502, 503, 504];

/// Speaks to one tenant.
pub(crate) struct Client<'a> {
    context: &'a Context<Settings>,
    method: Method<'a>,
    aliases: Mutex<Option<Vec<String>>>,
}

enum Method<'a> {
    OAuth(OAuth<'a>),
    Key(&'a Secret),
    AsUser(AsUser<'a>),
}

impl<'a> Client<'a> {
    /// A client that uses the session of earlier runs.
    pub(crate) fn new(context: &'a Context<Settings>) -> Result<Self, Failure> {
        let settings = context.settings();
        let method = match settings.sign_in {
            SignIn::Oauth => Method::OAuth(OAuth::new(
                context,
                given(settings.client_id.as_deref(), "OAuth client ID", "client_id")?,
                given(settings.client_secret.as_ref(), "OAuth client secret", "client_secret")?,
            )),
            SignIn::QlikSenseApiKey => Method::AsUser(AsUser::new(context)?),
            SignIn::ApiKey => Method::Key(given(settings.api_key.as_ref(), "API key", "api_key")?),
        };
        Ok(Client { context, method, aliases: Mutex::default() })
    }

    /// A client that gets a token of its own, so that the credential is proven and not a session.
    pub(crate) fn proving(context: &'a Context<Settings>) -> Result<Self, Failure> {
        let mut client = Self::new(context)?;
        if let Method::OAuth(oauth) = &mut client.method {
            oauth.prove = true;
        }
        Ok(client)
    }

    /// The sign-in as a user, if that is the one chosen.
    pub(crate) fn as_user(&self) -> Option<&AsUser<'a>> {
        match &self.method {
            Method::AsUser(user) => Some(user),
            _ => None,
        }
    }

    /// The API key, if one is used.
    fn key(&self) -> Option<&'a Secret> {
        match &self.method {
            Method::OAuth(_) => None,
            Method::Key(key) => Some(key),
            Method::AsUser(user) => Some(user.key),
        }
    }

    /// Asks, without signing in, whether a Qlik Cloud tenant answers at the tenant URL; yields who it says it is.
    pub(crate) async fn probe(context: &Context<Settings>) -> Result<String, Failure> {
        let response = context.http().send(&Request::get(ORIGIN, PROBE_PATH)).await?;
        let host = context.settings().tenant_url.authority();
        let refusal = Refusal::of(&response);
        let stranger = |seen: String| {
            refusal
                .failure(
                    Blame::You,
                    Stage::Answer,
                    format!("\"{host}\" answers, but is not a Qlik Cloud tenant ({seen})"),
                )
                .remedy("the tenant URL is what the browser shows when the tenant is open: https://<tenant>.<region>.qlikcloud.com")
                .field(ORIGIN)
        };
        match response.status() {
            200..=299 => {
                let server = fields(&response);
                match (server.text("issuer"), server.text("token_endpoint")) {
                    (Some(issuer), Some(_)) => Ok(issuer.into_owned()),
                    _ => {
                        Err(stranger("no sign-in service is described where every tenant has it".to_owned()))
                    }
                }
            }
            // The host name is the operator's: where nothing is, the page is that of somebody else.
            404 if refusal.in_between.is_some() => Err(stranger(refusal.summary())),
            403 if refusal.code != "AUTH-5" => Err(refusal
                .failure(
                    Blame::Remote,
                    Stage::Permission,
                    format!("\"{host}\" refuses this machine before any sign-in ({})", refusal.summary()),
                )
                .remedy(
                    "an IP allow list of the tenant, or a proxy on the way, blocks this machine's address",
                )),
            _ => Err(match refusal.common() {
                Some(failure) => failure.context(format!("\"{host}\"")),
                None => stranger(refusal.summary()),
            }),
        }
    }

    /// Sends a request, signed in.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let request = request.retry_on(PASSING);
        match &self.method {
            Method::OAuth(oauth) => oauth.send(request).await,
            Method::Key(key) => self.context.http().send(&request.bearer(key)).await,
            Method::AsUser(user) => user.send(request).await,
        }
    }

    /// Signs in and asks who the caller is.
    pub(crate) async fn caller(&self) -> Result<Caller, Failure> {
        let key = match self.key() {
            Some(key) => Some(key::inspect(self.context, key).await?),
            None => None,
        };
        let response = self.send(get(ME_PATH)).await?;
        if !response.is_success() {
            return Err(me_refused(&Refusal::of(&response), |refusal| {
                self.unauthorized(refusal, key.as_ref())
            }));
        }
        let scopes = match &self.method {
            Method::OAuth(oauth) => oauth.scope(),
            _ => None,
        };
        let caller = Caller::read(&response, scopes.as_deref(), key)?;
        match &self.method {
            Method::AsUser(user) => user.is(&caller).await.map(|()| caller),
            _ => Ok(caller),
        }
    }

    /// Proves that the API key, if one is used, was made for long enough.
    pub(crate) async fn check_life(&self, known: Option<&Key>) -> Result<(), Failure> {
        match (self.key(), known) {
            (Some(key), Some(known)) => key::long_enough(self.context, key, known).await,
            _ => Ok(()),
        }
    }

    /// Fetches a page of a list.
    pub(crate) async fn page(&self, path: &str, query: &[(&str, &str)]) -> Result<Response, Failure> {
        let request = get(path).list();
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        self.send(request).await
    }

    /// The path of a link to the next page. It has to lead to this tenant, under any of its names.
    pub(crate) async fn path_of(&self, next: &str) -> Result<String, Failure> {
        let own = self.context.settings().tenant_url.authority();
        let refused = match link::path_of(next, [own]) {
            Ok(path) => return Ok(path),
            Err(refused) => refused,
        };
        let aliases = self.aliases().await?;
        link::path_of(next, aliases.iter().map(String::as_str)).map_err(|_| refused)
    }

    /// The tenant's other names; asked for once, and only when a link carries another name than the settings.
    async fn aliases(&self) -> Result<Vec<String>, Failure> {
        if let Some(known) = self.aliases.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(known);
        }
        let response = self.send(get(TENANT_PATH)).await?;
        let names = if response.is_success() { fields(&response).texts("hostnames") } else { Vec::new() };
        *self.aliases.lock().unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
        Ok(names)
    }

    /// A 401 that a new token or session did not help, or that answered an API key.
    pub(crate) fn unauthorized(&self, refusal: &Refusal, key: Option<&Key>) -> Failure {
        if let Some(failure) = refusal.common() {
            return failure;
        }
        match &self.method {
            Method::OAuth(_) => oauth::unauthorized(refusal),
            Method::Key(secret) => key::refused(refusal, secret, key),
            Method::AsUser(user) => user.session_refused(refusal),
        }
    }
}

/// A setting that has to be there for the chosen sign-in.
fn given<T>(value: Option<T>, title: &str, field: &str) -> Result<T, Failure> {
    value.ok_or_else(|| {
        Failure::you(format!("the setting \"{title}\" is missing")).at(Stage::Settings).field(field)
    })
}

/// A question that only reads.
fn get(path: impl Into<String>) -> Request {
    Request::get(ORIGIN, path).header("accept", "application/json").retry_on(PASSING)
}

/// Whose the credential is could not be learnt.
fn me_refused(refusal: &Refusal, unauthorized: impl FnOnce(&Refusal) -> Failure) -> Failure {
    if let Some(failure) = refusal.common() {
        return failure;
    }
    match refusal.status {
        401 => unauthorized(refusal),
        403 => refusal
            .failure(
                Blame::Credential,
                Stage::Permission,
                format!("the tenant accepts the credential, but lets its user do nothing ({})", refusal.summary()),
            )
            .remedy("check in Manage users that the user is active, and that no IP allow list of the tenant excludes this machine"),
        _ => refusal
            .failure(
                Blame::Remote,
                Stage::SignIn,
                format!("the tenant did not say who the caller is ({})", refusal.summary()),
            )
            .remedy("check that the tenant URL leads straight to the tenant"),
    }
}

/// The members of an answer; none if it is no JSON object.
fn fields(response: &Response) -> Row<'_> {
    serde_json::from_slice(response.body()).unwrap_or_default()
}
