//! Signing in: one session for all callers, kept until it ends.

use crate::{SERVER, Settings};
use jackfield_plugin::{
    Context, Failure, Request, Response, Stage,
    contract::http::{Capture, CaptureFrom, Keep, Place},
    sdk::Session,
};
use serde::Deserialize;

const SESSION: &str = "session";

#[derive(Deserialize)]
struct User {
    name: String,
}

/// Whose token it is.
pub(crate) async fn me(context: &Context<Settings>) -> Result<String, Failure> {
    let user: User = ask(context, Request::get(SERVER, "/api/me").jar("cookies")).await?.json()?;
    let session = session(context).await?;
    match session.fact("/user") == Some(user.name.as_str()) {
        true => Ok(user.name),
        false => Err(Failure::remote(format!("the token is not of {}", user.name))),
    }
}

/// Asks as the one who signed in; whatever is no success is a failure with the server's words.
pub(crate) async fn ask(context: &Context<Settings>, request: Request) -> Result<Response, Failure> {
    let session = session(context).await?;
    let answer = context.http().send(&request.session(&session)).await?;
    refused(&answer).map_or(Ok(answer), Err)
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    trace: Option<String>,
}

fn refused(answer: &Response) -> Option<Failure> {
    let status = answer.status();
    let failure = match status {
        200..300 => return None,
        401 => Failure::credential("the server does not accept the client secret").field("client_secret"),
        403 => Failure::credential("the client may not see this").at(Stage::Permission),
        _ => Failure::remote(format!("the server answered {status}")),
    };
    let failure = failure.status(status).remedy("look at the server's own log");
    let Ok(refusal) = answer.json::<Refusal>() else { return Some(failure) };
    let failure = failure.context(refusal.error);
    Some(match refusal.trace {
        Some(trace) => failure.reference(trace),
        None => failure,
    })
}

async fn session(context: &Context<Settings>) -> Result<Session, Failure> {
    let settings = context.settings();
    let keep = Keep {
        credential: "client".to_owned(),
        expiry: vec!["/expires_in".to_owned()],
        default_seconds: 60,
        facts: vec!["/user".to_owned()],
    };
    let from = CaptureFrom::Json { pointer: "/access_token".to_owned() };
    let capture = Capture { from, name: SESSION.to_owned(), keep: Some(keep) };
    let request = Request::post(SERVER, "/token")
        .form([("grant_type", "client_credentials"), ("client_id", settings.client_id.as_str())])
        .secret(&settings.client_secret, Place::Form { field: "client_secret".to_owned() })
        .capture(capture);
    let sign_in = async || {
        let answer = context.http().send(&request).await?;
        refused(&answer).map_or(Ok(()), Err)
    };
    context.http().session(SESSION, "client", sign_in).await
}
