//! A check whose rule stands in the map: whether something is connected.

use crate::{
    Client, Settings,
    client::{Asked, Found, Refusal},
    envelope::beginning,
    map::{Check, CheckMode, Path, Rule},
};
use jackfield_plugin::{Blame, Failure};
use serde_json::{Value, value::RawValue};

/// How a check came out.
#[derive(Debug, PartialEq, Eq)]
pub enum Status {
    /// The rules hold; what it is connected with, if that is told.
    Passed(Option<String>),
    /// It is nowhere told, but the list that stands for it has this many rows.
    Rows(u64),
    /// It was never set up.
    NotConfigured,
    /// It was set up, and the link fails.
    Failed {
        /// What it should be connected with.
        subject: Option<String>,
        /// Why it is not.
        reason: Option<String>,
    },
    /// It cannot be found out.
    Unknown(String),
    /// Turned off in the map.
    Skipped,
}

/// Makes a check of the map.
///
/// # Errors
/// The key was refused, its owner may not see this, or there was no answer.
pub async fn status<S: Settings>(client: &Client<'_, S>, name: &str) -> Result<Status, Failure> {
    let Some(check) = client.map.checks.get(name) else {
        return Ok(Status::Unknown(format!("the endpoint map has no \"{name}\"")));
    };
    if check.mode == CheckMode::Skip {
        return Ok(Status::Skipped);
    }
    let candidates: Vec<_> = check.candidates.iter().collect();
    match client.find(name, &candidates, false, str::to_owned).await {
        Ok(Found::Here(response)) => match client.map.success(&response) {
            Ok(body) => Ok(judge(check, body, response.status())),
            Err(failure) => Ok(Status::Unknown(failure.message)),
        },
        Ok(Found::Nowhere(tried)) => fallback(client, check, tried).await,
        Err(Asked::Refused(Refusal::Other(failure))) if failure.blame == Blame::Remote => {
            Ok(Status::Unknown(failure.message))
        }
        Err(Asked::Refused(Refusal::Permission(failure))) => {
            Err(failure.context(format!("whether it is connected ({name}) is not shown")))
        }
        Err(Asked::Refused(refusal)) => Err(refusal.failure()),
        Err(Asked::Unanswered(failure)) => Err(failure),
    }
}

fn judge(check: &Check, body: &RawValue, status: u16) -> Status {
    let told = |rules: &[Rule]| rules.iter().all(|rule| value(&rule.path, body).is_some());
    let holds = |rules: &[Rule]| !rules.is_empty() && rules.iter().all(|rule| holds(rule, body));
    let text = |path: &Option<Path>| {
        let value = value(path.as_ref()?, body)?;
        beginning(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())
    };
    let passed = if told(&check.pass_when) {
        holds(&check.pass_when)
    } else if check.pass_when_missing.iter().any(|rule| value(&rule.path, body).is_some()) {
        holds(&check.pass_when_missing)
    } else {
        return Status::Unknown(format!(
            "the answer ({status}) has none of the members that the endpoint map looks at"
        ));
    };
    let (subject, reason) = (text(&check.subject), text(&check.reason));
    match passed {
        true => Status::Passed(subject),
        false if told(&check.configured_when) && !holds(&check.configured_when) => Status::NotConfigured,
        false => Status::Failed { subject, reason },
    }
}

/// What stands at a path; `null` and an empty text are nothing.
fn value(path: &Path, body: &RawValue) -> Option<Value> {
    let value: Value = serde_json::from_str(path.at(body)?.get()).ok()?;
    Some(value).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

fn holds(rule: &Rule, body: &RawValue) -> bool {
    let found = value(&rule.path, body);
    match (&rule.equals, rule.present) {
        (Some(wanted), _) => found.as_ref() == Some(wanted),
        (None, present) => found.is_some() == present.unwrap_or(true),
    }
}

/// Asks the list that stands for it.
async fn fallback<S: Settings>(
    client: &Client<'_, S>,
    check: &Check,
    mut tried: String,
) -> Result<Status, Failure> {
    let operation = check
        .fallback
        .as_ref()
        .and_then(|fallback| Some((client.map.operations.get(&fallback.operation)?, fallback)));
    let Some((operation, fallback)) = operation else { return Ok(Status::Unknown(tried)) };
    let found = client.find(&fallback.operation, &operation.candidates(false), false, str::to_owned).await;
    match found {
        Ok(Found::Here(response)) => match client.map.page(operation, &response) {
            Ok(page) if page.rows.len() as u64 > fallback.rows_above => {
                return Ok(Status::Rows(page.rows.len() as u64));
            }
            Ok(_) => tried.push_str(&format!("; {} is empty", fallback.operation)),
            Err(failure) => tried.push_str(&format!("; {}: {}", fallback.operation, failure.message)),
        },
        Ok(Found::Nowhere(also)) => tried.push_str(&format!(", {also}")),
        Err(Asked::Unanswered(failure)) => return Err(failure),
        Err(Asked::Refused(Refusal::Key(failure))) => return Err(failure),
        Err(Asked::Refused(refusal)) => {
            tried.push_str(&format!("; {}: {}", fallback.operation, refusal.failure().message))
        }
    }
    Ok(Status::Unknown(tried))
}
