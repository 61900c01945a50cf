//! The sieve: says quickly that a text holds no secret, so that pages of a hundred kilobytes need not be looked through
//! byte by byte.
//!
//! All stretches of [`GRAM`] bytes of all forms are remembered. Whatever form stands in a text, one of its stretches begins
//! in every so many bytes as the shortest form has stretches; so looking at the text in such steps cannot miss it. What the
//! sieve holds back may still be no secret; the finder decides.

use std::collections::{BTreeSet, HashSet};

/// The length of a stretch.
const GRAM: usize = size_of::<u64>();

/// Bits of the first, coarse look; they fit into a processor's nearest cache.
const BITS: u32 = 17;

/// Knows the stretches of all forms.
pub(super) struct Sieve {
    step: usize,
    coarse: Vec<u64>,
    grams: HashSet<u64>,
}

impl Sieve {
    /// A sieve for these forms; none if one of them is shorter than a stretch.
    pub(super) fn of(forms: &BTreeSet<String>) -> Option<Sieve> {
        let shortest = forms.iter().map(String::len).min().filter(|shortest| *shortest >= GRAM)?;
        let grams: HashSet<u64> =
            forms.iter().flat_map(|form| form.as_bytes().windows(GRAM)).map(gram).collect();
        let mut coarse = vec![0; 1 << (BITS - 6)];
        for (word, bit) in grams.iter().map(|gram| place(*gram)) {
            coarse[word] |= bit;
        }
        Some(Sieve { step: shortest - GRAM + 1, coarse, grams })
    }

    /// Whether a text may hold one of the forms.
    pub(super) fn holds_back(&self, text: &[u8]) -> bool {
        text.windows(GRAM).step_by(self.step).map(gram).any(|gram| {
            let (word, bit) = place(gram);
            self.coarse[word] & bit != 0 && self.grams.contains(&gram)
        })
    }
}

fn gram(window: &[u8]) -> u64 {
    window.try_into().map_or(0, u64::from_le_bytes)
}

/// Where the coarse look finds a stretch: a word and a bit of it.
fn place(gram: u64) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_held_back_wherever_it_stands() {
        for forms in [
            &["0123456789abcdefghij", "another form, longer"][..],
            &["8 bytes!"],
            &["8 bytes!", "0123456789"],
        ] {
            let sieve = Sieve::of(&forms.iter().map(|&form| form.to_owned()).collect()).unwrap();
            for form in forms {
                for before in 0..40 {
                    for after in [0, 1, 7, 40] {
                        let text = format!("{}{form}{}", "x".repeat(before), "y".repeat(after));
                        assert!(sieve.holds_back(text.as_bytes()), "{text}");
                    }
                }
            }
            assert!(!sieve.holds_back("xy".repeat(500).as_bytes()));
            assert!(!sieve.holds_back(b"short"));
        }
    }

    #[test]
    fn there_is_none_for_short_forms() {
        assert!(Sieve::of(&BTreeSet::from(["hunter2".to_owned(), "0123456789".to_owned()])).is_none());
        assert!(Sieve::of(&BTreeSet::new()).is_none());
    }
}
