//! The state machine: which way a rotation may go, and what is to be done with one that is found. Pure: it decides from what
//! is stored, so it decides the same after a crash as it would have done without one.

use crate::model::rotation::{Evidence, EvidenceKind, RotationState};
use jackfield_plugin::contract::description::RotationMode;

/// What happens to a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// The remote side is about to be asked.
    Begun,
    /// The new version is stored here; the remote side has made it.
    Made,
    /// The new version is stored here; a person is to register it on the remote side.
    Offered,
    /// Its test passed.
    Proven,
    /// It was put in use; the old one is still to be removed.
    SwappedWithRest,
    /// It was put in use; there is nothing to remove.
    Swapped,
    /// The old one is gone from the remote side.
    Retired,
    /// It is given up, and it is certain that nothing was made.
    GivenUp,
    /// It cannot go on by itself.
    Stuck,
    /// Somebody wants a stuck one to go on.
    Resumed,
}

/// The state that something leads to; nothing if it cannot happen in this state.
pub fn next(state: RotationState, happening: Happening) -> Option<RotationState> {
    use Happening as H;
    use RotationState as S;
    Some(match (state, happening) {
        (S::Prepared, H::Begun) => S::Applying,
        (S::Prepared, H::Offered) => S::WaitingForPerson,
        (S::Prepared | S::Applying | S::WaitingForPerson | S::NeedsAttention, H::GivenUp) => S::Aborted,
        (S::Applying, H::Made) => S::Applied,
        (S::Applied | S::WaitingForPerson, H::Proven) => S::Tested,
        (S::Tested, H::SwappedWithRest) => S::CleanupPending,
        (S::Tested, H::Swapped) => S::Finished,
        (S::CleanupPending, H::Retired) => S::Finished,
        (S::Applying | S::Applied, H::Stuck) => S::NeedsAttention,
        (S::NeedsAttention, H::Resumed) => S::Applying,
        (S::NeedsAttention, H::Made) => S::Applied,
        _ => return None,
    })
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Say that the remote side is about to be asked, durably.
    Begin,
    /// Make a new value here and store it, for a person to register.
    Offer,
    /// Remove from the remote side what may have been made there without our knowing, and void what is in escrow.
    Sweep,
    /// Ask the remote side for the new version; what is in escrow is answered from there.
    Stage,
    /// Test the new version.
    Verify,
    /// Put the new version in use.
    Swap,
    /// Remove the old version from the remote side.
    Retire,
    /// Somebody has to look at it.
    Wait,
    /// Nothing.
    Nothing,
}

/// What is to be done with a rotation that is found in this state, by the evidence that there is.
pub fn step(state: RotationState, mode: RotationMode, evidence: &[Evidence]) -> Step {
    match state {
        RotationState::Prepared if mode == RotationMode::Assisted => Step::Offer,
        RotationState::Prepared => Step::Begin,
        RotationState::Applying if is_uncertain(evidence) => Step::Sweep,
        RotationState::Applying => Step::Stage,
        RotationState::Applied | RotationState::WaitingForPerson => Step::Verify,
        RotationState::Tested => Step::Swap,
        RotationState::CleanupPending => Step::Retire,
        RotationState::NeedsAttention => Step::Wait,
        RotationState::Finished | RotationState::Aborted => Step::Nothing,
    }
}

/// The evidence that counts: what is not void.
pub fn standing(evidence: &[Evidence]) -> &[Evidence] {
    let void = evidence.iter().rposition(|line| line.kind == EvidenceKind::Void);
    void.map_or(evidence, |at| &evidence[at + 1..])
}

/// The last word on a step.
pub fn last<'a>(evidence: &'a [Evidence], step: &str) -> Option<&'a Evidence> {
    standing(evidence).iter().rev().find(|line| line.step == step)
}

/// Whether a step was asked for of which nobody knows whether it happened.
pub fn is_uncertain(evidence: &[Evidence]) -> bool {
    standing(evidence)
        .iter()
        .any(|line| last(evidence, &line.step).is_some_and(|last| last.kind == EvidenceKind::Asked))
}

/// Whether it is certain that the remote side made nothing.
pub fn nothing_was_made(evidence: &[Evidence]) -> bool {
    !is_uncertain(evidence) && standing(evidence).iter().all(|line| line.kind != EvidenceKind::Answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAPPENINGS: [Happening; 10] = [
        Happening::Begun,
        Happening::Made,
        Happening::Offered,
        Happening::Proven,
        Happening::SwappedWithRest,
        Happening::Swapped,
        Happening::Retired,
        Happening::GivenUp,
        Happening::Stuck,
        Happening::Resumed,
    ];

    fn lines(kinds: &[(&str, EvidenceKind)]) -> Vec<Evidence> {
        let line = |(at, (step, kind)): (usize, &(&str, EvidenceKind))| Evidence {
            sequence: at as i64 + 1,
            step: (*step).to_owned(),
            kind: *kind,
            sealed: Vec::new(),
        };
        kinds.iter().enumerate().map(line).collect()
    }

    #[test]
    fn the_whole_table() {
        let mut table = String::new();
        for state in RotationState::ALL {
            for happening in HAPPENINGS {
                if let Some(next) = next(state, happening) {
                    table.push_str(&format!("{} --{happening:?}--> {}\n", state.as_str(), next.as_str()));
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        prepared --Begun--> applying
        prepared --Offered--> waiting_for_person
        prepared --GivenUp--> aborted
        applying --Made--> applied
        applying --GivenUp--> aborted
        applying --Stuck--> needs_attention
        applied --Proven--> tested
        applied --Stuck--> needs_attention
        waiting_for_person --Proven--> tested
        waiting_for_person --GivenUp--> aborted
        tested --SwappedWithRest--> cleanup_pending
        tested --Swapped--> finished
        cleanup_pending --Retired--> finished
        needs_attention --Made--> applied
        needs_attention --GivenUp--> aborted
        needs_attention --Resumed--> applying
        ");
    }

    #[test]
    fn nothing_follows_an_end_and_every_other_state_has_a_way_to_one() {
        for state in RotationState::ALL {
            let ways: Vec<_> =
                HAPPENINGS.into_iter().filter_map(|happening| next(state, happening)).collect();
            assert_eq!(ways.is_empty(), state.is_final(), "{state:?}");
            let mut reached = vec![state];
            while let Some(more) = reached
                .iter()
                .flat_map(|from| HAPPENINGS.into_iter().filter_map(|happening| next(*from, happening)))
                .find(|to| !reached.contains(to))
            {
                reached.push(more);
            }
            assert!(reached.iter().any(|state| state.is_final()), "{state:?}");
        }
    }

    #[test]
    fn nothing_untested_is_put_in_use_and_nothing_that_was_sent_is_forgotten() {
        for state in RotationState::ALL {
            for happening in [Happening::Swapped, Happening::SwappedWithRest] {
                assert_eq!(next(state, happening).is_some(), state == RotationState::Tested);
            }
        }
        // Given up only where the engine has shown that nothing was made, or nothing was sent.
        for state in [RotationState::Applied, RotationState::Tested, RotationState::CleanupPending] {
            assert_eq!(next(state, Happening::GivenUp), None);
        }
    }

    #[test]
    fn what_is_uncertain_is_swept_before_anything_is_asked_again() {
        use EvidenceKind::{Answered, Asked, Refused, Void};
        type Row = (&'static [(&'static str, EvidenceKind)], Step, bool);
        let rows: [Row; 8] = [
            (&[], Step::Stage, true),
            (&[("create", Asked)], Step::Sweep, false),
            (&[("create", Asked), ("create", Answered)], Step::Stage, false),
            (&[("create", Asked), ("create", Refused)], Step::Stage, true),
            (&[("create", Asked), ("", Void)], Step::Stage, true),
            (&[("create", Asked), ("create", Answered), ("more", Asked)], Step::Sweep, false),
            (&[("create", Asked), ("create", Answered), ("more", Asked), ("", Void)], Step::Stage, true),
            (&[("create", Asked), ("", Void), ("create", Asked)], Step::Sweep, false),
        ];
        for (kinds, expected, nothing) in rows {
            let evidence = lines(kinds);
            let step = step(RotationState::Applying, RotationMode::Automatic, &evidence);
            assert_eq!((step, nothing_was_made(&evidence)), (expected, nothing), "{kinds:?}");
        }
    }
}
