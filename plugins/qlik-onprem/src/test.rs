//! The test of a connection: five checks, each of which needs the one before it.
//!
//! Only the last one writes, and only where something is missing or differs, in a test that may write.

use crate::{
    client::{Client, Proxies, VirtualProxy},
    settings::{CERTIFICATE, ORIGIN, PREFIX, PROXY_KEY, Settings},
};
use jackfield_plugin::{Blame, Checks, Context, Failure, Stage, sdk::DescriptionBuilder};

const REACHABLE: &str = "Server reachable";
const AUTHENTICATION: &str = "Authentication";
const USER_EXISTS: &str = "User exists";
const ROOT_ADMIN: &str = "RootAdmin";
const VIRTUAL_PROXY: &str = "Virtual proxy ready";

/// What helps when the site does not accept the certificate.
const RENEW: &str = "export a new client certificate with \"Include secret key\" on this very site (QMC, Certificates), and bring \"Client certificate\" and \"Certificate password\" into line with it; when the site's certificates were recreated, every earlier export is void";

const DAY: i64 = 86_400;
/// From how many days before its end on the certificate's end is told as a warning.
const WARN_DAYS: i64 = 60;

/// Adds the checks to the description.
pub(crate) fn checks(description: DescriptionBuilder) -> DescriptionBuilder {
    description
        .check(REACHABLE, "The repository service of a Qlik Sense site answers.")
        .check(AUTHENTICATION, "The site accepts the client certificate.")
        .check(USER_EXISTS, "The site knows the service account, and lets it be used.")
        .check(ROOT_ADMIN, "The service account has the role RootAdmin.")
        .check(
            VIRTUAL_PROXY,
            "Jackfield's own virtual proxy is there, with its key, and linked to the proxy service.",
        )
}

/// Runs the checks.
pub(crate) async fn run(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
    let client = Client::new(context).await?;
    if !authenticate(context, &client, checks).await? {
        return Ok(());
    }
    let account = cancelled(client.service_account().await)?;
    let introduced = account.as_ref().map(|user| user.introduction()).map_err(Failure::clone);
    if !checks.result(USER_EXISTS, introduced) {
        return Ok(());
    }
    if !checks.result(ROOT_ADMIN, account.and_then(|user| user.root_admin())) {
        return Ok(());
    }
    match cancelled(virtual_proxy(context, &client).await)? {
        Ok(Ready::Yes(detail)) => checks.pass(VIRTUAL_PROXY, detail),
        Ok(Ready::NotTried(reason)) => checks.skip(VIRTUAL_PROXY, reason),
        Err(failure) => checks.fail(VIRTUAL_PROXY, failure),
    }
    Ok(())
}

/// A run that was cancelled is over; every other failure is a check's.
fn cancelled<T>(result: Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
    match result {
        Err(failure) if failure.cancelled => Err(failure),
        result => Ok(result),
    }
}

/// The first two checks, which cannot be told apart by one request: without a certificate the service hangs up.
async fn authenticate(
    context: &Context<Settings>,
    client: &Client<'_>,
    checks: &mut Checks,
) -> Result<bool, Failure> {
    let seen = match cancelled(client.probe().await)? {
        Ok(seen) => seen,
        Err(failure) => {
            checks.fail(REACHABLE, failure);
            return Ok(false);
        }
    };
    let life = match cancelled(life(context).await)? {
        Ok(life) => life,
        Err(failure) => {
            reachable(checks, seen, client, None);
            checks.fail(AUTHENTICATION, failure);
            return Ok(false);
        }
    };
    match cancelled(client.about().await)? {
        Ok(about) => {
            checks.pass(REACHABLE, about);
            checks.pass(AUTHENTICATION, format!("the site accepts the client certificate{life}"));
            Ok(true)
        }
        Err(failure) if is_of_the_certificate(&failure) => {
            reachable(checks, seen, client, Some(&failure));
            // What is wrong with the file itself was told with its remedy.
            let failure = match failure.stage {
                Some(Stage::Tls | Stage::SignIn) => failure.remedy(RENEW),
                _ => failure,
            };
            checks.fail(AUTHENTICATION, failure);
            Ok(false)
        }
        Err(failure) => {
            checks.fail(REACHABLE, failure);
            Ok(false)
        }
    }
}

/// Whether a failure is about the certificate: it cannot be opened, or it was refused.
fn is_of_the_certificate(failure: &Failure) -> bool {
    match failure.blame {
        Blame::Credential => true,
        Blame::You => failure.field.as_deref() != Some(ORIGIN),
        _ => false,
    }
}

/// Says of a server whether it is there, though it has not said who it is.
fn reachable(checks: &mut Checks, seen: Option<()>, client: &Client<'_>, refused: Option<&Failure>) {
    let refused =
        refused.is_some_and(|failure| failure.stage == Some(Stage::Tls) || failure.status.is_some());
    if seen.is_some() || refused {
        checks.pass(REACHABLE, format!("{} answers, and asks for a client certificate", client.repository()));
    } else {
        checks.skip(
            REACHABLE,
            format!("{} hung up on a request without a client certificate", client.repository()),
        );
    }
}

/// How long the certificate still lives, for the end of a sentence; nothing if that is not known.
async fn life(context: &Context<Settings>) -> Result<String, Failure> {
    let facts = context.inspect(&context.settings().client_certificate).await?;
    let Some(certificate) = facts.certificate else { return Ok(String::new()) };
    let left = certificate.not_after - context.now().await? / 1000;
    let renew =
        "export a new one on the Qlik Sense server (QMC, Certificates) and give it as \"Client certificate\"";
    if left < 0 {
        let ago = -left / DAY;
        return Err(Failure::new(
            Blame::Credential,
            format!("the client certificate ended {}", days_ago(ago)),
        )
        .at(Stage::SignIn)
        .remedy(renew)
        .field(CERTIFICATE));
    }
    Ok(match left / DAY {
        0 => format!(", which ends within a day: {renew} now"),
        1 => format!(", which ends in 1 day: {renew}"),
        days if days <= WARN_DAYS => format!(", which ends in {days} days: {renew} before then"),
        days => format!(", which is valid for {days} days more"),
    })
}

fn days_ago(days: i64) -> String {
    match days {
        0 => "within the last day".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// How the last check ends if it does not fail.
enum Ready {
    Yes(String),
    NotTried(String),
}

async fn virtual_proxy(context: &Context<Settings>, client: &Client<'_>) -> Result<Ready, Failure> {
    let settings = context.settings();
    let Some(key) = &settings.proxy_key else {
        return Ok(Ready::NotTried(
            "there is no key pair for the virtual proxy yet: this Jackfield does not make one by itself, so give one as \"Virtual proxy key pair\"".to_owned(),
        ));
    };
    let facts = context.inspect(key).await?;
    let Some(certificate) = facts.certificate.and_then(|certificate| certificate.pem) else {
        return Err(Failure::you("the virtual proxy's key pair has no certificate that can be registered")
            .at(Stage::Settings)
            .remedy("give the RSA private key followed by its certificate, both as PEM")
            .field(PROXY_KEY));
    };
    let prefix = settings.prefix()?.to_owned();
    let installation = context.installation().map(str::to_owned);
    let wanted = VirtualProxy { prefix, certificate, installation };
    let proxies: Proxies = client.proxies(&wanted).await?;
    let missing = client.missing(&wanted, &proxies)?;
    let prefix = &wanted.prefix;
    if missing.is_empty() {
        return Ok(Ready::Yes(format!("the virtual proxy \"{prefix}\" is as it should be")));
    }
    if !context.may_write() {
        return Err(Failure::remote(format!("the virtual proxy \"{prefix}\" is not ready: {}", missing.join("; ")))
            .remedy("test the connection by hand: such a test puts it right; the proxy then restarts, which ends the sessions on it")
            .field(PREFIX));
    }
    let done = client.prepare(&wanted, &proxies).await?;
    if let Err(failure) = client.arrive(prefix, key.field()).await {
        return Err(cause(client, &wanted, failure).await);
    }
    Ok(Ready::Yes(format!("the virtual proxy \"{prefix}\" was {done}, and accepts Jackfield's key")))
}

/// Why the proxy did not accept the key, if it can be seen: somebody may have changed the virtual proxy in the meantime.
async fn cause(client: &Client<'_>, wanted: &VirtualProxy, failure: Failure) -> Failure {
    if failure.cancelled {
        return failure;
    }
    let Ok(proxies) = client.proxies(wanted).await else { return failure };
    match client.missing(wanted, &proxies) {
        Err(foreign) => foreign,
        Ok(missing) if missing.is_empty() => failure,
        Ok(missing) => Failure::remote(format!(
            "the virtual proxy \"{}\" was changed by somebody else while this test waited for it: {}",
            wanted.prefix,
            missing.join("; ")
        ))
        .remedy("find out who else uses this prefix, and choose another \"Virtual proxy prefix\" for one of the two; then test again")
        .field(PREFIX),
    }
}
