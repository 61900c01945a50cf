//! What the server says when it does not do what was asked. Its errors are not documented: the status decides, the body is
//! only quoted.

use jackfield_plugin::{Blame, Failure, Response, Stage, sdk::Row};

/// An answer that is no success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// Whatever text there is.
    text: String,
    /// Seconds to wait, if it says so.
    retry_after: Option<u64>,
    /// What it is, if it is none of the server's.
    pub(crate) in_between: Option<Failure>,
}

impl Refusal {
    /// Reads an answer.
    pub(crate) fn of(response: &Response) -> Self {
        Refusal {
            status: response.status(),
            text: text_of(response.body()),
            retry_after: response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()),
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

    /// How long it says to wait.
    fn wait(&self) -> String {
        match self.retry_after {
            Some(0) => "it says to ask again at once, and refuses again".to_owned(),
            Some(seconds) => format!("it lifts the limit in {seconds} seconds"),
            None => "it does not say for how long".to_owned(),
        }
    }

    /// What any request may be answered with, whatever it asked for; `None` if the meaning depends on the request.
    pub(crate) fn common(&self) -> Option<Failure> {
        if self.in_between.is_some() {
            return self.in_between.clone();
        }
        let summary = self.summary();
        let remote = |message: String| self.failure(Blame::Remote, Stage::Answer, message);
        Some(match self.status {
            429 => remote(format!("something in front of the server limits requests; {} ({summary})", self.wait()))
                .remedy("try again later; NPrinting itself has no such limit, so look at the proxy in front of it"),
            500..=599 => remote(format!("the server failed on its side ({summary})")).remedy(
                "try again later; if it lasts, look whether the service \"Qlik NPrinting Web Engine\" runs, and into its log",
            ),
            300..=399 => remote(format!("the server sent the request elsewhere ({summary})"))
                .remedy("check the server URL: it is the address of NPrinting's web console, usually with port 4993")
                .field(super::ORIGIN),
            _ => return None,
        })
    }
}

/// The message in a body of the form that sign-ins are answered with; else its beginning; of a web page, its title.
fn text_of(body: &[u8]) -> String {
    if let Ok(row) = serde_json::from_slice::<Row<'_>>(body) {
        return row.text("message").map(|text| beginning(&text)).unwrap_or_default();
    }
    let body = String::from_utf8_lossy(body);
    let body = body.trim();
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
    text.trim().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_body_is_quoted_in_short() {
        for (body, expected) in [
            ("", "403"),
            (r#"{"result":null,"code":403,"message":"No right"}"#, r#"403 "No right""#),
            (r#"{"Message":"No right"}"#, r#"403 "No right""#),
            (r#"{"result":null}"#, "403"),
            ("[1]", r#"403 "[1]""#),
            ("<html><TITLE> Denied </TITLE></html>", r#"403 "web page: Denied""#),
            ("<!doctype html>", r#"403 "web page""#),
            (" plain\n", r#"403 "plain""#),
        ] {
            let refusal =
                Refusal { status: 403, text: text_of(body.as_bytes()), retry_after: None, in_between: None };
            assert_eq!(refusal.summary(), expected, "{body}");
        }
    }
}
