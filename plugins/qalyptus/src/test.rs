//! The parts of a test. It reads and changes nothing: one request, whose answer says whether the server is there, whether it is
//! a Qalyptus API, and whether it accepts the key.

use crate::{Client, SERVER, Settings, client::Refusal, envelope::beginning};
use jackfield_plugin::{Blame, Failure, Stage};

/// What one request showed. What comes after a failure was not seen.
pub struct Probed {
    /// Anything answers.
    pub reachable: Result<String, Failure>,
    /// What answers is the product's API.
    pub api: Option<Result<String, Failure>>,
    /// It accepts the key.
    pub authentication: Option<Result<String, Failure>>,
}

/// Asks the operation that the map names for this.
///
/// # Errors
/// The run was cancelled.
pub async fn probe<S: Settings>(client: &Client<'_, S>) -> Result<Probed, Failure> {
    let map = &client.map;
    let operation = &map.operations[&map.probe];
    let path = client.page_path(&operation.candidates[0].path, None, 0);
    let host = client.context.settings().server().authority();
    let response = match cancelled(client.get(&path, false).await)? {
        Ok(response) => response,
        Err(failure) => return Ok(Probed { reachable: Err(failure), api: None, authentication: None }),
    };
    let mut reachable = format!("\"{host}\" answers");
    if client.context.settings().server().as_str().starts_with("http://") {
        reachable
            .push_str("; WARNING: over plain http, so whoever is on the way can read the API key: use https");
    }
    let name = S::PRODUCT.name;
    let stranger = |seen: &str| {
        Failure::new(Blame::You, format!("\"{host}\" answers, but not as the API of {name} ({seen})"))
            .at(Stage::Answer)
            .status(response.status())
            .field(SERVER)
            .remedy(format!("check the server URL: it is {}", S::PRODUCT.address))
    };
    let found = |why: String| Ok(format!("{why} at {}", map.base_path));
    let (api, authentication) = match response.status() {
        200..=299 => match map.page(operation, &response) {
            Ok(page) => {
                let rows = match page.rows.len() {
                    0 => "no project: its owner may see none, or it is a key for something else".to_owned(),
                    1 => "1 project".to_owned(),
                    rows => format!("{rows} projects"),
                };
                (
                    found("its list of projects answers".to_owned()),
                    Some(Ok(format!("the server accepts the API key and shows {rows}"))),
                )
            }
            Err(failure) if map.failed_itself(&response) => {
                (found("the server answers in its own form".to_owned()), Some(Err(failure)))
            }
            Err(failure) => (Err(stranger(&beginning(&failure.message).unwrap_or_default())), None),
        },
        status => match client.refusal(&response) {
            Refusal::Key(failure) => {
                (found(format!("the server asks for a good key ({status})")), Some(Err(failure)))
            }
            Refusal::Permission(failure) => {
                let failure = failure.context(format!("GET {}{path}", map.base_path));
                (found(format!("the server knows who asks ({status})")), Some(Err(failure)))
            }
            Refusal::Other(failure) if status == 429 || status >= 500 => (Err(failure), None),
            Refusal::Other(_) => {
                (Err(stranger(&format!("GET {}{path}: {}", map.base_path, map.summary(&response)))), None)
            }
        },
    };
    Ok(Probed { reachable: Ok(reachable), api: Some(api), authentication })
}

/// A cancelled run is no failed check.
///
/// # Errors
/// It was cancelled.
pub fn cancelled<T>(result: Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
    match result {
        Err(failure) if failure.cancelled => Err(failure),
        result => Ok(result),
    }
}
