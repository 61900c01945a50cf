//! The catalog's intake: checks what a plugin puts, stages it, and at the end settles what each kind becomes.
//!
//! A page is stored while the plugin goes on with the next one. The one after that waits: so a kind has at most two pages
//! under way, however fast its plugin is.

use super::{
    log::RunLog,
    notice::{Notice, Watcher},
};
use crate::{
    model::{catalog::KindChange, id::ConnectionId},
    store::{Generation, KindSwap, Lease, Store},
};
use jackfield_plugin::contract::{
    Done, Failure,
    catalog::{CatalogEnd, CatalogPut, How, Object},
    description::Description,
    run::Level,
};
use std::collections::BTreeMap;
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

/// The most objects of one refresh: a plugin that floods ends here and not with the disk.
const MOST_OBJECTS: u64 = 20_000_000;

/// The longest attributes of one object.
const LONGEST_ATTRIBUTES: usize = 4 * 1024 * 1024;

/// How large a page may be to be stored while the plugin goes on: larger ones would add up to much memory.
const LARGE_PAGE: usize = 1024 * 1024;

/// The intake of one refresh.
pub struct Sink {
    store: Store,
    lease: Lease,
    connection: ConnectionId,
    kinds: BTreeMap<String, Mutex<Kind>>,
    watcher: Watcher,
}

/// One kind while it is being read.
#[derive(Default)]
struct Kind {
    staging: Staging,
    staged: u64,
    end: Option<How>,
}

/// What is staged of a kind.
#[derive(Default)]
enum Staging {
    /// Nothing yet.
    #[default]
    Nothing,
    /// All that was put.
    Done(Generation),
    /// All but the last page, which is on its way.
    Busy(AbortOnDropHandle<Result<Generation, Failure>>),
    /// A page could not be stored, so the kind can have no good end.
    Broken(Failure),
}

impl Staging {
    /// Waits until nothing is on its way. If this is given up, nothing is lost.
    async fn arrive(&mut self) -> Result<(), Failure> {
        if let Staging::Busy(page) = self {
            let staged = page.await.unwrap_or_else(|panic| {
                Err(Failure::jackfield(format!("staging a page of objects failed: {panic}")))
            });
            *self = staged.map_or_else(Staging::Broken, Staging::Done);
        }
        match self {
            Staging::Broken(failure) => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    /// What was staged, once nothing is on its way; nothing is left here.
    async fn take(&mut self) -> Result<Option<Generation>, Failure> {
        self.arrive().await?;
        match std::mem::take(self) {
            Staging::Done(generation) => Ok(Some(generation)),
            _ => Ok(None),
        }
    }
}

impl Sink {
    /// An intake for the kinds that the description names.
    pub fn new(
        store: Store,
        lease: Lease,
        connection: &ConnectionId,
        description: &Description,
        watcher: Watcher,
    ) -> Self {
        let kinds = description.objects.iter().map(|kind| (kind.id.clone(), Mutex::default())).collect();
        Sink { store, lease, connection: connection.clone(), kinds, watcher }
    }

    /// Stages a page of objects; returns when it has been checked and the page before it is stored.
    ///
    /// # Errors
    /// The plugin breaks a rule, or the store failed, perhaps with the page before. The kind can then have no good end: the
    /// objects of the page are lost, and a plugin that does not mind would end the kind as complete without them.
    pub async fn put(&self, request: CatalogPut) -> Result<Done, Failure> {
        let name = request.kind.clone();
        let mut kind = self.kind(&name)?.lock().await;
        let staged = self.stage(&mut kind, request).await.inspect_err(|failure| {
            // What is on its way ends here; the first failure is the one that is told.
            if !matches!(kind.staging, Staging::Broken(_)) {
                kind.staging = Staging::Broken(failure.clone());
            }
        })?;
        (self.watcher)(Notice::Objects { kind: name, staged });
        Ok(Done {})
    }

    /// Yields how many objects of the kind there are by now.
    async fn stage(&self, kind: &mut Kind, request: CatalogPut) -> Result<u64, Failure> {
        let CatalogPut { kind: name, objects, .. } = request;
        if kind.end.is_some() {
            return Err(Failure::plugin(format!("objects of kind \"{name}\" are put after its end")));
        }
        objects.iter().try_for_each(|object| check(&name, object))?;
        kind.staged += objects.len() as u64;
        if kind.staged > MOST_OBJECTS {
            return Err(Failure::plugin(format!(
                "more than {MOST_OBJECTS} objects of kind \"{name}\" were put"
            )));
        }
        let mut generation = match kind.staging.take().await? {
            Some(generation) => generation,
            None => self.store.begin_generation(&self.lease, &self.connection, &name).await?,
        };
        let large = objects.iter().map(weight).sum::<usize>() > LARGE_PAGE;
        let store = self.store.clone();
        kind.staging = Staging::Busy(AbortOnDropHandle::new(tokio::spawn(async move {
            store.stage(&mut generation, &objects).await?;
            Ok(generation)
        })));
        if large {
            kind.staging.arrive().await?;
        }
        Ok(kind.staged)
    }

    /// Notes how a kind ends.
    ///
    /// # Errors
    /// The kind is not declared, or has ended before.
    pub async fn end(&self, request: CatalogEnd) -> Result<Done, Failure> {
        let mut kind = self.kind(&request.kind)?.lock().await;
        if kind.end.is_some() {
            return Err(Failure::plugin(format!("the kind \"{}\" is ended twice", request.kind)));
        }
        let kept = match &request.how {
            How::Kept { reason } => Some(reason.clone()),
            _ => None,
        };
        kind.end = Some(request.how);
        (self.watcher)(Notice::Ended { kind: request.kind, kept });
        Ok(Done {})
    }

    fn kind(&self, name: &str) -> Result<&Mutex<Kind>, Failure> {
        self.kinds.get(name).ok_or_else(|| {
            Failure::plugin(format!("the kind \"{name:.64}\" is not one that the plugin's description names"))
        })
    }

    /// What each kind becomes, and what changes by it. Nothing is visible yet.
    ///
    /// # Errors
    /// A kind has no end, or the store failed.
    pub async fn settle(&self, log: &RunLog) -> Result<(Vec<(String, KindSwap)>, Vec<KindChange>), Failure> {
        let (mut swaps, mut changes) = (Vec::new(), Vec::new());
        for (name, kind) in &self.kinds {
            let mut kind = kind.lock().await;
            let (generation, end, staged) = (kind.staging.take().await?, kind.end.take(), kind.staged);
            let (swap, change) = match end {
                Some(How::Complete) => self.complete(name, generation, log).await?,
                Some(How::Delta { deleted }) => self.delta(name, generation, deleted).await?,
                Some(How::Kept { reason }) => kept(name, &log.scrub(&reason)),
                Some(_) => {
                    return Err(Failure::plugin(format!(
                        "the kind \"{name}\" ends in a way that this host does not know"
                    )));
                }
                None if staged > 0 => {
                    let text = format!(
                        "{staged} objects of kind \"{name}\" were put, but the plugin did not say how the list ends"
                    );
                    return Err(Failure::plugin(text));
                }
                None => kept(name, "the connector did not read them"),
            };
            swaps.push((name.clone(), swap));
            changes.push(change);
        }
        Ok((swaps, changes))
    }

    async fn complete(
        &self,
        name: &str,
        generation: Option<Generation>,
        log: &RunLog,
    ) -> Result<(KindSwap, KindChange), Failure> {
        // An empty list is a list: without a page there was no generation yet.
        let mut generation = match generation {
            Some(generation) => generation,
            None => self.store.begin_generation(&self.lease, &self.connection, name).await?,
        };
        let mut diff = self.store.diff(&self.connection, name, &mut generation).await?;
        if !diff.duplicates.is_empty() {
            let some = diff.duplicates.join(", ");
            log.line(Level::Warning, &format!("the list of \"{name}\" held the same ids more than once ({some}); the last of each counts"));
            self.store.drop_duplicates(&generation).await?;
            diff = self.store.diff(&self.connection, name, &mut generation).await?;
        }
        let change = diff.change(name);
        Ok((KindSwap::Complete { generation, change: change.clone() }, change))
    }

    async fn delta(
        &self,
        name: &str,
        mut generation: Option<Generation>,
        deleted: Vec<String>,
    ) -> Result<(KindSwap, KindChange), Failure> {
        let diff = self.store.diff_delta(&self.connection, name, generation.as_mut(), &deleted).await?;
        Ok((KindSwap::Delta { generation, deleted }, diff.change(name)))
    }
}

fn kept(name: &str, reason: &str) -> (KindSwap, KindChange) {
    let change =
        KindChange { kind: name.to_owned(), kept_reason: Some(reason.to_owned()), ..KindChange::default() };
    (KindSwap::Kept { reason: reason.to_owned() }, change)
}

/// About how many bytes an object has.
fn weight(object: &Object) -> usize {
    let links = object.links.iter().map(|link| link.relation.len() + link.kind.len() + link.id.len() + 72);
    object.id.len() + object.name.len() + object.attributes.len() + links.sum::<usize>() + 200
}

/// The rules for an object.
fn check(kind: &str, object: &Object) -> Result<(), Failure> {
    let wrong = |what: String| Failure::plugin(format!("an object of kind \"{kind:.64}\" {what}"));
    if object.id.is_empty() || object.id.len() > 1024 {
        return Err(wrong(format!("has an id of {} bytes (1 to 1024 are allowed)", object.id.len())));
    }
    if let Some(what) = unfit(object) {
        let id: String = object.id.escape_debug().take(64).collect();
        return Err(wrong(format!("(\"{id}\") has {what}")));
    }
    let attributes = &object.attributes;
    if attributes.len() > LONGEST_ATTRIBUTES {
        return Err(wrong(format!("(\"{:.64}\") has attributes of {} bytes", object.id, attributes.len())));
    }
    let is_object = attributes.is_empty()
        || attributes.trim_start().starts_with('{')
            && serde_json::from_str::<serde::de::IgnoredAny>(attributes).is_ok();
    if !is_object {
        return Err(wrong(format!("(\"{:.64}\") has attributes that are not a JSON object", object.id)));
    }
    Ok(())
}

/// What no id may have, and what PostgreSQL cannot store: its texts have no NUL. In the attributes it can only stand escaped,
/// which is text like any other.
fn unfit(object: &Object) -> Option<&'static str> {
    let nul = |text: &str| text.contains('\0');
    let control = |text: &str| text.contains(char::is_control);
    if control(&object.id) {
        return Some("a control character in its id");
    }
    if nul(&object.name) {
        return Some("a NUL in its name");
    }
    if object.parent.as_deref().is_some_and(control) {
        return Some("a control character in its parent's id");
    }
    if object.modified.as_deref().is_some_and(nul) {
        return Some("a NUL in its date of change");
    }
    let unfit = object.links.iter().any(|link| nul(&link.relation) || nul(&link.kind) || control(&link.id));
    unfit.then_some("a control character in a link")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::run::Hook,
        store::testing::{Fresh, LONG, run},
    };
    use jackfield_plugin::contract::catalog::Link;
    use std::sync::Arc;

    /// An intake for apps, of a run that nobody has taken up yet.
    async fn intake(fresh: &Fresh) -> Sink {
        let connection = fresh.connection("EU").await;
        let run = run(&connection, Hook::Refresh);
        fresh.store.insert_run(&run).await.unwrap();
        Sink {
            store: fresh.store.clone(),
            lease: Lease { run: run.id, attempt: 1 },
            connection,
            kinds: BTreeMap::from([("app".to_owned(), Mutex::default())]),
            watcher: Arc::new(|_| {}),
        }
    }

    fn page(object: Object) -> CatalogPut {
        CatalogPut { kind: "app".to_owned(), objects: vec![object], exchange: None }
    }

    /// The plugin goes on as if nothing had failed.
    async fn has_no_good_end(sink: &Sink, first: &Failure) {
        assert_eq!(&sink.put(page(Object::new("1", "one"))).await.unwrap_err(), first);
        sink.end(CatalogEnd { kind: "app".to_owned(), how: How::Complete }).await.unwrap();
        let staged = sink.kinds["app"].lock().await.staging.take().await;
        assert_eq!(staged.err().as_ref(), Some(first), "it cannot be settled");
    }

    #[tokio::test]
    async fn what_could_not_be_begun_has_no_good_end() {
        let fresh = Fresh::open().await;
        let sink = intake(&fresh).await;
        let first = sink.put(page(Object::new("1", "one"))).await.unwrap_err();
        // From here on the store would take it.
        fresh.store.claim_run(&sink.lease.run, "test", LONG).await.unwrap().unwrap();
        has_no_good_end(&sink, &first).await;
    }

    #[tokio::test]
    async fn a_kind_with_a_page_that_was_refused_has_no_good_end() {
        let fresh = Fresh::open().await;
        let sink = intake(&fresh).await;
        fresh.store.claim_run(&sink.lease.run, "test", LONG).await.unwrap().unwrap();
        sink.put(page(Object::new("1", "one"))).await.unwrap();
        let first = sink.put(page(Object::new("", "without an id"))).await.unwrap_err();
        assert_eq!(first.blame, jackfield_plugin::contract::Blame::Plugin);
        has_no_good_end(&sink, &first).await;
    }

    #[test]
    fn what_a_database_refuses_is_the_plugins_fault() {
        let fine =
            Object { attributes: r#"{"path":"C:\\u0000"}"#.to_owned(), ..Object::new("1", "Tab\tname") };
        check("app", &fine).unwrap();
        let link = |id: &str, kind: &str, relation: &str| {
            vec![Link { relation: relation.to_owned(), kind: kind.to_owned(), id: id.to_owned() }]
        };
        for (object, words) in [
            (Object { id: "a\0b".to_owned(), ..fine.clone() }, "in its id"),
            (Object { id: "a\nb".to_owned(), ..fine.clone() }, "in its id"),
            (Object { name: "\0".to_owned(), ..fine.clone() }, "in its name"),
            (Object { parent: Some("\0".to_owned()), ..fine.clone() }, "in its parent's id"),
            (Object { modified: Some("\0".to_owned()), ..fine.clone() }, "in its date"),
            (Object { links: link("\0", "user", "owner"), ..fine.clone() }, "in a link"),
            (Object { links: link("1", "\0", "owner"), ..fine.clone() }, "in a link"),
            (Object { links: link("1", "user", "\0"), ..fine.clone() }, "in a link"),
            (Object { attributes: "{\"a\":\"\0\"}".to_owned(), ..fine.clone() }, "not a JSON object"),
        ] {
            let failure = check("app", &object).expect_err(words);
            assert_eq!(failure.blame, jackfield_plugin::contract::Blame::Plugin);
            assert!(failure.message.contains(words), "{failure}");
            assert!(!failure.message.contains(char::is_control), "{failure:?}");
        }
    }
}
