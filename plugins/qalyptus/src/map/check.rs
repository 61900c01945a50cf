//! Whether a map can be right: what serde cannot see.

use super::{Candidate, Map, Operation, Rule};
use crate::{Product, client::key_place, kinds};

/// The version of the map's form.
const SCHEMA: u32 = 1;

/// How many paths an entry may try: each costs a request in every test and refresh, for each row of a parent.
const MOST_CANDIDATES: usize = 16;

/// # Errors
/// The entry, and what is wrong with it.
pub(super) fn check(map: &Map, product: &Product) -> Result<(), String> {
    if map.schema != SCHEMA {
        return Err(format!("schema: {} is not known here, only {SCHEMA}", map.schema));
    }
    if map.product != product.id {
        return Err(format!("product: it is for \"{}\", and this is \"{}\"", map.product, product.id));
    }
    if !map.base_path.is_empty() {
        path(&map.base_path).map_err(|why| format!("base_path: {why}"))?;
        if map.base_path.ends_with('/') || map.base_path.contains(['{', '?']) {
            return Err("base_path: it ends without a slash and has neither a query nor {id}".to_owned());
        }
    }
    key_place(&map.auth).map_err(|why| format!("auth: {why}"))?;
    if map.envelope.data.is_empty() {
        return Err("envelope, data: no place for a list is named".to_owned());
    }
    paging(map)?;
    let statuses = &map.status;
    let all = [&statuses.auth_refused, &statuses.auth_expired, &statuses.forbidden, &statuses.rate_limited];
    if let Some(odd) = all.into_iter().flatten().find(|status| !(400..600).contains(*status)) {
        return Err(format!("status: {odd} is not the status of a refusal"));
    }
    for (name, operation) in &map.operations {
        one(map, product, name, operation).map_err(|why| format!("operations, \"{name}\": {why}"))?;
    }
    for (name, check) in &map.checks {
        let wrong = |why: String| format!("checks, \"{name}\": {why}");
        candidates(&check.candidates, false).map_err(wrong)?;
        rules(&check.pass_when, &check.pass_when_missing, &check.configured_when).map_err(wrong)?;
        if let Some(fallback) = &check.fallback {
            known(map, &fallback.operation).map_err(|why| wrong(format!("fallback: {why}")))?;
        }
    }
    match map.operations.get(&map.probe) {
        Some(probe) if probe.parent.is_none() => Ok(()),
        Some(_) => Err(format!("probe: \"{}\" can only be asked for each row of another list", map.probe)),
        None => Err(format!("probe: there is no operation \"{}\"", map.probe)),
    }
}

fn paging(map: &Map) -> Result<(), String> {
    let paging = &map.paging;
    for (entry, name) in [("offset_param", &paging.offset_param), ("limit_param", &paging.limit_param)] {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '.');
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!("paging, {entry}: \"{name}\" is no name of a parameter"));
        }
    }
    if !(1..=10_000).contains(&paging.limit) {
        return Err(format!("paging, limit: {} is not between 1 and 10000", paging.limit));
    }
    Ok(())
}

fn one(map: &Map, product: &Product, name: &str, operation: &Operation) -> Result<(), String> {
    if name != kinds::VERSION && product.lists().all(|list| list.operation != name) {
        let names: Vec<_> = product.lists().map(|list| list.operation).chain([kinds::VERSION]).collect();
        return Err(format!("there is no such operation; those that there are: {}", names.join(", ")));
    }
    candidates(&operation.candidates, operation.parent.is_some())?;
    if let Some(parent) = &operation.parent {
        known(map, parent).map_err(|why| format!("parent: {why}"))?;
        if !listed_before(parent, name) {
            return Err(format!("parent: \"{parent}\" is read later than this"));
        }
    }
    if name != kinds::VERSION && !operation.columns.contains_key("id") {
        return Err("columns: the column \"id\" is missing".to_owned());
    }
    for link in &operation.links {
        if product.lists().all(|list| list.noun.id != link.kind) {
            return Err(format!("links: \"{}\" is no kind of object here", link.kind));
        }
    }
    if let Some(derive) = &operation.derive {
        known(map, &derive.from).map_err(|why| format!("derive, from: {why}"))?;
        if !listed_before(&derive.from, name) {
            return Err(format!("derive, from: \"{}\" is read later than this", derive.from));
        }
    }
    Ok(())
}

fn listed_before(first: &str, second: &str) -> bool {
    let at = |name: &str| kinds::ALL.iter().position(|list| list.operation == name);
    at(first) < at(second)
}

fn known(map: &Map, name: &str) -> Result<(), String> {
    match map.operations.contains_key(name) {
        true => Ok(()),
        false => Err(format!("there is no operation \"{name}\"")),
    }
}

fn candidates(candidates: &[Candidate], has_parent: bool) -> Result<(), String> {
    if candidates.is_empty() {
        return Err("try: it names no path; to take the operation away, set it to null".to_owned());
    }
    if candidates.len() > MOST_CANDIDATES {
        let count = candidates.len();
        return Err(format!(
            "try: it names {count} paths, and at most {MOST_CANDIDATES} are tried one after the other"
        ));
    }
    for (at, candidate) in candidates.iter().enumerate() {
        let wrong = |why: String| format!("try, entry {}: {why}", at + 1);
        path(&candidate.path).map_err(wrong)?;
        let without = candidate.path.replacen("{id}", "", 1);
        if without.contains(['{', '}']) {
            return Err(wrong(format!("\"{}\" may hold {{id}} once, and no other braces", candidate.path)));
        }
        if without != candidate.path && !has_parent {
            return Err(wrong(format!(
                "\"{}\" has {{id}}, but there is no parent to take it from",
                candidate.path
            )));
        }
    }
    Ok(())
}

/// A path on the server that the operator named, and on no other.
fn path(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("\"{text}\" {why}"));
    if text.contains("://") || text.starts_with("//") {
        return wrong("leads to an address of its own; only paths on this connection's server are asked");
    }
    if !text.starts_with('/') {
        return wrong("is no path: it has to begin with a slash");
    }
    if text.split(['/', '?', '&', '=']).any(|part| part == "..") {
        return wrong("leads upwards with \"..\"");
    }
    if let Some(odd) =
        text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '#' | '\\' | '"' | '<' | '>' | '%'))
    {
        return wrong(&format!("holds {odd:?}, which no path here needs"));
    }
    Ok(())
}

fn rules(pass: &[Rule], missing: &[Rule], configured: &[Rule]) -> Result<(), String> {
    if pass.is_empty() {
        return Err("pass_when: without a rule anything would pass".to_owned());
    }
    for rule in pass.iter().chain(missing).chain(configured) {
        if rule.equals.is_some() == rule.present.is_some() {
            return Err(format!("the rule for \"{}\" needs either \"equals\" or \"present\"", rule.path));
        }
    }
    Ok(())
}

/// The characters of a header's name.
pub(crate) fn token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}
