//! THE TABLE of settings: every kind of document that people choose.
//!
//! Enters: stored documents, or what a file says of one thing. Leaves: the other; and what a snapshot is made of. Never: a secret's value.
//!
//! A new kind of document is one line: what it is called in the file, where it stands, either a table of its members ([`Plain`]) or two functions of its
//! own, where secrets stand in it, and how a snapshot hears of it. The desk writes no kind that is not here, so none can be forgotten. Order of the table
//! is order of the file; what refers to something stands below it.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tollgate_model::{Gateway, ProviderConfig, SecretStore};
use tollgate_rules::snapshot::Documents;
use tollgate_store::documents::Document;

use crate::desk::read::{GATEWAY, SECRET, STORE, TOKEN, read};
use crate::desk::veil::SecretMember;
use crate::desk::world::{Held, World};
use crate::desk::{ALERT, CUSTOM_DOMAIN, CUSTOM_PROVIDER, DATASET, Desk, DeskError, POLICY, PROVIDER_CONFIG, ROUTE};
use crate::shape::{Fault, Member, Shape};

use self::known::Known;
use self::plain::Plain;

mod alerts;
mod custom;
mod datasets;
mod gateways;
mod keys;
pub(super) mod known;
mod plain;
mod policies;
mod routes;
mod secrets;
mod tokens;

pub(super) static KINDS: &[Kind] = &[
    Kind::new(CUSTOM_PROVIDER, "custom_provider", Place::Account, custom::PROVIDERS)
        .with_secrets(custom::SECRETS)
        .entering(|held, into| push(&mut into.custom_providers, held.read())),
    // Opened by the vault, and entered by it.
    Kind::new(STORE, "secret_store", Place::Account, secrets::STORES),
    Kind::new(SECRET, "secret", Place::Below(STORE), secrets::SECRETS),
    Kind::new(GATEWAY, "gateway", Place::Account, gateways::WAY)
        .with_secrets(gateways::SECRETS)
        .entering(|held, into| push(&mut into.gateways, owned::<Gateway>(held))),
    Kind::new(ROUTE, "route", Place::Below(GATEWAY), routes::WAY)
        .entering(|held, into| push(&mut into.routes, held.read())),
    Kind::new(POLICY, "policy", Place::Below(GATEWAY), policies::WAY)
        .entering(|held, into| push(&mut into.policies, held.read())),
    Kind::new(PROVIDER_CONFIG, "provider_config", Place::Below(GATEWAY), keys::WAY)
        .entering(|held, into| push(&mut into.provider_configs, owned::<ProviderConfig>(held))),
    Kind::new(CUSTOM_DOMAIN, "custom_domain", Place::Below(GATEWAY), custom::DOMAINS)
        .entering(|held, into| push(&mut into.custom_domains, held.read())),
    Kind::new(DATASET, "dataset", Place::Below(GATEWAY), Way::Plain(&datasets::PLAIN)),
    Kind::new(ALERT, "alert", Place::Account, alerts::WAY).with_secrets(alerts::SECRETS),
    Kind::new(TOKEN, "token", Place::Account, tokens::WAY).entering(|held, into| push(&mut into.tokens, held.read())),
];

type Enter = fn(&Held, &mut Documents) -> Result<(), DeskError>;

#[derive(Debug)]
pub(super) struct Kind {
    /// As documents have it.
    pub(super) kind: &'static str,
    /// As the file has it: `[gateway.NAME]`, or `[gateway.NAME.route.NAME]`.
    pub(super) word: &'static str,
    pub(super) place: Place,
    pub(super) way: Way,
    /// Its members that may hold a secret: sealed in the store, `***` in the file.
    secrets: &'static [SecretMember],
    /// How a snapshot hears of it. `None`: it is no part of one.
    enter: Option<Enter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the top of the file.
    Account,
    /// Below a thing of this kind, without which it is nothing.
    Below(&'static str),
}

// === impl Kind ===

impl Kind {
    const fn new(kind: &'static str, word: &'static str, place: Place, way: Way) -> Self {
        Self { kind, word, place, way, secrets: &[], enter: None }
    }

    const fn with_secrets(self, secrets: &'static [SecretMember]) -> Self {
        Self { secrets, ..self }
    }

    const fn entering(self, enter: Enter) -> Self {
        Self { enter: Some(enter), ..self }
    }

    /// Those that stand below things of this kind, with their places in the table.
    pub(super) fn below(&self) -> impl Iterator<Item = (usize, &'static Kind)> {
        let owner = self.kind;
        KINDS.iter().enumerate().filter(move |(_, kind)| kind.place == Place::Below(owner))
    }

    fn find(kind: &str) -> Option<&'static Self> {
        KINDS.iter().find(|each| each.kind == kind)
    }

    fn at(kind: &str) -> usize {
        KINDS.iter().position(|each| each.kind == kind).unwrap_or_default()
    }
}

/// What is said of a thing, member by member.
pub(super) type Fields = Map<String, Value>;

/// Its name, and what is said of it.
type Declare = fn(&Document, &World) -> Result<(String, Fields), DeskError>;

/// How a document is written down and made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// By its table of members alone.
    Plain(&'static Plain),
    Own {
        /// What may be said of it.
        members: &'static [Member],
        declare: Declare,
        make: fn(&Making<'_>) -> Result<Document, Vec<Fault>>,
    },
}

/// What a file says of one thing, and what there is.
pub(super) struct Making<'a> {
    pub(super) desk: &'a Desk,
    pub(super) name: &'a str,
    /// An id that the name itself gives, where two have one name.
    pub(super) id: Option<&'a str>,
    pub(super) fields: &'a Map<String, Value>,
    pub(super) before: Option<&'a Document>,
    /// Whose it is, when it stands below something.
    pub(super) owner: Option<&'a Owner>,
    /// Stores and secrets that it may refer to.
    pub(super) known: &'a Known,
}

/// What something else may stand below.
pub(super) enum Owner {
    Gateway(Box<Gateway>),
    Store(SecretStore),
}

impl Making<'_> {
    pub(super) fn gateway(&self) -> Result<&Gateway, Vec<Fault>> {
        match self.owner {
            Some(Owner::Gateway(gateway)) => Ok(gateway),
            _ => Err(failed("it stands below its gateway")),
        }
    }

    pub(super) fn store(&self) -> Result<&SecretStore, Vec<Fault>> {
        match self.owner {
            Some(Owner::Store(store)) => Ok(store),
            _ => Err(failed("it stands below its store")),
        }
    }
}

impl Owner {
    /// `None`: nothing stands below such a thing.
    pub(super) fn of(document: &Document) -> Result<Option<Self>, DeskError> {
        match document.kind.as_str() {
            GATEWAY => Ok(Some(Self::Gateway(read(document)?))),
            STORE => Ok(Some(Self::Store(read(document)?))),
            _ => Ok(None),
        }
    }
}

/// Where a thing stands in the file: its place in [`KINDS`] comes after its owner, so that a gateway and what is below it stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    /// Of the outermost table: the place of its kind.
    pub(super) section: usize,
    /// The owner's name, or the thing's own.
    pub(super) top: String,
    /// The place of its kind and its name, when it stands below something.
    pub(super) below: Option<(usize, String)>,
}

/// A thing as the file would say it.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) fields: Map<String, Value>,
    pub(super) document: Document,
}

/// Between a name and the id of the second one that has it.
const TWIN: char = '#';
/// No id is shorter, and no name that a person chose ends in so many of its letters.
const ID_CHARS_MIN: usize = 32;

/// Whether a kind of document is what files are about: settings that people choose, not what the gateway notes by itself.
pub fn is_managed(kind: &str) -> bool {
    Kind::find(kind).is_some()
}

/// Where secrets stand in documents of a kind.
pub(crate) fn secret_members(kind: &str) -> &'static [SecretMember] {
    Kind::find(kind).map_or(&[], |kind| kind.secrets)
}

/// Kinds whose documents go when what they stand below goes. Their parent is its id.
pub(crate) fn kinds_below(owner: &str) -> impl Iterator<Item = &'static str> {
    Kind::find(owner).into_iter().flat_map(Kind::below).map(|(_, kind)| kind.kind)
}

/// What a snapshot is made of. Kinds that are not known here belong to later programs and are left alone.
pub(crate) fn enter_all(world: &World, into: &mut Documents) -> Result<(), DeskError> {
    let entering = KINDS.iter().filter_map(|kind| Some((kind, kind.enter?)));
    for (kind, enter) in entering {
        world.of_kind(kind.kind).try_for_each(|held| enter(held, into))?;
    }
    Ok(())
}

/// Whether a file would say the same of both: they differ in a secret's value, or in what the installation notes.
pub(crate) fn is_same_in_file(before: &Document, after: &Document, world: &World) -> bool {
    let Some(kind) = Kind::find(&after.kind).filter(|kind| kind.kind == before.kind) else { return false };
    let said = |document: &Document| kind.way.declare(document, world).ok();
    said(before).is_some_and(|before| Some(before) == said(after))
}

/// Everything, in the order of the file.
pub(super) fn declared(world: &World) -> Result<BTreeMap<Name, Declared>, DeskError> {
    let mut all = BTreeMap::new();
    let mut owners: HashMap<(&str, &str), (String, &Document)> = HashMap::new();
    for (at, kind) in KINDS.iter().enumerate() {
        let mut found = Vec::new();
        let mut taken: HashMap<(Option<String>, String), usize> = HashMap::new();
        for document in world.of_kind(kind.kind).map(|held| &held.document) {
            let owner = match kind.place {
                Place::Account => None,
                Place::Below(owner) => match owners.get(&(owner, &*owner_of(document))) {
                    Some((name, owner)) if owns(owner, document) => Some(name.clone()),
                    _ => continue,
                },
            };
            let (name, fields) = kind.way.declare(document, world)?;
            if kind.below().next().is_some() {
                owners.insert((kind.kind, &document.id), (name.clone(), document));
            }
            *taken.entry((owner.clone(), name.clone())).or_default() += 1;
            found.push((owner, name, Declared { fields, document: document.clone() }));
        }
        for (owner, name, declared) in found {
            let key = (owner, name);
            let is_twin = taken.get(&key).is_some_and(|count| *count > 1);
            let (owner, name) = key;
            // All of them are told apart by their ids: which of them came first is nothing that a file could say.
            let name = if is_twin { format!("{name}{TWIN}{}", declared.document.id) } else { name };
            all.insert(Name::new(at, owner, name), declared);
        }
    }
    Ok(all)
}

fn push<T>(all: &mut Vec<T>, read: Result<T, DeskError>) -> Result<(), DeskError> {
    all.push(read?);
    Ok(())
}

fn owned<T: Clone + DeserializeOwned + Send + Sync + 'static>(held: &Held) -> Result<T, DeskError> {
    Ok(T::clone(&*held.read()?))
}

/// The id of what a document stands below.
fn owner_of(document: &Document) -> std::borrow::Cow<'_, str> {
    match document.kind.as_str() {
        // The original's stores know their secrets by the store's id.
        SECRET => member(document, "store_id").unwrap_or_default().into(),
        _ => document.parent.as_str().into(),
    }
}

/// What was left by a gateway that went and came anew belongs to nobody.
fn owns(owner: &Document, document: &Document) -> bool {
    let of = member(document, "gateway_internal_id");
    of.is_none() || of == member(owner, "internal_id")
}

fn member(document: &Document, name: &str) -> Option<String> {
    let body = serde_json::from_str::<Value>(&document.body).ok()?;
    body[name].as_str().map(str::to_owned)
}

// === impl Name ===

impl Name {
    pub(super) fn new(kind: usize, owner: Option<String>, name: String) -> Self {
        match (owner, KINDS[kind].place) {
            (Some(top), Place::Below(owner)) => Self { section: Kind::at(owner), top, below: Some((kind, name)) },
            _ => Self { section: kind, top: name, below: None },
        }
    }

    pub(super) fn kind(&self) -> &'static Kind {
        &KINDS[self.below.as_ref().map_or(self.section, |(at, _)| *at)]
    }

    pub(super) fn name(&self) -> &str {
        self.below.as_ref().map_or(&self.top, |(_, name)| name)
    }

    /// What it stands below; `None`: it stands at the top.
    pub(super) fn owner(&self) -> Option<Self> {
        self.below.as_ref().map(|_| Self { section: self.section, top: self.top.clone(), below: None })
    }

    /// The way to it in the file.
    pub(super) fn path(&self) -> Vec<&str> {
        let mut path = vec![KINDS[self.section].word, self.top.as_str()];
        if let Some((at, name)) = &self.below {
            path.extend([KINDS[*at].word, name]);
        }
        path
    }

    /// The name without the id of a twin, and that id.
    pub(super) fn parts(&self) -> (&str, Option<&str>) {
        let is_id = |text: &str| {
            text.len() >= ID_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        match self.name().rsplit_once(TWIN) {
            Some((name, id)) if is_id(id) => (name, Some(id)),
            _ => (self.name(), None),
        }
    }
}

/// `gateway "support"`, `route "chat" of gateway "support"`: as the problems of a compilation call it.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind().word, self.name())?;
        match self.below {
            Some(_) => write!(f, " of {} {:?}", KINDS[self.section].word, self.top),
            None => Ok(()),
        }
    }
}

// === impl Way ===

impl Way {
    pub(super) fn members(self) -> &'static [Member] {
        match self {
            Self::Plain(plain) => plain.members,
            Self::Own { members, .. } => members,
        }
    }

    /// Its name, and what is said of it.
    pub(super) fn declare(self, document: &Document, world: &World) -> Result<(String, Fields), DeskError> {
        match self {
            Self::Plain(plain) => plain.declare(document),
            Self::Own { declare, .. } => declare(document, world),
        }
    }

    pub(super) fn make(self, making: &Making<'_>) -> Result<Document, Vec<Fault>> {
        match self {
            Self::Plain(plain) => plain.make(making),
            Self::Own { make, .. } => make(making),
        }
    }
}

/// Members in the order of their table, whatever order they were stored in: the same settings are the same bytes.
fn in_order(member: &Member, value: &Value) -> Value {
    let read = member.shape.read(value, &mut Vec::new(), &mut Vec::new());
    read.filter(|_| !matches!(member.shape, Shape::Any)).unwrap_or_else(|| value.clone())
}

/// What only the machine can get wrong while it makes a document.
pub(super) fn failed(cause: impl ToString) -> Vec<Fault> {
    vec![Fault { path: Vec::new(), message: cause.to_string() }]
}
