//! What the repository service says when it does not do what was asked: a status and a short plain text, seldom JSON.

use crate::settings::{CERTIFICATE, DIRECTORY, ORIGIN};
use jackfield_plugin::{Blame, Failure, Response, Stage};

/// An answer that is no success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    text: String,
    /// It is none of the repository service's.
    in_between: Option<Failure>,
}

impl Refusal {
    /// Reads an answer.
    pub(crate) fn of(response: &Response) -> Self {
        Refusal {
            status: response.status(),
            text: text_of(response.body()),
            in_between: response.refused_in_between(),
        }
    }

    /// The answer in short: `403 "Forbidden"`.
    pub(crate) fn summary(&self) -> String {
        match self.text.as_str() {
            "" => self.status.to_string(),
            text => format!("{} \"{text}\"", self.status),
        }
    }

    /// A failure with the status of this answer.
    pub(crate) fn failure(&self, blame: Blame, stage: Stage, message: impl Into<String>) -> Failure {
        Failure::new(blame, message).at(stage).status(self.status)
    }

    /// What any request may be answered with, whatever it asked for; `None` if the meaning depends on the request.
    pub(crate) fn common(&self) -> Option<Failure> {
        if self.in_between.is_some() {
            return self.in_between.clone();
        }
        let summary = self.summary();
        let remote = |message: String| self.failure(Blame::Remote, Stage::Answer, message);
        Some(match self.status {
            // The text is the only sign of it; the status is that of a missing right.
            403 if self.text.contains("XSRF") => remote(format!("the key against forged requests did not arrive ({summary})"))
                .remedy("look whether something between here and the server drops the query or the header X-Qlik-Xrfkey"),
            // A right that is missing is 403 (reference of the QRS); 401 is of somebody who is not known at all.
            401 => self
                .failure(
                    Blame::Credential,
                    Stage::SignIn,
                    format!("the repository service does not accept the client certificate or the account ({summary})"),
                )
                .remedy("look whether the site's certificates were recreated, which voids every export, and bring \"Client certificate\", \"User directory\" and \"Service account user\" into line with the site")
                .field(CERTIFICATE),
            429 => remote(format!("something in front of the server limits requests ({summary})"))
                .remedy("try again later; Qlik Sense itself has no such limit, so look at the proxy in front of it"),
            500..=599 => remote(format!("the repository service failed on its side ({summary})")).remedy(
                "try again later; if it lasts, look whether the Qlik Sense Repository Service runs, and into its log",
            ),
            300..=399 => remote(format!("the request was sent elsewhere ({summary})"))
                .remedy("check the server URL and the repository port: they lead to a page to sign in")
                .field(ORIGIN),
            _ => return None,
        })
    }

    /// A refusal of the identity.
    pub(crate) fn forbidden(&self) -> Option<Failure> {
        (self.status == 403).then(|| {
            self.failure(
                Blame::Credential,
                Stage::Permission,
                format!("the repository service refuses the account ({})", self.summary()),
            )
            .remedy("bring \"User directory\" and \"Service account user\" into line with the QMC (Users): the account must exist there, not be blocked, and have the role RootAdmin")
            .field(DIRECTORY)
        })
    }
}

/// The beginning of a body; of a web page, its title.
fn text_of(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let body = body.trim().trim_matches('"');
    if !body.starts_with('<') {
        return beginning(body);
    }
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title>").zip(lower.find("</title>"));
    match title.and_then(|(from, to)| body.get(from + "<title>".len()..to)) {
        Some(title) => format!("web page: {}", beginning(title)),
        None => "web page".to_owned(),
    }
}

fn beginning(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_body_is_quoted_in_short() {
        for (body, expected) in [
            ("", "403"),
            (" plain\n text", r#"403 "plain text""#),
            ("\"as JSON\"", r#"403 "as JSON""#),
            ("<html><TITLE> Denied </TITLE></html>", r#"403 "web page: Denied""#),
            ("<!doctype html>", r#"403 "web page""#),
        ] {
            let refusal = Refusal { status: 403, text: text_of(body.as_bytes()), in_between: None };
            assert_eq!(refusal.summary(), expected, "{body}");
        }
    }
}
