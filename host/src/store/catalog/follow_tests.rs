//! Tests of the matching, without a database.

use super::follow::{Follower, Key, Limits, Range, Seen};

/// Reads a list along with a present one, so many objects a page.
fn follow(present: &[(String, i64)], list: &[(String, i64)], page: usize, limits: Limits) -> Follower {
    let mut rows =
        present.iter().zip((1..).map(|n| n * 10)).map(|((id, hash), at)| Seen(at, id.clone(), *hash));
    let mut read = |follower: &mut Follower| follower.feed(rows.by_ref().take(limits.read).collect());
    let mut follower = Follower::new(7, present.len(), limits);
    let mut written = Vec::new();
    for (number, page_of) in list.chunks(page).enumerate() {
        for (part, objects) in page_of.chunks(limits.stride).enumerate() {
            while follower.wants(objects.len()) {
                read(&mut follower);
            }
            let keys: Vec<Key> = objects.iter().map(|(id, hash)| (id.as_str(), *hash)).collect();
            let first = number * page + part * limits.stride;
            written.extend(follower.take(&keys).into_iter().map(|n| first + n));
        }
    }
    while follower.pass_rest() {
        read(&mut follower);
    }
    if !follower.given_up {
        judge(&follower, present, list, &written);
    }
    follower
}

/// Whatever was matched is the same, and nothing is lost: each object was matched or written, each row matched or passed.
#[track_caller]
fn judge(follower: &Follower, present: &[(String, i64)], list: &[(String, i64)], written: &[usize]) {
    let (mut objects, mut rows) = (written.to_vec(), follower.passed.clone());
    for Range { first, count, from, to } in &follower.ranges {
        assert_eq!((to - from) / 10 + 1, *count, "nothing is passed within a range");
        for n in 0..*count {
            let (object, row) = (usize::try_from(first + n).unwrap(), from + n * 10);
            assert_eq!(list[object], present[usize::try_from(row / 10 - 1).unwrap()]);
            objects.push(object);
            rows.push(row);
        }
    }
    assert!(follower.ranges.is_sorted_by(|a, b| a.first + a.count <= b.first && a.to < b.from));
    assert!(follower.passed.is_sorted() && follower.written == written.len());
    objects.sort_unstable();
    rows.sort_unstable();
    assert_eq!(objects, (0..list.len()).collect::<Vec<_>>());
    assert_eq!(rows, (1..).take(present.len()).map(|n| n * 10).collect::<Vec<_>>());
}

/// A letter is an object; in upper case it is another version of the same.
fn letters(text: &str) -> Vec<(String, i64)> {
    text.chars().map(|c| (c.to_lowercase().to_string(), i64::from(c.is_uppercase()))).collect()
}

fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<(String, i64)> {
    numbers.into_iter().map(|n| (n.to_string(), 0)).collect()
}

#[test]
fn only_what_is_different_is_written() {
    // The present list, the new one, how many objects are written and how many rows are passed over.
    for (present, list, written, passed) in [
        ("abcdef", "abcdef", 0, 0),
        ("abcdef", "", 0, 6),
        ("", "abc", 3, 0),
        ("abcdef", "abCdef", 1, 1),
        ("abcdef", "ABCDEF", 6, 6),
        ("abcdef", "xabcdef", 1, 0),
        ("abcdef", "abcxyzdef", 3, 0),
        ("abcdef", "abcdefx", 1, 0),
        ("abcdef", "bcdef", 0, 1),
        ("abcdef", "abef", 0, 2),
        ("abcdef", "abcd", 0, 2),
        ("abcdef", "abdcef", 1, 1),
        ("abcdefghijkl", "bcdefghijkla", 1, 1),
        ("abcdefghijkl", "labcdefghijk", 1, 1),
        ("abcdefghijkl", "abXcdfeghiijk", 3, 2),
        ("abcdef", "fedcba", 6, 6),
        ("aabbcc", "abc", 0, 3),
        ("abcdefghijklmnopqrstuvwxyz", "abxyz", 3, 24),
    ] {
        for page in [list.len().max(1), 1000] {
            let follower = follow(&letters(present), &letters(list), page, Limits::default());
            let found = (follower.written, follower.passed.len());
            assert_eq!(found, (written, passed), "{present} → {list}");
        }
    }
}

#[test]
fn small_pages_and_windows_lose_nothing() {
    let present = numbers(0..200);
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..300 {
        let mut list = numbers((0..200).filter(|n| (n + round) % 17 != 0));
        for _ in 0..random.usize(..12) {
            let (from, to) = (random.usize(..list.len()), random.usize(..list.len()));
            let moved = list.remove(from);
            list.insert(to, moved);
            list[from].1 += i64::from(random.bool());
        }
        let limits = Limits {
            read: random.usize(1..30),
            stride: random.usize(1..30),
            look: (random.usize(..20), random.usize(20..60)),
            range: random.i64(1..20),
            ..Limits::default()
        };
        let follower = follow(&present, &list, random.usize(1..50), limits);
        assert!(!follower.given_up && follower.ranges.iter().all(|range| range.count <= limits.range));
    }
}

#[test]
fn one_change_in_a_hundred_costs_about_as_much() {
    let present = numbers(0..20_000);
    let mut random = fastrand::Rng::with_seed(1);
    let mut list = present.clone();
    for n in 0..200_u32 {
        let (from, to) = (random.usize(..list.len()), random.usize(..list.len()));
        match n % 4 {
            0 => drop(list.remove(from)),
            1 => list.insert(to, (format!("new {n}"), 0)),
            2 => list[from].1 = 1,
            _ => {
                let moved = list.remove(from);
                list.insert(to, moved);
            }
        }
    }
    let follower = follow(&present, &list, 100, Limits::default());
    assert!((100..400).contains(&follower.written), "{} are written", follower.written);
    assert!((100..400).contains(&follower.passed.len()), "{} are passed over", follower.passed.len());
}

#[test]
fn many_that_came_or_went_at_once_are_skipped() {
    let present = numbers(0..40_000);
    let less = numbers((0..10_000).chain(16_000..40_000));
    let follower = follow(&present, &less, 100, Limits::default());
    assert!(!follower.given_up && follower.written < 600, "{} are written", follower.written);
    let more = follow(&less, &present, 100, Limits::default());
    assert_eq!((more.given_up, more.written, more.passed.len()), (false, 6_000, 0));
}

#[test]
fn too_much_that_is_different_is_given_up() {
    let limits = Limits { few: 10, most: 60, ..Limits::default() };
    let given_up = |list: &[(String, i64)], present| follow(&numbers(0..present), list, 5, limits).given_up;
    assert!(!given_up(&numbers(1_000..1_010), 10), "few are always fine");
    assert!(given_up(&numbers(1_000..1_011), 10), "more than a fifth");
    assert!(!given_up(&numbers((0..200).chain(1_000..1_040)), 200), "a fifth");
    assert!(!given_up(&numbers((0..1_000).chain(2_000..2_060)), 1_000), "as many as may be");
    assert!(given_up(&numbers((0..1_000).chain(2_000..2_061)), 1_000), "one more");
    assert!(given_up(&numbers(0..939), 1_000), "gone counts as well");
    assert!(!given_up(&numbers(0..940), 1_000));
    let mut shuffled = numbers(0..2_000);
    fastrand::Rng::with_seed(3).shuffle(&mut shuffled);
    assert!(given_up(&shuffled, 2_000));
}
