//! The test of a connection: *Server reachable* and *Authentication*.
//!
//! It reads and changes nothing. Every request shows a token signed just now, which the server verifies even when a session
//! lives: so the key is proven, not a session.

use crate::{
    client::{APPS, Client, ORIGIN, Refusal, Rows},
    settings::Settings,
};
use jackfield_plugin::{Blame, Checks, Context, Failure, Stage, sdk::DescriptionBuilder};

const REACHABLE: &str = "Server reachable";
const AUTHENTICATION: &str = "Authentication";

const CONSOLE: &str = "check the server URL: it has to lead straight to NPrinting's web console, not to a portal or proxy in front of it";

/// Adds the checks to the description.
pub(crate) fn checks(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .check(REACHABLE, "The API of an NPrinting server answers at the server URL.")
        .check(AUTHENTICATION, "The server accepts a token signed with the private key, and knows its user.")
}

/// Runs the checks.
pub(crate) async fn run(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
    let reached = Client::probe(context).await;
    if checks.result(REACHABLE, cancelled(reached)?) {
        let caller = authenticate(context).await;
        checks.result(AUTHENTICATION, cancelled(caller)?);
    }
    Ok(())
}

async fn authenticate(context: &Context<Settings>) -> Result<String, Failure> {
    let client = Client::new(context)?;
    let response = client.page(&APPS, &[], 0).await?;
    if !response.is_success() {
        return Err(refused(&client, &Refusal::of(&response)));
    }
    let apps = Rows::read(&response).map_err(|failure| {
        failure.context("the server does not answer with its apps").remedy(CONSOLE).field(ORIGIN)
    })?;
    let caller = client.caller().await?;
    let mut detail = caller.introduction();
    // Only whose lists may be incomplete needs the hint.
    if apps.items.is_empty() && caller.sees_all != Some(true) {
        detail.push_str("; it sees no apps at all: check its roles in NPrinting");
    }
    Ok(detail)
}

fn refused(client: &Client<'_>, refusal: &Refusal) -> Failure {
    if let Some(failure) = refusal.common() {
        return failure;
    }
    let summary = refusal.summary();
    match refusal.status {
        401 => client.unauthorized(refusal),
        403 => refusal
            .failure(
                Blame::Credential,
                Stage::Permission,
                format!("the server does not let the user list apps ({summary})"),
            )
            .remedy("give the user in NPrinting the role Administrator, or a role that may see the apps"),
        _ => refusal
            .failure(
                Blame::Remote,
                Stage::Answer,
                format!("the server does not answer with its apps ({summary})"),
            )
            .remedy(CONSOLE)
            .field(ORIGIN),
    }
}

/// A cancelled run is no failed check.
fn cancelled<T>(result: Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
    match result {
        Err(failure) if failure.cancelled => Err(failure),
        result => Ok(result),
    }
}
