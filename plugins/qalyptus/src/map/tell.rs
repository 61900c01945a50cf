//! The map as a person reads it in the log of a refresh: which paths are used, and which of them are guesses.

use super::{Candidate, CheckMode, Evidence, Map};

impl Evidence {
    /// In words.
    fn words(self) -> &'static str {
        match self {
            Evidence::Live => "seen on a live tenant",
            Evidence::Code => "in the vendor's published code",
            Evidence::Doc => "in the vendor's help",
            Evidence::Inferred => "concluded, not proven",
            Evidence::Guess => "A GUESS",
            Evidence::Set => "set for this connection",
        }
    }
}

impl Map {
    /// A line for each entry. There is nothing secret in a map.
    pub(crate) fn tell(&self) -> Vec<String> {
        let built = if self.overridden { "built in, changed by this connection" } else { "built in" };
        let mut lines = vec![
            format!(
                "endpoint map of {} ({built}), below {}",
                self.product,
                if self.base_path.is_empty() { "/" } else { &self.base_path }
            ),
            format!(
                "endpoint map: the API key goes into {}: {} ({})",
                self.auth.header,
                self.auth.template,
                self.auth.evidence.words()
            ),
            format!(
                "endpoint map: envelope of answers ({}), meaning of statuses ({})",
                self.envelope.evidence.words(),
                self.status.evidence.words()
            ),
            format!(
                "endpoint map: further pages by {} and {} ({})",
                self.paging.offset_param,
                self.paging.limit_param,
                self.paging.evidence.words()
            ),
        ];
        for (name, operation) in &self.operations {
            let need = if operation.required { "required" } else { "optional" };
            let mut line = format!("endpoint map: {name} ({need}): {}", candidates(&operation.candidates));
            if let Some(derive) = &operation.derive {
                line.push_str(&format!(
                    "; else made of the rows of {} ({})",
                    derive.from,
                    derive.evidence.words()
                ));
            }
            lines.push(line);
        }
        for (name, check) in &self.checks {
            lines.push(match check.mode {
                CheckMode::Skip => format!("endpoint map: {name} (check): turned off"),
                CheckMode::Check => format!(
                    "endpoint map: {name} (check): {}; its members: {}",
                    candidates(&check.candidates),
                    check.evidence.words()
                ),
            });
        }
        lines
    }
}

fn candidates(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| format!("GET {} ({})", candidate.path, candidate.evidence.words());
    candidates.iter().map(one).collect::<Vec<_>>().join(", else ")
}
