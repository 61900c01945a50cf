//! The remote system: its paths, how to sign in, how to send. No other part of this plugin knows a path.

mod answer;
mod caller;
mod key;
mod lists;
mod page;
mod rights;

pub(crate) use answer::Refusal;
pub(crate) use caller::Caller;
pub(crate) use key::Key;
pub(crate) use lists::{Cursor, List, list};
pub(crate) use page::Page;
pub(crate) use rights::Plan;

use crate::settings::{API_KEY, OAUTH_CLIENT, Settings, SignIn};
use jackfield_plugin::{
    Blame, Context, Failure, Request, Response, Secret, Stage,
    contract::http::{Capture, CaptureFrom, Keep, Place},
    sdk::{Row, link},
};
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

/// The session that is kept across runs.
const SESSION: &str = "access_token";
/// A token that a test gets for itself, to prove the secret and not the session.
const PROOF: &str = "proof_token";
/// Answers of a tenant that may be better a moment later; the documents count 500 among them.
const PASSING: [u16; 4] = [500, 502, 503, 504];

/// How long a token lives, if the tenant does not say.
const TOKEN_SECONDS: u64 = 21_600;

/// Speaks to one tenant.
pub(crate) struct Client<'a> {
    context: &'a Context<Settings>,
    method: Method<'a>,
    /// Prove the credential itself: use no token from an earlier run.
    prove: bool,
    token: Mutex<Option<Token>>,
    aliases: Mutex<Option<Vec<String>>>,
}

enum Method<'a> {
    OAuth { client_id: &'a str, secret: &'a Secret },
    Key(&'a Secret),
}

/// A token that the host holds.
#[derive(Clone, Debug)]
struct Token {
    handle: &'static str,
    scope: Option<String>,
}

impl<'a> Client<'a> {
    /// A client that uses the session of earlier runs.
    pub(crate) fn new(context: &'a Context<Settings>) -> Result<Self, Failure> {
        let settings = context.settings();
        let missing = |what: &str, field: &str| {
            Failure::you(format!("the setting \"{what}\" is missing")).at(Stage::Settings).field(field)
        };
        let method = match settings.sign_in {
            SignIn::Oauth => Method::OAuth {
                client_id: settings
                    .client_id
                    .as_deref()
                    .ok_or_else(|| missing("OAuth client ID", "client_id"))?,
                secret: settings
                    .client_secret
                    .as_ref()
                    .ok_or_else(|| missing("OAuth client secret", "client_secret"))?,
            },
            SignIn::ApiKey => {
                Method::Key(settings.api_key.as_ref().ok_or_else(|| missing("API key", "api_key"))?)
            }
        };
        Ok(Client { context, method, prove: false, token: Mutex::default(), aliases: Mutex::default() })
    }

    /// A client that gets a token of its own, so that the credential is proven and not a session.
    pub(crate) fn proving(context: &'a Context<Settings>) -> Result<Self, Failure> {
        Ok(Client { prove: true, ..Self::new(context)? })
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

    /// Sends a request, signed in. A token that was refused is replaced, once.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let http = self.context.http();
        let request = request.retry_on(PASSING);
        if let Method::Key(key) = self.method {
            return http.send(&request.bearer(key)).await;
        }
        let token = self.token(false).await?;
        let response = http.send(&request.clone().captured(token.handle, Place::Bearer)).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        let token = self.token(true).await?;
        http.send(&request.captured(token.handle, Place::Bearer)).await
    }

    /// The token: the one in use, the one that is kept, or a new one.
    async fn token(&self, anew: bool) -> Result<Token, Failure> {
        let in_use = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(token), false) = (in_use, anew) {
            return Ok(token);
        }
        let token = if self.prove {
            let scope = self.sign_in(PROOF, None).await?;
            Token { handle: PROOF, scope }
        } else {
            let keep = Keep {
                credential: OAUTH_CLIENT.to_owned(),
                expiry: vec!["/expires_in".to_owned(), "/expires_at".to_owned()],
                default_seconds: TOKEN_SECONDS,
                facts: vec!["/scope".to_owned()],
            };
            let sign_in = || async { self.sign_in(SESSION, Some(keep)).await.map(drop) };
            let session = self.context.http().session(SESSION, OAUTH_CLIENT, sign_in).await?;
            Token { handle: SESSION, scope: session.fact("/scope").map(str::to_owned) }
        };
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    /// Gets a token under a name; yields its scope, if the tenant says it.
    async fn sign_in(&self, name: &str, keep: Option<Keep>) -> Result<Option<String>, Failure> {
        let Method::OAuth { client_id, secret } = self.method else { return Ok(None) };
        // No scope is asked for: the token then has all those of the client's allow list.
        let body = serde_json::json!({
            "client_id": client_id,
            "client_secret": "",
            "grant_type": "client_credentials",
        });
        let request = Request::post(ORIGIN, TOKEN_PATH)
            .header("accept", "application/json")
            .json(body)
            .secret(secret, Place::Json { pointer: SECRET_POINTER.to_owned() })
            .capture(Capture {
                from: CaptureFrom::Json { pointer: "/access_token".to_owned() },
                name: name.to_owned(),
                keep,
            })
            .repeatable()
            .retry_on(PASSING);
        let response = self.context.http().send(&request).await?;
        if !response.is_success() {
            return Err(token_refused(&Refusal::of(&response)));
        }
        if !response.captured(name) {
            let refusal = Refusal::of(&response);
            return Err(refusal
                .failure(
                    Blame::Remote,
                    Stage::SignIn,
                    format!("the tenant answered the sign-in without a token ({})", refusal.summary()),
                )
                .remedy("check that the tenant URL leads straight to the tenant, not to a portal or a proxy in front of it"));
        }
        Ok(fields(&response).text("scope").map(|scope| scope.into_owned()))
    }

    /// Signs in and asks who the caller is.
    pub(crate) async fn caller(&self) -> Result<Caller, Failure> {
        let key = match self.method {
            Method::Key(key) => Some(key::inspect(self.context, key).await?),
            Method::OAuth { .. } => None,
        };
        let response = self.send(Request::get(ORIGIN, ME_PATH).header("accept", "application/json")).await?;
        if !response.is_success() {
            return Err(self.me_refused(&Refusal::of(&response), key.as_ref()));
        }
        let scopes =
            self.token.lock().unwrap_or_else(PoisonError::into_inner).clone().and_then(|token| token.scope);
        Caller::read(&response, scopes.as_deref(), key)
    }

    /// Fetches a page of a list.
    pub(crate) async fn page(&self, path: &str, query: &[(&str, &str)]) -> Result<Response, Failure> {
        let request = Request::get(ORIGIN, path).header("accept", "application/json").list();
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
        let response =
            self.send(Request::get(ORIGIN, TENANT_PATH).header("accept", "application/json")).await?;
        let names = if response.is_success() { fields(&response).texts("hostnames") } else { Vec::new() };
        *self.aliases.lock().unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
        Ok(names)
    }

    /// A 401 that a new token did not help, or that answered an API key.
    pub(crate) fn unauthorized(&self, refusal: &Refusal, key: Option<&Key>) -> Failure {
        if let Some(failure) = refusal.common() {
            return failure;
        }
        let summary = refusal.summary();
        match self.method {
            Method::OAuth { .. } => refusal
                .failure(
                    Blame::Credential,
                    Stage::SignIn,
                    format!("the tenant gave a token to the OAuth client and then refused it ({summary})"),
                )
                .remedy("check in Manage users that the client's bot user is active, and that the client's consent method is Trusted")
                .field("client_id"),
            Method::Key(_) => {
                let known = key.map(Key::when_refused);
                refusal
                    .failure(
                        Blame::Credential,
                        Stage::SignIn,
                        format!("the tenant refused the API key{} ({summary})", known.unwrap_or_default()),
                    )
                    .remedy("the tenant does not say why: the key was revoked or deleted, or was made in another tenant, or its user has lost the permission \"Manage API keys\" or was disabled; make a new key under Profile settings, API keys")
                    .field(API_KEY)
            }
        }
    }

    /// Whose the credential is could not be learnt.
    fn me_refused(&self, refusal: &Refusal, key: Option<&Key>) -> Failure {
        if let Some(failure) = refusal.common() {
            return failure;
        }
        match refusal.status {
            401 => self.unauthorized(refusal, key),
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
}

/// The members of an answer; none if it is no JSON object.
fn fields(response: &Response) -> Row<'_> {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

/// Why no token was given, as far as the tenant tells causes apart.
fn token_refused(refusal: &Refusal) -> Failure {
    if let Some(failure) = refusal.common() {
        return failure;
    }
    let summary = refusal.summary();
    match refusal.status {
        400 => refusal
            .failure(
                Blame::You,
                Stage::SignIn,
                format!("the tenant cannot make sense of the sign-in of this OAuth client ({summary})"),
            )
            .remedy("check the client ID, and that the client is of the type Web, with \"Machine-to-machine\" turned on and its consent method changed to Trusted")
            .field("client_id"),
        401 => refusal
            .failure(
                Blame::Credential,
                Stage::SignIn,
                format!("the tenant refused the OAuth client ({summary})"),
            )
            .remedy(
                "the tenant does not say which of these it is: the client secret is wrong or was deleted; the client ID is wrong or belongs to another tenant; the client's consent method is not Trusted (its menu, \"Change consent method\"); \"Machine-to-machine\" is turned off",
            )
            .field("client_secret"),
        403 => refusal
            .failure(
                Blame::Credential,
                Stage::SignIn,
                format!("the tenant knows the OAuth client, but gives it no token ({summary})"),
            )
            .remedy(
                "the tenant does not say which of these it is: the client's bot user is disabled (Manage users, All users); the client's consent method is not Trusted; it has reached its maximum number of tokens",
            ),
        404 | 405 => refusal
            .failure(
                Blame::You,
                Stage::Answer,
                format!("there is no sign-in service at the tenant URL ({summary})"),
            )
            .remedy("check the tenant URL")
            .field(ORIGIN),
        _ => refusal
            .failure(Blame::Remote, Stage::SignIn, format!("the sign-in was answered with {summary}"))
            .remedy("check that the tenant URL leads straight to the tenant"),
    }
}
