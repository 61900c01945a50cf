//! The test of a connection: *Server reachable*, *Qalyptus API* and *Authentication*, of one request.

use crate::settings::Settings;
use jackfield_plugin::{Checks, Context, Failure, sdk::DescriptionBuilder};
use jackfield_qalyptus::{Client, cancelled, probe};

const REACHABLE: &str = "Server reachable";
const API: &str = "Qalyptus API";
const AUTHENTICATION: &str = "Authentication";

/// Adds the checks to the description.
pub(crate) fn checks(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .check(REACHABLE, "Something answers at the server URL.")
        .check(API, "What answers there is the API of Qalyptus Server.")
        .check(AUTHENTICATION, "The server accepts the API key, and its owner may list projects.")
}

/// Runs the checks.
pub(crate) async fn run(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
    let client = match cancelled(Client::new(context).await)? {
        Ok(client) => client,
        Err(failure) => {
            checks.fail(REACHABLE, failure);
            return Ok(());
        }
    };
    let probed = probe(&client).await?;
    checks.result(REACHABLE, probed.reachable);
    for (check, seen) in [(API, probed.api), (AUTHENTICATION, probed.authentication)] {
        if let Some(seen) = seen {
            checks.result(check, seen);
        }
    }
    Ok(())
}
