//! The endpoint map: everything about the remote API that could turn out to be wrong, as data.
//!
//! Little of this API is published. So its paths, the columns of its rows and the rules of its checks stand in a JSON file for
//! each product, every one with its evidence, and a connection can lay a file of its own over it: members replace members,
//! `null` takes one away. What the map does not have is not supported; no path is in code.

pub(crate) mod check;
mod path;
mod tell;

pub(crate) use path::{AnyOf, Path};

use crate::Product;
use jackfield_plugin::{Failure, Stage};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// The settings field that lays something over the map.
pub(crate) const FIELD: &str = "endpoint_map";

/// The longest text that can be laid over a map, in bytes; the built-in maps have some 10 KiB.
const LONGEST: usize = 64 * 1024;

/// How it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Evidence {
    /// Seen on a live tenant by a public client.
    Live,
    /// In the vendor's own public client code.
    Code,
    /// In the vendor's help.
    Doc,
    /// Concluded from the others.
    Inferred,
    /// No public evidence.
    Guess,
    /// Set for this connection.
    #[default]
    Set,
}

/// The map.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    schema: u32,
    product: String,
    pub(crate) base_path: String,
    pub(crate) auth: Auth,
    pub(crate) envelope: Envelope,
    pub(crate) paging: Paging,
    pub(crate) status: Statuses,
    /// The operation that a test asks.
    pub(crate) probe: String,
    pub(crate) operations: BTreeMap<String, Operation>,
    /// What is checked beyond the sign-in.
    #[serde(default)]
    pub(crate) checks: BTreeMap<String, Check>,
    /// Whether the connection laid something over it.
    #[serde(skip)]
    pub(crate) overridden: bool,
}

/// How the key is shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    pub(crate) header: String,
    pub(crate) template: String,
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// What answers are wrapped in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope {
    /// Where a list may stand; the first array counts.
    pub(crate) data: Vec<Path>,
    /// Where it says whether it is a success; absent means by the HTTP status alone.
    pub(crate) ok: Option<Path>,
    /// Where the words of a refusal may stand.
    pub(crate) error: Vec<Path>,
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// How long lists are parted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub(crate) mode: PagingMode,
    /// Where the number of all rows may stand; more than were shown means that there are further pages.
    pub(crate) total: Vec<Path>,
    pub(crate) offset_param: String,
    pub(crate) limit_param: String,
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// Whether pages are asked for from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PagingMode {
    /// Only when an answer says that there is more.
    None,
    /// From the beginning.
    Offset,
}

/// What statuses mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statuses {
    pub(crate) auth_refused: Vec<u16>,
    pub(crate) auth_expired: Vec<u16>,
    pub(crate) forbidden: Vec<u16>,
    pub(crate) rate_limited: Vec<u16>,
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// Something that can be asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// Whether a refresh fails without it.
    #[serde(default)]
    pub(crate) required: bool,
    /// The operation for each of whose rows a path with `{id}` is asked.
    pub(crate) parent: Option<String>,
    /// Where it may be; the next only after a 404 or 405.
    #[serde(rename = "try")]
    pub(crate) candidates: Vec<Candidate>,
    /// Where its rows stand, if not where the envelope has them.
    #[serde(default)]
    pub(crate) rows: Vec<Path>,
    /// Whether a success without rows is an empty list.
    #[serde(default)]
    pub(crate) rows_may_miss: bool,
    /// The member of a row that holds rows of the same kind.
    pub(crate) nested: Option<Path>,
    /// `id`, `name`, `modified`; whatever else becomes an attribute.
    #[serde(default)]
    pub(crate) columns: BTreeMap<String, AnyOf>,
    #[serde(default)]
    pub(crate) links: Vec<LinkRule>,
    pub(crate) derive: Option<Derive>,
}

/// A place where an operation may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "CandidateText")]
pub(crate) struct Candidate {
    pub(crate) path: String,
    pub(crate) evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CandidateText {
    Path(String),
    Known { path: String, evidence: Evidence },
}

impl From<CandidateText> for Candidate {
    fn from(text: CandidateText) -> Self {
        match text {
            CandidateText::Path(path) => Candidate { path, evidence: Evidence::Set },
            CandidateText::Known { path, evidence } => Candidate { path, evidence },
        }
    }
}

/// A relation of a row to another object.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRule {
    pub(crate) relation: String,
    pub(crate) kind: String,
    pub(crate) id: AnyOf,
    /// Whether that object contains this one.
    #[serde(default)]
    pub(crate) contains: bool,
}

/// How a list that is nowhere is made of the rows of another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Derive {
    pub(crate) from: String,
    pub(crate) pick: Vec<Pick>,
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// Which members are ids, and which are their names; without a name, the id is it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pick {
    pub(crate) id: Path,
    pub(crate) name: Option<Path>,
}

/// A check whose rule is data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// Whether it is made.
    pub(crate) mode: CheckMode,
    #[serde(rename = "try")]
    pub(crate) candidates: Vec<Candidate>,
    /// All of these hold: passed.
    pub(crate) pass_when: Vec<Rule>,
    /// What counts if a member that `pass_when` looks at is missing.
    #[serde(default)]
    pub(crate) pass_when_missing: Vec<Rule>,
    /// All of these hold: it was set up, and what fails is the link.
    #[serde(default)]
    pub(crate) configured_when: Vec<Rule>,
    /// What it is linked with.
    pub(crate) subject: Option<Path>,
    /// Why it fails.
    pub(crate) reason: Option<Path>,
    /// What is asked if it is nowhere.
    pub(crate) fallback: Option<Fallback>,
    /// The evidence of the names above.
    #[serde(default)]
    pub(crate) evidence: Evidence,
}

/// Whether a check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckMode {
    /// It is.
    Check,
    /// An administrator decided that it is not.
    Skip,
}

/// What has to stand at a path of the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Where.
    pub(crate) path: Path,
    /// Exactly this.
    pub(crate) equals: Option<Value>,
    /// Anything, or nothing.
    pub(crate) present: Option<bool>,
}

/// A list whose length answers instead.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fallback {
    /// The operation.
    pub(crate) operation: String,
    /// It has more rows than this.
    pub(crate) rows_above: u64,
}

impl Map {
    /// The map of a product, with what the connection lays over it.
    ///
    /// # Errors
    /// What the connection lays over it cannot be right; the failure says which entry and why.
    pub(crate) fn load(product: &Product, over: Option<&str>) -> Result<Map, Failure> {
        let broken = |why: String| Failure::plugin(format!("the built-in endpoint map: {why}"));
        let mut whole: Value =
            serde_json::from_str(product.map).map_err(|error| broken(error.to_string()))?;
        let over = over.map(str::trim).filter(|text| !text.is_empty());
        let Some(over) = over else { return read(whole, product, false).map_err(broken) };
        let wrong = |why: String| {
            Failure::you(format!("the endpoint map of this connection is wrong: {}", one_line(&why)))
                .at(Stage::Settings)
                .field(FIELD)
                .remedy("correct that entry, or empty the field to use the built-in map")
        };
        if over.len() > LONGEST {
            let (is, most) = (over.len().div_ceil(1024), LONGEST / 1024);
            return Err(wrong(format!("it has {is} KiB, and at most {most} KiB are read")));
        }
        let over: Value =
            serde_json::from_str(over).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        if !over.is_object() {
            return Err(wrong("it has to be a JSON object with the entries to replace".to_owned()));
        }
        lay_over(&mut whole, over);
        read(whole, product, true).map_err(wrong)
    }
}

/// What is wrong, with the control characters that it repeats written out.
fn one_line(why: &str) -> String {
    let written = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    why.chars().map(written).collect()
}

fn read(whole: Value, product: &Product, overridden: bool) -> Result<Map, String> {
    // Part by part, so that a message names the part: JSON values have no line numbers.
    part::<Auth>(&whole, "auth")?;
    part::<Envelope>(&whole, "envelope")?;
    part::<Paging>(&whole, "paging")?;
    part::<Statuses>(&whole, "status")?;
    entries::<Operation>(&whole, "operations")?;
    entries::<Check>(&whole, "checks")?;
    let mut map: Map = serde_json::from_value(whole).map_err(|error| error.to_string())?;
    map.overridden = overridden;
    check::check(&map, product)?;
    Ok(map)
}

fn part<T: DeserializeOwned>(whole: &Value, name: &str) -> Result<(), String> {
    match T::deserialize(&whole[name]) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn entries<T: DeserializeOwned>(whole: &Value, section: &str) -> Result<(), String> {
    for (name, entry) in whole[section].as_object().into_iter().flatten() {
        T::deserialize(entry).map_err(|error| format!("{section}, \"{name}\": {error}"))?;
    }
    Ok(())
}

/// Members replace members, objects are gone into, `null` takes away.
fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            // What is replaced is not known in the way in which the former was.
            if !over.contains_key("evidence") {
                under.remove("evidence");
            }
            for (name, value) in over {
                if value.is_null() {
                    under.remove(&name);
                } else {
                    lay_over(under.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests;
