//! The way through the proxy, by the virtual proxy's prefix: never by the default hub's.

use super::{Client, Refusal};
use crate::settings::ORIGIN;
use jackfield_plugin::{
    Blame, Failure, Request, Stage,
    contract::{http::Place, secrets::SignJwt},
};

/// How often, and in which distance, the proxy is asked whether it has come back: about a minute in all.
const ASK_TIMES: u32 = 30;
const ASK_EVERY_MS: u64 = 2_000;

impl Client<'_> {
    /// Waits until the proxy has come back after its restart and accepts a token through the virtual proxy. Only after a change: every
    /// sign-in there is a session, and a user has five.
    pub(crate) async fn arrive(&self, prefix: &str, key: &str) -> Result<(), Failure> {
        let context = self.context;
        let (directory, user) = context.settings().identity()?;
        let claims = [("userId", user), ("userDirectory", directory)];
        let token = SignJwt {
            key: key.to_owned(),
            algorithm: "RS256".to_owned(),
            key_id: None,
            claims: claims.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect(),
            backdate_seconds: 60,
            lifetime_seconds: 600,
            origin: ORIGIN.to_owned(),
            name: "proxy_jwt".to_owned(),
        };
        let mut last = String::new();
        for attempt in 0..ASK_TIMES {
            if attempt > 0 {
                context.sleep(ASK_EVERY_MS).await?;
            }
            context.sign_jwt(&token).await?;
            match context.http().send(&through(prefix)).await {
                Ok(response) if response.is_success() && response.json::<serde_json::Map<_, _>>().is_ok() => {
                    return Ok(());
                }
                Ok(response) => last = Refusal::of(&response).summary(),
                Err(failure)
                    if failure.cancelled
                        || failure.blame != Blame::Network
                        || failure.stage == Some(Stage::Tls) =>
                {
                    return Err(failure.context("the virtual proxy is set up, but cannot be used"));
                }
                Err(failure) => last = failure.message,
            }
        }
        Err(Failure::remote(format!(
            "the virtual proxy \"{prefix}\" is set up, but a minute later the proxy still does not accept Jackfield's key ({last})"
        ))
        .remedy("test again in a few minutes; if it lasts, check that the server URL leads to the proxy on the node that the virtual proxy is linked to, and look into the log of the Qlik Sense Proxy Service")
        .field(ORIGIN))
    }
}

/// The smallest question to the repository service by way of the virtual proxy.
fn through(prefix: &str) -> Request {
    // The key need not be secret here: what is asked changes nothing.
    const KEY: &str = "0123456789abcdef";
    Request::get(ORIGIN, format!("/{prefix}/qrs/about?xrfkey={KEY}"))
        .header("x-qlik-xrfkey", KEY)
        .header("accept", "application/json")
        .jar("proxy")
        .captured("proxy_jwt", Place::Bearer)
        .retry_on([])
}
