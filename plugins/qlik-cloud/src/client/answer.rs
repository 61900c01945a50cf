//! What the tenant says when it does not do what was asked: the error envelope with all its variants.

use jackfield_plugin::{Blame, Failure, Response, Stage};
use serde_json::Value;

/// An error as the tenant tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The tenant's own code, such as `LOGIN-2`; empty if it has none.
    pub(crate) code: String,
    /// Title and detail, or whatever text there is.
    pub(crate) text: String,
    /// What support asks for.
    pub(crate) trace: Option<String>,
    /// Seconds to wait, if it says so.
    pub(crate) retry_after: Option<u64>,
    /// What it is, if it is none of the tenant's.
    pub(crate) in_between: Option<Failure>,
}

impl Refusal {
    /// Reads an answer that is not a success.
    pub(crate) fn of(response: &Response) -> Self {
        let mut refusal = Self::read(response.status(), response.body());
        if refusal.trace.is_none() {
            refusal.trace = response.header("x-b3-traceid").map(str::to_owned);
        }
        refusal.retry_after = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
        refusal.in_between = response.refused_in_between();
        refusal
    }

    /// Reads a status and a body: `errors[0]`, then flat members, then OAuth's own form, then a message, then any text.
    fn read(status: u16, body: &[u8]) -> Self {
        let mut refusal = Refusal { status, ..Refusal::default() };
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            refusal.text = plain_text(&String::from_utf8_lossy(body));
            return refusal;
        };
        refusal.trace = text_of(&value["traceId"]);
        let item = match &value["errors"] {
            Value::Array(errors) => errors.first().unwrap_or(&value),
            Value::Object(_) => &value["errors"],
            _ => &value,
        };
        refusal.code = text_of(&item["code"]).or_else(|| text_of(&value["error"])).unwrap_or_default();
        let mut parts: Vec<String> = Vec::new();
        for part in [
            text_of(item),
            text_of(&item["title"]),
            text_of(&item["detail"]),
            text_of(&item["context"]),
            text_of(&item["source"]["parameter"]).map(|parameter| format!("parameter {parameter}")),
        ] {
            parts.extend(part.filter(|part| !parts.contains(part)));
        }
        if parts.is_empty() {
            parts.extend(text_of(&value["error_description"]).or_else(|| text_of(&value["message"])));
        }
        // A title that is a sentence ends in a full stop.
        let parts: Vec<_> = parts.iter().map(|part| part.trim_end_matches('.')).collect();
        refusal.text = parts.join(": ");
        refusal
    }

    /// The answer in short: `403 HTTP-403 "Forbidden"`.
    pub(crate) fn summary(&self) -> String {
        let mut summary = self.status.to_string();
        if !self.code.is_empty() {
            summary = format!("{summary} {}", self.code);
        }
        if !self.text.is_empty() {
            summary = format!("{summary} \"{}\"", self.text);
        }
        summary
    }

    /// The answer in short, with the trace id where there is one.
    pub(crate) fn with_trace(&self) -> String {
        match &self.trace {
            Some(trace) => format!("{}, trace {trace}", self.summary()),
            None => self.summary(),
        }
    }

    /// A failure with the status and the reference of this answer.
    pub(crate) fn failure(&self, blame: Blame, stage: Stage, message: impl Into<String>) -> Failure {
        let failure = Failure::new(blame, message).at(stage).status(self.status);
        match (self.code.as_str(), &self.trace) {
            ("", None) => failure,
            ("", Some(trace)) => failure.reference(format!("trace {trace}")),
            (code, None) => failure.reference(code),
            (code, Some(trace)) => failure.reference(format!("{code}, trace {trace}")),
        }
    }

    /// What any request may be answered with, whatever it asked for; `None` if the meaning depends on the request.
    pub(crate) fn common(&self) -> Option<Failure> {
        if self.in_between.is_some() {
            return self.in_between.clone();
        }
        let summary = self.summary();
        let failure = match (self.status, self.code.as_str()) {
            (_, "LOGIN-2") => self
                .failure(Blame::You, Stage::SignIn, format!("there is no tenant under this host name ({summary})"))
                .remedy("check the spelling of the tenant URL: it is what the browser shows when the tenant is open")
                .field("tenant_url"),
            (_, "AUTH-5") => self
                .failure(
                    Blame::Credential,
                    Stage::SignIn,
                    format!("the credential belongs to a user who is not a member of this tenant ({summary})"),
                )
                .remedy("use a credential that was made in this very tenant, or correct the tenant URL"),
            (429, _) => {
                let wait = match self.retry_after {
                    Some(0) => "it says to ask again at once, and refuses again".to_owned(),
                    Some(seconds) => format!("it lifts the limit in {seconds} seconds"),
                    None => "it does not say for how long".to_owned(),
                };
                self.failure(
                    Blame::Remote,
                    Stage::Answer,
                    format!("the tenant's rate limit is used up; {wait} ({summary})"),
                )
                .remedy("try again later; everything that uses the same client or user shares one limit")
            }
            (500..=599, _) => {
                let failure = self.failure(
                    Blame::Remote,
                    Stage::Answer,
                    format!("the tenant failed on its side ({summary})"),
                );
                let show = failure.reference.is_some().then_some(" and show support the reference");
                failure.remedy(format!(
                    "try again later; if it lasts, look at Qlik's status page{}",
                    show.unwrap_or_default()
                ))
            }
            (300..=399, _) => self
                .failure(Blame::Remote, Stage::Answer, format!("the tenant sent the request elsewhere ({summary})"))
                .remedy("check the tenant URL")
                .field("tenant_url"),
            _ => return None,
        };
        Some(failure)
    }
}

/// A string or a number, as text; nothing for anything else and for what is empty.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The beginning of a body that is no JSON; of a web page, its title.
fn plain_text(body: &str) -> String {
    let body = body.trim();
    if body.starts_with('<') {
        let lower = body.to_ascii_lowercase();
        let title = lower.find("<title>").zip(lower.find("</title>"));
        return match title.and_then(|(from, to)| body.get(from + "<title>".len()..to)) {
            Some(title) => format!("web page: {}", title.trim()),
            None => "web page".to_owned(),
        };
    }
    body.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_of_the_envelope_is_read() {
        let read = |status, body: &str| Refusal::read(status, body.as_bytes()).with_trace();
        let canonical = r#"{"errors":[{"code":"HTTP-403","title":"Forbidden","detail":"no right","status":"403"}],"traceId":"00ab"}"#;
        assert_eq!(read(403, canonical), r#"403 HTTP-403 "Forbidden: no right", trace 00ab"#);
        let numeric =
            r#"{"errors":[{"code":404,"title":"Not found","context":"task","inner":{}}],"traceId":"t"}"#;
        assert_eq!(read(404, numeric), r#"404 404 "Not found: task", trace t"#);
        assert_eq!(
            read(403, r#"{"code":"CSRF-TOKEN-2","title":"Bad token"}"#),
            r#"403 CSRF-TOKEN-2 "Bad token""#
        );
        let oauth = r#"{"error":"invalid_client","error_description":"no such client"}"#;
        assert_eq!(read(401, oauth), r#"401 invalid_client "no such client""#);
        let licence =
            r#"{"error":"x","message":"m","errors":[{"code":"LICENSES-011","title":"No allotment"}]}"#;
        assert_eq!(read(403, licence), r#"403 LICENSES-011 "No allotment""#);
        let parameter =
            r#"{"errors":[{"code":"X-1","title":"Bad","detail":"Bad","source":{"parameter":"sort"}}]}"#;
        assert_eq!(read(400, parameter), r#"400 X-1 "Bad: parameter sort""#);
        assert_eq!(read(400, r#"{"errors":[]}"#), "400");
        assert_eq!(read(400, r#"{"errors":["just text"]}"#), r#"400 "just text""#);
        assert_eq!(
            read(502, "<html><head><TITLE> Bad gateway </TITLE></head>"),
            r#"502 "web page: Bad gateway""#
        );
        assert_eq!(read(503, "upstream connect error"), r#"503 "upstream connect error""#);
        assert_eq!(read(401, ""), "401");
        assert_eq!(read(500, "[1,2]"), "500");
    }
}
