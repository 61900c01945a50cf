//! Walking one or several sources as one sorted list, from a bookmark in either direction.

use crate::qlik_cloud::source::{Key, Source};

/// A gap between rows: for each source, how many of its places lie before it.
pub(crate) type Gap = Vec<u64>;

/// One page.
pub(crate) struct Page {
    /// (source, place) of each row, in order.
    pub(crate) rows: Vec<(usize, u64)>,
    /// The gap behind the last row, when rows follow.
    pub(crate) next: Option<Gap>,
    /// The gap before the first row, when rows precede.
    pub(crate) prev: Option<Gap>,
}

/// The gap before everything.
pub(crate) fn start(sources: &[&dyn Source]) -> Gap {
    vec![0; sources.len()]
}

/// The rows behind a gap.
pub(crate) fn forward(sources: &[&dyn Source], gap: Gap, limit: usize) -> Page {
    let mut walker = Walker { sources, gap: gap.clone() };
    let mut rows = Vec::with_capacity(limit);
    while rows.len() < limit {
        match walker.step() {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    let end = walker.gap.clone();
    let next = walker.step().is_some().then_some(end);
    let prev = Walker { sources, gap: gap.clone() }.step_back().is_some().then_some(gap);
    Page { rows, next, prev }
}

/// The rows before a gap.
pub(crate) fn backward(sources: &[&dyn Source], gap: Gap, limit: usize) -> Page {
    let mut walker = Walker { sources, gap: gap.clone() };
    let mut rows = Vec::with_capacity(limit);
    while rows.len() < limit {
        match walker.step_back() {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    rows.reverse();
    let first = walker.gap.clone();
    let prev = walker.step_back().is_some().then_some(first);
    let next = Walker { sources, gap: gap.clone() }.step().is_some().then_some(gap);
    Page { rows, next, prev }
}

/// How many rows there are.
pub(crate) fn count(sources: &[&dyn Source]) -> u64 {
    sources.iter().map(|source| (0..source.places()).filter(|&place| source.taken(place)).count() as u64).sum()
}

struct Walker<'a> {
    sources: &'a [&'a dyn Source],
    gap: Gap,
}

impl Walker<'_> {
    /// Moves over the next row.
    fn step(&mut self) -> Option<(usize, u64)> {
        let mut best: Option<(usize, u64, Option<Key>)> = None;
        for (at, source) in self.sources.iter().enumerate() {
            let Some(place) = (self.gap[at]..source.places()).find(|&place| source.taken(place)) else { continue };
            if self.sources.len() == 1 {
                best = Some((at, place, None));
                break;
            }
            let key = source.key(place);
            let better = best.as_ref().and_then(|(_, _, found)| found.as_ref()).is_none_or(|found| source.compare(&key, found).is_lt());
            if better {
                best = Some((at, place, Some(key)));
            }
        }
        let (at, place, _) = best?;
        self.gap[at] = place + 1;
        Some((at, place))
    }

    /// Moves over the row before.
    fn step_back(&mut self) -> Option<(usize, u64)> {
        let mut best: Option<(usize, u64, Key)> = None;
        for (at, source) in self.sources.iter().enumerate() {
            let end = self.gap[at].min(source.places());
            let Some(place) = (0..end).rev().find(|&place| source.taken(place)) else { continue };
            let key = source.key(place);
            if best.as_ref().is_none_or(|(_, _, found)| source.compare(&key, found).is_ge()) {
                best = Some((at, place, key));
            }
        }
        let (at, place, _) = best?;
        self.gap[at] = place;
        Some((at, place))
    }
}
