//! The test of a connection: *Server reachable* and *Authentication*.
//!
//! It reads and changes nothing, with one exception: where Jackfield acts as a user, a test that may write registers Jackfield's
//! key in the tenant, if it is not there yet. The credential is proven by a token of its own, never by one that an earlier run left.

use crate::{
    client::{Client, Plan, list},
    settings::Settings,
};
use jackfield_plugin::{Checks, Context, Failure, sdk::DescriptionBuilder};

const REACHABLE: &str = "Server reachable";
const AUTHENTICATION: &str = "Authentication";

/// Adds the checks to the description.
pub(crate) fn checks(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .check(REACHABLE, "A Qlik Cloud tenant answers at the tenant URL.")
        .check(AUTHENTICATION, "The tenant accepts the credential and says whose it is.")
}

/// Runs the checks.
pub(crate) async fn run(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
    let reached = Client::probe(context).await;
    let reached = reached.map(|issuer| format!("a Qlik Cloud tenant answers (issuer {issuer})"));
    if checks.result(REACHABLE, cancelled(reached)?) {
        let caller = authenticate(context).await;
        checks.result(AUTHENTICATION, cancelled(caller)?);
    }
    Ok(())
}

async fn authenticate(context: &Context<Settings>) -> Result<String, Failure> {
    let client = Client::proving(context)?;
    let (caller, done) = match client.as_user() {
        Some(user) => {
            let done = user.set_up().await?;
            (client.caller().await?, done)
        }
        None => {
            let caller = client.caller().await?;
            client.check_life(caller.key.as_ref()).await?;
            (caller, None)
        }
    };
    let mut detail = caller.introduction();
    if let Some(done) = done {
        detail.push_str(&format!("; {done}"));
    }
    if client.as_user().is_some() {
        detail.push_str("; a refresh brings what this user sees");
        return Ok(detail);
    }
    // The connection is for apps and spaces: say now what a refresh would say.
    for kind in ["app", "space"] {
        if let Some((list, Plan::Part(lack))) = list(kind).map(|list| (list, caller.plan(list))) {
            detail.push_str(&format!("; a refresh may not get all {}: {lack}", list.plural));
        }
    }
    Ok(detail)
}

/// A cancelled run is no failed check.
fn cancelled<T>(result: Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
    match result {
        Err(failure) if failure.cancelled => Err(failure),
        result => Ok(result),
    }
}
