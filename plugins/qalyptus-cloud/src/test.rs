//! The test of a connection: *Authentication*, and *Qlik Sense connected*. That the tenant is reachable and is Qalyptus Cloud is
//! told inside the first.

use crate::settings::Settings;
use jackfield_plugin::{Checks, Context, Failure, sdk::DescriptionBuilder};
use jackfield_qalyptus::{
    Client, cancelled, probe,
    status::{Status, status},
};

const AUTHENTICATION: &str = "Authentication";
const QLIK: &str = "Qlik Sense connected";
/// The check in the endpoint map.
const RULE: &str = "qlik.status";
const INTEGRATION: &str =
    "set it up in Qalyptus Cloud under Administration > Settings > Qlik Sense Integration";

/// Adds the checks to the description.
pub(crate) fn checks(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .check(AUTHENTICATION, "The tenant answers and accepts the API key, and its owner may list projects.")
        .check(QLIK, "The tenant has a working link to a Qlik Sense tenant.")
}

/// Runs the checks.
pub(crate) async fn run(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
    let client = match cancelled(Client::new(context).await)? {
        Ok(client) => client,
        Err(failure) => {
            checks.fail(AUTHENTICATION, failure);
            return Ok(());
        }
    };
    let probed = probe(&client).await?;
    // The first that failed says it all: nothing was seen behind it.
    let seen = match (probed.reachable, probed.api, probed.authentication) {
        (Err(failure), _, _) | (_, Some(Err(failure)), _) => Err(failure),
        (_, _, Some(seen)) => seen,
        (reachable, _, None) => reachable,
    };
    if checks.result(AUTHENTICATION, seen) {
        match cancelled(status(&client, RULE).await)? {
            Ok(Status::Skipped) => checks.skip(
                QLIK,
                "turned off in the endpoint map of this connection (qlik.status, mode \"skip\"): it is not known",
            ),
            seen => {
                checks.result(QLIK, seen.and_then(told));
            }
        }
    }
    Ok(())
}

/// What was found, in words.
fn told(status: Status) -> Result<String, Failure> {
    match status {
        Status::Passed(Some(subject)) => Ok(format!("connected to \"{subject}\"")),
        Status::Passed(None) => Ok("the tenant is connected to a Qlik Sense tenant".to_owned()),
        Status::Rows(rows) => Ok(format!("inferred from the list of Qlik apps, which has {rows}; the tenant does not tell its status")),
        Status::NotConfigured => {
            Err(Failure::remote("no Qlik Sense tenant is set up in this Qalyptus Cloud tenant").remedy(INTEGRATION))
        }
        Status::Failed { subject, reason } => {
            let subject = subject.map(|subject| format!(" to \"{subject}\"")).unwrap_or_default();
            let reason = reason.unwrap_or_else(|| "it does not say why".to_owned());
            Err(Failure::remote(format!("the link{subject} is set up, but Qalyptus Cloud reports it as not connected: {reason}"))
                .remedy("look under Administration > Settings > Qlik Sense Integration: the hostname, the Web Integration Id (its origin has to be the hostname of the Qalyptus Cloud tenant), and the Qlik Sense API key"))
        }
        Status::Unknown(why) => Err(Failure::remote(format!("it cannot be found out whether the tenant is connected to Qlik Sense: {why}"))
            .remedy("how Qalyptus Cloud tells this is not published, so the paths are guesses: give the right one under checks, \"qlik.status\" in the endpoint map of the connection, or turn the check off there with {\"checks\": {\"qlik.status\": {\"mode\": \"skip\"}}}")),
        // Not reached through the caller, which shows it as skipped.
        Status::Skipped => Ok("turned off".to_owned()),
    }
}
