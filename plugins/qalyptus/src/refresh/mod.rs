//! The refresh: every list of the map, one kind after the other; what is listed for each task or report, several at a time.
//!
//! A list that the key's owner may not see, or that this server does not have, keeps its last good objects and says why. So does an
//! optional list that breaks: most of them are guesses. A required list that breaks, a key that is refused, or a server that
//! cannot be reached ends the refresh, and the catalog stays as it was.

mod lists;
mod objects;
mod relations;

use crate::{
    Client, Product, Settings,
    client::{Asked, Found, Refusal},
    kinds,
    map::{AnyOf, Operation},
};
use jackfield_plugin::{
    Blame, Context, Failure, Stage,
    contract::{hooks::RefreshReport, run::Level},
    sdk::{Row, Stop, lists::report},
};
use lists::Reader;
use relations::{Derived, Relations};
use std::collections::BTreeMap;

/// Brings the catalog up to date.
///
/// # Errors
/// The key was refused, the server could not be reached, a required list could not be read, or nothing at all could be.
pub async fn run<S: Settings>(context: &Context<S>) -> Result<RefreshReport, Failure> {
    let client = Client::new(context).await?;
    if context.settings().server().as_str().starts_with("http://") {
        let line =
            "the server URL is plain http: whoever is on the way can read the API key and all that is read";
        context.log(Level::Warning, line).await?;
    }
    for line in client.map.tell() {
        context.log(Level::Info, line).await?;
    }
    version(&client).await?;
    let mut refresh = Refresh {
        client: &client,
        ids: BTreeMap::new(),
        relations: Relations::default(),
        derived: Derived::new(&client.map),
    };
    let mut ends = Vec::new();
    for list in S::PRODUCT.lists() {
        let outcome = refresh.list(list).await;
        ends.push(context.end(list.noun, outcome).await?);
    }
    for line in refresh.relations.dangling(&refresh.ids) {
        context.log(Level::Warning, line).await?;
    }
    client.remember().await?;
    report(&ends, &remedy(S::PRODUCT))
}

fn remedy(product: &Product) -> String {
    format!(
        "give the key's owner in {} a role that may see what is to be read, or use a key of another user",
        product.name
    )
}

/// Tells the product's version, if it does so; nothing depends on it.
async fn version<S: Settings>(client: &Client<'_, S>) -> Result<(), Failure> {
    let Some(operation) = client.map.operations.get(kinds::VERSION) else { return Ok(()) };
    let found =
        client.find(kinds::VERSION, &operation.candidates(false), false, |path| path.to_owned()).await;
    let line = match &found {
        Ok(Found::Here(response)) => match client.map.success(response) {
            Ok(_) => told_version(operation, response.body()),
            Err(_) => None,
        },
        Err(Asked::Refused(Refusal::Key(failure))) => return Err(failure.clone()),
        Err(Asked::Unanswered(failure)) if failure.cancelled || no_server(failure) => {
            return Err(failure.clone());
        }
        _ => None,
    };
    let line = line.map_or_else(
        || "the server does not tell its version".to_owned(),
        |version| format!("{} {version}", client.product().name),
    );
    client.context.log(Level::Info, line).await
}

fn told_version(operation: &Operation, body: &[u8]) -> Option<String> {
    let row: Row<'_> = serde_json::from_slice(body).ok()?;
    operation
        .columns
        .get("version")
        .and_then(|column: &AnyOf| column.text(&row))
        .and_then(|text| crate::envelope::beginning(&text))
}

/// The server cannot be reached at all, whatever is asked.
fn no_server(failure: &Failure) -> bool {
    matches!(failure.stage, Some(Stage::Name | Stage::Connect | Stage::Tls))
}

/// A refresh under way.
struct Refresh<'a, S> {
    client: &'a Client<'a, S>,
    /// The ids of the lists that were read, by operation.
    ids: BTreeMap<&'static str, Vec<String>>,
    relations: Relations,
    derived: Derived,
}

impl<S: Settings> Refresh<'_, S> {
    /// Reads a list to its end; yields how many there are.
    async fn list(&mut self, list: &'static kinds::List) -> Result<u64, Stop> {
        let client = self.client;
        let Some(operation) = client.map.operations.get(list.operation) else {
            return Err(Stop::Keep(format!("not supported: the endpoint map has no \"{}\"", list.operation)));
        };
        let reader = Reader::new(client, list, operation, &self.derived);
        let read = reader.read(&self.ids).await.map_err(|stop| soften(stop, operation.required));
        let read = match read {
            Ok(Read::All) => Ok(()),
            Ok(Read::Nowhere(tried)) => match self.derived.objects(list.operation, operation, &self.ids) {
                Some((objects, exchange, from)) => {
                    let line = format!(
                        "{}: the server has no such list ({tried}); made of the rows of {from}",
                        list.noun.plural
                    );
                    client.context.log(Level::Info, line).await?;
                    reader.put(objects, exchange).await
                }
                None => Err(nowhere(operation, &tried)),
            },
            Err(stop) => Err(stop),
        };
        let (ids, relations, derived) = reader.finish();
        read?;
        let count = ids.len() as u64;
        self.relations.extend(relations);
        self.derived.extend(derived);
        self.ids.insert(list.operation, ids);
        Ok(count)
    }
}

/// How a list was found.
enum Read {
    /// It was read to its end.
    All,
    /// The server has none; what was asked.
    Nowhere(String),
}

fn nowhere(operation: &Operation, tried: &str) -> Stop {
    if !operation.required {
        return Stop::Keep(format!("this server does not offer it ({tried})"));
    }
    Stop::Fail(
        Failure::remote(format!("this server does not have this list, which every server should ({tried})")).remedy(
            "test the connection; if this version of the product has the list elsewhere, give its path in the endpoint map of the connection",
        ),
    )
}

/// What an optional list breaks by is its own affair, unless nothing else could be read either.
fn soften(stop: Stop, required: bool) -> Stop {
    match stop {
        Stop::Fail(failure)
            if !required
                && !failure.cancelled
                && matches!(failure.blame, Blame::Remote | Blame::Network)
                && !no_server(&failure) =>
        {
            Stop::Keep(failure.message)
        }
        stop => stop,
    }
}
