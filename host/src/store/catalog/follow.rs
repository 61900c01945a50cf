//! Following: while a list is staged, the generation in use is read along with it, in order, and what is found there unchanged
//! is not written again. Here is only the matching; nothing here knows a database.
//!
//! Both lists are walked forwards and never back: a window of the present rows that come next is compared with the objects
//! that are being staged, the longest sequence that both have in the same order is taken as *matched*, and the window moves
//! on behind it. Rows that it passes over may be changed, moved or gone; objects that matched nothing are written. What is
//! remembered grows only with what is different, and past a limit following is given up: the rest is staged in full.
//!
//! A match that is not found costs one row that is written and one that is deleted, never a wrong catalog.

use std::collections::{HashMap, VecDeque};

/// The sizes of following, and what it may cost before it is given up. Tests make them small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// The distance between the positions of two staged neighbours: room for what comes between them one day.
    pub(super) gap: i64,
    /// The most rows that a patch deletes, or inserts: it is written while other writers wait.
    pub(super) most: usize,
    /// So many are few however short the list is; if there are more, they must not be above a fifth of it.
    pub(super) few: usize,
    /// Present rows that are read at a time.
    pub(super) read: usize,
    /// Objects that are compared at a time.
    pub(super) stride: usize,
    /// How far beyond the next objects a match is looked for: at least, and at most after many that matched nothing.
    pub(super) look: (usize, usize),
    /// The most rows of one [`Range`], so that one can be copied in a step.
    pub(super) range: i64,
    /// Rows that a patch deletes before it inserts those beside them: about as many pages as the database's cache holds.
    pub(super) step: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            gap: 1 << 16,
            most: 20_000,
            few: 2_000,
            read: 1_000,
            stride: 256,
            look: (256, 8_192),
            range: 5_000,
            step: 400,
        }
    }
}

/// What is compared: an object's id and the hash of the rest.
pub(super) type Key<'a> = (&'a str, i64);

/// A present row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Seen(pub(super) i64, pub(super) String, pub(super) i64);

impl Seen {
    fn is(&self, key: Key) -> bool {
        self.2 == key.1 && self.1 == key.0
    }
}

/// Objects that were found unchanged, as many in a row in both lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The index of the first one in the list that is staged.
    pub(super) first: i64,
    /// How many they are.
    pub(super) count: i64,
    /// The positions of the first and of the last present row.
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Where following has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Follower {
    limits: Limits,
    /// The generation that is followed, and how many rows it is said to have.
    pub(super) present: i64,
    known: usize,
    /// Rows that were read and not yet passed, and whether there are more.
    ahead: VecDeque<Seen>,
    ended: bool,
    /// The position of the last row that was read.
    pub(super) read_to: i64,
    /// The objects that were found unchanged, in order.
    pub(super) ranges: Vec<Range>,
    /// The positions of the rows that matched nothing, in order.
    pub(super) passed: Vec<i64>,
    /// How many objects came, and how many of them matched nothing.
    taken: i64,
    pub(super) written: usize,
    /// How many have matched nothing since one did.
    misses: usize,
    pub(super) given_up: bool,
}

impl Follower {
    pub(super) fn new(present: i64, known: usize, limits: Limits) -> Self {
        Follower {
            limits,
            present,
            known,
            ahead: VecDeque::new(),
            ended: false,
            read_to: i64::MIN,
            ranges: Vec::new(),
            passed: Vec::new(),
            taken: 0,
            written: 0,
            misses: 0,
            given_up: false,
        }
    }

    /// Whether more rows have to be read before so many objects can be taken.
    pub(super) fn wants(&self, objects: usize) -> bool {
        !self.given_up && !self.ended && self.ahead.len() < objects + self.look()
    }

    /// The longer nothing matches, the farther it is looked: a thousand rows may have gone at once.
    fn look(&self) -> usize {
        let (least, most) = self.limits.look;
        (least + 16 * self.misses).min(most)
    }

    /// How many rows are read at a time.
    pub(super) fn reads(&self) -> i64 {
        i64::try_from(self.limits.read).unwrap_or(i64::MAX)
    }

    /// Takes in the rows that come after [`read_to`](Follower::read_to); fewer than [`Limits::read`] are the last.
    pub(super) fn feed(&mut self, mut rows: Vec<Seen>) {
        rows.sort_by_key(|row| row.0);
        self.ended = rows.len() < self.limits.read;
        self.read_to = rows.last().map_or(self.read_to, |row| row.0);
        self.ahead.extend(rows);
    }

    /// Takes the next objects, and answers which of them matched nothing.
    pub(super) fn take(&mut self, keys: &[Key]) -> Vec<usize> {
        let pairs = if self.given_up { Vec::new() } else { self.align(keys) };
        let (mut unmatched, mut object, mut row) = (Vec::new(), 0, 0);
        for (next_object, next_row) in pairs {
            unmatched.extend(object..next_object);
            self.pass(next_row - row);
            self.matched(next_object);
            (object, row) = (next_object + 1, next_row + 1);
        }
        self.misses = if object > 0 { keys.len() - object } else { self.misses + keys.len() };
        unmatched.extend(object..keys.len());
        self.taken += i64::try_from(keys.len()).unwrap_or(i64::MAX);
        self.written += unmatched.len();
        self.weigh();
        unmatched
    }

    /// Passes over whatever was read, and answers whether more has to be read.
    pub(super) fn pass_rest(&mut self) -> bool {
        self.pass(self.ahead.len());
        self.weigh();
        !self.ended && !self.given_up
    }

    fn pass(&mut self, rows: usize) {
        self.passed.extend(self.ahead.drain(..rows).map(|row| row.0));
    }

    /// The object of this index among those that are taken is the next row.
    fn matched(&mut self, object: usize) {
        let Some(Seen(position, ..)) = self.ahead.pop_front() else { return };
        let index = self.taken + i64::try_from(object).unwrap_or(i64::MAX);
        let between = self.passed.last().copied();
        match self.ranges.last_mut() {
            Some(last)
                if last.first + last.count == index
                    && between.is_none_or(|passed| passed < last.to)
                    && last.count < self.limits.range =>
            {
                (last.count, last.to) = (last.count + 1, position);
            }
            _ => self.ranges.push(Range { first: index, count: 1, from: position, to: position }),
        }
    }

    /// Gives up if too much is different.
    fn weigh(&mut self) {
        let of = self.known.max(usize::try_from(self.taken).unwrap_or(usize::MAX));
        let too_much = |n: usize| n > self.limits.most || (n > self.limits.few && n > of / 5);
        if too_much(self.written) || too_much(self.passed.len()) {
            (self.given_up, self.ahead, self.passed) = (true, VecDeque::new(), Vec::new());
        }
    }

    /// Pairs of object and row, both rising.
    fn align(&self, keys: &[Key]) -> Vec<(usize, usize)> {
        let same = keys.iter().zip(&self.ahead).take_while(|(key, row)| row.is(**key)).count();
        let mut pairs: Vec<_> = (0..same).map(|n| (n, n)).collect();
        let rest = &keys[same..];
        if !rest.is_empty() {
            let end = self.ahead.len().min(keys.len() + self.look());
            let rows = self.ahead.range(same.min(end)..end);
            pairs.extend(longest(rest, rows).into_iter().map(|(key, row)| (same + key, same + row)));
            self.trim(&mut pairs);
        }
        pairs
    }

    /// Drops pairs at the end that jump over more rows than they are sure of. One object that was moved far to the front must
    /// not make everything up to its old place unmatched; several in a row are worth following.
    fn trim(&self, pairs: &mut Vec<(usize, usize)>) {
        const SURE: usize = 8;
        let mut end = pairs.len();
        for n in (0..pairs.len()).rev() {
            let (object, row) = pairs[n];
            let (fresh, passed) = match n.checked_sub(1).map(|before| pairs[before]) {
                Some((before, behind)) => (object - before - 1, row - behind - 1),
                None => (object + self.misses, row),
            };
            let support = end - n + fresh;
            if support < passed.saturating_sub(fresh).min(SURE) {
                end = n;
            }
        }
        pairs.truncate(end);
    }
}

/// The longest sequence that both have in the same order (the longest rising one of the objects' indexes, by patience).
fn longest<'a>(keys: &[Key], rows: impl Iterator<Item = &'a Seen>) -> Vec<(usize, usize)> {
    let wanted: HashMap<&str, usize> = keys.iter().enumerate().map(|(n, key)| (key.0, n)).collect();
    let mut found: Vec<(usize, usize, Option<usize>)> = Vec::new();
    // The last members of the best sequences of each length, as indexes into `found`.
    let mut best: Vec<usize> = Vec::new();
    for (row, seen) in rows.enumerate() {
        let Some(key) = wanted.get(seen.1.as_str()).copied().filter(|key| seen.is(keys[*key])) else {
            continue;
        };
        let length = best.partition_point(|last| found[*last].0 < key);
        found.push((key, row, length.checked_sub(1).map(|before| best[before])));
        match best.get_mut(length) {
            Some(last) => *last = found.len() - 1,
            None => best.push(found.len() - 1),
        }
    }
    let mut sequence = Vec::with_capacity(best.len());
    let mut at = best.last().copied();
    while let Some((key, row, before)) = at.map(|at| found[at]) {
        sequence.push((key, row));
        at = before;
    }
    sequence.reverse();
    sequence
}
