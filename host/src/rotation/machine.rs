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
    /// It is given up, and nothing of it is left on the remote side.
    GivenUp,
}

/// The state that something leads to; nothing if it cannot happen in this state.
pub fn next(state: RotationState, happening: Happening) -> Option<RotationState> {
    use Happening as H;
    use RotationState as S;
    Some(match (state, happening) {
        (S::Prepared, H::Begun) => S::Applying,
        (S::Prepared, H::Offered) => S::WaitingForPerson,
        (S::Prepared | S::Applying | S::Applied | S::WaitingForPerson | S::Tested, H::GivenUp) => S::Aborted,
        (S::Prepared | S::Applying, H::Made) => S::Applied,
        (S::Applied | S::WaitingForPerson, H::Proven) => S::Tested,
        (S::Tested, H::SwappedWithRest) => S::CleanupPending,
        (S::Tested, H::Swapped) => S::Finished,
        (S::CleanupPending, H::Retired) => S::Finished,
        _ => return None,
    })
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Say that the remote side is about to be asked, durably.
    Begin,
    /// Make a new value here and store it, for a person or the connector to register.
    Offer,
    /// Remove from the remote side what may have been made there, and void what is in escrow.
    Sweep,
    /// Ask the remote side for the new version; what is in escrow is answered from there.
    Stage,
    /// Test the new version.
    Verify,
    /// Put the new version in use.
    Swap,
    /// Remove the old version from the remote side.
    Retire,
    /// End it, with nothing changed.
    GiveUp,
    /// Nothing.
    Nothing,
}

/// A rotation as it is found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// How far it is.
    pub state: RotationState,
    /// Who makes the new value.
    pub mode: RotationMode,
    /// What is in escrow.
    pub evidence: &'a [Evidence],
}

/// What is to be done with a rotation, by the evidence that there is.
pub fn step(found: Found<'_>) -> Step {
    let Found { state, mode, evidence } = found;
    let automatic = mode != RotationMode::Assisted;
    if can_be_withdrawn(state) {
        match withdrawal(evidence) {
            Some(Withdrawal::Wanted) if automatic && state != RotationState::Prepared => return Step::Sweep,
            Some(_) => return Step::GiveUp,
            None => {}
        }
    }
    match state {
        RotationState::Prepared if automatic => Step::Begin,
        RotationState::Prepared => Step::Offer,
        RotationState::Applying if is_uncertain(evidence) => Step::Sweep,
        RotationState::Applying => Step::Stage,
        RotationState::Applied | RotationState::WaitingForPerson => Step::Verify,
        RotationState::Tested => Step::Swap,
        RotationState::CleanupPending => Step::Retire,
        RotationState::Finished | RotationState::Aborted => Step::Nothing,
    }
}

/// Whether the new version can still be given up in this state: it has never been in use.
pub fn can_be_withdrawn(state: RotationState) -> bool {
    next(state, Happening::GivenUp).is_some()
}

/// Whether somebody has said that the new version is not to be put in use.
pub fn is_withdrawn(evidence: &[Evidence]) -> bool {
    withdrawal(evidence).is_some()
}

/// How far a withdrawal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Withdrawal {
    /// Somebody wants it.
    Wanted,
    /// What had been made is gone again.
    Done,
}

/// A withdrawal is never taken back: what was swept after it is not asked for again.
fn withdrawal(evidence: &[Evidence]) -> Option<Withdrawal> {
    let wanted = evidence.iter().position(|line| line.kind == EvidenceKind::Withdrawn)?;
    let done = evidence[wanted..].iter().any(|line| line.kind == EvidenceKind::Void);
    Some(if done { Withdrawal::Done } else { Withdrawal::Wanted })
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

    const HAPPENINGS: [Happening; 8] = [
        Happening::Begun,
        Happening::Made,
        Happening::Offered,
        Happening::Proven,
        Happening::SwappedWithRest,
        Happening::Swapped,
        Happening::Retired,
        Happening::GivenUp,
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
        prepared --Made--> applied
        prepared --Offered--> waiting_for_person
        prepared --GivenUp--> aborted
        applying --Made--> applied
        applying --GivenUp--> aborted
        applied --Proven--> tested
        applied --GivenUp--> aborted
        waiting_for_person --Proven--> tested
        waiting_for_person --GivenUp--> aborted
        tested --SwappedWithRest--> cleanup_pending
        tested --Swapped--> finished
        tested --GivenUp--> aborted
        cleanup_pending --Retired--> finished
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
        assert!(!can_be_withdrawn(RotationState::CleanupPending), "it is in use");
    }

    #[test]
    fn nothing_is_given_up_before_it_is_swept_and_a_withdrawal_is_never_taken_back() {
        use EvidenceKind::{Answered, Asked, Void, Withdrawn};
        let made = [("create", Asked), ("create", Answered), ("", Withdrawn)];
        let swept = [made.as_slice(), &[("", Void)]].concat();
        for state in [RotationState::Applying, RotationState::Applied, RotationState::Tested] {
            for (kinds, expected) in [(made.as_slice(), Step::Sweep), (swept.as_slice(), Step::GiveUp)] {
                let evidence = lines(kinds);
                let found = Found { state, mode: RotationMode::Automatic, evidence: &evidence };
                assert_eq!(step(found), expected, "{state:?} {kinds:?}");
            }
        }
        let evidence = lines(&[("", Withdrawn)]);
        let found = Found {
            state: RotationState::CleanupPending,
            mode: RotationMode::Automatic,
            evidence: &evidence,
        };
        assert_eq!(step(found), Step::Retire);
        let found = Found {
            state: RotationState::WaitingForPerson,
            mode: RotationMode::Assisted,
            evidence: &evidence,
        };
        assert_eq!(step(found), Step::GiveUp);
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
            let found =
                Found { state: RotationState::Applying, mode: RotationMode::Automatic, evidence: &evidence };
            let step = step(found);
            assert_eq!((step, nothing_was_made(&evidence)), (expected, nothing), "{kinds:?}");
        }
    }
}
