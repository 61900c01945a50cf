//! Names that people give: how they are checked, compared, and asked for when there is none like it.

use super::text::{as_named, is_one_line};
use jackfield_plugin::contract::{Failure, Stage};

/// How many names are told to somebody who gave one that is not there.
const TOLD: usize = 8;

/// A name as it is compared: without regard to case and to spaces around it.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A name that can be read, without the spaces around it.
///
/// # Errors
/// It is empty, too long, or holds what moves a terminal.
pub fn readable(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    let wrong = |what: &str| Err(Failure::you(format!("the name {what}")).at(Stage::Settings).field("name"));
    if name.is_empty() {
        return wrong("must not be empty");
    }
    if name.chars().count() > 200 || !is_one_line(name) {
        return wrong("must be at most 200 characters, without control characters");
    }
    Ok(name.to_owned())
}

/// Another one has the name.
pub fn taken(name: &str) -> Failure {
    Failure::you(format!("the name \"{name}\" is already used")).field("name").remedy("choose another name")
}

/// There is none of the name; `noun` says of what, as the command is called that adds one.
pub fn unknown<'a>(noun: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.take(TOLD).collect();
    let remedy = if known.is_empty() {
        format!("add one with `jackfield {noun} add`")
    } else {
        format!("there are: {}", known.join(", "))
    };
    Failure::you(format!("there is no {noun} {}", as_named(name))).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_more_than_case() {
        assert_eq!(folded(" Ölmühle EU "), folded("ölmühle eu"));
        assert_ne!(folded("a b"), folded("ab"));
    }
}
