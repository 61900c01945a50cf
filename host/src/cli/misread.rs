//! What the parser of the command line says, without what must not be repeated: a secret that stands where none belongs.

use crate::model::text::is_fit_to_repeat;
use clap::error::{ContextKind, ContextValue, Error};

/// What stands for a text that is not repeated.
const LEFT_OUT: &str = "(not shown, because it may be a secret)";

/// The same error without texts that may be secrets.
pub(super) fn without_secrets(mut error: Error) -> Error {
    let given = [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
        ContextKind::TrailingArg,
    ];
    let mut left_out = false;
    for kind in given {
        let text = match error.get(kind) {
            Some(ContextValue::String(text)) => text,
            _ => continue,
        };
        // What the parser itself writes of an option, such as "--set <KEY=VALUE>", is fit.
        if !is_fit_to_repeat(text) {
            error.insert(kind, ContextValue::String(LEFT_OUT.to_owned()));
            left_out = true;
        }
    }
    if left_out {
        // It repeats the text as well.
        error.remove(ContextKind::Suggested);
    }
    error
}
