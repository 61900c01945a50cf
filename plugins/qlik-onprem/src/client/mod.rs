//! The remote system: its paths, and how to send. No other part of this plugin knows a path.
//!
//! The repository service (QRS) answers on a port of its own, to those who show a client certificate that the site's own
//! authority issued. Whose rights count is said in the header `X-Qlik-User`; holders of the certificate may name anybody. The
//! protection against forged requests wants 16 characters, the same in the query and in a header (Qlik help, "Connecting to the
//! Qlik Sense Repository Service"). No session is made there, and no licence is used.

mod answer;
mod arrival;
mod proxy;
mod table;
mod user;

pub(crate) use answer::Refusal;
pub(crate) use proxy::{Proxies, VirtualProxy};
pub(crate) use table::{Page, Query, TAKE};

use crate::settings::{CERTIFICATE, ORIGIN, Settings};
use jackfield_plugin::{Blame, Context, Failure, Request, Response, Stage, contract::http::Place, sdk::Row};
use std::fmt::Write as _;

/// Answers that may be better a moment later: services restart, and say 500 or 503 meanwhile.
const PASSING: [u16; 4] = [500, 502, 503, 504];

/// The built-in account that has all rights (Qlik help). Only asked with when the service account itself is looked at: an account
/// that does not exist cannot be asked about itself.
const BUILT_IN: (&str, &str) = ("INTERNAL", "sa_api");

/// Speaks to one repository service.
pub(crate) struct Client<'a> {
    pub(crate) context: &'a Context<Settings>,
    /// The 16 characters against forged requests.
    key: String,
}

impl<'a> Client<'a> {
    /// A client. Nothing is sent.
    ///
    /// # Errors
    /// A setting cannot be right.
    pub(crate) async fn new(context: &'a Context<Settings>) -> Result<Self, Failure> {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        context.settings().identity()?;
        let random = context.random(16).await?;
        let key = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        Ok(Client { context, key })
    }

    /// Host and port of the repository service.
    pub(crate) fn repository(&self) -> String {
        let settings = self.context.settings();
        format!("{}:{}", settings.host(), settings.repository_port)
    }

    /// A request to the repository service: everything but the certificate and the identity. The parameters are encoded here,
    /// because a blank in a filter must not become a plus.
    pub(crate) fn request(&self, method: &str, path: &str, query: &[(&str, &str)]) -> Request {
        let mut url = format!("https://{}/qrs/{path}?xrfkey={}", self.repository(), self.key);
        for (name, value) in query {
            url.push('&');
            url.push_str(name);
            url.push('=');
            encode(value, &mut url);
        }
        Request::url(method, url)
            .header("x-qlik-xrfkey", self.key.as_str())
            .header("accept", "application/json")
            .retry_on(PASSING)
    }

    /// Sends a request with the certificate, as the service account.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Failure> {
        self.send_as(request, self.context.settings().identity()?).await
    }

    async fn send_as(&self, request: Request, (directory, user): (&str, &str)) -> Result<Response, Failure> {
        let certificate = &self.context.settings().client_certificate;
        let identity = format!("UserDirectory={directory}; UserId={user}");
        let request = request.header("x-qlik-user", identity).secret(certificate, Place::TlsIdentity);
        self.context.http().send(&request).await.map_err(|failure| match failure.field {
            None if failure.blame == Blame::Credential => failure.field(CERTIFICATE),
            _ => failure,
        })
    }

    /// Asks without a certificate whether anything answers. `None` if that cannot be told from the way it hangs up.
    pub(crate) async fn probe(&self) -> Result<Option<()>, Failure> {
        match self.context.http().send(&self.request("GET", "about", &[])).await {
            Ok(_) => Ok(Some(())),
            Err(failure) if failure.cancelled => Err(failure),
            Err(failure) if failure.blame == Blame::Credential => Ok(Some(())),
            // Who shows no certificate may be hung up on without a word.
            Err(failure) if failure.blame == Blame::Network && failure.stage == Some(Stage::Answer) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Asks the service what it is; yields that in words.
    pub(crate) async fn about(&self) -> Result<String, Failure> {
        let response = self.send_as(self.request("GET", "about", &[]), BUILT_IN).await?;
        let stranger = |seen: String| {
            let message = format!(
                "\"{}\" answers, but is no Qlik Sense repository service ({seen})",
                self.repository()
            );
            Failure::new(Blame::You, message)
                .at(Stage::Answer)
                .status(response.status())
                .remedy("check the server URL and the repository port: 4242 unless it was changed")
                .field(ORIGIN)
        };
        if !response.is_success() {
            let refusal = Refusal::of(&response);
            let summary = refusal.summary();
            return Err(match (refusal.common(), refusal.status) {
                (Some(failure), _) => failure,
                (None, 403) => refusal
                    .failure(
                        Blame::Credential,
                        Stage::SignIn,
                        format!("the site gives the holder of this certificate no rights ({summary})"),
                    )
                    .field(CERTIFICATE),
                (None, _) => stranger(summary),
            });
        }
        let about: Row<'_> =
            response.json().map_err(|_| stranger("it does not say what it is".to_owned()))?;
        let build =
            about.text("buildVersion").ok_or_else(|| stranger("it does not say its version".to_owned()))?;
        let node = match about.text("nodeType").as_deref() {
            Some("1") => ", central node",
            Some("2") => ", not the central node: give the central node's address if anything is missing",
            _ => "",
        };
        Ok(format!("the Qlik Sense repository service answers (build {build}{node})"))
    }

    /// Fetches JSON as the service account; `what` says of what for a refusal.
    pub(crate) async fn fetch(
        &self,
        path: &str,
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<Response, Failure> {
        let response = self.send(self.request("GET", path, query)).await?;
        self.accept(response, what)
    }

    /// The answer, if it is a success; else what it means for `what` was asked for.
    pub(crate) fn accept(&self, response: Response, what: &str) -> Result<Response, Failure> {
        if response.is_success() {
            return Ok(response);
        }
        let refusal = Refusal::of(&response);
        Err(refusal.common().or_else(|| refusal.forbidden()).unwrap_or_else(|| {
            refusal
                .failure(
                    Blame::Remote,
                    Stage::Answer,
                    format!("the repository service refused {what} ({})", refusal.summary()),
                )
                .remedy("look into the log of the Qlik Sense Repository Service")
        }))
    }
}

/// Encodes a query value, all but what is unreserved.
fn encode(value: &str, url: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
}

/// A text in a filter: in single quotes, escaped by backslashes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_survive_whatever_stands_in_them() {
        let mut url = String::new();
        encode("name eq 'a&b#c+ü'", &mut url);
        assert_eq!(url, "name%20eq%20%27a%26b%23c%2B%C3%BC%27");
        assert_eq!(quoted(r"O'Neil\x"), r"'O\'Neil\\x'");
    }
}
