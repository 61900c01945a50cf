//! The sign-in of an OAuth machine-to-machine client: its token.

use super::{ORIGIN, PASSING, Refusal, SECRET_POINTER, TOKEN_PATH, fields};
use crate::settings::{OAUTH_CLIENT, Settings};
use jackfield_plugin::{
    Blame, Context, Failure, Request, Response, Secret, Stage,
    contract::http::{Capture, CaptureFrom, Keep, Place},
};
use std::sync::{Mutex, PoisonError};

/// The session that is kept across runs.
const SESSION: &str = "access_token";
/// A token that a test gets for itself, to prove the secret and not the session.
const PROOF: &str = "proof_token";
/// How long a token lives, if the tenant does not say.
const TOKEN_SECONDS: u64 = 21_600;

/// Signs in as an OAuth client.
pub(super) struct OAuth<'a> {
    context: &'a Context<Settings>,
    client_id: &'a str,
    secret: &'a Secret,
    /// Prove the credential itself: use no token from an earlier run.
    pub(super) prove: bool,
    token: Mutex<Option<Token>>,
}

/// A token that the host holds.
#[derive(Clone, Debug)]
struct Token {
    handle: &'static str,
    scope: Option<String>,
}

impl<'a> OAuth<'a> {
    pub(super) fn new(context: &'a Context<Settings>, client_id: &'a str, secret: &'a Secret) -> Self {
        OAuth { context, client_id, secret, prove: false, token: Mutex::default() }
    }

    /// The scopes of the token in use, if the tenant tells them.
    pub(super) fn scope(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone().and_then(|token| token.scope)
    }

    /// Sends a request with the token. One that was refused is replaced, once.
    pub(super) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let http = self.context.http();
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
        // No scope is asked for: the token then has all those of the client's allow list.
        let body = serde_json::json!({
            "client_id": self.client_id,
            "client_secret": "",
            "grant_type": "client_credentials",
        });
        let request = Request::post(ORIGIN, TOKEN_PATH)
            .header("accept", "application/json")
            .json(body)
            .secret(self.secret, Place::Json { pointer: SECRET_POINTER.to_owned() })
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
}

/// A 401 that a new token did not help.
pub(super) fn unauthorized(refusal: &Refusal) -> Failure {
    let message =
        format!("the tenant gave a token to the OAuth client and then refused it ({})", refusal.summary());
    refusal
        .failure(Blame::Credential, Stage::SignIn, message)
        .remedy("check in Manage users that the client's bot user is active, and that the client's consent method is Trusted")
        .field("client_id")
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
