//! Random refreshes beside a plain model: whatever is followed, patched, copied or given up, a reader finds what the lists say.

use super::super::testing::{Fresh, LONG, object, remembered, run};
use super::super::{Error, Lease, Store};
use super::follow::Limits;
use super::generation::Course;
use super::{Diff, Generation, KindSwap};
use crate::model::id::ConnectionId;
use crate::model::run::{Ending, Hook, RunState};
use fastrand::Rng;
use jackfield_plugin::contract::catalog::{Link, Object};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

const KIND: &str = "app";

/// How often each of the ways was taken.
#[derive(Default, Debug)]
struct Ways {
    patched: u32,
    given_up: u32,
    crowded: u32,
    duplicates: u32,
    deltas: u32,
    dropped: u32,
    taken_over: u32,
    torn: u32,
}

/// A store with one connection, and what is expected of it.
struct World {
    fresh: Fresh,
    id: ConnectionId,
    objects: Vec<Object>,
    random: Rng,
    ways: Ways,
    /// For objects that never were.
    next: u32,
}

#[tokio::test]
async fn random_refreshes_agree_with_the_model() {
    let mut ways = Ways::default();
    for seed in 0..16 {
        let fresh = Fresh::open().await;
        let id = fresh.connection("EU").await;
        let mut world = World { fresh, id, objects: Vec::new(), random: Rng::with_seed(seed), ways, next: 0 };
        for step in 0..14 {
            let at = format!("seed {seed}, step {step}");
            if world.random.u8(..3) == 0 {
                world.abandon().await;
                world.check(&at).await;
            }
            let list = world.list();
            match world.random.u8(..6) {
                0 => world.delta(list, &at).await,
                _ => world.complete(list, &at).await,
            }
            world.check(&at).await;
        }
        ways = world.ways;
    }
    let Ways { patched, given_up, crowded, duplicates, deltas, dropped, taken_over, torn } = ways;
    let least = [patched, given_up, crowded, duplicates, deltas, dropped, taken_over, torn];
    assert!(least.iter().all(|times| *times >= 3), "each way is taken: {ways:?}");
}

impl World {
    /// Limits that are sometimes so small that each of them is reached.
    fn limits(&mut self) -> Limits {
        let random = &mut self.random;
        let one_of = |random: &mut Rng, of: &[usize]| of[random.usize(..of.len())];
        let normal = Limits::default();
        if random.u8(..4) == 0 {
            return normal;
        }
        Limits {
            gap: [1, 2, 5, normal.gap][random.usize(..4)],
            most: one_of(random, &[3, 60, normal.most]),
            few: one_of(random, &[0, 10, normal.few]),
            read: one_of(random, &[1, 7, normal.read]),
            stride: one_of(random, &[1, 5, normal.stride]),
            look: (one_of(random, &[0, 3, normal.look.0]), one_of(random, &[9, normal.look.1])),
            range: [1, 4, normal.range][random.usize(..3)],
            step: one_of(random, &[1, 3, normal.step]),
        }
    }

    fn new_object(&mut self) -> Object {
        self.next += 1;
        let mut new = object(&format!("id {}", self.next), &format!("Name {}", self.random.u8(..9)));
        new.attributes = format!(r#"{{"size":{}}}"#, self.random.u8(..5));
        new
    }

    /// A list that the remote side could tell next.
    fn list(&mut self) -> Vec<Object> {
        let mut list = self.objects.clone();
        match self.random.u8(..12) {
            0 => list.clear(),
            1 => self.random.shuffle(&mut list),
            2 => list.reverse(),
            3 => return list,
            _ => {}
        }
        let several = [0, 1, 3, 20][self.random.usize(..4)];
        if list.len() < 20 || self.random.u8(..8) == 0 {
            let most = if self.random.u8(..6) == 0 { 3_000 } else { 200 };
            let many = self.random.usize(..most);
            let at = self.random.usize(..=list.len());
            let new: Vec<_> = (0..many).map(|_| self.new_object()).collect();
            list.splice(at..at, new);
        }
        for _ in 0..several {
            self.edit(&mut list);
        }
        list
    }

    fn edit(&mut self, list: &mut Vec<Object>) {
        let new = self.new_object();
        if list.is_empty() {
            return list.push(new);
        }
        let random = &mut self.random;
        let (a, b) = (random.usize(..list.len()), random.usize(..list.len()));
        match random.u8(..10) {
            0 => list.insert(0, new),
            1 => list.push(new),
            2 => list.insert(a, new),
            3 => drop(list.remove(a)),
            4 => drop(list.drain(a.min(b)..a.max(b).min(a.min(b) + 40))),
            5 => list.swap(a, b),
            6 => {
                let moved = list.remove(a);
                list.insert(b, moved);
            }
            7 if random.u8(..4) == 0 => list.insert(b, list[a].clone()),
            8 => {
                let link =
                    Link { relation: "owner".into(), kind: "user".into(), id: random.u8(..).to_string() };
                list[a].links = vec![link];
            }
            _ => {
                list[a].name = new.name;
                list[a].parent = Some(new.id);
            }
        }
    }

    /// Stages a list in pages.
    async fn stage(&mut self, held: &Lease, list: &[Object]) -> Generation {
        let limits = self.limits();
        let mut generation = self.fresh.store.begin_within(limits, held, &self.id, KIND).await.unwrap();
        let page = self.random.usize(list.len() / 40..=list.len()).max(1);
        for page in list.chunks(page) {
            self.fresh.store.stage(&mut generation, page).await.unwrap();
        }
        assert_eq!(usize::try_from(generation.staged()).unwrap(), list.len());
        generation
    }

    async fn complete(&mut self, list: Vec<Object>, at: &str) {
        let held = self.fresh.refresh(&self.id).await;
        let mut generation = self.stage(&held, &list).await;
        let given_up = matches!(&generation.course, Course::Following(follower) if follower.given_up);
        let followed = matches!(generation.course, Course::Following(_));
        let store = &self.fresh.store;
        let mut diff = store.diff(&self.id, KIND, &mut generation).await.unwrap();
        assert_eq!(diff, store.diff(&self.id, KIND, &mut generation).await.unwrap(), "{at}: asked again");
        assert_eq!(diff.duplicates, twice(&list), "{at}");
        let list = last_of_each(list);
        if !diff.duplicates.is_empty() {
            store.drop_duplicates(&generation).await.unwrap();
            diff = store.diff(&self.id, KIND, &mut generation).await.unwrap();
            self.ways.duplicates += u32::from(followed);
        } else if matches!(generation.course, Course::Patch(_)) {
            self.ways.patched += 1;
        } else if given_up {
            self.ways.given_up += 1;
        } else if followed {
            self.ways.crowded += 1;
        }
        assert_eq!(diff, compared(&self.objects, &list), "{at}");
        self.check(at).await;
        let change = diff.change(KIND);
        let swap = KindSwap::Complete { generation, change };
        if self.random.u8(..4) == 0 {
            return self.tear(&held, swap, list).await;
        }
        assert!(self.finish(&held, swap).await, "{at}");
        self.objects = list;
    }

    /// Drops the swap half-way: either all of it has happened, or nothing.
    async fn tear(&mut self, held: &Lease, swap: KindSwap, list: Vec<Object>) {
        let store = &self.fresh.store;
        let swaps = [(KIND.to_owned(), swap)];
        let times = self.random.usize(..14);
        waits(pin!(store.finish_refresh(held, &self.id, &json!({}), &swaps, remembered(&[]))), times).await;
        // What was sent to the database is carried out all the same; its lock says when.
        drop(store.write().await.unwrap());
        let ended = store.run(&held.run).await.unwrap().unwrap();
        match ended.state {
            RunState::Succeeded => self.objects = list,
            _ => {
                self.ways.torn += 1;
                assert!(store.finish_run(held, &Ending::Cancelled).await.unwrap());
            }
        }
    }

    async fn delta(&mut self, mut list: Vec<Object>, at: &str) {
        list.truncate(self.random.usize(..=list.len()));
        let deleted: Vec<String> = self
            .objects
            .iter()
            .chain(&list)
            .filter(|_| self.random.u8(..20) == 0)
            .map(|object| object.id.clone())
            .collect();
        let held = self.fresh.refresh(&self.id).await;
        let mut generation = self.stage(&held, &list).await;
        // Who only ends the refresh need not ask before.
        if self.random.bool() {
            let store = &self.fresh.store;
            store.diff_delta(&self.id, KIND, Some(&mut generation), &deleted).await.unwrap();
            self.check(at).await;
        }
        let put = last_of_each(list);
        let kept = |object: &Object| !deleted.contains(&object.id);
        let ids: BTreeSet<&str> = put.iter().map(|object| object.id.as_str()).collect();
        let before = self.objects.iter().filter(|object| !ids.contains(object.id.as_str()));
        let after: Vec<Object> = before.chain(&put).filter(|object| kept(object)).cloned().collect();
        self.ways.deltas += u32::from(!put.is_empty() && !self.objects.is_empty());
        let swap = KindSwap::Delta { generation: Some(generation), deleted };
        assert!(self.finish(&held, swap).await, "{at}");
        self.objects = after;
    }

    async fn finish(&mut self, held: &Lease, swap: KindSwap) -> bool {
        let swaps = [(KIND.to_owned(), swap)];
        let store = &self.fresh.store;
        let done = store.finish_refresh(held, &self.id, &json!({}), &swaps, remembered(&[])).await.unwrap();
        if self.random.bool() {
            store.collect_garbage(u64::MAX).await.unwrap();
            let objects = self.fresh.store.count_objects(&self.id, KIND, None).await.unwrap();
            let (rows,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM catalog_objects")
                .fetch_one(&self.fresh.store.pool)
                .await
                .unwrap();
            assert_eq!(rows, objects, "only what is seen is left");
        }
        done
    }

    /// An attempt that comes to nothing: it is given up in the middle of a page, or loses its lease before the swap.
    async fn abandon(&mut self) {
        let list = self.list();
        if self.random.bool() {
            let held = self.fresh.refresh(&self.id).await;
            let mut generation = self.stage(&held, &list).await;
            self.ways.dropped +=
                u32::from(drop_half_way(&self.fresh.store, &mut generation, &list, &mut self.random).await);
            self.fresh.store.finish_run(&held, &Ending::Cancelled).await.unwrap();
            return;
        }
        let asked = run(&self.id, Hook::Refresh);
        let store = self.fresh.store.clone();
        store.insert_run(&asked).await.unwrap();
        let stale = store.claim_run(&asked.id, "one", Duration::ZERO).await.unwrap().unwrap();
        let mut generation = self.stage(&stale, &list).await;
        let early = self.random.bool();
        if early {
            store.diff(&self.id, KIND, &mut generation).await.unwrap();
        }
        while !store.expired_runs().await.unwrap().iter().any(|run| run.id == asked.id) {
            tokio::task::yield_now().await;
        }
        let expired = store.expired_runs().await.unwrap();
        assert!(store.requeue_run(&expired[0]).await.unwrap());
        let held = store.claim_run(&asked.id, "two", LONG).await.unwrap().unwrap();
        let change = Diff::default().change(KIND);
        assert!(!self.finish(&stale, KindSwap::Complete { generation, change }).await);
        store.finish_run(&held, &Ending::Cancelled).await.unwrap();
        self.ways.taken_over += 1;
    }

    /// That a reader finds exactly what the model has, in its order.
    async fn check(&self, at: &str) {
        let store = &self.fresh.store;
        let found = store.objects(&self.id, KIND, None, i64::MAX, 0).await.unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|object| (object.id, object.name, object.parent, object.links, object.attributes))
            .collect();
        let expected: Vec<_> = self
            .objects
            .iter()
            .cloned()
            .map(|object| {
                let links = serde_json::to_string(&object.links).unwrap();
                (object.id, object.name, object.parent, links, object.attributes)
            })
            .collect();
        assert!(found == expected, "{at}: {} of {} objects or another order", found.len(), expected.len());
        let count = store.count_objects(&self.id, KIND, None).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{at}");
    }
}

/// Drops a call to stage after it was polled a few times. A generation that may hold half a page is refused from then on.
async fn drop_half_way(
    store: &Store,
    generation: &mut Generation,
    page: &[Object],
    random: &mut Rng,
) -> bool {
    if page.is_empty() {
        return false;
    }
    let ready = waits(pin!(store.stage(generation, page)), random.usize(..4)).await;
    if !ready {
        assert!(matches!(store.stage(generation, page).await, Err(Error::Corrupt { .. })));
    }
    !ready
}

/// Lets a future go on until it has waited so many times; whether it was done before.
async fn waits<F: Future>(mut future: Pin<&mut F>, mut times: usize) -> bool {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if times == 0 => Poll::Ready(false),
        Poll::Pending => {
            times -= 1;
            Poll::Pending
        }
    })
    .await
}

fn twice(list: &[Object]) -> Vec<String> {
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    list.iter().for_each(|object| *times.entry(&object.id).or_default() += 1);
    times.into_iter().filter(|(_, times)| *times > 1).map(|(id, _)| id.to_owned()).take(5).collect()
}

fn last_of_each(mut list: Vec<Object>) -> Vec<Object> {
    let mut seen = BTreeSet::new();
    list.reverse();
    list.retain(|object| seen.insert(object.id.clone()));
    list.reverse();
    list
}

fn compared(before: &[Object], after: &[Object]) -> Diff {
    let present: BTreeMap<&str, &Object> = before.iter().map(|object| (object.id.as_str(), object)).collect();
    let was = |object: &Object| present.get(object.id.as_str()).copied();
    let changed = after.iter().filter(|now| was(now).is_some_and(|was| was != *now)).count();
    let stayed = after.iter().filter(|now| was(now).is_some()).count();
    Diff {
        count: after.len() as u64,
        added: (after.len() - stayed) as u64,
        changed: changed as u64,
        removed: (before.len() - stayed) as u64,
        duplicates: Vec::new(),
    }
}
