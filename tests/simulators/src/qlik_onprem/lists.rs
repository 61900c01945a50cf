//! Lists: which rows a caller sees, filtered and in order. An order is put together once for all pages that are read of
//! it; the rows are computed while they are sent.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use uuid::Uuid;

use crate::kit::json::Json;
use crate::qlik_onprem::call::Call;
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::data::Catalog;
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::filter::{Filter, Source};
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::rights::{Caller, Right};
use crate::qlik_onprem::store::Store;
use crate::qlik_onprem::world::{Place, Sequence, World, short};

/// How many orders are remembered.
const REMEMBERED: usize = 64;
/// How many rows are written at a time.
const PIECE: usize = 250;

/// A member to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Dotted path.
    pub(crate) path: Vec<String>,
    /// Backwards.
    pub(crate) descending: bool,
}

/// A list that is wanted.
pub(crate) struct Wanted {
    kinds: Vec<Kind>,
    filter: Option<(String, Filter)>,
    orders: Vec<Order>,
    among: Option<(Uuid, HashSet<(Kind, Uuid)>)>,
}

impl Wanted {
    /// A list of kinds by the parameters that every list has.
    pub(crate) fn new(call: &Call, kinds: &[Kind]) -> Result<Self, Problem> {
        let filter = match call.query.get("filter") {
            None => None,
            Some(text) => {
                let samples: Vec<Row> = kinds.iter().map(|kind| sample(&call.world, *kind)).collect();
                Some((text.to_owned(), Filter::parse(text, &samples)?))
            }
        };
        let orders = call.query.get("orderby").map(orders).transpose()?.unwrap_or_default();
        Ok(Self { kinds: kinds.to_vec(), filter, orders, among: None })
    }

    /// In this order instead.
    pub(crate) fn ordered(mut self, orders: Vec<Order>) -> Self {
        self.orders = orders;
        self
    }

    /// Only rows of a selection.
    pub(crate) fn among(mut self, selection: Uuid, items: &[(Kind, Uuid)]) -> Self {
        self.among = Some((selection, items.iter().copied().collect()));
        self
    }

    /// The rows, in order.
    pub(crate) fn sequence(&self, world: &World, caller: &Caller) -> Sequence {
        let Self { kinds, filter, orders, among } = self;
        let text = filter.as_ref().map(|(text, _)| text);
        let selection = among.as_ref().map(|(id, _)| id);
        let whose = if caller.is_root() { "" } else { &caller.account };
        let changes = world.catalog().changes;
        let key =
            format!("{kinds:?} {text:?} {orders:?} {selection:?} {changes:?} {whose} {:?}", caller.roles);
        // What a task is doing changes without anybody writing it.
        let lasting = text.is_none_or(|text| !text.to_lowercase().contains("operational"));
        if let Some(sequence) = world.sequences().get(&key).filter(|_| lasting) {
            return Arc::clone(sequence);
        }
        let store = world.store();
        let sequence = Arc::new(self.assemble(world, &store, caller));
        let mut sequences = world.sequences();
        if sequences.len() >= REMEMBERED {
            sequences.clear();
        }
        sequences.insert(key, Arc::clone(&sequence));
        sequence
    }

    fn assemble(&self, world: &World, store: &Store, caller: &Caller) -> Vec<(Kind, Place)> {
        let catalog = world.catalog();
        let mut places = Vec::new();
        for kind in self.kinds.iter().copied() {
            let sees_all = caller.may_all(Right::Read, kind);
            let differs = store.differs(kind);
            let generated = (0..catalog.extent(kind)).map(Place::Generated);
            let kept = store.made(kind).iter().copied().map(Place::Kept);
            let there = generated.chain(kept).filter(|place| {
                let Some(candidate) = Candidate::new(world, store, &catalog, kind, *place, differs) else {
                    return false;
                };
                let chosen =
                    self.among.as_ref().is_none_or(|(_, items)| items.contains(&(kind, candidate.id())));
                chosen
                    && (sees_all || candidate.seen_by(caller))
                    && self.filter.as_ref().is_none_or(|(_, filter)| filter.matches(&candidate))
            });
            places.extend(there.map(|place| (kind, place)));
        }
        self.sort(world, store, &catalog, &mut places);
        places
    }

    fn sort(&self, world: &World, store: &Store, catalog: &Catalog, places: &mut [(Kind, Place)]) {
        // The last member first, so that the first one decides.
        for order in self.orders.iter().rev() {
            places.sort_by_cached_key(|(kind, place)| {
                let differs = store.differs(*kind);
                let candidate = Candidate::new(world, store, catalog, *kind, *place, differs);
                let mut key = None;
                if let Some(candidate) = candidate {
                    candidate.any(&order.path, &mut |cell| {
                        key = Some(cell.sort_key());
                        true
                    });
                }
                key
            });
            if order.descending {
                places.reverse();
            }
        }
    }

    /// The list as an answer, whole or short.
    pub(crate) fn answer(&self, call: &Call, full: bool) -> Answer {
        let sequence = self.sequence(&call.world, &call.caller);
        let cap = call.world.config.list_cap.map_or(usize::MAX, |cap| cap as usize);
        let length = sequence.len().min(cap);
        call.world.journal.wrote_rows(length as u64);
        let (world, caller) = (Arc::clone(&call.world), Arc::clone(&call.caller));
        let privileges = call.query.flag("privileges");
        let piece = move |from: usize| {
            let mut out = Json::with_capacity(PIECE * 1024);
            let store = world.store();
            for (kind, place) in &sequence[from..length.min(from + PIECE)] {
                let row = shown(&world, &store, &caller, *kind, *place, privileges);
                if full { row.write(&mut out) } else { short(*kind, &row).write(&mut out) }
            }
            out.into_bytes()
        };
        Ok(array(length, piece))
    }
}

/// A row as a list shows it.
pub(crate) fn shown(
    world: &World,
    store: &Store,
    caller: &Caller,
    kind: Kind,
    place: Place,
    privileges: bool,
) -> Row {
    let mut row = world.row(store, kind, place);
    if privileges {
        let standing = world.standing(kind, &row);
        let names = caller.privileges(kind, standing).into_iter().map(Cell::from).collect::<Vec<_>>();
        row.set("privileges", names);
    }
    row
}

/// An array that is sent piece by piece.
fn array(length: usize, piece: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Response {
    let body = if length <= PIECE {
        let mut whole = vec![b'['];
        whole.extend(piece(0));
        whole.push(b']');
        Body::from(whole)
    } else {
        Body::from_stream(stream::unfold((0, piece), move |(from, piece)| async move {
            if from > length {
                return None;
            }
            let mut bytes = vec![if from == 0 { b'[' } else { b',' }];
            bytes.extend(piece(from));
            let next = from + PIECE;
            let done = next >= length;
            if done {
                bytes.push(b']');
            }
            let state = (if done { length + 1 } else { next }, piece);
            Some((Ok::<_, Infallible>(Bytes::from(bytes)), state))
        }))
    };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A row of which no more is computed than is asked for.
struct Candidate<'a> {
    world: &'a World,
    store: &'a Store,
    catalog: &'a Catalog,
    kind: Kind,
    place: Place,
    /// The row is as it was generated.
    pure: bool,
    row: OnceCell<Row>,
}

impl<'a> Candidate<'a> {
    /// `None` when there is no such row (any more).
    fn new(
        world: &'a World,
        store: &'a Store,
        catalog: &'a Catalog,
        kind: Kind,
        place: Place,
        differs: bool,
    ) -> Option<Self> {
        let mut pure = false;
        if let Place::Generated(index) = place {
            if !catalog.exists(kind, index) {
                return None;
            }
            let id = differs.then(|| catalog.id(kind, index));
            if id.is_some_and(|id| store.removed(kind, id)) {
                return None;
            }
            pure = id.is_none_or(|id| store.row(kind, id).is_none());
        }
        Some(Self { world, store, catalog, kind, place, pure, row: OnceCell::new() })
    }

    fn row(&self) -> &Row {
        self.row.get_or_init(|| self.world.row(self.store, self.kind, self.place))
    }

    fn id(&self) -> Uuid {
        match self.place {
            Place::Generated(index) => self.catalog.id(self.kind, index),
            Place::Kept(id) => id,
        }
    }

    fn seen_by(&self, caller: &Caller) -> bool {
        let standing = match self.place {
            Place::Generated(index) if self.pure => {
                self.world.generated_standing(self.catalog, self.kind, index)
            }
            _ => self.world.standing(self.kind, self.row()),
        };
        caller.may(Right::Read, self.kind, standing)
    }
}

impl Source for Candidate<'_> {
    fn any(&self, path: &[String], take: &mut dyn FnMut(&Cell) -> bool) -> bool {
        if let (Place::Generated(index), true, [member]) = (self.place, self.pure, path)
            && let Some(cell) = self.catalog.quick(self.kind, index, member)
        {
            return take(&cell);
        }
        self.row().any(path, take)
    }
}

/// A row that shows which members the kind has.
pub(crate) fn sample(world: &World, kind: Kind) -> Row {
    let store = world.store();
    match store.made(kind).first() {
        Some(id) if world.catalog().seeded(kind) == 0 => world.row(&store, kind, Place::Kept(*id)),
        _ => world.catalog().row(kind, 0),
    }
}

/// `name asc, modifiedDate desc`.
fn orders(text: &str) -> Result<Vec<Order>, Problem> {
    let one = |part: &str| {
        let mut words = part.split_whitespace();
        let path = words.next().map(|path| path.split('.').map(str::to_owned).collect());
        let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => Some(false),
            Some("desc") => Some(true),
            Some(_) => None,
        };
        let order = path.zip(descending).map(|(path, descending)| Order { path, descending });
        order.ok_or_else(|| Problem::invalid(format!("Cannot parse the expression: {text}")))
    };
    text.split(',').map(one).collect()
}
